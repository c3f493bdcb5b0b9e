"""The morning report: what ran since the evening, for how long, with which result, what failed and why."""

from __future__ import annotations

import json
import re
from datetime import datetime

import pytest
from streamlit.testing.v1 import AppTest
from tables import trained_once

from medml import clock, night, store
from medml.__main__ import main

WHY = {"what": "The memory was not enough.", "fix": "Close other programs, then start again.", "reference": ""}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    place = tmp_path_factory.mktemp("night")
    with trained_once(place) as run:
        yield run, place / "home"


@pytest.fixture
def ended(trained, monkeypatch):
    """Three trainings and a scan that ended: done, failed, stopped; their times are taken one after another."""
    run, place = trained
    monkeypatch.setenv("MEDML_HOME", str(place))
    with store.database.connect(write=True) as db:
        db.execute("DELETE FROM jobs")
    for name, kind in (("done", "train"), ("failed", "continue"), ("stopped", "train"), ("scanned", "scan")):
        store.submit(f"job-{name}", kind, "train", {"run": "gone"})
        job = store.claim("train", "test", 30.0)
        state = name if name in store.ENDED else "done"
        store.finish(job.id, job.token, state, error=WHY if name == "failed" else None,
                     result={"run": run} if name == "done" else None)
    return run


@pytest.mark.parametrize(("now", "expected"), [
    ("2026-11-22 08:00", "2026-11-21 18:00"), ("2026-11-22 17:59", "2026-11-21 18:00"),
    ("2026-11-22 18:00", "2026-11-22 18:00"), ("2026-01-01 02:00", "2025-12-31 18:00")])
def test_the_evening_is_the_last_time_the_clock_showed_18(now, expected):
    found = clock.evening(datetime.fromisoformat(now).timestamp())
    assert datetime.fromtimestamp(found) == datetime.fromisoformat(expected)


def test_the_time_of_a_training_is_that_of_all_its_attempts(medml_home):
    store.submit("job-0001", "train", "train", {"run": "gone"})
    for number in (1, 2):
        job = store.claim("train", "test", 30.0)
        for fraction in (0.1 * number, 0.1 * number + 0.05):
            store.pulse(job.id, job.token, store.Progress(0, 0.0, 0, "train", fraction, ""))
        if number == 1:
            store.give_back(job.id, job.token)
    store.finish(job.id, job.token, "done")
    with store.connect(write=True) as db:  # an hour of work before it was killed, ten minutes after
        db.execute("UPDATE progress SET time = 1000 + 3600 * seq WHERE attempt = 1")
        db.execute("UPDATE jobs SET started = 9000, ended = 9600")
    assert night.came(store.get("job-0001")).seconds == 3600 + 600


def test_hours_that_a_paused_training_waited_before_it_was_stopped_are_no_work(medml_home):
    store.submit("job-0001", "train", "train", {"run": "gone"})
    job = store.claim("train", "test", 30.0)
    store.ask_pause(job.id)
    store.give_back(job.id, job.token, state="interrupted", counted=False)
    with store.connect(write=True) as db:  # ten minutes of work in the evening
        db.execute("UPDATE jobs SET started = 9000, heartbeat = 9600")
    store.ask_stop(job.id)  # in the morning
    stopped = store.get(job.id)
    assert stopped.state == "stopped" and stopped.ended > 1e9 and night.came(stopped).seconds == 600


def test_what_ran_is_told_with_its_result_and_what_failed_with_its_reason(ended):
    done, failed, stopped = night.since(clock.evening())
    assert re.fullmatch(r"AUROC 0\.\d{3} \(0\.\d{3} to [01]\.\d{3}\)", done.result) and done.why == ""
    assert (failed.result, failed.why) == ("", "The memory was not enough. Close other programs, then start again.")
    assert (stopped.result, stopped.why) == ("", "")
    assert re.fullmatch(r"3 trainings in .+: 1 done, 1 stopped by hand, 1 could not be done\.",
                        night.summed_up([done, failed, stopped]))


def test_what_ended_before_the_evening_is_not_of_this_night(ended):
    assert night.since(done_at := store.get("job-done").ended) and len(night.since(done_at + 1e-6)) < 3
    assert night.summed_up(night.since(done_at + 86_400)) == "No training ended in this time."


def test_the_terminal_tells_the_night(ended, capsys, tmp_path):
    assert main(["jobs", "--night", "--json", str(tmp_path / "night.json")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("3 trainings in ") and "AUROC 0." in said and WHY["what"] in said and "scan" not in said
    assert [each["state"] for each in json.loads((tmp_path / "night.json").read_text())] == ["done", "failed",
                                                                                               "stopped"]


def test_the_jobs_screen_begins_with_the_night(ended):
    def draw():
        import worker
        from pages import _ui_ended as past
        past.ended([each for each in worker.jobs() if each.ended_for_good])

    shown = AppTest.from_function(draw, default_timeout=60).run()
    said = " ".join(each.proto.body for each in shown.get("html"))
    assert "Since " in said and "1 could not be done." in said and "AUROC 0." in said and WHY["what"] in said
    assert "Ended before" not in said
