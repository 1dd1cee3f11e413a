"""Where frames come from, and what the connection's address says for frames that do not say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from monitor.service.limits import MESSAGE_BYTES
from stream.messages import Message, MessageError, decode
from stream.schema import MAX_NAME_CHARS

SOURCES = ("native",)
"""The formats that this service reads."""


class _Names(msgspec.Struct):
    call_id: Any = None
    segment_id: Any = None


_names = msgspec.json.Decoder(_Names)


class UnknownSource(Exception):
    """The connection asks for a source that does not exist, or names a parameter wrongly."""


class Source:
    """Turns the frames of one connection into messages."""

    def __init__(self, name: str, defaults: Mapping[str, str]) -> None:
        self.name = name
        self._defaults = dict(defaults)

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Source:
        """From `source`, `call_id`, `role` and `language` of the connection's address. Raises UnknownSource."""
        name = query.get("source", "native")
        if name not in SOURCES:
            raise UnknownSource(f"There is no such source: use one of {', '.join(SOURCES)}.")
        return cls(name, {key: query[key] for key in ("call_id", "role", "language") if key in query})

    def message(self, text: str) -> Message:
        """One frame's message. Raises MessageError with what is wrong and how to mend it."""
        if len(text) > MESSAGE_BYTES or len(text.encode(errors="surrogatepass")) > MESSAGE_BYTES:
            raise MessageError("too_large", f"The frame is too large: send at most {MESSAGE_BYTES} bytes.")
        return decode(self._completed(text) if self._defaults else text)

    def names(self, text: str) -> tuple[str | None, str | None]:
        """Call and segment of a refused frame, where they can be told."""
        try:
            said = _names.decode(text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            said = _Names()
        return _name(said.call_id) or self._defaults.get("call_id"), _name(said.segment_id)

    def _completed(self, text: str) -> str | bytes:
        """The frame with the defaults in its empty places; what is no JSON object is left for `decode` to refuse."""
        try:
            fields = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return text
        if not isinstance(fields, dict):
            return text
        kind = fields.get("type")
        names = {"transcript": ("call_id", "role", "language"), "call.start": ("call_id", "language")}
        for name in names.get(kind, ("call_id",)) if isinstance(kind, str) else ():
            if name in self._defaults and fields.get(name) is None:
                fields[name] = self._defaults[name]
        return msgspec.json.encode(fields)


def _name(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= MAX_NAME_CHARS else None
