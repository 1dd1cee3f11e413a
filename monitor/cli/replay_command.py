"""`becalm replay`: recorded calls through the core, offline."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from monitor.cli import common
from monitor.cli.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.core.events import Event
    from monitor.recordings import Line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="messages or an export, one a line; - for stdin")
    parser.add_argument("--json", action="store_true", help="events, one a line, and nothing else")
    parser.add_argument("--png", metavar="DIR", help="a picture of each call's curve (needs matplotlib)")
    parser.add_argument(
        "--strict", action="store_true", help="fail where an export was judged with another model, rules or packs"
    )
    common.add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    config = common.load_config(args)
    records = list(common.read_files(args.files))
    from monitor.core.events import encode
    from monitor.replay import replay

    rules = common.load_rules(config, common.model_version(config))
    _compare(records, rules.versions, strict=args.strict)
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


def _compare(records: list[Line], versions: Mapping[str, str], *, strict: bool) -> None:
    """Says in one line which exports this replay cannot repeat exactly. Raises Failure instead when `strict`."""
    from monitor.recordings import judged_otherwise

    other = judged_otherwise(records, versions)
    if not other:
        return
    call_id, theirs = next(iter(other.items()))
    more = f" (and {len(other) - 1} more calls)" if len(other) > 1 else ""
    ours = ", ".join(f"{name} {version}" for name, version in versions.items())
    line = f"{call_id}{more} was judged with {', '.join(theirs)}; here: {ours}; events may differ"
    if strict:
        raise Failure(line)
    print(f"becalm replay: warning: {line}", file=sys.stderr)
