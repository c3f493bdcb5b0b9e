"""From proposals to a complete, checked choice."""

from __future__ import annotations

import pytest

from medml import profile
from medml.errors import UserError
from medml.profile.outcomes import balance
from medml.types import Column, FileEntry, Level, Profile, Proposal, Suspicion, Table, TableRef


def column(name, kind="number", levels=(), distinct=None, **more):
    levels = [Level(label=label, n=n) for label, n in levels]
    count = len(levels) if kind in ("category", "yes_no") else 50
    return Column(name=name, kind=kind, missing=more.pop("missing", 0), levels=levels,
                  distinct=count if distinct is None else distinct, **more)


OUTCOME = column("outcome", "yes_no", [("0", 70), ("1", 30)])
GRADE = column("num", "category", [("0", 60), ("1", 20), ("2", 20)])
SAME = Suspicion(code="constant", severity="caution", what="One value.", fix="Leave it out.")
GONE = column("batch", "category", [("A", 100)], suspicions=[SAME])
COLUMNS = [column("pid", "identifier"), column("serial", "identifier"), column("age"), column("crp"), GONE, GRADE,
           OUTCOME]


def profile_of(columns=COLUMNS, targets=("outcome",), patient="pid", paths=("a.csv",)):
    tables = [Table(ref=TableRef(path=path), sha256="0" * 64, rows=100, columns=list(columns), duplicates=0,
                    targets=[Proposal(column=each, reason="Named so.") for each in targets],
                    patient=Proposal(column=patient, reason="Named so.") if patient else None) for path in paths]
    files = [FileEntry(path=path, kind="csv", action="read") for path in paths]
    return Profile(source="/data", made="2026-01-01T00:00:00+00:00", files=files, tables=tables)


def test_everything_proposed_is_taken():
    choice = profile.propose_choice(profile_of())
    assert (choice.target, choice.task, choice.positive, choice.patient) == ("outcome", "binary", "1", "pid")
    assert choice.leave_out == ["serial", "batch"]


def test_the_patient_column_may_be_refused():
    choice = profile.propose_choice(profile_of(), patient="")
    assert choice.patient is None and "pid" in choice.leave_out


def test_columns_that_may_leak_stay_until_the_clinician_says_so():
    leak = column("discharge", "category", [("home", 60), ("died", 40)], suspicions=[
        Suspicion(code="outcome_proxy", severity="caution", what="Afterwards.", fix="Leave it out.")])
    found = profile_of([*COLUMNS, leak])
    assert "discharge" not in profile.propose_choice(found).leave_out
    assert "discharge" in profile.propose_choice(found, leave_out=["discharge"]).leave_out


@pytest.mark.parametrize(("given", "task", "kept"), [(None, "multiclass", None), (">0", "binary", ">0"),
                                                     ("2", "binary", "2")])
def test_grades_may_be_learned_as_grades_as_any_or_as_one_against_the_rest(given, task, kept):
    choice = profile.propose_choice(profile_of(), target="num", positive=given)
    assert (choice.task, choice.positive) == (task, kept)


def test_heart_cleveland_is_graded_and_can_be_asked_as_any_disease(clinical):
    found = profile.scan(clinical / "heart_cleveland" / "heart_cleveland.csv")
    assert "graded_outcome" in {each.code for each in found.tables[0].column("num").suspicions}
    assert profile.propose_choice(found).task == "multiclass"
    assert profile.propose_choice(found, target="num", positive=">0").task == "binary"


@pytest.mark.parametrize(("levels", "positive"), [
    ([("no", 30), ("yes", 70)], "yes"), ([("LIVE", 80), ("DIE", 20)], "DIE"), ([("B", 60), ("M", 40)], "M"),
    ([("normal", 30), ("pneumonia", 70)], "pneumonia"), ([("ckd", 70), ("notckd", 30)], "ckd"),
    ([("left", 70), ("right", 30)], "right"), ([("1", 55), ("2", 45)], "1")])
def test_the_class_that_counts_as_yes(levels, positive):
    columns = [column("age"), column("outcome", "category", levels)]
    assert profile.propose_choice(profile_of(columns, patient=None)).positive == positive


def refused(code, found=None, **choice):
    with pytest.raises(UserError) as error:
        profile.propose_choice(found or profile_of(), **choice)
    assert error.value.code == code and error.value.fix
    return error.value


def test_one_class_only_is_refused_in_plain_words():
    columns = [column("age"), column("outcome", "yes_no", [("0", 40)])]
    error = refused("one_class", profile_of(columns, targets=(), patient=None), target="outcome")
    assert error.what == "Every row has outcome 0, so there is nothing to learn."


def test_the_corpus_table_of_one_class_is_refused_in_the_manifests_words(corpus):
    found = profile.scan(corpus / "tabular" / "t24_single_class_outcome.csv")
    assert refused("one_class", found).what == "Every row has outcome 0, so there is nothing to learn."


def test_a_column_that_is_gone_is_named_and_a_close_one_offered():
    error = refused("column_gone", target="Outcome")
    assert "Outcome" in error.what and error.fix == "Did you mean outcome?"
    assert refused("column_gone", target="outcmoe").fix == "Did you mean outcome?"  # mistyped
    assert refused("column_gone", patient="mrn").fix == "Choose one of the columns that the scan lists."
    refused("column_gone", leave_out=["mrn"])


def test_several_tables_need_a_choice():
    found = profile_of(paths=("a.csv", "b.csv"))
    assert "a.csv, b.csv" in refused("several_tables", found).what
    assert profile.propose_choice(found, table="b.csv").table.path == "b.csv"
    assert profile.propose_choice(found, table=TableRef(path="a.csv")).table.path == "a.csv"
    refused("table_gone", found, table="c.csv")


def test_what_cannot_be_an_outcome_is_refused():
    columns = [*COLUMNS, column("note", "text"), column("seen", "date"), column("nothing", "empty", distinct=0),
               column("icd", "category", [("A", 50), ("B", 50)], distinct=700)]
    found = profile_of(columns)
    for name, code in (("note", "not_an_outcome"), ("seen", "not_an_outcome"), ("serial", "not_an_outcome"),
                       ("nothing", "one_class"), ("icd", "too_many_classes")):
        refused(code, found, target=name)


def test_no_outcome_and_no_predictor_are_refused():
    refused("no_target", profile_of([column("age"), column("crp")], targets=(), patient=None))
    refused("no_predictors", profile_of([column("pid", "identifier"), OUTCOME]))
    refused("target_twice", leave_out=["outcome"])
    refused("no_table", profile_of(paths=()))


def test_a_class_that_does_not_exist_is_refused():
    assert "0, 1" in refused("no_such_class", positive="2").fix
    refused("no_such_class", profile_of([column("age"), column("outcome", "category", [("a", 50), ("b", 50)])],
                                        patient=None), positive=">0")


@pytest.mark.parametrize(("given", "task"), [(OUTCOME, "binary"), (GRADE, "multiclass"), (column("los"), "regression")])
def test_task_follows_from_the_outcome(given, task):
    assert profile.task_of(given) == task


def test_the_rows_of_an_outcome_are_told_by_its_answers():
    levels = [Level(label="no", n=150), Level(label="yes", n=40)]
    rare = Column(name="outcome", kind="category", missing=0, distinct=4, levels=levels, hidden_levels=2,
                  hidden_rows=10)
    assert balance(rare) == "no in 150 rows (75 %), yes in 40 (20 %), others in 10 (5 %)"
    assert balance(Column(name="los", kind="number", missing=0, distinct=90, low=1.0, median=3.0, high=9.0)) == ""
