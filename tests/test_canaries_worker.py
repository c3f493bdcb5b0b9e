"""No value of a patient in anything that a home holds after real jobs: done, continued, stopped and failed ones."""

from __future__ import annotations

import numpy as np
import pytest
from canaries import found_in, planted, thresholds_of
from tables import planned, saved

import worker
from medml import gallery, home, project
from medml.pipeline import Pipeline
from tests.at_work import at_work, until

PATIENCE = 300.0  # seconds for one job; only a hanging one takes them
LONG = {"epochs": 2_000, "patience": 500, "rate": 0.00001}  # goes on until it is stopped
SHORT = {"mlp": {"epochs": 4}, "boosting": {"trees": 30}}


def ended(job: str) -> worker.Job:
    """The job, once it has ended."""
    until(lambda: worker.get(job).ended_for_good, PATIENCE)
    return worker.get(job)


def queued(made: project.Project, source, family: str, params: dict) -> str:
    """A training handed in as the Configure and Train screens do it."""
    profile, recipe, config = planned(source, family=family, params=params)
    for value in (config.choice, recipe, config.model_copy(update={"profile_sha256": profile_sha256(made)})):
        project.write(made.id, value)
    return worker.enqueue("train", {"project": made.id})


def profile_sha256(made: project.Project) -> str:
    return home.sha256_of(project.profile(made.id))


@pytest.fixture(scope="module")
def after_work(tmp_path_factory):
    """(home, table, numbers planted, runs by family, jobs by what was done), the worker ended."""
    home_folder, clinic = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("clinic")
    table, numbers = planted()
    source = saved(table, clinic)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(home_folder))
        with at_work(patch):
            made = project.create(source)
            jobs = {"scan": worker.enqueue("scan", {"project": made.id})}
            assert ended(jobs["scan"]).state == "done"
            for family, params in SHORT.items():
                jobs[family] = queued(made, source, family, params)
                assert ended(jobs[family]).state == "done", worker.get(jobs[family]).error
            runs = {family: worker.get(jobs[family]).result["run"] for family in SHORT}
            jobs["continue"] = worker.enqueue("continue", {"run": runs["mlp"], "rounds": 2, "project": made.id})
            assert ended(jobs["continue"]).state == "done", worker.get(jobs["continue"]).error
            jobs["stopped"] = queued(made, source, "mlp", LONG)
            until(lambda: worker.get(jobs["stopped"]).fraction > 0.03, PATIENCE)
            worker.stop(jobs["stopped"])
            assert ended(jobs["stopped"]).state == "stopped"
            saved(table.drop(columns="outcome"), clinic)
            jobs["failed"] = worker.enqueue("train", {"project": made.id})
            assert ended(jobs["failed"]).state == "failed"
            (clinic / "clinic.csv").write_bytes(b"ZZNOTE is no table\0\1\2" * 40)
            jobs["broken"] = worker.enqueue("scan", {"project": made.id})
            assert ended(jobs["broken"]).ended_for_good
            assert (home_folder / "queue.db-wal").exists() or (home_folder / "medml.db-wal").exists()
            while_at_work = found_in(home_folder, numbers)  # with the journals, which go when the worker does
        yield home_folder, table, numbers, runs, jobs, while_at_work


def test_nothing_that_the_jobs_left_holds_a_value_of_a_patient(after_work):
    home_folder, _, numbers, _, _, while_at_work = after_work
    there = {each.suffix or each.name for each in home_folder.rglob("*") if each.is_file()}
    assert {".db", ".json", ".log"} <= there
    assert len(numbers) >= 0.1 * 220 * 2
    assert while_at_work == [] and found_in(home_folder, numbers) == []


def test_a_failed_job_says_why_without_a_cell(after_work, monkeypatch):
    home_folder, _, _, _, jobs, _ = after_work
    monkeypatch.setenv("MEDML_HOME", str(home_folder))
    said = worker.get(jobs["failed"]).error
    assert "changed since it was scanned" in said["what"] and said["fix"]


def test_no_threshold_of_a_model_from_the_queue_is_a_patients_own_value(after_work, monkeypatch):
    """Of a fold's model too; there a round number may be that of a patient whom the fold never saw, by chance."""
    home_folder, table, numbers, runs, _, _ = after_work
    monkeypatch.setenv("MEDML_HOME", str(home_folder))
    at = gallery.open_run(runs["boosting"]).checkpoint_folder
    cells, counts = np.unique(np.concatenate([table["age"], table["marker"]]), return_counts=True)
    final, *folds = [thresholds_of(Pipeline.load(each, "boosting").fitted).astype(np.float32)
                     for each in (at / "final", *sorted((at / "folds").iterdir()))]
    assert len(final) > 10 and not np.isin(final, cells[counts == 1].astype(np.float32)).any()
    assert len(folds) == 3 and all(len(each) > 10 for each in folds)
    assert not np.isin(np.concatenate(folds), numbers.astype(np.float32)).any()
