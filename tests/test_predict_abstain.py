"""P1: for how many patients a model would say nothing, by what each fold had seen; nobody of few is told."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest
from made_up import made_cases, run_check
from tables import clinic, planned, saved

from medml import gallery, predict
from medml.data.images.image_file import ImageFile
from medml.evaluate.checks.abstain import abstains
from medml.evaluate.context import Abstention
from medml.train import train
from medml.value import PictureFacts

ARMED = {"unseen": 2, "missing": 1, "outside": 2, "few": 2, "together": 2}


def p1(**tried):
    return run_check("P1", draws=20, abstention=Abstention(armed=ARMED, **tried))


def test_rules_that_are_armed_and_rarely_speak_pass():
    check = p1(n=300, silent=12, by_why={"outside": 12, "unseen": 3})
    assert check.verdict == "pass" and check.figures["share"] == pytest.approx(0.04) and check.figures["armed_few"] == 2
    assert "12 (4%) of 300 patients (5 rules armed): a value far outside what was seen (4%)" in check.what
    assert "category" not in check.what  # 3 patients are a group too small to tell


def test_fewer_than_ten_silent_patients_are_not_counted_out():
    check = p1(n=300, silent=3, by_why={"outside": 3})
    assert check.verdict == "pass" and "fewer than 10 of 300 patients" in check.what
    assert "share" not in check.figures and check.figures["share_at_most"] == pytest.approx(10 / 300, abs=1e-6)
    assert p1(n=300).what == "Each of 300 patients would have been given an answer (5 rules armed)."


def test_a_model_that_is_mostly_silent_is_a_caution_with_what_to_do():
    check = p1(n=300, silent=90, by_why={"missing": 80, "unseen": 20})
    assert check.verdict == "warn" and "recorded" in check.fix


def test_few_patients_who_were_answered_or_kept_silent_for_one_reason_alone_cannot_be_worked_out():
    """Of 100 patients 95 got no answer: 5 were answered. Of 60 without one 53 were outside: 7 had another reason."""
    nearly = p1(n=100, silent=95, by_why={"missing": 95})
    assert "more than 90 of 100 patients" in nearly.what and "95" not in nearly.what
    assert "share" not in nearly.figures and nearly.figures["share_at_least"] == pytest.approx(0.9)
    assert "(" not in nearly.what.split("missing")[1]
    apart = p1(n=100, silent=60, by_why={"outside": 53, "missing": 22})
    assert "a value far outside what was seen;" in apart.what and "53" not in apart.what
    assert "a key predictor is missing (22%)" in apart.what and apart.figures["share"] == pytest.approx(0.6)
    everybody = p1(n=100, silent=100, by_why={"missing": 100})
    assert "100 (100%) of 100" in everybody.what and "missing (100%)" in everybody.what


def test_no_rule_armed_is_a_caution_and_not_tried_is_no_pass():
    assert run_check("P1", draws=20, abstention=Abstention(n=12, armed=dict.fromkeys(ARMED, 0))).verdict == "warn"
    assert run_check("P1", made_cases(60), draws=20, abstention=Abstention()).verdict == "could_not_tell"


def test_pictures_without_a_modality_are_all_answered_and_that_is_a_caution():
    def of(by: dict) -> str:
        table = SimpleNamespace(pictures=PictureFacts(n=300, by=by))
        choice = SimpleNamespace(pictures=object())
        return abstains(SimpleNamespace(context=SimpleNamespace(choice=choice, table=table, abstention=None))).verdict
    assert of({"modality": {"DX": 300}}) == "pass" and of({"kind": {"png": 300}}) == "warn"
    assert of({"modality": {"other": 300}}) == "warn"


@pytest.mark.parametrize(("trained", "silent"), [({"CT": 300}, [False, True, False]),
                                                 ({"other": 300}, [False, False, False])])  # of too few patients
def test_a_modality_that_training_showed_is_answered_however_few_patients_had_it(trained, silent):
    facts = PictureFacts(n=300, by={"modality": trained}, side=(64, 64, 64))
    images = [ImageFile(f"{name}.dcm", "dicom", 1, 64, 64, tags={"Modality": name} if name else {})
              for name in ("CT", "MR", "")]
    said = predict._strange(SimpleNamespace(table=SimpleNamespace(pictures=facts)), SimpleNamespace(images=images),
                            [each.path for each in images])
    assert [bool(each) for each in said] == silent


def test_what_a_training_counts_is_what_predicting_unseen_rows_gives(tmp_path):
    """Age or pressure, on which the answer depends, is missing in a fifth; under 40 and over 80 hardly anybody was."""
    table = clinic(300)
    table.loc[table.index % 6 == 0, "age"] = None
    source = saved(table, tmp_path)
    run = train(source, *planned(source))
    check = next(each for each in gallery.open_run(run).report.checks if each.id == "P1")
    again = predict.predict_file(run, saved(table.drop(columns="outcome"), tmp_path / "new"))
    silent = again["abstained"].is_not_null().mean()
    assert check.figures["n"] == 300 and check.figures["armed_missing"] >= 1 and check.figures["armed_unseen"] == 2
    assert 0.17 < silent <= check.figures["share"] < silent + 0.1  # a fold has seen fewer patients than the whole
    gone = (table["age"].isna() | table["pressure"].isna()).mean()
    assert f"a key predictor is missing ({gone:.0%})" in check.what


def test_the_few_of_a_group_are_counted_as_patients(tmp_path):
    table = clinic(400, visits=2)
    source = saved(table, tmp_path)
    check = next(each for each in gallery.open_run(train(source, *planned(source))).report.checks if each.id == "P1")
    assert check.figures["n"] == 200 == pd.unique(table["patient_id"]).size
