"""Predict in a real browser: one patient from a form, a file of many; what is typed is found nowhere afterwards."""

from __future__ import annotations

import csv
import re
import shutil

import numpy as np
import pytest
from canaries import found_in
from playwright.sync_api import expect
from tables import clinic, planned, saved

from medml.train import train
from tests.e2e import steps

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
AGE, PRESSURE = 61.2837465, 139.8372651  # nobody else has them


@pytest.fixture(scope="module")
def asked_run(app, tmp_path_factory):
    """A small model in the home of the running app, and the table that it learned from."""
    folder = tmp_path_factory.mktemp("asked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(app.home))
        source = saved(clinic(300).rename(columns={"pressure": "pressure (mmHg)"}), folder)
        return train(source, *planned(source)), source


@pytest.fixture
def form(screen, app, asked_run):
    """The form of that model."""
    screen.goto(f"{app.url}/predict?run={asked_run[0]}")
    steps.on_page(screen, "Predict")
    expect(screen.get_by_text("No answer yet.")).to_be_visible()
    return screen


def number(page, name: str):
    """The field of a column whose name begins like that."""
    return page.get_by_role("spinbutton", name=re.compile(f"^{name}"))


def fill(page, name: str, value: str):
    """Type into a field once the screen stands: one that is drawn anew meanwhile forgets what was typed."""
    steps.settled(page)
    number(page, name).fill(value)
    expect(number(page, name)).not_to_have_value("")


def enter(page, **values: str):
    for name, value in values.items():
        fill(page, name, value)
    steps.settled(page)
    page.get_by_role("button", name="Predict", exact=True).click()


def test_one_patient_is_answered_with_all_that_must_be_said(form, app):
    expect(number(form, "pressure")).to_have_attribute("placeholder", re.compile("Mostly"))
    steps.pick(form, "sex", "female")
    enter(form, age=str(AGE), pressure=str(PRESSURE))
    card = form.locator(".st-key-m_card_answer")
    expect(card.locator(".m-figure-value")).to_have_text(re.compile(r"^\d+(\.\d)? %$"), timeout=60_000)
    expect(card).to_contain_text("Probability that outcome is “1”")
    expect(card).to_contain_text(re.compile(r"Of 100 patients given about \d+ %, \d+ had it \(\d+ to \d+\)"))
    expect(card).to_contain_text("Internally validated only")
    expect(card.locator(".m-part-name")).to_have_count(3)
    expect(card).to_contain_text("A set at 90 % held the truth in")
    before = card.locator(".m-note").nth(1).inner_text()
    card.get_by_role("radio", name="80 %").or_(card.get_by_text("80 %", exact=True)).first.click()
    expect(card.locator(".m-note").nth(1)).not_to_have_text(before)

    form.get_by_role("link", name="Jobs").click()
    steps.on_page(form, "Jobs")
    form.get_by_role("link", name="Predict").click()
    steps.on_page(form, "Predict")
    expect(card).to_contain_text("No answer yet.")  # the form is empty: no answer of somebody else stands beside it

    fill(form, "pressure", str(PRESSURE))
    number(form, "pressure").press("Enter")  # asks, as the button does
    expect(card).to_contain_text("No answer for this patient.")
    expect(number(form, "pressure")).not_to_have_value("")
    expect(card).to_contain_text("age: missing, and the answer depends on it")
    expect(card.locator(".m-figure-value")).to_have_count(0)
    steps.settled(form)
    form.get_by_role("button", name="Next patient").click()
    expect(card).to_contain_text("No answer yet.")
    expect(number(form, "pressure")).to_have_value("")
    enter(form)
    expect(form.get_by_text("Nothing was entered.")).to_be_visible()
    assert not any(text in form.url for text in (str(AGE), str(PRESSURE), "female"))
    assert found_in(app.home, np.array([AGE, PRESSURE])) == []


def test_a_file_is_answered_and_kept_nowhere(form, app, asked_run, tmp_path):
    new = clinic(12, seed=4).drop(columns="outcome").rename(columns={"pressure": "pressure (mmHg)"})
    new.loc[0, ["patient_id", "age", "pressure (mmHg)"]] = ["=1+1", AGE, PRESSURE]
    new.loc[1, "age"] = 900
    file = saved(new, tmp_path / "new ones")
    form.get_by_text("A file of patients").click()
    form.get_by_label("File of patients").fill(str(file))
    form.get_by_text("Name the columns that go with each answer").click()
    form.get_by_role("button", name="Predict the file").click()
    with form.expect_download(timeout=90_000) as waited:
        form.get_by_role("button", name="Download the answers").click(timeout=90_000)
    waited.value.save_as(tmp_path / "answers.csv")
    with (tmp_path / "answers.csv").open(newline="", encoding="utf-8") as written:
        rows = list(csv.DictReader(written))
    assert [row["patient_id"] for row in rows] == ["'=1+1", *new["patient_id"][1:]]
    assert rows[0]["set at 90%"] and rows[0]["reasons"] and "internally validated only" in rows[0]["note"]
    assert "age: far outside" in rows[1]["abstained"] and rows[1]["predicted"] == ""
    assert found_in(app.home, np.array([AGE, PRESSURE])) == []
    shutil.rmtree(file.parent)
    form.get_by_role("button", name="Predict the file").click()
    expect(form.get_by_text("There is no folder or file")).to_be_visible(timeout=60_000)
