"""The walk on pictures in a real browser with the real worker: a folder of films, a network, where it looks.

What its screens say and change without a browser is held by tests/test_ui_pictures.py.
"""

from __future__ import annotations

import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.conftest import SHARED
from tests.e2e import steps
from tests.e2e.axe import serious
from tests.e2e.scenes_pictures import slices

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
A_CLASS, SIDE = 10, 64
IMAGES = '[data-testid="stImage"] img'


@pytest.fixture
def ultrasound(tmp_path):
    """10 benign and 10 malignant films of busi_ultrasound (CC BY 4.0), at 64 pixels, in sub-folders named by what they
    show."""
    source = SHARED / "data" / "busi_ultrasound" / "images"
    if not source.is_dir():
        pytest.skip("../shared/data/busi_ultrasound is not here")
    for name in ("benign", "malignant"):
        (tmp_path / "films" / name).mkdir(parents=True)
        for each in sorted((source / name).iterdir())[:A_CLASS]:
            with Image.open(each) as film:
                film.resize((SIDE, SIDE)).save(tmp_path / "films" / name / each.name)
    return tmp_path / "films"


def test_the_walk_on_pictures(screen, ultrasound, keep):
    steps.begin(screen, ultrasound)
    expect(screen.get_by_role("heading", name="The pictures")).to_be_visible()
    expect(screen.locator(".st-key-m_card_pictures")).to_contain_text("64 x 64 (20)")
    keep("scan")
    steps.follow(screen, "Continue to preview", "Preview")
    expect(screen.get_by_role("heading", name="benign")).to_be_visible()
    expect(screen.locator(IMAGES)).to_have_count(12)
    keep("preview")
    assert serious(screen) == []
    steps.follow(screen, "Continue to cleanup", "Cleanup")
    expect(screen.get_by_role("heading", name="Copies of pictures")).to_be_visible()
    keep("cleanup")
    steps.follow(screen, "Continue to configure", "Configure")
    expect(screen.get_by_role("radio", name="Convolutional network")).to_be_checked()
    screen.get_by_text("Change how it is judged").click()
    steps.set_number(screen, "Folds", 2)
    steps.slide(screen, "Rounds over the pictures", "Home", "1")
    keep("configure")
    steps.start(screen)
    keep("train")
    steps.result(screen)
    expect(screen.get_by_role("heading", name="Where the model looked")).to_be_visible()
    screen.get_by_role("button", name="Show them").click()
    which = screen.get_by_test_id("stButtonGroup").filter(has_text="Wrong")
    which.get_by_text("All", exact=True).click(timeout=steps.LONG)
    expect(screen.get_by_text("1 to 6 of 20")).to_be_visible(timeout=steps.LONG)
    expect(screen.locator(IMAGES)).to_have_count(6)
    keep("evaluate")
    assert serious(screen) == []
    expect(screen.get_by_role("button", name=re.compile("^Train for .* more rounds"))).to_be_enabled()


@pytest.fixture
def thorax(tmp_path):
    """12 slices of CT, and next to their folder a table that labels them."""
    folder = slices(tmp_path / "slices", a_class=6, side=32)
    rows = [f"{each.relative_to(folder).as_posix()},{'ill' if n % 2 else 'well'}"
            for n, each in enumerate(sorted(folder.rglob("*.dcm")))]
    (tmp_path / "findings.csv").write_text("\n".join(["image,finding", *rows]))
    return folder


def test_slices_are_labelled_from_elsewhere(screen, thorax):
    steps.begin(screen, thorax)
    screen.get_by_text("Labels in another table").click()
    steps.stands_still(screen)
    steps.pick(screen, "Table that labels the pictures", "../findings.csv")
    steps.settled(screen)
    screen.get_by_role("button", name="Scan again with these").click()
    expect(screen.get_by_role("combobox", name="Outcome to predict")).to_have_value("finding", timeout=120_000)
    steps.settled(screen)
    steps.follow(screen, "Continue to preview", "Preview")
    expect(screen.get_by_role("heading", name="ill", exact=True)).to_be_visible()


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
