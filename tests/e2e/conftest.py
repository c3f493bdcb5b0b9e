"""One running app for the browser tests of a session, and a page that fails its test when it asks another machine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.scenes import heart_table
from tests.e2e.served import FLAGS, Asked, Served, chromium, served


@pytest.fixture(scope="session")
def app(tmp_path_factory) -> Served:
    """The app, with its own home and worker, for all browser tests of this session."""
    with served(tmp_path_factory.mktemp("served") / "home") as running:
        yield running


@pytest.fixture(scope="session")
def browser_of_tests():
    """One headless Chromium."""
    found = chromium()
    if found is None:
        pytest.skip("no Chromium here; `python3 start.py test` installs one where it may")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def asked(app) -> Asked:
    """What the browser asked for; checked at the end of every test that uses a page."""
    return Asked(app.port)


@pytest.fixture(scope="session")
def window_of_tests(browser_of_tests):
    """One browser context for all tests: what screens share is fetched and compiled once."""
    made = browser_of_tests.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    made.set_default_timeout(60_000)  # as steps.py: nothing here is about speed
    yield made
    made.close()


@pytest.fixture
def context(window_of_tests, asked, app):
    """A browser context that remembers nothing of the test before, and fails the test if it asked another machine."""
    with asked.watching(window_of_tests):
        yield window_of_tests
        for page in window_of_tests.pages:
            page.close()
    forget(window_of_tests, app.url)
    assert asked.elsewhere == [], "the page asked another machine"


def forget(context, url: str) -> None:
    """Cookies and what a page may store; what was fetched stays."""
    page = context.new_page()
    context.new_cdp_session(page).send("Storage.clearDataForOrigin", {
        "origin": url, "storageTypes": "cookies,local_storage,indexeddb,cache_storage,service_workers"})
    page.close()


@pytest.fixture
def screen(context, app):
    """A page on the app's first screen."""
    page = context.new_page()
    page.goto(app.url)
    page.get_by_role("heading", level=1).wait_for()
    return page


@pytest.fixture
def heart(tmp_path) -> Path:
    """The heart table, copied: the clinician's folder."""
    folder = tmp_path / "heart study"
    folder.mkdir()
    shutil.copy(heart_table(), folder)
    return folder
