"""A call in the forms that go out: `jsonl` replays exactly, `json` is for programs, `csv` for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from monitor.core.events import Call, Event, Point, Turn, decode
from monitor.recordings import JournalHead

FORMATS = ("jsonl", "json", "csv")
COLUMNS = (
    "call_id", "segment_id", "start_s", "end_s", "role", "language", "text", "heat", "emotions", "labels",
    "abstained", "tension", "risk", "stage",
)  # fmt: skip
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so would run as a formula in a spreadsheet."""


def jsonl(head: JournalHead, records: Iterable[bytes]) -> bytes:
    """The head, then the journal as it stands, a record a line: `becalm replay --json` gives the same events again."""
    return b"".join(line + b"\n" for line in (msgspec.json.encode(head), *records))


def head_of(call_id: str, opened_at: datetime, events: Sequence[bytes]) -> JournalHead:
    """What a journal does not say itself; the versions stand in the call's first event, its start."""
    start = decode(events[0]) if events else None
    versions = start.versions if isinstance(start, Call) and start.versions is not msgspec.UNSET else {}
    return JournalHead(call_id=call_id, opened_at=opened_at, versions=versions)


def json(call_id: str, events: Iterable[bytes]) -> bytes:
    """One object with the call's events."""
    body = msgspec.json.encode({"call_id": call_id, "events": [msgspec.Raw(event) for event in events]})
    return msgspec.json.format(body, indent=2) + b"\n"


def csv_table(events: Iterable[bytes]) -> bytes:
    """The turns with the curve beside them, as UTF-8 with a byte order mark; texts never run as formulas."""
    rows = _rows([decode(event) for event in events])
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return "\ufeff".encode() + text.getvalue().encode("utf-8", "replace")


def render(form: str, call_id: str, opened_at: datetime, records: Sequence[bytes], events: Sequence[bytes]) -> bytes:
    """The call, opened at `opened_at` on the wall clock, in one of `FORMATS`."""
    if form == "jsonl":
        return jsonl(head_of(call_id, opened_at, events), records)
    return json(call_id, events) if form == "json" else csv_table(events)


def _rows(events: list[Event]) -> list[list[object]]:
    points = {str(event.segment_id): event for event in events if isinstance(event, Point)}
    return [_row(turn, points.get(str(turn.segment_id))) for turn in events if isinstance(turn, Turn)]


def _row(turn: Turn, point: Point | None) -> list[object]:
    held = [name for name, p in sorted(turn.emotions.items()) if p >= 0.5]
    labels = sorted({hit.name for hit in turn.labels})
    curve: list[object] = [None] * 3 if point is None else [point.tension, point.risk, point.stage]
    return [
        turn.call_id, turn.segment_id, turn.start_s, turn.end_s, turn.role, turn.language, turn.text, turn.heat,
        " ".join(held), " ".join(labels), turn.abstained, *curve,
    ]  # fmt: skip


def _cell(value: object) -> object:
    return "'" + value if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
