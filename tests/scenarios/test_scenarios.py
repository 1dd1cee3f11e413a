"""The acceptance scenarios that are known (`scenarios.json`), each as a script over `becalm replay --json`.

The other half is kept back: nothing here may be solved by its own words. All calls run in one replay.
"""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.heard import Told, messages, replay

SCENARIOS: dict[str, dict[str, Any]] = {
    item["id"]: item for item in json.loads((Path(__file__).parent / "scenarios.json").read_text(encoding="utf-8"))
}


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """Every scenario as it stands, plus AS19 with its silences on hold and AS21 as a bad wire delivers it."""
    calls = [messages(scenario) for scenario in SCENARIOS.values()]
    calls += [on_hold(), clean_wire(), bad_wire(), two_yeses()]
    return replay(tmp_path_factory.mktemp("scenarios") / "scenarios.jsonl", calls)


def on_hold() -> list[dict[str, Any]]:
    call = messages(SCENARIOS["AS19"], "AS19-held")
    for after, (from_s, to_s) in ((1, (1, 27)), (4, (34, 59))):
        call[after + 1 : after + 1] = [
            {"type": "call.hold", "call_id": "AS19-held", "at_s": from_s},
            {"type": "call.resume", "call_id": "AS19-held", "at_s": to_s},
        ]
    return sorted(call, key=lambda message: message.get("at_s", message.get("start_s", 0)))


def clean_wire() -> list[dict[str, Any]]:
    return messages(SCENARIOS["AS21"], "AS21-clean")


def bad_wire() -> list[dict[str, Any]]:
    """Interims before every final, chunk 3 before chunk 2, chunk 3 again, and the last two resent after a reconnect."""
    call = messages(SCENARIOS["AS21"], "AS21-bad")
    start, finals, end = call[0], call[1:-1], call[-1]
    finals[2], finals[1] = finals[1], finals[2]
    out = [start]
    for final in [*finals[:3], finals[1], *finals[3:], *finals[2:]]:
        words = final["text"].split()
        for revision in range(1, len(words), 2):
            out.append(final | {"text": " ".join(words[:revision]), "final": False, "revision": revision})
        out.append(final | {"revision": len(words)})
    return [*out, end]


def two_yeses() -> list[dict[str, Any]]:
    call = messages(SCENARIOS["AS21"], "AS21-yes")
    return [*(message | {"text": "Yes"} if "text" in message else message for message in call)]


def test_as01_a_polite_threat_reaches_a_superior_on_its_turn(told: dict[str, Told]) -> None:
    call = told["AS01"]
    first, *later = call.alerts("must_report")
    assert (first["segment_id"], first["state"], first["severity"]) == ("2", "firing", "critical")
    assert [any(words in quote for quote in call.quotes("must_report")) for words in ("升级投诉", "消协")] == [
        True,
        True,
    ]
    assert any(alert["state"] == "updated" and alert["segment_id"] == "3" for alert in later)
    assert {alert["alert_id"] for alert in later} == {first["alert_id"]}
    assert any("媒体" in item["quote"] for alert in later for item in alert["evidence"])


def test_as03_the_same_story_again_and_again(told: dict[str, Told]) -> None:
    call = told["AS03"]
    (hit,) = (hit for hit in call.turn(6)["labels"] if hit["name"] == "repetition")
    assert hit["count"] >= 3
    assert any(words in "".join(hit["content"]) for words in ("请了假", "请假", "等了一", "没有来", "没有人来"))
    assert call.end["customer_type"] == "nagging"
    assert call.end["type_evidence"]
    assert call.tension(6) > call.tension(0)
    assert "repeated_point" in call.prompts()


def test_as04_stock_apologies_calm_nobody(told: dict[str, Told]) -> None:
    call = told["AS04"]
    assert [number for number in (1, 3, 5) if "stock_apology" in call.labels(number)] == [1, 3, 5]
    assert all(later >= earlier for earlier, later in pairwise(call.curve()))
    assert "stock_apology" in call.prompts()
    assert call.alerts("escalation_request")[0]["segment_id"] == "6"


@pytest.mark.xfail(reason="the six layers do not hear that the customer gives way; the twelve do")
def test_as06_calmed_then_blocked_then_relapsed(told: dict[str, Told]) -> None:
    call = told["AS06"]
    assert call.tension(2) < call.tension(0)
    assert call.tension(6) > call.tension(2)
    (relapse,) = call.of("pivot", kind="relapse")
    assert relapse["segment_id"] in ("4", "6")
    assert relapse["since_segment_id"] in ("1", "2")
    asked = [event["segment_id"] for event in call.of("prompt", situation="only_one_way")]
    assert "5" in asked
    assert [alert for kind in ("relapse", "risk", "must_report") for alert in call.alerts(kind) if alert["at_s"] >= 28]


def test_as08_insults_make_one_alert_not_a_storm(told: dict[str, Told]) -> None:
    call = told["AS08"]
    fired = call.alerts("risk", "firing")
    assert len(fired) == 1
    assert fired[0]["at_s"] <= 15
    assert call.end["customer_type"] == "irritable"
    assert {"insult"} <= {item["label"] for item in call.end["type_evidence"]}
    for number in (1, 3):
        assert call.tension(number) <= call.tension(number - 1)


def test_as10_confronting_and_taboo_wording(told: dict[str, Told]) -> None:
    call = told["AS10"]
    assert "confront" in call.labels(1) | call.labels(3)
    assert "taboo" in call.labels(5)
    alerts = call.alerts("agent_conduct")
    assert any(item["label"] == "taboo" for alert in alerts if alert["at_s"] <= 15 for item in alert["evidence"])
    assert {"confront", "taboo"} & set(call.prompts())


@pytest.mark.xfail(reason="the six layers take the agent's own empathy for a stock apology; the twelve do not")
def test_as12_vent_disarm_calm(told: dict[str, Told]) -> None:
    call = told["AS12"]
    stages = [event["to"] for event in call.of("stage")]
    assert stages == ["vent", "disarm", "calm"]
    assert all(event["segment_id"] for event in call.of("stage"))
    peak = max(range(9), key=lambda number: call.tension(number))
    assert peak <= 2
    assert call.tension(8) < 0.35
    credit = {part["name"] for point in call.of("point") for part in point["contributions"]}
    assert {"credit:empathise", "credit:solve"} <= credit
    open_alerts = {alert["alert_id"]: alert["state"] for alert in call.of("alert")}
    assert set(open_alerts.values()) <= {"resolved"}


def test_as13_inflected_croatian_bodies(told: dict[str, Told]) -> None:
    call = told["AS13"]
    states = [(alert["segment_id"], alert["state"]) for alert in call.alerts("must_report")]
    assert states[:2] == [("0", "firing"), ("1", "updated")]
    assert [call.turn(number)["language"] for number in (0, 1)] == ["hr", "hr"]
    packs = {hit.get("pack") for number in (0, 1) for hit in call.turn(number)["labels"]}
    assert "hr/must_report" in packs
    quotes = " ".join(call.quotes("must_report"))
    assert all(words in quotes for words in ("inspekciji", "udruzi", "novinarima"))


def test_as17_sarcasm_is_no_praise(told: dict[str, Told]) -> None:
    call = told["AS17"]
    assert call.tension(0) > 0.2
    assert call.tension(2) > call.tension(0) or call.tension(2) >= 0.5
    assert "miss_emotion" in call.labels(1)


def test_as19_a_frozen_agent_is_noticed_by_the_clock(told: dict[str, Told]) -> None:
    call = told["AS19"]
    fired = [alert["at_s"] for alert in call.alerts("silence", "firing")]
    assert 0 < fired[0] <= 10
    assert 33 < fired[1] <= 43
    assert any(event["situation"] == "silence" and event["at_s"] <= 10 for event in call.of("prompt"))
    assert not [alert for alert in told["AS19-held"].alerts("silence") if alert["at_s"] < 60]


def test_as20_flapping_makes_one_alert_and_a_threat_passes_everything(told: dict[str, Told], tmp_path: Path) -> None:
    risks = {point["segment_id"]: point["risk"] for point in told["AS20"].of("point")}
    enter = min(risks["2"], risks["4"]) - 0.001
    settings = ("--set", f"policy.enter_at={enter:.4f}", "--set", f"policy.exit_at={enter * 0.8:.4f}")
    call = replay(tmp_path / "flapping.jsonl", [messages(SCENARIOS["AS20"])], *settings)["AS20"]
    assert len([alert for alert in call.alerts("risk", "firing") if alert["at_s"] <= 45]) <= 1
    assert call.alerts("escalation_request")[0]["segment_id"] == "5"
    assert call.alerts("must_report")[0]["severity"] == "critical"


def test_as21_a_bad_wire_changes_nothing(told: dict[str, Told]) -> None:
    def bare(name: str) -> str:
        return json.dumps(told[name].events, ensure_ascii=False).replace(name, "AS21")

    ids = {"al-", "pr-"}
    clean, bad = (
        [{key: value for key, value in event.items() if str(value)[:3] not in ids} for event in json.loads(bare(name))]
        for name in ("AS21-clean", "AS21-bad")
    )
    assert clean == bad
    assert [turn["text"] for turn in told["AS21-yes"].of("turn")] == ["Yes"] * 5


@pytest.mark.xfail(reason="the model does not hear m02_empathise in a turn that also introduces")
def test_as24_threat_then_a_manager_with_the_script(told: dict[str, Told]) -> None:
    call = told["AS24"]
    assert "defend" in call.labels(1)
    assert call.alerts("must_report")[0]["segment_id"] == "2"
    script = call.end["script"]
    assert {"m01_introduce", "m02_empathise", "m06_set_expectation", "m08_confirm_contact"} <= set(script["done"])
    assert {"m12_reference_number", "m14_next_steps"} <= set(script["done"])
    assert {"m05_ask_details", "m11_document"} <= set(script["missing"])
    assert "open_promise" in call.end["flags"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_neighbours_in_a_file_change_nothing(told: dict[str, Told], tmp_path: Path, seed: int) -> None:
    """The same calls, their lines interleaved at random: the same events of each."""
    calls = [messages(scenario) for scenario in list(SCENARIOS.values())[:4]]
    rng = random.Random(seed)
    mixed: list[dict[str, Any]] = []
    while any(calls):
        mixed.append(rng.choice([call for call in calls if call]).pop(0))
    again = replay(tmp_path / "mixed.jsonl", [mixed])
    assert all(again[name].events == told[name].events for name in again)
