"""Many calls at a natural pace into a running service: how long from a final sent to its score on the feed?

    python -m tests.load.paced --calls 100 --every 4 --seconds 60

One websocket a call, texts of the corpus, chunk-to-score measured outside the service: from sending a final to its
`turn` event on one feed connection. Prints JSON with percentiles in milliseconds, and what was never answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

from models.examples import CORPUS
from tests.load.real_input import peak_memory_mb


def texts() -> list[list[dict[str, Any]]]:
    files = sorted((CORPUS / "calls").glob("*.jsonl"))
    return [json.loads(line)["turns"] for file in files for line in file.read_text(encoding="utf-8").splitlines()]


PATIENCE_S = 20.0
"""How long after the last final a call waits for its scores."""


class Run:
    """Sent and scored times by (call, segment), in seconds of one monotonic clock."""

    def __init__(self, url: str) -> None:
        self.url = url.replace("http", "ws", 1).rstrip("/")
        self.sent: dict[tuple[str, str], float] = {}
        self.scored: dict[tuple[str, str], float] = {}
        self.acks = 0
        self.watching = asyncio.Event()
        self.news = asyncio.Condition()

    async def watch(self) -> None:
        async with connect(f"{self.url}/v1/feed", max_size=None) as feed:
            async for frame in feed:
                event = json.loads(frame)
                self.watching.set()
                if event["type"] == "turn":
                    self.scored[event["call_id"], event["segment_id"]] = time.monotonic()
                    async with self.news:
                        self.news.notify_all()

    async def call(self, number: int, turns: list[dict[str, Any]], every_s: float, until: float, calls: int) -> None:
        name = f"paced-{number}"
        await asyncio.sleep(every_s * number / calls)
        async with connect(f"{self.url}/v1/ingest") as socket:
            reader = asyncio.create_task(self._count_acks(socket))
            await socket.send(json.dumps({"type": "call.start", "call_id": name, "channel": "voice"}))
            began, segment = time.monotonic(), 0
            while time.monotonic() < until:
                turn = turns[(number + segment) % len(turns)]  # calls stand at different points, as they do in life
                at_s = time.monotonic() - began
                message = {
                    "type": "transcript",
                    "call_id": name,
                    "segment_id": str(segment),
                    "role": turn["role"],
                    "text": turn["text"],
                    "final": True,
                    "start_s": max(0.0, at_s - 2.0),
                    "end_s": at_s,
                }
                self.sent[name, str(segment)] = time.monotonic()
                await socket.send(json.dumps(message))
                segment += 1
                await asyncio.sleep(every_s)
            async with self.news:
                await self.news.wait_for(lambda: self._answered(name) or time.monotonic() > until + PATIENCE_S)
            reader.cancel()

    def _answered(self, name: str) -> bool:
        return all(key in self.scored for key in self.sent if key[0] == name)

    async def _count_acks(self, socket: Any) -> None:
        async for frame in socket:
            self.acks += json.loads(frame)["type"] == "ack"


def percentile(values: list[float], share: float) -> float:
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 1)


async def measure(url: str, calls: int, every_s: float, seconds: float) -> dict[str, Any]:
    run, corpus = Run(url), texts()
    watcher = asyncio.create_task(run.watch())
    await run.watching.wait()
    until = time.monotonic() + seconds
    await asyncio.gather(
        *(run.call(number, corpus[number * 7 % len(corpus)], every_s, until, calls) for number in range(calls))
    )
    watcher.cancel()
    took = [1000 * (run.scored[key] - at) for key, at in run.sent.items() if key in run.scored]
    return {
        "calls": calls,
        "finals": len(run.sent),
        "acked": run.acks,
        "never_scored": len(run.sent) - len(took),
        "chunk_to_score_ms": {"p50": percentile(took, 0.5), "p99": percentile(took, 0.99), "max": round(max(took), 1)},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, nargs="+", default=[100])
    parser.add_argument("--serve", nargs=argparse.REMAINDER, default=[], help="further options of `becalm serve`")
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two finals of a call")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    for calls in options.calls:
        with tempfile.TemporaryDirectory() as folder:
            database = str(Path(folder) / "live.db")
            command = [sys.executable, "-m", "monitor.cli", "serve", "--port", "0", "--db", database, *options.serve]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as service:
                assert service.stdout is not None
                url = next(word for word in service.stdout.readline().split() if word.startswith("http"))
                report = asyncio.run(measure(url, calls, options.every, options.seconds))
                report["peak_memory_mb"] = round(peak_memory_mb(service.pid))
                service.terminate()
        print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
