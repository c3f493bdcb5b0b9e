"""Which rows a training keeps: copies, rare outcome classes, rows with too few fields; told, counted, switchable."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from made import as_text, cases_of, choice_of, read_csv, table_of

from medml import split
from medml.config import propose_config
from medml.errors import UserError
from medml.profile import propose_choice, scan
from medml.recipe import prepare, preview, propose_recipe
from medml.steps import About, registry
from medml.steps.step import ROW
from medml.types import SplitPlan

FIVE = SplitPlan(by="row", scheme="cross_validation", folds=5)


def step_of(recipe, name):
    return next(step for step in recipe.steps if step.name == name)


# ---- copies -----------------------------------------------------------------------------------------------------

def coarse(n: int = 300, *, copies: int = 60) -> pl.DataFrame:
    """`copies` of n rows equal an earlier one."""
    rng = np.random.default_rng(3)
    apart = pl.DataFrame({"age": rng.permutation(n - copies) + 20, "bp": rng.integers(9, 16, n - copies) * 10,
                          "sick": rng.integers(0, 2, n - copies)})
    return as_text(pl.concat([apart, apart.head(copies)]))


def test_many_equal_rows_of_nobody_in_particular_are_kept_and_stay_on_one_side():
    cases, recipe, *_ = cases_of(coarse(), "sick")
    step = step_of(recipe, "exact_duplicates")
    assert not step.on and "60 of 300 rows equal an earlier row (20%)" in step.reason
    assert "may be different patients" in step.reason
    assert len(cases.y) == 300 and split.copies_across(cases, split.make_folds(cases, FIVE, 0)) == 0


@pytest.mark.parametrize(("frame", "choice"), [
    (coarse(copies=15), {}),  # 5 in 100: slips of the file
    (coarse().with_columns(id=pl.col("age")), {"patient": "id"}),
    (coarse().with_columns(mrn=pl.col("age")), {}),
])
def test_few_copies_and_copies_of_a_known_patient_are_left_out(frame, choice):
    table = table_of(frame, {"mrn": "identifier"})
    step = step_of(propose_recipe(table, choice_of("sick", **choice), "0" * 64), "exact_duplicates")
    assert step.on and "look up the answer" in step.reason


def test_maternal_health_keeps_its_1014_rows(clinical):
    """562 repeat an earlier row (SOURCE.md); no column says whose row it is."""
    source = clinical / "maternal_health_risk" / "maternal_health_risk.csv"
    profile = scan(source)
    choice = propose_choice(profile)
    recipe = propose_recipe(profile.tables[0], choice, "0" * 64)
    cases, _ = prepare(read_csv(source), recipe, profile.tables[0], choice)
    assert not step_of(recipe, "exact_duplicates").on and len(cases.y) == 1_014
    config = propose_config(profile.tables[0], choice, recipe, profile_sha256="p", data_sha256="d")
    assert split.copies_across(cases, split.make_folds(cases, config.split, 0)) == 0


# ---- rare outcome classes ---------------------------------------------------------------------------------------

def diagnoses(**counts: int) -> pl.DataFrame:
    labels = [name for name, n in counts.items() for _ in range(n)]
    rng = np.random.default_rng(0)
    return pl.DataFrame({"age": rng.permutation(len(labels)).astype(str), "dx": rng.permutation(labels)})


def run(frame: pl.DataFrame, params: dict | None = None, **choice):
    step = registry.get("rare_classes")
    about = About.of(table_of(frame), choice_of("dx", "multiclass", **choice))
    return step.apply(frame.with_row_index(ROW), step.filled(params or {}), about)


def test_rows_of_a_class_too_rare_are_left_out_told_and_in_the_flow():
    frame = diagnoses(flu=60, cold=40, rash=9, odd=2)
    cases, recipe, *_ = cases_of(frame, "dx", "multiclass")
    assert cases.classes == ["cold", "flu"] and len(cases.y) == 100
    assert ("Rare outcome classes", 111, 11, 100) in [
        (box.what, box.n_before, box.n_removed, box.n_after) for box in cases.flow]
    step = step_of(recipe, "rare_classes")
    assert step.on and "fewer than 10 rows" in step.reason and "refused" in step.reason
    assert "odd" not in recipe.model_dump_json() and "rash" not in recipe.model_dump_json()
    split.make_folds(cases, FIVE, 0)
    kept, *_ = cases_of(frame, "dx", "multiclass", off=("rare_classes",))
    with pytest.raises(UserError, match="smallest class has 2 cases") as refused:
        split.make_folds(kept, FIVE, 0)
    assert "Rare outcome classes" in refused.value.fix


def test_rare_classes_are_joined_with_the_next_larger_one_where_they_are_too_few_together():
    frame = diagnoses(flu=60, cold=40, rash=12, odd=2)
    after, effect = run(frame, {"what": "join"})
    assert dict(after["dx"].value_counts().iter_rows()) == {"flu": 60, "cold": 40, "rash and rarer": 14}
    assert effect.sentence == "14 rows of 2 classes count as one class." and effect.cells_changed == 14
    enough, _ = run(diagnoses(flu=60, cold=40, rash=6, odd=4), {"what": "join"})
    assert dict(enough["dx"].value_counts().iter_rows()) == {"flu": 60, "cold": 40, "(other)": 10}


def test_a_class_of_many_rows_of_few_patients_is_rare():
    frame = diagnoses(flu=60, cold=40, rash=30)
    whose = [f"P{n % 3}" if dx == "rash" else f"Q{n}" for n, dx in enumerate(frame["dx"])]
    after, effect = run(frame.with_columns(who=pl.Series(whose)), patient="who")
    assert effect.rows_after == 100 and "rash" not in after["dx"].to_list()


@pytest.mark.parametrize("params", [{}, {"what": "join"}])
def test_nothing_is_left_out_where_too_few_classes_would_stay(params):
    frame = diagnoses(flu=60, odd=3, rash=2) if not params else diagnoses(flu=60, odd=3)
    after, effect = run(frame, params)
    assert after.height == frame.height and effect.sentence == "Too few classes would be left, so every row stays."


def test_rows_without_an_outcome_are_no_rare_class():
    frame = diagnoses(flu=60, cold=40).with_columns(
        dx=pl.when(pl.int_range(pl.len()) < 3).then(None).otherwise(pl.col("dx")))
    assert run(frame)[0].height == 100


def test_a_rare_class_is_told_at_the_scan_and_numbers_of_folds_go_by_the_classes_that_stay(tmp_path):
    frame = diagnoses(**{"0": 1_600, "1": 400, "2": 12, "3": 3})
    frame.write_csv(tmp_path / "t.csv")
    profile = scan(tmp_path / "t.csv")
    table = profile.tables[0]
    said, = (each for each in table.column("dx").suspicions if each.code == "rare_classes")
    assert said.what == "1 of its 4 classes has fewer than 10 rows, too few to learn from."
    assert said.severity == "caution"
    choice = propose_choice(profile, target="dx")
    recipe = propose_recipe(table, choice, "0" * 64)
    assert "1 of its 4 classes has fewer than 10 rows (3 of 2,015 in all)" in step_of(recipe, "rare_classes").reason
    config = propose_config(table, choice, recipe, profile_sha256="p", data_sha256="d")
    cases, _ = prepare(read_csv(tmp_path / "t.csv"), recipe, table, choice)
    assert (config.split.scheme, config.split.folds) == ("held_out", 4)  # of 12 rows 9 are learned from: 2 a fold
    assert split.make_folds(cases, config.split, 0)


def test_hypothyroid_is_trained_on_three_classes(clinical):
    """Four classes, one of them with 2 rows of 3,772 (SOURCE.md)."""
    source = clinical / "hypothyroid" / "hypothyroid.csv"
    profile = scan(source)
    choice = propose_choice(profile)
    assert any(each.code == "rare_classes" for each in profile.tables[0].column("Class").suspicions)
    recipe = propose_recipe(profile.tables[0], choice, "0" * 64)
    frame = read_csv(source)
    cases, _ = prepare(frame, recipe, profile.tables[0], choice)
    assert cases.classes == ["compensated_hypothyroid", "negative", "primary_hypothyroid"]
    effect = next(each for each in preview(frame, recipe, profile.tables[0], choice) if each.step == "rare_classes")
    assert effect.sentence == "2 rows of 1 rare class were left out."
    config = propose_config(profile.tables[0], choice, recipe, profile_sha256="p", data_sha256="d")
    assert split.make_folds(cases, config.split, 0)
