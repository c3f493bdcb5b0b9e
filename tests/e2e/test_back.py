"""A window that stays open while MedML is closed and started again."""

from __future__ import annotations

import contextlib

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import expect

from tests.e2e import served as serving
from tests.e2e import steps

pytestmark = pytest.mark.e2e
AGAIN = 180_000  # ms: a window asks again after 0.5 s, then after twice as long each time, at most a minute


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with serving.served(tmp_path_factory.mktemp("served") / "home") as running:
        yield running


def test_a_window_says_that_medml_was_closed_and_comes_back_whole(screen, app, monkeypatch):
    """The co-pilot is a part of its own, of which the new session knew nothing: a click on it did nothing."""
    serving.end(app.process)
    away = screen.get_by_role("dialog")
    expect(away).to_contain_text("MedML does not answer. What was saved is as it was")
    expect(away).not_to_contain_text("internet")
    connected = screen.locator('[data-test-connection-state="CONNECTED"]')
    expect(connected).to_have_count(0)
    monkeypatch.setattr(serving, "free_port", lambda: app.port)
    with serving.served(app.home):
        expect(connected).to_have_count(1, timeout=AGAIN)
        steps.settled(screen)
        panel = screen.locator(".st-key-m_copilot")
        for _ in range(6):  # before the page is drawn anew, which may take a moment, a click still finds nobody
            screen.get_by_role("button", name="Co-pilot", exact=True).click()
            with contextlib.suppress(PlaywrightTimeout):
                panel.wait_for(timeout=10_000)
                break
        expect(panel).to_be_visible()
