"""The supervisor's page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.api.service import Service, call, running
from tests.browser.conftest import TIMEOUT_MS, Open

pytestmark = pytest.mark.browser

THREAT = "Good morning, I will give this to my lawyer on Friday."


def test_a_threat_appears_with_its_reason_and_quote_and_the_answer_shows_on_every_page(
    service: Service, open_page: Open
) -> None:
    first, second = open_page("/supervisor"), open_page("/supervisor")
    expect(first.locator("#connection")).to_have_text("Live")
    expect(second.locator("#connection")).to_have_text("Live")

    service.send(call("c-1", ["A: How can I help?", THREAT], end=False))

    alert = first.locator(".alert", has_text="Must be reported")
    expect(alert).to_contain_text("Critical")
    expect(alert.locator(".alert-reason")).not_to_be_empty()
    expect(alert.locator(".quote").first).to_contain_text("my lawyer")
    expect(first.locator("[aria-live=assertive]")).to_contain_text("New critical alert")
    expect(first).to_have_title(re.compile(r"\(\d\) Supervisor · Becalm"))

    alert.get_by_role("button", name="Acknowledge").click()

    expect(second.locator(".alert", has_text="Must be reported")).to_contain_text("Acknowledged by local")


def test_an_open_call_shows_its_words_its_curve_and_what_the_curve_is_made_of(
    service: Service, open_page: Open
) -> None:
    page = open_page("/supervisor")
    service.send(call("c-1", ["A: How can I help?", "I am furious about this.", "A: I see."], end=False))

    expect(page.locator(".turn-text")).to_have_text(["How can I help?", "I am furious about this.", "I see."])
    expect(page.locator("#call-title")).to_have_text("a-1")
    expect(page.locator("[data-part=why]")).to_contain_text("heat of the turn")
    expect(page.locator("[data-part=curve] canvas")).to_be_visible()
    page.locator("summary").click()
    expect(page.locator(".points tbody tr")).to_have_count(3)

    page.locator("[data-part=curve]").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".turn.selected")).to_contain_text("furious")
    expect(page.get_by_role("button", name="Follow live")).to_be_visible()
    assert "call=c-1" in page.url
    assert "t=" in page.url


def test_the_keyboard_alone_is_enough(service: Service, open_page: Open) -> None:
    page = open_page("/supervisor")
    service.send(call("c-hot", ["A: Hello.", THREAT, "I am furious."], agent="a-1", end=False))
    service.send(call("c-calm", ["A: Hello.", "Good day."], agent="a-2", team="sales", end=False))
    expect(page.locator(".row")).to_have_count(2)

    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator(".row.cursor")).to_contain_text("a-2")
    page.keyboard.press("Enter")
    expect(page.locator("#call-title")).to_have_text("a-2")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.locator("#call-title")).to_have_text("a-1")
    expect(page.locator("#call-title")).to_be_focused()

    page.keyboard.press("a")
    expect(page.locator(".alert.answered").first).to_contain_text("Acknowledged by local")

    page.keyboard.press("/")
    expect(page.locator("#filter-text")).to_be_focused()
    page.keyboard.type("sales")
    expect(page.locator(".row .row-agent")).to_have_text(["a-2"])
    page.keyboard.press("Escape")
    expect(page.locator("#filter-text")).to_have_value("")
    page.keyboard.press("Escape")
    expect(page.locator("#calls")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_cursor_stays_on_its_call_when_the_order_changes(service: Service, open_page: Open) -> None:
    page = open_page("/supervisor")
    service.send(call("c-1", ["I am annoyed."], agent="a-1", end=False))
    service.send(call("c-2", ["Good day."], agent="a-2", end=False))
    expect(page.locator(".row")).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    chosen = page.locator(".row.cursor").get_attribute("data-call")
    other = "c-2" if chosen == "c-1" else "c-1"

    service.send(call(other, ["Good day.", THREAT], agent="a-9", end=False)[2:])

    top = page.locator(f".row[data-call={other}]")
    expect(top).to_have_attribute("aria-posinset", "1")
    expect(page.locator(".row.cursor")).to_have_attribute("data-call", str(chosen))
    expect(page.locator("#calls")).to_be_focused()


def test_a_lost_service_is_said_and_what_was_shown_stays(tmp_path: Path, browser: Browser) -> None:
    with running(tmp_path) as service:
        page = browser.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(f"{service.url}/supervisor")
        service.send(call("c-1", ["Good day."], end=False))
        expect(page.locator(".row")).to_have_count(1)
    expect(page.locator("#connection")).to_have_text("Disconnected")
    expect(page.locator("#banner")).to_contain_text("cannot be reached")
    expect(page.locator(".row")).to_have_count(1)
    page.close()
