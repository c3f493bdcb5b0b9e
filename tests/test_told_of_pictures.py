"""What is said of pictures is true of pictures: no columns, no filling, no tags where the files have none."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from made_up import dealt, made_cases, predicted, run_check
from test_report import reported
from test_report_files import run  # noqa: F401 - a finished run of a table, made to speak of pictures here

from medml.commands._words import counted_in_words
from medml.evaluate import report as report_module
from medml.evaluate.checks import registry, run_checks
from medml.evaluate.words import of_one_class
from medml.report import checklist, claim, tripod
from medml.types import PictureFacts, PicturePlan
from pages._ui_metrics import provenance

PICTURES = {"pictures": PicturePlan(size=64)}


def told(run, facts):  # noqa: F811
    """{number: text} of both checklists, of that run as if it had learned from pictures."""
    table = run.profile.tables[0].model_copy(update={"pictures": facts})
    choice = run.config.choice.model_copy(update=PICTURES)
    of_pictures = replace(run, profile=run.profile.model_copy(update={"tables": [table]}),
                          config=run.config.model_copy(update={"choice": choice}))
    return [{item.number: answer.text for item, answer in checklist.filled(items, of_pictures)}
            for items in (tripod.ITEMS, claim.ITEMS)]


def test_a_report_on_pictures_speaks_of_no_columns(run):  # noqa: F811
    general, imaging = told(run, PictureFacts(n=120, by={"kind": {"jpeg": 120}}))
    for text in (*general.values(), *imaging.values()):
        for false in ("merging of rare categories", "categories each as columns", "table of predictors"):
            assert false not in text
    assert general["12b"].startswith("Pixels of the pictures, brought to one size")
    assert "kind: jpeg 120" in general["20b"]


def test_a_patient_id_is_said_to_be_hashed_where_there_was_one(run):  # noqa: F811
    films, slices = (told(run, PictureFacts(n=120, by={"kind": {kind: 120}}))[1] for kind in ("jpeg", "dicom"))
    assert "PatientID" not in films["11"] and "PatientID was hashed" in slices["11"]


@pytest.fixture(scope="module")
def poor():
    """The evidence of a model that has learned its training rows by heart and tells nothing of others."""
    caught, patch = [], pytest.MonkeyPatch()
    patch.setattr(report_module, "run_checks", lambda evidence: caught.append(evidence) or run_checks(evidence))
    run_check("E2", prediction={"train": 0.99, "signal": 0.0})
    patch.undo()
    return caught[0]


@pytest.mark.parametrize("check", ["E7", "E8", "L12"])
def test_who_learned_from_pictures_is_not_sent_for_columns(poor, check):
    choice = poor.context.choice.model_copy(update=PICTURES)
    of_pictures = replace(poor, context=replace(poor.context, choice=choice))
    columns, pictures = (registry.get(check)(each) for each in (poor, of_pictures))
    assert columns.verdict == pictures.verdict == "warn"
    assert "columns" in columns.fix or "predictors" in columns.fix
    assert "columns" not in pictures.fix and "predictors" not in pictures.fix and "more pictures" in pictures.fix


def test_which_class_the_figures_are_of_is_said_where_two_of_several_are_left():
    """Classes that are too rare are left out; what remains of three is asked of neither as yes or no."""
    cases = replace(made_cases(200), classes=["benign", "malignant"])
    folds = dealt(cases.patients)
    found = replace(predicted(cases, folds), task="multiclass", classes=["benign", "malignant"])
    report = reported(replace(cases, task="multiclass"), folds, told=found)
    said = "Two classes were left: AUPRC, sensitivity, specificity, predictive values and F1 are those of “malignant”."
    assert of_one_class(report) == said and said in counted_in_words(report) and provenance(report).endswith(said)
    tn, fp, fn, tp = (n for row in report.confusion for n in row)
    assert report.metrics["sensitivity"].value == pytest.approx(tp / (tp + fn))
    assert "two classes" not in next(each for each in report.checks if each.id == "E5").what


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_elsewhere_no_class_need_be_named(task):
    assert of_one_class(reported(made_cases(200, task=task))) == ""


def test_rows_with_the_outcome_are_not_counted_as_patients():
    """50 films of 26 patients, 25 of the films malignant: 13 patients."""
    judged = SimpleNamespace(n_cases=50, n_patients=26, n_events=25, measured_on="the test part",
                             positive="malignant", task="binary")
    assert provenance(judged) == "Measured on the test part: 50 rows of 26 patients, 25 of the rows “malignant”."
    once = SimpleNamespace(**vars(judged) | {"n_patients": 50})
    assert provenance(once) == "Measured on the test part: 50 patients, 25 of them “malignant”."
