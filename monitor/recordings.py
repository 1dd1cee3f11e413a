"""Recorded calls as lines: native messages, and the journal records of an export."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from monitor.core.inputs import Record, decode_record
from stream.messages import Message, MessageError, Transcript, decode


class LineError(Exception):
    """A line of a recorded call that cannot be used; the text names file and line, never what was said."""


class _Kind(msgspec.Struct):
    type: str = ""


class JournalHead(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="journal"):
    """The first line of an export: the call's lines are a service's journal, of a call judged with these `versions`
    and opened at `opened_at` on the wall clock. It is no record: whoever folds passes over it."""

    call_id: str
    opened_at: datetime | None = None
    versions: dict[str, str] = {}
    """`model`, `rules` and `packs`; empty while the service has not judged anything of the call."""


Line = Record | JournalHead

_kind = msgspec.json.Decoder(_Kind)
_head = msgspec.json.Decoder(JournalHead)
_JOURNAL_TAGS = frozenset({"score", "overdue", "tick", "alert.action", "prompt.action"})


def read_records(lines: Iterable[bytes | str], name: str) -> Iterator[Line]:
    """Messages, journal records and heads of journals, one a line; blank lines are passed over.

    Raises LineError that names `name` and the line, counted from 1.
    """
    for number, line in enumerate(lines, start=1):
        raw = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
        text = (raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw).strip()
        if text:
            try:
                yield _line(text)
            except MessageError as error:
                raise LineError(f"{name}:{number}: {error.message}") from None
            except msgspec.DecodeError as error:
                raise LineError(f"{name}:{number}: {error}") from None


def _line(text: bytes) -> Line:
    try:
        tag = _kind.decode(text).type
    except (msgspec.DecodeError, UnicodeDecodeError):
        tag = ""  # the message decoder says better what is wrong
    if tag == "journal":
        return _head.decode(text)
    return decode_record(text) if tag in _JOURNAL_TAGS else decode(text)


def by_call(lines: Iterable[Line]) -> dict[str, list[Line]]:
    """The lines of each call in their order, calls in order of first appearance; interims are left out."""
    calls: dict[str, list[Line]] = {}
    for line in lines:
        if not isinstance(line, Transcript) or line.final:
            calls.setdefault(line.call_id, []).append(line)
    return calls


def is_journal(lines: Iterable[Line]) -> bool:
    """Whether these are the lines of a service's journal rather than of a bare transcript."""
    return not all(isinstance(line, Message) for line in lines)


def judged_otherwise(lines: Iterable[Line], versions: Mapping[str, str]) -> dict[str, list[str]]:
    """By call, what the export says of `model`, `rules` and `packs` where it differs from `versions`."""
    found: dict[str, list[str]] = {}
    for line in lines:
        if isinstance(line, JournalHead):
            other = [f"{name} {version}" for name, version in line.versions.items() if versions.get(name) != version]
            if other:
                found[line.call_id] = other
    return found
