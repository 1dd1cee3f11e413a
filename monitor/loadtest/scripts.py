"""What simulated calls say: the turns of recorded or labelled calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from monitor.labelled_calls import decode_call, records
from monitor.recordings import LineError, read_records
from stream.messages import CallStart, Transcript
from stream.schema import Channel, Role


class Line(msgspec.Struct, frozen=True):
    """One turn."""

    role: Role
    text: str
    language: str | None


class Script(msgspec.Struct, frozen=True):
    """The turns of one call in their order, one at least."""

    language: str | None
    channel: Channel
    lines: tuple[Line, ...]


class _Shape(msgspec.Struct):
    turns: list[msgspec.Raw] | None = None


_shape = msgspec.json.Decoder(_Shape)


def read_scripts(files: Iterable[Path]) -> list[Script]:
    """The calls of files with native messages or labelled calls, one JSON object a line.

    Raises LineError naming file and line, and OSError.
    """
    messages: list[object] = []
    for path in files:
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            if line.strip():
                messages += _messages(line, path, number)
    return list(scripts(messages))


def _messages(line: bytes, path: Path, number: int) -> Iterable[object]:
    try:
        labelled = _shape.decode(line).turns is not None
    except msgspec.DecodeError:
        labelled = False  # the message decoder says better what is wrong
    try:
        return list(records(decode_call(line))) if labelled else list(read_records([line], path.name))
    except msgspec.DecodeError as error:
        raise LineError(f"{path}:{number}: {error}") from None
    except LineError as error:
        reason = str(error).removeprefix(f"{path.name}:1: ")
        raise LineError(f"{path}:{number}: {reason}") from None


def scripts(messages: Iterable[object]) -> Iterator[Script]:
    """One script a call that has finals, in order of appearance; whatever else is no part of it."""
    starts: dict[str, CallStart] = {}
    lines: dict[str, list[Line]] = {}
    for message in messages:
        if isinstance(message, CallStart):
            starts[message.call_id] = message
        elif isinstance(message, Transcript) and message.final and message.text.strip():
            line = Line(message.role, message.text, message.language)
            lines.setdefault(message.call_id, []).append(line)
    for call_id, said in lines.items():
        start = starts.get(call_id, CallStart(call_id))
        yield Script(start.language, start.channel, tuple(said))
