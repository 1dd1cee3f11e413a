"""The messages of the ingest protocol, and the answers to them, as tagged structs."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

MAX_TEXT_CHARS = 20_000
MAX_NAME_CHARS = 200
MAX_TIME_S = 366 * 24 * 3600.0
"""A year: letters may go to and fro for months."""

# Names are keys and come back in answers, so a control character in one is refused, not stripped.
_PRINTABLE = r"\A[^\x00-\x1f\x7f-\x9f]+\Z"

Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARS, pattern=_PRINTABLE)]
Seconds = Annotated[float, Meta(ge=0.0, le=MAX_TIME_S)]
Ratio = Annotated[float, Meta(ge=0.0, le=1.0)]
Language = Annotated[str, Meta(max_length=35, pattern=r"\A[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*\Z")]
Instant = Annotated[datetime, Meta(tz=True)]
Channel = Literal["voice", "chat", "email", "social", "portal"]
Role = Literal["customer", "agent", "manager", "bot", "unknown"]
ErrorCode = Literal["bad_json", "bad_message", "too_large", "unknown_call", "not_allowed", "overloaded"]


class Agent(Struct, frozen=True, omit_defaults=True):
    """Who serves the customer."""

    id: Name
    team: Name | None = None


class Customer(Struct, frozen=True, omit_defaults=True):
    """Whom the call is with."""

    id: Name


class TransferTo(Struct, frozen=True, omit_defaults=True):
    """Where a call goes."""

    department: Name | None = None
    agent: Agent | None = None


class CallStart(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="call.start"):
    """A call opens. Optional: a final of an unknown call opens it too; an interim opens nothing."""

    call_id: Name
    channel: Channel = "voice"
    language: Language | None = None
    agent: Agent | None = None
    customer: Customer | None = None
    queue: Name | None = None
    started_at: Instant | None = None


class Transcript(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="transcript"):
    """What one speaker said: a final, or an interim that a later revision replaces.

    `end_of_turn` None says nothing: a native final is then a whole turn, a fragment source's is a fragment.
    `speech_rate` and `loudness` are the source's own measures of the voice, in the source's units.
    """

    call_id: Name
    segment_id: Name
    role: Role
    text: Annotated[str, Meta(max_length=MAX_TEXT_CHARS)]
    final: bool
    start_s: Seconds
    end_s: Seconds | None = None
    revision: Annotated[int, Meta(ge=0, le=2**31)] = 0
    language: Language | None = None
    confidence: Ratio | None = None
    end_of_turn: bool | None = None
    speech_rate: float | None = None
    loudness: float | None = None

    @property
    def time_s(self) -> float:
        """When it was complete, as far as the source says."""
        return self.start_s if self.end_s is None else self.end_s


class CallHold(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="call.hold"):
    """The customer is put on hold."""

    call_id: Name
    at_s: Seconds


class CallResume(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="call.resume"):
    """The hold is over."""

    call_id: Name
    at_s: Seconds


class CallTransfer(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="call.transfer"):
    """The call goes to another department or agent; `warm`: the old agent introduces the new one."""

    call_id: Name
    at_s: Seconds
    to: TransferTo
    warm: bool = False


class CallEnd(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="call.end"):
    """The call is over."""

    call_id: Name
    at_s: Seconds
    reason: Name | None = None


class Ack(Struct, frozen=True, tag_field="type", tag="ack"):
    """This final is durable."""

    call_id: str
    segment_id: str


class Error(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="error"):
    """A message was refused; the connection goes on."""

    code: ErrorCode
    message: str
    segment_id: str | None = None


Mark = CallHold | CallResume | CallTransfer
Message = CallStart | Transcript | CallHold | CallResume | CallTransfer | CallEnd
Answer = Ack | Error
