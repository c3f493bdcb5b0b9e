"""Cleanup steps one by one, and a contract that every step of the registry keeps."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from made import as_text, choice_of, table_of

from medml.errors import UserError
from medml.privacy import round_3
from medml.steps import About, Fixed, Learned, registry
from medml.steps.step import MISSING, OTHER, ROW

STEPS = ["exact_duplicates", "text_numbers", "sentinels", "drop_columns", "target_missing", "join_classes",
         "rare_classes", "short_rows", "second_look", "impute", "cap_outliers", "merge_rare"]


def apply(name, frame, params=None, *, kinds=None, choice=None):
    step = registry.get(name)
    choice = choice or choice_of(frame.columns[-1])
    return step.apply(frame, step.filled(params or {}), About.of(table_of(frame, kinds), choice))


def learn(name, X, kinds, params=None):
    step = registry.get(name)
    state = step.fit(X, kinds, step.filled(params or {}))
    return state, step.transform(X, state), step


def words(*pairs) -> pd.Series:
    """("a", 12), (None, 3) -> a column of 15 cells."""
    return pd.Series([word for word, n in pairs for _ in range(n)], dtype=object)


# ---- the contract -----------------------------------------------------------------------------------------------

def test_every_step_of_the_issue_is_registered():
    assert set(STEPS) <= set(registry.names()) and not registry.missing


@pytest.mark.parametrize("name", STEPS)
def test_a_step_says_what_it_does_in_plain_words(name):
    step = registry.get(name)
    assert step.name == name and step.title and step.sentence.endswith(".")
    assert step.learns is isinstance(step, Learned) and step.learns is not isinstance(step, Fixed)
    for word in ("null", "NaN", "tensor", "invalid", "exception"):
        assert word not in step.sentence and all(word not in param.sentence for param in step.params)
    with pytest.raises(ValueError, match="it has"):
        step.filled({"no_such_setting": 1})


@pytest.mark.parametrize("name", [name for name in STEPS if not registry.get(name).learns])
def test_a_fixed_step_counts_rows_and_never_loses_their_places(name):
    frame = as_text(pl.DataFrame({"a": [1, 1, 2, None], "y": [0, 0, 1, 1]})).with_row_index(ROW)
    after, effect = apply(name, frame, choice=choice_of("y"))
    assert effect.step == name and effect.rows_before == 4 and effect.rows_after == after.height
    assert effect.sentence.endswith(".") and set(after[ROW]) <= set(frame[ROW])


@pytest.mark.parametrize("name", [name for name in STEPS if registry.get(name).learns])
def test_what_a_learned_step_knows_is_json_and_changes_no_row_it_was_given(name):
    X = pd.DataFrame({"n": np.r_[np.arange(40.0), np.full(12, np.nan)], "c": words(("a", 30), ("b", 5), (None, 17))})
    before = X.copy(deep=True)
    state, after, step = learn(name, X, {"n": "number", "c": "category"})
    pd.testing.assert_frame_equal(X, before)
    assert json.loads(json.dumps(state)) == state and len(after) == len(X)
    pd.testing.assert_frame_equal(step.transform(X, json.loads(json.dumps(state))), after)
    assert step.effect(X, after, state).sentence.endswith(".")


# ---- exact copies, missing outcomes, unusable columns -----------------------------------------------------------

def test_a_copy_goes_and_the_first_stays():
    frame = as_text(pl.DataFrame({"a": [5, 7, 5, 5], "y": [0, 1, 0, 1]})).with_row_index(ROW)
    after, effect = apply("exact_duplicates", frame)
    assert after[ROW].to_list() == [0, 1, 3] and effect.rows_after == 3
    assert effect.sentence == "1 row equal to an earlier row was left out."


def test_rows_without_an_outcome_go():
    frame = pl.DataFrame({"a": ["1", "2"], "y": ["yes", None]})
    after, effect = apply("target_missing", frame)
    assert after.height == 1 and effect.sentence == "1 row without an outcome was left out."
    assert apply("target_missing", frame[:1])[1].sentence == "Every row has an outcome."
    earlier = About.of(table_of(frame), choice_of("y"))  # of two rows, one went before
    assert registry.get("target_missing").apply(frame[:1], {}, earlier)[1].sentence == (
        "Every row that the steps before leave has an outcome.")


def test_the_target_and_the_patient_column_are_never_dropped():
    frame = pl.DataFrame({"id": ["1"], "a": ["1"], "y": ["0"]})
    after, effect = apply("drop_columns", frame, {"columns": ["id", "a", "y"]},
                          choice=choice_of("y", patient="id"))
    assert after.columns == ["id", "y"] and effect.columns_left_out == ["a"]


# ---- codes for missing ------------------------------------------------------------------------------------------

def test_codes_for_missing_are_emptied_as_text_and_as_numbers():
    frame = pl.DataFrame({"lab": ["-999", "-999.0", "5", "?"], "zero": ["0", "0.0", "3", "00"],
                          "who": ["unknown", "Smith", "-999", "NA"], "y": ["0", "1", "0", "1"]})
    after, effect = apply("sentinels", frame, {"columns": {"lab": ["-999"], "zero": ["0"]}})
    assert after["lab"].to_list() == [None, None, "5", None]
    assert after["zero"].to_list() == [None, None, "3", None]
    assert after["who"].to_list() == [None, "Smith", "-999", None]  # -999 is a code where the scan found it so
    assert effect.cells_changed == 8
    assert effect.sentence == "8 cells in 3 columns were a code for missing and were emptied."


def test_codes_are_found_in_typed_columns():
    frame = pl.DataFrame({"lab": [-999.0, 4.5, None], "n": [-9, 2, 3], "y": [0, 1, 1]})
    after, _ = apply("sentinels", frame, {"columns": {"lab": ["-999"], "n": ["-9"]}})
    assert after["lab"].to_list() == [None, 4.5, None] and after["n"].to_list() == [None, 2, 3]
    assert after["n"].dtype == pl.Int64


def test_a_column_named_like_a_pattern_is_emptied_alone():
    frame = pl.DataFrame({"^.*$": ["-999", "?", "5"], "other": ["-999", "6", "7"], "y": ["0", "1", "0"]})
    after, effect = apply("sentinels", frame, {"columns": {"^.*$": ["-999"]}})
    assert after["^.*$"].to_list() == [None, None, "5"] and after["other"].to_list() == ["-999", "6", "7"]
    assert effect.cells_changed == 2


# ---- numbers written as text ------------------------------------------------------------------------------------

def test_limits_thousands_and_units_are_read():
    frame = pl.DataFrame({"crp": ["<5", "12.5", "1,234", "8"], "dose": ["10 mg", "5 mg", "20 mg", "10 mg"],
                          "y": ["0", "1", "0", "1"]})
    after, effect = apply("text_numbers", frame, kinds={"crp": "number", "dose": "number", "y": "category"})
    assert after["crp"].to_list() == [5.0, 12.5, 1234.0, 8.0] and after["dose"].to_list() == [10.0, 5.0, 20.0, 10.0]
    assert after["y"].dtype == pl.String and effect.cells_changed == 6
    assert effect.sentence == "6 numbers written as text were read."


def test_words_in_a_number_column_become_missing_and_are_counted():
    frame = pl.DataFrame({"hb": ["12.1", "see note", "13", "11", "10.9"], "y": ["0", "1", "0", "1", "1"]})
    after, effect = apply("text_numbers", frame, kinds={"hb": "number", "y": "category"})
    assert after["hb"].to_list() == [12.1, None, 13.0, 11.0, 10.9]
    assert effect.sentence == "No number had to be read from text; 1 cell held no number and was emptied."


def test_a_decimal_comma_is_read_alike_in_a_single_later_row():
    training = pl.DataFrame({"hb": ["3,7", "12,25", "9,1"], "y": ["0", "1", "0"]})
    about = About.of(table_of(training, {"hb": "number", "y": "category"}), choice_of("y"))
    step = registry.get("text_numbers")
    params = step.filled({"decimal_comma": ["hb"]})
    later, _ = step.apply(pl.DataFrame({"hb": ["1,234"], "y": ["0"]}), params, about)
    assert later["hb"].to_list() == [1.234]


def test_another_unit_than_at_the_scan_is_refused():
    frame = pl.DataFrame({"dose": ["1 g", "2 g", "3 g"], "y": ["0", "1", "0"]})
    table = table_of(frame, {"dose": "number", "y": "category"})
    columns = [column.model_copy(update={"unit": "mg"}) if column.name == "dose" else column
               for column in table.columns]
    about = About.of(table.model_copy(update={"columns": columns}), choice_of("y"))
    with pytest.raises(UserError, match='Column “dose” is in g here, but was in mg when'):
        registry.get("text_numbers").apply(frame, {}, about)


# ---- missing values ---------------------------------------------------------------------------------------------

def test_numbers_get_the_median_of_three_digits_and_a_mark():
    X = pd.DataFrame({"lab": np.r_[[1.23456] * 15, [7.0] * 10, [np.nan] * 12]})
    state, after, _ = learn("impute", X, {"lab": "number"})
    assert state["numbers"] == {"lab": 1.23}  # median 1.23456 by hand, 3 significant digits
    assert list(after.columns) == ["lab", "lab (missing)"] and after["lab (missing)"].sum() == 12
    assert after["lab"].tolist()[-12:] == [1.23] * 12


def test_a_rarely_missing_number_gets_no_mark():
    X = pd.DataFrame({"lab": np.r_[np.arange(50.0), [np.nan] * 9]})
    assert learn("impute", X, {"lab": "number"})[0]["indicators"] == {}
    marked = learn("impute", pd.DataFrame({"lab": np.r_[np.arange(50.0), [np.nan] * 10]}), {"lab": "number"})
    assert marked[0]["indicators"] == {"lab": "lab (missing)"}


def test_missing_categories_become_one_of_their_own_or_the_most_frequent():
    often, seldom = words(("a", 30), ("b", 12), (None, 10)), words(("a", 30), ("b", 13), (None, 9))
    X, kinds = pd.DataFrame({"o": often, "s": seldom.reindex(range(52))}), {"o": "category", "s": "category"}
    state, after, _ = learn("impute", X, kinds)
    assert state["categories"] == {"o": MISSING, "s": "a" if seldom.isna().sum() + 0 < 10 else MISSING}
    assert (after["o"] == MISSING).sum() == 10 and after.notna().all().all()
    forced, _, _ = learn("impute", X, kinds, {"category": "most frequent"})
    assert forced["categories"] == {"o": "a", "s": "a"}


def test_a_mark_never_takes_the_name_of_a_column():
    X = pd.DataFrame({"a": np.r_[np.arange(20.0), [np.nan] * 10], "a (missing)": np.arange(30.0)})
    _, after, _ = learn("impute", X, {"a": "number", "a (missing)": "number"})
    assert list(after.columns) == ["a", "a (missing)", "a (missing)'"]


def test_a_column_without_any_value_in_a_fold_is_filled_all_the_same():
    X = pd.DataFrame({"n": np.full(30, np.nan), "c": words((None, 30))})
    _, after, _ = learn("impute", X, {"n": "number", "c": "category"})
    assert after["n"].tolist() == [0.0] * 30 and set(after["c"]) == {MISSING}


# ---- extreme values ---------------------------------------------------------------------------------------------

def test_a_typing_error_is_moved_to_the_fence():
    """Quartiles 2 and 8 of 0..10: fence 3 gives -16 below; above, 8 + 18 = 26, because on the log scale the upper tail
    is short (the 95th percentile is 10: 8 x (10/8)^3 = 15.6)."""
    X = pd.DataFrame({"n": np.r_[np.tile(np.arange(11.0), 60), [-400.0, 9_000.0]]})
    state, after, step = learn("cap_outliers", X, {"n": "number"})
    low, high = state["limits"]["n"]
    first, third = np.quantile(X["n"], [0.25, 0.75])
    assert low == round_3(first - 3 * (third - first)) and high == round_3(third + 3 * (third - first)) == 26
    assert after["n"].min() == low and after["n"].max() == high
    assert step.effect(X, after, state).cells_changed == 2


def test_a_long_tail_is_kept():
    """TSH: a lognormal with sigma 1.2 has 1 in 1,000 above exp(3.7); nobody's disease is cut off."""
    values = np.exp(np.random.default_rng(0).normal(0, 1.2, 2_000))
    _, after, _ = learn("cap_outliers", pd.DataFrame({"tsh": values}), {"tsh": "number"})
    assert (after["tsh"] == values).mean() > 0.999


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("draw", "most"), [
    (lambda rng: rng.exponential(1.0, 2_000), 20.0),  # 1 in 2,000 lies above 7.6
    (lambda rng: rng.uniform(0.0, 2.0, 2_000), 7.0),  # near zero third / first is large, and says nothing of the tail
    (lambda rng: rng.beta(0.4, 1.0, 2_000) * 4.0, 20.0),  # quartiles 0.07 and 1.9: their ratio cubed is 20,000
])
def test_the_limit_stays_near_the_data_however_close_to_zero_a_quartile_lies(seed, draw, most):
    values = draw(np.random.default_rng(seed))
    (_, high), = learn("cap_outliers", pd.DataFrame({"n": values}), {"n": "number"})[0]["limits"].values()
    assert values.max() <= high <= most
    typo = np.r_[values, values.max() * 10]
    assert learn("cap_outliers", pd.DataFrame({"n": typo}), {"n": "number"})[1]["n"].max() <= most


def test_at_most_one_in_a_hundred_lies_beyond_each_limit():
    values = np.r_[np.zeros(600), np.ones(200), np.arange(2.0, 202.0)]  # counts: quartiles 0 and 1.x, a heavy tail
    _, after, _ = learn("cap_outliers", pd.DataFrame({"visits": values}), {"visits": "number"})
    assert (after["visits"] != values).mean() <= 0.01


def test_yes_no_codes_and_missing_cells_are_left_alone():
    X = pd.DataFrame({"flag": np.r_[np.zeros(90), np.ones(10)], "n": np.r_[np.arange(95.0), [np.nan] * 5]})
    state, after, _ = learn("cap_outliers", X, {"flag": "number", "n": "number"})
    assert "flag" not in state["limits"] and after["n"].isna().sum() == 5


# ---- rare categories --------------------------------------------------------------------------------------------

def test_categories_of_fewer_than_ten_rows_are_merged_and_not_named():
    X = pd.DataFrame({"c": words(("common", 30), ("ten", 10), ("nine", 9), ("one", 1), (MISSING, 3))})
    state, after, step = learn("merge_rare", X, {"c": "category"})
    assert state == {"keep": {"c": ["common", "ten"]}}
    assert after["c"].value_counts().to_dict() == {"common": 30, "ten": 10, OTHER: 10, MISSING: 3}
    assert step.effect(X, after, state).sentence == "2 rare categories in 1 column were merged (10 cells)."


def test_a_setting_below_k_does_not_name_small_groups():
    X = pd.DataFrame({"c": words(("a", 20), ("rare", 4))})
    assert learn("merge_rare", X, {"c": "category"}, {"min_rows": 2})[0] == {"keep": {"c": ["a"]}}


def test_a_category_first_seen_later_is_other_and_a_missing_one_stays():
    state, _, step = learn("merge_rare", pd.DataFrame({"c": words(("a", 20), ("b", 20))}), {"c": "category"})
    later = step.transform(pd.DataFrame({"c": pd.Series(["new", "a", None], dtype=object)}), state)
    assert later["c"].tolist()[:2] == [OTHER, "a"] and later["c"].isna().tolist() == [False, False, True]


def test_only_so_many_categories_stand_alone():
    X = pd.DataFrame({"c": words(*[(f"c{n:02d}", 10 + n) for n in range(20)])})
    kept = learn("merge_rare", X, {"c": "category"}, {"max_levels": 3})[0]["keep"]["c"]
    assert kept == ["c19", "c18", "c17"]
