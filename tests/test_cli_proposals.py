"""What the command line leaves out, cleans and joins by itself, said in words, and how a person says otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from tables import clinic, saved

from medml import gallery
from medml.__main__ import main as command
from medml.commands.train import proposals_in_words
from medml.profile import left_out, propose_choice, scan
from medml.recipe import propose_recipe


def leaky(folder: Path, n: int = 160) -> Path:
    """A table in which `days` is known too late and `grade` is the outcome in other words."""
    table = clinic(n)
    table["outcome"] = np.where(table["outcome"] == 1, "dead", "alive")
    table.insert(1, "grade", table["outcome"].map({"dead": "IV", "alive": "I"}))
    table.insert(1, "follow_up_days", np.arange(n) % 37)
    return saved(table, folder)


def trained(source: Path, out: Path, *more: str) -> dict:
    """Train quickly in this process; what --json says."""
    assert command(["train", str(source), "--target", "outcome", "--folds", "3", "--family", "logistic",
                    "--json", str(out), *more]) == 0
    return json.loads(out.read_text())


def test_scan_says_which_columns_it_proposes_to_leave_out_and_why(tmp_path, capsys):
    assert command(["scan", str(leaky(tmp_path))]) == 0
    said = capsys.readouterr().out
    assert "Proposed to leave out:\n" in said
    assert "  grade: It is outcome in other words" in said
    assert "  follow_up_days: Its name speaks of a follow-up" in said


def test_train_leaves_out_what_the_screen_proposes_and_says_so(tmp_path, capsys):
    source = leaky(tmp_path)
    run = trained(source, tmp_path / "a.json")
    said = capsys.readouterr().out
    assert {"grade", "follow_up_days"} <= set(run["config"]["choice"]["leave_out"])
    assert "Left out: grade. It is outcome in other words" in said and "--keep" in said
    assert said.index("Left out: grade") < said.index("Run ")
    profile = scan(source)
    on_screen = {each.column for each in left_out(profile.tables[0], "outcome", "patient_id")}
    assert set(run["config"]["choice"]["leave_out"]) == on_screen
    assert run["metrics"]["auroc"]["value"] < 0.98  # the outcome in other words would make it 1


def test_a_name_that_ends_with_a_full_stop_gets_no_second_one(tmp_path):
    table = clinic(160)
    table.insert(1, "Fal-Nr.", [f"F{900 + each}" for each in range(160)])
    profile = scan(saved(table, tmp_path))
    choice = propose_choice(profile, target="outcome", patient="patient_id")
    config, recipe = SimpleNamespace(choice=choice, params={}), propose_recipe(profile.tables[0], choice, "0" * 64)
    said, = (each for each in proposals_in_words(tmp_path, profile, config, recipe) if each.startswith("Left out:"))
    assert said.startswith("Left out: Fal-Nr. ") and "  " not in said


def test_a_column_is_kept_where_a_person_says_so(tmp_path, capsys):
    run = trained(leaky(tmp_path), tmp_path / "a.json", "--keep", "follow_up_days")
    assert "follow_up_days" not in run["config"]["choice"]["leave_out"]
    assert "grade" in run["config"]["choice"]["leave_out"]
    assert "Left out: follow_up_days" not in capsys.readouterr().out


@pytest.mark.parametrize(("more", "words"), [
    (("--keep", "nonsense"), "no column nonsense"),
    (("--keep", "age", "--drop", "age"), "kept and left out at once"),
    (("--keep", "row"), "row cannot be used to predict"),
])
def test_what_cannot_be_kept_is_refused(tmp_path, capsys, more, words):
    table = clinic(80)
    table.insert(0, "row", [f"R{place:04d}" for place in range(80)])
    assert command(["train", str(saved(table, tmp_path)), "--target", "outcome", *more]) == 2
    assert words in capsys.readouterr().err and gallery.runs() == []


def test_another_outcome_than_the_likeliest_has_leaks_of_its_own(tmp_path):
    table = clinic(160)
    table["death_event"] = np.where(table["pressure"].fillna(130) > 130, 1, 0)
    found = scan(saved(table, tmp_path)).tables[0]
    assert found.targets[0].column == "death_event"
    assert "death_event" in {each.column for each in left_out(found, "outcome", "patient_id")}
    assert "outcome" not in {each.column for each in left_out(found, "outcome", "patient_id")}


def test_train_prints_its_cleanup_with_reasons_and_effects(tmp_path, capsys):
    table = clinic(120)
    table = saved(pd.concat([table, table.head(3)]), tmp_path)
    trained(table, tmp_path / "a.json")
    said = capsys.readouterr().out
    line = next(each for each in said.splitlines() if each.startswith("  exact_duplicates"))
    assert "3 of 123 rows equal an earlier row" in line and "3 rows equal to an earlier row were left out" in line
    assert "  impute · " in said and said.index("  impute") < said.index("Run ")


def test_a_cleanup_step_is_switched_off_by_its_name(tmp_path, capsys):
    table = clinic(120)
    source = saved(pd.concat([table, table.head(3)]), tmp_path)
    run = trained(source, tmp_path / "a.json", "--without", "exact_duplicates", "--without", "cap_outliers")
    assert {each["name"] for each in run["recipe"]["steps"] if not each["on"]} == {"exact_duplicates", "cap_outliers"}
    assert run["n_cases"] == 123
    assert "Off. It would do: 3 rows equal" in capsys.readouterr().out


def test_a_step_that_is_not_there_is_refused_with_those_that_are(tmp_path, capsys):
    source = saved(clinic(60), tmp_path)
    assert command(["train", str(source), "--target", "outcome", "--without", "magic"]) == 2
    said = capsys.readouterr().err
    assert "no step “magic”" in said and "exact_duplicates, sentinels" in said


def graded(folder: Path) -> Path:
    """Three classes, of which two need not be told apart."""
    table = clinic(180)
    names = np.array(["none", "mild", "severe"])
    table["outcome"] = names[table["outcome"] * (1 + np.arange(180) % 2)]
    return saved(table, folder)


def test_classes_of_the_outcome_are_joined_by_name(tmp_path, capsys):
    run = trained(graded(tmp_path), tmp_path / "a.json", "--merge", "ill=mild,severe")
    assert run["task"] == "multiclass" and run["classes"] == ["ill", "none"]
    assert "2 classes count as “ill”" in capsys.readouterr().out


@pytest.mark.parametrize("merge", ["ill=mild", "ill=mild,grave", "all=none,mild,severe", "mild", "none=mild,severe",
                                   "a=mild,none"])
def test_classes_that_cannot_be_joined_are_refused_with_those_that_are_there(tmp_path, capsys, merge):
    more = ["--merge", "b=mild,severe"] if merge.startswith("a=") else []
    assert command(["train", str(graded(tmp_path)), "--target", "outcome", "--merge", merge, *more]) == 2
    assert "cannot be joined like that" in (said := capsys.readouterr().err) and "severe" in said
