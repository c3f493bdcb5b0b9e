"""The matrix that a family learns from: finite, named, the same for a row wherever it stands."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medml.encode import Encoder
from medml.errors import UserError

KINDS = {"n": "number", "c": "category", "f": "yes_no"}


def words(*pairs) -> pd.Series:
    return pd.Series([word for word, n in pairs for _ in range(n)], dtype=object)


def rows(n_train: int = 60) -> pd.DataFrame:
    return pd.DataFrame({"n": np.arange(float(n_train)), "c": words(("a", 30), ("b", 20), ("(other)", 10)),
                         "f": words(("no", 45), ("yes", 15)), "n (missing)": np.arange(n_train) % 2.0})


def test_numbers_stay_two_levels_become_one_column_and_more_one_each():
    encoder = Encoder().fit(rows(), KINDS)
    assert encoder.names == ["n", "c = a", "c = b", "c = (other)", "f = yes", "n (missing)"]
    assert encoder.origins == ["n", "c", "c", "c", "f", "n (missing)"] and encoder.n_fitted == 60
    matrix = encoder.transform(rows())
    assert matrix.shape == (60, 6) and matrix.dtype == np.float64
    assert matrix[0].tolist() == [0, 1, 0, 0, 0, 0] and matrix[59].tolist() == [59, 0, 0, 1, 1, 1]


def test_a_level_of_fewer_than_ten_rows_has_no_column_and_no_name():
    X = pd.DataFrame({"c": words(("a", 30), ("b", 20), ("rare", 9))})
    encoder = Encoder().fit(X, {"c": "category"})
    assert encoder.names == ["c = b"] and "rare" not in encoder.to_json()


def test_an_unknown_level_says_nothing_either_way():
    """Shares 30/60, 20/60, 10/60 by hand, to 3 digits; 15/60 is kept as 20/60, the nearest (even) multiple of 10."""
    encoder = Encoder().fit(rows(), KINDS)
    odd = pd.DataFrame({"n": [np.nan], "c": pd.Series(["new"], dtype=object), "f": pd.Series([None], dtype=object),
                        "n (missing)": [1.0]})
    assert encoder.transform(odd).tolist() == [[29.5, 0.5, 0.333, 0.167, 0.333, 1.0]]
    assert encoder.unseen(odd) == [["c"]]
    assert encoder.unseen(rows().iloc[:2]) == [[], []]


def test_columns_are_taken_by_name():
    encoder = Encoder().fit(rows(), KINDS)
    shuffled = rows()[["f", "n (missing)", "c", "n"]]
    assert np.array_equal(encoder.transform(shuffled), encoder.transform(rows()))


def test_no_row_is_no_fault_and_one_level_stands_against_all_else():
    X = pd.DataFrame({"n": np.arange(20.0), "c": words(("a", 20))})
    encoder = Encoder().fit(X, {"n": "number", "c": "category"})
    assert encoder.names == ["n", "c = a"] and encoder.transform(X.iloc[:0]).shape == (0, 2)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 120), n_new=st.integers(1, 30))
def test_the_matrix_is_finite_whatever_comes(seed, n, n_new):
    rng = np.random.default_rng(seed)

    def some(size, levels):
        c = pd.Series(rng.choice(np.array([*levels, None], dtype=object), size), dtype=object)
        x = np.where(rng.random(size) < 0.3, rng.choice([np.nan, np.inf, -np.inf], size), rng.normal(size=size))
        return pd.DataFrame({"n": x, "c": c})

    encoder = Encoder().fit(some(n, ["a", "b", "c"]), KINDS)
    matrix = encoder.transform(some(n_new, ["a", "z", "1.0", ""]))
    assert np.isfinite(matrix).all() and matrix.shape == (n_new, len(encoder.names)) and encoder.n_fitted == n
    again = Encoder.from_json(encoder.to_json())
    new = some(n_new, ["a", "b", "q"])
    assert np.array_equal(again.transform(new), encoder.transform(new))
    assert (again.names, again.origins, again.n_fitted) == (encoder.names, encoder.origins, encoder.n_fitted)


@pytest.mark.parametrize("change", [lambda s: s.pop("levels"), lambda s: s["means"]["c"].append(1.0),
                                    lambda s: s.update(columns=3), lambda s: s["means"].pop("n")])
def test_a_damaged_encoder_is_refused(change):
    stored = json.loads(Encoder().fit(rows(), KINDS).to_json())
    change(stored)
    with pytest.raises(UserError) as refused:
        Encoder.from_json(json.dumps(stored))
    assert refused.value.code == "damaged"


def test_an_encoder_that_saw_no_row_refuses():
    with pytest.raises(ValueError, match="fit the Encoder"):
        Encoder().transform(rows())
