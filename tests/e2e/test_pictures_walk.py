"""The walk on pictures in a real browser with the real worker: a folder of films, a network, where it looks."""

from __future__ import annotations

import re
import shutil

import pytest
from playwright.sync_api import expect

from tests.conftest import SHARED
from tests.e2e import steps
from tests.e2e.scenes_pictures import WEIGHTS, slices

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
A_CLASS = 20
IMAGES = '[data-testid="stImage"] img'


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
    expect(screen.locator(IMAGES)).to_have_count(12)
    keep("preview")
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
    every_answer(screen, ultrasound, keep)
    steps.set_number(screen, "Epochs", 1)
    steps.follow(screen, "Train for 1 more epoch", "Train")
    steps.result(screen)
    expect(screen.get_by_role("row", name=re.compile("Continued, 1 in use"))).to_be_visible()
    screen.get_by_role("button", name="Revert").click()
    expect(screen.get_by_role("row", name=re.compile("First training in use"))).to_be_visible()


def every_answer(screen, films, keep) -> None:
    """Look through the answers of all 40 films, and for one by its name."""
    which = screen.get_by_test_id("stButtonGroup").filter(has_text="Wrong")
    which.get_by_text("All", exact=True).click(timeout=steps.LONG)
    expect(screen.get_by_text("1 to 6 of 40")).to_be_visible(timeout=steps.LONG)
    expect(screen.locator(IMAGES)).to_have_count(6)
    keep("evaluate")
    screen.get_by_role("button", name="Next").click()
    expect(screen.get_by_text("7 to 12 of 40")).to_be_visible(timeout=steps.LONG)
    one = sorted((films / "benign").iterdir())[3].name
    screen.get_by_label("Name of the file").fill(one)
    screen.get_by_label("Name of the file").press("Enter")
    expect(screen.get_by_text(f"benign/{one}")).to_be_visible(timeout=steps.LONG)
    expect(screen.locator(IMAGES)).to_have_count(1)


@pytest.fixture
def thorax(tmp_path):
    """12 slices of CT, and next to their folder a table that labels them."""
    folder = slices(tmp_path / "slices", a_class=6)
    rows = [f"{each.relative_to(folder).as_posix()},{'ill' if n % 2 else 'well'}"
            for n, each in enumerate(sorted(folder.rglob("*.dcm")))]
    (tmp_path / "findings.csv").write_text("\n".join(["image,finding", *rows]))
    return folder


def test_slices_are_labelled_from_elsewhere_and_looked_at_in_windows(screen, thorax):
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
    first = screen.locator(IMAGES).first
    seen = [first.get_attribute("src")]
    for act in (lambda: screen.get_by_text("Lung", exact=True).click(),
                lambda: screen.get_by_role("slider").first.press("PageUp")):
        act()
        expect(first).not_to_have_attribute("src", seen[-1], timeout=60_000)
        steps.settled(screen)
        seen.append(first.get_attribute("src"))
    assert len(set(seen)) == 3


def test_weights_are_brought_and_training_pictures_shown_as_they_are_changed(screen, thorax, app):
    if not WEIGHTS.is_file():
        pytest.skip("../shared/weights_mobilenetv2_imagenet is not here")
    steps.to_configure(screen, thorax)
    screen.get_by_role("button", name="Show six examples").click()
    expect(screen.locator(IMAGES)).to_have_count(6, timeout=steps.LONG)
    steps.settled(screen)
    screen.get_by_text("Bring pretrained weights from a file").click()
    screen.get_by_label("File (.pth, .pt or .safetensors)").fill(str(WEIGHTS))
    screen.get_by_label("File (.pth, .pt or .safetensors)").press("Enter")
    steps.settled(screen)
    screen.get_by_role("button", name="Check and import").click()
    try:
        expect(screen.get_by_text(re.compile("Pretrained weights on this machine: MobileNet V2"))).to_be_visible(
            timeout=steps.LONG)
    finally:  # what other tests walk on has none
        for each in (app.home / "pretrained").iterdir():
            each.unlink()


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
