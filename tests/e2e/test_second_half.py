"""Steps 6-10 in a real browser with the real worker, and the whole walk from a folder to a model that is kept."""

from __future__ import annotations

import re
import time
import zipfile

import pytest
from playwright.sync_api import expect

import worker
from medml import gallery
from medml import project as projects
from tests.e2e import steps

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
INTERVAL = re.compile(r"0\.\d{3}\s*0\.\d{3} to [01]\.\d{3}")


def test_the_whole_walk(screen, heart, app, monkeypatch, tmp_path):
    """From a folder to `auto`, to a network beside it, on with it, back again, compared, kept: on screen alone."""
    monkeypatch.setenv("MEDML_HOME", str(app.home))
    steps.to_configure(screen, heart)
    expect(screen.get_by_text("how likely it is that “num” is above 0")).to_be_visible()
    expect(screen.get_by_role("radio", name="Best of several")).to_be_checked()
    expect(screen.locator(".st-key-m_card_needs")).to_contain_text(re.compile("of time.*of memory", re.S))
    steps.three_folds(screen)
    first = steps.start(screen)
    expect(screen.locator(".m-log")).to_contain_text("Reading the table", timeout=steps.LONG)
    steps.result(screen)

    assert INTERVAL.search(steps.headline(screen))
    expect(screen.get_by_text("Internally validated only")).to_be_visible()
    expect(screen.get_by_role("columnheader", name="Logistic regression")).to_be_visible()
    expect(screen.get_by_role("heading", name="Nothing to continue")).to_be_visible()
    move_threshold(screen)

    follow_network(screen, first)
    before = steps.headline(screen)
    expect(screen.get_by_text("Neural network").first).to_be_visible()
    go_on_and_back(screen, before)
    compare_and_keep(screen, tmp_path)


def move_threshold(screen):
    """At 0 everybody is called: everyone with the disease is found, everybody else alarmed for nothing."""
    slider = screen.get_by_role("slider", name=re.compile("Call it"))
    slider.focus()
    slider.press("Home")
    expect(screen.get_by_text("Of 139 that are above 0, 139 are found and 0 missed; of 164 others 164")).to_be_visible()
    slider.press("End")
    expect(screen.get_by_text("of 164 others 0 are called for nothing")).to_be_visible()


def follow_network(screen, first: str):
    """One click trains a network on the same folds; its page is never that of the first training."""
    steps.follow(screen, "Train a network to compare", "Train")
    assert steps.job_in_address(screen) != first
    expect(screen.get_by_role("button", name="See the result")).to_be_disabled()
    steps.result(screen)


def go_on_and_back(screen, before: str):
    """Three more rounds are a second checkpoint; revert brings the first one's figures back."""
    steps.set_number(screen, "Rounds", 3)
    steps.follow(screen, "Train for 3 more rounds", "Train")
    expect(screen.get_by_text("3 more rounds")).to_be_visible()
    expect(screen.get_by_role("button", name="See the result")).to_be_disabled()
    steps.result(screen)
    expect(screen.get_by_role("row", name=re.compile("Continued, 1 in use"))).to_be_visible()
    screen.get_by_role("button", name="Revert").click()
    expect(screen.get_by_role("row", name=re.compile("First training in use"))).to_be_visible()
    expect(screen.locator(".m-figure-large .m-figure-value").first).to_have_text(before)
    expect(screen.get_by_role("row", name=re.compile("Continued, 1"))).to_be_visible()  # nothing is lost


def compare_and_keep(screen, tmp_path):
    """Both models in the gallery, side by side; one is renamed, downloaded, deleted."""
    screen.get_by_role("link", name="Gallery").click()
    steps.on_page(screen, "Gallery")
    screen.get_by_label("Search").fill("num by neural network")
    screen.get_by_label("Search").press("Enter")
    cards = screen.locator('[class*="st-key-m_card_run_"]')
    expect(cards).to_have_count(1)
    cards.get_by_role("button", name="Pick").click()
    screen.get_by_label("Search").fill("")
    screen.get_by_label("Search").press("Enter")
    screen.locator('[class*="st-key-m_card_run_"]').filter(has_text="num by best of several").first.get_by_role(
        "button", name="Pick").click()
    screen.get_by_role("button", name="Compare the two").click()
    expect(screen.get_by_role("row", name=re.compile("^AUROC"))).to_be_visible()
    either = "Neural network Best of several|Best of several Neural network"
    expect(screen.get_by_role("row", name=re.compile(f"Family ({either})"))).to_be_visible()
    screen.get_by_role("button", name="All models").click()
    expect(screen.get_by_label("Search")).to_be_visible()
    steps.settled(screen)
    change(screen, tmp_path)


def change(screen, tmp_path):
    card = screen.locator('[class*="st-key-m_card_run_"]').filter(has_text="num by neural network").first
    card.get_by_test_id("stPopoverButton").locator("visible=true").click()
    screen.get_by_label("Name", exact=True).fill("Network of the walk")
    screen.get_by_label("Notes").fill("for Monday’s round")
    screen.get_by_label("Notes").press("Control+Enter")
    screen.get_by_role("button", name="Save").click()
    card = screen.locator('[class*="st-key-m_card_run_"]').filter(has_text="Network of the walk")
    expect(card.get_by_text("for Monday’s round")).to_be_visible()
    open_menu(screen, card)
    with screen.expect_download() as waited:
        screen.get_by_role("button", name="Download as one file").click()
    waited.value.save_as(tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        names = archive.namelist()
    assert any(each.endswith("manifest.json") for each in names)
    assert not any("private" in each for each in names)
    open_menu(screen, card)
    expect(screen.get_by_role("button", name="Delete", exact=True)).to_be_disabled()
    screen.get_by_text("Yes, delete this model for good").click()
    screen.get_by_role("button", name="Delete", exact=True).click()
    expect(screen.get_by_text("Network of the walk")).to_have_count(0)


def open_menu(screen, card):
    """The card's menu, whether or not it stands open already."""
    steps.settled(screen)
    if not screen.get_by_role("button", name="Download as one file").is_visible():
        card.get_by_test_id("stPopoverButton").locator("visible=true").click()


def test_stop_keeps_the_best_and_a_reload_shows_the_same_training(screen, heart):
    steps.to_configure(screen, heart)
    steps.choose_family(screen, "Neural network")
    steps.three_folds(screen)
    steps.slide(screen, "Rounds over the table", "End", "5,000")
    screen.get_by_text("More settings").click()
    steps.slide(screen, "Patience", "End", "500")
    job = steps.start(screen)
    expect(screen.locator(".m-log")).to_contain_text("Round", timeout=steps.LONG)
    screen.reload()
    steps.on_page(screen, "Train")
    assert steps.job_in_address(screen) == job
    screen.get_by_role("button", name="Stop and keep the best").click()
    steps.result(screen)
    assert INTERVAL.search(steps.headline(screen))


def test_double_click_starts_one_training(screen, heart, app, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(app.home))
    steps.to_configure(screen, heart)
    steps.choose_family(screen, "Logistic regression")
    steps.three_folds(screen)
    screen.get_by_role("button", name="Start now").dblclick()
    steps.on_page(screen, "Train")
    made = next(each for each in projects.all_projects() if each.source == str(heart))
    assert [each.kind for each in worker.jobs(project=made.id) if each.kind == "train"] == ["train"]
    steps.result(screen)
    run = gallery.open_run(projects.runs_of(made.id)[0])
    assert run.config.split.folds == 3


def test_waiting_work_is_moved_up_put_off_and_stopped(screen, heart, app, monkeypatch):
    """Two trainings put off to another day: their order, an hour of tonight, and their end."""
    monkeypatch.setenv("MEDML_HOME", str(app.home))
    steps.to_configure(screen, heart)
    steps.settled(screen)
    made = next(each for each in projects.all_projects() if each.source == str(heart))
    later = time.time() + 86_400 * 2
    first, second = (worker.enqueue("train", {"project": made.id}, project=made.id, not_before=later) for _ in range(2))
    screen.get_by_role("link", name="Jobs").click()
    steps.on_page(screen, "Jobs")
    cards = screen.locator('[class*="st-key-m_card_job_"]')
    expect(cards).to_have_count(2)
    screen.locator(f".st-key-m_card_job_{second}").get_by_role("button", name="Move up").click()
    expect(cards.first).to_have_class(re.compile(second))
    steps.settled(screen)  # the cards have changed places; a menu opened before that closes again
    open_hours(screen, first)
    screen.get_by_role("button", name="Run at that hour").click()
    expect(screen.locator(f".st-key-m_card_job_{first}")).to_contain_text("20:00")
    assert worker.get(first).not_before == worker.tonight(20)
    screen.keyboard.press("Escape")
    expect(screen.get_by_role("button", name="Run at that hour")).to_have_count(0)  # else the menu takes the next click
    for job in (first, second):
        stop_waiting(screen, job)
    expect(screen.get_by_text("Nothing runs and nothing waits.")).to_be_visible()
    assert {worker.get(first).state, worker.get(second).state} == {"stopped"}
    screen.locator(f".st-key-m_row_{first}").get_by_role("button", name="Open").click()
    steps.on_page(screen, "Train")  # stopped before there was anything: why, and two ways on
    expect(screen.get_by_text("stopped before there was anything to keep")).to_be_visible()
    expect(screen.get_by_role("button", name="Try again")).to_be_enabled()
    steps.follow(screen, "Change the settings", "Configure")
    tonight(screen, made.id)


def tonight(screen, project: str):
    """A training put off from the Configure page waits until the hour that stands there."""
    screen.get_by_role("button", name=re.compile("^bedtime ?Run |^Run ")).click()
    steps.on_page(screen, "Train")
    expect(screen.get_by_text("It starts")).to_be_visible()
    expect(screen.get_by_role("button", name="Go to Jobs")).to_be_enabled()
    job = worker.get(steps.job_in_address(screen))
    assert (job.project, job.not_before) == (project, worker.tonight(20))
    worker.stop(job.id)


def stop_waiting(screen, job: str):
    """Stop one waiting job, pressed again if the list was drawn anew in that very moment."""
    card = screen.locator(f".st-key-m_card_job_{job}")
    for _ in range(4):
        card.get_by_role("button", name="Stop").click()
        try:
            expect(card).to_have_count(0, timeout=8_000)
            break
        except AssertionError:
            continue
    expect(card).to_have_count(0)
    steps.settled(screen)


def open_hours(screen, job: str):
    """The menu of one waiting job, opened again if the list was drawn anew in that very moment."""
    hour = screen.get_by_role("button", name="Run at that hour")
    for _ in range(4):
        screen.locator(f".st-key-m_card_job_{job}").get_by_role("button", name="Run tonight").click()
        try:
            return expect(hour).to_be_visible(timeout=3_000)
        except AssertionError:
            continue
    expect(hour).to_be_visible()


def test_a_list_of_columns_changes_nothing_before_scores_are_seen(screen, heart):
    steps.to_configure(screen, heart)
    screen.get_by_label("Never use").fill("chol")
    screen.get_by_label("Never use").press("Enter")
    steps.settled(screen)
    expect(screen.get_by_text("override made after the scores")).to_have_count(0)
    screen.locator(".st-key-m_card_selection label").filter(has_text="Choose columns inside every fold").click()
    expect(screen.get_by_text("of it to choose columns")).to_be_visible()
