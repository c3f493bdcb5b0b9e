"""What a program can see of the look: nothing overflows, is cut off, too faint or moves; one primary button a screen.

MEDML_SCREENSHOTS names a folder that keeps every screen looked at here, for a person to look at too.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import worker
from medml import project as projects
from medml.train import train
from medml.types import SelectionPlan
from tests.e2e import steps
from tests.tables import clinic, planned, saved

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
LOOK = Path(__file__).with_name("look.js").read_text(encoding="utf-8")
SCREENS = {
    "projects": "/", "scan": "/scan?project={project}", "preview": "/preview?project={project}",
    "cleanup": "/cleanup?project={project}", "configure": "/configure?project={project}",
    "train": "/train?project={project}", "evaluate": "/evaluate?project={project}&run={network}",
    "evaluate-selection": "/evaluate?project={project}&run={chosen}", "gallery": "/gallery", "jobs": "/jobs",
    "predict": "/predict?run={chosen}",
}
WIDTHS = (1440, 900)


@dataclass(frozen=True)
class Made:
    """What is in the home of the app before the first look."""

    project: str
    network: str
    chosen: str


@pytest.fixture(scope="module")
def made(app, tmp_path_factory) -> Made:
    """A project with a network and a model whose columns were chosen, trained in place."""
    source = saved(clinic(), tmp_path_factory.mktemp("clinic") / "A clinic with a rather long name")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(app.home))
        project = projects.create(source.parent)
        plan = planned(source.parent, family="mlp", params={"epochs": 12})
        profile, recipe, config = plan
        for value in (profile, config.choice, recipe, config):
            projects.write(project.id, value)
        network = train(source.parent, *plan)
        selection = SelectionPlan(on=True, method="forest", seconds_a_fold=20, forced_in=["age"])
        other = config.model_copy(update={"family": "logistic", "params": {}, "selection": selection})
        chosen = train(source.parent, profile, recipe, other)
        for run in (chosen, network):
            projects.add_run(project.id, run)
    return Made(project.id, network, chosen)


def opened(page: Page, url: str) -> None:
    """Go there, and wait until the screen stands still."""
    page.goto(url)
    steps.stands_still(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_whole_and_readable(browser_of_tests, app, made, asked, name, theme):
    context = browser_of_tests.new_context(viewport={"width": WIDTHS[0], "height": 900}, color_scheme=theme)
    asked.watch(context)
    page = context.new_page()
    opened(page, app.url + SCREENS[name].format(**vars(made)))
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(400)  # charts are drawn again at the new width
        keep(page, f"{name}-{theme}-{width}")
        seen = page.evaluate(LOOK)
        assert seen["overflow"] == [], f"{width} wide"
        assert seen["clipped"] == [], f"{width} wide"
        assert seen["faint"] == [], f"{width} wide"
        assert len(seen["primaries"]) == 1, seen["primaries"]
    expect(page.get_by_text("MedML made a mistake")).to_have_count(0)
    context.close()
    assert asked.elsewhere == []


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
