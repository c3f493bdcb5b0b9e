"""`train` told how the model will be used."""

from __future__ import annotations

import json

import pytest
from tables import clinic, planned, saved

from medml.__main__ import main
from medml.train import train
from medml.types import SplitPlan


def test_train_takes_the_rule_the_score_the_range_and_groups(tmp_path):
    source = saved(clinic(), tmp_path)
    out = tmp_path / "run.json"
    assert main(["train", str(source), "--target", "outcome", "--folds", "3", "--family", "logistic", "--threshold",
                 "sensitivity=0.95", "--score", "age / 10 + pressure / 50", "--range", "0.2,0.6", "--group", "pressure",
                 "--json", str(out)]) == 0
    said = json.loads(out.read_text())
    assert said["metrics"]["sensitivity"]["value"] > 0.85 and "95%" in said["threshold_reason"]
    assert said["score_in_use"]["formula"] == "age / 10 + pressure / 50" and said["score_in_use"]["said"]
    assert "score_in_use" in said["baselines"] and said["score_in_use"]["n_missing"] > 0
    assert (said["net_benefit"]["low"], said["net_benefit"]["high"]) == (0.2, 0.6)
    assert {each["column"] for each in said["subgroups"]} == {"sex", "age", "ward", "pressure"}
    assert said["recalibration"]["method"] in ("none", "platt", "isotonic")


@pytest.mark.parametrize("rest", [["continue", "--epochs", "2"], ["open"], ["explain"], ["groups", "pressure"]],
                         ids=lambda each: each[0])
def test_a_run_whose_folder_was_renamed_is_told_where_the_folder_is_by_an_option_that_the_refusal_names(
        tmp_path, capsys, rest):
    source = saved(clinic(60), tmp_path / "study")
    run = train(source.parent, *planned(source.parent, family="mlp", params={"epochs": 2},
                                        split=SplitPlan(by="row", scheme="held_out", folds=2, repeats=1)))
    moved = source.parent.rename(tmp_path / "study of May")
    command = [rest[0], run, *rest[1:]]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert str(tmp_path / "study") in said and "--source" in said and "The run is as it was" in said
    assert main([*command, "--source", str(moved)]) == 0


@pytest.mark.parametrize("wrong, words", [
    (["--score", "sofa + 1"], "no such column"), (["--score", "age.real"], "cannot be read as a formula"),
    (["--group", "gone"], "to group by"), (["--threshold", "best"], "cannot be read"),
    (["--threshold", "sensitivity=x"], "cannot be read"), (["--range", "0.5,0.2"], "cannot be read")])
def test_what_cannot_be_meant_is_refused_before_the_training(tmp_path, capsys, wrong, words):
    assert main(["train", str(saved(clinic(40), tmp_path)), "--target", "outcome", *wrong]) == 2
    assert words in capsys.readouterr().err
