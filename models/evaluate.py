"""What a classifier hears, against labels: figures, intervals and look-alikes. See `becalm evaluate`."""

import gzip
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from models.ear import Ear
from models.examples import LABEL_INDEX, Example, target
from models.labels import EMOTIONS, HEAT_OUTPUTS, MUST_NOT_MISS
from models.measure import average_precision, f1, figures, intervals
from models.types import Score, ScoreInput

Array = np.ndarray[Any, Any]


def as_array(scores: list[Score]) -> Array:
    """Mapped probabilities `[n, outputs]` as the scores give them (what they leave out counts as 0)."""
    out = np.zeros((len(scores), len(LABEL_INDEX)))
    for row, score in enumerate(scores):
        for name, value in (*score.emotions.items(), *score.labels.items()):
            out[row, LABEL_INDEX[name]] = value
        for level, name in enumerate(HEAT_OUTPUTS):
            out[row, LABEL_INDEX[name]] = min(1.0, max(0.0, (score.heat or 0.0) - level))
    return out


def evaluate(scores: list[Score], examples: list[Example], rounds: int = 200) -> dict[str, Any]:
    """Figures of all heads (`models.measure.figures`) with 95 % intervals, by language, and of the look-alikes."""
    pairs = [target(example) for example in examples]
    wanted, counts = (np.array([pair[i] for pair in pairs]) for i in (0, 1))
    probability = as_array(scores)
    found = figures(probability, wanted, counts)
    found["intervals"] = intervals(probability, wanted, counts, rounds) if rounds else {}
    found["look_alikes"] = look_alikes(probability, wanted, counts)
    languages = np.array([example.input.language or "" for example in examples])
    found["languages"] = {}
    for name in sorted(set(languages)):
        chosen = languages == name
        part = figures(probability[chosen], wanted[chosen], counts[chosen])
        del part["labels"]
        found["languages"][name] = part
    return found


def look_alikes(probability: Array, wanted: Array, counts: Array) -> dict[str, float]:
    """Threats, safety and requests for a superior together: the share of customer turns with none of them that are
    flagged for one, and the share of turns with one that are flagged for the right one."""
    columns = [LABEL_INDEX[name] for name in MUST_NOT_MISS]
    rows = counts[:, columns].min(1) > 0
    flagged, truth = probability[rows][:, columns] >= 0.5, wanted[rows][:, columns] > 0
    harmless = ~truth.any(1)
    alarms = float(flagged[harmless].any(1).mean()) if harmless.any() else float("nan")
    recall = float((flagged & truth).sum() / max(1, truth.sum()))
    return {"harmless": int(harmless.sum()), "alarms": round(alarms, 4), "recall": round(recall, 4)}


def public_emotions(ear: Ear, path: Path, most: int = 6000) -> dict[str, Any]:
    """Macro F1 and average precision of the six emotions on the rows of a public set that trained nothing: `use: eval`
    and the test splits, by source and language; at most so many rows of each."""
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["use"] == "eval" or (row["split"] == "test" and row["kind"] == "human"):
                rows[f"{row['source']}/{row.get('variant') or row['lang']}"].append(row)
    return {name: _emotions(ear, some[:most]) for name, some in sorted(rows.items()) if len(some) >= 100}


def _emotions(ear: Ear, rows: list[dict[str, Any]]) -> dict[str, float]:
    scores = ear.score(
        [ScoreInput(row["text"], "customer", language=row.get("variant") or row["lang"]) for row in rows]
    )
    by_f1, by_ap = [], []
    for name in EMOTIONS:
        kept = [i for i, row in enumerate(rows) if name not in row.get("mask", ())]
        truth = np.array([float(name in rows[i]["labels"]) for i in kept])
        p = np.array([scores[i].emotions.get(name, 0.0) for i in kept])
        if truth.sum() >= 5:
            by_f1.append(f1(p >= 0.5, truth))
            by_ap.append(average_precision(p, truth))
    return {
        "rows": len(rows),
        "emotions": len(by_f1),
        "f1": round(float(np.mean(by_f1)), 4) if by_f1 else 0.0,
        "ap": round(float(np.mean(by_ap)), 4) if by_ap else 0.0,
    }
