"""Recorded calls as lines: native messages, and the journal records of an export."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

import msgspec

from monitor.core.inputs import AlertAction, PromptAction, Record, Scored, Tick, decode_record
from stream.messages import MessageError, Transcript, decode


class LineError(Exception):
    """A line of a recorded call that cannot be used; the text names file and line, never what was said."""


class _Kind(msgspec.Struct):
    type: str = ""


_kind = msgspec.json.Decoder(_Kind)
_JOURNAL_TAGS = frozenset({"score", "tick", "alert.action", "prompt.action"})


def read_records(lines: Iterable[bytes | str], name: str) -> Iterator[Record]:
    """Messages and journal records, one a line; blank lines are passed over.

    Raises LineError that names `name` and the line, counted from 1.
    """
    for number, line in enumerate(lines, start=1):
        raw = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
        text = (raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw).strip()
        if text:
            try:
                yield _record(text)
            except MessageError as error:
                raise LineError(f"{name}:{number}: {error.message}") from None
            except msgspec.DecodeError as error:
                raise LineError(f"{name}:{number}: {error}") from None


def _record(text: bytes) -> Record:
    try:
        tag = _kind.decode(text).type
    except (msgspec.DecodeError, UnicodeDecodeError):
        tag = ""  # the message decoder says better what is wrong
    return decode_record(text) if tag in _JOURNAL_TAGS else decode(text)


def by_call(records: Iterable[Record]) -> dict[str, list[Record]]:
    """The records of each call in their order, calls in order of first appearance; interims are left out."""
    calls: dict[str, list[Record]] = {}
    for record in records:
        if not isinstance(record, Transcript) or record.final:
            calls.setdefault(record.call_id, []).append(record)
    return calls


def is_journal(records: Iterable[Record]) -> bool:
    """Whether these are the records of a service's journal rather than a bare transcript."""
    return any(isinstance(record, Scored | Tick | AlertAction | PromptAction) for record in records)
