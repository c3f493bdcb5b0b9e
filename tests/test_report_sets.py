"""What a report counts: how often sets of answers held the truth beside what was wanted, and checks that passed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tables import trained_once
from test_report_files import pages, words

from medml import answers, gallery, report
from medml.commands._words import in_question
from medml.measured import Conformal, ConformalLevel
from medml.report import content, sets, wording
from medml.report.document import Rows, Words
from medml.types import Metric


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of 160 made-up patients."""
    with trained_once(tmp_path_factory.mktemp("sets")) as made:
        yield gallery.open_run(made)


def with_sets(run: gallery.Run, held: tuple[float, float, float], *, task: str = "binary") -> gallery.Run:
    """The run as if its sets of 90 % had held the truth so often, in an interval, with 1.2 answers on average."""
    value, low, high = held
    level = ConformalLevel(level=0.9, least=[0.3, 0.3], held=Metric(value=value, low=low, high=high, n=120), **(
        {"width": 4.5} if task == "regression" else {"size": Metric(value=1.2, low=1.1, high=1.3, n=120),
                                                     "single": Metric(value=0.8, low=0.7, high=0.9, n=120)}))
    return replace(run, report=run.report.model_copy(update={
        "task": task, "conformal": Conformal(n_patients=120, levels=[level])}))


@pytest.mark.parametrize(("task", "kind"), [("binary", "A set"), ("regression", "An interval")])
def test_an_answer_names_the_level_of_its_set_beside_how_often_such_sets_held_the_truth(run, task, kind):
    told = answers.level_said(with_sets(run, (0.94, 0.85, 0.97), task=task).report, 0.9)
    assert told.startswith(f"{kind} at 90 % held the truth in 94 % (85 to 97) of patients")


@pytest.mark.parametrize(("held", "judged_as"), [
    ((0.91, 0.85, 0.95), "as often as wanted"),
    ((0.97, 0.93, 0.99), "more often than wanted: the sets are larger than they need be"),
    ((0.80, 0.72, 0.86), "less often than wanted: do not count on these sets")])
def test_the_report_says_whether_sets_held_the_truth_as_often_as_wanted_and_how_large_they_are(run, held, judged_as):
    changed = with_sets(run, held)
    rows = next(each for each in content.document_of(changed).blocks
                if isinstance(each, Rows) and each.head[0] == "Wanted")
    assert rows.rows == (("90%", wording.figure(changed.report.conformal.levels[0].held), "1.20 (95 % CI 1.10 to 1.30)",
                          "0.80 (95 % CI 0.70 to 0.90)", judged_as),)
    said = words(" ".join(pages(report.as_pdf(changed))))
    assert "Answers in a set, on average" in said and judged_as in said
    assert judged_as in report.as_card(changed) and "1.20" in report.as_card(changed)


def test_sets_that_are_made_for_a_rare_class_are_not_called_too_large(run):
    often = with_sets(run, (0.97, 0.93, 0.99))
    found = often.report.conformal.model_copy(update={"by_class": True})
    assert sets.line(often.report.model_copy(update={"conformal": found})).endswith(
        "more often than wanted, so that it holds in the rare class too.")


def test_sets_of_one_answer_are_not_called_too_large(run):
    """Of chronic kidney disease 99 % are, and hold the truth in all."""
    often = with_sets(run, (1.0, 0.99, 1.0))
    level = often.report.conformal.levels[0].model_copy(update={"single": Metric(value=0.99, low=0.98, high=1, n=120)})
    assert sets.beside(level, often.report.conformal) == "more often than wanted: no set is smaller than one answer"


def test_of_a_number_the_report_says_how_far_its_interval_reaches(run):
    told = sets.line(with_sets(run, (0.91, 0.85, 0.95), task="regression").report)
    assert told == ("Intervals that reach 4.5 to either side, meant to hold the truth in 90 % of patients, held it in "
                    "0.910 (95 % CI 0.850 to 0.950) of patients who had no part in them: as often as wanted.")
    assert sets.line(run.report.model_copy(update={"conformal": None})) == ""


def test_what_is_only_noted_is_not_counted_as_passed(run):
    """“31 of 36 checks passed” above a table in which 29 are: not exported yet, and judged nowhere else."""
    blocks = content.document_of(run).blocks
    rows = next(each.rows for each in blocks if isinstance(each, Rows) and each.head[:2] == ("Check", "Verdict"))
    verdicts = [row[1] for row in rows]
    said = next(each.text for each in blocks if isinstance(each, Words) and "checks passed" in each.text)
    passed, noted = verdicts.count("passed"), verdicts.count("noted")
    assert noted and f"{passed} of {len(rows)} checks passed; {noted} noted; " in said
    assert in_question(run.report)[-1] == f"{passed} of {len(rows)} checks passed; {noted} noted."
    bare = run.report.model_copy(update={"checks": [each for each in run.report.checks if each.verdict == "pass"]})
    assert in_question(bare) == [f"{passed} of {passed} checks passed."]
