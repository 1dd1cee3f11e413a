"""`becalm send`: recorded calls into a running service."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING

import msgspec

from monitor.cli import common
from monitor.cli.failure import Failure

if TYPE_CHECKING:
    from monitor.sending import Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="native messages, one a line; - for stdin")
    parser.add_argument("--url", default="http://127.0.0.1:8700", help="of the service (default %(default)s)")
    parser.add_argument("--source", default="native", choices=["native"], help="format of the files")
    parser.add_argument(
        "--speed", type=speed, default=1.0, metavar="X", help="1 is real time (default); `max`: no pauses"
    )
    parser.add_argument("--stagger", type=float, default=0.0, metavar="S", help="seconds between the starts of calls")
    parser.add_argument("--token", default=os.environ.get("BECALM_TOKEN"), help="of role ingest; or set BECALM_TOKEN")
    parser.add_argument("--json", action="store_true", help="the summary as a JSON object")


def speed(text: str) -> float | None:
    """A factor above 0, or None for `max`."""
    if text == "max":
        return None
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be above 0, or `max`")
    return value


def run(args: argparse.Namespace) -> int:
    from monitor.sending import Player, SendError, ingest_url, plan
    from stream.messages import Message

    messages = [record for record in common.read_files(args.files) if isinstance(record, Message)]
    if not messages:
        raise Failure("no message in " + ", ".join(args.files))

    async def play() -> Report:
        timed = plan(messages, args.stagger)
        return await Player(ingest_url(args.url, args.source), timed, speed=args.speed, token=args.token).run()

    try:
        report = asyncio.run(play())
    except SendError as error:
        raise Failure(str(error)) from None
    for line in report.reasons:
        print(f"becalm send: {line}", file=sys.stderr)
    print(json.dumps(msgspec.to_builtins(report)) if args.json else _readable(report))
    return 0 if report.complete else 1


def _readable(report: Report) -> str:
    refused = ", ".join(f"{count} {code}" for code, count in report.refused.items())
    lines = [
        f"{report.calls} calls, {report.messages} messages in {report.seconds:.1f} s",
        f"{report.acked} of {report.finals} finals acked" + (f"; refused: {refused}" if refused else ""),
    ]
    if report.ack_p50_ms is not None:
        lines.append(f"from sent to acked: p50 {report.ack_p50_ms} ms, p99 {report.ack_p99_ms} ms")
    if report.reconnects:
        lines.append(f"{report.reconnects} reconnects")
    return "\n".join(lines)
