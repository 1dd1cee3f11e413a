"""Figures of predictions against the corpus: average precision, F1, heat, recall at a false-alarm rate."""

from typing import Any

import numpy as np

from models.examples import LABEL_INDEX
from models.labels import CUES, EMOTIONS, HEAT_OUTPUTS, MOVES, MUST_NOT_MISS, STEPS

Array = np.ndarray[Any, Any]
HEADS = {"cues": CUES, "moves": MOVES, "steps": STEPS, "emotions": EMOTIONS}


def average_precision(score: Array, wanted: Array) -> float:
    """Area under precision over recall, `score` and `wanted` `[n]`; NaN without a positive."""
    positives = wanted.sum()
    if positives == 0:
        return float("nan")
    hits = wanted[np.argsort(-score, kind="stable")]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float((precision * hits).sum() / positives)


def f1(holds: Array, wanted: Array) -> float:
    """Harmonic mean of precision and recall; 0 where nothing is found."""
    both = float((holds & (wanted > 0)).sum())
    return 2 * both / max(1.0, float(holds.sum() + wanted.sum()))


def recall_at(score: Array, wanted: Array, false_alarms: float) -> float:
    """Share of positives above the threshold that at most `false_alarms` of the negatives pass."""
    if wanted.sum() == 0 or wanted.sum() == len(wanted):
        return float("nan")
    threshold = np.quantile(score[wanted == 0], 1 - false_alarms, method="higher")
    return float((score[wanted > 0] > threshold).mean())


def ranks(values: Array) -> Array:
    """Ranks with ties averaged."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[inverse])


def ece(probability: Array, wanted: Array, bins: int = 10) -> float:
    """Expected calibration error over equal-width bins: Guo et al. 2017, arXiv 1706.04599."""
    place = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [
        (place == i).mean() * abs(float(probability[place == i].mean()) - float(wanted[place == i].mean()))
        for i in range(bins)
        if (place == i).any()
    ]
    return float(sum(gaps))


def intervals(probability: Array, wanted: Array, counts: Array, rounds: int = 200, seed: int = 1) -> dict[str, Any]:
    """95 % bootstrap intervals of each head's macro F1 and average precision and of the heat error: examples are
    drawn anew `rounds` times."""
    random = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {}
    for _ in range(rounds):
        rows = random.integers(0, len(probability), len(probability))
        once = figures(probability[rows], wanted[rows], counts[rows])
        for head in HEADS:
            for key in ("f1", "ap"):
                drawn.setdefault(f"{head}.{key}", []).append(once[head][key])
        drawn.setdefault("heat.mae", []).append(once["heat"].get("mae"))
    known = {name: [value for value in values if value is not None] for name, values in drawn.items()}
    return {
        name: [round(float(np.quantile(values, q)), 3) for q in (0.025, 0.975)]
        for name, values in known.items()
        if values
    }


def figures(probability: Array, wanted: Array, counts: Array) -> dict[str, Any]:
    """All heads over `[n, outputs]` mapped probabilities (threshold 0.5), targets, and masks of what counts."""
    out: dict[str, Any] = {"examples": len(probability), "labels": {}}
    for head, names in HEADS.items():
        rows = [_label(probability, wanted, counts, name) for name in names]
        out["labels"].update(dict(zip(names, rows, strict=True)))
        seen = [row for row in rows if row["positives"] > 0]
        keys = ("ap", "precision", "recall", "f1", "majority_f1", "chance_ap")
        mean = {key: _mean([row[key] for row in seen]) for key in keys}
        columns = [LABEL_INDEX[name] for name in names]
        valid = counts[:, columns] > 0
        off = ece(probability[:, columns][valid], wanted[:, columns][valid])
        out[head] = {"labels": len(seen), **mean, "ece": round(off, 4)}
    must = [out["labels"][name]["recall_at_2pct"] for name in MUST_NOT_MISS]
    out["must_not_miss"] = {"recall_at_2pct_false_alarms": _mean(must)}
    out["heat"] = _heat(probability, wanted, counts)
    return dict(_known(out))


def _known(value: Any) -> Any:
    """The same without NaN, which is no JSON: None in its place."""
    if isinstance(value, dict):
        return {key: _known(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and value != value else value


def _mean(values: list[float]) -> float:
    known = [value for value in values if value == value]
    return round(float(np.mean(known)), 4) if known else float("nan")


def _label(probability: Array, wanted: Array, counts: Array, name: str) -> dict[str, float]:
    column = LABEL_INDEX[name]
    rows = counts[:, column] > 0
    score, truth = probability[rows, column], wanted[rows, column]
    holds = score >= 0.5
    both = float((holds & (truth > 0)).sum())
    return {
        "positives": int(truth.sum()),
        "precision": round(both / float(holds.sum()), 4) if holds.any() else 0.0,
        "recall": round(both / float(truth.sum()), 4) if truth.any() else 0.0,
        "ap": round(average_precision(score, truth), 4),
        "f1": round(f1(score >= 0.5, truth), 4),
        "recall_at_2pct": round(recall_at(score, truth, 0.02), 4),
        "majority_f1": round(f1(np.full(len(truth), truth.mean() > 0.5 if len(truth) else False), truth), 4),
        "chance_ap": round(float(truth.mean()) if len(truth) else 0.0, 4),
    }


def _heat(probability: Array, wanted: Array, counts: Array) -> dict[str, float]:
    columns = [LABEL_INDEX[name] for name in HEAT_OUTPUTS]
    rows = counts[:, columns[0]] > 0
    guess, truth = probability[rows][:, columns].sum(1), wanted[rows][:, columns].sum(1)
    if len(truth) < 2:
        return {}
    error = float(np.abs(guess - truth).mean())
    majority = float(np.abs(np.median(truth) - truth).mean())
    varied = guess.std() > 0 and truth.std() > 0
    order = float(np.corrcoef(ranks(guess), ranks(truth))[0, 1]) if varied else 0.0
    return {"mae": round(error, 4), "spearman": round(order, 4), "majority_mae": round(majority, 4)}
