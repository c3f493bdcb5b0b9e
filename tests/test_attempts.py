"""The worker's book of its attempts: which it watches over, which were left, and what holds nobody up."""

from __future__ import annotations

import threading

import pytest

from medml import store
from medml.errors import UserError
from tests.at_work import until
from worker import attempt, published
from worker.__main__ import Worker

FULL = UserError(what="There is no room left.", fix="Free some.", code="disk_full")


def submitted(n: int, queue: str = "quick") -> list[str]:
    names = [f"job-{number:04d}" for number in range(n)]
    for each in names:
        store.submit(each, "scan", queue, {})
    return names


def test_the_next_attempt_at_a_job_is_watched_over_though_the_one_before_it_ends_late(monkeypatch):
    """Else the reaper takes it for one that a dead worker left, and ends its process."""
    name, = submitted(1)
    made, over, began = attempt.Attempts("me"), threading.Event(), []

    def attempted(job):
        began.append(job.token)
        if len(began) == 1:  # given back, taken by another thread before this one has ended
            store.give_back(job.id, job.token)
            second.start()
            until(lambda: len(began) == 2)
        else:
            over.wait(60)
    monkeypatch.setattr(made, "_attempt", attempted)
    second = threading.Thread(target=made.take, args=("quick",))
    assert made.take("quick")
    assert store.get(name).state == "running" and made.unwatched() == [] and made.running == {name: began[1]}
    over.set()
    second.join()
    assert [each.id for each in made.unwatched()] == [name] and made.running == {}


@pytest.mark.parametrize("refused", [FULL, PermissionError("the project's folder")])
def test_a_run_that_cannot_be_entered_in_its_project_holds_up_no_other_job(monkeypatch, refused):
    names = submitted(3)
    for _ in names:
        job = store.claim("quick", "one that is gone", 30)
        store.own(job.id, job.token, 2**22 + 1, 1.0)
    whole = published.settled

    def settled(job):
        if job.id == names[1]:
            raise refused
        return whole(job)
    monkeypatch.setattr(published, "settled", settled)
    worker = Worker()
    monkeypatch.setattr(worker.leases, "left", lambda running: running)
    worker.reap()
    assert [store.get(each).state for each in names] == ["queued", "running", "queued"]
    monkeypatch.setattr(published, "settled", whole)
    worker.reap()  # as every second
    assert store.get(names[1]).state == "queued"


def test_a_worker_that_is_to_end_does_not_wait_for_room_on_the_disk(monkeypatch):
    submitted(1)
    job, tries, closing = store.claim("quick", "me", 30), [], threading.Event()

    def full(*given, **more):
        tries.append(given)
        closing.set()
        raise FULL
    monkeypatch.setattr(store, "give_back", full)
    ended = threading.Thread(target=attempt.settle, args=(job, "closing", -9, closing), daemon=True)
    ended.start()
    ended.join(30)
    assert not ended.is_alive() and len(tries) == 1 and store.get(job.id).state == "running"  # the next worker's reaper
