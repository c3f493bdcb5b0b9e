"""The whole line, with real tiny models: honest figures, restarts that change nothing, a chain that loses nothing."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from tables import clinic, planned, saved

from medml import gallery, home, rivals, split, tried, vault
from medml.errors import Stopped, UserError
from medml.train import continue_run, open_held_out, prepare_ground, train
from medml.types import SplitPlan
from medml.watch import Silent

QUICK = {"epochs": 12}


class Broken(Silent):
    """A Watch that dies after so many finished folds, as a killed process would."""

    def __init__(self, fold: int) -> None:
        self.fold = fold

    def say(self, stage, fraction, message=""):
        if message.startswith(f"Fold {self.fold} "):
            raise KeyboardInterrupt


class Stop(Silent):
    """A Watch that asks to stop from the start."""

    def stopping(self):
        return True


def test_a_run_appears_whole_in_the_gallery(tmp_path):
    source = saved(clinic(), tmp_path)
    run = train(source, *planned(source))
    opened = gallery.open_run(run)
    auroc = opened.report.metrics["auroc"]
    assert auroc.low < auroc.value < auroc.high
    assert auroc.value > 0.65
    assert set(opened.report.baselines) == {"prevalence", "logistic"}
    assert [each.run for each in gallery.runs()] == [run]
    assert not list(home.runs_folder().glob(".*"))


def test_the_same_seed_gives_the_same_numbers(tmp_path):
    source = saved(clinic(), tmp_path)
    plan = planned(source, family="mlp", params=QUICK)
    first, second = (gallery.open_run(train(source, *plan)) for _ in range(2))
    assert first.report.metrics == second.report.metrics
    assert first.manifest.split_sha256 == second.manifest.split_sha256


def test_a_table_that_changed_since_the_scan_is_refused(tmp_path):
    source = saved(clinic(), tmp_path)
    plan = planned(source)
    saved(clinic(seed=1), tmp_path)
    with pytest.raises(UserError, match="has changed since it was scanned"):
        train(source, *plan)
    assert gallery.runs() == []


@pytest.mark.parametrize("family", ["logistic", "mlp"])
def test_a_restart_ends_with_the_numbers_of_an_uninterrupted_run(tmp_path, family):
    source = saved(clinic(), tmp_path)
    plan = planned(source, family=family, params=QUICK if family == "mlp" else {})
    whole = gallery.open_run(train(source, *plan))
    with pytest.raises(KeyboardInterrupt):
        train(source, *plan, job="job-a", watch=Broken(3))
    assert [each.run for each in gallery.runs()] == [whole.run]
    resumed = gallery.open_run(train(source, *plan, job="job-a"))
    assert resumed.report.metrics == whole.report.metrics
    assert [(p.round, p.fold, p.train, p.out_of_fold) for p in resumed.history] == \
        [(p.round, p.fold, p.train, p.out_of_fold) for p in whole.history]
    assert not (home.home() / "work" / "job-a").exists()


def test_a_job_that_runs_again_publishes_nothing_twice(tmp_path):
    source = saved(clinic(), tmp_path)
    plan = planned(source)
    assert train(source, *plan, job="job-b") == train(source, *plan, job="job-b")
    assert len(gallery.runs()) == 1


def test_patients_are_never_on_both_sides(tmp_path):
    table = clinic(240, visits=3)
    source = saved(table, tmp_path)
    profile, recipe, config = planned(source)
    assert config.choice.patient == "patient_id" and config.split.by == "patient"
    run = gallery.open_run(train(source, profile, recipe, config))
    with np.load(run.folder / "private" / "split.npz", allow_pickle=False) as stored:
        tests = [stored[name] for name in stored.files if name.startswith("test ")]
        assert not set(stored["cases"]) & set(table["patient_id"])
    assert len(tests) == 3
    rows = prepare_ground(source, profile, recipe, config, watch=Silent()).cases.rows  # copies of a row are left out
    patient = table["patient_id"].to_numpy()[rows]
    for test in tests:
        assert not set(patient[test]) & set(np.delete(patient, test))


def test_continue_adds_a_checkpoint_and_revert_restores_model_folds_and_figures(tmp_path):
    source = saved(clinic(), tmp_path)
    run = train(source, *planned(source, family="mlp", params=QUICK))
    before = gallery.open_run(run)
    added = continue_run(run, 5, source=source)
    after = gallery.open_run(run)
    assert added.number == 1 and added.parent == 0 and added.rounds > before.checkpoint.rounds
    assert after.checkpoint_folder != before.checkpoint_folder and len(after.history) > len(before.history)
    assert after.report.metrics["log_loss"] != before.report.metrics["log_loss"]
    gallery.revert(run)
    again = gallery.open_run(run)
    assert again.report.metrics == before.report.metrics and again.checkpoint_folder == before.checkpoint_folder
    assert len(again.chain.checkpoints) == 2


def test_a_restarted_continue_adds_one_checkpoint(tmp_path):
    source = saved(clinic(), tmp_path)
    run = train(source, *planned(source, family="mlp", params=QUICK))
    continue_run(run, 2, source=source, job="c")
    continue_run(run, 2, source=source, job="c")
    assert len(gallery.open_run(run).chain.checkpoints) == 2


def test_ten_continues_on_shuffled_labels_leave_the_interval_around_one_half(tmp_path):
    source = saved(clinic(200, shuffled=True), tmp_path)
    run = train(source, *planned(source, family="mlp", params=QUICK))
    for _ in range(10):
        continue_run(run, 3, source=source)
    auroc = gallery.open_run(run).report.metrics["auroc"]
    assert len(gallery.open_run(run).chain.checkpoints) == 11
    assert auroc.low < 0.5 < auroc.high


@pytest.mark.parametrize(("family", "params"), [("logistic", {}), ("auto", {"trees": 50})])
def test_what_has_no_rounds_is_not_continued(tmp_path, family, params):
    source = saved(clinic(120), tmp_path)
    run = train(source, *planned(source, family=family, params=params))
    with pytest.raises(UserError, match="nothing to continue"):
        continue_run(run, 5, source=source)


def test_selection_among_200_columns_of_noise_finds_nothing(tmp_path):
    rng = np.random.default_rng(3)
    noise = {f"noise {number}": rng.normal(size=200).round(3) for number in range(200)}
    table = pd.DataFrame(noise).assign(outcome=clinic(200, shuffled=True)["outcome"])
    source = saved(table, tmp_path)
    profile, recipe, config = planned(source, select=True)
    config = config.model_copy(update={"selection": config.selection.model_copy(
        update={"simulations": 3, "seconds_a_fold": 4.0})})
    report = gallery.open_run(train(source, profile, recipe, config)).report
    assert report.metrics["auroc"].low < 0.5 < report.metrics["auroc"].high
    assert len(report.selection) == 200 and 0 < sum(score.frequency for score in report.selection) < 200


def test_a_forced_out_column_is_kept_in_no_fold(tmp_path):
    source = saved(clinic(), tmp_path)
    profile, recipe, config = planned(source)
    plan = config.selection.model_copy(update={"forced_out": ["age"], "forced_in": ["sex"]})
    report = gallery.open_run(train(source, profile, recipe, config.model_copy(update={"selection": plan}))).report
    by_name = {score.column: score for score in report.selection}
    assert by_name["age"].frequency == 0 and by_name["sex"].frequency == 1
    assert report.selection_note == ""  # nobody had seen scores


def test_the_held_out_part_is_opened_once_and_later_looks_are_counted(tmp_path):
    source = saved(clinic(400), tmp_path)
    held = SplitPlan(by="row", scheme="held_out", folds=3, repeats=1, test_fraction=0.25)
    run = train(source, *planned(source, split=held))
    closed = gallery.open_run(run)
    assert closed.report.held_out == {} and closed.report.looks == 0
    n_closed = closed.manifest.n_test
    assert 98 <= n_closed <= 102 and closed.report.n_cases == 400 - n_closed
    figures = open_held_out(run, source=source)
    assert figures["auroc"].n == n_closed
    opened = gallery.open_run(run).report
    assert opened.held_out == figures and opened.looks == 1
    open_held_out(run, source=source)
    assert gallery.open_run(run).report.looks == 2
    assert len(vault.read(closed.config).looks) == 2


def test_a_part_looked_at_for_one_run_counts_for_the_next(tmp_path):
    source = saved(clinic(400), tmp_path)
    held = SplitPlan(by="row", scheme="held_out", folds=3, repeats=1, test_fraction=0.25)
    first = train(source, *planned(source, split=held))
    open_held_out(first, source=source)
    second = train(source, *planned(source, split=held, family="forest", params={"trees": 20}))
    assert gallery.open_run(second).report.looks == 1 and gallery.open_run(second).report.held_out == {}


def test_stopping_before_anything_is_finished_keeps_nothing(tmp_path):
    source = saved(clinic(), tmp_path)
    with pytest.raises(Stopped):
        train(source, *planned(source), watch=Stop())
    assert gallery.runs() == []


def test_no_stored_file_names_the_clinicians_rows(tmp_path):
    source = saved(clinic(), tmp_path)
    run = gallery.open_run(train(source, *planned(source)))
    assert all(len(name) == 32 for name in json.loads(json.dumps(_cases(run))))
    assert run.folder.joinpath("private", "split.npz").stat().st_mode & 0o077 == 0


def _cases(run):
    with np.load(run.checkpoint_folder / "private" / "oof.npz", allow_pickle=False) as stored:
        return stored["cases"].tolist()


@pytest.mark.parametrize(("family", "params"), [("logistic", {}), ("forest", {"trees": 50}), ("auto", {"trees": 100}),
                                                ("boosting", {"trees": 40}), ("mlp", {"epochs": 12})])
def test_every_fit_shows_ten_points_with_a_training_and_an_out_of_fold_figure(tmp_path, family, params):
    source = saved(clinic(), tmp_path)
    history = gallery.open_run(train(source, *planned(source, family=family, params=params))).history
    first = [point for point in history if (point.repeat, point.fold) == (0, 0)]
    assert len([point for point in first if point.unit == "loss" and point.out_of_fold is not None]) >= 10
    assert len([point for point in first if point.unit == "metric" and point.out_of_fold is not None]) >= 10
    assert len([point for point in first if point.train is not None]) >= 10


def test_a_second_configuration_on_the_same_folds_is_corrected_for_the_winners_curse(tmp_path):
    source = saved(clinic(), tmp_path)
    train(source, *planned(source))
    second = gallery.open_run(train(source, *planned(source, family="forest", params={"trees": 60})))
    check = next(each for each in second.report.checks if each.id == "E3")
    assert check.verdict == "warn" and second.config.compared == 2
    assert 0.4 < check.figures["value"] < 1
    profile, recipe, config = planned(source)
    fewer = config.choice.model_copy(update={"leave_out": [*config.choice.leave_out, "ward"]})
    third = gallery.open_run(train(source, profile, recipe, config.model_copy(update={"choice": fewer})))
    check = next(each for each in third.report.checks if each.id == "E3")   # leaving columns out is a choice as well
    assert "BBC-CV, 3 configurations" in check.what


def test_weighted_classes_are_named_as_resampling(tmp_path):
    source = saved(clinic(), tmp_path)
    run = gallery.open_run(train(source, *planned(source, family="mlp", params={"epochs": 5, "class_weights": True})))
    check = next(each for each in run.report.checks if each.id == "L9")
    assert check.verdict == "pass" and "Nothing was" not in check.what


def test_a_stop_keeps_the_best_epoch_of_every_fold(tmp_path):
    class Later(Silent):
        rounds = 0

        def point(self, point):
            self.rounds = max(self.rounds, point.round)

        def stopping(self):
            return self.rounds >= 6

    source = saved(clinic(), tmp_path)
    run = gallery.open_run(train(source, *planned(source, family="mlp", params={"epochs": 400}), watch=Later()))
    assert 1 <= run.checkpoint.rounds <= 25
    assert run.report.n_cases == 160 and run.report.metrics["auroc"].low is not None
    e3 = next(each for each in run.report.checks if each.id == "E3")  # the best moment of the curve was a choice
    assert run.config.compared == 2 and e3.verdict == "warn" and "stopped by hand" in e3.what
    assert rivals.configurations(run.config.data_sha256, "outcome") == 2
    tried.count_stop(run.config.data_sha256, "outcome", "one job")
    tried.count_stop(run.config.data_sha256, "outcome", "one job")
    gallery.delete(run.run)
    assert rivals.configurations(run.config.data_sha256, "outcome") == 3


def test_a_split_by_row_is_refused_where_patients_repeat(tmp_path):
    source = saved(clinic(240, visits=3), tmp_path)
    profile, recipe, config = planned(source)
    choice = config.choice.model_copy(update={"patient": None, "leave_out": ["patient_id"]})
    by_row = config.model_copy(update={"choice": choice, "split": config.split.model_copy(update={"by": "row"})})
    with pytest.raises(UserError, match="both sides of the split"):
        train(source, profile, recipe, by_row)
    assert gallery.runs() == []


def test_a_part_that_is_no_longer_the_one_kept_closed_is_not_opened(tmp_path, monkeypatch):
    source = saved(clinic(400), tmp_path)
    held = SplitPlan(by="row", scheme="held_out", folds=3, repeats=1, test_fraction=0.25)
    run = train(source, *planned(source, split=held))
    drawn = split.held_out
    monkeypatch.setattr(split, "held_out", lambda cases, plan, seed: drawn(cases, plan, seed + 1))
    with pytest.raises(UserError, match="cannot be divided"):
        open_held_out(run, source=source)
    assert gallery.open_run(run).report.looks == 0


def test_a_look_is_counted_for_every_seed_and_once_a_job(tmp_path):
    source = saved(clinic(400), tmp_path)
    held = SplitPlan(by="row", scheme="held_out", folds=3, repeats=1, test_fraction=0.25)
    runs = [train(source, *planned(source, split=held, seed=seed)) for seed in (0, 1)]
    for run in (*runs, runs[1]):
        open_held_out(run, source=source, job=f"look at {run}")
    assert gallery.open_run(runs[0]).report.looks == 2


def test_two_that_go_on_from_one_run_both_keep_their_checkpoint(tmp_path):
    source = saved(clinic(120), tmp_path)
    run = train(source, *planned(source, family="mlp", params={"epochs": 4}))

    class Meanwhile(Silent):
        done = False

        def say(self, stage, fraction, message=""):
            if stage == "save" and not self.done:
                self.done = True
                continue_run(run, 2, source=source)

    continue_run(run, 3, source=source, watch=Meanwhile())
    chain = gallery.open_run(run).chain
    assert [each.number for each in chain.checkpoints] == [0, 1, 2]
    assert [each.rounds for each in chain.checkpoints] == [4, 6, 7]


def test_a_run_deleted_while_it_goes_on_stays_deleted(tmp_path):
    source = saved(clinic(120), tmp_path)
    run = train(source, *planned(source, family="mlp", params={"epochs": 4}))

    class Deleted(Silent):
        def say(self, stage, fraction, message=""):
            if stage == "save":
                gallery.delete(run)

    with pytest.raises(UserError, match="deleted"):
        continue_run(run, 3, source=source, watch=Deleted())
    assert gallery.runs() == [] and not (home.runs_folder() / run).exists()


def test_checkpoints_count_as_configurations_to_choose_from(tmp_path):
    source = saved(clinic(120), tmp_path)
    run = train(source, *planned(source, family="mlp", params={"epochs": 4}))
    continue_run(run, 3, source=source)
    check = next(each for each in gallery.open_run(run).report.checks if each.id == "E3")
    assert check.verdict == "warn" and check.figures["compared"] == 2 and 0 < check.figures["value"] < 1


def test_an_outcome_may_be_called_count(tmp_path):
    source = saved(clinic(120).rename(columns={"outcome": "count"}), tmp_path)
    run = gallery.open_run(train(source, *planned(source, target="count")))
    assert run.report.task == "binary" and run.report.n_cases == 120
