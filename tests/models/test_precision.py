"""bfloat16 is taken where it proves itself, and never otherwise. Without the processor's own instructions torch
computes it slowly but to the same rules, so its numbers can be tested anywhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models import precision
from models import scorer as scoring
from models.dense import dense, has_bfloat16
from models.directory import DEFAULT, ModelError
from models.encoding import Encoded, encode
from models.packed import PackedModel
from models.precision import PROBE, fault
from models.scorer import STEP, Scorer
from models.types import ScoreInput


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the instructions bfloat16 is slow: fewer sentences, and no crowd of them."""
    monkeypatch.setattr(precision, "CROWD", 2)
    monkeypatch.setattr(scoring, "PROBE", PROBE[2:5])


@pytest.fixture(scope="module")
def probe(scorer: Scorer) -> list[Encoded]:
    return encode(scorer.tokenizer, [ScoreInput(text, "customer", PROBE[0]) for text in PROBE[:4]])


@pytest.mark.parametrize("gelu", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_layer_is_what_torch_makes_of_it(dtype: torch.dtype, gelu: bool) -> None:
    torch.manual_seed(1)
    weight, bias, x = torch.randn(24, 16) / 4, torch.randn(24), torch.randn(40, 16)
    wanted = torch.nn.functional.linear(x, weight, bias)
    wanted = torch.nn.functional.gelu(wanted) if gelu else wanted
    with torch.inference_mode():
        found = dense(weight, bias, dtype, gelu=gelu)(x.to(dtype))
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), wanted, atol=1e-5 if dtype == torch.float32 else 0.05, rtol=0.02)


def test_half_precision_hears_the_same_in_any_batch(scorer: Scorer, probe: list[Encoded]) -> None:
    half = PackedModel(scorer.model, STEP, torch.bfloat16)
    assert fault(scorer._read(PackedModel(scorer.model, STEP)), scorer._read(half), probe) is None


def test_auto_never_leaves_float32_without_the_instructions() -> None:
    chosen = Scorer(DEFAULT, threads=1, precision="auto").precision
    assert chosen == "float32" or has_bfloat16()
    assert Scorer(DEFAULT, threads=1).precision == "float32"


def test_what_it_falls_back_on_scores_as_before(scorer: Scorer) -> None:
    items = [ScoreInput(text, "customer") for text in PROBE]
    auto = Scorer(DEFAULT, threads=1, precision="auto")
    if auto.precision == "float32":
        assert auto.score(items) == scorer.score(items)
    else:
        for ours, plain in zip(auto.score(items), scorer.score(items), strict=True):
            assert ours.heat == pytest.approx(plain.heat, abs=0.1)
            assert ours.emotions == pytest.approx(plain.emotions, abs=0.05)


@pytest.mark.parametrize("spoilt", ["values", "neighbours"])
def test_an_arithmetic_that_errs_is_found_out(scorer: Scorer, probe: list[Encoded], spoilt: str) -> None:
    class Spoilt(PackedModel):
        def __call__(self, packed, layer):  # type: ignore[no-untyped-def]
            early, logits = super().__call__(packed, layer)
            off = 2.0 if spoilt == "values" else 1e-4 * len(packed.ids)
            return early, logits + off

    plain, other = (scorer._read(net(scorer.model, STEP)) for net in (PackedModel, Spoilt))
    found = fault(plain, other, probe)
    assert found is not None
    assert ("neighbours" in found) == (spoilt == "neighbours")


def test_half_precision_that_is_demanded_and_fails_says_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "FARTHEST", 0.0)
    with pytest.raises(ModelError, match=r"model\.precision"):
        Scorer(DEFAULT, threads=1, precision="bfloat16")


def test_the_embedding_is_the_same_direction(scorer: Scorer, probe: list[Encoded]) -> None:
    half = PackedModel(scorer.model, STEP, torch.bfloat16)
    ordered = sorted(probe, key=lambda one: -(-len(one.ids) // STEP))
    ours, plain = scorer.forward(ordered, half)[1], scorer.forward(ordered)[1]
    assert float((np.asarray(ours) * np.asarray(plain)).sum(1).min()) > 0.995
