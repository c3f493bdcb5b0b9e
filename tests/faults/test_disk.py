"""A full disk loses nothing: work waits for room, and what cannot be kept is refused in one sentence."""

from __future__ import annotations

import pytest

import worker
from medml import project, store
from medml.errors import UserError
from tests.at_work import at_work, end_everything, ended, know_the_kinds, running, until
from tests.machine import fill, mount_memory, unmount

pytestmark = pytest.mark.machine


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """A home on a disk of 4 MB; skipped where a file system in memory cannot be mounted."""
    place = tmp_path / "small"
    mount_memory(place, "4m")
    monkeypatch.setenv("MEDML_HOME", str(place))
    monkeypatch.setenv("MEDML_LEAST_FREE_GB", "0")
    yield place
    end_everything(str(place))
    unmount(place)


def test_a_job_that_cannot_be_kept_is_refused_in_one_sentence(small_disk, monkeypatch, clinical):
    know_the_kinds(monkeypatch)
    kept = worker.enqueue("steps_quick", {"n": 1})
    ballast = fill(small_disk / "ballast")
    with pytest.raises(UserError) as refused:
        for _ in range(100):  # some fit into pages that the file has already
            worker.enqueue("steps_quick", {"n": 1, "text": "x" * 5000})
    assert refused.value.what == "There is no room left on the disk that holds MedML's folder."
    with pytest.raises(UserError) as refused:
        project.create(clinical / "heart_cleveland")
    assert refused.value.code == "disk_full" and project.all_projects() == []
    ballast.unlink()
    assert store.get(kept).state == "queued"
    assert worker.enqueue("steps_quick", {"n": 1})


def test_a_job_under_way_waits_for_room_and_loses_no_point(small_disk, monkeypatch, tmp_path):
    out, met = tmp_path / "out", tmp_path / "met"  # on another disk
    with at_work(monkeypatch):
        job = worker.enqueue("steps_train", {"n": 120, "pause": 0.05, "publish": str(out), "full": str(met)})
        running(job, fraction=0.1)
        ballast = fill(small_disk / "ballast")
        until(met.exists)  # a checkpoint found no room
        ballast.unlink()
        until(lambda: store.get(job).state == "queued")
        worker.run_at(job, 0)  # at once, not in 15 s
        done = ended(job)
    assert done.state == "done" and done.attempt == 2 and done.fruitless == 0 and out.read_text() == "120\n"
    assert {each.round for row in worker.progress_since(job) for each in row.points} == set(range(1, 121))
