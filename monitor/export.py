"""A call in the forms that go out: `jsonl` replays exactly, `json` is for programs, `csv` for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

from monitor.core.events import Event, Point, Turn, decode

FORMATS = ("jsonl", "json", "csv")
COLUMNS = (
    "call_id", "segment_id", "start_s", "end_s", "role", "language", "text", "heat", "emotions", "labels",
    "abstained", "tension", "risk", "stage",
)  # fmt: skip
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so would run as a formula in a spreadsheet."""


def jsonl(records: Iterable[bytes]) -> bytes:
    """The journal as it stands, one record a line: `becalm replay --json` of it gives the same events again."""
    return b"".join(record + b"\n" for record in records)


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


def render(form: str, call_id: str, records: Sequence[bytes], events: Sequence[bytes]) -> bytes:
    """The call in one of `FORMATS`."""
    if form == "jsonl":
        return jsonl(records)
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
