"""What the core hears and what it asks for.

The journal of a call is a list of records in the order in which the service took them: the call's messages
(`stream.messages`), the scores that came back, wall-clock ticks translated to call time, and what people did.
Folding that list gives the call's events; live service, restart, replay and tests are shells around this fold.
"""

from __future__ import annotations

import msgspec

from models.types import Score, ScoreInput
from monitor.core.events import Event
from stream.messages import CallEnd, CallHold, CallResume, CallStart, CallTransfer, Transcript

CallMessage = CallStart | Transcript | CallHold | CallResume | CallTransfer | CallEnd


class _Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    call_id: str


class Scored(_Record, tag="score", frozen=True, kw_only=True):
    """The model's answer for the turn that begins with `segment_id`, or why there is none (`failed`)."""

    segment_id: str
    score: Score | None = None
    failed: str | None = None


class Overdue(_Record, tag="overdue", frozen=True, kw_only=True):
    """The turn that begins with `segment_id` has waited too long for its score: what its words alone demand is done."""

    segment_id: str


class Tick(_Record, tag="tick", frozen=True, kw_only=True):
    """The wall clock says that the call has reached `at_s` although no message said so."""

    at_s: float


class AlertAction(_Record, tag="alert.action", frozen=True, kw_only=True):
    """A person's `ack`, `claim`, `snooze` (until `until_s`) or `resolve` of one alert."""

    at_s: float
    alert_id: str
    action: str
    by: str
    note: str = ""
    until_s: float | None = None


class PromptAction(_Record, tag="prompt.action", frozen=True, kw_only=True):
    """The agent `used` or `dismissed` a prompt."""

    at_s: float
    prompt_id: str
    action: str


Record = CallMessage | Scored | Overdue | Tick | AlertAction | PromptAction


class NeedScore(msgspec.Struct, frozen=True):
    """Score this turn and come back with `Scored(segment_id=...)`."""

    segment_id: str
    item: ScoreInput


class Emit(msgspec.Struct, frozen=True):
    event: Event


Effect = NeedScore | Emit

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


def encode_record(record: Record) -> bytes:
    return _encoder.encode(record)


def decode_record(line: bytes | str) -> Record:
    """Raises msgspec.DecodeError on anything that is not a journal record."""
    return _decoder.decode(line)
