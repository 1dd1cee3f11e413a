"""Train the risk: whole calls in, logistic weights out, measured by call and scene.

    python -m monitor.risk_training CALLS_DIR --scores SCORES.jsonl --out configs/risk.json

`SCORES.jsonl` holds one line a turn (`call_id`, `turn`, and the fields of a score) from an ear that has not seen
the call; calls that lack scores are left out. Without the file the corpus labels stand in for a perfect ear, which
flatters the risk. Every turn of a call is one example, weighted so that each call counts once; target: kind **bad** of
the label guide against **quiet**; watched calls are left out. Needs scikit-learn.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.calibrate import platt
from models.splits import scene
from monitor.config import load
from monitor.core.risk import FEATURES, RiskModel, Tree
from monitor.labelled_calls import Run, decode_call, decode_scores, gold_scores, has_scores, run
from monitor.rules_loading import load_rules

FALSE_ALERTS = 0.1
"""False risk alerts a quiet call at which the policy's threshold is set."""
FOLDS = 5
BEFORE, ELSEWHERE = 3, 0.2
"""Turns up to the one at which a supervisor should know that count in full, and what the others of a bad call count."""
HEAT_COUNTS = 2.0
"""What a degree of lasting heat adds to the log odds beside all that is learnt. The corpus is written so that heat does
not give the end away; in conversations of real people it tells more than anything else (DCH-1: area .90 by itself;
risk at the end .72 without this, .84 with it)."""
TREES = {"n_estimators": 120, "learning_rate": 0.06, "max_leaf_nodes": 8, "min_samples_leaf": 40, "max_features": 0.3,
         "subsample": 0.7}  # fmt: skip
ON_THE_TURN = ("must_report", "escalation_request")


def features(item: Run) -> NDArray[np.float64]:
    """What the risk saw: `[turns, features]`."""
    return np.array([point.features for point in item.points])


def unlearnt() -> RiskModel:
    """Risk one half whatever is heard: what the features are collected with before there are weights for them."""
    zeros = [0.0] * len(FEATURES)
    return RiskModel(list(FEATURES), zeros, [1.0] * len(FEATURES), zeros, 0.0)


def fit(runs: list[Run], strength: float = 0.01) -> RiskModel:
    """Logistic regression and boosted trees over all turns of bad and quiet calls, each call weighing the same."""
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    used = [item for item in runs if item.call.kind != "watched" and item.points]
    x = np.vstack([features(item) for item in used])
    y = np.concatenate([np.full(len(item.points), item.call.kind == "bad") for item in used])
    weight = np.concatenate([_weights(item) for item in used])
    weight *= len(y) / weight.sum()
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-3)
    linear = LogisticRegression(C=strength, max_iter=2000)
    linear.fit((x - mean) / scale, y, sample_weight=weight)
    boosted = GradientBoostingClassifier(init="zero", random_state=7, **TREES)
    boosted.fit(x, y, sample_weight=weight)
    weights = linear.coef_[0].copy()
    weights[FEATURES.index("heat_lasting")] += 2 * HEAT_COUNTS * scale[FEATURES.index("heat_lasting")]
    return RiskModel(
        features=list(FEATURES),
        mean=_rounded(mean),
        scale=_rounded(scale),
        weights=_rounded(weights),
        bias=round(float(linear.intercept_[0]), 6),
        trees=[_tree(one.tree_, boosted.learning_rate) for one in boosted.estimators_[:, 0]],
    )


def _weights(item: Run) -> NDArray[np.float64]:
    """`[turns]`, of sum 1. On a bad call the turns shortly before a supervisor should know count most: once everybody
    can hear it, it is too late to learn from."""
    due = item.call.escalation_turn
    if item.call.kind != "bad" or due is None:
        return np.full(len(item.points), 1.0 / len(item.points))
    each = np.array([1.0 if due - BEFORE <= point.turn <= due else ELSEWHERE for point in item.points])
    return np.asarray(each / each.sum())


def _rounded(values: Any) -> list[float]:
    return [round(float(value), 6) for value in values]


def _tree(tree: Any, rate: float) -> Tree:
    leaf = tree.children_left < 0
    return Tree(
        feature=[int(f) for f in np.where(leaf, -1, tree.feature)],
        at=_rounded(np.where(leaf, rate * tree.value[:, 0, 0], tree.threshold)),
        left=[max(0, int(node)) for node in tree.children_left],
        right=[max(0, int(node)) for node in tree.children_right],
    )


def risks(model: RiskModel, item: Run) -> list[float]:
    return [model.probability(point.features) for point in item.points]


def held_out(runs: list[Run], folds: int = FOLDS) -> dict[str, RiskModel]:
    """For every call, by its id, weights that have not seen it, nor its scene in another language; one scale."""
    order = sorted(runs, key=lambda item: item.call.call_id)
    scenes = sorted({scene(item.call.call_id) for item in order})
    found: dict[str, RiskModel] = {}
    for part in range(folds):
        held = set(scenes[part::folds])
        model = fit([item for item in order if scene(item.call.call_id) not in held])
        found |= {item.call.call_id: model for item in order if scene(item.call.call_id) in held}
    slope, offset = calibration(order, found)
    scaled: dict[int, RiskModel] = {
        id(model): msgspec.structs.replace(model, platt_slope=slope, platt_offset=offset) for model in found.values()
    }
    return {call_id: scaled[id(model)] for call_id, model in found.items()}


def calibration(runs: list[Run], models: dict[str, RiskModel]) -> tuple[float, float]:
    """Platt's slope and offset over all turns of bad and quiet calls, each call weighing the same."""
    used = [item for item in runs if item.call.kind != "watched" and item.points]
    odds = np.array([models[item.call.call_id].log_odds(point.features) for item in used for point in item.points])
    bad = np.concatenate([np.full(len(item.points), float(item.call.kind == "bad")) for item in used])
    weight = np.concatenate([np.full(len(item.points), 1.0 / len(item.points)) for item in used])
    slope, offset = platt(odds, bad, weight)
    return round(slope, 5), round(offset, 5)


def measure(runs: list[Run], risk: dict[str, list[float]]) -> dict[str, float]:
    """Bad calls told and told in time at the threshold that lets one quiet call in ten fire."""
    quiet = sorted(max(risk[item.call.call_id], default=0.0) for item in runs if item.call.kind == "quiet")
    allowed = int(FALSE_ALERTS * len(quiet))
    enter_at = quiet[-allowed - 1] + 1e-4 if quiet else 1.0
    told = in_time = 0
    bad = [item for item in runs if item.call.kind == "bad"]
    for item in bad:
        pairs = zip(item.points, risk[item.call.call_id], strict=True)
        fired = [point.turn for point, value in pairs if value >= enter_at]
        said = item.first(ON_THE_TURN)
        first = min([*fired[:1], *([said.turn] if said is not None else [])], default=None)
        due = item.call.escalation_turn
        told += first is not None
        in_time += first is not None and due is not None and first <= due
    known = [item for item in runs if item.call.kind != "watched" and item.points]
    y = np.array([item.call.kind == "bad" for item in known], dtype=float)
    last = np.array([risk[item.call.call_id][-1] for item in known])
    return {
        "bad_calls": len(bad),
        "quiet_calls": len(quiet),
        "enter_at": round(enter_at, 4),
        "told": round(told / max(1, len(bad)), 3),
        "in_time": round(in_time / max(1, len(bad)), 3),
        "brier_at_end": round(float(np.mean((last - y) ** 2)), 4),
    }


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="train the risk on whole calls")
    parser.add_argument("calls", type=Path)
    parser.add_argument("--scores", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(None if arguments is None else list(arguments))
    files = sorted(options.calls.glob("*.jsonl"))
    calls = [decode_call(line) for file in files for line in file.read_text("utf-8").splitlines() if line]
    scores = {} if options.scores is None else decode_scores(options.scores.read_text("utf-8").splitlines())
    rules = load_rules(load(), "training", msgspec.json.encode(unlearnt()))
    heard = [call for call in calls if not scores or has_scores(call, scores)]
    runs = [run(call, rules, scores or gold_scores(call)) for call in heard]
    models = held_out(runs)
    figures = measure(runs, {item.call.call_id: risks(models[item.call.call_id], item) for item in runs})
    print(json.dumps({"scores": "corpus labels" if not scores else "held-out ear", **figures}, indent=1))
    if options.out is not None:
        trained = f"{len(runs)} corpus calls, {'held-out ear' if scores else 'corpus labels'}"
        slope, offset = calibration(runs, models)
        model = msgspec.structs.replace(fit(runs), platt_slope=slope, platt_offset=offset, trained_on=trained)
        options.out.write_bytes(msgspec.json.encode(model) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
