"""Becalm beside the yardstick on this machine: `make bench`, or

    python -m tests.bench.run --rounds 3 --json results.json

Takes up to a quarter of an hour on two cores and wants the machine for itself. Prints the tables and puts them into
BENCHMARKS.md; `--quick` only prints, and is a trial of the bench rather than of the programs. How each part is
measured stands in `parts` and `scoring`.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from models.directory import ModelDirectory
from models.examples import CORPUS
from monitor.config import load
from monitor.loadtest.scripts import read_scripts
from tests.bench import parts, tables
from tests.bench.parts import Plan, SetUp
from tests.bench.processes import peer
from tests.bench.results import Results, Round, best, machine, middle

ROOT = Path(__file__).resolve().parent.parent.parent
BENCHMARKS = ROOT / "BENCHMARKS.md"


def measure(plan: Plan, threads: Sequence[int], rounds: int, model: str) -> Results:
    """Every part, one after the other."""
    begun_s = time.monotonic()
    say("scoring alone")
    scoring = [parts.scoring(plan, number) for number in threads]
    say("the peer's best set-up")
    set_ups = parts.tune_peer(plan, {one.threads: one.peer_single for one in scoring})
    chosen = best(set_ups)
    first = round(0.5 * plan.every_s * max(one.becalm_batches for one in scoring))
    found = compare(plan, chosen, min(first, plan.most), rounds)
    most_peer, most = (max(1, middle([getattr(one, name) for one in found])) for name in ("peer", "becalm"))

    def start_peer() -> parts.Running:
        return peer(plan.model, chosen.threads, chosen.where)

    say("one lone call")
    peer_lone, becalm_lone = (parts.lone_call(plan, start, 1.5 * plan.seconds) for start in (start_peer, plan.becalm))
    say("beside a busy neighbour")
    peer_quiet = parts.beside_neighbour(plan, start_peer, max(1, most_peer // 2))
    becalm_quiet = parts.beside_neighbour(plan, plan.becalm, max(1, most // 2))
    say(f"memory at {plan.memory_calls} calls")
    memory = parts.memory(plan, most)
    say("cost, and twice the load")
    loads = parts.loads(plan, most)
    return Results(
        machine=machine(model, plan.settings),
        scoring=scoring,
        set_ups=set_ups,
        rounds=found,
        peer_lone=peer_lone,
        becalm_lone=becalm_lone,
        peer_quiet=peer_quiet,
        becalm_quiet=becalm_quiet,
        memory=memory,
        loads=loads,
        minutes=round((time.monotonic() - begun_s) / 60, 1),
    )


def compare(plan: Plan, chosen: SetUp, first: int, rounds: int) -> list[Round]:
    """Both in turn, the other one first each time, so that neither always has the warmer machine."""
    found: list[Round] = []
    for number in range(rounds):
        # From what is known already, in small steps: the first round of Becalm knows only how fast it scores.
        wanted = {
            "peer": (found[-1].peer if found else chosen.calls, 1.15),
            "becalm": (found[-1].becalm, 1.15) if found else (first, 1.4),
        }
        carried: dict[str, int] = {}
        for name in ("peer", "becalm") if number % 2 == 0 else ("becalm", "peer"):
            say(f"round {number + 1} of {rounds}: {name}")
            guess, growth = wanted[name]
            carried[name] = parts.capacity(
                plan,
                plan.becalm if name == "becalm" else lambda: peer(plan.model, chosen.threads, chosen.where),
                guess,
                seconds=plan.seconds,
                precision=0.05,
                growth=growth,
                seed=number + 1,
            )
        found.append(Round(**carried))
        say(f"round {number + 1} of {rounds}: peer {found[-1].peer}, Becalm {found[-1].becalm} calls")
    return found


def say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def plan_of(options: argparse.Namespace) -> Plan:
    """The plan of a full run, or of a trial."""
    files = options.texts or sorted((CORPUS / "calls").glob("*.jsonl"))
    plan = Plan(read_scripts(files), files, load().model_dir, tuple(options.set), interims=options.interims)
    if not options.quick:
        return plan
    return msgspec.structs.replace(
        plan, seconds=3.0, tune_seconds=2.0, scoring_seconds=0.5, most=options.most or 16, memory_calls=20, readers=2
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="torch threads that are tried")
    parser.add_argument("--set", action="append", default=[], help="a setting of Becalm; may come again")
    parser.add_argument("--texts", type=Path, nargs="+", help="labelled calls (default: the corpus)")
    parser.add_argument("--interims", action="store_true", help="sent to both; the peer passes them over")
    parser.add_argument("--quick", action="store_true", help="a few seconds a part, few calls; prints only")
    parser.add_argument("--most", type=int, help="calls beyond which --quick does not search")
    parser.add_argument("--json", type=Path, metavar="FILE", help="everything measured, as JSON")
    options = parser.parse_args()
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))  # a websocket a call, on both sides
    plan = plan_of(options)
    directory = ModelDirectory(plan.model)
    results = measure(plan, options.threads, 1 if options.quick else options.rounds, directory.version)
    shown = tables.render(results, plan)
    print(shown)
    if options.json is not None:
        options.json.write_text(json.dumps(msgspec.to_builtins(results), indent=1) + "\n", "utf-8")
    if not options.quick:
        tables.write(BENCHMARKS, shown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
