"""The walk on pictures in a real browser with the real worker: a folder of films, a network, where it looks."""

from __future__ import annotations

import re
import shutil

import pytest
from playwright.sync_api import expect

from tests.conftest import SHARED
from tests.e2e import steps

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
A_CLASS = 20


@pytest.fixture
def ultrasound(tmp_path):
    """20 benign and 20 malignant films of busi_ultrasound (CC BY 4.0), in sub-folders named by what they show."""
    source = SHARED / "data" / "busi_ultrasound" / "images"
    if not source.is_dir():
        pytest.skip("../shared/data/busi_ultrasound is not here")
    for name in ("benign", "malignant"):
        (tmp_path / "films" / name).mkdir(parents=True)
        for each in sorted((source / name).iterdir())[:A_CLASS]:
            shutil.copy(each, tmp_path / "films" / name / each.name)
    return tmp_path / "films"


def test_the_walk_on_pictures(screen, ultrasound, keep):
    steps.begin(screen, ultrasound)
    expect(screen.get_by_role("heading", name="The pictures")).to_be_visible()
    expect(screen.locator(".st-key-m_card_pictures")).to_contain_text("256 x 256 (40)")
    keep("scan")
    steps.follow(screen, "Continue to preview", "Preview")
    expect(screen.get_by_role("heading", name="benign")).to_be_visible()
    expect(screen.locator('[data-testid="stImage"] img')).to_have_count(12)
    keep("preview")
    steps.follow(screen, "Continue to cleanup", "Cleanup")
    expect(screen.get_by_role("heading", name="Copies of pictures")).to_be_visible()
    keep("cleanup")
    steps.follow(screen, "Continue to configure", "Configure")
    expect(screen.get_by_role("radio", name="Convolutional network")).to_be_checked()
    screen.get_by_text("Change how it is judged").click()
    steps.set_number(screen, "Folds", 2)
    screen.get_by_text(re.compile("^Settings of")).click()
    steps.set_number(screen, "Rounds over the pictures", 2)
    keep("configure")
    steps.start(screen)
    keep("train")
    steps.result(screen)
    expect(screen.get_by_role("heading", name="Where the model looked")).to_be_visible()
    screen.get_by_role("button", name="Show them").click()
    expect(screen.locator('[data-testid="stImage"] img').first).to_be_visible(timeout=steps.LONG)
    steps.settled(screen)
    keep("evaluate")
    steps.set_number(screen, "Epochs", 1)
    steps.follow(screen, "Train for 1 more epoch", "Train")
    steps.result(screen)
    expect(screen.get_by_role("row", name=re.compile("Continued, 1 in use"))).to_be_visible()
    screen.get_by_role("button", name="Revert").click()
    expect(screen.get_by_role("row", name=re.compile("First training in use"))).to_be_visible()


@pytest.fixture
def keep(screen):
    """Look at a screen as it stands: nothing clipped or out of the window; kept where MEDML_PICTURES is."""
    import os
    from pathlib import Path

    place = os.environ.get("MEDML_PICTURES")

    def take(name: str) -> None:
        steps.settled(screen)
        assert screen.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        if place:
            steps.stands_still(screen)
            steps.photograph(screen, Path(place) / f"{name}.png")
    return take
