"""Quiet hours by the clock on the wall, what runs in them, and what will be ready by the morning."""

from __future__ import annotations

import html
import json
import time
from datetime import datetime

import pytest
from streamlit.testing.v1 import AppTest

import worker
from medml import ahead, doctor, home, morning, quiet, store
from medml.__main__ import main
from medml.commands import enqueue
from medml.errors import UserError
from tests.at_work import at_work, ended, know_the_kinds, running, until
from worker import rest

DAY, NIGHT = quiet.Hours(start=480, end=1080), quiet.Hours(start=1320, end=420)


@pytest.fixture
def berlin(monkeypatch):
    """This process in a time zone with summer time."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system sets no time zone for a process")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def clock_at(monkeypatch, text: str) -> float:
    """Let this process's clock stand still at a moment."""
    moment = at(text)
    monkeypatch.setattr(time, "time", lambda: moment)
    return moment


def submit(name: str, seconds: float | None, **more) -> str:
    payload = {} if seconds is None else {"seconds": seconds}
    store.submit(name, "train", "train", payload, **more)
    return name


# ---- by the clock on the wall --------------------------------------------------------------------------------------

@pytest.mark.parametrize(("text", "day", "night"), [
    ("2026-11-23T07:59", False, False), ("2026-11-23T08:00", True, False), ("2026-11-23T17:59", True, False),
    ("2026-11-23T18:00", False, False), ("2026-11-23T22:00", False, True), ("2026-11-24T06:59", False, True),
    ("2026-11-24T07:00", False, False)])
def test_quiet_hours_are_hours_of_the_wall_and_may_go_over_midnight(text, day, night):
    assert (quiet.is_quiet(DAY, at(text)), quiet.is_quiet(NIGHT, at(text))) == (day, night)
    assert not quiet.is_quiet(None, at(text))


@pytest.mark.parametrize(("start", "seconds", "done"), [
    ("2026-11-23T06:00", 3600, "2026-11-23T07:00"), ("2026-11-23T06:00", 10_800, "2026-11-23T19:00"),
    ("2026-11-23T12:00", 3600, "2026-11-23T19:00"), ("2026-11-23T12:00", 100, "2026-11-23T12:01:40"),
    ("2026-11-23T18:00", 15 * 3600, "2026-11-24T19:00"),
    ("2026-03-28T18:00", 14 * 3600, "2026-03-29T19:00"),  # that night has 13 hours from 18 to 08
    ("2026-10-24T18:00", 15 * 3600, "2026-10-25T08:00")])  # and this one 15
def test_work_rests_in_every_quiet_hour_on_its_way(berlin, start, seconds, done):
    assert quiet.finished(DAY, at(start), seconds) == at(done)


def test_the_beginning_and_end_keep_their_hour_through_summer_time(berlin):
    assert quiet.ends(DAY, at("2026-03-28T19:00")) == at("2026-03-29T18:00")
    assert quiet.begins(DAY, at("2026-10-24T19:00")) - at("2026-10-24T19:00") == 14 * 3600


@pytest.mark.parametrize(("now", "wanted"), [
    ("00:10", "00:30"), ("00:40", "01:30"), ("01:10", "01:30"),  # 02:10, 02:40 and 02:10 again; UTC
    ("01:40", "25:30")])
def test_an_hour_that_comes_twice_is_waited_for_until_the_clock_next_shows_it(berlin, now, wanted):
    midnight = at("2026-10-25T00:00+00:00")
    minutes = [60 * int(each[:2]) + int(each[3:]) for each in (now, wanted)]
    moment, then = (midnight + 60 * each for each in minutes)
    assert enqueue.when("02:30", now=moment) == then
    assert quiet.ends(quiet.Hours(start=60, end=150), moment) == then


@pytest.mark.parametrize("text", ["", "8", "25:00-18:00", "08:00-08:00", "08:00", "from eight", "08:00-18:00 daily"])
def test_what_are_no_hours_is_refused_and_nothing_changes(text, capsys):
    quiet.keep(DAY)
    with pytest.raises(UserError, match="two different hours"):
        quiet.parsed(text)
    assert quiet.hours() == DAY


def test_quiet_hours_are_set_and_taken_away_from_a_terminal(capsys):
    assert main(["jobs", "--quiet", "8:00-18:00"]) == 0 and quiet.hours() == DAY
    assert capsys.readouterr().out == \
        "From 08:00 to 18:00 trainings foreseen to take more than 5 minutes rest; they go on after.\n"
    assert main(["jobs", "--quiet", "off"]) == 0 and quiet.hours() is None
    assert main(["jobs", "--quiet", "noon"]) == 2 and "08:00-18:00" in capsys.readouterr().err


def test_quiet_hours_that_can_no_longer_be_read_are_told_and_work_goes_on(capsys):
    def draw():
        from pages import _ui_quiet
        _ui_quiet.card()

    (home.home() / quiet.FILE).write_text('{"start": 5, "end": 5}')
    assert quiet.hours() is None and quiet.longest() is None
    said = "Quiet hours were set, but quiet_hours.json in MedML's folder is damaged: trainings run at any time."
    assert main(["jobs"]) == 0 and said in capsys.readouterr().out
    finding, = doctor.registry.get("quiet_hours").run(doctor.Scene("command line"))
    assert finding.light == "red" and "run at any time" in finding.what
    shown = AppTest.from_function(draw, default_timeout=60).run()
    assert said in html.unescape(" ".join(each.body for each in shown.get("html")))
    next(each for each in shown.button if each.label == "No quiet hours").click().run()
    assert not quiet.damaged() and not (home.home() / quiet.FILE).exists()


# ---- what runs in them ---------------------------------------------------------------------------------------------

def test_only_small_trainings_start_in_quiet_hours_and_quick_jobs_always(monkeypatch):
    quiet.keep(DAY)
    large, unknown, small = submit("job-large", 7200), submit("job-unknown", None), submit("job-small", 120)
    store.submit("job-scan", "scan", "quick", {})
    clock_at(monkeypatch, "2030-11-25T12:00")
    assert rest.longest("train") == quiet.SMALL and rest.longest("quick") is None
    assert store.due("train", rest.longest("train")) == 1
    assert store.claim("train", "me", 30, rest.longest("train")).id == small
    assert store.claim("train", "me", 30, rest.longest("train")) is None
    assert store.claim("quick", "me", 30, rest.longest("quick")).id == "job-scan"
    assert worker.rests(store.get(large)) and worker.rests(store.get(unknown))
    clock_at(monkeypatch, "2030-11-25T18:00")
    assert store.claim("train", "me", 30, rest.longest("train")).id == large and not worker.rests(store.get(unknown))


@pytest.mark.parametrize(("seconds", "fraction", "asked"), [(7200, 0.1, True), (120, 0.1, False), (7200, 0.99, False),
                                                            (None, 0.0, True)])
def test_large_trainings_with_long_to_go_are_asked_to_give_way(monkeypatch, seconds, fraction, asked):
    moment = clock_at(monkeypatch, "2030-11-25T07:00")
    job = store.get(submit("job-0001", seconds))
    job = store.claim("train", "me", 30)
    quiet.keep(DAY)
    monkeypatch.setattr(time, "time", lambda: moment + 3600)
    store.pulse(job.id, job.token, store.Progress(0, 0.0, 0, "train", fraction, ""))
    rest.give_way({"another job"})
    assert store.get(job.id).resting is None
    rest.give_way({job.id})
    assert (store.get(job.id).resting is not None) is asked
    assert store.pulse(job.id, job.token) == ("pause" if asked else "go")


def test_a_large_training_rests_when_quiet_hours_begin_and_goes_on_after(monkeypatch):
    with at_work(monkeypatch):
        job = worker.enqueue("steps_train", {"n": 40_000, "pause": 0.02, "seconds": 7200})
        running(job, fraction=0.0001)
        quiet.keep(quiet.Hours(start=0, end=1439))
        until(lambda: worker.get(job).state == "interrupted")
        before = worker.get(job).fraction
        small = worker.enqueue("steps_train", {"n": 1, "seconds": 2})
        assert ended(small).state == "done" and worker.get(job).state == "interrupted"
        quiet.keep(None)
        assert running(job, fraction=before).attempt == 2
        worker.stop(job)
        done = ended(job)
    rounds = [each.round for row in worker.progress_since(job) for each in row.points]
    assert rounds == list(range(1, done.result["steps"] + 1)) and done.fruitless == 0


# ---- ready by the morning ------------------------------------------------------------------------------------------

def test_ready_by_seven_counts_what_is_ahead_the_quiet_hours_and_the_spread_of_earlier_trainings(monkeypatch):
    clock_at(monkeypatch, "2030-11-25T17:00")
    quiet.keep(DAY)
    for number, hours in enumerate((2, 4, 6)):
        submit(f"job-{number:04d}", hours * 3600)
    found = {each.job.id: (each.verdict, datetime.fromtimestamp(each.expected.finish).strftime("%d %H:%M"))
             for each in morning.ready()}
    assert found == {"job-0000": ("ready", "25 20:00"), "job-0001": ("ready", "26 00:00"),
                     "job-0002": ("perhaps", "26 06:00")}
    by = morning.coming()
    assert datetime.fromtimestamp(by).hour == 7 and morning.summed_up(morning.ready(), by) == \
        "By 07:00, of 3 trainings: 2 will be ready, 1 perhaps."
    assert morning.in_words(morning.ready()[0].verdict, morning.ready()[0].expected, by) == \
        "Ready by 07:00 (between 19:00 and 22:00)"


def test_what_cannot_be_told_is_said_so():
    submit("job-0001", None)
    submit("job-0002", 100)
    assert [each.verdict for each in morning.ready()] == ["could not tell"] * 2
    store.ask_pause("job-0001")
    assert {each.job.id: each.verdict for each in morning.ready()} == {"job-0001": "paused", "job-0002": "ready"}
    assert morning.in_words("could not tell", ahead.Expected(None, None), morning.coming()) == \
        "Could not tell whether it will be ready by 07:00"


def test_the_interval_is_that_of_earlier_trainings_once_there_are_enough():
    for number, ratio in enumerate((0.8, 0.9, 1.0, 1.2, 1.5)):
        name = submit(f"done-{number:04d}", 100)
        job = store.claim("train", "me", 30)
        store.finish(name, job.token, "done")
        with store.connect(write=True) as db:
            db.execute("UPDATE jobs SET started = 1000, ended = ? WHERE id = ?", [1000 + 100 * ratio, name])
    now = time.time()
    found = worker.if_queued(1000)
    assert found.finish - now == pytest.approx(1000, abs=5)
    assert found.earliest - now == pytest.approx(840, abs=5)  # 10th percentile of the five, by hand: 0.84
    assert found.latest - now == pytest.approx(1380, abs=5)  # 90th: 1.38


def test_a_training_that_is_not_queued_yet_stands_behind_all_that_wait():
    submit("job-0001", 1000)
    now = time.time()
    assert worker.if_queued(500).finish - now == pytest.approx(1500, abs=5)
    assert worker.if_queued(500, now + 7200).finish - now == pytest.approx(7700, abs=5)
    assert worker.if_queued(None).finish is None and [each.id for each in worker.jobs()] == ["job-0001"]


def test_small_trainings_pass_by_large_ones_in_quiet_hours(monkeypatch):
    now = clock_at(monkeypatch, "2030-11-25T12:00")
    quiet.keep(DAY)
    submit("job-large", 7200)
    submit("job-small", 60)
    assert worker.expected("job-small").start == now
    assert datetime.fromtimestamp(worker.expected("job-large").start).hour == 18


def test_what_was_stopped_and_is_only_to_be_judged_is_not_foreseen_at_its_full_length(monkeypatch):
    """How long its judging takes is not known: soon done at best, no longer than all of it at worst."""
    now, hour = clock_at(monkeypatch, "2026-11-24T22:00"), 3600
    submit("job-0001", 20 * hour)
    submit("job-0002", 2 * hour)
    job = store.claim("train", "me", 30)
    store.ask_pause(job.id)
    store.give_back(job.id, job.token, state="interrupted", counted=False)
    store.ask_stop(job.id, keep=True)
    for _ in ("waiting", "running"):
        judged, behind = morning.ready()
        assert judged.job.is_finishing and (judged.verdict, behind.verdict) == ("perhaps", "perhaps")
        assert judged.expected.earliest < now + hour and judged.expected.finish < now + 2 * hour
        assert judged.expected.latest == now + 2 * 20 * hour  # as anything while nothing tells how good forecasts are
        assert behind.expected.finish - judged.expected.finish == pytest.approx(2 * hour)
        store.put_first(job.id)
        store.claim("train", "me", 30)


def test_a_terminal_says_what_the_morning_brings(capsys, tmp_path):
    quiet.keep(DAY)
    submit("job-0001", 60)
    submit("job-0002", None)
    assert main(["jobs", "--json", str(tmp_path / "jobs.json")]) == 0
    out = capsys.readouterr().out
    assert "job-0001      Ready by 07:00 (between" in out.replace("job-0001  R", "job-0001      R")
    assert "of 2 trainings: 1 will be ready, 1 could not be told." in out and "From 08:00 to 18:00" in out
    told = {each["id"]: each for each in json.loads((tmp_path / "jobs.json").read_text())}
    assert told["job-0001"]["by_morning"] == "ready" and told["job-0002"]["expected"]["finish"] is None


def test_the_screen_sets_quiet_hours_and_says_what_the_morning_brings():
    def draw():
        from pages import _ui_morning, _ui_quiet

        _ui_morning.before_queueing(60.0, 0.0)
        _ui_quiet.card()

    shown = AppTest.from_function(draw, default_timeout=60).run()
    words = " ".join(each.body for each in shown.get("html"))
    assert "Started now: ready by 07:00 (between" in words and "No quiet hours are set" in words
    next(each for each in shown.button if each.label == "Keep these hours").click().run()
    assert quiet.hours() == DAY
    next(each for each in shown.button if each.label == "No quiet hours").click().run()
    assert quiet.hours() is None and not shown.exception


def test_a_waiting_training_says_on_its_line_that_it_rests(monkeypatch):
    from pages._ui_bar import words_of

    know_the_kinds(monkeypatch)
    quiet.keep(quiet.Hours(start=0, end=1439))
    assert words_of(store.get(submit("job-0001", 7200))) == "Resting in the quiet hours; goes on by itself"


def test_how_long_work_took_is_known_as_soon_as_one_more_is_done(monkeypatch, tmp_path):
    def done(name: str, seconds: float) -> None:
        store.submit(name, "train", "train", {"seconds": 10.0})
        claimed = store.claim("train", "me", 30)
        with store.connect(write=True) as db:
            db.execute("UPDATE jobs SET started = started - ? WHERE id = ?", [seconds, name])
        store.finish(name, claimed.token, "done", result={"run": "r"})

    done("job-0001", 20)
    first = store.took("train", 9)
    assert [(each.kind, each.attempt, round(each.seconds), each.foreseen) for each in first] == [("train", 1, 20, 10.0)]
    assert store.took("train", 9) is first and store.took("quick", 9) == ()
    done("job-0002", 40)
    assert [round(each.seconds) for each in store.took("train", 9)] == [40, 20]
    assert [round(each.seconds) for each in store.took("train", 1)] == [40]
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "another"))
    assert store.took("train", 9) == ()


def test_whoever_is_due_goes_before_who_comes_first_and_is_put_off(medml_home):
    now = time.time()
    for name, after in (("job-late", 3600.0), ("job-soon", 0.0), ("job-noon", 1800.0)):
        store.submit(name, "train", "train", {"seconds": 1000.0}, not_before=now + after if after else 0.0)
    starts = {name: each.start - now for name, each in ahead.all_of("train").items()}
    assert starts == {"job-soon": pytest.approx(0, abs=5), "job-noon": pytest.approx(1800, abs=5),
                      "job-late": pytest.approx(3600, abs=5)}
