"""A day of a contact centre in minutes: does memory grow, and what does a live call cost?

    python -m tests.load.day --hours 24 --places 60 --live 2000 [--json FILE]

The whole service runs with the small scorer of the tests, because what is asked here has nothing to do with the model:
calls begin, end and leave memory as fast as the service takes them, an hour of `--places` people on the phone at a
time; after each hour the resident memory is read. Then `--live` calls are begun and left open.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import msgspec
from websockets.asyncio.client import connect

from models.examples import CORPUS
from monitor.loadtest.scripts import Script, read_scripts
from stream.messages import CallEnd, CallStart, Transcript, encode
from tests.bench.processes import resident_mb

CALL_S = 300.0
"""How long a call takes on the phone, with the pause after it."""
CONNECTIONS = 8
EVERY_S = 4.0


def messages(call_id: str, script: Script, ends: bool) -> list[Any]:
    """One call of a script, a final every four seconds."""
    out: list[Any] = [CallStart(call_id=call_id, language=script.language)]
    for number, line in enumerate(script.lines):
        begin_s = EVERY_S * number
        out.append(
            Transcript(
                call_id=call_id,
                segment_id=str(number),
                role=line.role,
                text=line.text,
                final=True,
                start_s=begin_s,
                end_s=begin_s + 3.0,
            )
        )
    return [*out, CallEnd(call_id=call_id, at_s=EVERY_S * len(script.lines), reason="hangup")] if ends else out


async def play(url: str, names: list[str], scripts: list[Script], seed: int, ends: bool) -> int:
    """Calls one after the other over one connection; returns how many finals were acknowledged."""
    chance, acked = random.Random(seed), 0
    async with connect(url, compression=None, max_size=None, proxy=None) as link:
        for name in names:
            said = messages(name, chance.choice(scripts), ends)
            for message in said:
                await link.send(encode(message).decode())
            for _ in [message for message in said if isinstance(message, Transcript)]:
                answer = msgspec.json.decode(await link.recv())
                if answer["type"] != "ack":
                    raise SystemExit(f"the service refused: {answer}")
                acked += 1
    return acked


async def spread(url: str, names: list[str], scripts: list[Script], seed: int, ends: bool) -> int:
    """The same over all connections."""
    parts = [play(url, names[n::CONNECTIONS], scripts, 1000 * seed + n, ends) for n in range(CONNECTIONS)]
    return sum(await asyncio.gather(*parts))


def settle(base: str, live: int) -> None:
    """Until no more than so many calls are in memory and nothing waits for its score."""
    while True:
        with urlopen(f"{base}/readyz", timeout=30) as answer:
            checks = json.loads(answer.read())["checks"]
        if checks["ingest"]["active_calls"] <= live and checks["queue"]["turns"] == 0:
            return
        time.sleep(0.2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--places", type=int, default=60, help="people on the phone at a time")
    parser.add_argument("--live", type=int, default=2000, help="calls left open at the end")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    scripts = read_scripts(sorted((CORPUS / "calls").glob("*.jsonl")))
    with tempfile.TemporaryDirectory() as folder:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        base, url = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/v1/ingest"
        command = [sys.executable, "-m", "tests.faults.server", str(Path(folder) / "day.db"), str(port)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
            try:
                assert server.stdout is not None
                server.stdout.readline()
                found = measure(server.pid, base, url, scripts, options)
            finally:
                server.terminate()
        found["database_mb"] = round(sum(path.stat().st_size for path in Path(folder).iterdir()) / 2**20, 1)
    print(json.dumps(found))
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    return 0


def measure(pid: int, base: str, url: str, scripts: list[Script], options: argparse.Namespace) -> dict[str, Any]:
    """Resident memory after each hour, and with calls left open."""
    an_hour = round(options.places * 3600 / CALL_S)
    begun_s, finals, resident = time.monotonic(), 0, [resident_mb(pid)]
    for hour in range(options.hours):
        names = [f"day-{hour}-{number}" for number in range(an_hour)]
        finals += asyncio.run(spread(url, names, scripts, hour, ends=True))
        settle(base, 0)
        resident.append(resident_mb(pid))
        print(f"hour {hour + 1}: {resident[-1]:.1f} MB, {finals} finals", file=sys.stderr, flush=True)
    took_s = time.monotonic() - begun_s
    late, early = resident[-6:], resident[len(resident) // 4 : len(resident) // 4 + 6]
    names = [f"open-{number}" for number in range(options.live)]
    turns = asyncio.run(spread(url, names, scripts, 99, ends=False))
    settle(base, options.live)
    open_mb = resident_mb(pid)
    return {
        "hours": options.hours,
        "calls": an_hour * options.hours,
        "finals": finals,
        "minutes": round(took_s / 60, 1),
        "resident_mb": [round(value, 1) for value in resident],
        "growth_mb": round(sum(late) / len(late) - sum(early) / len(early), 1),
        "live_calls": options.live,
        "turns_a_live_call": round(turns / max(1, options.live), 1),
        "kb_a_live_call": round((open_mb - resident[-1]) * 1024 / max(1, options.live), 1),
    }


if __name__ == "__main__":
    sys.exit(main())
