"""The store: what is written is there, in order, once; what cannot be written takes nothing else with it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from monitor.service.rows import (
    AlertQuery,
    AlertRow,
    CallQuery,
    CallRow,
    EventRow,
    RecordRow,
    StoreBusy,
    StoreError,
    Write,
)
from monitor.service.rowsql import JournalGap
from monitor.service.store import Store


class Answers:
    """Collects what `done` is told, and lets a test wait for it."""

    def __init__(self) -> None:
        self.results: list[Any] = []
        self._news = threading.Condition()

    def __call__(self, result: Any) -> None:
        with self._news:
            self.results.append(result)
            self._news.notify_all()

    def wait(self, count: int) -> list[Any]:
        with self._news:
            assert self._news.wait_for(lambda: len(self.results) >= count, timeout=30)
            return self.results


def record(n: int, call_id: str = "c", body: bytes | None = None, segment: str | None = None) -> RecordRow:
    return RecordRow(call_id, n, body if body is not None else b'{"n":%d}' % n, segment)


def event(n: int, call_id: str = "c") -> EventRow:
    return EventRow(call_id, n, "point", float(n), b'{"n":%d}' % n)


def row(call_id: str = "c", at: float = 100.0, **fields: Any) -> CallRow:
    return CallRow(call_id=call_id, source="native", opened_at=at, updated_at=at, **fields)


def alert(n: int = 1, state: str = "firing", **fields: Any) -> AlertRow:
    values: dict[str, Any] = {
        "call_id": "c", "alert_id": "al-1", "n": n, "kind": "risk", "severity": "warning", "state": state,
        "reason": "It heats up.", "evidence": [{"segment_id": "1", "quote": "Enough!", "label": "anger"}],
        "audience": "supervisor", "at_s": float(n), "fired_at": 1000.0 + n, "updated_at": 1000.0 + n,
    }  # fmt: skip
    return AlertRow(**(values | fields))


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = Store.open(str(tmp_path / "becalm.db"))
    yield opened
    opened.close()


def put(store: Store, *writes: Write) -> list[Any]:
    answers = Answers()
    for write in writes:
        store.write(write, answers)
    return answers.wait(len(writes))


def test_what_is_written_comes_back_in_order(store: Store) -> None:
    first = Write(records=[record(0, segment="s-0")], events=[event(0), event(1)], calls=[row()])
    second = Write(records=[record(1)], events=[event(2)])
    assert put(store, first, second) == [[1, 2], [3]]
    assert store.records("c") == [b'{"n":0}', b'{"n":1}']
    assert store.events("c") == [b'{"n":0}', b'{"n":1}', b'{"n":2}']
    assert store.events_since(1, 10) == [(2, "c", b'{"n":1}'), (3, "c", b'{"n":2}')]
    assert store.events_since(0, 1) == [(1, "c", b'{"n":0}')]
    assert store.events_since(0, 10, until=2)[-1][0] == 2
    assert store.last_seq() == 3
    assert store.has_segment("c", "s-0")
    assert not store.has_segment("c", "s-1")
    assert store.has_record("c", b'{"n":1}')
    assert not store.has_record("c", b"{}")


def test_a_reader_sees_a_write_as_soon_as_done_is_told_and_not_before(store: Store) -> None:
    seen: list[int] = []
    told = threading.Event()

    def done(_: Any) -> None:
        seen.append(len(store.records("c")))
        told.set()

    store.write(Write(records=[record(0), record(1)]), done)
    assert told.wait(30)
    assert seen == [2]


def test_many_writes_share_a_commit(store: Store) -> None:
    assert store.writer is not None
    gate, answers = threading.Event(), Answers()
    store.writer.submit(lambda db: gate.wait(30), answers)
    for n in range(100):
        store.write(Write(records=[record(n)]), answers)
    before = store.writer.groups
    gate.set()
    answers.wait(101)
    assert store.writer.groups - before <= 2
    assert len(store.records("c")) == 100


def test_a_write_with_a_gap_before_it_is_refused_and_the_others_of_its_group_stand(store: Store) -> None:
    gate, answers = threading.Event(), Answers()
    assert store.writer is not None
    store.writer.submit(lambda db: gate.wait(30), answers)
    store.write(Write(records=[record(0, "a")], events=[event(0, "a")]), answers)
    store.write(Write(records=[record(1, "b")], events=[event(0, "b")]), answers)
    store.write(Write(records=[record(1, "a")]), answers)
    gate.set()
    results = answers.wait(4)
    assert [type(result) for result in results[1:]] == [list, JournalGap, list]
    assert len(store.records("a")) == 2
    assert store.records("b") == []
    assert store.events("b") == []


def test_an_event_is_never_stored_twice(store: Store) -> None:
    results = put(store, Write(events=[event(0)]), Write(events=[event(1), event(0)]))
    assert isinstance(results[1], sqlite3.IntegrityError)
    assert store.events("c") == [b'{"n":0}']


def test_a_full_queue_says_so_and_takes_nothing(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "db"), most_waiting=1)
    assert store.writer is not None
    gate, began, answers = threading.Event(), threading.Event(), Answers()

    def block(db: sqlite3.Connection) -> None:
        began.set()
        gate.wait(30)

    store.writer.submit(block, answers)
    assert began.wait(30)
    store.write(Write(records=[record(0)]), answers)
    with pytest.raises(StoreBusy):
        store.write(Write(records=[record(1)]), answers)
    gate.set()
    answers.wait(2)
    assert len(store.records("c")) == 1
    store.close()


def test_close_commits_what_waits(tmp_path: Path) -> None:
    store, answers = Store.open(str(tmp_path / "db")), Answers()
    for n in range(50):
        store.write(Write(records=[record(n)]), answers)
    store.close()
    assert len(answers.results) == 50
    again = Store.open(str(tmp_path / "db"))
    assert len(again.records("c")) == 50
    again.close()


def test_a_callback_that_raises_does_not_stop_the_writer(store: Store) -> None:
    def broken(_: Any) -> None:
        raise RuntimeError

    store.write(Write(records=[record(0)]), broken)
    assert put(store, Write(records=[record(1)])) == [[]]


def test_a_second_service_on_the_same_file_is_refused_with_a_mend(store: Store) -> None:
    code = f"from monitor.service.store import Store; Store.open({store.path!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "another service is using" in done.stderr


def test_reading_beside_a_running_service(store: Store) -> None:
    put(store, Write(records=[record(0)], calls=[row()]))
    beside = Store.open(store.path, read_only=True)
    assert beside.records("c") == [b'{"n":0}']
    with pytest.raises(StoreError, match="reading only"):
        beside.flush()
    beside.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://localhost/becalm", "not supported"),
        ("/nowhere/at/all.db", "choose another --db"),
    ],
)
def test_a_database_that_cannot_be_opened_says_what_to_do(url: str, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        Store.open(url)


def test_a_file_that_is_no_database_and_one_from_the_future(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, not at all, not even a little bit" * 50)
    with pytest.raises(StoreError, match="choose another --db"):
        Store.open(str(tmp_path / "text"))
    newer = sqlite3.connect(tmp_path / "newer")
    newer.execute("PRAGMA user_version = 999")
    newer.close()
    with pytest.raises(StoreError, match="upgrade Becalm"):
        Store.open(str(tmp_path / "newer"))
    with pytest.raises(StoreError, match="no database"):
        Store.open(str(tmp_path / "missing"), read_only=True)


def test_url_forms(tmp_path: Path) -> None:
    store = Store.open(f"sqlite:///{tmp_path}/odd name%?#.db")
    assert (tmp_path / "odd name%?#.db").exists()
    assert store.records("c") == []
    store.close()


def test_alert_rows_keep_first_times_and_last_state(store: Store) -> None:
    put(
        store,
        Write(alerts=[alert(1)]),
        Write(alerts=[alert(2, "updated", severity="critical")]),
        Write(alerts=[alert(3, "acknowledged", acknowledged_at=1003.0, acknowledged_by="mira")]),
        Write(alerts=[alert(4, "acknowledged", acknowledged_at=1004.0, acknowledged_by="ana")]),
        Write(alerts=[alert(5, "resolved", resolved_at=1005.0)]),
    )
    stored = store.alert("al-1")
    assert stored is not None
    assert (stored.state, stored.severity, stored.fired_at, stored.at_s) == ("resolved", "warning", 1001.0, 1.0)
    assert (stored.acknowledged_at, stored.acknowledged_by, stored.resolved_at) == (1003.0, "ana", 1005.0)
    assert stored.evidence[0]["quote"] == "Enough!"
    assert store.alerts(AlertQuery(open=True)) == []
    assert [found.alert_id for found in store.alerts(AlertQuery(call_id="c", kind="risk"))] == ["al-1"]


def test_call_row_keeps_its_opening_and_what_people_recorded(store: Store) -> None:
    put(store, Write(calls=[row(at=100.0)]))
    store.add_annotation("c", "outcome", b'{"outcome":"resolved"}', "qa")
    put(store, Write(calls=[row(at=200.0, outcome_guess="escalated", state="ended", finished=True)]))
    stored = store.call("c")
    assert stored is not None
    assert (stored.opened_at, stored.updated_at, stored.outcome, stored.finished) == (100.0, 200.0, "resolved", True)
    assert store.unfinished_calls() == []


def test_lists_filter_and_page(store: Store) -> None:
    calls = [
        row("a", 1.0, team="billing", labels=("anger",), peak_tension=0.9, state="ended", outcome_guess="escalated"),
        row("b", 2.0, team="billing", language="hr", peak_tension=0.1),
        row("d", 2.0, team="tech", agent_id="a-1", customer_id="k-1"),
    ]
    texts = [("a", 0, "100% STRASSE".casefold()), ("b", 0, "jučer sam zvao"), ("d", 0, "要投诉")]
    put(store, Write(calls=calls, texts=texts, labels=[("anger", "a")]))

    def ids(**fields: Any) -> list[str]:
        return [found.call_id for found in store.calls(CallQuery(**fields))]

    assert ids() == ["d", "b", "a"]
    assert ids(live=True) == ["d", "b"]
    assert ids(live=False) == ["a"]
    assert ids(team="billing") == ["b", "a"]
    assert ids(teams=("tech",)) == ["d"]
    assert ids(teams=()) == []
    assert ids(label="anger") == ["a"]
    assert ids(min_peak=0.5) == ["a"]
    assert ids(outcome="escalated") == ["a"]
    assert ids(agent="a-1") == ["d"]
    assert ids(customer="k-1") == ["d"]
    assert ids(language="hr") == ["b"]
    assert ids(since=2.0) == ["d", "b"]
    assert ids(until=2.0) == ["a"]
    assert ids(text="100% straße") == ["a"]
    assert ids(text="100_") == []
    assert ids(text="投诉") == ["d"]
    first = store.calls(CallQuery(limit=2))
    assert [found.call_id for found in store.calls(CallQuery(limit=2, cursor=first[-1].cursor))] == ["a"]
    with pytest.raises(ValueError, match="cursor"):
        store.calls(CallQuery(cursor="nonsense"))


def test_statistics(store: Store) -> None:
    empty = store.stats()
    assert len(empty) == 1
    assert empty[0].escalation_rate is None
    assert empty[0].calls == 0
    assert store.stats(by="team") == []
    put(
        store,
        Write(
            calls=[
                row("c", 10.0, team="x", state="ended", outcome_guess="escalated"),
                row("d", 86_410.0, team="x", state="ended", outcome_guess="resolved"),
                row("e", 86_411.0, team="y"),
            ],
            alerts=[alert(1, "acknowledged", acknowledged_at=1011.0), alert(2, alert_id="al-2", call_id="d")],
        ),
    )
    by_team = {found.key: found for found in store.stats(by="team")}
    assert (by_team["x"].calls, by_team["x"].escalated, by_team["x"].escalation_rate) == (2, 1, 50.0)
    assert (by_team["y"].ended, by_team["y"].escalation_rate) == (0, 0.0)
    assert store.stats()[0].escalation_rate == pytest.approx(100 / 3), "over all calls, those that go on too"
    assert [(found.key, found.calls) for found in store.stats(by="day", teams=("y",))] == [("1970-01-02", 1)]
    assert (by_team["x"].alerts, by_team["x"].acknowledged, by_team["x"].ack_p50_s) == (2, 1, 10.0)
    assert [found.key for found in store.stats(by="day")] == ["1970-01-01", "1970-01-02"]
    assert store.stats(since=86_400.0)[0].calls == 2
    with pytest.raises(ValueError, match="by:"):
        store.stats(by="agent")


def test_annotations_and_meta(store: Store) -> None:
    store.add_annotation("c", "note", b'{"text":"watch this"}', "qa")
    store.add_annotation("c", "feedback", '{"verdict":"false"}', "mira", alert_id="al-1")
    notes = store.annotations("c")
    assert [(note.kind, note.by, note.alert_id) for note in notes] == [
        ("note", "qa", None),
        ("feedback", "mira", "al-1"),
    ]
    assert bytes(notes[0].body) == b'{"text":"watch this"}'
    with pytest.raises(ValueError, match="kind"):
        store.add_annotation("c", "gossip", b"{}", "qa")
    with pytest.raises(ValueError, match="outcome"):
        store.add_annotation("c", "outcome", b"{}", "qa")
    assert store.meta("place") is None
    store.set_meta("place", "1")
    store.set_meta("place", "2")
    assert store.meta("place") == "2"


def test_erased_is_gone_from_every_table_and_from_the_file(store: Store) -> None:
    secret = "Unrepeatable-8c1f"
    put(
        store,
        Write(
            records=[record(0, body=secret.encode())],
            events=[EventRow("c", 0, "turn", 0.0, secret.encode()), event(0, "kept")],
            calls=[row(customer_id="k-1"), row("kept")],
            alerts=[alert(1, reason=secret)],
            texts=[("c", 0, secret.casefold())],
            labels=[("anger", "c")],
        ),
    )
    store.add_annotation("c", "note", f'"{secret}"', "qa")
    assert store.calls_of_customer("k-1") == ["c"]
    last = store.last_seq()
    assert store.erase(["c", "unknown"]) == 1
    assert store.call("c") is None
    assert store.records("c") == []
    assert store.events("c") == []
    assert store.alert("al-1") is None
    assert store.annotations("c") == []
    assert store.call("kept") is not None
    assert put(store, Write(events=[event(1, "kept")])) == [[last + 1]]
    path = Path(store.path)
    store.close()
    for file in path.parent.iterdir():
        content = file.read_bytes()
        assert secret.encode() not in content
        assert secret.casefold().encode() not in content


def test_alerts_page_by_cursor_without_gap_or_double(store: Store) -> None:
    """Several alerts of one commit share their time."""
    named = [alert(1, alert_id=f"al-{n}", call_id=f"c{n}") for n in range(5)]
    put(store, Write(alerts=named))
    found: list[str] = []
    cursor = None
    while page := store.alerts(AlertQuery(limit=2, cursor=cursor)):
        found += [row.alert_id for row in page]
        cursor = page[-1].cursor
    assert found == [row.alert_id for row in store.alerts()]
    assert sorted(found) == [f"al-{n}" for n in range(5)]
    with pytest.raises(ValueError, match="cursor"):
        store.alerts(AlertQuery(cursor="1.0:nonsense"))
