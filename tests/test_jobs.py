"""Each kind of job does its part of the line from the project's files, and says in words what it cannot do."""

from __future__ import annotations

import sqlite3
import time
import types

import psutil
import pytest

import worker
from medml import home, profile, project, recipe, room, store
from medml.config import propose_config
from medml.errors import Stopped, UserError
from medml.watch import Silent
from worker import alive, attempt, processes, run
from worker.jobs import registry


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "study"
    place.mkdir()
    rows = [f"{n % 17},{(n * 7) % 23},{int((n % 17) + (n * 7) % 23 > 19)}" for n in range(391)]
    (place / "cases.csv").write_text("\n".join(["age,marker,outcome", *dict.fromkeys(rows)]) + "\n")
    return place


@pytest.fixture
def configured(folder):
    """A project that has been walked up to its configuration."""
    made = project.create(folder).id
    do("scan", {"project": made})
    found = project.profile(made)
    choice = profile.propose_choice(found, target="outcome")
    table = found.table(choice.table)
    plan = recipe.propose_recipe(table, choice, home.sha256_of(found))
    settings = propose_config(table, choice, plan, profile_sha256=home.sha256_of(found), data_sha256=table.sha256,
                              family="logistic", folds=2)
    once = settings.split.model_copy(update={"repeats": 1})
    for value in (choice, plan, settings.model_copy(update={"split": once})):
        project.write(made, value)
    return made


def do(kind: str, payload: dict, watch=None) -> dict:
    """Run one job of that kind here, as its child process would."""
    found = registry.get(kind)
    job = types.SimpleNamespace(id="job-00000001", payload=found.freeze(payload), halved=0, is_finishing=False)
    return found.run(job, watch or Silent())


class Stopping(Silent):
    def stopping(self) -> bool:
        return True


def test_every_kind_is_found_and_names_its_queue():
    kinds = {each.name: each.queue for each in registry}
    assert {"scan": "quick", "train": "train", "continue": "train", "held_out": "quick"}.items() <= kinds.items()


def test_a_stopped_scan_leaves_the_old_profile(configured):
    before = project.profile(configured)
    with pytest.raises(Stopped):
        do("scan", {"project": configured}, Stopping())
    assert project.profile(configured) == before


def test_a_patient_column_that_nobody_foresaw_is_counted_by_before_a_training(configured):
    choice = project.choice(configured).model_copy(update={"patient": "marker"})
    settings, plan = project.config(configured), project.recipe(configured)
    project.write(configured, choice)
    for value in (plan, settings.model_copy(update={"choice": choice})):
        project.write(configured, value)
    with pytest.raises(UserError, match="not been counted by the patients of “marker”"):
        do("train", {"project": configured})
    do("scan", {"project": configured, "choice": choice.model_dump(mode="json")})
    assert profile.is_foreseen(project.profile(configured), choice) and project.choice(configured) == choice
    assert project.config(configured) is None  # it was made from the profile before


def test_a_training_becomes_a_run_of_its_project_once(configured):
    first = do("train", {"project": configured})
    again = do("train", {"project": configured})  # the same job, started again after a crash
    assert first == again and project.runs_of(configured) == [first["run"]]


def test_a_run_that_a_killed_attempt_left_without_its_project_is_entered_whatever_changed_since(configured, folder):
    payload = registry.get("train").freeze({"project": configured})
    first = do("train", payload)
    (home.projects_folder() / configured / "runs.json").unlink()  # as where it was killed after publishing
    with (folder / "cases.csv").open("a") as file:
        file.write("3,4,1\n")
    do("scan", {"project": configured})
    assert do("train", payload) == first and project.runs_of(configured) == [first["run"]]


def test_a_training_takes_the_settings_of_when_it_was_queued(configured):
    job = worker.enqueue("train", {"project": configured})
    changed = project.config(configured).model_copy(update={"family": "forest"})
    project.write(configured, changed)
    assert store.get(job).payload["config"]["family"] == "logistic"


def test_a_training_without_a_configuration_is_not_queued(folder):
    made = project.create(folder).id
    with pytest.raises(UserError, match="no finished configuration"):
        worker.enqueue("train", {"project": made})
    assert worker.jobs() == []


def test_a_folder_scanned_again_in_between_is_noticed(configured, folder):
    payload = registry.get("train").freeze({"project": configured})
    with (folder / "cases.csv").open("a") as file:
        file.write("3,4,1\n3,5,1\n")
    do("scan", {"project": configured})
    with pytest.raises(UserError) as refused:
        do("train", payload)
    assert refused.value.what == "The folder was scanned again after this training was queued."


def test_a_file_changed_in_between_is_noticed(configured, folder):
    with (folder / "cases.csv").open("a") as file:
        file.write("3,4,1\n")
    with pytest.raises(UserError) as refused:
        do("train", {"project": configured})
    assert "changed" in refused.value.what and project.runs_of(configured) == []


def test_a_folder_that_is_gone_is_told_in_words(configured, folder):
    (folder / "cases.csv").unlink()
    folder.rmdir()
    for kind in ("scan", "train"):
        with pytest.raises(UserError) as refused:
            do(kind, {"project": configured})
        assert refused.value.what == f"There is no folder or file {folder}."


def test_a_child_that_eats_the_memory_is_told_apart_from_a_busy_machine(monkeypatch):
    store.submit("job-0001", "scan", "quick", {})
    overseer = attempt.Overseer(store.claim("quick", "me", 30), pid=1)
    gigabyte = 2**30

    def memory(free: float, eaten: float):
        monkeypatch.setattr(psutil, "virtual_memory", lambda: types.SimpleNamespace(
            available=free * gigabyte, total=16 * gigabyte))
        monkeypatch.setattr(processes, "bytes_of_family", lambda pid: eaten * gigabyte)
        return overseer._memory()

    assert memory(free=4, eaten=10) is None
    assert memory(free=0.3, eaten=1) is None  # somebody else's doing
    assert memory(free=0.3, eaten=10) == "memory"


@pytest.mark.parametrize(("family", "stage", "points", "ended"), [
    ("mlp", "train", 1, False), ("mlp", "train", 0, True), ("auto", "train", 1, True), ("auto", "evaluate", 0, False),
    ("auto", "save", 0, False)])
def test_a_stop_waits_for_the_end_of_a_round_where_there_is_something_to_keep(family, stage, points, ended):
    store.submit("job-0001", "train", "train", {"config": {"family": family}})
    job = store.claim("train", "me", 30)
    learned = {"points": [{"round": 1, "fold": 0}] * points}
    store.pulse(job.id, job.token, store.Progress(0, 0.0, 0, stage, 0.1, "Round 1", learned))
    store.ask_stop(job.id)
    overseer = attempt.Overseer(job, pid=1)
    within = range(int(3 * attempt.UNHEARD / attempt.LOOK))  # an epoch may take longer than a stop may go unnoticed
    assert ("stopped" in [overseer.look() for _ in within]) is ended


def test_a_frozen_child_whose_job_another_machine_took_over_does_not_hold_its_place_for_ever():
    store.submit("job-0001", "train", "train", {})
    job = store.claim("train", "me", 30)
    overseer = attempt.Overseer(job, pid=1)
    store.give_back(job.id, job.token)
    looks = [overseer.look() for _ in range(int(1.1 * attempt.lease() / attempt.LOOK))]
    assert looks[-1 - attempt.EACH:].count("silent") and not any(looks[:int(0.9 * attempt.lease() / attempt.LOOK)])


@pytest.mark.parametrize("refused", [OSError(11, "no process"), sqlite3.OperationalError("locking protocol"),
                                     UserError(what="It is locked.", fix="Wait.", code="locked")])
def test_an_attempt_that_cannot_begin_leaves_its_thread_alive_and_its_job_to_the_reaper(monkeypatch, refused):
    store.submit("job-0001", "scan", "quick", {})
    attempts = attempt.Attempts(owner="me")

    def begun(job):
        raise refused
    monkeypatch.setattr(attempts, "_attempt", begun)
    assert attempts.take("quick") is True and [each.id for each in attempts.unwatched()] == ["job-0001"]


def test_an_app_looks_after_its_worker_again_after_whatever_came_in_the_way(monkeypatch):
    ways = [sqlite3.OperationalError("locking protocol"), OSError(28, "full"), UserError(what="Full.", fix="Free it.")]
    looks = []

    def look():
        looks.append(1)
        if ways:
            raise ways.pop()
        raise SystemExit  # the test has seen enough
    monkeypatch.setattr(alive, "ensure_running", look)
    monkeypatch.setattr(alive, "LOOK", 0.0)
    with pytest.raises(SystemExit):
        alive._look_after()
    assert len(looks) == 4


@pytest.mark.parametrize(("there_is", "seconds"), [(True, attempt.SOON), (False, attempt.LATER)])
def test_work_that_found_no_room_goes_on_soon_after_there_is_some(monkeypatch, there_is, seconds):
    store.submit("job-0001", "scan", "quick", {})
    job = store.claim("quick", "me", 30)
    monkeypatch.setattr(room, "_free", lambda: room.SOME if there_is else room.SOME - 1)
    began = time.time()
    attempt.settle(job, "exited", run.NO_ROOM)
    assert began + seconds <= store.get("job-0001").not_before <= time.time() + seconds


def test_an_attempt_without_room_on_the_disk_is_no_fault_of_the_job():
    store.submit("job-0001", "scan", "quick", {})
    for _ in range(4):
        job = store.claim("quick", "me", 30)
        attempt.settle(job, "exited", run.NO_ROOM)
        waiting = store.get("job-0001")
        assert waiting.state == "queued" and waiting.fruitless == 0 and waiting.not_before > job.started
        store.put_off("job-0001", 0)


def test_a_full_disk_inside_a_job_is_told_by_its_exit_code(monkeypatch, folder):
    made = project.create(folder).id
    store.submit("job-00000001", "scan", "quick", {"project": made})
    job = store.claim("quick", "me", 30)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(home, "write_bytes", full)
    assert run.work(job, job.token) == run.NO_ROOM
    assert store.get(job.id).state == "running" and project.profile(made) is None
    monkeypatch.undo()
