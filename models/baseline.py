"""What a plain baseline reaches on the same split: TF-IDF of character n-grams and one logistic regression a label.

    python -m models.baseline [--work build/train] [--out models/default/figures.json]

Needs scikit-learn (a development dependency). Its cuts are set as the model's are; the figures go under `baseline`.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from models.calibrate import apply, calibrate
from models.examples import CORPUS, Example
from models.measure import figures
from models.train import Plan

Array = np.ndarray[Any, Any]


def fit_and_score(train: list[Example], wanted: Array, counts: Array, test: list[Example]) -> Array:
    """Logits `[test, outputs]` of one regression an output, each trained where the output counts."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectoriser = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 4), min_df=3, max_features=60_000, sublinear_tf=True
    )
    known = vectoriser.fit_transform([example.input.text.lower() for example in train])
    asked = vectoriser.transform([example.input.text.lower() for example in test])
    logits = np.zeros((len(test), wanted.shape[1]), dtype=np.float32)
    for column in range(wanted.shape[1]):
        rows = np.flatnonzero(counts[:, column])
        regression = LogisticRegression(C=10.0, solver="liblinear", class_weight="balanced", random_state=0)
        regression.fit(known[rows], wanted[rows, column])
        logits[:, column] = regression.decision_function(asked)
    return logits


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="models.baseline", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--encoder", type=Path, default=Path("build/encoder"))
    parser.add_argument("--work", type=Path, default=Path("build/train"))
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "default" / "figures.json")
    options = parser.parse_args(argv)
    plan = Plan(options.encoder, options.work, options.corpus)
    wanted, counts = plan.cache.wanted.numpy(), plan.cache.counts.numpy()
    known, asked = np.concatenate([plan.said, plan.held[1]]), plan.held[0]
    examples = plan.cache.examples
    logits = fit_and_score([examples[i] for i in known], wanted[known], counts[known], [examples[i] for i in asked])
    mappings = calibrate(logits, wanted[asked], counts[asked], np.ones(len(asked)))
    found = figures(apply(mappings, logits), wanted[asked], counts[asked])
    content = json.loads(options.out.read_text("utf-8")) if options.out.exists() else {}
    content["baseline"] = {"utterances": {key: value for key, value in found.items() if key != "labels"}}
    options.out.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    sys.stdout.write(json.dumps(content["baseline"]) + "\n")


if __name__ == "__main__":
    main()
