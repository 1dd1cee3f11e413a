"""The agent's page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.api.service import Service, call
from tests.browser.conftest import Open

pytestmark = pytest.mark.browser


def test_a_hint_appears_survives_a_reload_and_is_dismissed(service: Service, open_page: Open) -> None:
    page = open_page("/agent/a-1")
    expect(page.locator("#now")).to_contain_text("No call right now")

    service.send(call("c-1", ["A: Hello.", "I am furious, get me your manager."], end=False))

    hint = page.locator(".hint-text")
    expect(hint).to_be_visible()
    text = hint.inner_text()
    expect(page.locator("#stage")).to_contain_text("letting it out")
    page.reload()
    expect(page.locator(".hint-text")).to_have_text(text)

    with page.expect_response(lambda response: "/v1/prompts/" in response.url):
        page.keyboard.press("d")
    expect(page.locator("#now")).to_have_text("Nothing to add")
    events = service.http.get("/v1/calls/c-1/events").json()
    states = [event["state"] for event in events if event["type"] == "prompt"]
    assert "dismissed" in states


def test_other_agents_calls_do_not_show(service: Service, open_page: Open) -> None:
    page = open_page("/agent/a-2")
    expect(page.locator("#connection")).to_have_text("Live")
    service.send(call("c-1", ["I am furious."], agent="a-1", end=False))
    service.send(call("c-2", ["Good day."], agent="a-2", end=False))
    expect(page.locator("#where")).to_contain_text("Call")
    expect(page.locator(".hint-text")).to_have_count(0)
