"""Real conversations through a running service, then through replay: do live and replay agree?

    python -m tests.load.real_input --dialogues dialogues.jsonl.gz --calls models/corpus/calls --out report.json

Dialogue files hold one JSON object a line with `dialogue_id`, `source` and `turns` of `speaker` (customer, agent)
and `text`. Their texts stay in the temporary folder. Prints and writes: calls, utterances, acks, alerts by kind,
chunk-to-score percentiles from the service's own histogram, peak memory, and calls whose replay differs from live
by a byte (there must be none).
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from models.ear import version
from monitor.config import load
from monitor.core.events import Alert, Turn, encode
from monitor.core.inputs import decode_record, encode_record
from monitor.core.rules import Rules
from monitor.labelled_calls import decode_call, records
from monitor.replay import fold_call
from monitor.rules_loading import load_rules
from monitor.service.store import Store
from stream.messages import CallEnd, CallStart, Transcript
from stream.schema import Channel
from tests.bench.processes import resident_mb

_LATIN_CHARS_A_SECOND = 14.0
_CJK_CHARS_A_SECOND = 4.5


def dialogue_lines(path: Path, sources: tuple[str, ...]) -> Iterator[bytes]:
    """Dialogues of these sources as native messages, paced by the length of their turns."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            dialogue = json.loads(line)
            if not dialogue["source"].startswith(sources):
                continue
            name = dialogue["dialogue_id"]
            chat: Channel = "social" if dialogue["source"] == "dch1" else "chat"
            yield encode_record(CallStart(call_id=name, channel=chat))
            at_s = 0.0
            for number, turn in enumerate(dialogue["turns"]):
                text = turn["text"][:20_000]
                wide = sum(ch >= "\u2e80" for ch in text)
                lasts_s = 0.5 + wide / _CJK_CHARS_A_SECOND + (len(text) - wide) / _LATIN_CHARS_A_SECOND
                yield encode_record(
                    Transcript(
                        call_id=name,
                        segment_id=str(number),
                        role=turn["speaker"],
                        text=text,
                        final=True,
                        start_s=round(at_s, 2),
                        end_s=round(at_s + lasts_s, 2),
                    )
                )
                at_s += lasts_s + 1.0
            yield encode_record(CallEnd(call_id=name, at_s=round(at_s, 2), reason="end"))


def corpus_lines(folder: Path) -> Iterator[bytes]:
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield from map(encode_record, records(decode_call(line)))


def percentile(histogram: list[tuple[float, float]], share: float) -> float:
    """Upper bound of the bucket that holds this share."""
    total = histogram[-1][1]
    return next(bound for bound, count in histogram if count >= share * total)


def score_histogram(metrics: str) -> list[tuple[float, float]]:
    found = []
    for line in metrics.splitlines():
        if line.startswith("becalm_chunk_to_score_seconds_bucket"):
            bound = line.split('le="')[1].split('"')[0]
            found.append((float("inf") if bound == "+Inf" else float(bound), float(line.rsplit(" ", 1)[1])))
    return found


def portions(lines: Iterable[bytes], calls: int) -> Iterator[bytes]:
    """So many whole calls at a time; lines come call by call."""
    portion: list[bytes] = []
    begun = 0
    for line in lines:
        begun += b'"type":"call.start"' in line
        if begun > calls:
            yield b"\n".join(portion)
            portion, begun = [], 1
        portion.append(line)
    yield b"\n".join(portion)


def live(lines: Iterable[bytes], folder: Path, side_by_side: int, minutes: float) -> dict[str, Any]:
    """Serve, send portion after portion as fast as it goes, wait until every final has its turn event, stop."""
    command = [sys.executable, "-m", "monitor.cli", "serve", "--port", "0", "--db", str(folder / "live.db")]
    service = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    totals: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    try:
        assert service.stdout is not None
        url = next(word for word in service.stdout.readline().split() if word.startswith("http"))
        began = time.monotonic()
        stopped = False
        for portion in portions(lines, side_by_side):
            stopped = time.monotonic() - began > 60 * minutes
            if stopped:
                break
            (folder / "portion.jsonl").write_bytes(portion + b"\n")
            options = ["--url", url, "--speed", "max", "--json", str(folder / "portion.jsonl")]
            sent = subprocess.run(
                [sys.executable, "-m", "monitor.cli", "send", *options], capture_output=True, text=True, check=False
            )
            if not sent.stdout:
                raise SystemExit(sent.stderr)
            report = json.loads(sent.stdout)
            totals.update({name: report[name] for name in ("calls", "finals", "acked", "reconnects")})
            refused.update(report["refused"])
            asyncio.run(_settled(url))
            print(dict(totals), f"{totals['finals'] / (time.monotonic() - began):.0f}/s", file=sys.stderr, flush=True)
        with urlopen(f"{url.rstrip('/')}/metrics") as answer:
            histogram = score_histogram(answer.read().decode())
        return {
            "sent": dict(totals),
            "refused": dict(refused),
            "everything_sent": not stopped,
            "seconds": round(time.monotonic() - began, 1),
            "chunk_to_score_s_at_full_speed": {
                "p50_below": percentile(histogram, 0.5),
                "p99_below": percentile(histogram, 0.99),
            },
            "peak_memory_mb": round(resident_mb(service.pid, "VmHWM")),
            "crashed": service.poll() is not None,
        }
    finally:
        service.terminate()
        service.wait(timeout=60)


async def _settled(url: str) -> None:
    """Until no turn waits for its score any more."""
    while True:
        with await asyncio.to_thread(urlopen, f"{url.rstrip('/')}/metrics") as answer:
            text = answer.read().decode()
        waiting = [line for line in text.splitlines() if line.startswith("becalm_queue_depth ")]
        if waiting and float(waiting[0].split()[1]) == 0:
            return
        await asyncio.sleep(1.0)


def compare(database: Path, rules: Rules, report: dict[str, Any]) -> None:
    """Fold every stored journal again and hold it to the stored events, byte for byte. `rules`: those it was written
    with; a pack that was edited meanwhile would change every start event."""
    store = Store.open(str(database), read_only=True)
    kinds: Counter[str] = Counter()
    turns = calls = mismatches = 0
    with sqlite3.connect(database) as db:
        names = [row[0] for row in db.execute("SELECT call_id FROM calls ORDER BY call_id")]
    for call_id in names:
        again = list(fold_call(call_id, [decode_record(line) for line in store.records(call_id)], rules))
        mismatches += [encode(event) for event in again] != store.events(call_id)
        calls += 1
        turns += sum(isinstance(event, Turn) for event in again)
        kinds.update(event.kind for event in again if isinstance(event, Alert) and event.state == "firing")
    report |= {"calls": calls, "utterances": turns, "mismatches": mismatches, "alerts": dict(kinds)}
    store.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialogues", type=Path)
    parser.add_argument(
        "--sources", nargs="+", default=["dch1", "uss_jddc", "uss_ccpe", "uss_sgd", "uss_mwoz", "uss_redial"]
    )
    parser.add_argument("--calls", type=Path)
    parser.add_argument("--side-by-side", type=int, default=150, help="calls at a time")
    parser.add_argument("--minutes", type=float, default=600.0, help="stop sending after so long")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    lines: Iterable[bytes] = []
    if options.calls is not None:
        lines = corpus_lines(options.calls)
    for source in options.sources if options.dialogues is not None else ():
        lines = chain(lines, dialogue_lines(options.dialogues, (source,)))
    config = load()
    rules = load_rules(config, version(config.model_dir, config.label_map))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report = live(lines, folder, options.side_by_side, options.minutes)
        compare(folder / "live.db", rules, report)
    print(json.dumps(report, indent=1))
    if options.out is not None:
        options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 1 if report["mismatches"] or report["crashed"] else 0


if __name__ == "__main__":
    sys.exit(main())
