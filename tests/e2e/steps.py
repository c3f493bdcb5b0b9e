"""Steps of a walk through the app, as a clinician takes them; shared by the browser tests."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Page, TimeoutError, expect

expect.set_options(timeout=60_000)
TALLEST = 12_000  # pixels of one picture
LONG = 400_000  # milliseconds for a training: a shared machine may be slow, and nothing here is about speed


def settled(page: Page) -> None:
    """Until the page's script has ended, no other run is asked for, and nothing waits to be drawn."""
    expect(page.locator('[data-test-script-state="notRunning"]')).to_have_count(1, timeout=60_000)


def on_page(page: Page, title: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(title, timeout=60_000)
    settled(page)


def follow(page: Page, button: str, title: str) -> None:
    """Press a button and wait for the page that it leads to."""
    page.get_by_role("button", name=button).click()
    on_page(page, title)


def stands_still(page: Page) -> None:
    """Until a screen is drawn whole: script ended, fonts and charts there, nothing on its way."""
    page.get_by_role("heading", level=1).wait_for(timeout=60_000)
    settled(page)
    page.evaluate("document.fonts.ready")
    page.wait_for_function("""() => [...document.querySelectorAll('[data-testid="stVegaLiteChart"]')]
                           .every(each => each.querySelector("canvas, svg"))""")
    page.wait_for_timeout(1000)  # a second run of the script may follow the first
    settled(page)
    page.wait_for_function("""() => document.getAnimations().every(
        each => each.playState !== "running" || each.effect.getComputedTiming().endTime === Infinity)""")


def pick(page: Page, box: str, option: str) -> None:
    """Choose from a list, and see that it is chosen.

    A list that opens just as the screen is drawn again closes, and one that is still narrowed down to what was typed
    moves away under the pointer; it is then opened again.
    """
    wanted = page.get_by_role("option", name=option, exact=True)
    field = page.get_by_role("combobox", name=box)
    shown = json.dumps(option)
    chosen = page.locator(".react-aria-ComboBox").filter(has=field).locator(
        f'[data-tag][aria-label={shown}], input[aria-expanded="false"][value={shown}]')
    field.evaluate("each => each.scrollIntoView({block: 'center'})")  # the list opens under it
    for _ in range(12):
        field.click()
        try:
            field.fill(option)
            wanted.click(timeout=5_000)
            chosen.wait_for(timeout=5_000)
            return
        except TimeoutError:
            settled(page)
            page.keyboard.press("Escape")
            if chosen.is_visible():
                return
    raise AssertionError(f"the list {box!r} never took {option!r}")


def photograph(page: Page, target: Path) -> None:
    """A picture of the whole screen, however long it is; the window is then as it was."""
    size = page.viewport_size
    height = page.evaluate("""document.querySelector('[data-testid="stMain"]').scrollHeight""")
    page.set_viewport_size({"width": size["width"], "height": min(max(900, height), TALLEST)})
    page.wait_for_timeout(800)  # charts are drawn again
    page.screenshot(path=target)
    page.set_viewport_size(size)


def begin(page: Page, source: Path) -> None:
    """A project on a folder (Enter in the path's field is enough), and its scan."""
    page.get_by_label("Folder or file").fill(str(source))
    page.get_by_label("Folder or file").press("Enter")
    on_page(page, "Scan")
    expect(page.get_by_role("heading", name="What should the model learn?")).to_be_visible(timeout=120_000)
    settled(page)


def to_configure(page: Page, source: Path) -> None:
    """Steps 2-5: a project on a folder, its scan, preview and cleanup, everything as MedML proposes it."""
    begin(page, source)
    follow(page, "Continue to preview", "Preview")
    follow(page, "Continue to cleanup", "Cleanup")
    follow(page, "Continue to configure", "Configure")


def choose_family(page: Page, title: str) -> None:
    page.locator('[data-testid="stRadioOption"]').filter(has_text=title).click()
    expect(page.get_by_role("button", name="Start now")).to_be_visible()
    settled(page)


def set_number(page: Page, label: str, value: int) -> None:
    """Type into a number field that is on the screen."""
    field = page.get_by_label(label, exact=True)
    field.fill(str(value))
    field.press("Enter")
    settled(page)


def slide(page: Page, label: str, key: str, shown: str) -> None:
    """Press a key on the slider of that name, and wait until it shows where it stands now."""
    slider = page.get_by_role("slider", name=label)
    slider.press(key)
    expect(slider).to_have_attribute("aria-valuetext", shown)
    settled(page)


def three_folds(page: Page) -> None:
    """Judge by 3 folds, once, so that a test takes seconds."""
    page.get_by_text("Change how it is judged").click()
    set_number(page, "Folds", 3)
    set_number(page, "Repeats", 1)
    expect(page.get_by_text("divided into 3 parts. Each part")).to_be_visible()


def start(page: Page) -> str:
    """Start the training; returns its job's id, from the address."""
    follow(page, "Start now", "Train")
    return job_in_address(page)


def job_in_address(page: Page) -> str:
    page.wait_for_url("**job=*")
    return page.url.split("job=")[1].split("&")[0]


def result(page: Page) -> None:
    """Wait for the training on the screen and open what it made."""
    expect(page.get_by_role("button", name="See the result")).to_be_enabled(timeout=LONG)
    settled(page)
    follow(page, "See the result", "Evaluate")


def headline(page: Page) -> str:
    """The first large figure with its interval, as it is on the screen."""
    return page.locator(".m-figure-large .m-figure-value").first.inner_text()
