"""8 bits are taken where they prove themselves, and never otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models import precision
from models.dense import Arithmetic, dense, has_int8, use_threads
from models.directory import DEFAULT, ModelError
from models.encoding import Encoded, encode
from models.packed import PackedModel
from models.precision import PROBE, fault
from models.scorer import STEP, Scorer
from models.types import ScoreInput

no_int8 = pytest.mark.skipif(not has_int8(), reason="this processor has no instructions for 8-bit products")


@pytest.fixture(scope="module")
def probe(scorer: Scorer) -> list[Encoded]:
    return encode(scorer.tokenizer, [ScoreInput(text, "customer", PROBE[0]) for text in PROBE[:4]])


@pytest.mark.parametrize("gelu", [False, True])
@pytest.mark.parametrize("arithmetic", ["float32", pytest.param("int8", marks=no_int8)])
def test_a_layer_is_what_torch_makes_of_it(arithmetic: Arithmetic, gelu: bool) -> None:
    torch.manual_seed(1)
    weight, bias, x = torch.randn(24, 16) / 4, torch.randn(24), torch.randn(40, 16)
    x[3] = 0.0
    wanted = torch.nn.functional.linear(x, weight, bias)
    wanted = torch.nn.functional.gelu(wanted) if gelu else wanted
    with torch.inference_mode():
        found = dense(weight, bias, arithmetic, gelu=gelu)(x)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted, atol=1e-5 if arithmetic == "float32" else 0.05, rtol=0.02)
    torch.testing.assert_close(found[3], wanted[3])


@no_int8
def test_a_row_in_8_bits_is_the_same_to_the_last_bit_beside_any_other() -> None:
    torch.manual_seed(2)
    layer = dense(torch.randn(24, 16), torch.randn(24), "int8")
    rows = torch.randn(64, 16)
    crowd = torch.cat([rows[:8], 1000.0 * rows[8:]])
    with torch.inference_mode():
        assert torch.equal(layer(crowd)[:8], layer(rows[:8]))


@no_int8
def test_8_bits_hear_the_same_in_any_batch(scorer: Scorer, probe: list[Encoded]) -> None:
    other = PackedModel(scorer.model, STEP, "int8")
    assert fault(scorer._read(PackedModel(scorer.model, STEP)), scorer._read(other), probe) is None


@pytest.mark.parametrize(("wanted", "cores", "taken"), [(0, 1, 1), (0, 2, 1), (0, 16, 4), (3, 2, 2), (1, 8, 1)])
def test_threads(wanted: int, cores: int, taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    try:
        use_threads(wanted)
        assert torch.get_num_threads() == taken
    finally:
        torch.set_num_threads(before)


def test_auto_never_leaves_float32_without_the_instructions() -> None:
    chosen = Scorer(DEFAULT, threads=1, precision="auto").precision
    assert chosen == "float32" or has_int8()
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


@no_int8
def test_8_bits_that_are_demanded_and_fail_say_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "FARTHEST", 0.0)
    with pytest.raises(ModelError, match=r"model\.precision"):
        Scorer(DEFAULT, threads=1, precision="int8")


@no_int8
def test_the_embedding_is_the_same_direction(scorer: Scorer, probe: list[Encoded]) -> None:
    other = PackedModel(scorer.model, STEP, "int8")
    ordered = sorted(probe, key=lambda one: -(-len(one.ids) // STEP))
    ours, plain = scorer.forward(ordered, other)[1], scorer.forward(ordered)[1]
    assert float((np.asarray(ours) * np.asarray(plain)).sum(1).min()) > 0.995
