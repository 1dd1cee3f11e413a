"""From a customer's words to a signed delivery, through the whole service, also over a restart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

from alerts.routing import Match, Receiver
from tests.alerts.notes import receiver
from tests.alerts.receiver import SECRET, Answer, Endpoint, receiving
from tests.api.conftest import ANGRY
from tests.api.service import call, running


def told(endpoint: Endpoint) -> Receiver:
    """A receiver of what is certain to fire, however risk is weighed."""
    return receiver(endpoint.url, match=Match(kinds=["must_report", "escalation_request"]))


def take(endpoint: Endpoint, count: int) -> list[dict[str, Any]]:
    hits = [endpoint.next() for _ in range(count)]
    return [Webhook(SECRET).verify(hit.body, hit.headers) for hit in hits]


def test_an_alert_reaches_its_receiver_with_all_that_is_needed(tmp_path: Path) -> None:
    with receiving() as endpoint, running(tmp_path, receivers=[told(endpoint)]) as service:
        service.send(call("c 1/x", ANGRY[:3], end=False))
        first, second = take(endpoint, 2)
        alert = service.http.get("/v1/alerts?kind=must_report").json()["alerts"][0]
        assert service.http.get("/v1/calls/c%201%2Fx").json()["call"]["call_id"] == "c 1/x"
        assert service.http.get("/v1/calls/c%201%2Fx/events").json()[0]["call_id"] == "c 1/x"
    data = first["data"]
    assert {first["data"]["kind"], second["data"]["kind"]} == {"must_report", "escalation_request"}
    assert first["type"] == "alert.firing"
    assert first["timestamp"] == data["occurred_at"] == alert["fired_at"]
    assert data["alert_id"] == alert["alert_id"]
    assert data["reason"] == alert["reason"]
    assert "lawyer" in data["quote"]
    assert data["url"] == "https://becalm.example.com/supervisor?call=c%201%2Fx"
    assert {name: data[name] for name in ("call_id", "agent_id", "team", "queue", "severity", "state")} == {
        "call_id": "c 1/x", "agent_id": "a-1", "team": "billing", "queue": "billing", "severity": "critical",
        "state": "firing",
    }  # fmt: skip
    assert 0.5 < data["tension"] <= 1.0


def test_an_acknowledgement_and_the_end_are_told_too(tmp_path: Path) -> None:
    with receiving() as endpoint, running(tmp_path, receivers=[told(endpoint)]) as service:
        service.send(call("c", ANGRY[:3], end=False))
        fired = {body["data"]["alert_id"] for body in take(endpoint, 2)}
        alert_id = sorted(fired)[0]
        for action, state in (("ack", "acknowledged"), ("resolve", "resolved")):
            service.http.post(f"/v1/alerts/{alert_id}/{action}")
            (body,) = take(endpoint, 1)
            assert (body["type"], body["data"]["by"]) == (f"alert.{state}", "local")


def test_what_a_dead_receiver_missed_comes_after_a_restart_once(tmp_path: Path) -> None:
    with receiving(Answer(503, (("retry-after", "1"),)), Answer(200)) as endpoint:
        with running(tmp_path, receivers=[told(endpoint)]) as service:
            service.send(call("c", ["I want to speak to a manager, I am furious."], end=False))
            refused = endpoint.next()
        with running(tmp_path, receivers=[told(endpoint)]) as service:
            accepted = endpoint.next()
            service.send(call("d", ["I want to speak to a manager, I am furious."], end=False))
            news = endpoint.next()
    assert accepted.headers["webhook-id"] == refused.headers["webhook-id"]
    assert json.loads(accepted.body)["data"]["call_id"] == "c"
    assert json.loads(news.body)["data"]["call_id"] == "d"


def test_a_receiver_that_is_added_later_is_not_told_of_the_past(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        service.send(call("old", ANGRY[:3]))
        service.settle("old")
    with receiving() as endpoint, running(tmp_path, receivers=[told(endpoint)]) as service:
        service.send(call("new", ANGRY[:3], end=False))
        assert {body["data"]["call_id"] for body in take(endpoint, 2)} == {"new"}
