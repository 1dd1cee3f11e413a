"""Joins the finals of one speaker to turns: what comes out depends on what goes in and its order alone.

Memory: one unfinished turn, cut at `max_turn_chars`.
"""

import re

import msgspec

from stream.messages import CallEnd, CallHold, CallResume, CallStart, CallTransfer, Mark, Role, Transcript
from stream.settings import AssemblerSettings

# A point after a digit is no end: an ordinal in Croatian and German, or a number cut in two.
_SENTENCE_END = re.compile(r"(?:[?!。？！．｡…]|(?<!\d)\.)[\"'”’»«“‘」』）)\]\s]*\Z")
_UNSPACED = "\u2e80-\u30ff\u3400-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\U00020000-\U0003ffff"
_NO_SPACE = re.compile(rf"\A(?:[{_UNSPACED}].|.[{_UNSPACED},.;:!?%)\]])\Z", re.DOTALL)


class Utterance(msgspec.Struct, frozen=True, omit_defaults=True):
    """One turn of one speaker: a whole final, or the fragments it was delivered in."""

    segments: tuple[str, ...]
    """Ids of the finals it joins, in order; those without words are left out."""
    role: Role
    text: str
    start_s: float
    end_s: float
    language: str | None = None
    """The first that a segment states."""
    confidence: float | None = None
    """Mean of the segments that state one, by length; so are the measures of the voice below."""
    speech_rate: float | None = None
    loudness: float | None = None

    @property
    def segment_id(self) -> str:
        """The id that stands for the turn: its first segment's."""
        return self.segments[0]


Output = Utterance | CallStart | CallHold | CallResume | CallTransfer | CallEnd


class TurnJoiner:
    """The unfinished turn of one call.

    A turn ends with a final that says so (every native final does, unless it says `end_of_turn: false`),
    another speaker, the end of a sentence, a pause, its greatest length, or any event of the call.
    """

    def __init__(self, settings: AssemblerSettings, source_fragments: bool) -> None:
        self._settings = settings
        self._source_fragments = source_fragments
        self._parts: list[Transcript] = []
        self._chars = 0

    @property
    def deadline(self) -> float | None:
        """The call time at which the wait for its next fragment is over."""
        return self._end_s() + self._settings.turn_wait_s if self._parts else None

    def take(self, item: Transcript | CallStart | Mark | CallEnd) -> list[Output]:
        """The next of the call's finals and events; the turns that it ends, and an event itself."""
        if not isinstance(item, Transcript):
            return [*self.flush(), item]
        ends = item.end_of_turn if item.end_of_turn is not None else not self._source_fragments
        text = item.text.strip()
        if not text:
            own = bool(self._parts) and self._parts[0].role == item.role
            return self.flush() if own and ends else []
        out = self.flush() if self._parts and self._is_cut_before(item, text) else []
        self._parts.append(item)
        self._chars += len(text) + 1
        if ends or self._chars > self._settings.max_turn_chars or _SENTENCE_END.search(text):
            out += self.flush()
        return out

    def flush(self) -> list[Output]:
        """End the turn here."""
        if not self._parts:
            return []
        turn = join(self._parts)
        self._parts, self._chars = [], 0
        return [turn]

    def _is_cut_before(self, item: Transcript, text: str) -> bool:
        return (
            item.role != self._parts[0].role
            or item.start_s - self._end_s() >= self._settings.turn_pause_s
            or self._chars + len(text) > self._settings.max_turn_chars
        )

    def _end_s(self) -> float:
        return max(part.time_s for part in self._parts)


def join(parts: list[Transcript]) -> Utterance:
    """One turn of its fragments, in order."""
    text = ""
    for part in parts:
        words = part.text.strip()
        text += words if not text or _NO_SPACE.match(text[-1] + words[0]) else " " + words
    return Utterance(
        segments=tuple(part.segment_id for part in parts),
        role=parts[0].role,
        text=text,
        start_s=min(part.start_s for part in parts),
        end_s=max(part.time_s for part in parts),
        language=next((part.language for part in parts if part.language is not None), None),
        confidence=_mean(parts, [part.confidence for part in parts]),
        speech_rate=_mean(parts, [part.speech_rate for part in parts]),
        loudness=_mean(parts, [part.loudness for part in parts]),
    )


def _mean(parts: list[Transcript], values: list[float | None]) -> float | None:
    stated = [(len(part.text.strip()), v) for part, v in zip(parts, values, strict=True) if v is not None]
    if len(stated) <= 1:
        return stated[0][1] if stated else None
    return round(sum(length * value for length, value in stated) / sum(length for length, _ in stated), 6)
