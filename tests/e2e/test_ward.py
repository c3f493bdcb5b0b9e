"""The ward in a real browser: sign in, start a project, a colleague does not see it, sign out, and going back shows
nothing."""

from __future__ import annotations

import shutil

import pytest
from playwright.sync_api import expect

from tests.e2e import steps
from tests.e2e.axe import ON_THE_WARD, is_plain, serious
from tests.e2e.scenes import heart_table
from tests.ward import PASSWORD, ward_served

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    place = tmp_path_factory.mktemp("ward")
    (place / "studies").mkdir()
    shutil.copy(heart_table(), place / "studies")
    with pytest.MonkeyPatch.context() as patch, ward_served(place / "home", place / "studies", patch) as running:
        yield running


def sign_in(page, app, name: str) -> None:
    """By the keyboard alone."""
    page.goto(app.url)
    page.get_by_role("heading", name="Sign in").wait_for()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Projects", exact=True).wait_for()


def opens(page):
    """The button that opens a project; a list to choose from has one of that name too."""
    return page.get_by_test_id("stBaseButton-secondary").filter(has_text="Open")


def test_a_day_on_the_ward(context, browser_of_tests, asked, app):
    ada = context.new_page()
    sign_in(ada, app, "Ada")
    ada.get_by_label("Folder or file").fill(str(app.home.parent / "studies"))
    ada.get_by_role("button", name="Create project").click()
    ada.wait_for_url("**/scan?**")
    project = ada.url
    ada.get_by_text("studies").first.wait_for()
    ada.goto(app.url)
    opens(ada).wait_for()

    elsewhere = browser_of_tests.new_context()
    asked.watch(elsewhere)
    bea = elsewhere.new_page()
    sign_in(bea, app, "Bea")
    assert opens(bea).count() == 0 and bea.get_by_text("studies").count() == 0
    bea.goto(project)
    bea.get_by_text("This project is no longer there.").wait_for()
    elsewhere.close()

    ada.get_by_role("button", name="Ada").click()
    ada.get_by_role("button", name="Sign out").click()
    ada.wait_for_url("**/sign-in?ended=1")
    ada.get_by_text("You are signed out.").wait_for()
    ada.go_back()
    ada.get_by_role("heading", name="Sign in").wait_for()
    assert opens(ada).count() == 0 and "studies" not in ada.content()
    ada.goto(project)
    ada.get_by_role("heading", name="Sign in").wait_for()


def test_what_the_ward_alone_shows_can_be_used_by_everybody(context, app):
    """Signing in, one's password, and the screens of administrators, in both themes."""
    page = context.new_page()
    page.goto(app.url)
    page.get_by_role("heading", name="Sign in").wait_for()
    assert found_in_both_themes(page) == []
    sign_in(page, app, "Root")
    for screen in ON_THE_WARD:
        page.goto(f"{app.url}/{screen}")
        steps.stands_still(page)
        expect(page.locator("table").get_by_text("Bea" if screen == "accounts" else "Sign in").first).to_be_visible()
        assert found_in_both_themes(page) == [], screen
    page.goto(f"{app.url}/password")
    page.get_by_role("heading", name="Your password").wait_for()
    assert found_in_both_themes(page) == []


def found_in_both_themes(page) -> list[str]:
    """What axe-core has against the page as it stands; only colours can be other ones in the dark."""
    page.emulate_media(color_scheme="light")
    found = serious(page)
    page.emulate_media(color_scheme="dark")
    if not is_plain(page):
        steps.stands_still(page)
    return found + serious(page, ["color-contrast"])
