"""The replay page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.api.service import Service, call
from tests.browser.conftest import Open

pytestmark = pytest.mark.browser

STORY = ("A: Hello.", "I am annoyed.", "A: I see.", "I am furious, my lawyer will call.", "A: One moment.", "thanks")


@pytest.fixture
def page(service: Service, open_page: Open) -> Page:
    service.send(call("c-1", STORY))
    service.settle("c-1")
    return open_page("/qa")


def seek(page: Page, at_s: float) -> None:
    page.locator(".slider").fill(str(at_s))


def test_scrubbing_shows_what_was_known_at_that_time(page: Page) -> None:
    page.locator("[data-call=c-1]").click()
    expect(page.locator("article.turn")).to_have_count(len(STORY))
    expect(page.locator(".alert", has_text="Must be reported")).to_be_visible()

    seek(page, 20)
    expect(page.locator(".turn-text")).to_have_text(["Hello.", "I am annoyed."])
    expect(page.locator(".alert")).to_have_count(0)
    expect(page.locator("[data-part=curve]")).to_have_attribute("aria-label", re.compile("2 points"))

    page.get_by_role("button", name="Next alert or turning point").click()
    expect(page.locator("article.turn")).to_have_count(4)
    expect(page.locator(".alert", has_text="Must be reported")).to_be_visible()


def test_playing_moves_on_and_stops_at_the_end(page: Page) -> None:
    page.locator("[data-call=c-1]").click()
    seek(page, 0)
    expect(page.locator("article.turn")).to_have_count(0)
    page.get_by_role("button", name="32×").click()
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.locator("article.turn")).to_have_count(len(STORY))
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_a_point_leads_to_its_turn_and_a_note_stays(service: Service, page: Page) -> None:
    page.locator("[data-call=c-1]").click()
    page.locator("summary").click()
    page.locator(".points tbody tr").nth(3).get_by_role("button").click()
    expect(page.locator(".turn.selected")).to_contain_text("my lawyer")
    expect(page.locator("[data-part=why]")).to_contain_text("heat of the turn")

    seek(page, 34)
    page.get_by_label("Add a note").fill("Here it turns.")
    page.get_by_role("button", name="Save note").click()
    expect(page.locator(".note-list")).to_contain_text("Here it turns.")
    page.reload()
    expect(page.locator(".note-list")).to_contain_text("Here it turns.")
    notes = service.http.get("/v1/calls/c-1").json()["annotations"]
    assert [note["body"]["at_s"] for note in notes] == [34.0]


def test_a_file_is_replayed_and_not_stored(page: Page, tmp_path: Path) -> None:
    good = tmp_path / "call.jsonl"
    good.write_text("\n".join(json.dumps(message) for message in call("from-file", STORY)), "utf-8")

    page.locator("#file").set_input_files(good)
    expect(page.locator("article.turn")).to_have_count(len(STORY))
    expect(page.locator("#notes")).to_contain_text("not stored")


def test_search_finds_words_and_names(service: Service, page: Page) -> None:
    service.send(call("c-2", ["Good day."], agent="a-2", team="sales"))
    search = page.locator("#search")
    search.fill("lawyer")
    expect(page.locator("[data-call]")).to_have_count(1)
    search.fill("team:sales")
    expect(page.locator("[data-call=c-2]")).to_be_visible()
    expect(page.locator("[data-call=c-1]")).to_have_count(0)
    search.fill("nobody said this")
    expect(page.locator("#recorded")).to_contain_text("No call matches")
