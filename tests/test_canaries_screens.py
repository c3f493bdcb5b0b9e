"""What the screens send to the browser, and what is written when a fault quotes a patient, on every screen there is."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from canaries import found_in, hits_in, planted
from streamlit.testing.v1 import AppTest
from tables import planned, saved

from medml import doctor, gallery, project, roots, store, vault, words
from medml.train import train
from pages import _ui as ui

ROUTER = Path(__file__).resolve().parents[1] / "pages" / "_router.py"
SCREENS = sorted(each.stem for each in ROUTER.parent.glob("[!_]*.py"))
OWN_ROWS = {"preview", "explain"}  # shows the clinician their own rows, to them alone, in memory
ASKS_LITTLE = {"words": (ui, "html"), "accounts": (project, "get"), "audit": (project, "get")}  # what fails there
VALUE = "could not convert string to float: 'ZZNOTE7 Jane Roe, 1951-02-03'"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(home, project, run, numbers planted) of a project that has been walked through to a model."""
    home_folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(home_folder))
        table, numbers = planted()
        source = saved(table, tmp_path_factory.mktemp("clinic"))
        card = project.create(source, "Ward study")
        profile, recipe, config = planned(source)
        for value in (profile, config.choice, recipe, config):
            project.write(card.id, value)
        run = train(source, profile, recipe, config)
        project.add_run(card.id, run)
        yield SimpleNamespace(home=home_folder, project=card.id, run=run, numbers=numbers)


@pytest.fixture
def shown(made, monkeypatch):
    """A function that opens a screen with the project and the run, and gives what it drew."""
    monkeypatch.setenv("MEDML_HOME", str(made.home))

    def draw(name: str) -> AppTest:
        page = AppTest.from_file(str(ROUTER), default_timeout=120)
        page.query_params["project"], page.query_params["run"] = made.project, made.run
        page.session_state["m_current_project"], page.session_state["m_current_run"] = made.project, made.run
        return (page if name == "home" else page.switch_page(f"{name}.py")).run()
    return draw


def title_of(name: str) -> str:
    """What the file of a screen calls it."""
    return re.search(r'^TITLE = "(.+)"', (ROUTER.parent / f"{name}.py").read_text(), re.MULTILINE)[1]


def sent(block) -> Iterator[bytes]:
    """Everything that a page sent to the browser, element by element, charts' numbers too."""
    for each in block.children.values():
        with contextlib.suppress(AttributeError):
            yield each.proto.SerializeToString()
        if hasattr(each, "children"):
            yield from sent(each)


@pytest.mark.parametrize("name", [each for each in SCREENS if each not in OWN_ROWS])
def test_no_value_of_a_patient_is_on_a_screen_that_shows_no_rows(made, shown, name):
    page = shown(name)
    content = b"\n".join(sent(page._tree))
    assert f"<h1>{title_of(name)}</h1>".encode() in content and not page.exception
    assert hits_in(name, content, made.numbers) == []


def test_the_search_sees_what_a_screen_sends(made, shown):
    """The Preview screen shows the clinician's own rows: there it finds them."""
    assert hits_in("preview", b"\n".join(sent(shown("preview")._tree)), made.numbers)


@pytest.fixture
def faults(monkeypatch) -> list[str]:
    """From here on whatever a screen asks the library for fails with a patient's value in its message."""
    raised = []

    def fail(*_, **__):
        raised.append(1)
        raise ValueError(VALUE)

    for module, names in ((project, ("profile", "choice", "recipe", "config", "all_projects", "runs_of")),
                          (gallery, ("open_run", "runs")), (doctor, ("examine",)), (roots, ("browse",)),
                          (store, ("jobs", "get")), (vault, ("with_looks",)), (words, ("search",))):
        for name in names:
            monkeypatch.setattr(module, name, fail)
    monkeypatch.setattr("worker.jobs", fail, raising=False)
    for name, page in list(sys.modules.items()):  # pages that hold such a function by its own name
        if name.startswith("pages."):
            for own in ("open_run", "browse", "search"):
                if hasattr(page, own):
                    monkeypatch.setattr(page, own, fail)
    return raised


@pytest.mark.parametrize("name", SCREENS)
def test_a_fault_that_quotes_a_patient_is_told_without_the_quote(made, shown, faults, monkeypatch, caplog, name):
    if name in ASKS_LITTLE:
        monkeypatch.setattr(*ASKS_LITTLE[name], lambda *_, **__: faults.append(1) or
                            (_ for _ in ()).throw(ValueError(VALUE)))
    page = shown(name)
    content = b"\n".join(sent(page._tree))
    assert faults, "nothing failed on this screen, so nothing is shown by it"
    assert b"MedML made a mistake; your data is unchanged. Reference " in content
    assert hits_in(name, content + caplog.text.encode(), made.numbers) == [] and b"Jane" not in content
    assert "Jane" not in caplog.text and "ValueError at" in caplog.text


def test_nothing_that_was_written_meanwhile_holds_a_value(made):
    assert found_in(made.home, made.numbers) == []
