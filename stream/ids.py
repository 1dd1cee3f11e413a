"""Segment ids: which have been taken, and whether they count upwards."""

import re
from bisect import bisect_left, bisect_right

# A number alone, after letters, or after a separator; the limit keeps hashes and clocks in nanoseconds out.
_NUMBERED = re.compile(r"(|[A-Za-z]+|.*[-_:./# ])([0-9]{1,15})", re.DOTALL)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def split_number(segment_id: str) -> tuple[str, str] | None:
    """The prefix and the digits of a numbered id, else None.

    >>> split_number("c-17/12"), split_number("V1StGXR8")
    (('c-17/', '12'), None)
    """
    found = _NUMBERED.fullmatch(segment_id)
    if found is None or _UUID.fullmatch(segment_id):
        return None
    return found.group(1), found.group(2)


class Numbering:
    """Are all ids one prefix and a number? Holds until one is not; their order makes no difference."""

    def __init__(self) -> None:
        self.holds = True
        self._prefix: str | None = None
        self._padded = 0  # digits of the ids with leading zeros; 0: none yet
        self._shortest = 16  # digits of the shortest id without leading zeros

    def number(self, segment_id: str) -> int:
        """The id's place, or -1 and the numbering no longer holds."""
        parts = split_number(segment_id) if self.holds else None
        if parts is None or not self._fits(*parts):
            self.holds = False
            return -1
        return int(parts[1])

    def _fits(self, prefix: str, digits: str) -> bool:
        """Same prefix, and no two spellings of one number."""
        if self._prefix is None:
            self._prefix = prefix
        if digits[0] == "0":
            same_width = self._padded in (0, len(digits))
            self._padded = len(digits)
        else:
            same_width = True
            self._shortest = min(self._shortest, len(digits))
        return prefix == self._prefix and same_width and self._shortest >= self._padded


class TakenIds:
    """The ids taken so far. Runs of numbers are kept as ranges: a tidy call costs two integers."""

    def __init__(self) -> None:
        self._opaque: set[str] = set()
        self._ranges: dict[tuple[str, int], Ranges] = {}

    def __contains__(self, segment_id: str) -> bool:
        parts = split_number(segment_id)
        if parts is None:
            return segment_id in self._opaque
        ranges = self._ranges.get(_lane(*parts))
        return ranges is not None and int(parts[1]) in ranges

    def add(self, segment_id: str) -> None:
        """Take it."""
        parts = split_number(segment_id)
        if parts is None:
            self._opaque.add(segment_id)
        else:
            self._ranges.setdefault(_lane(*parts), Ranges()).add(int(parts[1]))


def _lane(prefix: str, digits: str) -> tuple[str, int]:
    """Ids of one lane differ in their number alone: "7" and "07" are two ids."""
    return prefix, len(digits) if digits[0] == "0" else 0


class Ranges:
    """A set of integers as sorted, disjoint, non-adjacent ranges [low, high)."""

    def __init__(self) -> None:
        self._lows: list[int] = []
        self._highs: list[int] = []

    def __len__(self) -> int:
        return len(self._lows)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._lows, number)
        return at > 0 and number < self._highs[at - 1]

    def add(self, number: int) -> None:
        """Take one in, joining the ranges that it closes up."""
        if number in self:
            return
        at = bisect_left(self._lows, number)
        touches_left = at > 0 and self._highs[at - 1] == number
        touches_right = at < len(self._lows) and self._lows[at] == number + 1
        if touches_left and touches_right:
            self._highs[at - 1] = self._highs.pop(at)
            del self._lows[at]
        elif touches_left:
            self._highs[at - 1] = number + 1
        elif touches_right:
            self._lows[at] = number
        else:
            self._lows.insert(at, number)
            self._highs.insert(at, number + 1)
