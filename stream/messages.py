"""Frames to messages and back: whatever arrives, `decode` gives a message or one clear `MessageError`."""

import re
from typing import Any

import msgspec

from stream.schema import (
    MAX_NAME_CHARS,
    MAX_TEXT_CHARS,
    MAX_TIME_S,
    Ack,
    Agent,
    Answer,
    CallEnd,
    CallHold,
    CallResume,
    CallStart,
    CallTransfer,
    Customer,
    Error,
    ErrorCode,
    Mark,
    Message,
    Role,
    Transcript,
    TransferTo,
)

__all__ = [
    "Ack", "Agent", "Answer", "CallEnd", "CallHold", "CallResume", "CallStart", "CallTransfer", "Customer",
    "Error", "ErrorCode", "Mark", "Message", "MessageError", "Role", "Transcript", "TransferTo", "decode",
    "encode",
]  # fmt: skip

MAX_MESSAGE_BYTES = 1_000_000
MAX_DEPTH = 32

_NAME = f"a string of 1 to {MAX_NAME_CHARS} characters without control characters"
_TIME = f"a number of seconds from the call's start, 0 to {MAX_TIME_S:.0f}"
_TYPES = "call.start, transcript, call.hold, call.resume, call.transfer or call.end"
_MEND = {
    "type": f"one of {_TYPES}",
    "call_id": _NAME,
    "segment_id": _NAME,
    "id": _NAME,
    "role": "one of customer, agent, manager, bot or unknown",
    "channel": "one of voice, chat, email, social or portal",
    "text": f"a string of at most {MAX_TEXT_CHARS} characters",
    "final": "true or false",
    "start_s": _TIME,
    "end_s": _TIME,
    "at_s": _TIME,
    "revision": "a whole number from 0",
    "language": "a language tag such as hr or zh-Hant",
    "confidence": "a number from 0 to 1",
    "end_of_turn": "true or false",
    "warm": "true or false",
    "speech_rate": "a number",
    "loudness": "a number",
    "agent": "an object with an id",
    "customer": "an object with an id",
    "to": "an object with a department, an agent, or both",
    "started_at": "an RFC 3339 time with a zone, such as 2026-11-22T09:30:00Z",
}
_MISSING = re.compile(r"missing required field `(\w+)`")
_PATH = re.compile(r" - at `\$\.?([^`]*)`")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BRACKET_OR_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]')
_DECODER: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)
_ENCODER = msgspec.json.Encoder()


class _Named(msgspec.Struct):
    segment_id: Any = None


class MessageError(Exception):
    """Why a frame was refused: protocol `code`, one sentence (never transcript text), field and segment."""

    def __init__(self, code: ErrorCode, message: str, field: str | None = None, segment_id: str | None = None) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message
        self.field = field
        self.segment_id = segment_id

    def answer(self) -> Error:
        """What the client is told."""
        return Error(self.code, self.message, self.segment_id)


def encode(message: Message | Answer) -> bytes:
    """Compact JSON with the fields in the schema's order, defaults left out: equal messages, equal bytes."""
    return _ENCODER.encode(message)


def decode(data: str | bytes) -> Message:
    """The message in one text or UTF-8 binary frame; anything else is a `MessageError`."""
    raw = _utf8(data)
    try:
        message = _DECODER.decode(raw)
    except msgspec.ValidationError as error:
        raise _explain(str(error), raw) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise MessageError("bad_json", "The frame is not JSON: send one JSON object in UTF-8.") from None
    if isinstance(message, CallTransfer):
        return _addressed(message)
    return _checked(message) if isinstance(message, Transcript) else message


def _utf8(data: str | bytes) -> bytes:
    if len(data) > MAX_MESSAGE_BYTES:
        raise MessageError("too_large", f"The frame is too large: send at most {MAX_MESSAGE_BYTES} bytes.")
    try:
        raw = data.encode() if isinstance(data, str) else data
        if not isinstance(data, str):
            data.decode()  # the JSON decoder does not look inside the fields it skips
    except UnicodeError:
        raise MessageError("bad_json", "The frame is not UTF-8: send one JSON object in UTF-8.") from None
    if _depth_exceeds(raw, MAX_DEPTH):
        raise MessageError("bad_json", f"The frame is nested too deep: send at most {MAX_DEPTH} levels.")
    return raw


def _depth_exceeds(raw: bytes, limit: int) -> bool:
    if raw.count(b"[") + raw.count(b"{") <= limit:
        return False
    depth = 0
    for found in _BRACKET_OR_STRING.finditer(raw):
        if found.group() in (b"[", b"{"):
            depth += 1
            if depth > limit:
                return True
        elif found.group() in (b"]", b"}"):
            depth -= 1
    return False


def _explain(reason: str, raw: bytes) -> MessageError:
    """The decoder's reason as ours: it may quote the value, and a value may be anyone's words."""
    segment_id = _segment_id(raw)
    path = found.group(1) if (found := _PATH.search(reason)) else ""
    if missing := _MISSING.search(reason):
        field = f"{path}.{missing.group(1)}" if path else missing.group(1)
        mend = _MEND.get(missing.group(1), "a value")
        return MessageError("bad_message", f"The field {field} is missing: send {mend}.", field, segment_id)
    if not path:
        return MessageError("bad_message", "A message is one JSON object with a type, such as transcript.")
    if path == "text" and "length" in reason:
        message = f"The field text is too long: send {_MEND['text']}, or several segments."
        return MessageError("too_large", message, path, segment_id)
    mend = _MEND.get(path.rpartition(".")[2], _NAME)
    return MessageError("bad_message", f"The field {path} is not valid: send {mend}.", path, segment_id)


def _segment_id(raw: bytes) -> str | None:
    """The segment of a refused message, where it can be told."""
    try:
        segment_id = msgspec.json.decode(raw, type=_Named).segment_id
    except (msgspec.MsgspecError, UnicodeError):
        return None
    return segment_id if isinstance(segment_id, str) and 0 < len(segment_id) <= MAX_NAME_CHARS else None


def _checked(message: Transcript) -> Transcript:
    """What the schema cannot say: times in order, no control characters in the text."""
    if message.end_s is not None and message.end_s < message.start_s:
        text = "The field end_s is before start_s: send an end at or after the start."
        raise MessageError("bad_message", text, "end_s", message.segment_id)
    if _CONTROL.search(message.text):
        return msgspec.structs.replace(message, text=_CONTROL.sub("", message.text))
    return message


def _addressed(message: CallTransfer) -> CallTransfer:
    """A transfer says where to."""
    if message.to == TransferTo():
        raise MessageError("bad_message", f"The field to is empty: send {_MEND['to']}.", "to")
    return message
