"""A small language for calls in tests: who said what when, and what a given ear heard in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from models.types import Score
from monitor.core.events import Event
from monitor.core.fold import Fold
from monitor.core.inputs import Emit, NeedScore, Record, Scored
from monitor.core.rules import Rules
from stream.messages import CallEnd, CallStart, CallTransfer, Transcript

CALL = "c-1"


def start(language: str = "en", channel: str = "voice") -> CallStart:
    return CallStart(call_id=CALL, channel=channel, language=language)  # type: ignore[arg-type]


def said(number: int, role: str, text: str, start_s: float, end_s: float | None = None) -> Transcript:
    return Transcript(
        call_id=CALL,
        segment_id=str(number),
        role=role,  # type: ignore[arg-type]
        text=text,
        final=True,
        start_s=start_s,
        end_s=end_s if end_s is not None else start_s + 2.0,
    )


def heard(heat: float | None = None, *labels: str, **emotions: float) -> Score:
    """What an ear says of one turn; heat None for agents."""
    return Score(emotions=emotions, heat=heat, labels=dict.fromkeys(labels, 0.9), embedding=b"")


class Line(NamedTuple):
    """One turn of a `conversation`."""

    role: str
    text: str
    score: Score


class Conversation(NamedTuple):
    """A call to `play`: its records, and what is heard in each turn (turns are numbered from 0)."""

    records: list[Record]
    scores: dict[str, Score]


def customer(text: str, heat: float = 0.0, *labels: str, **emotions: float) -> Line:
    return Line("customer", text, heard(heat, *labels, **emotions))


def agent(text: str, *labels: str) -> Line:
    return Line("agent", text, heard(None, *labels))


def conversation(
    language: str, *lines: Line | float | CallTransfer, end: str | None = None, channel: str = "voice"
) -> Conversation:
    """Turns of 3 s with 1 s between them; a number among them is a longer pause, `end` why the call ends."""
    records: list[Record] = [start(language, channel)]
    scores: dict[str, Score] = {}
    at_s = 0.0
    for line in lines:
        if isinstance(line, float):
            at_s += line
        elif isinstance(line, CallTransfer):
            records.append(msgspec.structs.replace(line, at_s=at_s))
        else:
            records.append(said(len(scores), line.role, line.text, at_s, at_s + 3.0))
            scores[str(len(scores))] = line.score
            at_s += 4.0
    if end is not None:
        records.append(CallEnd(call_id=CALL, at_s=at_s, reason=end))
    return Conversation(records, scores)


def play(rules: Rules, records: Iterable[Record], scores: dict[str, Score], close: bool = True) -> list[Event]:
    """Fold the records, answering every question at once; turns without a given score are heard as nothing."""
    fold = Fold(CALL, rules)
    events: list[Event] = []
    for record in records:
        events += settle(fold, fold.apply(record), scores)
    return events + (settle(fold, fold.close(), scores) if close else [])


def settle(fold: Fold, effects: Sequence[object], scores: dict[str, Score]) -> list[Event]:
    events: list[Event] = []
    for effect in effects:
        if isinstance(effect, Emit):
            events.append(effect.event)
        elif isinstance(effect, NeedScore):
            score = scores.get(effect.segment_id, heard(0.0 if effect.item.role == "customer" else None))
            answer = Scored(call_id=fold.call_id, segment_id=effect.segment_id, score=score)
            events += settle(fold, fold.apply(answer), scores)
    return events


def of_type(events: Iterable[Event], kind: type) -> list[Event]:
    return [event for event in events if isinstance(event, kind)]
