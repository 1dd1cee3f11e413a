"""Chromium on the pages of a real service; every page that a test opens must stay free of errors and breaches."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.api.service import Service, running

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
)  # fmt: skip
TIMEOUT_MS = 30_000
BREACHES = "window.breaches = []; addEventListener('securitypolicyviolation', e => breaches.push(e.violatedDirective))"

Open = Callable[[str], Page]


@pytest.fixture(scope="package")  # its event loop must not outlive these tests
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield chromium
        chromium.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """An open service with an empty database."""
    with running(tmp_path) as running_service:
        yield running_service


@pytest.fixture
def open_page(browser: Browser, service: Service) -> Iterator[Open]:
    """Opens paths of the service, each in a browser of its own; at the end none may have complained."""
    pages: list[Page] = []
    complaints: list[str] = []

    def open_one(path: str) -> Page:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=service.url)
        context.set_default_timeout(TIMEOUT_MS)
        page = context.new_page()
        page.add_init_script(BREACHES)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        pages.append(page)
        return page

    yield open_one
    breaches = [breach for page in pages for breach in page.evaluate("window.breaches")]
    for page in pages:
        page.context.close()
    assert complaints == []
    assert breaches == []


@pytest.fixture(scope="session", autouse=True)
def patient() -> None:
    """A busy machine may take its time; a test that fails waits for no longer than this."""
    expect.set_options(timeout=TIMEOUT_MS)
