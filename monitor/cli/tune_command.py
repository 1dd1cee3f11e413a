"""`becalm tune`: what other thresholds would have done on calls that are over.

Labelled calls (corpus form) give shares of bad calls told, precision, false alerts and lead. Recorded calls (exports,
transcripts, or those of a database) give alerts a call and an hour, and what supervisors said of alerts gives a
proposal. Nothing is written but the picture; whoever agrees with a proposal puts its lines into the settings.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.cli import common
from monitor.cli.failure import Failure, UsageFailure
from monitor.cli.tune_table import readable

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.core.settings import PolicySettings
    from monitor.recordings import Line

ENTER_AT = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
HOLD_FOR_S = (0.0, 10.0)
EXIT_AT = (0.4, 0.7)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="*", type=Path, metavar="DIR|FILE", help="labelled calls or recorded ones, JSON lines"
    )
    parser.add_argument("--db", metavar="FILE", help="the ended calls of a database, with supervisors' feedback")
    parser.add_argument("--scores", type=Path, metavar="FILE", help="scores of the labelled calls")
    parser.add_argument("--enter-at", type=_numbers, default=ENTER_AT, metavar="LIST", help="such as 0.7,0.8,0.9")
    parser.add_argument("--hold-for-s", type=_numbers, default=HOLD_FOR_S, metavar="LIST", help="such as 0,10")
    parser.add_argument("--exit-at", type=_numbers, default=EXIT_AT, metavar="LIST", help="such as 0.4,0.7")
    parser.add_argument("--json", action="store_true", help="all figures as one JSON object")
    parser.add_argument("--png", type=Path, metavar="FILE", help="the trade as a picture (needs matplotlib)")
    common.add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from monitor.tuning import candidates

    config = common.load_config(args)
    _check_ranges(args)
    if not args.paths and args.db is None:
        raise UsageFailure("name a folder, files or --db")
    labelled_files, recorded_files = _sorted_out(args.paths)
    if args.scores is not None and not labelled_files:
        raise UsageFailure("--scores goes with labelled calls: recorded ones bring theirs")
    tried = candidates(config.core.policy, args.enter_at, args.hold_for_s, args.exit_at)
    found: dict[str, Any] = {}
    if labelled_files:
        found["labelled"] = _labelled(args, labelled_files, config, tried)
    if recorded_files or args.db is not None:
        records = chain(common.read_files([str(file) for file in recorded_files]), _stored(args.db))
        found["recorded"] = _recorded(records, config, tried)
    print(json.dumps(found, ensure_ascii=False, indent=1) if args.json else "\n".join(readable(found)))
    if args.png is not None:
        from monitor.cli.tune_picture import draw

        draw(found, args.png)
    return 0


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


def _check_ranges(args: argparse.Namespace) -> None:
    from monitor.config_checks import fault
    from monitor.tuning import SWEPT

    for name in SWEPT:
        for value in getattr(args, name):
            what, _ = fault(f"policy.{name}", value, float)
            if what:
                raise UsageFailure(f"--{name.replace('_', '-')}: {what}")


def _sorted_out(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Files of labelled calls and files of recorded ones, folders opened; told apart by their first line."""
    from monitor.cli.labelled import read_text

    files: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        if not inside:
            raise Failure(f"{path}: no .jsonl file in it")
        files += inside
    labelled: list[Path] = []
    recorded: list[Path] = []
    for file in files:
        first = next((line for line in read_text(file).splitlines() if line.strip()), "")
        try:
            row = json.loads(first or "{}")
        except ValueError as error:
            raise Failure(f"{file}: not JSON lines ({error})") from None
        (labelled if isinstance(row, dict) and "turns" in row else recorded).append(file)
    return labelled, recorded


def _labelled(
    args: argparse.Namespace, files: Sequence[Path], config: Config, tried: Sequence[PolicySettings]
) -> dict[str, Any]:
    from monitor.cli import labelled
    from monitor.evaluation import figures
    from monitor.labelled_calls import run
    from monitor.tuning import remembering, with_policy

    rules = remembering(labelled.rules_for(config, args.scores))
    calls = labelled.read_calls(files)
    known, scores = labelled.with_scores(calls, args.scores, config, rules)
    progress = common.Progress("settings")
    rows: list[dict[str, Any]] = []
    for policy in tried:
        changed = with_policy(rules, policy)
        rows.append({**_swept(policy), "figures": figures([run(call, changed, scores) for call in known])})
        progress(len(rows), len(tried))
    return {"left_out": len(calls) - len(known), "risk": rules.risk.trained_on, "rows": rows}


def _stored(database: str | None) -> Iterator[Line]:
    from monitor.cli.judged import from_database

    return iter(()) if database is None else from_database(database)


def _recorded(records: Iterable[Line], config: Config, tried: Sequence[PolicySettings]) -> dict[str, Any]:
    """Alerts under each setting, and with verdicts the proposal; the first row is the configured policy."""
    from monitor.replay import prepare, score_all
    from monitor.tuning import agreement, best, fired, remembering, toml_lines, verdicts, with_policy

    rules = remembering(common.load_rules(config, common.model_version(config)))
    calls, questions = prepare(records, rules, config.ingest.region)
    answers = score_all(questions, common.LazyScorer(config), common.Progress("scored"))
    said = verdicts(calls, answers, rules)
    progress = common.Progress("settings")
    rows: list[dict[str, Any]] = []
    agreements = []
    for policy in tried:
        alerts = fired(calls, answers, with_policy(rules, policy))
        agreements.append(agreement(said, alerts))
        count, seconds = sum(len(one.at_s) for one in alerts.values()), sum(one.seconds for one in alerts.values())
        talk = sum(len(one.at_s) for one in alerts.values() if one.seconds > 0)
        figures: dict[str, Any] = {
            "risk_alerts": count,
            "alerts_per_call": round(count / len(calls), 4) if calls else None,
            "alerts_per_hour": round(talk * 3600 / seconds, 4) if seconds > 0 else None,
            **msgspec.structs.asdict(agreements[-1]),
        }
        rows.append({**_swept(policy), "figures": figures})
        progress(len(rows), len(tried))
    out: dict[str, Any] = {"calls": len(calls), "verdicts": msgspec.to_builtins(said), "rows": rows}
    if any(verdict.kind == "risk" for verdict in said):
        chosen = best(agreements, tried)
        lines = toml_lines(tried[0], tried[chosen])
        out["proposal"] = {"before": rows[0], "after": rows[chosen], "toml": lines}
    return out


def _swept(policy: PolicySettings) -> dict[str, float]:
    return {"enter_at": policy.enter_at, "hold_for_s": policy.hold_for_s, "exit_at": policy.exit_at}
