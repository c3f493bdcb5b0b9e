"""What a program can see of the look: nothing overflows, is cut off, too faint or moves; one primary button a screen;
axe-core finds nothing serious; a word that has an entry opens it, also by the keyboard.

MEDML_SCREENSHOTS names a folder that keeps every screen looked at here, for a person to look at too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import worker
from medml import project as projects
from medml.train import train
from medml.types import SelectionPlan
from tests.e2e import steps
from tests.e2e.axe import AXE, ON_THE_WARD, serious
from tests.e2e.served import Asked
from tests.tables import clinic, planned, saved

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
LOOK = Path(__file__).with_name("look.js").read_text(encoding="utf-8")
PAGES = Path(__file__).resolve().parents[2] / "pages"
SCREENS = {
    "projects": "/", "scan": "/scan?project={project}", "preview": "/preview?project={project}",
    "cleanup": "/cleanup?project={project}", "configure": "/configure?project={project}",
    "train": "/train?project={project}", "evaluate": "/evaluate?project={project}&run={run}", "gallery": "/gallery",
    "jobs": "/jobs", "predict": "/predict?run={run}", "explain": "/explain?project={project}&run={run}",
    "checks": "/checks?project={project}&run={run}", "words": "/words",
    "privacy": "/privacy",
}
TO_READ = {"words"}  # nothing is to be done there, so no button is the primary one
WIDTHS = (1440, 900)


@dataclass(frozen=True)
class Made:
    """What is in the home of the app before the first look."""

    project: str
    run: str


@pytest.fixture(scope="module")
def made(app, tmp_path_factory) -> Made:
    """A project with a network whose columns were chosen, trained in place."""
    source = saved(clinic(), tmp_path_factory.mktemp("clinic") / "A clinic with a rather long name")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(app.home))
        project = projects.create(source.parent)
        plan = planned(source.parent, family="mlp", params={"epochs": 12})
        profile, recipe, config = plan
        for value in (profile, config.choice, recipe, config):
            projects.write(project.id, value)
        selection = SelectionPlan(on=True, method="forest", seconds_a_fold=20, forced_in=["age"])
        run = train(source.parent, profile, recipe, config.model_copy(update={"selection": selection}))
        projects.add_run(project.id, run)
    return Made(project.id, run)


def opened(page: Page, url: str) -> None:
    """Go there, and wait until the screen stands still."""
    page.goto(url)
    steps.stands_still(page)


@pytest.fixture(scope="module")
def window(browser_of_tests, app) -> Iterator[tuple[Page, Asked]]:
    """One window in which all screens are opened one after the other: what they share is fetched once."""
    context = browser_of_tests.new_context(viewport={"width": WIDTHS[0], "height": 900})
    watched = Asked(app.port)
    watched.watch(context)
    yield context.new_page(), watched
    context.close()


def test_every_page_that_the_router_finds_is_looked_at():
    opened = {address.strip("/").split("?")[0] or "home" for address in SCREENS.values()}
    assert sorted([*opened, *ON_THE_WARD]) == sorted(each.stem for each in PAGES.glob("[!_]*.py"))


@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_whole_and_readable(window, app, made, name):
    """In the light theme, then, as when evening comes while it is open, in the dark one."""
    page, watched = window
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})
    opened(page, app.url + SCREENS[name].format(**vars(made)))
    primary = page.locator('[data-testid^="stBaseButton-primary"]').filter(visible=True)
    expect(primary).to_have_count(int(name not in TO_READ))  # at the foot, so the screen is drawn to its end
    light = whole(page, name, "light")
    assert words_without_entry(page) == []
    assert serious(page) == []
    page.emulate_media(color_scheme="dark")
    steps.stands_still(page)
    assert whole(page, name, "dark") != light
    assert serious(page, ["color-contrast"]) == []
    expect(page.get_by_text("MedML made a mistake")).to_have_count(0)
    assert watched.elsewhere == []


def whole(page: Page, name: str, theme: str) -> str:
    """The screen at each width; returns the colour of its paper."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(400)  # charts are drawn again at the new width
        keep(page, f"{name}-{theme}-{width}")
        seen = page.evaluate(LOOK)
        assert seen["overflow"] == [], f"{theme}, {width} wide"
        assert seen["clipped"] == [], f"{theme}, {width} wide"
        assert seen["faint"] == [], f"{theme}, {width} wide"
        assert len(seen["primaries"]) == (name not in TO_READ), seen["primaries"]
    return page.evaluate("getComputedStyle(document.querySelector('[data-testid=\"stApp\"]')).backgroundColor")


def words_without_entry(page: Page) -> list[str]:
    """Terms whose button opens nothing, since what was drawn left their entries out."""
    return page.evaluate("""() => [...document.querySelectorAll("[popovertarget]")]
        .filter(each => !document.getElementById(each.getAttribute("popovertarget"))).map(each => each.innerText)""")


@pytest.mark.machine
def test_axe_is_here_and_sees_what_is_wrong(browser_of_tests):
    if not AXE.is_file():
        pytest.skip("axe-core is not here: `python3 start.py test` installs it where npm can")
    page = browser_of_tests.new_page()
    page.set_content("""<html lang="en"><title>x</title><main data-test-script-state="notRunning"><h1>x</h1>
        <details><summary>more</summary><img src="data:,"><input></details></main></html>""")
    assert sorted(each.split(":")[0] for each in serious(page)) == ["image-alt", "label"]
    page.close()


def test_a_word_opens_its_entry_by_the_keyboard_and_nothing_moves(context, app, made):
    page = context.new_page()
    opened(page, f"{app.url}/gallery")
    word, entry = page.locator(".m-term", has_text="AUROC").first, page.locator(".m-entry:popover-open")
    word.focus()
    places = boxes(page)
    page.keyboard.press("Enter")
    expect(entry).to_contain_text("0.5 is chance")
    under, box = word.bounding_box(), entry.bounding_box()
    assert abs(box["x"] - under["x"]) < 400 and 0 <= box["y"] - under["y"] < 60  # beside its word, not somewhere
    assert boxes(page) == places
    page.keyboard.press("Escape")
    expect(entry).to_have_count(0)
    expect(word).to_be_focused()


def test_a_switch_that_the_keyboard_stands_on_is_ringed(context, app, made):
    """Its field is one pixel, and of its own it only gets a background of hardly another grey."""
    page = context.new_page()
    opened(page, f"{app.url}/gallery")
    page.get_by_role("button", name="More", exact=True).first.click()
    sure = page.get_by_role("checkbox", name="Yes, delete this model for good")
    sure.focus()
    page.keyboard.press("Shift+Tab")
    ring = "each => getComputedStyle(each.closest('label')).outlineStyle"
    assert sure.evaluate(ring) == "none"
    page.keyboard.press("Tab")
    expect(sure).to_be_focused()
    assert sure.evaluate(ring) == "solid"


def keep(page: Page, name: str) -> None:
    """A picture of the whole screen, where somebody asked for one."""
    folder = os.environ.get("MEDML_SCREENSHOTS")
    if folder:
        steps.photograph(page, Path(folder) / f"{name}.png")


def test_the_look_sees_what_is_wrong(browser_of_tests):
    """The checks themselves: a page made badly on purpose fails each of them."""
    page = browser_of_tests.new_page(viewport={"width": 400, "height": 300})
    page.set_content("""<div data-testid="stApp" style="background:#fff">
        <div data-testid="stMain" style="overflow-x:auto">
        <p style="color:#999">faint</p><p style="width:30px;overflow:hidden;white-space:nowrap">cut off words</p>
        <p style="width:900px">wide</p><p style="color:#767676">just enough</p>
        <button data-testid="stBaseButton-primary">a</button><button data-testid="stBaseButton-primary">b</button>
        </div></div>""")
    seen = page.evaluate(LOOK)
    assert [each.split()[0] for each in seen["faint"]] == ["2.85"]  # WCAG: #999 on white is 2.85:1, #767676 4.54:1
    assert len(seen["clipped"]) == 1
    assert [each.split()[:2] for each in seen["overflow"]] == [["DIV", "900"]]
    assert seen["primaries"] == ["a", "b"]
    page.close()


def test_nothing_moves_over_20_polls_of_a_running_training(context, app, made, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(app.home))
    config = projects.config(made.project)
    slow = config.model_copy(update={"family": "mlp", "params": {"epochs": 5000, "patience": 500,
                                                                     "batch": 8, "width": 1024}})
    recipe = projects.recipe(made.project)
    job = worker.enqueue("train", {"project": made.project, "config": slow.model_dump(mode="json"),
                                   "recipe": recipe.model_dump(mode="json")}, project=made.project)
    page = context.new_page()
    opened(page, f"{app.url}/train?project={made.project}&job={job}")
    expect(page.locator(".m-log")).to_contain_text("Round", timeout=steps.LONG)
    keep(page, "train-running")
    seen = page.evaluate(LOOK)
    assert (seen["overflow"], seen["clipped"], seen["faint"], len(seen["primaries"])) == ([], [], [], 1)
    page.wait_for_timeout(1500)
    page.evaluate("""() => { window.shifts = []; new PerformanceObserver(found => found.getEntries().forEach(each => {
        if (!each.hadRecentInput) window.shifts.push(each.value); })).observe({ type: "layout-shift" }); }""")
    places, polls = boxes(page), 0
    said = page.locator(".m-job-time").inner_text()
    while polls < 20:
        expect(page.locator(".m-job-time")).not_to_have_text(said, timeout=60_000)  # it has polled: the time went on
        said, polls = page.locator(".m-job-time").inner_text(), polls + 1
        assert boxes(page) == places, f"after {polls} polls"
    shifts = page.evaluate("window.shifts")
    worker.stop(job)
    assert shifts == []
    assert worker.get(job).state == "running"


def boxes(page: Page) -> list:
    """Where everything with a name of its own lies, in whole pixels."""
    return page.evaluate("""() => [...document.querySelectorAll('[class*="st-key-"], [data-testid="stVegaLiteChart"]')]
        .map(each => { const box = each.getBoundingClientRect();
                       return [box.x, box.y, box.width, box.height].map(Math.round); })""")
