"""Which arithmetic a model runs in: float32, or bfloat16 where it proves itself on this machine when the model loads.

bfloat16 has to show three things on a few real sentences: that its probabilities stay near those of float32, that a
turn's numbers do not depend on its neighbours, and that it is quicker. Otherwise float32 it is.
"""

import logging
import time
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from models.dense import has_bfloat16
from models.encoding import PAD, Encoded
from models.packed import PackedModel, pack

log = logging.getLogger(__name__)
Precision = Literal["auto", "float32", "bfloat16"]

PROBE = (
    "Hello, I would like to change my address, please.",
    "No.",
    "This is the third time I am calling about the same bill and nobody has done anything about it!",
    "我已经打了三次电话了，你们到底什么时候才能解决？",
    "謝謝，這樣就可以了。",
    "Dobar dan, još uvijek čekam odgovor na svoju pritužbu od prošlog tjedna.",
    "Quiero hablar con su superior ahora mismo, esto es una vergüenza.",
    "Es tut mir leid, ich kümmere mich sofort darum und rufe Sie bis Mittag zurück.",
    "Bonjour, je n'ai toujours pas reçu mon colis.",
    "もう一度確認していただけますか。",
)
FARTHEST = 0.05
"""Most that any probability may differ from float32's."""
ON_AVERAGE = 0.005
"""Most that they may differ on average."""
QUICKER = 1.2
"""How many times as quick it has to be."""
DIGITS = 4
"""Decimals to which a turn's probabilities must be the same in any batch."""


def choose(model: Any, step: int, probe: Sequence[Encoded], precision: Precision) -> tuple[PackedModel, str]:
    """The network in the arithmetic asked for, and its name; `auto` takes what is quickest and safe here.

    `probe`: what `PROBE` becomes in the model's tokenizer. Raises `ValueError` where bfloat16 is demanded and fails.
    """
    plain = PackedModel(model, step)
    if precision == "float32" or (precision == "auto" and not has_bfloat16()):
        return plain, "float32"
    half = PackedModel(model, step, torch.bfloat16)
    try:
        found = fault(plain, half, list(probe), step, quick=precision == "auto")
    except RuntimeError as error:
        found = type(error).__name__
    if found is None:
        return half, "bfloat16"
    if precision == "bfloat16":
        raise ValueError(f"bfloat16 does not do on this machine: {found}")
    log.info("float32 is used, bfloat16 does not do on this machine: %s", found)
    return plain, "float32"


def fault(plain: PackedModel, half: PackedModel, probe: list[Encoded], step: int, quick: bool) -> str | None:
    """What speaks against `half`, or None."""
    wanted, found = (torch.sigmoid(_logits(net, probe, step)) for net in (plain, half))
    apart = (wanted - found).abs()
    if not float(apart.max()) <= FARTHEST or not float(apart.mean()) <= ON_AVERAGE:
        return f"its probabilities are up to {float(apart.max()):.3f} from those of float32"
    for size in (1, 3, len(probe) - 1):
        parts = [probe[at : at + size] for at in range(0, len(probe), size)]
        other = torch.sigmoid(torch.cat([_logits(half, part, step) for part in parts]))
        if not torch.equal(found.round(decimals=DIGITS), other.round(decimals=DIGITS)):
            return "a score depends on its neighbours in the batch"
    if quick:
        ratio = _seconds(plain, probe, step) / _seconds(half, probe, step)
        if ratio < QUICKER:
            return f"it is {ratio:.2f} times as quick as float32"
    return None


def _logits(net: PackedModel, turns: list[Encoded], step: int) -> Tensor:
    """`[turns, outputs]`, in their order."""
    lengths = [-(-len(one.ids) // step) * step for one in turns]
    order = sorted(range(len(turns)), key=lambda i: (lengths[i], i))
    with torch.inference_mode():
        packed = pack([(turns[i].ids, turns[i].turn) for i in order], [lengths[i] for i in order], PAD)
        logits = net(packed, 0)[1]
        return logits[torch.tensor(order).argsort()]


def _seconds(net: PackedModel, probe: list[Encoded], step: int) -> float:
    """The best of a few runs over the probe, four times over."""
    best = float("inf")
    for _ in range(4):
        begun_s = time.perf_counter()
        _logits(net, probe * 4, step)
        best = min(best, time.perf_counter() - begun_s)
    return best
