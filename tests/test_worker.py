"""The worker's door: jobs are done, told about, stopped and put off by the real worker and its children."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import psutil
import pytest

import worker
from medml import home, store
from tests.at_work import ROOT, at_work, ended, know_the_kinds, of_home, running, until, worker_process
from worker import alive, processes, run
from worker.__main__ import sweep
from worker.watch import JobWatch


@pytest.fixture
def busy(monkeypatch, medml_home):
    """A worker at work on this test's home."""
    with at_work(monkeypatch):
        yield medml_home


def test_a_job_is_done_and_every_point_of_its_curve_arrives(busy):
    job = worker.enqueue("steps_quick", {"n": 60, "pause": 0.02})
    assert ended(job).state == "done" and worker.get(job).result == {"steps": 60}
    rows = worker.progress_since(job)
    assert [each.round for row in rows for each in row.points] == list(range(1, 61))
    assert [said for row in rows for said in row.said] == [f"step {number}" for number in range(1, 61)]
    assert rows[-1].fraction == 1.0
    assert [row.fraction for row in rows] == sorted(row.fraction for row in rows)
    assert worker.progress_since(job, rows[-2].seq) == rows[-1:]


GROUP = "import subprocess, sys; print(subprocess.Popen(['sleep', '600'], stdout=subprocess.DEVNULL).pid)"


@pytest.mark.skipif(os.name != "posix", reason="groups of processes are POSIX")
@pytest.mark.parametrize("is_ours", [True, False])
def test_a_group_whose_leader_is_gone_is_ended_where_it_is_ours_alone(medml_home, tmp_path, is_ours):
    """After a reboot the number of a job's process may be that of a stranger's group."""
    env = os.environ | {"MEDML_HOME": str(medml_home if is_ours else tmp_path / "another")}
    leader = subprocess.Popen([sys.executable, "-c", GROUP], env=env, start_new_session=True, stdout=subprocess.PIPE)
    member = psutil.Process(int(leader.communicate()[0]))
    try:
        assert os.getpgid(member.pid) == leader.pid
        assert processes.end_group(leader.pid, 1.0)
        assert member.is_running() and member.status() != psutil.STATUS_ZOMBIE if not is_ours else True
        until(lambda: not is_ours or processes.started_at(member.pid) is None)
    finally:
        member.kill()


def test_unfinished_work_that_no_list_of_jobs_knows_goes_away_after_a_week(medml_home):
    for name, days in (("job-of-today", 0), ("job-of-last-month", 30), ("job-that-waits", 30)):
        file = home.work_folder(name) / "checkpoint.medml"
        file.write_bytes(b"x")
        for each in (file, file.parent):
            os.utime(each, (time.time() - days * 86_400,) * 2)
    store.submit("job-that-waits", "steps_train", "train", {})
    sweep()
    assert sorted(each.name for each in (medml_home / "work").iterdir()) == ["job-of-today", "job-that-waits"]


def test_no_more_than_two_rows_a_second(busy):
    job = worker.enqueue("steps_quick", {"n": 150, "pause": 0.02})
    finished = ended(job)
    seconds = finished.ended - finished.started
    assert len(worker.progress_since(job)) <= 2 * seconds + 2  # and the first and the last one


def test_of_a_count_that_runs_nothing_is_kept_but_where_it_stood_at_each_look(medml_home):
    store.submit("job-0001", "train", "train", {})
    watch = JobWatch("job-0001", store.claim("train", "me", 30).token, lost=lambda: None)
    watch.say("read", 0.0, "Reading the table")
    for place in range(1, 3_001):
        watch.say("decoding", place / 3_000, f"{place:,} of 3,000 images")
    watch.close()
    rows = worker.progress_since("job-0001")
    said = [words for row in rows for words in row.said]
    assert said[0] == "Reading the table" and said[-1] == "3,000 of 3,000 images" and len(said) <= len(rows) + 1


def kept_ready(home) -> list[int]:
    """Children of that home that wait for a job of the quick queue."""
    found = []
    for each in of_home(str(home)):
        with contextlib.suppress(psutil.Error):  # one that ends while it is asked is none
            if each.cmdline()[-2:] == ["worker.run", "quick"]:
                found.append(each.pid)
    return found


def test_a_child_is_kept_ready_and_does_the_next_job(monkeypatch, medml_home):
    with at_work(monkeypatch, warm=True):
        until(lambda: kept_ready(medml_home))
        ready, = kept_ready(medml_home)
        until(lambda: psutil.Process(ready).nice() == run.BACK["quick"])  # while it imports it is in nobody's way
        assert running(worker.enqueue("steps_quick", {"n": 40, "pause": 0.05})).pid == ready


def of_the_session(pid: int) -> int:
    """The priority of a process's session beside the machine's others."""
    return int(Path(f"/proc/{pid}/autogroup").read_text().split()[-1])


STEPS_BACK = "from worker.processes import step_back; step_back(7)"
LEADS_A_SESSION = f"""import pathlib, subprocess, sys
subprocess.run([sys.executable, "-c", "{STEPS_BACK}"], check=True)
print(pathlib.Path("/proc/self/autogroup").read_text())"""


@pytest.mark.skipif(not Path("/proc/self/autogroup").is_file(), reason="this system does not group by session")
def test_where_the_system_weighs_sessions_a_job_steps_back_with_its_own_and_no_other():
    child = processes.start(["-m", "worker.run", "train"])
    try:
        until(lambda: of_the_session(child.pid) == run.BACK["train"])
    finally:
        child.stdin.close()
        child.wait()
    # a session made here: that of the tests themselves may be the machine's first, which is in no group
    told = subprocess.run([sys.executable, "-c", LEADS_A_SESSION], cwd=ROOT, check=True, capture_output=True, text=True,
                          start_new_session=True)
    assert told.stdout.split()[-1] == "0"


def test_where_memory_is_short_none_is_kept_ready(monkeypatch, medml_home):
    with at_work(monkeypatch, warm=False):
        ended(worker.enqueue("steps_quick", {"n": 1}))
        until(lambda: kept_ready(medml_home) == [])  # its own process ends a moment after its job


def test_a_double_click_is_one_job(busy):
    first = worker.enqueue("steps_quick", {"n": 2}, job_id="click-00001")
    assert worker.enqueue("steps_quick", {"n": 2}, job_id="click-00001") == first
    ended(first)
    assert len(worker.jobs()) == 1 and worker.get(first).attempt == 1


def test_trainings_run_one_at_a_time_and_scans_pass_them_by(busy):
    long = worker.enqueue("steps_train", {"n": 1000, "pause": 0.02})
    waits = worker.enqueue("steps_train", {"n": 1})
    running(long)
    assert ended(worker.enqueue("steps_quick", {"n": 2})).state == "done"
    assert worker.get(long).state == "running" and worker.get(waits).state == "queued"
    worker.stop(long)
    assert ended(waits).state == "done"


def test_stop_keeps_what_can_be_kept(busy):
    job = worker.enqueue("steps_train", {"n": 10_000, "pause": 0.02})
    running(job, fraction=0.0001)
    worker.stop(job)
    stopped = ended(job)
    assert stopped.state == "stopped" and 0 < stopped.result["steps"] < 10_000
    until(lambda: not (home.home() / "work" / job).exists())


def test_a_job_that_does_not_hear_is_ended_with_all_that_it_started(busy, tmp_path):
    pid_file = tmp_path / "pid"
    job = worker.enqueue("steps_train", {"n": 100_000, "pause": 0.02, "deaf": True, "child": str(pid_file)})
    running(job, fraction=0.00001)
    until(pid_file.exists)
    until(lambda: pid_file.read_text())
    worker.stop(job)
    assert ended(job).state == "stopped"
    until(lambda: processes.started_at(int(pid_file.read_text())) is None)


def test_a_waiting_job_is_stopped_at_once(busy):
    job = worker.enqueue("steps_quick", {"n": 1}, not_before=time.time() + 1e6)
    worker.stop(job)
    assert worker.get(job).state == "stopped" and worker.get(job).attempt == 0


def test_what_a_person_can_mend_is_told_word_for_word(busy):
    failed = ended(worker.enqueue("steps_quick", {"fault": "user"}))
    assert failed.state == "failed"
    assert failed.error == {"what": "The table is gone.", "fix": "Put it back.", "reference": ""}


def test_a_fault_of_ours_shows_a_reference_and_no_value_anywhere(busy):
    failed = ended(worker.enqueue("steps_quick", {"fault": "ours"}))
    reference = failed.error["reference"]
    assert failed.error["what"] == f"MedML made a mistake; your data is unchanged. Reference {reference}."
    written = b"".join(each.read_bytes() for each in busy.rglob("*") if each.is_file())
    assert reference.encode() in written and b"ValueError at steps.py" in written
    assert b"Jane Roe" not in written


def test_too_little_memory_is_told_as_such(busy):
    assert ended(worker.enqueue("steps_quick", {"fault": "memory"})).error["what"] == \
        "This needed more memory than the machine has free."


def test_a_job_set_for_later_waits_and_starts_when_called(busy):
    job = worker.enqueue("steps_quick", {"n": 1}, not_before=time.time() + 1e6)
    other = worker.enqueue("steps_quick", {"n": 1})
    assert ended(other).state == "done" and worker.get(job).state == "queued"
    worker.run_at(job, time.time() + 1)
    assert ended(job).state == "done"


def test_move_up_lets_a_job_go_first(busy):
    long = worker.enqueue("steps_train", {"n": 10_000, "pause": 0.02})
    running(long, fraction=0.0001)
    second, third = (worker.enqueue("steps_train", {"n": 1}) for _ in range(2))
    worker.move_up(third)
    worker.stop(long)
    assert ended(second).started > ended(third).ended - 0.001


def test_a_job_without_a_message_in_the_queue_is_found(busy, monkeypatch):
    monkeypatch.setattr("worker.queue.nudge", lambda *_: None)
    assert ended(worker.enqueue("steps_quick", {"n": 1})).state == "done"


def test_an_unknown_kind_is_refused(monkeypatch):
    know_the_kinds(monkeypatch)
    with pytest.raises(ValueError, match="worker.jobs has no 'brew'"):
        worker.enqueue("brew", {})
    assert worker.jobs() == []


def test_an_idle_worker_ends_by_itself_and_one_with_an_app_does_not(monkeypatch, medml_home):
    with at_work(monkeypatch, MEDML_IDLE="2"):
        process = worker_process()
        until(lambda: processes.started_at(process.pid) is None)
        until(lambda: of_home(str(medml_home)) == [])


def test_an_app_lets_an_idle_worker_of_older_code_go(monkeypatch, medml_home):
    monkeypatch.setattr(alive, "_look_after", lambda: None)  # a thread for as long as an app lives
    with at_work(monkeypatch):
        old = worker_process()
        (medml_home / "worker.code").write_text("an older version")
        worker.keep_running()
        psutil.wait_procs([old], timeout=30)
        new = worker_process()
        assert new.pid != old.pid and not alive.is_outdated()
        job = worker.enqueue("steps_quick", {"n": 10_000, "pause": 0.02})
        running(job, fraction=0.0001)
        (medml_home / "worker.code").write_text("an older version")
        worker.keep_running()
        assert new.is_running()  # it is at work: not now


def test_the_queue_holds_ids_and_nothing_else(monkeypatch):
    know_the_kinds(monkeypatch)
    worker.enqueue("steps_quick", {"n": 1, "publish": "/tmp/never-in-the-queue"})
    content = b"".join(each.read_bytes() for each in home.home().glob("queue.db*"))
    assert worker.jobs()[0].id.encode() in content and b"never-in-the-queue" not in content
    assert (home.home() / "queue.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("now", "hour", "expected"), [
    ("2026-03-28T21:00", 20, "2026-03-29T20:00"),  # clocks go forward that night in Berlin: 22 hours later
    ("2026-10-24T21:00", 20, "2026-10-25T20:00"),  # and back: 24 hours later
    ("2026-06-01T19:59", 20, "2026-06-01T20:00"),
    ("2026-06-01T20:00", 20, "2026-06-02T20:00"),
])
def test_tonight_is_an_hour_of_the_clock_on_the_wall(monkeypatch, now, hour, expected):
    if not hasattr(time, "tzset"):
        pytest.skip("this system sets no time zone for a process")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        found = worker.tonight(hour, now=datetime.fromisoformat(now).timestamp())
        assert datetime.fromtimestamp(found).isoformat(timespec="minutes") == expected
    finally:
        monkeypatch.undo()
        time.tzset()


def test_finishing_time_follows_what_was_measured():
    done, runs, waits = ("job-0001", "job-0002", "job-0003")
    for each in (done, runs, waits):
        store.submit(each, "train", "train", {})
    token = store.claim("train", "me", 30).token
    assert worker.expected(waits).finish is None  # nothing of its kind was ever done
    store.finish(done, token, "done")
    with store.connect(write=True) as db:
        db.execute("UPDATE jobs SET started = 1000, ended = 1100 WHERE id = ?", [done])
    claimed = store.claim("train", "me", 30)
    store.pulse(runs, claimed.token, store.Progress(0, 0.0, 0, "fit", 0.25, ""))
    with store.connect(write=True) as db:  # a quarter took 50 s
        db.execute("UPDATE jobs SET started = heartbeat - 50 WHERE id = ?", [runs])
    now = time.time()
    assert worker.expected(runs).finish - now == pytest.approx(150, abs=5)
    assert worker.expected(waits).start - now == pytest.approx(150, abs=5)
    assert worker.expected(waits).finish - now == pytest.approx(250, abs=5)


def test_a_worker_that_is_not_needed_and_one_that_is_asked_for_help_say_so_and_end(medml_home):
    def said(*arguments):
        done = subprocess.run([sys.executable, "-m", "worker", *arguments], cwd=ROOT, capture_output=True, text=True,
                              timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    with store.only_one("worker"):
        code, words = said()
    assert code == 0 and "Another worker is at work" in words and str(medml_home) in words
    code, words = said("--help")
    assert code == 0 and "one for each MedML folder" in " ".join(words.split())
    assert said("start")[0] == 2 and not (medml_home / "worker.code").exists()
