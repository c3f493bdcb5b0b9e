"""What a model is worth at the bedside, its checks as a list, and other patients, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect
from tables import clinic, planned, saved

from medml import gallery, home, project
from medml.train import train
from tests.e2e import steps

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def run(app, tmp_path, monkeypatch) -> tuple[str, str]:
    """A project with a trained regression on 200 made-up patients: (project, run)."""
    monkeypatch.setenv("MEDML_HOME", str(app.home))
    source = saved(clinic(200), tmp_path / "own")
    made = project.create(source.parent, "Clinic")
    profile, recipe, config = planned(source.parent)
    name = train(source.parent, profile, recipe, config)
    for value in (profile, config.choice, recipe, config):
        project.write(made.id, value)
    project.add_run(made.id, name)
    return made.id, name


def test_threshold_checks_and_other_patients(context, app, run, tmp_path):
    ids = f"project={run[0]}&run={run[1]}"
    page = context.new_page()
    page.goto(f"{app.url}/evaluate?{ids}")
    steps.on_page(page, "Evaluate")
    by_rule(page)
    expect(page.get_by_role("heading", name="Is it worth acting on?")).to_be_visible()
    expect(page.get_by_role("row", name="sex female")).to_be_visible()
    on_other_patients(page, tmp_path / "other")
    page.get_by_role("link", name="Work through the checks").click()
    steps.on_page(page, "Checks")
    worked_through(page, run[1])


def by_rule(page):
    """Whoever wants to find everybody gets the threshold that does; the signs move with it."""
    expect(page.locator(".m-hundred span")).to_have_count(100)
    page.get_by_role("radio", name="Find at least").or_(page.get_by_role("button", name="Find at least")).click()
    steps.set_number(page, "Per cent of those with the outcome", 100)
    expect(page.locator(".m-hundred .m-missed")).to_have_count(0)
    few = page.locator(".m-hundred .m-alarmed").count()
    page.get_by_role("slider", name=re.compile("Call it")).press("Home")
    steps.settled(page)
    expect(page.locator(".m-hundred .m-spared")).to_have_count(0)
    assert page.locator(".m-hundred .m-alarmed").count() >= few


def on_other_patients(page, folder):
    """The form queues a job; its figures stand beside the run's own, and the stamp goes away."""
    table = clinic(100, seed=5).rename(columns={"pressure": "RR"})
    table["age"] += 25  # a place that can be told from our own
    table["patient_id"] = "X" + table["patient_id"]
    saved(table, folder)
    expect(page.locator(".m-stamps")).to_contain_text("Internally validated only")
    page.get_by_text("Judge it on another folder").click()
    page.get_by_role("button", name="Judge it there").click()
    steps.settled(page)
    expect(page.get_by_role("heading", name="What would more patients bring?")).to_be_visible()  # nothing is cut off
    page.get_by_label("Folder or file of other patients").fill(str(folder.parent / "own"))
    page.get_by_role("button", name="Judge it there").click()
    expect(page.get_by_text("This is the very table that the model was made from.")).to_be_visible(timeout=steps.LONG)
    page.get_by_label("Folder or file of other patients").fill(str(folder))
    page.get_by_role("textbox", name="Columns that are called").fill("RR = pressure")
    page.get_by_role("textbox", name="Columns that are called").press("Control+Enter")
    steps.settled(page)
    page.get_by_role("button", name="Judge it there").click()
    expect(page.get_by_role("columnheader", name="There")).to_be_visible(timeout=steps.LONG)
    steps.settled(page)
    expect(page.get_by_text("other · just now · 100 patients")).to_be_visible()
    expect(page.locator(".m-stamps").filter(has_text="Internally validated only")).to_have_count(0)


def worked_through(page, run: str):
    """What was done about a check is still there after a reload."""
    from medml import worklist

    card = page.locator('[class*="st-key-m_card_check_"]').first
    card.get_by_role("radio", name="Asked somebody").or_(card.get_by_role("button", name="Asked somebody")).click()
    steps.settled(page)
    note = card.get_by_placeholder(re.compile("A note"))
    note.fill("Asked the ward.")
    note.press("Enter")
    steps.settled(page)
    page.reload()
    steps.on_page(page, "Checks")
    expect(page.locator('[class*="st-key-m_card_check_"]').first.get_by_placeholder(re.compile("A note"))
           ).to_have_value("Asked the ward.")
    kept = worklist.read(home.runs_folder() / run)
    assert [(each.state, each.note) for each in kept.items.values()] == [("asked", "Asked the ward.")]
    assert gallery.open_run(run).report.external
