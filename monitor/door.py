"""The door: what everything behind it, live or in a replay, may see of a message."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from stream.messages import Message, Transcript
from stream.redact import redact, region_of

AnyMessage = TypeVar("AnyMessage", bound=Message)


def redacted(message: AnyMessage, region: str) -> AnyMessage:
    """The message without what identifies a person. `region`: a country, or empty to go by the turn's language."""
    if not isinstance(message, Transcript):
        return message
    text = redact(message.text, region or region_of(message.language))
    return message if text == message.text else msgspec.structs.replace(message, text=text)
