"""`becalm loadtest`: simulated calls against a running service; how fast, how many, is anything lost?"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from monitor.cli import common
from monitor.cli.failure import Failure

if TYPE_CHECKING:
    from monitor.loadtest.figures import Figures, Spread
    from monitor.loadtest.scripts import Script
    from monitor.loadtest.step import Step

HEAD = """chunk-to-score (p50 to max), chunk-to-alert, ack and lateness of sending in milliseconds
 calls  finals  scored    p50    p95    p99    max   alert p99  ack p99  late p99  lost  errors
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", default="http://127.0.0.1:8700", help="of the service (default %(default)s)")
    parser.add_argument(
        "--calls",
        type=count,
        default=100,
        metavar="N",
        help="side by side; where --search begins (default %(default)s)",
    )
    parser.add_argument("--seconds", type=seconds, default=30.0, metavar="S", help="of each step (default %(default)g)")
    parser.add_argument(
        "--every-s", type=seconds, default=4.0, metavar="S", help="between two finals of a call (default %(default)g)"
    )
    parser.add_argument(
        "--texts", nargs="+", metavar="FILE", help="native messages or labelled calls (default: the sample calls)"
    )
    parser.add_argument("--no-interims", action="store_true", help="finals only")
    parser.add_argument("--calls-per-connection", type=count, default=10, metavar="N", help="(default %(default)s)")
    parser.add_argument("--readers", type=count, default=1, metavar="N", help="feed readers (default %(default)s)")
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--ramp", action="store_true", help="in --steps steps up to --calls")
    modes.add_argument("--search", action="store_true", help="the most calls whose p99 stays under --limit-ms")
    parser.add_argument("--steps", type=count, default=5, metavar="N", help="of --ramp (default %(default)s)")
    parser.add_argument(
        "--limit-ms", type=seconds, default=500.0, metavar="MS", help="p99 of chunk-to-score (default %(default)g)"
    )
    parser.add_argument("--most", type=count, default=10_000, metavar="N", help="calls that --search stops at")
    parser.add_argument("--seed", type=int, default=1, help="the same seed says the same at the same pace")
    parser.add_argument(
        "--token", default=os.environ.get("BECALM_TOKEN"), help="of role ingest or admin; or set BECALM_TOKEN"
    )
    parser.add_argument("--feed-token", help="of role supervisor, qa or admin (default: --token)")
    parser.add_argument("--json", action="store_true", help="everything as a JSON object")


def count(text: str) -> int:
    """A whole number from 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def seconds(text: str) -> float:
    """A finite number above 0."""
    value = float(text)
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be above 0")
    return value


def run(args: argparse.Namespace) -> int:
    from monitor.loadtest.step import event_loop
    from monitor.sending import SendError

    step = _step(args, _scripts(args.texts))
    _room_for_connections()
    with asyncio.Runner(loop_factory=event_loop) as runner:
        try:
            found = runner.run(_measure(args, step))
        except SendError as error:
            raise Failure(str(error)) from None
    most = max((one.calls for one in found if one.keeps(args.limit_ms)), default=0) if args.search else None
    if args.json:
        print(json.dumps(_report(args, found, most)))
    elif most is not None:
        print(f"carried with p99 under {args.limit_ms:g} ms: {most} calls, a final every {args.every_s:g} s each")
    for line in _losses(found):
        print(f"becalm loadtest: {line}", file=sys.stderr)
    return 1 if any(one.lost for one in found) or not any(one.scored for one in found) or most == 0 else 0


async def _measure(args: argparse.Namespace, step: Step) -> list[Figures]:
    """The steps of the chosen mode, each shown when it is done."""
    from monitor.loadtest.search import most_calls

    found: list[Figures] = []

    async def one(calls: int) -> bool:
        figures = await step(calls, _progress(calls))
        found.append(figures)
        if not args.json:
            print((HEAD if len(found) == 1 else "") + _row(figures), flush=True)
        return figures.keeps(args.limit_ms)

    if args.search:
        await most_calls(one, args.calls, max(args.calls, args.most))
    elif args.ramp:
        for calls in sorted({max(1, args.calls * nth // args.steps) for nth in range(1, args.steps + 1)}):
            await one(calls)
    else:
        await one(args.calls)
    return found


def _progress(calls: int) -> Callable[[int, int], None]:
    shown = common.Progress(f"{calls} calls, second")
    over = False

    def progress(done: int, total: int) -> None:
        nonlocal over  # after the time is over the last answers are waited for: one line is enough
        if not over:
            shown(done, total)
        over = done >= total

    return progress


def _step(args: argparse.Namespace, scripts: list[Script]) -> Step:
    from monitor.loadtest.step import Step, Target
    from monitor.loadtest.traffic import Pace

    return Step(
        target=Target(args.url, args.token, args.feed_token, args.calls_per_connection, args.readers),
        scripts=scripts,
        pace=Pace(args.every_s, not args.no_interims),
        seconds=args.seconds,
        seed=args.seed,
        run=secrets.token_hex(4),
        stop_over_ms=args.limit_ms if args.search else None,
    )


def _scripts(names: list[str] | None) -> list[Script]:
    from monitor.config import BUNDLED
    from monitor.loadtest.scripts import read_scripts
    from monitor.recordings import LineError

    files = [Path(name) for name in names] if names else sorted((BUNDLED / "demo").glob("*.jsonl"))
    try:
        scripts = read_scripts(files)
    except (LineError, OSError) as error:
        raise Failure(common.reason(error)) from None
    if not scripts:
        raise Failure("no call with a final in " + (", ".join(names) if names else str(BUNDLED / "demo")))
    return scripts


def _room_for_connections() -> None:
    """A connection is an open file, of which a process may have few unless it asks for more."""
    if os.name != "nt":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _row(one: Figures) -> str:
    errors = ", ".join(f"{number} {code}" for code, number in sorted(one.errors.items())) or "-"
    notes = [f"{one.reconnects} reconnects"] if one.reconnects else []
    notes += [f"{one.unanswered} unanswered"] if one.unanswered else []
    notes += ["stopped early"] if one.stopped else []
    spread = [_ms(one.score_ms, name) for name in ("p50", "p95", "p99", "max")]
    return (
        f"{one.calls:6} {one.finals:7} {one.scored:7} " + " ".join(f"{value:>6}" for value in spread) + f" "
        f"{_ms(one.alert_ms):>11} {_ms(one.ack_ms):>8} {_ms(one.late_ms):>9} {one.lost:5}  {errors}"
        + "".join(f"; {note}" for note in notes)
    )


def _ms(spread: Spread | None, name: str = "p99") -> str:
    return "-" if spread is None else f"{getattr(spread, name):.0f}"


def _losses(found: list[Figures]) -> list[str]:
    return [f"{one.lost} finals of {one.calls} calls were acked and never scored" for one in found if one.lost]


def _report(args: argparse.Namespace, found: list[Figures], most: int | None) -> dict[str, object]:
    report: dict[str, object] = {
        "url": args.url,
        "mode": "search" if args.search else "ramp" if args.ramp else "fixed",
        "every_s": args.every_s,
        "interims": not args.no_interims,
        "calls_per_connection": args.calls_per_connection,
        "readers": args.readers,
        "seed": args.seed,
        "steps": [msgspec.to_builtins(one) for one in found],
    }
    return report if most is None else report | {"limit_ms": args.limit_ms, "most_calls": most}
