"""Every utterance and every call turn of the corpus: the lean path scores what the stock model scores."""

import numpy as np
import pytest
import torch

from models.cache import by_length, pad
from models.calibrate import sigmoid
from models.dense import Arithmetic, has_int8
from models.encoding import Encoded, encode
from models.examples import CORPUS, call_turns, calls, utterances
from models.packed import PackedModel
from models.precision import FARTHEST, ON_AVERAGE
from models.scorer import STEP, Scorer

pytestmark = pytest.mark.heavy  # the whole corpus three times through the model, an hour on a busy core


@pytest.fixture(scope="module")
def everything(scorer: Scorer) -> list[Encoded]:
    said = [one.input for one in utterances(CORPUS)]
    called = [turn.input for call in calls(CORPUS) for turn in call_turns(call)]
    return encode(scorer.tokenizer, said + called)


@pytest.fixture(scope="module")
def stock(scorer: Scorer, everything: list[Encoded]) -> np.ndarray:
    """Probabilities `[turns, outputs]` by the stock class, padded to one another."""
    found = np.zeros((len(everything), scorer.model.config.num_labels), dtype=np.float32)
    with torch.inference_mode():
        for rows in by_length(np.array([len(one.ids) for one in everything]), scorer.token_budget):
            ids, types, mask = pad([everything[row] for row in rows])
            found[rows] = scorer.model(input_ids=ids, token_type_ids=types, attention_mask=mask.long()).logits.numpy()
    return sigmoid(found)


@pytest.mark.parametrize("arithmetic", ["float32", "int8"])
def test_the_lean_path_gives_the_stock_models_probabilities(
    scorer: Scorer, everything: list[Encoded], stock: np.ndarray, arithmetic: Arithmetic
) -> None:
    if arithmetic == "int8" and not has_int8():
        pytest.skip("this processor has no instructions for 8-bit products")
    net = PackedModel(scorer.model, STEP, arithmetic)
    found = np.zeros_like(stock)
    for batch in scorer._batches(everything):
        found[batch] = sigmoid(scorer.forward([everything[i] for i in batch], net)[0])
    apart = np.abs(found - stock)
    print(f"\n{arithmetic}: {len(found)} turns, farthest {apart.max():.6f}, on average {apart.mean():.6f}")
    if arithmetic == "float32":
        assert float(apart.max()) <= 1e-4
    else:
        assert float(apart.mean()) <= ON_AVERAGE
        assert float(np.quantile(apart, 0.9999)) <= FARTHEST
