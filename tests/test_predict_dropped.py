"""Columns that a choice of predictors dropped: which a file of new patients may lack, what is said of the others."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import pandas as pd
import pytest
from tables import clinic, planned, saved
from test_export import web_folder

from medml.__main__ import main
from medml.errors import UserError
from medml.export import take_back
from medml.export.package import package, write_beside
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


@pytest.fixture(params=["run.py", "run.mjs"])
def beside(request, run, tmp_path):
    """A program beside the model's file, as it is asked about a table."""
    (out := tmp_path / "out").mkdir()
    write_beside(package(run), out / "model.onnx")
    command = [sys.executable, out / "run.py"] if request.param == "run.py" else [
        "node", web_folder(tmp_path, out) / "run.mjs"]

    def asked(table):
        path = saved(table.head(30), tmp_path / "asked")
        return subprocess.run([*command, path], capture_output=True, text=True, check=False)
    return asked


def test_a_model_file_asks_for_no_column_that_nothing_looks_at_either(beside, tmp_path):
    whole = beside(with_days(120))
    assert whole.returncode == 0 and len(whole.stdout.splitlines()) == 31
    assert beside(with_days(120).drop(columns="admitted")).stdout == whole.stdout
    refused = beside(with_days(120).drop(columns=["admitted", "bed", "age"]))
    assert refused.returncode and "has no column age, bed." in refused.stderr and "Error" not in refused.stderr
    assert "The model itself does not read bed: an empty column" in refused.stderr
    assert beside(with_days(120).assign(bed=None)).stdout == whole.stdout
    told = {each["name"]: (each["read"], each["needed"])
            for each in json.loads((tmp_path / "out" / "schema.json").read_text())["columns"]}
    assert (told["age"], told["bed"], told["admitted"]) == ((True, True), (False, True), (False, False))


def test_another_hospital_may_lack_it_too_and_its_result_can_be_brought_home(run, tmp_path):
    assert main(["export", run, "--capsule", str(tmp_path / "capsule.zip")]) == 0
    with zipfile.ZipFile(tmp_path / "capsule.zip") as archive:
        archive.extractall(tmp_path / "there")
    told = {}
    for name, table in (("whole", with_days(120)), ("without", with_days(120).drop(columns="admitted"))):
        path, out = saved(table, tmp_path / name), tmp_path / f"{name}.json"
        ran = subprocess.run([sys.executable, tmp_path / "there" / "validate.py", path, "--out", out],
                             capture_output=True, text=True, check=False)
        assert ran.returncode == 0 and "Nothing could be read" not in ran.stderr, ran.stderr
        told[name] = json.loads(out.read_text())["external"]
    assert told["without"]["metrics"] == told["whole"]["metrics"] and told["without"]["absent"] == []
    assert take_back(run, tmp_path / "without.json").n_patients == 120


def test_a_column_that_the_model_reads_is_asked_for_as_before(run, tmp_path):
    with pytest.raises(UserError, match="lacks 2 columns that this model needs: “age”, “bed”") as refused:
        answered(run, with_days(120).drop(columns=["age", "bed"]), tmp_path)
    assert "does not read “bed”" in refused.value.fix and "does not read “age”" not in refused.value.fix
    assert {"age", "bed"} <= Predictor.of(run).looked_at and "admitted" not in Predictor.of(run).looked_at
