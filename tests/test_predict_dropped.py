"""Columns that a choice of predictors dropped: which a file of new patients may lack, what is said of the others."""

from __future__ import annotations

import pandas as pd
import pytest
from tables import clinic, planned, saved

from medml.errors import UserError
from medml.predict import Predictor, predict_file
from medml.train import train
from medml.types import SplitPlan


def with_days(n: int) -> pd.DataFrame:
    """Patients with a day of admission and the number of their bed, which nothing depends on."""
    days = [f"2024-{1 + place % 12:02d}-{1 + place * 7 % 28:02d}" for place in range(n)]
    return clinic(n).assign(admitted=days, bed=[10 + place * 7 % 31 for place in range(n)])


@pytest.fixture
def run(tmp_path):
    """A model that was told to read neither."""
    source = saved(with_days(120), tmp_path / "trained")
    profile, recipe, config = planned(source, split=SplitPlan(by="row", scheme="held_out", folds=2, repeats=1))
    steps = [each.model_copy(update={"on": False}) if each.name == "drop_columns" else each for each in recipe.steps]
    recipe = recipe.model_copy(update={"steps": steps})  # days are usually dropped there
    dropped = config.selection.model_copy(update={"forced_out": ["admitted", "bed"]})
    return train(source, profile, recipe, config.model_copy(update={"selection": dropped}))


def answered(run, table, place):
    return predict_file(run, saved(table.head(30), place)).drop("note")


def test_a_dropped_column_that_nothing_looks_at_is_not_asked_for(run, tmp_path):
    whole = answered(run, with_days(120), tmp_path / "whole")
    assert whole["predicted"].null_count() < 30
    assert answered(run, with_days(120).drop(columns="admitted"), tmp_path / "without").equals(whole)


def test_a_dropped_column_by_which_unusual_patients_are_seen_is_asked_for_with_what_it_is_for(run, tmp_path):
    with pytest.raises(UserError, match="lacks 1 column that this model needs: “bed”") as refused:
        answered(run, with_days(120).drop(columns=["admitted", "bed"]), tmp_path / "without")
    assert "The model itself does not read “bed”" in refused.value.fix and "empty" in refused.value.fix
    whole = answered(run, with_days(120), tmp_path / "whole")
    assert answered(run, with_days(120).assign(bed=None), tmp_path / "empty").equals(whole)
    odd = answered(run, with_days(120).assign(bed=10_000), tmp_path / "odd")
    assert odd["abstained"].str.contains("bed: far outside").all()


def test_a_column_that_the_model_reads_is_asked_for_as_before(run, tmp_path):
    with pytest.raises(UserError, match="lacks 2 columns that this model needs: “age”, “bed”") as refused:
        answered(run, with_days(120).drop(columns=["age", "bed"]), tmp_path)
    assert "does not read “bed”" in refused.value.fix and "does not read “age”" not in refused.value.fix
    assert {"age", "bed"} <= Predictor.of(run).looked_at and "admitted" not in Predictor.of(run).looked_at
