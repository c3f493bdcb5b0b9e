"""Which rows a training keeps: copies, rare outcome classes, rows with too few fields; told, counted, switchable."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from made import as_text, cases_of, choice_of, read_csv, table_of
from tables import clinic, planned, saved

from medml import gallery, pipeline, split
from medml.config import propose_config
from medml.data import open_table
from medml.errors import UserError
from medml.predict import predict_file
from medml.profile import propose_choice, scan
from medml.recipe import prepare, preview, propose_recipe
from medml.steps import About, registry
from medml.steps.step import ROW
from medml.train import train
from medml.types import SplitPlan
from medml.watch import Silent

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


def test_a_rare_class_is_told_at_the_scan_and_the_split_goes_by_the_classes_that_stay(tmp_path):
    frame = diagnoses(**{"0": 1_600, "1": 500, "2": 400, "3": 3})
    frame.write_csv(tmp_path / "t.csv")
    profile = scan(tmp_path / "t.csv")
    table = profile.tables[0]
    said, = (each for each in table.column("dx").suspicions if each.code == "rare_classes")
    assert said.what == "1 of its 4 classes has fewer than 10 rows, too few to learn from."
    assert said.severity == "caution"
    choice = propose_choice(profile, target="dx")
    recipe = propose_recipe(table, choice, "0" * 64)
    assert "1 of its 4 classes has fewer than 10 rows (3 of 2,503 in all)" in step_of(recipe, "rare_classes").reason
    config = propose_config(table, choice, recipe, profile_sha256="p", data_sha256="d")
    cases, _ = prepare(read_csv(tmp_path / "t.csv"), recipe, table, choice)
    assert (config.split.scheme, config.split.folds) == ("held_out", 5)  # 400 are the fewest; with the 3 it were none
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


# ---- rows with too few fields -----------------------------------------------------------------------------------

def visits(tmp_path, *odd: str, n: int = 60):
    """A file of n whole rows with `odd` lines in its middle; its source, profile, choice and recipe."""
    whole = [f"{30 + i % 50},{'fm'[i % 2]},{120 + i % 40},{i * 7 % 3 % 2}" for i in range(n)]
    lines = ["age,sex,bp,died", *whole[: n // 2], *odd, *whole[n // 2:]]
    (tmp_path / "visits.csv").write_text("\n".join(lines) + "\n")
    profile = scan(tmp_path)
    choice = propose_choice(profile, target="died")
    return open_table(tmp_path, choice.table), profile, choice, propose_recipe(profile.tables[0], choice, "0" * 64)


def test_rows_shifted_by_a_lost_field_are_told_and_never_learned_from(tmp_path):
    opened, profile, choice, recipe = visits(tmp_path, "70,f,1", "71,140,1", "72,m,0")
    assert opened.short.tolist() == [30, 31, 32]
    entry, = profile.files
    assert (entry.action, entry.reason_code) == ("read_with_warning", "short_rows")
    assert entry.message == ("Three rows have too few fields (3 of 63), so “died” is empty there, and in one of them "
                             "values seem to stand in the wrong columns. Look at the cleanup before you train.")
    told, = (each for each in profile.tables[0].column("died").suspicions if each.code == "short_rows")
    assert told.severity == "caution" and told.figures == {"rows": 3, "of": 63, "shifted": 1}
    step = recipe.steps[0]
    assert step.name == "short_rows" and step.on and "wrong columns" in step.reason
    table = profile.tables[0]
    cases, effects = prepare(opened.frame(), recipe, table, choice, short=opened.short)
    assert effects[0].sentence == "3 rows with too few fields were left out." and not set(cases.rows) & {30, 31, 32}
    assert ("Rows with too few fields", 63, 3, 60) in [
        (box.what, box.n_before, box.n_removed, box.n_after) for box in cases.flow]
    shown = preview(opened.frame(), recipe, table, choice, short=opened.short)
    assert (shown[0].rows_before, shown[0].rows_after) == (63, 60)


def test_a_file_that_leaves_empty_ends_away_keeps_its_rows(tmp_path):
    whole = [f"{30 + i % 50},{'fm'[i % 2]},{i * 7 % 3 % 2}" + (",note" if i % 3 else "") for i in range(90)]
    (tmp_path / "t.csv").write_text("age,sex,died,remark\n" + "\n".join(whole) + "\n")
    table = scan(tmp_path).tables[0]
    step = propose_recipe(table, choice_of("died"), "0" * 64).steps[0]
    assert step.name == "short_rows" and not step.on and "30 of 90 rows" in step.reason


def test_a_footer_is_no_row_with_too_few_fields(tmp_path):
    opened, profile, *_ = visits(tmp_path)
    (tmp_path / "visits.csv").write_text((tmp_path / "visits.csv").read_text() + "Total,60\nGenerated by the lab\n")
    again = open_table(tmp_path, opened.ref)
    assert again.rows == 60 and not len(again.short)
    assert [note.code for note in again.notes] == ["footer"]


def test_whole_files_have_no_such_step(tmp_path):
    *_, recipe = visits(tmp_path)
    assert "short_rows" not in [step.name for step in recipe.steps]


def test_no_row_of_chronic_kidney_disease_is_learned_from_where_its_cells_are_shifted(clinical):
    """Nine rows lost a field: their outcome stands in the column before the last (SOURCE.md)."""
    folder = clinical / "chronic_kidney_disease"
    profile = scan(folder)
    choice = propose_choice(profile)
    opened = open_table(folder, choice.table)
    recipe = propose_recipe(profile.tables[0], choice, "0" * 64)
    assert len(opened.short) == 9
    cases, effects = prepare(opened.frame(), recipe, profile.tables[0], choice, short=opened.short)
    assert effects[0].rows_before - effects[0].rows_after == 9 and len(cases.y) == 391
    assert {"ckd", "notckd"}.isdisjoint(cases.X["ane"].dropna())


def test_a_training_leaves_short_rows_out_and_a_prediction_abstains_on_them(tmp_path):
    table = clinic(120)
    source = saved(table, tmp_path / "clinic")
    lines = source.read_text().splitlines()
    lines[5:5] = [",".join(lines[7].split(",")[1:])]  # a row that lost its first field
    source.write_text("\n".join(lines) + "\n")
    profile, recipe, config = planned(source)
    opened = gallery.open_run(train(source, profile, recipe, config))
    assert (opened.report.flow[0].n_after, opened.report.n_cases) == (121, 120)
    new = saved(table.head(4).drop(columns="outcome"), tmp_path / "new")
    lines = new.read_text().splitlines()
    new.write_text("\n".join([*lines[:3], lines[3].split(",", 1)[1], lines[4]]) + "\n")
    answers = predict_file(opened.run, new)
    assert answers["abstained"].to_list()[2] == "the row has too few fields"
    assert answers["probability of 1"].is_null().to_list()[2] and answers["abstained"].to_list()[0] is None


def test_equal_rows_stay_together_in_the_folds_inside_a_fold_too():
    """Weights, penalties and the round to stop at are chosen on inner folds: a copy there lets trees look good that
    have learned by heart. maternal_health_risk, auto, 5 folds: log loss 1.05 with copies apart, 0.72 together."""
    cases, recipe, table, choice = cases_of(coarse(), "sick")
    config = propose_config(table, choice, recipe, profile_sha256="p", data_sha256="d", family="auto")
    fold = split.make_folds(cases, config.split, 0)[0]
    data = pipeline.prepare(cases, fold.train, recipe, config, seed=0, watch=Silent()).data
    equal = np.unique(np.column_stack([data.X, data.y]), axis=0, return_inverse=True)[1]
    assert len(np.unique(equal)) < len(equal)
    inner = split.deal(data.y, data.patients, 5, 0, "binary")
    assert all(len(set(inner[equal == each])) == 1 for each in np.unique(equal))
