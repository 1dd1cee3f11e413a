"""What becomes of a message: taken and later durable, or refused by name."""

from __future__ import annotations

import asyncio

import msgspec

from stream.messages import Ack, ErrorCode, Message, Transcript

NOT_STORED = "The message could not be stored: send it again later."
NOT_READ = "The store cannot be read: send it again later."
RESTARTING = "The service is restarting: connect again and send what was not acknowledged."
BUSY = "The service is too busy for a new call: send it again later."
MOST_CALLS = "The service has as many calls as it may: send it again later."
NOT_BEGUN = "The call has not begun: send call.start or a transcript first."
ENDED = "The call has ended: it takes no more messages."
NO_CALL = "There is no such call."
FAULT = "The message could not be processed: the call goes on without it."


ERASED = "The call was erased: it takes no more messages."


class Error(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="error"):
    """A message was refused; the connection goes on. Call and segment are named where they can be told."""

    code: ErrorCode
    message: str
    segment_id: str | None = None
    call_id: str | None = None


Answer = Ack | Error


class Refused(Exception):
    """A message or action was not taken; `code` is one of the ingest protocol's, `message` says what to do."""

    def __init__(self, code: ErrorCode, message: str, segment_id: str | None = None) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message
        self.segment_id = segment_id


class NotStored(Exception):
    """A write failed; nothing of it was kept or shown."""


class Receipt(msgspec.Struct, frozen=True):
    """The message is durable; `segment_id` is the final to acknowledge, None for other messages."""

    call_id: str
    segment_id: str | None = None


class Taken(msgspec.Struct, frozen=True):
    """A message that was applied and is on its way to the disk; `stored` None: nothing has to be stored."""

    receipt: Receipt
    stored: asyncio.Future[None] | None = None

    async def durable(self) -> Receipt:
        """Waits for the commit. Raises Refused when the disk would not have it; the message may be sent again."""
        if self.stored is not None:
            try:
                await asyncio.shield(self.stored)
            except NotStored:
                raise Refused("overloaded", NOT_STORED, self.receipt.segment_id) from None
        return self.receipt


def final_of(message: Message) -> str | None:
    """The segment of a transcript; None for the other messages."""
    return message.segment_id if isinstance(message, Transcript) else None
