"""`becalm evaluate`: how well the classifier hears, on labelled turns; the figures of the model card.

A file holds one labelled turn a line (`lang` `role` `text` `prev` `history` `emotions` `heat` `labels`) or one labelled
call a line (`turns`), as the corpus does. Without a file the figures that the model came with are shown. `--calls`
measures risk and alerts instead, beside the market's rules.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from monitor.cli import common, labelled
from monitor.cli.call_figures import readable
from monitor.cli.failure import Failure, UsageFailure

if TYPE_CHECKING:
    from models.ear import Ear
    from models.examples import Example
    from models.types import Score
    from monitor.config import Config
    from monitor.core.risk import RiskModel
    from monitor.core.rules import Rules
    from monitor.labelled_calls import Run

HEADS = ("cues", "moves", "steps", "emotions")
_BATCH = 512


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="labelled turns or calls, JSON lines")
    parser.add_argument("--calls", nargs="+", type=Path, metavar="FILE", help="labelled calls: risk and alerts on them")
    parser.add_argument("--scores", type=Path, metavar="FILE", help="scores for --calls, of an ear that is new to them")
    parser.add_argument(
        "--cross-validate", action="store_true", help="risk weights new to each of --calls (needs scikit-learn)"
    )
    parser.add_argument("--emotions", type=Path, metavar="FILE", help="a public emotion set, .jsonl.gz, beside them")
    parser.add_argument("--no-packs", action="store_true", help="the model without the phrase packs")
    parser.add_argument("--labels", action="store_true", help="a line for every label too")
    parser.add_argument("--json", action="store_true", help="all figures as one JSON object")
    common.add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from models.evaluate import evaluate, public_emotions

    config = common.load_config(args)
    if args.calls is None and (args.scores is not None or args.cross_validate):
        raise UsageFailure("--scores and --cross-validate go with --calls")
    if args.calls is not None:
        if args.files or args.emotions is not None:
            raise UsageFailure("--calls stands alone: measure labelled turns or emotions by themselves")
        called = _of_calls(args, config)
        print(json.dumps(called, ensure_ascii=False, indent=1) if args.json else "\n".join(readable(called)))
        return 0
    if not args.files and args.emotions is None:
        found = _shipped(config.model_dir / "figures.json")
    else:
        examples = [example for path in args.files for example in _examples(path)]
        ear = common.load_scorer(config)
        found = {"model": ear.version}
        if examples:
            rules = common.load_rules(config, ear.version)
            scores = scored(ear, examples, None if args.no_packs else rules)
            found["turns"] = evaluate(scores, examples)
        if args.emotions is not None:
            found["public_emotions"] = public_emotions(ear, args.emotions)
    print(json.dumps(found, ensure_ascii=False, indent=1) if args.json else _readable(found, args.labels))
    return 0


def _of_calls(args: argparse.Namespace, config: Config) -> dict[str, Any]:
    """Alerts and risk on labelled calls; with `--cross-validate` each call under weights that have not seen it."""
    from monitor.evaluation import evaluate_calls
    from monitor.labelled_calls import run
    from monitor.market_rules import compare

    rules = labelled.rules_for(config, args.scores)
    calls = labelled.read_calls(args.calls)
    known, scores = labelled.with_scores(calls, args.scores, config, rules)
    runs = [run(call, rules, scores) for call in known]
    trained_on = rules.risk.trained_on
    if args.cross_validate:
        models = _held_out(runs)
        trained_on = "of the other calls (cross-validated)"
        runs = [run(call, msgspec.structs.replace(rules, risk=models[call.call_id]), scores) for call in known]
    return {
        "scores": rules.versions["model"] if args.scores is None else str(args.scores),
        "risk": trained_on,
        "policy": msgspec.to_builtins(rules.settings.policy),
        "left_out": len(calls) - len(known),
        "alerts": evaluate_calls(runs),
        "market_rules": compare(runs, scores, rules),
    }


def _held_out(runs: list[Run]) -> dict[str, RiskModel]:
    from monitor.risk_training import held_out

    try:
        return held_out(runs)
    except ModuleNotFoundError:
        raise Failure("--cross-validate needs scikit-learn: pip install 'becalm[train]'") from None
    except ValueError as error:
        raise Failure(f"--cross-validate: too few calls of both kinds, bad and quiet ({error})") from None


def _shipped(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failure(f"{path}: {error}; name files of labelled turns instead") from None
    return found


def _examples(path: Path) -> Iterator[Example]:
    from models.examples import call_turns, utterance

    for number, line in enumerate(labelled.read_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield from call_turns({**row, "source": path.stem}) if "turns" in row else [utterance(row, path.stem)]
        except ValueError as error:
            raise Failure(f"{path}:{number}: not JSON ({error})") from None
        except (KeyError, TypeError, AttributeError) as error:
            raise Failure(f"{path}:{number}: no labelled turn or call, {error} is missing or of a wrong type") from None


def scored(ear: Ear, examples: list[Example], rules: Rules | None) -> list[Score]:
    """What the model hears; with rules also what the packs find, as live."""
    from monitor.core.heard import vote

    told = common.Progress("scored")
    found: list[Score] = []
    for start in range(0, len(examples), _BATCH):
        items = [example.input for example in examples[start : start + _BATCH]]
        for item, score in zip(items, ear.score(items), strict=True):
            if rules is not None:
                hits = rules.packs.find(item.text, item.role, item.language)
                held = vote(None if score.abstained else score, hits)
                both = score.labels | {name: hit.score for name, hit in held.items()}
                score = msgspec.structs.replace(score, labels=both)
            found.append(score)
        told(len(found), len(examples))
    return found


def _readable(found: dict[str, Any], labels: bool) -> str:
    lines: list[str] = []
    for name in ("turns", "utterances", "calls"):
        if name in found:
            lines += [*_part(name, found[name], labels), ""]
    languages = found.get("languages") or found.get("turns", {}).get("languages", {})
    if languages:
        lines += [
            f"{'language':12} {'turns':>6} " + " ".join(f"{head + ' F1':>12}" for head in HEADS) + "   heat error"
        ]
        for name, part in languages.items():
            figures = " ".join(f"{_number(part[head]['f1']):>12}" for head in HEADS)
            lines.append(f"{name:12} {part['examples']:6} {figures}   {_number(part['heat'].get('mae')):>10}")
        lines.append("")
    for name, part in found.get("public_emotions", {}).items():
        lines.append(
            f"{name:28} {part['rows']:6} rows   macro F1 {part['f1']:.2f}   average precision {part['ap']:.2f}"
        )
    return "\n".join(lines).rstrip()


def _part(name: str, part: dict[str, Any], labels: bool) -> list[str]:
    lines = [
        f"{name}: {part['examples']}",
        f"{'':12} {'precision':>10} {'recall':>7} {'F1':>6} {'95 %':>14} {'AP':>6} {'ECE':>6}",
    ]
    for head in HEADS:
        row = part[head]
        low, high = part.get("intervals", {}).get(f"{head}.f1", (None, None))
        between = f"{low:.2f} to {high:.2f}" if low is not None else ""
        numbers = [_number(row.get(key)) for key in ("precision", "recall", "f1")]
        last = [_number(row.get(key)) for key in ("ap", "ece")]
        lines.append(
            f"{head:12} {numbers[0]:>10} {numbers[1]:>7} {numbers[2]:>6} {between:>14} {last[0]:>6} {last[1]:>6}"
        )
    heat = part["heat"]
    if heat:
        lines.append(f"heat: mean error {heat['mae']:.2f}, rank correlation {heat['spearman']:.2f}")
    if "look_alikes" in part:
        told = part["look_alikes"]
        heard, false = f"{100 * told['recall']:.0f} % heard", f"false alarms on {100 * told['alarms']:.1f} %"
        lines.append(f"threats, safety, requests: {heard}; {false} of {told['harmless']} harmless customer turns")
    if labels:
        for label, row in part["labels"].items():
            shown = " ".join(f"{key} {_number(row.get(key)):>5}" for key in ("precision", "recall", "f1", "ap"))
            lines.append(f"  {label:24} {row['positives']:5} positives  {shown}")
    return lines


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
