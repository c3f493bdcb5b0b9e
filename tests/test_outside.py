"""Rows far outside what a model was trained on are told apart, so that it can abstain (P1)."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from made import choice_of, table_of

from medml.recipe import Cleaner, propose_recipe
from medml.recipe.reach import reach
from medml.recipe.together import Together

KINDS = {"age": "number", "tsh": "number", "stents": "number", "smokes": "number"}


def recipe_for(*off):
    frame = pl.DataFrame({name: ["1", "2"] for name in KINDS} | {"y": ["0", "1"]})
    recipe = propose_recipe(table_of(frame, {**KINDS, "y": "category"}), choice_of("y"), "0" * 64)
    return recipe.model_copy(update={"steps": [step.model_copy(update={"on": step.on and step.name not in off})
                                               for step in recipe.steps]})


def patients_of(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"age": rng.normal(62, 11, n), "tsh": np.exp(rng.normal(0.3, 1.0, n)),
                         "stents": rng.poisson(0.1, n).astype(float), "smokes": (rng.random(n) < 0.3).astype(float)})


@pytest.mark.parametrize("off", [(), ("cap_outliers",), ("cap_outliers", "impute")])
def test_a_typing_error_is_outside_and_a_disease_is_not(off):
    cleaner = Cleaner(recipe_for(*off), KINDS).fit(patients_of(400))
    new = pd.DataFrame({"age": [640.0, 97.0, np.nan, -60.0], "tsh": [1.0, 30.0, np.nan, np.inf],
                        "stents": [0.0, 3.0, np.nan, 50.0], "smokes": [0.0, 1.0, np.nan, 9.0]})
    assert cleaner.outside(new) == [["age"], [], [], ["age", "tsh", "stents", "smokes"]]


@pytest.mark.parametrize("seed", range(10))
def test_rows_like_the_training_rows_are_not_outside(seed):
    cleaner = Cleaner(recipe_for(), KINDS).fit(patients_of(300, seed))
    assert sum(map(bool, cleaner.outside(patients_of(1_000, seed + 100)))) <= 2


def test_the_limits_are_the_fences_and_a_width_more():
    """0..100: quartiles 25 and 75, fences -125 and 225; above, the tail (95/75)^3 x 75 = 152 is nearer. The 5-95 %
    range is 90 wide: -215 and 315 by hand."""
    assert reach(np.arange(101.0), None) == [-215.0, 315.0]
    assert reach(np.full(60, 7.0), None) is None


def test_what_is_outside_is_the_same_after_reading_back_and_of_older_files_nothing_is_said():
    cleaner = Cleaner(recipe_for(), KINDS).fit(patients_of(200))
    new = pd.DataFrame({name: [1e6] for name in KINDS})
    stored = cleaner.to_json()
    assert Cleaner.from_json(stored).outside(new) == cleaner.outside(new) == [list(KINDS)]
    older = {name: part for name, part in json.loads(stored).items() if name != "far"}
    assert Cleaner.from_json(json.dumps(older)).outside(new) == [[]]


def test_limits_of_fewer_than_20_patients_are_not_kept():
    X, codes = patients_of(190), np.arange(190) // 10  # 19 patients with 10 rows each
    assert Cleaner(recipe_for(), KINDS).fit(X, codes).far == {}
    assert Cleaner(recipe_for(), KINDS).fit(X, np.arange(190) % 20).far.keys() == {"age", "tsh", "stents", "smokes"}


def pairs_of(n: int, seed: int = 0) -> pd.DataFrame:
    """Height and weight that go together, and a marker that goes with neither."""
    rng = np.random.default_rng(seed)
    size = rng.normal(size=n)
    return pd.DataFrame({"height": 170 + 9 * size + rng.normal(0, 2, n), "weight": 75 + 12 * size + rng.normal(0, 3, n),
                         "marker": np.exp(rng.normal(0, 0.8, n))})


def test_a_pair_of_usual_values_that_never_go_together_is_named():
    """1.88 m and 52 kg: either is common among the training patients, both at once is not."""
    together = Together.of(pairs_of(300), ["height", "weight", "marker"], None)
    new = pd.DataFrame({"height": [188.0, 188.0, 188.0, 170.0], "weight": [52.0, 99.0, np.nan, np.inf],
                        "marker": [1.0, 1.0, 1.0, 1.0]})
    assert [sorted(each) for each in together.odd(new)[:3]] == [["height", "weight"], [], []]
    assert together.odd(new)[3]
    stored = json.loads(json.dumps(together.to_json()))
    assert Together.from_json(stored).odd(new) == together.odd(new)


@pytest.mark.parametrize("seed", range(5))
def test_hardly_anybody_like_the_training_patients_is_odd_together(seed):
    together = Together.of(pairs_of(120, seed), ["height", "weight", "marker"], None)
    assert sum(map(bool, together.odd(pairs_of(1_000, seed + 50)))) <= 5


def test_how_columns_go_together_is_not_said_of_too_few_patients():
    assert Together.of(pairs_of(29), ["height", "weight", "marker"], None) is None
    assert Together.of(pairs_of(300), ["height"], None) is None
    visits = np.repeat(np.arange(25), 12)
    assert Together.of(pairs_of(300), ["height", "weight", "marker"], visits) is None


def test_a_group_of_under_30_training_patients_is_told_apart_by_patients_not_rows():
    rng = np.random.default_rng(0)
    n = 400
    X = pd.DataFrame({"age": np.r_[rng.uniform(41, 79, n - 20), np.full(20, 85.0)],
                      "sex": pd.Series(np.where(np.arange(n) < 25, "diverse", rng.choice(["f", "m"], n)), dtype=object),
                      "hospital": pd.Series(["north"] * 300 + ["south"] * 100, dtype=object)})
    kinds = {"age": "number", "sex": "category", "hospital": "category"}
    rows = Cleaner(recipe_for(), kinds).fit(X)
    assert rows.groups["age"] == ["40 to under 65", "65 to under 80"] and rows.groups["sex"] == ["f", "m"]
    new = pd.DataFrame({"age": [50.0, 85.0, np.nan, 12.0], "sex": ["f", "diverse", None, "m"],
                        "hospital": ["south", "north", "north", "east"]})
    assert rows.few(new) == [[], ["age", "sex"], [], ["age", "hospital"]]
    assert Cleaner.from_json(rows.to_json()).few(new) == rows.few(new)
    visits = np.r_[np.arange(300), np.repeat(np.arange(300, 325), 4)]  # the 100 rows of "south" are 25 patients
    assert Cleaner(recipe_for(), kinds).fit(X, visits).few(new)[0] == ["hospital"]


def test_where_no_group_is_large_nobody_is_few():
    X = pd.DataFrame({"site": pd.Series(list("abcdefgh") * 20, dtype=object)})
    cleaner = Cleaner(recipe_for(), {"site": "category"}).fit(X)
    assert cleaner.groups == {} and cleaner.few(X.head(3)) == [[], [], []]


def test_columns_that_say_the_same_twice_stop_nothing_and_flag_nobody():
    """Fahrenheit beside Celsius, and a copy: no direction in which they differ, rounding apart."""
    rng = np.random.default_rng(2)
    celsius = rng.normal(37, 0.6, 20_000)
    X = pd.DataFrame({"c": celsius, "f": celsius * 1.8 + 32, "copy": celsius})
    together = Together.of(X, list(X), None)
    new = X.head(50).assign(f=lambda each: each["f"].round(1), c=lambda each: each["c"].round(1))
    assert not any(together.odd(new))
    assert together.odd(pd.DataFrame({"c": [36.2], "f": [100.4], "copy": [36.2]}))[0]
