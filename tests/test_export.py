"""The forms in which a call goes out."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from monitor import export
from monitor.core.events import Call, Event, Point, Turn, encode

TEXTS = ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", 'He said "no",\nthen left', "國語"]


def turn(number: int, text: str) -> Turn:
    return Turn(
        call_id="c", at_s=float(number), segment_id=str(number), segments=[str(number)], role="customer", text=text,
        start_s=0.0, end_s=1.0, language="en", emotions={"anger": 0.7, "joy": 0.1}, heat=2.5, labels=[], abstained=None,
    )  # fmt: skip


def point(number: int) -> Point:
    return Point(
        call_id="c",
        at_s=1.0,
        segment_id=str(number),
        tension=0.25,
        risk=0.5,
        stage="vent",
        degraded=None,
        contributions=[],
    )


@pytest.fixture
def events() -> list[bytes]:
    made: list[Event] = [turn(n, text) for n, text in enumerate(TEXTS)]
    return [encode(event) for event in [*made, point(0)]]


def table(events: list[bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(export.csv_table(events).decode("utf-8-sig"), newline="")))


def test_csv_has_a_byte_order_mark_and_a_row_a_turn(events: list[bytes]) -> None:
    assert export.csv_table(events).startswith(b"\xef\xbb\xbfcall_id,")
    rows = table(events)
    assert len(rows) == len(TEXTS)
    assert (rows[0]["tension"], rows[0]["risk"], rows[0]["stage"], rows[0]["emotions"]) == (
        "0.25",
        "0.5",
        "vent",
        "anger",
    )
    assert rows[1]["tension"] == ""


def test_no_cell_runs_as_a_formula(events: list[bytes]) -> None:
    texts = [row["text"] for row in table(events)]
    assert texts == ["'=HYPERLINK(1)", "'+1", "'-1", "'@x", "'\tx", *TEXTS[5:]]


OPENED = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def test_jsonl_is_a_head_and_the_journal_as_it_stands() -> None:
    versions = {"model": "m", "rules": "r", "packs": "p"}
    began = encode(Call(call_id="c", at_s=0.0, state="start", versions=versions))
    head, *journal = export.render("jsonl", "c", OPENED, [b'{"a":1}', b'{"b":2}'], [began]).splitlines()
    assert journal == [b'{"a":1}', b'{"b":2}']
    assert json.loads(head) == {
        "type": "journal",
        "call_id": "c",
        "opened_at": "2026-11-22T09:30:00Z",
        "versions": versions,
    }


def test_a_call_of_which_nothing_was_judged_has_a_head_too() -> None:
    head, _ = export.render("jsonl", "c", OPENED, [b'{"a":1}'], []).splitlines()
    assert json.loads(head)["versions"] == {}


def test_json_is_one_object(events: list[bytes]) -> None:
    body = json.loads(export.render("json", "c", OPENED, [], events))
    assert body["call_id"] == "c"
    assert body["events"] == [json.loads(event) for event in events]
