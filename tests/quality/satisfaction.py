"""Does the curve tell dissatisfied customers apart, on conversations that nothing here was trained on?

    python -m tests.quality.satisfaction --dialogues dialogues.jsonl.gz [--sources dch1 uss_jddc] [--out FILE]

DCH-1: whole dialogues, mean satisfaction of 19 annotators at -0.5 or less against the satisfied ones, and against all
others. USS: customer turns marked dissatisfied against satisfied ones. Prints the area under the ROC curve of several
readings of the same call, and the dialogues with the highest and lowest peak of risk, by id only.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.ear import load as load_ear
from models.measure import ranks
from monitor.config import load
from monitor.core.events import Point, Turn
from monitor.core.inputs import decode_record
from monitor.replay import fold_call, prepare, score_all
from monitor.rules_loading import load_rules
from tests.load.real_input import dialogue_lines

READINGS = ("risk_end", "risk_peak", "tension_end", "tension_peak", "tension_mean", "heat_mean")


def area(score: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: the share of pairs in the right order, ties half."""
    count = int(positive.sum())
    if count in (0, len(positive)):
        return float("nan")
    return float((ranks(score)[positive].sum() - count * (count + 1) / 2) / (count * (len(positive) - count)))


def satisfaction(path: Path, sources: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The dialogues of these sources by id."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = (json.loads(line) for line in lines)
        return {row["dialogue_id"]: row for row in rows if row["source"].startswith(sources)}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dialogues", type=Path, required=True)
    parser.add_argument("--sources", nargs="+", default=["dch1", "uss_jddc"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(argv)
    config = load()
    ear = load_ear(config.model_dir, config.label_map, options.threads, config.model.precision)
    rules = load_rules(config, ear.version)
    sources = tuple(options.sources)
    known = satisfaction(options.dialogues, sources)
    records = [decode_record(line) for line in dialogue_lines(options.dialogues, sources)]
    calls, questions = prepare(records, rules)
    answers = score_all(questions, ear, lambda done, total: print(done, total, file=sys.stderr))
    whole: dict[str, list[tuple[str, bool, bool, list[float]]]] = defaultdict(list)
    turns: dict[str, list[tuple[bool, list[float]]]] = defaultdict(list)
    peaks: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for call_id, journal in calls.items():
        row = known[call_id]
        points: list[Point] = []
        heats: list[float] = []
        at: dict[str, list[float]] = {}
        for event in fold_call(call_id, journal, rules, answers):
            if isinstance(event, Turn) and event.heat is not None:
                heats.append(event.heat)
            if isinstance(event, Point):
                points.append(event)
                at[str(event.segment_id)] = [event.risk, event.tension, heats[-1] if heats else 0.0]
        if not points:
            continue
        risk, tension = np.array([p.risk for p in points]), np.array([p.tension for p in points])
        read = [risk[-1], risk.max(), tension[-1], tension.max(), tension.mean(), float(np.mean(heats or [0.0]))]
        name = f"{row['source']}/{row['lang']}"
        peaks[name].append((float(risk.max()), call_id))
        if row["outcome"] is not None:
            bad, good = row["outcome"] == "dissatisfied", row["outcome"] == "satisfied"
            whole[name].append((call_id, bad, good, [float(value) for value in read]))
        for number, turn in enumerate(row["turns"]):
            if turn.get("satisfaction") in ("dissatisfied", "satisfied") and str(number) in at:
                turns[name].append((turn["satisfaction"] == "dissatisfied", at[str(number)]))
    found: dict[str, Any] = {"model": ear.version, "versions": rules.versions}
    for name, rows in sorted(whole.items()):
        found[name] = _whole(rows) | _ends(peaks[name])
    for name, marked in sorted(turns.items()):
        bad_turns = np.array([row[0] for row in marked])
        values = np.array([row[1] for row in marked])
        areas = {
            reading: round(area(values[:, i], bad_turns), 4) for i, reading in enumerate(("risk", "tension", "heat"))
        }
        sizes = {"turns": len(marked), "dissatisfied": int(bad_turns.sum())}
        found[f"{name} turns"] = sizes | areas | _ends(peaks[name])
    text = json.dumps(found, indent=1)
    print(text)
    if options.out is not None:
        options.out.write_text(text + "\n", "utf-8")
    return 0


def _whole(rows: list[tuple[str, bool, bool, list[float]]]) -> dict[str, Any]:
    bad, good = np.array([row[1] for row in rows]), np.array([row[2] for row in rows])
    values = np.array([row[3] for row in rows])
    clear = bad | good
    return {
        "dialogues": len(rows),
        "dissatisfied": int(bad.sum()),
        "against_satisfied": {name: round(area(values[clear, i], bad[clear]), 4) for i, name in enumerate(READINGS)},
        "against_all_others": {name: round(area(values[:, i], bad), 4) for i, name in enumerate(READINGS)},
    }


def _ends(peaks: list[tuple[float, str]]) -> dict[str, list[str]]:
    ids = [call_id for _, call_id in sorted(peaks, key=lambda one: (-one[0], one[1]))]
    return {"highest": ids[:10], "lowest": ids[-10:]}


if __name__ == "__main__":
    sys.exit(main())
