"""The largest number of calls that is carried."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable


async def most_calls(
    carries: Callable[[int], Awaitable[bool]], start: int, most: int, precision: float = 0.05, growth: float = 2.0
) -> int:
    """Goes up or down from `start` by the factor `growth` until the edge lies between two tries, then bisects to within
    `precision` of the result; at most `most`.

    0 when not even one call is carried. No number is tried twice: near the edge one try is a matter of luck, so what
    is wanted exactly is searched for several times.
    """
    low, high, calls = 0, most + 1, min(start, most)
    while low < calls < high:
        if await carries(calls):
            low = calls
        else:
            high = calls
        if high > most:
            calls = min(most, math.ceil(low * growth))
        elif low == 0:
            calls = max(1, int(high / growth))
        elif high - low > max(1.0, precision * low):
            calls = (low + high) // 2
        else:
            break
    return low
