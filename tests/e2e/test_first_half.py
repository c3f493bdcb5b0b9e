"""Steps 2-5 in a real browser with the real worker: projects, scan, preview, cleanup. No request leaves the machine."""

from __future__ import annotations

import re
import shutil
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from medml import project as projects
from tests.e2e import steps
from tests.e2e.served import Asked

pytestmark = pytest.mark.e2e


def one_primary(page) -> None:
    expect(page.locator('[data-testid^="stBaseButton-primary"]:visible')).to_have_count(1)


def test_from_a_folder_to_a_recipe(screen, heart, app, monkeypatch):
    steps.begin(screen, heart)
    one_primary(screen)
    expect(screen.get_by_text("303", exact=True).first).to_be_visible()
    expect(screen.get_by_role("cell", name="thalach", exact=True)).to_be_visible()
    expect(screen.get_by_label("Outcome to predict", exact=False).first).to_have_value("num")

    steps.follow(screen, "Continue to preview", "Preview")
    one_primary(screen)
    expect(screen.get_by_text("All 303 rows of heart_cleveland.csv.")).to_be_visible()
    expect(screen.locator('[data-testid="stVegaLiteChart"]')).to_have_count(15)

    steps.follow(screen, "Continue to cleanup", "Cleanup")
    one_primary(screen)
    expect(screen.get_by_role("heading", name="Missing values")).to_be_visible()
    expect(screen.get_by_text("6 missing cells in 2 columns were filled in.")).to_be_visible()
    monkeypatch.setenv("MEDML_HOME", str(app.home))
    made = next(each for each in projects.all_projects() if each.source == str(heart))
    assert projects.choice(made.id).positive == ">0"
    assert made.stage == "cleanup"


def test_a_step_switched_off_is_kept_and_undone(screen, heart):
    steps.begin(screen, heart)
    steps.follow(screen, "Continue to preview", "Preview")
    steps.follow(screen, "Continue to cleanup", "Cleanup")
    card = screen.locator('[class*="st-key-m_card_step_exact_duplicates"]')
    card.get_by_test_id("stCheckbox").locator("label").click()
    expect(card.get_by_text("Off", exact=True)).to_be_visible()
    screen.reload()
    expect(card.get_by_text("Off", exact=True)).to_be_visible()  # kept, though the session is a new one
    merge = screen.locator('[class*="st-key-m_card_step_merge_rare"]')
    merge.get_by_test_id("stCheckbox").locator("label").click()
    expect(merge.get_by_text("Off", exact=True)).to_be_visible()
    screen.get_by_role("button", name="Undo").click()
    expect(merge.get_by_text("Off", exact=True)).to_be_hidden()
    expect(card.get_by_text("Off", exact=True)).to_be_visible()


def test_a_reload_shows_the_same_project(screen, heart):
    steps.begin(screen, heart)
    assert "project=" in screen.url
    screen.reload()
    expect(screen.get_by_role("heading", name="What should the model learn?")).to_be_visible()
    expect(screen.locator(".m-where")).to_have_text("heart study")


def test_a_project_stands_on_the_projects_page_with_its_stage(screen, heart):
    steps.begin(screen, heart)
    steps.follow(screen, "Continue to preview", "Preview")
    screen.get_by_role("link", name="Projects").click()
    expect(screen.get_by_role("heading", level=1)).to_have_text("Projects")
    row = screen.locator('[class*="st-key-m_row_"]').filter(has_text=str(heart))
    expect(row.get_by_text("Preview", exact=True)).to_be_visible()
    row.get_by_role("button", name="Open").click()
    expect(screen.get_by_role("heading", level=1)).to_have_text("Preview")


def test_browsing_shows_folders_and_counts_and_no_file_names(screen, heart):
    screen.get_by_label("Folder or file").fill(str(heart.parent))
    screen.get_by_role("button", name="Browse folders").click()
    folder = screen.get_by_role("button", name=re.compile("heart study"))
    expect(folder).to_contain_text("1 file")
    folder.click()
    expect(screen.get_by_text("No folders inside this one.")).to_be_visible()
    expect(screen.get_by_text("heart_cleveland.csv")).to_have_count(0)
    screen.get_by_role("button", name="Use this folder").click()
    expect(screen.get_by_label("Folder or file")).to_have_value(str(heart))


def test_a_path_that_is_not_there_is_said_in_words(screen, tmp_path):
    screen.get_by_label("Folder or file").fill(str(tmp_path / "nowhere"))
    screen.get_by_role("button", name="Create project").click()
    expect(screen.get_by_role("alert")).to_contain_text("There is no folder or file")
    expect(screen.get_by_role("alert")).to_contain_text("Check the spelling")


def test_the_example_needs_no_data_of_ones_own(screen):
    screen.get_by_role("button", name="Try it on example data").click()
    expect(screen.get_by_role("heading", name="What should the model learn?")).to_be_visible(timeout=60_000)
    expect(screen.get_by_text("duplicate rows")).to_be_visible()


BEACON = "![x](http://127.0.0.1:9/beacon.png)"
HOSTILE = (BEACON, "<img src=http://127.0.0.1:9/b>", "[click](javascript:1) **bold** :red[x] $x$ :material/home:")


def hostile_table(folder) -> None:
    """Markup in the header, in categories frequent enough to be named, in the outcome, in the file's name."""
    lines = [",".join((*HOSTILE, "result"))]
    for row in range(120):
        lines.append(",".join((str(row % 17), HOSTILE[row // 2 % 2], HOSTILE[row % 3], HOSTILE[row % 2])))
    (folder / "[a](b) <b>study.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_markup_in_a_table_stays_text_on_every_page(screen, tmp_path, asked):
    """The guard of `context` fails the test if an image or link of the table is asked for, on any port."""
    folder = tmp_path / "<img src=x> [a](b) **trial** :red[x]"
    folder.mkdir()
    hostile_table(folder)
    steps.begin(screen, folder)
    expect(screen.get_by_role("cell", name=BEACON, exact=True)).to_be_visible()
    screen.get_by_role("button", name="Column", exact=True).click()  # a script of ours runs under the app's own policy
    expect(screen.get_by_role("columnheader", name="Column")).to_have_attribute("aria-sort", "ascending")
    steps.follow(screen, "Continue to preview", "Preview")
    expect(screen.locator(".m-chart-title").filter(has_text="<img src=http")).to_be_visible()
    steps.follow(screen, "Continue to cleanup", "Cleanup")
    screen.get_by_role("link", name="Projects").click()
    expect(screen.get_by_role("heading", level=1)).to_have_text("Projects")
    expect(screen.locator(".m-where")).to_have_text("<img src=x> [a](b) **trial** :red[x]")
    assert asked.elsewhere == []
    assert not [each for each in asked.console if "Content Security Policy" in each]  # nothing that had to be stopped


def test_the_watch_sees_every_way_out_and_no_way_leads_out(browser_of_tests):
    context, watched = browser_of_tests.new_context(), Asked(1)
    watched.watch(context)
    page = context.new_page()
    with page.expect_event("requestfailed", lambda failed: "/picture" in failed.url) as failed:
        page.set_content("""<img src="http://elsewhere.example/picture">""")
    assert "ERR_NAME_NOT_RESOLVED" in failed.value.failure
    page.evaluate("""() => Promise.allSettled([fetch("http://192.0.2.7/fetched"), fetch("http://127.0.0.1:2/port")])""")
    with page.expect_websocket():
        page.evaluate("""() => { new WebSocket("ws://elsewhere.example/socket") }""")
    context.close()
    assert {urlsplit(each).path for each in watched.elsewhere} == {"/picture", "/fetched", "/port", "/socket"}


def test_the_hard_tables_with_beacons_and_orders_are_only_listed(screen, corpus, tmp_path, asked):
    folder = tmp_path / "beacons"
    folder.mkdir()
    for name in ("b15_markup_and_beacons.csv", "b16_prompt_injection.csv"):
        shutil.copy(corpus / "tabular" / name, folder)
    steps.begin(screen, folder)
    expect(screen.get_by_role("cell", name="<script>alert(1)</script>", exact=True)).to_be_visible()
    screen.get_by_role("button", name="Continue to preview").click()
    expect(screen.get_by_role("alert")).to_contain_text("No column is left to predict with.")
    assert asked.elsewhere == []
    assert not [each for each in asked.console if "Content Security Policy" in each]


def test_files_that_cannot_be_read_are_listed_with_their_reason(screen, corpus, tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name in ("b01_empty.csv", "b07_random_bytes.csv", "t01_plain.csv"):
        shutil.copy(corpus / "tabular" / name, folder)
    steps.begin(screen, folder)
    screen.get_by_text("2 files without a table").click()
    expect(screen.get_by_role("cell", name="b01_empty.csv")).to_be_visible()
    expect(screen.get_by_text("This file is empty.")).to_be_visible()
    expect(screen.get_by_text("2 skipped")).to_be_visible()


def test_a_file_that_went_away_is_said_and_nothing_is_lost(screen, heart):
    steps.begin(screen, heart)
    (heart / "heart_cleveland.csv").unlink()
    steps.follow(screen, "Continue to preview", "Preview")
    expect(screen.get_by_role("alert")).to_be_visible()
    expect(screen.get_by_text("MedML made a mistake")).to_have_count(0)
