"""The plan of the part kept closed: written and hashed before anything of it is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from tables import clinic, planned, saved

from medml import gallery, home, vault
from medml import train as training
from medml.errors import UserError
from medml.explain.patient import patient
from medml.types import SplitPlan, UsePlan
from medml.watch import Silent


@pytest.fixture
def run(tmp_path):
    source = saved(clinic(200), tmp_path)
    profile, recipe, config = planned(source, split=SplitPlan(by="patient", scheme="held_out", folds=3))
    config = config.model_copy(update={"use": UsePlan(rule="sensitivity", sensitivity=0.9)})
    return training.train(source, profile, recipe, config)


def test_the_plan_stands_before_the_closed_part_is_read(run, monkeypatch):
    opened = gallery.open_run(run)
    assert opened.report.plan is None and opened.report.looks == 0

    def unread(*args, **kwargs):
        raise OSError("the table is not read in this test")
    monkeypatch.setattr(training, "prepare_ground", unread)
    with pytest.raises(OSError):
        training.open_held_out(run)
    ledger = vault.read(opened.config)
    (name, written), = ledger.plans.items()
    assert name == home.sha256_of(written.plan) and ledger.looks == []
    plan = written.plan
    assert (plan.target, plan.metric, plan.family) == ("outcome", "auroc", "logistic")
    assert set(plan.predictors) == {"age", "pressure", "sex", "ward"} and plan.threshold == opened.report.threshold
    assert "at least 90% of those with the outcome" in plan.rule
    assert plan.config_sha256 == home.sha256_of(opened.config)


def test_the_report_shows_the_plan_that_it_was_opened_for(run):
    training.open_held_out(run)
    first = gallery.open_run(run).report
    assert first.plan_sha256 == home.sha256_of(first.plan) and first.plan_written and first.looks == 1
    training.open_held_out(run)
    again = gallery.open_run(run).report
    assert (again.plan_written, again.plan_sha256, again.looks) == (first.plan_written, first.plan_sha256, 2)


def test_a_plan_that_was_changed_afterwards_is_not_shown_as_the_plan(run):
    training.open_held_out(run)
    opened = gallery.open_run(run)
    path, = (home.home() / "vault").glob("*.json")
    path.write_text(path.read_text().replace('"metric": "auroc"', '"metric": "auprc"'))
    report = gallery.open_run(run).report
    assert opened.report.plan is not None and report.plan is None and report.looks == 1
    check = next(each for each in report.checks if each.id == "L10")
    assert check.verdict == "warn" and "was changed after" in check.what


def test_no_patient_of_the_closed_part_is_explained_before_it_is_opened(run):
    """An answer beside its outcome, row by row, would be a look that nobody counts."""
    opened = gallery.open_run(run)
    source = Path(opened.profile.source)
    ground = training.prepare_ground(source, opened.profile, opened.recipe, opened.config, watch=Silent())
    closed, known = (int(ground.cases.rows[each[0]]) + 1 for each in (ground.held_out, ground.development))
    assert patient(run, known).found.gap() < 1e-6
    with pytest.raises(UserError, match="kept closed"):
        patient(run, closed)
    training.open_held_out(run)
    assert patient(run, closed).found.gap() < 1e-6


def test_another_threshold_is_another_plan(run):
    opened = gallery.open_run(run)
    one = vault.plan_of(run, 0, opened.config, opened.report, ["age"])
    other = vault.plan_of(run, 0, opened.config, opened.report.model_copy(update={"threshold": 0.9}), ["age"])
    assert vault.write_down(opened.config, one) != vault.write_down(opened.config, other)
    assert vault.write_down(opened.config, one) == home.sha256_of(one)
    assert len(vault.read(opened.config).plans) == 2
