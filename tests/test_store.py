"""Jobs are claimed once, an attempt that lost its job writes nothing, and rows are never lost."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading

import pytest

from medml import store
from medml.errors import UserError
from medml.store import Progress
from medml.types import Point
from tests import redis_server


@pytest.fixture(scope="module")
def shared_queue():
    with redis_server.serving() as server:
        yield server


@pytest.fixture(params=["one machine", pytest.param("several machines", marks=pytest.mark.machine)])
def wherever(request, monkeypatch, tmp_path):
    """The same promises in this home's database and in a Redis that several machines share."""
    if request.param == "several machines":
        server = request.getfixturevalue("shared_queue")
        server.empty()
        monkeypatch.setenv("MEDML_QUEUE", server.url)
        monkeypatch.setenv("MEDML_STATE", str(tmp_path / "state"))


anywhere = pytest.mark.usefixtures("wherever")


def make(number: int = 1, **more) -> str:
    job = f"job-{number:04d}"
    store.submit(job, "scan", more.pop("queue", "quick"), {"project": "p1"}, **more)
    return job


def row(fraction: float, message: str = "", points: tuple[Point, ...] = ()) -> Progress:
    return Progress(0, 0.0, 0, "fit", fraction, message, {"points": [each.model_dump() for each in points]})


@anywhere
def test_two_clicks_with_one_id_are_one_job():
    assert store.submit("job-0001", "scan", "quick", {}) is True
    assert store.submit("job-0001", "train", "train", {}) is False
    assert [each.kind for each in store.jobs()] == ["scan"]


@anywhere
def test_an_id_that_is_a_path_is_refused():
    with pytest.raises(ValueError, match="8-64 letters"):
        store.submit("../../etc/x", "scan", "quick", {})


@anywhere
def test_jobs_are_listed_by_their_states_and_the_newest_alone():
    for number in range(1, 6):
        make(number)
    done = store.claim("quick", "me", 30)
    store.finish(done.id, done.token, "done")
    store.claim("quick", "me", 30)
    store.ask_stop("job-0005")
    assert [each.id for each in store.jobs(state=store.GOING)] == ["job-0003", "job-0004", "job-0002"]
    assert [each.id for each in store.jobs(state=store.ENDED)] == ["job-0005", "job-0001"]
    assert [each.id for each in store.jobs(state=store.ENDED, most=1)] == ["job-0005"]
    assert len(store.jobs()) == 5 and store.jobs(state="failed") == []


@anywhere
def test_whether_a_project_ever_had_such_a_job():
    store.submit("job-0001", "scan", "quick", {}, project="p1")
    store.submit("job-0002", "train", "train", {}, project="p2")
    store.ask_stop("job-0002")
    assert (store.has("p2", "train"), store.has("p2", "scan"), store.has("p1", "train")) == (True, False, False)


@anywhere
def test_jobs_are_claimed_in_turn_and_each_by_one_only():
    for number in range(40):
        make(number)
    taken: list[str] = []

    def take():
        while (job := store.claim("quick", "me", 30)) is not None:
            taken.append(job.id)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(taken) == [f"job-{number:04d}" for number in range(40)]


@anywhere
def test_priority_goes_before_age_and_a_set_hour_before_neither():
    early, late, first = make(1, not_before=4e9), make(2), make(3)
    store.put_first(first)
    assert [store.claim("quick", "me", 30).id for _ in range(2)] == [first, late]
    assert store.claim("quick", "me", 30) is None
    store.put_off(early, 0)
    assert store.claim("quick", "me", 30).id == early


@anywhere
def test_queues_are_apart():
    make(1, queue="train")
    assert store.due("quick") == 0 and store.due("train") == 1
    assert store.claim("quick", "me", 30) is None


@anywhere
def test_an_attempt_that_lost_its_job_changes_nothing():
    job = make()
    stale = store.claim("quick", "one", 30)
    assert store.give_back(job, stale.token) == "queued"
    fresh = store.claim("quick", "two", 30)
    assert fresh.token > stale.token
    assert store.pulse(job, stale.token, row(0.9, "stale")) == "lost"
    assert store.finish(job, stale.token, "done", result={"run": "stale"}) is False
    assert store.own(job, stale.token, 1, 1.0) is False
    assert store.give_back(job, stale.token) is None
    assert store.progress_since(job, 0) == []
    assert store.finish(job, fresh.token, "done", result={"run": "fresh"}) is True
    assert store.get(job).result == {"run": "fresh"}


@anywhere
def test_three_attempts_without_progress_and_a_job_has_failed():
    job = make()
    for expected in ("queued", "queued", "failed"):
        claimed = store.claim("quick", "me", 30)
        assert store.give_back(job, claimed.token, error={"what": "ended", "fix": "again", "reference": ""}) == expected
    assert store.get(job).error == {"what": "ended", "fix": "again", "reference": ""}
    assert store.claim("quick", "me", 30) is None


@anywhere
def test_an_attempt_that_got_further_starts_the_count_again():
    job = make()
    for attempt in range(1, 8):
        claimed = store.claim("quick", "me", 30)
        store.pulse(job, claimed.token, row(attempt / 10))
        assert store.give_back(job, claimed.token) == "queued"
    for expected in ("queued", "queued", "failed"):
        claimed = store.claim("quick", "me", 30)
        store.pulse(job, claimed.token, row(0.5))  # less far than before
        assert store.give_back(job, claimed.token) == expected


@anywhere
def test_a_shutdown_or_a_full_disk_counts_as_no_attempt():
    job = make()
    for _ in range(5):
        claimed = store.claim("quick", "me", 30)
        assert store.give_back(job, claimed.token, state="interrupted", counted=False) == "interrupted"
    assert store.get(job).fruitless == 0 and store.get(job).attempt == 5


@anywhere
def test_points_of_curves_come_back_as_they_were():
    job = make()
    token = store.claim("quick", "me", 30).token
    points = (Point(round=1, fold=0, train=0.5, out_of_fold=0.6), Point(round=2, fold=0, train=0.4))
    store.pulse(job, token, row(0.1, "one", points))
    store.pulse(job, token)  # a heartbeat alone makes no row
    store.pulse(job, token, row(0.2, "two"))
    rows = store.progress_since(job, 0)
    assert [each.seq for each in rows] == [1, 2] and rows[0].points == list(points)
    assert [each.message for each in store.progress_since(job, 1)] == ["two"]


@anywhere
def test_what_a_job_last_said_stands_while_its_stage_lasts():
    job = make()
    token = store.claim("quick", "me", 30).token
    for stage, words, shown in (("train", "Round 1 of 30", "Round 1 of 30"), ("train", "", "Round 1 of 30"),
                                ("evaluate", "", "")):
        store.pulse(job, token, Progress(0, 0.0, 0, stage, 0.5, words))
        assert store.get(job).message == shown


def test_a_count_that_went_on_is_told_from_another_sentence():
    assert store.counts_on("17 of 1,200 images", "18 of 1,200 images")
    assert not store.counts_on("100 of 121 files", "1 of 120 images")
    assert not store.counts_on("Fold 1 of 3: cleaning", "Fold 2 of 3: cleaning")


@anywhere
def test_a_stop_is_told_with_the_heartbeat_and_ends_a_waiting_job_at_once():
    waits, runs = make(1, not_before=4e9), make(2)
    token = store.claim("quick", "me", 30).token
    assert store.pulse(runs, token) == "go"
    store.ask_stop(waits)
    store.ask_stop(runs)
    assert store.get(waits).state == "stopped"
    assert store.pulse(runs, token, heard=True) == "stop"
    assert store.get(runs).heard is not None
    store.finish(runs, token, "done", result={"run": "r"})
    store.ask_stop(runs)
    assert store.get(runs).state == "done"


def test_the_file_is_the_owners_alone_and_in_wal():
    make()
    assert stat.S_IMODE(store.path().stat().st_mode) == 0o600
    with store.connect() as db:
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_newer_home_is_refused_in_words():
    make()
    with store.connect() as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(UserError) as refused:
        store.jobs()
    assert refused.value.what == "This folder was written by a newer MedML."


def test_a_damaged_file_is_told_in_words():
    make()
    store.path().write_bytes(b"not a database at all" * 400)
    with pytest.raises(UserError) as refused:
        store.jobs()
    assert refused.value.code == "database_damaged"


def test_a_full_disk_at_submit_is_told_in_one_sentence(monkeypatch):
    make(1)
    with store.connect() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
    opened = store.database._open

    def small(file):  # SQLite answers SQLITE_FULL at this limit just as on a full disk
        connection = opened(file)
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    monkeypatch.setattr(store.database, "_open", small)
    with pytest.raises(UserError) as refused:
        store.submit("job-0002", "scan", "quick", {"text": "x" * 100_000})
    assert refused.value.what == "There is no room left on the disk that holds MedML's folder."
    assert refused.value.fix == "Free some space and try again; nothing was lost."
    monkeypatch.undo()


def test_a_locked_file_is_waited_for():
    make(1)
    held, free = threading.Event(), threading.Event()

    def hold():
        with store.connect(write=True):
            held.set()
            free.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    threading.Timer(0.5, free.set).start()
    make(2)  # waits for the other transaction
    thread.join()
    assert free.is_set() and len(store.jobs()) == 2


def test_only_one_process_holds_a_lock_and_its_death_frees_it(medml_home):
    code = "import sys, time\nfrom medml import store\nwith store.only_one('x') as free:\n" \
           "    print(free, flush=True)\n    time.sleep(600)"
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "True\n"
    with store.only_one("x") as free:
        assert free is False
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with store.only_one("x") as free, store.only_one("x") as again:
        assert free is True and again is False
