"""`becalm replay`: the same bytes every time, whatever the order of calls, and of a live call's export."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import DEMO, Becalm, Service

SLOW_BURN = DEMO / "02-slow-burn.jsonl"
FAILING = DEMO / "04-failing-agent.jsonl"
MUST_REPORT = DEMO / "01-polite-must-report.jsonl"


@pytest.fixture(scope="module")
def events(becalm: Becalm) -> bytes:
    """The events of two calls, one file after the other."""
    ran = becalm("replay", "--json", SLOW_BURN, FAILING)
    assert (ran.returncode, ran.stderr) == (0, b"")
    return ran.stdout


def test_json_is_events_and_nothing_else(events: bytes) -> None:
    rows = [json.loads(line) for line in events.splitlines()]
    assert {"type", "call_id", "at_s"} <= set.intersection(*(set(row) for row in rows))
    assert {row["type"] for row in rows} >= {"call", "turn", "point", "alert", "prompt", "stage"}
    calls = [row["call_id"] for row in rows]
    assert calls == sorted(calls), "events are grouped by call, in order of first appearance"


def test_calls_that_interleave_give_the_same_bytes(becalm: Becalm, events: bytes) -> None:
    one, other = SLOW_BURN.read_text().splitlines(), FAILING.read_text().splitlines()
    mixed = [line for pair in zip(one, other, strict=False) for line in pair]
    mixed += one[len(other) :] + other[len(one) :]
    ran = becalm("replay", "--json", "-", stdin="\n".join(mixed))
    assert ran.stdout == events


def test_a_live_call_replays_byte_for_byte(becalm: Becalm, service: Service) -> None:
    """Sent among all the others, with one call's messages twice; then its export gives the service's own events."""
    files = sorted(DEMO.glob("*.jsonl"))
    assert becalm("send", *files, MUST_REPORT, "--speed", "max", "--url", service.url).returncode == 0
    settled(service, "demo-01-polite-must-report")
    journal = becalm("export", "demo-01-polite-must-report", "--db", service.db).stdout
    over_http = becalm("export", "demo-01-polite-must-report", "--url", service.url).stdout
    assert journal == over_http
    live = json.loads(becalm("export", "demo-01-polite-must-report", "--url", service.url, "--format", "json").stdout)
    replayed = becalm("replay", "--json", "-", stdin=journal)
    assert (replayed.returncode, replayed.stderr) == (0, b"")
    assert [json.loads(line) for line in replayed.stdout.splitlines()] == live["events"]
    assert replayed.stdout == stored_events(service, "demo-01-polite-must-report")
    assert [event for event in live["events"] if event["type"] == "alert" and event["kind"] == "must_report"]


def test_replaying_the_transcript_agrees_with_live(becalm: Becalm, service: Service) -> None:
    """Scored anew in other batches: the same alerts, tension to 0.01."""
    assert becalm("send", MUST_REPORT, "--speed", "max", "--url", service.url).returncode == 0
    settled(service, "demo-01-polite-must-report")
    live = [json.loads(line) for line in stored_events(service, "demo-01-polite-must-report").splitlines()]
    anew = [json.loads(line) for line in becalm("replay", "--json", MUST_REPORT).stdout.splitlines()]

    def alerts(rows: list[dict[str, object]]) -> list[object]:
        return [(row["alert_id"], row["state"], row["at_s"]) for row in rows if row["type"] == "alert"]

    def curve(rows: list[dict[str, object]]) -> list[float]:
        return [float(str(row["tension"])) for row in rows if row["type"] == "point"]

    assert alerts(anew) == alerts(live)
    assert curve(anew) == pytest.approx(curve(live), abs=0.01)


def test_the_summary_is_for_people(becalm: Becalm, tmp_path: Path) -> None:
    ran = becalm("replay", MUST_REPORT, "--png", tmp_path)
    said = ran.stdout.decode()
    assert ran.returncode == 0
    assert said.startswith("demo-01-polite-must-report  voice, en")
    for words in ("peak tension", "must_report firing", "“", "ended at", "outcome guess", "prompt"):
        assert words in said
    picture = tmp_path / "demo-01-polite-must-report.png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_call_without_an_end_stays_open_and_says_so(becalm: Becalm) -> None:
    lines = [line for line in MUST_REPORT.read_text().splitlines() if '"call.end"' not in line]
    said = becalm("replay", "-", stdin="\n".join(lines)).stdout.decode()
    assert "still open at" in said
    assert "18 turns" in said


def test_settings_change_what_is_decided_and_are_part_of_the_version(becalm: Becalm, events: bytes) -> None:
    ran = becalm(
        "replay", "--json", SLOW_BURN, FAILING, "--set", "policy.enter_at=0.05", "--set", "policy.exit_at=0.01"
    )
    changed = [json.loads(line) for line in ran.stdout.splitlines()]
    before = [json.loads(line) for line in events.splitlines()]
    assert changed[0]["versions"]["rules"] != before[0]["versions"]["rules"]
    assert [row for row in changed if row["type"] == "alert" and row["kind"] == "risk"]


def test_an_import_holds_what_the_replay_says(becalm: Becalm, tmp_path: Path, events: bytes) -> None:
    database = tmp_path / "calls.db"
    assert becalm("import", SLOW_BURN, FAILING, "--db", database).stdout == b"2 calls stored, 0 there before\n"
    assert becalm("import", SLOW_BURN, "--db", database).stdout == b"0 calls stored, 1 there before\n"
    journal = b"".join(
        becalm("export", call, "--db", database).stdout for call in ("demo-02-slow-burn", "demo-04-failing-agent")
    )
    assert becalm("replay", "--json", "-", stdin=journal).stdout == events
    erased = becalm("erase", "--customer", "k-102", "--db", database, "--yes")
    assert (erased.returncode, erased.stdout) == (0, b"erased 1 of 1 calls\n")
    assert becalm("export", "demo-02-slow-burn", "--db", database).returncode == 1


def settled(service: Service, call_id: str) -> None:
    """Reads the feed until the call's end has been told; the scores come after the acks."""
    from urllib.parse import urlsplit

    from websockets.sync.client import connect

    with connect(f"ws://{urlsplit(service.url).netloc}/v1/feed?call_id={call_id}&since=0", open_timeout=60) as feed:
        while True:
            frame = json.loads(feed.recv(timeout=120))
            if frame.get("type") == "call" and frame.get("state") == "end":
                return


def stored_events(service: Service, call_id: str) -> bytes:
    from monitor.service.store import Store

    store = Store.open(str(service.db), read_only=True)
    try:
        return b"".join(event + b"\n" for event in store.events(call_id))
    finally:
        store.close()


JOURNAL_HEAD = '{"type":"journal","call_id":"c","versions":{"model":"older","rules":"r","packs":"p"}}\n'
OPEN_CALL = '{"type":"call.start","call_id":"c"}\n'


def test_an_export_of_other_rules_is_replayed_with_a_warning(becalm: Becalm) -> None:
    ran = becalm("replay", "--json", "-", stdin=JOURNAL_HEAD + OPEN_CALL)
    assert ran.returncode == 0
    assert [json.loads(line)["type"] for line in ran.stdout.splitlines()] == ["call"]
    (warning,) = ran.stderr.decode().splitlines()
    assert warning.startswith("becalm replay: warning: c was judged with model older, rules r, packs p; here: model ")


def test_strict_refuses_an_export_of_other_rules(becalm: Becalm) -> None:
    ran = becalm("replay", "--json", "--strict", "-", stdin=JOURNAL_HEAD + OPEN_CALL)
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert ran.stderr.decode().startswith("becalm replay: c was judged with model older")
    fine = becalm("replay", "--json", "--strict", "-", stdin=OPEN_CALL)
    assert (fine.returncode, fine.stderr) == (0, b"")


def test_an_export_replays_strictly_here_and_says_when_settings_differ(becalm: Becalm, tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    assert becalm("import", MUST_REPORT, "--db", database).returncode == 0
    journal = becalm("export", "demo-01-polite-must-report", "--db", database).stdout
    same = becalm("replay", "--json", "--strict", "-", stdin=journal)
    assert (same.returncode, same.stderr) == (0, b"")
    other = becalm(
        "replay", "--json", "-", "--set", "policy.enter_at=0.05", "--set", "policy.exit_at=0.01", stdin=journal
    )
    assert (other.returncode, len(other.stderr.splitlines())) == (0, 1)
    assert becalm("import", "-", "--db", tmp_path / "again.db", stdin=journal).returncode == 0
    assert becalm("export", "demo-01-polite-must-report", "--db", tmp_path / "again.db").stdout == journal


def test_a_running_service_erases(becalm: Becalm, service: Service, tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    calls = ("erase/1", "k-erase"), ("erase-2", "k-erase"), ("erase-3", "k-other")
    starts = [{"type": "call.start", "call_id": call, "customer": {"id": customer}} for call, customer in calls]
    said = {"type": "transcript", "segment_id": "1", "role": "customer", "text": "Hi.", "final": True, "start_s": 0}
    finals = [{**said, "call_id": call} for call, _ in calls]
    file.write_text("\n".join(map(json.dumps, [*starts, *finals])))
    assert becalm("send", file, "--speed", "max", "--url", service.url).returncode == 0
    one = becalm("erase", "--call", "erase/1", "--call", "nobody", "--url", service.url, "--yes")
    assert (one.returncode, one.stdout) == (1, b"erased 1 of 2 calls\n")
    customer = becalm("erase", "--customer", "k-erase", "--url", service.url, "--yes")
    assert (customer.returncode, customer.stdout) == (0, b"erased 1 of 1 calls\n")
    again = becalm("erase", "--customer", "k-erase", "--url", service.url, "--yes")
    assert (again.returncode, again.stdout) == (1, b"")
    assert becalm("export", "erase-3", "--url", service.url).returncode == 0
    assert becalm("export", "erase/1", "--db", service.db).returncode == 1
    assert becalm("erase", "--call", "erase-3", "--url", service.url, "--db", service.db).returncode == 2
    assert becalm("erase", "--call", "erase-3", "--url", service.url).returncode == 2, "nobody is there to ask"
