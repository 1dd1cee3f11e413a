"""Figures of a model directory over a corpus folder, as JSON.

    python -m models.evaluate [--model DIR] [--corpus DIR]

The bundled model has been trained on most of the bundled corpus: figures over that corpus flatter it. The honest
ones are in its `figures.json`.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from models.directory import DEFAULT
from models.examples import CORPUS, LABEL_INDEX, Example, call_turns, calls, target, utterances
from models.labels import HEAT_OUTPUTS
from models.measure import figures
from models.scorer import Scorer


def probabilities(scorer: Scorer, examples: list[Example]) -> np.ndarray[Any, Any]:
    """Mapped probabilities `[n, outputs]` as the scores give them (what they leave out counts as 0)."""
    out = np.zeros((len(examples), len(LABEL_INDEX)))
    for row, score in enumerate(scorer.score([example.input for example in examples])):
        for name, value in (*score.emotions.items(), *score.labels.items()):
            out[row, LABEL_INDEX[name]] = value
        for level, name in enumerate(HEAT_OUTPUTS):
            out[row, LABEL_INDEX[name]] = min(1.0, max(0.0, (score.heat or 0.0) - level))
    return out


def evaluate(scorer: Scorer, examples: Iterable[Example]) -> dict[str, Any]:
    """Figures of all heads, see `models.measure.figures`."""
    rows = list(examples)
    pairs = [target(example) for example in rows]
    wanted, counts = (np.array([pair[i] for pair in pairs]) for i in (0, 1))
    return figures(probabilities(scorer, rows), wanted, counts)


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="models.evaluate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=DEFAULT)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(argv)
    scorer = Scorer(options.model, threads=options.threads)
    result: dict[str, Any] = {"model": scorer.version}
    parts = {
        "utterances": list(utterances(options.corpus)),
        "calls": [turn for call in calls(options.corpus) for turn in call_turns(call)],
    }
    for name, examples in parts.items():
        if examples:
            result[name] = evaluate(scorer, examples)
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
