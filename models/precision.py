"""Which arithmetic a model runs in: float32, or 8 bits where they prove themselves on this machine when it loads.

8-bit layers have to show two things on a few real sentences: that probabilities stay near those of float32, and that a
turn's score is the same in any batch. Otherwise float32 it is. Nothing here is timed: the same machine always decides
alike, so that a replay scores as the service did.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from models.calibrate import sigmoid
from models.encoding import Encoded
from models.types import Score

Precision = Literal["auto", "float32", "int8"]
Read = Callable[[list[Encoded]], tuple[np.ndarray[Any, Any], list[Score]]]
"""Logits `[turns, outputs]` and scores of turns, in their order, made in one batch."""

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
FARTHEST = 0.1
"""Most that any probability may differ from float32's."""
ON_AVERAGE = 0.005
"""Most that they may differ on average."""
CROWD = 6
"""How often the probe stands in the largest batch that is tried: about as many tokens as a batch ever has."""


def fault(plain: Read, other: Read, probe: Sequence[Encoded]) -> str | None:
    """What speaks against `other` on this machine, or None."""
    turns = list(probe)
    wanted, found = plain(turns)[0], other(turns)
    apart = np.abs(sigmoid(wanted) - sigmoid(found[0]))
    if not float(apart.max()) <= FARTHEST or not float(apart.mean()) <= ON_AVERAGE:
        return f"its probabilities are up to {float(apart.max()):.3f} from those of float32"
    parts = [other(turns[at : at + size])[1] for size in (1, 3) for at in range(0, len(turns), size)]
    crowded = other(turns * CROWD)[1]
    if [score for part in (*parts, crowded) for score in part] != found[1] * (2 + CROWD):
        return "a score depends on its neighbours in the batch"
    return None
