"""`becalm replay`: recorded calls through the core, offline."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from monitor.cli import common

if TYPE_CHECKING:
    from monitor.core.events import Event


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="messages or an export, one a line; - for stdin")
    parser.add_argument("--json", action="store_true", help="events, one a line, and nothing else")
    parser.add_argument("--png", metavar="DIR", help="a picture of each call's curve (needs matplotlib)")
    common.add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    config = common.load_config(args)
    records = list(common.read_files(args.files))
    from monitor.core.events import encode
    from monitor.replay import replay

    rules = common.load_rules(config, common.model_version(config))
    progress = common.Progress("scored")
    calls: dict[str, list[Event]] = {}
    scorer = common.LazyScorer(config)
    for call_id, event in replay(records, rules, scorer, region=config.ingest.region, progress=progress):
        if args.json:
            sys.stdout.buffer.write(encode(event) + b"\n")
        if args.png is not None or not args.json:
            calls.setdefault(call_id, []).append(event)
    if not args.json:
        from monitor.cli.summary import summarise

        print("\n\n".join(summarise(call_id, events) for call_id, events in calls.items()) or "no calls")
    if args.png is not None:
        from monitor.cli.picture import draw_all

        for path in draw_all(calls, args.png):
            print(path, file=sys.stderr if args.json else sys.stdout)
    return 0
