"""The way in."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.api.service import call, running, token
from tests.browser.conftest import TIMEOUT_MS

pytestmark = pytest.mark.browser


def test_a_wrong_token_is_said_and_a_right_one_leads_to_the_page(tmp_path: Path, browser: Browser) -> None:
    key = token(tmp_path, "sam", "supervisor", teams=("billing",))
    feeder = token(tmp_path, "stt", "ingest")
    with running(tmp_path, with_tokens=True) as service:
        page = browser.new_page(base_url=service.url)
        page.set_default_timeout(TIMEOUT_MS)
        page.goto("/supervisor")
        page.get_by_label("Access token").fill("not a token")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_have_text("This token is not valid.")
        page.get_by_label("Access token").fill(key)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/supervisor")
        expect(page.locator("#connection")).to_have_text("Live")
        expect(page.locator("#who")).to_contain_text("sam")
        service.send(call("c-1", ["Good day."], end=False), feeder)
        expect(page.locator(".row")).to_have_count(1)
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/login")
        page.close()
