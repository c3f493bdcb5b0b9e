"""From a table as read to clean training rows: nothing lost unseen, nothing learned outside the fold (L7, M2, M3)."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import as_text, cases_of, choice_of, read_csv, table_of

from medml.config import n_rows
from medml.errors import UserError
from medml.profile import propose_choice, scan
from medml.recipe import Cleaner, prepare, prepare_predictors, preview, propose_recipe
from medml.sample import take
from medml.steps.step import OTHER
from medml.types import Kind, Recipe

NAMES = ["exact_duplicates", "sentinels", "text_numbers", "target_missing", "drop_columns", "cap_outliers", "impute",
         "merge_rare"]
KINDS: dict[str, Kind] = {"n": "number", "m": "number", "c": "category", "f": "yes_no"}


def recipe_for(X: pd.DataFrame) -> Recipe:
    frame = pl.DataFrame({name: ["1", "2"] for name in X.columns} | {"y": ["0", "1"]})
    return propose_recipe(table_of(frame, {**KINDS, "y": "category"}), choice_of("y"), "0" * 64)


def some_rows(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Numbers with holes and wild values, categories with rare ones and holes."""
    hole = rng.random((n, 4)) < rng.random(4) * 0.6
    wild = np.where(rng.random(n) < 0.02, 1e9, 1.0)
    c = np.array(["a", "b", "c", "d", "e"], dtype=object)[rng.integers(0, 5, n) * (rng.random(n) < 0.3)]
    X = pd.DataFrame({"n": rng.normal(50, 10, n) * wild, "m": rng.integers(0, 3, n).astype(float),
                      "c": pd.Series(c, dtype=object),
                      "f": pd.Series(np.where(rng.random(n) < 0.5, "yes", "no"), dtype=object)})
    for at, name in enumerate(X.columns):
        X.loc[hole[:, at], name] = np.nan if name in "nm" else None
    return X


# ---- the proposal -----------------------------------------------------------------------------------------------

def test_every_step_is_proposed_with_a_reason_in_order():
    frame = as_text(pl.DataFrame({"a": [1, 1, 2], "y": [0, 0, 1]}))
    recipe = propose_recipe(table_of(frame), choice_of("y"), "f" * 64)
    assert [step.name for step in recipe.steps] == NAMES and recipe.profile_sha256 == "f" * 64
    assert all(step.reason.endswith(".") for step in recipe.steps)
    assert recipe.steps[0].reason.startswith("1 of 3 rows equal an earlier row")


def test_pima_zeros_are_proposed_as_missing(clinical, tmp_path):
    """Zeros stand for missing in five columns (SOURCE.md): 5, 35, 227, 374 and 11 of 768 (UCI's own note)."""
    source = tmp_path / "pima.csv"
    source.write_bytes((clinical / "pima_diabetes" / "pima_diabetes.csv").read_bytes())
    profile = scan(source)
    choice = propose_choice(profile)
    table = profile.table(choice.table)
    recipe = propose_recipe(table, choice, "0" * 64)
    cases, effects = prepare(read_csv(source), recipe, table, choice)
    holes = {name: int(cases.X[name].isna().sum()) for name in cases.X.columns if cases.X[name].isna().any()}
    assert holes == {"Glucose": 5, "BloodPressure": 35, "SkinThickness": 227, "Insulin": 374, "BMI": 11}
    assert {effect.step: effect.cells_changed for effect in effects}["sentinels"] == 652
    assert cases.classes == ["0", "1"] and cases.y.sum() == 268


def test_identifiers_free_text_dates_and_constants_are_left_out_with_a_reason():
    n = 40
    frame = pl.DataFrame({"visit": [f"V{i}" for i in range(n)], "note": [f"seen {i} by the team" for i in range(n)],
                          "born": ["1950-01-01"] * n, "site": ["A"] * n, "age": [str(40 + i % 9) for i in range(n)],
                          "y": [str(i % 2) for i in range(n)]})
    table = table_of(frame, {"visit": "identifier", "note": "text", "born": "date", "site": "category"})
    recipe = propose_recipe(table, choice_of("y"), "0" * 64)
    step = recipe.steps[NAMES.index("drop_columns")]
    assert step.params["columns"] == ["visit", "note", "born", "site"]
    assert step.reason == "visit: an identifier; note: free text; born: a raw date; site: one single value."
    assert list(prepare(frame, recipe, table, choice_of("y"))[0].X.columns) == ["age"]


# ---- prepare: the part that learns nothing ----------------------------------------------------------------------

def test_every_row_that_leaves_is_in_the_flow():
    frame = pl.DataFrame({"a": ["1", "1", "2", "3", "4"], "y": ["0", "0", "1", None, "1"]})
    cases, _, _, _ = cases_of(frame, "y")
    assert [(box.n_before, box.n_removed, box.n_after) for box in cases.flow] == [(5, 0, 5), (5, 1, 4), (4, 1, 3)]
    assert cases.flow[-1].n_after == len(cases.y) and cases.rows.tolist() == [0, 2, 4]


def test_no_row_is_lost_to_missing_predictors(clinical):
    """Hepatitis: 155 patients, 75 with a missing cell at least; complete cases would be 80 (M2)."""
    frame = read_csv(clinical / "hepatitis_uci" / "hepatitis_uci.csv")
    cases, recipe, _, _ = cases_of(frame, "Class", positive="DIE")
    assert len(cases.y) == 155 and cases.X.isna().any(axis=1).sum() == 75
    assert len(Cleaner(recipe, cases.kinds).fit(cases.X).transform(cases.X)) == 155
    assert cases.classes == ["LIVE", "DIE"] and cases.y.sum() == 32


def test_any_number_above_zero_can_count_as_yes(clinical):
    frame = read_csv(clinical / "heart_cleveland" / "heart_cleveland.csv")
    cases, *_ = cases_of(frame, "num", positive=">0", kinds={"num": "category"})
    assert cases.classes == ["0", ">0"] and np.bincount(cases.y).tolist() == [164, 139]
    one, *_ = cases_of(frame, "num", positive="4", kinds={"num": "category"})
    assert one.classes == ["not 4", "4"] and one.y.sum() == 13


@pytest.mark.parametrize(("no", "yes"), [("benign", "malignant"), ("normal", "pneumonia"), ("0", "1"), ("low", "high")])
def test_of_classes_too_small_for_the_scan_to_name_the_finding_is_the_event(no, yes):
    """12 pictures of two folders: the scan names neither, so nobody was asked; the rarer one where no word says."""
    n = 5 if yes == "high" else 7
    frame = pl.DataFrame({"x": [str(each) for each in range(12)], "y": [no] * (12 - n) + [yes] * n})
    cases, *_ = cases_of(frame, "y", kinds={"y": "category"})
    assert cases.classes == [no, yes]


@pytest.mark.parametrize(("written", "positive"), [("1.0", "1"), ("1", "1.0"), ("1.00", "1")])
def test_a_class_is_found_however_its_number_is_written(written, positive):
    frame = pl.DataFrame({"a": ["1", "2", "3", "4"], "y": ["0.0", written, "0", written]})
    cases, *_ = cases_of(frame, "y", kinds={"y": "category"}, positive=positive)
    assert cases.classes == ["0", "1"] and cases.y.tolist() == [0, 1, 0, 1]


def test_an_outcome_written_in_many_ways_is_read_as_the_scan_read_it(tmp_path):
    source = tmp_path / "t.csv"
    lines = ["age,htn"] + [f"{40 + i},{'Y,yes,TRUE,1,n,No,false,0'.split(',')[i % 8]}" for i in range(96)]
    source.write_text("\n".join(lines))
    profile = scan(source)
    choice = propose_choice(profile, target="htn")
    table = profile.table(choice.table)
    cases, _ = prepare(read_csv(source), propose_recipe(table, choice, "0" * 64), table, choice)
    assert cases.classes == ["no", "yes"] and np.bincount(cases.y).tolist() == [48, 48]


def test_typed_and_text_files_give_the_same_cases():
    typed = pl.DataFrame({"code": [1.0, 2.0, 3.0, None], "flag": [True, False, None, True], "n": [1, 2, 3, 4],
                          "y": [0, 1, 0, 1]})
    text = pl.DataFrame({"code": ["1.0", "2", "3.00", None], "flag": ["Y", "no", None, "TRUE"],
                         "n": ["1", "2.0", "3", "4"], "y": ["0", "1.0", "0", "1"]})
    kinds: dict[str, Kind] = {"code": "category", "flag": "yes_no", "n": "number", "y": "yes_no"}
    a, b = (cases_of(frame, "y", kinds=kinds)[0] for frame in (typed, text))
    pd.testing.assert_frame_equal(a.X, b.X)
    assert a.y.tolist() == b.y.tolist() and a.classes == b.classes
    assert a.X["code"].tolist()[:3] == ["1", "2", "3"] and a.X["flag"].tolist()[:2] == ["yes", "no"]


def test_several_classes_are_in_their_natural_order():
    frame = pl.DataFrame({"a": [str(i) for i in range(30)], "y": ["10", "9", "2"] * 10})
    cases, *_ = cases_of(frame, "y", "multiclass", kinds={"y": "category"})
    assert cases.classes == ["2", "9", "10"] and cases.y[:3].tolist() == [2, 1, 0]


def test_a_number_to_predict_is_read_and_unreadable_ones_count_as_missing():
    frame = pl.DataFrame({"a": ["1", "2", "3", "4"], "y": ["1.5", "2,000", "died", "4"]})
    cases, _, _, _ = cases_of(frame, "y", "regression", kinds={"y": "number"})
    assert cases.y.tolist() == [1.5, 2000.0, 4.0] and cases.classes == []
    assert cases.flow[-1].n_removed == 1


def test_rows_of_one_patient_share_a_code_and_nameless_rows_stand_alone():
    frame = pl.DataFrame({"who": ["A", "B", "A", None, None], "a": ["1", "2", "3", "4", "5"],
                          "y": ["0", "1", "0", "1", "0"]})
    cases, *_ = cases_of(frame, "y", patient="who")
    codes = cases.patients
    assert codes[0] == codes[2] and len(set(codes)) == 4 and "who" not in cases.X


def test_a_table_of_one_class_is_refused():
    frame = pl.DataFrame({"a": [str(n) for n in range(10)], "y": ["0"] * 10})
    with pytest.raises(UserError) as refused:
        cases_of(frame, "y", kinds={"y": "category"})
    assert refused.value.what == "Every row has outcome 0, so there is nothing to learn."


@pytest.mark.parametrize(("task", "positive"), [("binary", None), ("binary", ">0"), ("multiclass", None)])
def test_the_only_class_of_fewer_than_ten_rows_is_not_named(task, positive):
    frame = pl.DataFrame({"a": [str(n) for n in range(9)], "y": ["7"] * 9})
    with pytest.raises(UserError) as refused:
        cases_of(frame, "y", task=task, positive=positive, kinds={"y": "category"})
    assert refused.value.what == "Every row has the same outcome, so there is nothing to learn."


def test_the_only_class_of_one_patient_is_not_named():
    frame = pl.DataFrame({"a": [str(n) for n in range(16)], "who": ["P1"] * 16, "y": ["7"] * 16})
    with pytest.raises(UserError) as refused:
        cases_of(frame, "y", patient="who", kinds={"y": "category"})
    assert "7" not in refused.value.what


def test_a_class_that_does_not_occur_and_a_column_that_is_gone_are_said():
    frame = pl.DataFrame({"a": ["1", "2", "3", "4"], "y": ["0", "1", "0", "1"]})
    with pytest.raises(UserError, match="class that counts as yes does not occur"):
        cases_of(frame, "y", positive="2", kinds={"y": "category"})
    table, choice = table_of(frame), choice_of("y")
    recipe = propose_recipe(table, choice, "0" * 64)
    with pytest.raises(UserError, match="The table has no column a"):
        prepare(frame.drop("a"), recipe, table, choice)
    with pytest.raises(UserError, match="lacks 1 column that this model needs: “a”"):
        prepare_predictors(frame.drop("a"), recipe, table, choice)
    with pytest.raises(UserError, match="No column is left"):
        cases_of(frame, "y", leave_out=["a"])


def test_outcomes_left_in_without_a_value_are_refused():
    frame = pl.DataFrame({"a": ["1", "2", "3"], "y": ["0", None, "1"]})
    with pytest.raises(UserError, match="1 row has no outcome"):
        cases_of(frame, "y", off=("target_missing",))


def test_new_rows_all_stay_in_their_order_and_need_no_outcome():
    frame = pl.DataFrame({"a": ["1", "1", "<2", "NA"], "c": ["x", "y", "x", "z"], "y": ["0", "1", "0", "1"]})
    table, choice = table_of(frame, {"a": "number"}), choice_of("y")
    recipe = propose_recipe(table, choice, "0" * 64)
    new = pl.DataFrame({"extra": ["?"] * 3, "c": ["x", "x", "?"], "a": ["1", "1", "?"]})
    X = prepare_predictors(new, recipe, table, choice)
    assert list(X.columns) == ["a", "c"] and len(X) == 3
    assert X["a"].tolist()[:2] == [1.0, 1.0] and X.isna().sum().tolist() == [1, 1]


def test_a_date_taken_back_counts_days():
    frame = pl.DataFrame({"d": ["1970-01-02", "1970-01-11", None], "a": ["1", "2", "3"], "y": ["0", "1", "0"]})
    cases, *_ = cases_of(frame, "y", kinds={"d": "date", "y": "category"}, off=("drop_columns",))
    assert cases.X["d"].tolist()[:2] == [1.0, 10.0] and np.isnan(cases.X["d"][2])


# ---- the Cleaner: the part that learns --------------------------------------------------------------------------

@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), n_train=st.integers(1, 120), n_test=st.integers(1, 60))
def test_fitted_rows_are_the_training_rows_and_no_cell_stays_empty(seed, n_train, n_test):
    rng = np.random.default_rng(seed)
    train, test = some_rows(rng, n_train), some_rows(rng, n_test)
    test.loc[:, "c"] = rng.choice(["a", "never seen"], n_test)
    cleaner = Cleaner(recipe_for(train), KINDS).fit(train)
    assert cleaner.n_fitted == n_train
    for rows in (train, test):
        clean = cleaner.transform(rows)
        assert len(clean) == len(rows) and not clean.isna().to_numpy().any()
        assert [cleaner.origin_of(name) for name in clean.columns if name in KINDS] == list(KINDS)
        assert {cleaner.origin_of(name) for name in clean.columns} == set(KINDS)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(20, 150))
def test_a_row_is_cleaned_alike_whatever_rows_are_beside_it(seed, n):
    rng = np.random.default_rng(seed)
    train, test = some_rows(rng, n), some_rows(rng, 20)
    cleaner = Cleaner(recipe_for(train), KINDS).fit(train)
    whole = cleaner.transform(test)
    alone = pd.concat([cleaner.transform(test.iloc[[at]]) for at in range(len(test))])
    pd.testing.assert_frame_equal(whole, alone)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(10, 150))
def test_what_is_stored_names_no_small_group_and_no_exact_cell(seed, n):
    rng = np.random.default_rng(seed)
    train = some_rows(rng, n)
    cleaner = Cleaner(recipe_for(train), KINDS).fit(train)
    stored = json.loads(cleaner.to_json())
    counts = train["c"].value_counts()
    for rare in counts.index[counts < 10]:
        named = [*stored["known"]["c"], *dict(stored["states"])["merge_rare"]["keep"]["c"],
                 dict(stored["states"])["impute"]["categories"]["c"]]
        assert rare not in named
    cells = set(train["n"].dropna())
    limits = dict(stored["states"])["cap_outliers"]["limits"]
    learned = [*sum(limits.values(), []), *dict(stored["states"])["impute"]["numbers"].values()]
    assert not cells & {number for number in learned if number != round(number)}


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_cleaner_read_back_cleans_alike(seed):
    rng = np.random.default_rng(seed)
    train, test = some_rows(rng, 90), some_rows(rng, 30)
    cleaner = Cleaner(recipe_for(train), KINDS).fit(train)
    again = Cleaner.from_json(cleaner.to_json())
    pd.testing.assert_frame_equal(cleaner.transform(test), again.transform(test))
    assert again.n_fitted == 90 and again.unseen(test) == cleaner.unseen(test)
    assert [again.origin_of(name) for name in again.transform(test)] == \
        [cleaner.origin_of(name) for name in cleaner.transform(test)]


def test_test_rows_change_nothing_that_is_learned():
    """L7: the same training rows beside a wild test part give the same state."""
    rng = np.random.default_rng(0)
    train = some_rows(rng, 100)
    wild = pd.DataFrame({"n": [1e12] * 50, "m": [9.0] * 50, "c": pd.Series(["new"] * 50, dtype=object),
                         "f": pd.Series([None] * 50, dtype=object)})
    alone = Cleaner(recipe_for(train), KINDS).fit(train)
    table = pd.concat([train, wild], ignore_index=True)
    in_fold = Cleaner(recipe_for(train), KINDS).fit(table.iloc[:100])
    in_fold.transform(table.iloc[100:])
    assert in_fold.to_json() == alone.to_json()


def test_an_unseen_or_rare_category_is_named_a_missing_one_is_not():
    train = pd.DataFrame({"c": pd.Series(["a"] * 30 + ["b"] * 9, dtype=object)})
    cleaner = Cleaner(recipe_for(train), {"c": "category"}).fit(train)
    new = pd.DataFrame({"c": pd.Series(["a", "b", "z", None], dtype=object)})
    assert cleaner.unseen(new) == [[], ["c"], ["c"], []]
    assert cleaner.transform(new)["c"].tolist()[:3] == ["a", OTHER, OTHER]
    tiny = pd.DataFrame({"c": pd.Series(["a", "b", "c"] * 3, dtype=object)})
    assert Cleaner(recipe_for(tiny), {"c": "category"}).fit(tiny).unseen(new) == [[], [], [], []]


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"recipe": {}, "kinds": {}}', '{"version": 1, "n_fitted": "x"}'])
def test_a_damaged_cleaner_is_refused(broken):
    with pytest.raises(UserError) as refused:
        Cleaner.from_json(broken)
    assert refused.value.code == "damaged"


def test_a_cleaner_that_saw_no_row_refuses_to_clean():
    with pytest.raises(ValueError, match="fit the Cleaner"):
        Cleaner(recipe_for(some_rows(np.random.default_rng(0), 20)), KINDS).transform(pd.DataFrame())


# ---- the preview ------------------------------------------------------------------------------------------------

def test_the_preview_counts_every_step_and_what_a_switched_off_step_would_do():
    n = 40
    frame = pl.DataFrame({"n": [str(i) for i in range(n)] + ["3"], "m": ["1", "2", "?", None] * 10 + ["2"],
                          "c": ["a"] * 36 + ["b"] * 4 + ["a"], "y": ["0", "1"] * 20 + [None]})
    table = table_of(frame, {"m": "number", "n": "number", "c": "category"})
    recipe = propose_recipe(table, choice_of("y"), "0" * 64)
    off = recipe.model_copy(update={"steps": [step.model_copy(update={"on": step.name != "merge_rare"})
                                              for step in recipe.steps]})
    effects = preview(frame, off, table, choice_of("y"))
    assert [effect.step for effect in effects] == NAMES
    by = {effect.step: effect for effect in effects}
    assert by["target_missing"].rows_before - by["target_missing"].rows_after == 1
    assert by["sentinels"].cells_changed == 10 and by["impute"].cells_changed == 20
    assert by["merge_rare"].sentence == "1 rare category in 1 column was merged (4 cells)."


def test_the_preview_of_every_real_set_adds_up(clinical):
    for path, target, task in [("heart_cleveland/heart_cleveland.csv", "num", "multiclass"),
                               ("chronic_kidney_disease/chronic_kidney_disease.csv", "classification", "binary"),
                               ("support2_survival/support2.csv", "death", "binary"),
                               ("hypothyroid/hypothyroid.csv", "Class", "multiclass")]:
        frame = read_csv(clinical / path)
        table, choice = table_of(frame, {target: "category"}), choice_of(target, task)
        recipe = propose_recipe(table, choice, "0" * 64)
        effects = preview(frame, recipe, table, choice)
        rows = [frame.height, *[effect.rows_after for effect in effects]]
        assert all(effect.rows_before == before for effect, before in zip(effects, rows, strict=False)), path
        cases, _ = prepare(frame, recipe, table, choice)
        assert effects[-1].rows_after == len(cases.y), path


def test_words_among_numbers_are_counted_as_missing_wherever_missing_cells_are_counted(tmp_path):
    """"n.b." is no known word for missing, but no number either: Preview, the proposal and what it does agree."""
    lines = ["weight;ward;stay"]
    lines += [f"{'n.b.' if row % 20 == 3 else 60 + row % 31};{'ab'[row % 2]};{'open' if row % 20 == 7 else row % 17}"
              for row in range(200)]
    (tmp_path / "ward.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    profile = scan(tmp_path)
    table, choice = profile.tables[0], propose_choice(profile, target="stay")
    gone = {name: int(cells.sum()) for name, cells in take(tmp_path, table).missing.items()}
    assert gone == {"weight": 10, "ward": 0, "stay": 10}
    recipe = propose_recipe(table, choice, "0" * 64)
    reasons = {step.name: step.reason for step in recipe.steps}
    effects = {each.step: each.sentence for each in preview(take(tmp_path, table).frame, recipe, table, choice)}
    assert reasons["impute"].startswith("1 column with missing cells") and "in 1 column were" in effects["impute"]
    assert reasons["target_missing"].startswith("10 of 200 rows have no outcome")
    assert effects["target_missing"].startswith("10 rows")
    assert n_rows(table, choice, recipe) == 190  # as Configure says it


def test_a_column_that_is_left_out_is_counted_by_no_later_step(tmp_path):
    """A weight that 97 of 100 lack goes first: what is said of holes and rare categories is of the others."""
    lines = ["weight,ward,age,sick"]
    lines += [f"{'heavy' if row == 5 else ''},{'abc'[row % 3]},{'' if row == 9 else row % 40},{'yn'[row % 2]}"
              for row in range(200)]
    (tmp_path / "ward.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    profile = scan(tmp_path)
    choice = propose_choice(profile, target="sick").model_copy(update={"leave_out": []})
    recipe = propose_recipe(profile.tables[0], choice, "0" * 64)
    reasons = {step.name: step.reason for step in recipe.steps}
    assert "weight: " in reasons["drop_columns"]
    assert reasons["impute"].startswith("1 column with missing cells")
    assert reasons["merge_rare"].startswith("No category is rare")


def test_as_many_columns_are_said_to_hold_a_code_as_are_emptied(tmp_path):
    """Of a column that is left out, too: the words in it are emptied with the others."""
    lines = ["dose,ward,sick"] + [f"{'?' if row % 9 else row},{'ab?'[row % 3]},{'yn'[row % 2]}" for row in range(200)]
    (tmp_path / "ward.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    profile = scan(tmp_path)
    choice = propose_choice(profile, target="sick").model_copy(update={"leave_out": ["dose"]})
    recipe = propose_recipe(profile.tables[0], choice, "0" * 64)
    said = {each.step: each.sentence for each in preview(take(tmp_path, profile.tables[0]).frame, recipe,
                                                         profile.tables[0], choice)}["sentinels"]
    reason = next(step.reason for step in recipe.steps if step.name == "sentinels")
    assert reason.startswith("2 columns with a code") and "in 2 columns were" in said
