"""On every screen what a role may not do is off, with the reason beside it; nobody finds out by pressing it."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest
from tables import clinic, planned, saved

from medml import project, rights, store
from medml.rights import Owner, Person
from medml.store import accounts as rows
from medml.train import train
from pages import _ward

ROUTER = Path(__file__).resolve().parents[1] / "pages" / "_router.py"
SCREENS = sorted(each.stem for each in ROUTER.parent.glob("[!_]*.py"))
# What leads on, looks, or asks a model: whoever sees the project or run may do it.
HARMLESS = re.compile(r"Open|Open the first|Details|Pick(ed)?( .*)?|All models|Show .*|Go to .*|Back to the figures|"
                      r"Sign out|Predict( .*)?|Next patient|See the result|Watch the training|Compare the two|Co-pilot|"
                      r"Explain this patient")
ONE_MAY_NOT = "you may not"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(home, project, run) that a group shares, with a training that waits."""
    home_folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(home_folder))
        source = saved(clinic(), tmp_path_factory.mktemp("clinic"))
        card, (profile, recipe, config) = project.create(source, "Shared"), planned(source)
        for value in (profile, config.choice, recipe, config):
            project.write(card.id, value)
        run = train(source, profile, recipe, config)
        project.add_run(card.id, run)
        store.submit("job-0001", "train", "train", {"project": card.id, "config": config.model_dump(mode="json")},
                     project=card.id)
        for sort, thing in (("project", card.id), ("run", run)):
            rows.give(sort, thing, Owner("a1", "cardiology"))
        yield SimpleNamespace(home=home_folder, project=card.id, run=run)


@pytest.fixture
def drawn(made, monkeypatch):
    """A function that opens a screen as somebody of that role, in the group."""
    monkeypatch.setenv("MEDML_HOME", str(made.home))

    def draw(screen: str, role: str) -> AppTest:
        person = Person("a9", "Zoe", role, ("cardiology",), "10.0.0.9")
        monkeypatch.setattr(rights, "_who", lambda: person)
        monkeypatch.setattr(_ward, "who", lambda: person)
        page = AppTest.from_file(str(ROUTER), default_timeout=120)
        page.query_params["project"], page.query_params["run"] = made.project, made.run
        page.session_state["m_current_project"], page.session_state["m_current_run"] = made.project, made.run
        page = (page if screen == "home" else page.switch_page(f"{screen}.py")).run()
        assert not page.exception
        return page
    return draw


def on(page: AppTest) -> set[str]:
    """What stands on the buttons and switches that can be pressed and are no mere way on: those of a plan that is kept
    only by its button, and of the co-pilot, which may be asked, are left out."""
    return {str(each.label) for each in (*page.button, *page.toggle) if not each.disabled
            and not HARMLESS.fullmatch(str(each.label)) and not str(each.key).startswith(("m_plan_", "m_copilot"))}


def off(page: AppTest) -> dict[str, str]:
    """Key -> why, of buttons and switches that the role does not allow."""
    return {str(each.key): each.help for each in (*page.button, *page.toggle)
            if each.disabled and ONE_MAY_NOT in (each.help or "")}


MAY_NOT = {  # screen: what a viewer finds off there, with its reason
    "jobs": {"m_quiet_keep", "m_quiet_off"}, "train": {"m_pause_job-0001", "m_stop_job-0001"},
    "explain": {"m_next", "m_without", "m_score"}, "scan": {"m_again", "m_next"},
    "cleanup": {"m_undo", "m_reset", "m_next"}, "configure": {"m_night_at", "m_next"},
    "evaluate": {"m_next", "m_export_RUN_0_go", "m_outside_RUN_0_go", "m_forecast_RUN_0_go"}}


@pytest.mark.parametrize("screen", [each for each in SCREENS if each not in _ward.NEEDS])
def test_a_viewer_can_press_nothing_that_is_then_refused(drawn, made, screen):
    page = drawn(screen, "viewer")
    assert on(page) == set()
    assert all(why.startswith("As a viewer you may not ") for why in off(page).values())
    assert {each.replace("RUN", made.run) for each in MAY_NOT.get(screen, ())} <= set(off(page))


@pytest.mark.parametrize(("role", "screen"), [(role, screen) for role in ("clinician", "administrator")
                                              for screen in ("jobs", "cleanup", "evaluate")])
def test_whoever_makes_models_finds_off_what_administrators_keep_and_nothing_else(drawn, role, screen):
    theirs = off(drawn(screen, role))
    keep = {"m_quiet_keep", "m_quiet_off"} if (role, screen) == ("clinician", "jobs") else set()
    assert set(theirs) == keep and set(theirs.values()) <= {"As a clinician you may not change settings."}
