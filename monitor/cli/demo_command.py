"""`becalm demo`: the service on a database of its own, with the bundled sample calls flowing in."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.cli import common, serve_command
from monitor.cli.failure import Failure
from monitor.cli.send_command import speed

if TYPE_CHECKING:
    from monitor.service.runtime import Runtime
    from stream.messages import Message

STAGGER_S = 1.5
"""Seconds between the starts of two calls."""
SHOWN_AGENT = "a-4"
"""Whose page is printed: the agent of the sample call with the most prompts."""


class _Over(Exception):
    """`--once`: every call has been played and has ended."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", help="port to listen on (default: 8700, or any free one when that is taken)")
    parser.add_argument("--speed", type=speed, default=1.0, metavar="X", help="1 is the pace of speech")
    parser.add_argument("--once", action="store_true", help="stop when the calls are over")
    common.add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    messages = list(_sample_calls())
    logging.getLogger("becalm.access").setLevel(logging.WARNING)  # a person reads this terminal
    with tempfile.TemporaryDirectory(prefix="becalm-demo-") as folder:
        sets = [
            f"store.database={Path(folder) / 'demo.db'}",
            "server.host=127.0.0.1",
            f"server.port={_port(args.port)}",
        ]
        config = common.load_config(args, sets)

        async def play(url: str, runtime: Runtime) -> None:
            await _play(url, messages, args.speed)
            if args.once:
                raise _Over

        try:
            return serve_command.serve(config, play)
        except _Over:
            return 0


def _sample_calls() -> Iterator[Message]:
    from monitor.config import BUNDLED
    from stream.messages import Message

    files = sorted((BUNDLED / "demo").glob("*.jsonl"))
    if not files:
        raise Failure(f"{BUNDLED / 'demo'}: this installation lacks the sample calls")
    yield from (record for record in common.read_files([str(file) for file in files]) if isinstance(record, Message))


def _port(chosen: str | None) -> str:
    """The port that was asked for; else the usual one, or any free one when something listens there."""
    import socket

    from monitor.config import Config

    if chosen is not None:
        return chosen
    usual = Config().server.port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", usual))
        except OSError:
            return "0"
    return str(usual)


async def _play(url: str, messages: list[Message], factor: float | None) -> None:
    from monitor.sending import Player, ingest_url, plan

    print(f"  supervisor  {url}/supervisor\n  agent       {url}/agent/{SHOWN_AGENT}\n  quality     {url}/qa")
    calls = len({message.call_id for message in messages})
    print(f"{calls} sample calls are flowing in; Ctrl-C stops", flush=True)
    report = await Player(ingest_url(url), plan(messages, STAGGER_S), speed=factor).run()
    print(f"the sample calls are over: {report.acked} of {report.finals} finals acked", flush=True)
    for reason in report.reasons:
        print(reason, file=sys.stderr)
