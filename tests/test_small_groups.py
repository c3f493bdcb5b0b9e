"""k counts patients, not rows: nothing that a run stores is one patient's, however many rows the patient has.

CMS cell size suppression policy: no cell of 1-10 persons, nor what lets one be derived.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from canaries import found_in
from made import choice_of, table_of
from tables import planned, saved

from medml.__main__ import main as command
from medml.encode import Encoder
from medml.profile import is_foreseen, propose_choice, regrouped, scan
from medml.recipe import Cleaner, propose_recipe
from medml.recipe.target import outcome
from medml.steps.patients import between, by_patient, safe_median
from medml.train import train
from medml.types import Choice, Column, Profile

KINDS = {"ward": "category", "marker": "number"}


def recipe_for(kinds, off=()):
    frame = pl.DataFrame({name: ["1", "2"] for name in kinds} | {"y": ["0", "1"]})
    recipe = propose_recipe(table_of(frame, {**kinds, "y": "category"}), choice_of("y"), "0" * 64)
    return recipe.model_copy(update={"steps": [step.model_copy(update={"on": step.on and step.name not in off})
                                               for step in recipe.steps]})


def one_patient_of_a_rare_ward() -> tuple[pd.DataFrame, np.ndarray]:
    """60 patients with 4 rows each; one more has 16 rows, all in a ward of its own, and lacks the ward in 12 others."""
    patients = np.r_[np.repeat(np.arange(60), 4), np.full(28, 60)]
    ward = np.array(["north", "south"], dtype=object)[patients % 2]
    ward[240:256], ward[256:] = "ZZRAREward", None
    return pd.DataFrame({"ward": pd.Series(ward, dtype=object),
                         "marker": np.random.default_rng(0).normal(5, 1, len(patients))}), patients


def patients_with_a_constant(n: int) -> tuple[pd.DataFrame, np.ndarray]:
    """n patients with 30 rows each, the marker the same in all rows of one; and rows without it of 40 others."""
    own = np.round(np.random.default_rng(1).uniform(100, 200, n), 0) + np.arange(n) * 0.5
    marker = np.r_[np.repeat(own, 30), np.full(40, np.nan)]
    ward = pd.Series(["north", "south"] * (len(marker) // 2), dtype=object)
    return pd.DataFrame({"ward": ward, "marker": marker}), np.r_[np.repeat(np.arange(n), 30), n + np.arange(40)]


def numbers_in(stored: object) -> set[float]:
    if isinstance(stored, dict):
        return set().union(*map(numbers_in, stored.values()), set())
    if isinstance(stored, list):
        return set().union(*map(numbers_in, stored), set())
    return {float(stored)} if isinstance(stored, int | float) and not isinstance(stored, bool) else set()


@pytest.mark.parametrize("off", [(), ("merge_rare",), ("merge_rare", "impute")])
def test_a_category_of_one_patient_in_16_rows_is_stored_nowhere(off):
    X, patients = one_patient_of_a_rare_ward()
    cleaner = Cleaner(recipe_for(KINDS, off), KINDS).fit(X, patients)
    cleaned = cleaner.transform(X)
    encoder = Encoder().fit(cleaned, KINDS, patients)
    assert "ZZRARE" not in cleaner.to_json() + encoder.to_json()
    assert cleaner.unseen(X)[240] == ["ward"] and "(missing)" not in encoder.to_json()
    as_rows = Cleaner(recipe_for(KINDS, off), KINDS).fit(X)
    assert "ZZRARE" in as_rows.to_json()  # 16 rows of 16 patients are no small group


def test_a_category_of_ten_patients_is_kept():
    X = pd.DataFrame({"ward": pd.Series(["a"] * 60 + ["b"] * 30 + ["c"] * 27, dtype=object)})
    patients = np.r_[np.arange(60), 60 + np.arange(30) // 3, 70 + np.arange(27) // 3]  # b: 10 patients; c: 9
    kinds = {"ward": "category"}
    assert Cleaner(recipe_for(kinds), kinds).fit(X, patients).known == {"ward": ["a", "b"]}
    assert Encoder().fit(X, kinds, patients).levels == {"ward": ["a", "b"]}


@pytest.mark.parametrize("off", [(), ("cap_outliers", "impute", "merge_rare")])
@pytest.mark.parametrize("n", [1, 2, 7, 12, 19])
def test_no_constant_of_a_patient_is_learned_where_few_have_a_value(n, off):
    X, patients = patients_with_a_constant(n)
    cleaner = Cleaner(recipe_for(KINDS, off), KINDS).fit(X, patients)
    stored = [json.loads(cleaner.to_json()), json.loads(Encoder().fit(cleaner.transform(X), KINDS, patients).to_json())]
    learned = [stored[0]["states"], {name: stored[0][name] for name in stored[0].keys() & {"far"}}, stored[1]["means"]]
    assert not numbers_in(learned) & set(X["marker"].dropna())
    assert "marker" not in str(dict(map(tuple, stored[0]["states"])).get("cap_outliers", ""))


def test_few_rows_without_a_patient_column_are_few_patients():
    X = pd.DataFrame({"ward": pd.Series(["a"] * 19, dtype=object), "marker": np.arange(101.0, 120.0)})
    cleaner = Cleaner(recipe_for(KINDS), KINDS).fit(X)
    assert not numbers_in(cleaner.states) & set(X["marker"])


def test_each_patient_counts_once_in_what_is_learned():
    """One patient of 300 rows beside 25 of one row: the median and the limits stay those of the 25."""
    one_row, many = np.arange(1.0, 26.0), np.full(300, 1_000.0)
    X = pd.DataFrame({"marker": np.r_[one_row, many]})
    kinds = {"marker": "number"}
    cleaner = Cleaner(recipe_for(kinds), kinds).fit(X, np.r_[np.arange(25), np.full(300, 25)])
    states = dict(cleaner.states)
    assert 13 <= states["impute"]["numbers"]["marker"] <= 14  # of 1..25 and 1,000: 13.5 by hand
    assert states["cap_outliers"]["limits"]["marker"][1] < 1_000


def test_lowest_middle_and_highest_of_every_patient():
    values, patients = np.array([3.0, 9.0, np.nan, 1.0, 2.0, 7.0, np.inf]), np.array([5, 2, 2, 5, 5, 2, 9])
    low, middle, high = by_patient(values, patients)
    assert (low.tolist(), middle.tolist(), high.tolist()) == ([7, 1], [8, 2], [9, 3])
    assert all(len(each) == 0 for each in by_patient(np.array([np.nan]), np.array([1])))


def test_a_number_between_two_is_round_and_strictly_between():
    assert between(131.0, 142.0) == 140.0 and between(1.0, 2.0) == 1.5
    assert between(-1e308, 1e308) == 0.0 and 1e300 < between(1e300, np.nextafter(1e300, 2e300) * 1.001)
    assert safe_median(np.array([]), None) == 0.0 and safe_median(np.array([7.25] * 9), None) == 0.0
    assert safe_median(np.array([7.25] * 10), None) == 7.25  # of ten patients: no small group


# ---- the profile ------------------------------------------------------------------------------------------------

def profiled(tmp_path, table: pd.DataFrame):
    table.to_csv(tmp_path / "visits.csv", index=False)
    return scan(tmp_path / "visits.csv").tables[0]


def test_the_profile_hides_a_category_of_one_patient_in_16_rows(tmp_path):
    X, patients = one_patient_of_a_rare_ward()
    X = X.assign(patient_id=[f"P{each:03d}" for each in patients], died=(patients % 3 == 0).astype(int))
    table = profiled(tmp_path, X)
    ward = table.column("ward")
    assert table.patient.column == "patient_id" and "ZZRARE" not in table.model_dump_json()
    assert [each.label for each in ward.levels] == ["north"]  # "south" too: its size would tell the hidden one's
    assert (ward.hidden_levels, ward.hidden_rows) == (2, 136)
    assert table.column("marker").median is not None and len(table.column("died").levels) == 2
    alone = profiled(tmp_path, X.drop(columns="patient_id"))
    assert [each.n for each in alone.column("ward").levels] == [120, 120, 16]


@pytest.mark.parametrize("other", ["person_id", "subject"])
def test_the_profile_hides_small_groups_of_any_column_that_may_be_picked_as_the_patient(tmp_path, other):
    """The scan proposes one column; the clinician may pick another one, and the profile is stored by then."""
    X, whose = one_patient_of_a_rare_ward()
    rng = np.random.default_rng(0)
    family = rng.permutation(len(X)) // 2  # pairs of rows, by chance: what is proposed hides nothing
    table = profiled(tmp_path, X.assign(**{"patient_id": [f"P{each:03d}" for each in family],
                                           other: [f"V{each:05d}" for each in whose]},
                                        died=(whose % 3 == 0).astype(int)))
    assert table.patient.column == "patient_id"
    ward = table.column("ward")
    assert "ZZRARE" not in table.model_dump_json() and [each.label for each in ward.levels] == ["north"]


def one_patient_by_number(folder) -> tuple[Path, Profile, Choice]:
    """As above, but patients are numbered in a column that nothing tells apart from a measurement."""
    X, whose = one_patient_of_a_rare_ward()
    source = saved(X.assign(series=whose.astype(float) + 0.5, died=(whose % 3 == 0).astype(int)), folder)
    found = scan(source)
    return source, found, propose_choice(found, target="died", patient="series")


def test_small_groups_are_counted_again_by_a_patient_column_that_nobody_foresaw(tmp_path):
    _, found, choice = one_patient_by_number(tmp_path)
    assert "ZZRARE" in found.model_dump_json() and not is_foreseen(found, choice)  # 16 rows, of one patient
    again = regrouped(found, choice)
    assert "ZZRARE" not in again.model_dump_json() and is_foreseen(again, choice)
    assert regrouped(again, choice) is again
    nobody = choice.model_copy(update={"patient": None})
    assert regrouped(found, nobody) is found


def test_the_terminal_stores_no_category_of_one_patient_of_such_a_column(tmp_path, medml_home):
    source, _, _ = one_patient_by_number(tmp_path)
    assert command(["train", str(source), "--target", "died", "--patient", "series", "--family", "logistic",
                    "--folds", "2"]) == 0
    assert any(medml_home.rglob("cleaner.json")) and found_in(medml_home, np.array([7.654321e-5])) == []


@pytest.mark.parametrize(("n", "words"), [(3, "Fewer than 10 rows hold -999, which"), (12, "12 rows hold -999, which")])
def test_few_cells_that_may_have_been_measured_are_not_counted_in_a_remark(tmp_path, n, words):
    lab = np.r_[np.full(n, -999.0), np.random.default_rng(0).normal(50, 9, 200 - n).round(1)]
    table = scan(saved(pd.DataFrame({"lab": lab, "y": [0, 1] * 100}), tmp_path)).tables[0]
    said = next(each for each in table.column("lab").suspicions if each.code == "sentinel_missing")
    assert said.what.startswith(words) and ("rows" in said.figures) == (n >= 10)


@pytest.mark.parametrize(("n", "shown"), [(12, False), (19, False), (20, True)])
def test_the_profile_shows_a_range_of_20_patients_and_more(tmp_path, n, shown):
    X, patients = patients_with_a_constant(n)
    X = X.assign(patient_id=[f"P{each:03d}" for each in patients], died=(patients % 3 == 0).astype(int))
    marker = profiled(tmp_path, X).column("marker")
    assert marker.kind == "number" and [each is not None for each in (marker.low, marker.median, marker.high)] == \
        [shown] * 3


def test_spellings_of_yes_and_no_are_read_though_their_levels_are_hidden():
    answers = pl.Series("y", ["Y", "yes", "N", "no", "Y", "0"])
    scanned = Column(name="y", kind="yes_no", missing=0, distinct=5, hidden_levels=2, hidden_rows=6)
    y, classes = outcome(answers, choice_of("y"), scanned)
    assert set(classes) == {"yes", "no"} and np.bincount(y).tolist() == [3, 3]


# ---- a whole run ------------------------------------------------------------------------------------------------

def test_no_category_of_one_patient_is_in_a_run(tmp_path, medml_home):
    """"ZZRARE" is one of the words that found_in looks for."""
    X, patients = one_patient_of_a_rare_ward()
    table = X.assign(patient_id=[f"P{each:03d}" for each in patients], outcome=(patients * 7 % 3 == 0).astype(int))
    source = saved(table, tmp_path)
    plan = planned(source, patient="patient_id")
    train(source, *plan, job="canary")
    assert any(medml_home.rglob("cleaner.json")) and found_in(medml_home, np.array([7.654321e-5])) == []
