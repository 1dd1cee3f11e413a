"""The supervisor's page while two thousand calls are live."""

from __future__ import annotations

import re
import threading

import pytest
from playwright.sync_api import expect

from tests.api.service import Service, call
from tests.browser.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.heavy]

LIVE = 2000
GAPS = """() => new Promise(done => {
  const gaps = []; let last = performance.now(); const end = last + 5000;
  requestAnimationFrame(function look(now) {
    gaps.push(now - last); last = now;
    now < end ? requestAnimationFrame(look) : done(gaps.sort((a, b) => a - b));
  });
})"""


def begin(service: Service, numbers: range) -> None:
    """Calls of two turns each, left open."""
    for first in range(numbers.start, numbers.stop, 50):
        block = range(first, min(first + 50, numbers.stop))
        service.send([message for n in block for message in call(f"c-{n}", ["Good day.", "A: Hello."], end=False)])


def test_the_page_stays_usable(service: Service, open_page: Open) -> None:
    page = open_page("/supervisor")
    begin(service, range(LIVE))
    expect(page.locator("#count-live")).to_have_text(re.compile(r"2[,.\u202f]?000"))
    assert page.locator(".row").count() < 100, "only what is on the screen is in the page"

    traffic = threading.Thread(target=begin, args=(service, range(LIVE, LIVE + 500)))
    traffic.start()
    gaps = page.evaluate(GAPS)
    traffic.join()
    print(f"\nframes in 5 s: {len(gaps)}, median gap {gaps[len(gaps) // 2]:.0f} ms, longest {gaps[-1]:.0f} ms")

    service.send(call("c-1234", ["Good day.", "A: Hello.", "I will give this to my lawyer."], end=False)[3:])
    top = page.locator(".row[data-call=c-1234]")
    expect(top).to_have_attribute("aria-posinset", "1")
    top.click()
    expect(page.locator(".turn-text")).to_have_count(3)

    page.reload()
    expect(page.locator("#count-live")).to_have_text(re.compile(r"2[,.\u202f]?500"))
    assert page.locator(".row").count() < 100
