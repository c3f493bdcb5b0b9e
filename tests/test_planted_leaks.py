"""Leaks that are planted in a table of patients trip their alarms in a real training; the same table without them does
not. Image tags and near copies of pictures: test_pictures.py."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tables import clinic, planned, saved

from medml import gallery
from medml.errors import UserError
from medml.train import train
from medml.types import Report

STOPS = {"L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "L9", "L13"}


def reported(table: pd.DataFrame, folder, *, drop: tuple[str, ...] = ("patient_id",), **choice) -> Report:
    """The report of a plain regression on every column but those in `drop`: nothing that MedML would leave out is."""
    source = saved(table, folder)
    profile, recipe, config = planned(source, **choice)
    kept = config.choice.model_copy(update={"leave_out": list(drop)})
    steps = [each.model_copy(update={"on": each.on and each.name not in ("drop_columns", "exact_duplicates")})
             for each in recipe.steps]
    recipe = recipe.model_copy(update={"steps": steps})
    config = config.model_copy(update={"choice": kept})
    return gallery.open_run(train(source, profile, recipe, config)).report


def verdicts(report: Report) -> dict[str, str]:
    return {each.id: each.verdict for each in report.checks}


def test_a_clean_table_raises_no_alarm_of_a_leak(tmp_path):
    found = verdicts(reported(clinic(300), tmp_path))
    assert {name: verdict for name, verdict in found.items() if name in STOPS and verdict in ("warn", "block")} == {}
    assert found["L12"] == "pass" and found["M4"] == "pass"


def test_leaks_of_five_kinds_in_one_table_are_all_named(tmp_path):
    """A single column, a date on or after the outcome's, the outcome with noise, a running number, a template."""
    table = clinic(300)
    rng = np.random.default_rng(0)
    sick = table["outcome"].to_numpy() == 1
    admitted = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 300), unit="D")
    table["troponin"] = np.where(sick, rng.normal(9, 1, 300), rng.normal(3, 1, 300)).round(2)
    table["death_date"] = admitted + pd.to_timedelta(5, unit="D")
    table["ct_date"] = admitted + pd.to_timedelta(np.where(sick, 6, 2), unit="D")
    table["assessment"] = np.where(rng.random(300) < 0.995, np.where(sick, "poor", "good"), "good")
    table["sheet"] = np.arange(1000, 1300)
    words = np.array(["cough", "fever", "pain", "tired", "walks", "sleeps", "eats", "smokes", "alone", "family"])
    table["note"] = [" ".join([*rng.choice(words, 9), "consistent with disease" if yes else "no sign seen",
                               str(number)]) for number, yes in enumerate(sick)]
    report = reported(table, tmp_path)
    said = {each.id: each for each in report.checks}
    assert {name: said[name].verdict for name in ("L4", "L5", "L6", "L11", "L13")} == dict.fromkeys(
        ("L4", "L5", "L6", "L11", "L13"), "warn")
    assert "troponin" in said["L4"].what and "sheet" in said["L5"].what and "note" in said["L13"].what
    assert "assessment" in said["L6"].what or "assessment" in said["L4"].what
    assert "date" in said["L6"].what
    assert "consistent" not in report.model_dump_json()


def test_patients_who_come_back_are_refused_and_copies_kept_on_one_side(tmp_path):
    table = clinic(360, visits=6)
    source = saved(table, tmp_path / "named")
    profile, recipe, config = planned(source)
    by_row = config.model_copy(update={"split": config.split.model_copy(update={"by": "row"})})
    with pytest.raises(UserError, match="repeats"):
        train(source, profile, recipe, by_row)
    copied = pd.concat([clinic(200), clinic(200).iloc[:30]]).drop(columns="patient_id")
    found = {each.id: each for each in reported(copied, tmp_path / "copies", drop=()).checks}
    assert found["L3"].verdict == "pass" and (found["L3"].figures["across"], found["L3"].figures["kept"]) == (0, 60)
