"""Public emotion text as training examples. It is read where it lies; only figures and attributions enter the project.

A row: `{"text", "lang", "labels", "neutral", "source", "split", "use", "kind", "mask"?, "variant"?}`. Only rows with
`use: train` of a training split are read; `mask` names emotions that its source never annotates. Sources and licences:
the model card.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from models.examples import Example, fold
from models.labels import EMOTIONS
from models.splits import share
from models.types import ScoreInput

TAKEN = {
    ("goemotions", "en"): 11_000,
    ("xed", "en"): 4_000,
    ("emoevent", "es"): 3_000,
    ("emoevent", "en"): 2_000,
    ("empathetic_personas", "en"): 1_000,
    ("empathetic_personas", "zh"): 1_700,
    ("cped", "zh"): 7_000,
    ("kote", "ko"): 3_000,
    ("red_v1", "ro"): 1_000,
    ("xed", "hr"): 2_500,
    ("xed", "de"): 2_000,
    ("xed", "es"): 1_000,
    ("xed", "fr"): 1_200,
    ("xed", "it"): 1_200,
    ("xed", "pt"): 1_200,
    ("xed", "pl"): 1_000,
    ("xed", "tr"): 1_000,
}
"""At most so many rows of a source in a language."""
WEIGHTS = {"human": 1.0, "mt": 0.5, "projected": 0.25}
SOURCE_WEIGHTS = {"cped": 0.5, "xed": 0.5}
"""CPED was labelled from video, XED out of context."""
RARE_FIRST = ("disgust", "fear", "surprise", "sadness")


def public(paths: Iterable[Path]) -> list[Example]:
    """The rows taken, in a stable order: for each source and language those with a rare emotion first."""
    pools: dict[tuple[str, str], list[tuple[float, Example]]] = defaultdict(list)
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                key = (row["source"], row["lang"])
                if key in TAKEN and _wanted(row):
                    order = share(row["text"], "emotions") - 0.5 * bool(set(RARE_FIRST) & set(row["labels"]))
                    pools[key].append((order, _example(row)))
    found: list[Example] = []
    for key, size in TAKEN.items():
        pools[key].sort(key=lambda pair: (pair[0], pair[1].key))
        unique = {example.key: example for _, example in pools[key]}
        found.extend(list(unique.values())[:size])
    return found


def _wanted(row: dict[str, Any]) -> bool:
    return bool(row["use"] == "train" and row["split"] == "train" and (row["labels"] or row["neutral"]))


def _example(row: dict[str, Any]) -> Example:
    language = row.get("variant") or row["lang"]
    masked = set(row.get("mask", ()))
    weight = WEIGHTS[row["kind"].split("+")[0]] * SOURCE_WEIGHTS.get(row["source"], 1.0)
    return Example(
        input=ScoreInput(row["text"], "customer", language=language),
        emotions=tuple(row["labels"]),
        heat=None,
        labels=(),
        source=row["source"],
        key=f"{language}:{fold(row['text'])}",
        outputs=tuple(name for name in EMOTIONS if name not in masked),
        weight=weight,
    )
