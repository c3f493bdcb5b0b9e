"""A part that was kept closed stands wherever the figures of a run do: screen, report, card, checklist."""

from __future__ import annotations

import pytest
from tables import clinic, trained_once
from test_report_files import pages, words

from medml import gallery, report
from medml import train as training
from medml.__main__ import main
from medml.report import checklist, content, tripod, wording
from medml.report.document import Rows
from medml.types import SplitPlan


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with a part kept closed, opened once."""
    plan = SplitPlan(by="patient", scheme="held_out", folds=3)
    with trained_once(tmp_path_factory.mktemp("held"), clinic(240), split=plan) as made:
        training.open_held_out(made)
        yield gallery.open_run(made)


def told(run: gallery.Run) -> str:
    return f"On the part that was kept closed ({run.manifest.n_test} cases, opened once) AUROC was " \
           f"{wording.figure(run.report.held_out['auroc'])}."


def test_report_card_and_checklist_tell_the_figure_of_the_part_kept_closed(run):
    said = words(" ".join(pages(report.as_pdf(run))))
    assert said.count(words(told(run))) >= 2   # in short, and in the abstract
    card = report.as_card(run)
    assert "| | this model | part kept closed, opened once |" in card
    both = [wording.figure(each["auroc"]) for each in (run.report.metrics, run.report.held_out)]
    assert f"| AUROC | {both[0]} | {both[1]} |" in card
    answers = {item.number: answer.text for item, answer in checklist.filled(tripod.ITEMS, run)}
    assert told(run) in answers["23a"] and told(run) in answers["2"]
    assert f"The held-out part has {run.manifest.n_test} patients" in answers["21"]


def test_the_flow_ends_with_those_that_the_model_was_made_from(run):
    flow = next(each for each in content.document_of(run).blocks if isinstance(each, Rows) and each.head[0] == "Step")
    assert flow.rows[-1] == ("Kept closed, to judge the model once", "240", str(run.manifest.n_test),
                             str(run.manifest.n_train))


def test_the_terminal_shows_the_part_kept_closed_beside_the_others(run, capsys, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(run.folder.parents[1]))
    assert main(["show", run.run]) == 0
    out = capsys.readouterr().out
    assert "part kept closed" in out and f"{run.report.held_out['brier'].value:.3f}" in out
    assert told(run).replace("95 % CI ", "") in out


def test_opening_where_nothing_was_kept_closed_is_said(tmp_path, capsys, monkeypatch):
    from tables import saved

    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "home"))
    source = saved(clinic(120), tmp_path / "own")
    assert main(["train", str(source), "--target", "outcome", "--family", "logistic", "--folds", "3", "--open"]) == 0
    assert "No part was kept closed, so there was nothing to open" in capsys.readouterr().out
