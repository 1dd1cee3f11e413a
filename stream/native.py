"""Recorded calls in the native format: the ingest protocol's messages, one a line."""

from collections.abc import Iterable, Iterator

from stream.messages import Message, MessageError, decode


class NativeFileError(Exception):
    """A line that is no message: its number, counted from 1, and why."""

    def __init__(self, line: int, reason: MessageError) -> None:
        super().__init__(f"line {line}: {reason.message}")
        self.line = line
        self.reason = reason


def read(lines: Iterable[str]) -> Iterator[tuple[int, Message]]:
    """Line numbers and messages, one at a time; blank lines and a byte order mark are passed over."""
    for number, line in enumerate(lines, start=1):
        text = (line.removeprefix("\ufeff") if number == 1 else line).strip()
        if not text:
            continue
        try:
            message = decode(text)
        except MessageError as error:
            raise NativeFileError(number, error) from None
        yield number, message
