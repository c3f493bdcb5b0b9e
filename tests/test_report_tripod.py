"""What a strict reviewer would hold against a report: centres that are none, counts at odds, nothing done."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tables import trained_once

from medml import gallery, terminal
from medml.measured import Recalibration
from medml.report import checklist, content, tripod, wording
from medml.report.document import Rows
from medml.types import External, Metric, Subgroup


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of 160 made-up patients, of whom sex, age and ward are known."""
    with trained_once(tmp_path_factory.mktemp("tripod")) as made:
        yield gallery.open_run(made)


def changed(run: gallery.Run, **fields) -> gallery.Run:
    return replace(run, report=run.report.model_copy(update=fields))


def item(run: gallery.Run, number: str) -> checklist.Answer:
    return next(answer for one, answer in checklist.filled(tripod.ITEMS, run) if one.number == number)


def group(column: str, label: str) -> Subgroup:
    return Subgroup(column=column, label=label, n=80, n_patients=80, enough=True,
                    figure=Metric(value=0.8, low=0.7, high=0.9, n=80))


@pytest.mark.parametrize("number", ["12d", "23b"])
def test_sex_and_age_are_no_centres(run, number):
    of_people = changed(run, subgroups=[group("sex", "female"), group("age", "40 to under 65")])
    assert item(of_people, number).status == "needs_you" and "centres" in item(of_people, number).text
    of_places = changed(run, subgroups=[group("sex", "female"), group("ward", "north"), group("ward", "south")])
    told = item(of_places, number)
    assert told.status == "done" and "ward: north: 0.800" in told.text and "female" not in told.text


def test_predictors_with_a_few_gaps_are_counted_as_the_check_counts_them(run):
    gaps = changed(run, missing={"pressure": 0.081, "age": 0.0})   # of 9,105 cases one lacked it: rounded to 0.0
    assert wording.missing(gaps).startswith("2 predictors had missing values (most: “pressure” 8%, “age” under 1%).")
    rows = next(each for each in content.document_of(gaps).blocks if isinstance(each, Rows) and each.head[0] == "Name")
    told = {row[0]: row[3] for row in rows.rows}
    assert (told["pressure"], told["age"], told["ward"]) == ("8.1%", "under 0.1%", "0.0%")


def test_probabilities_that_are_best_left_as_they_are_were_not_recalibrated(run):
    line = run.report.calibration_line
    left = changed(run, recalibration=Recalibration(method="none", chosen={"none": 5}, before=line, after=line))
    assert item(left, "12f").status == item(left, "24").status == "does_not_apply"
    assert "best left as they are" in item(left, "12f").text
    heads = [each.head for each in content.document_of(left).blocks if isinstance(each, Rows)]
    assert ("", "As it is") in heads and not [head for head in heads if "Recalibrated" in head]
    put_right = changed(run, recalibration=Recalibration(method="platt", chosen={"platt": 5}, before=line, after=line))
    assert item(put_right, "12f").status == "done"
    assert ("", "As it is", "Recalibrated") in [each.head for each in content.document_of(put_right).blocks
                                                if isinstance(each, Rows)]


def test_several_classes_are_counted_where_balance_is_asked_for(run):
    several = changed(run, task="multiclass", classes=["a", "b", "c"], n_events=None, threshold=None,
                      confusion=[[70, 5, 5], [10, 30, 0], [0, 0, 40]])
    assert item(several, "13").status == "done"
    assert "“a” 50.0%, “b” 25.0%, “c” 25.0% of the cases" in item(several, "13").text
    assert "the likeliest is named" in item(several, "15").text
    number = changed(run, task="regression", classes=[], n_events=None, threshold=None, confusion=[])
    assert item(number, "13") == checklist.Answer("does_not_apply", "The outcome is a number.")


def test_copies_of_its_own_rows_are_not_headed_as_from_elsewhere(run):
    figure = Metric(value=0.7, low=0.6, high=0.8, n=90)
    found = External(id="", made="", checkpoint=0, source="b.csv", data_sha256="", n_cases=90, n_patients=90,
                     metrics={"auroc": figure}, n_copies=90)
    said = [getattr(each, "text", "") for each in content.document_of(changed(run, external=[found])).blocks]
    assert "On data that was not shown to be from elsewhere: b.csv" in said
    assert any("90 rows equal a row of the table that the model was made from." in each for each in said)
    other = found.model_copy(update={"n_copies": 0})
    said = [getattr(each, "text", "") for each in content.document_of(changed(run, external=[other])).blocks]
    assert "On data from elsewhere: b.csv" in said and not any("equal a row" in each for each in said)


def test_too_few_patients_from_elsewhere_are_not_headed_as_doubtful(run):
    """Check X1 in the same report: “Judged on data from elsewhere, but on 26 patients alone”."""
    found = External(id="", made="", checkpoint=0, source="b.csv", data_sha256="", n_cases=50, n_patients=26,
                     metrics={"auroc": Metric(value=0.7, low=0.6, high=0.8, n=50)}, n_copies=0)
    said = [getattr(each, "text", "") for each in content.document_of(changed(run, external=[found])).blocks]
    assert "On data from elsewhere, too little to count: b.csv" in said


def test_the_title_ends_before_what_is_asked_of_a_person(run):
    assert "is “1”. Add the target population." in item(run, "1").text


def test_no_figure_is_less_than_nothing_by_its_sign_alone():
    assert terminal.figure(Metric(value=-0.0001, low=-0.02, high=0.0, n=9)) == "0.000 (-0.020 to 0.000)"
