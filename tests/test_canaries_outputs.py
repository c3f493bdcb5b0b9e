"""What leaves MedML by hand (--json, a download, answers for new patients) names no small group of patients."""

from __future__ import annotations

import json

import pytest
from canaries import found_in, planted
from tables import saved

from medml import one_file
from medml.__main__ import main

FEW = 6  # patients of the rare category and of the rare pair of category and class


@pytest.fixture(scope="module")
def sent_on(tmp_path_factory):
    """(folder of all that was written outside the home, table, numbers planted, run, home)."""
    home_folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(home_folder))
        table, numbers = planted()
        table.loc[:FEW - 1, "ward"] = "ZZRAREward"
        source = saved(table, tmp_path_factory.mktemp("clinic"))
        out = tmp_path_factory.mktemp("out")
        assert main(["scan", str(source), "--json", str(out / "scan.json")]) == 0
        assert main(["train", str(source), "--target", "outcome", "--family", "logistic", "--folds", "3",
                     "--json", str(out / "train.json")]) == 0
        run = json.loads((out / "train.json").read_text())["run"]
        assert main(["show", run, "--json", str(out / "show.json")]) == 0
        (out / "run.zip").write_bytes(one_file.pack(run))
        yield out, table, numbers, run, home_folder


def test_no_value_and_no_small_group_is_in_what_is_sent_on(sent_on):
    out, _, numbers, _, _ = sent_on
    assert {each.name for each in out.iterdir()} == {"scan.json", "train.json", "show.json", "run.zip"}
    assert found_in(out, numbers) == []


def test_no_count_of_the_small_group_is_given_nor_what_tells_it_by_difference(sent_on):
    """Three wards, one of them too small: with the total known, naming two would tell the third."""
    out, table, *_ = sent_on
    ward = next(each for each in json.loads((out / "scan.json").read_text())["tables"][0]["columns"]
                if each["name"] == "ward")
    sizes = table["ward"].value_counts()
    assert sizes.min() == FEW and len(sizes) == 3
    assert len(ward["levels"]) == 1 and ward["hidden_levels"] == 2
    assert ward["hidden_rows"] == len(table) - ward["levels"][0]["n"] - ward["missing"] > FEW


def test_answers_name_columns_and_never_what_stands_in_them(sent_on, tmp_path, monkeypatch):
    """The answers are the clinician's own; a reason must not repeat the training's rare category all the same."""
    _, table, numbers, run, home_folder = sent_on
    new = saved(table.drop(columns=["outcome", "note", "record_id"]).head(40), tmp_path / "new")
    answers = tmp_path / "answers"
    answers.mkdir()
    monkeypatch.setenv("MEDML_HOME", str(home_folder))
    assert main(["predict", run, str(new), "--out", str(answers / "out.csv")]) == 0
    said = (answers / "out.csv").read_text()
    assert said.count("a value that fewer than 10 training patients had") == FEW
    assert found_in(answers, numbers) == []
