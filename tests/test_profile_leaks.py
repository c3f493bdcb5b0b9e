"""One-column oracles: known by construction, and against scikit-learn's AUROC."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medml.profile import leaks, name_gives_away
from medml.profile.names import is_age, looks_like_id, outcome_weight, unit_of, words
from medml.profile.sentinels import stand_for_missing
from medml.recipe.groups import group_columns


def outcome(n=4000, share=0.3, seed=0):
    return (np.random.default_rng(seed).random(n) < share).astype(np.int64)


@pytest.mark.parametrize("distance", [0.0, 0.7, 1.5, 3.0])
def test_auroc_of_a_number_is_close_to_scikit_learns(distance):
    y = outcome()
    x = np.random.default_rng(1).normal(size=len(y)) + distance * y
    found = leaks.ask(leaks.group_numbers(x), y, 2)
    assert found.auroc == pytest.approx(max(roc_auc_score(y, x), 0.5), abs=0.02)  # 20 groups, out of fold


def test_noise_stays_near_one_half_with_many_levels():
    y, rng = outcome(600), np.random.default_rng(2)
    found = leaks.ask(leaks.group_levels(rng.integers(0, 50, 600)), y, 2)
    assert found.auroc < 0.65 and found.explained < 0.35


def test_a_copy_of_the_outcome_is_the_outcome():
    y = outcome()
    found = leaks.ask(leaks.group_levels(1 - y), y, 2)
    assert (found.auroc, found.explained, found.pure) == (1.0, 1.0, 1.0)


def test_a_u_shaped_oracle_is_seen():
    y, rng = outcome(), np.random.default_rng(3)
    x = np.where(y == 1, rng.choice([-5.0, 5.0], len(y)), 0.0) + rng.normal(size=len(y)) * 0.3
    assert leaks.ask(leaks.group_numbers(x), y, 2).auroc > 0.99


def test_missing_cells_that_tell_the_outcome_are_seen():
    y, x = outcome(), np.random.default_rng(4).normal(size=4000)
    assert leaks.ask(leaks.group_numbers(np.where(y == 1, np.nan, x)), y, 2).auroc == 1.0


def test_a_pure_group_is_not_said_where_chance_makes_one():
    """12 rows without an event at a prevalence of 5 %: probability 0.95^12 = 0.54."""
    y = np.zeros(1000, dtype=np.int64)
    y[::20] = 1
    groups = np.zeros(1000, dtype=np.int64)
    groups[1:13] = 1
    assert leaks.ask(groups, y, 2).pure == 0
    groups[:] = 0
    groups[y == 1] = 1
    assert leaks.ask(groups, y, 2).pure == 1.0


def test_rows_that_alternate_case_and_control_are_still_asked():
    y = np.arange(400) % 2
    assert leaks.ask(leaks.group_levels(y), y, 2).auroc == 1.0


def test_too_few_of_a_class_say_nothing():
    y = np.zeros(500, dtype=np.int64)
    y[:6] = 1
    assert leaks.ask(np.arange(500) % 7, y, 2) is None


@pytest.mark.parametrize(("name", "target"), [
    ("time", "DEATH_EVENT"), ("d.time", "death"), ("discharge_disposition_id", "readmitted"), ("icu_out", "outcome"),
    ("DischargeDate", "sepsis"), ("hospdead", "death"), ("CauseOfDeath", "outcome"), ("length_of_stay", "outcome")])
def test_names_that_are_known_afterwards(name, target):
    assert name_gives_away(name, target).code == "outcome_proxy"


@pytest.mark.parametrize(("name", "target"), [
    ("time_in_hospital", "readmitted"), ("time", "diagnosis"), ("death", "death"), ("age", "death"), ("TSH", "Class"),
    ("slope", "num"), ("closure", "label")])
def test_names_that_give_nothing_away(name, target):
    assert name_gives_away(name, target) is None


@pytest.mark.parametrize(("name", "found"), [
    ("DEATH_EVENT", ("death", "event")), ("RiskLevel", ("risk", "level")), ("d.time", ("d", "time")),
    ("CRP (mg/L)", ("crp",)), ("BMI", ("bmi",)), ("HbA1c", ("hb", "a1c"))])
def test_names_are_cut_into_words(name, found):
    assert words(name) == found


def test_names_tell_ids_ages_outcomes_and_units():
    assert looks_like_id("patient_nbr") and looks_like_id("MRN") and not looks_like_id("oxide")
    assert is_age("Age") and not is_age("page") and not is_age("dosage")
    assert outcome_weight("DEATH_EVENT") > outcome_weight("status") > outcome_weight("crp") == 0
    assert (unit_of("CRP (mg/L)"), unit_of("value (2)"), unit_of("temp [°C]")) == ("mg/L", None, "°C")


def test_a_german_table_has_groups_of_sex_too():
    """Its column of ages ("Alter") was known; "Geschlecht" was not, and the report said that no sex was found."""
    assert group_columns({"Alter": "number", "Geschlecht": "category"}) == ["Alter", "Geschlecht"]


@pytest.mark.parametrize(("name", "numbers", "marked"), [
    ("sbp", [110, 120, 130, 140, 150, 160, -999], [-999]),
    ("Glucose", [85, 99, 110, 140, 170, 200, 0], [0]),
    ("visits", [1, 2, 3, 4, 5, 6, 0], []),
    ("crp", [0, 0.2, 0.4, 3, 8, 40, 120], []),
    ("change", [-3, -2, -1, 0, 1, 2, 3], []),
])
def test_values_that_stand_for_missing(name, numbers, marked):
    numbers = np.array(numbers, dtype=float)
    found = stand_for_missing(name, numbers, np.full(len(numbers), 12))
    assert numbers[found].tolist() == marked
