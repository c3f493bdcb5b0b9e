"""A paused job gives its memory back, and what goes on after is number for number what would have been."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from tables import clinic, planned, saved

import worker
from medml import gallery, store
from medml.__main__ import main
from medml.errors import Paused, UserError
from medml.train import train
from medml.types import SplitPlan
from medml.watch import Silent
from tests.at_work import at_work, ended, know_the_kinds, running, until
from worker import attempt, processes, run
from worker.jobs import registry
from worker.watch import JobWatch

ROUND_9 = store.Progress(0, 0.0, 1, "train", 0.5, "Round 9", {"points": [{"round": 9, "fold": 0}]})
ROUTER = Path(__file__).resolve().parents[1] / "pages" / "_router.py"
TWO = SplitPlan(by="row", scheme="cross_validation", folds=2, repeats=1)


class PausedAt(Silent):
    """A Watch that pauses at the nth safe point of an attempt."""

    def __init__(self, nth: int) -> None:
        self.left = nth

    def safe_point(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Paused


@pytest.mark.parametrize(("family", "params", "pauses"), [
    ("mlp", {"epochs": 4}, (4, 9)), ("forest", {"trees": 40}, (4,)), ("logistic", {}, (3, 1))])
def test_a_training_paused_again_and_again_is_the_run_that_never_paused(tmp_path, family, params, pauses):
    source = saved(clinic(100), tmp_path)
    plan = planned(source, family=family, params=params, split=TWO)
    whole = gallery.open_run(train(source, *plan))
    for nth in pauses:
        with pytest.raises(Paused):
            train(source, *plan, watch=PausedAt(nth), job="job-a")
        assert [each.run for each in gallery.runs()] == [whole.run]
    resumed = gallery.open_run(train(source, *plan, job="job-a"))
    assert resumed.report.metrics == whole.report.metrics
    assert [each.model_dump(exclude={"seconds"}) for each in resumed.history] == \
        [each.model_dump(exclude={"seconds"}) for each in whole.history]
    for kept, was in zip(*(sorted(each.sealed("final").rglob("*.safetensors")) for each in (resumed, whole)),
                         strict=True):
        assert kept.read_bytes() == was.read_bytes()


def test_a_paused_job_ends_its_process_and_goes_on_from_where_it_was(monkeypatch, tmp_path):
    with at_work(monkeypatch):
        job = worker.enqueue("steps_train", {"n": 100, "pause": 0.02, "publish": str(tmp_path / "out")})
        pid = running(job, fraction=0.1).pid
        worker.pause(job)
        until(lambda: worker.get(job).is_paused)
        until(lambda: processes.started_at(pid) is None)
        halted = worker.get(job)
        assert halted.state == "interrupted" and halted.fruitless == 0 and 0.1 <= halted.fraction < 1
        assert worker.progress_since(job)[-1].message == "Paused; all of it is kept"
        other = worker.enqueue("steps_train", {"n": 1})
        assert ended(other).state == "done" and worker.get(job).attempt == 1  # the next one passes it by
        worker.go_on(job)
        done = ended(job)
    assert done.state == "done" and done.attempt == 2 and (tmp_path / "out").read_text() == "100\n"
    assert [each.round for row in worker.progress_since(job) for each in row.points] == list(range(1, 101))


def claimed(kind: str = "train", **payload) -> store.Job:
    store.submit("job-0001", kind, "train", payload)
    return store.claim("train", "me", 30)


def test_a_waiting_job_that_is_paused_does_not_start_until_it_may_go_on():
    store.submit("job-0001", "train", "train", {})
    worker.pause("job-0001")
    assert store.due("train") == 0 and store.claim("train", "me", 30) is None and store.get("job-0001").is_paused
    worker.go_on("job-0001")
    assert store.due("train") == 1 and store.claim("train", "me", 30).id == "job-0001"


def test_a_pause_taken_back_before_it_was_heard_changes_nothing():
    job = claimed()
    worker.pause(job.id)
    watch = JobWatch(job.id, job.token, lost=lambda: None)
    try:
        until(lambda: watch._pause is not None)
        with pytest.raises(Paused):
            watch.safe_point()
        worker.go_on(job.id)
        until(lambda: watch._pause is None)
        watch.safe_point()
    finally:
        watch.close()
    assert store.get(job.id).state == "running"


def test_a_stop_goes_before_a_pause():
    job = claimed()
    worker.pause(job.id)
    store.ask_stop(job.id)
    assert store.pulse(job.id, job.token) == "stop"
    worker.go_on(job.id)
    store.give_back(job.id, job.token)
    assert store.get(job.id).state == "stopped"


def test_a_paused_job_is_stopped_at_once():
    job = claimed()
    worker.pause(job.id)
    attempt.settle(job, "exited", run.PAUSED)
    assert store.get(job.id).is_paused and not store.get(job.id).fruitless
    worker.stop(job.id)
    assert store.get(job.id).state == "stopped" and not store.get(job.id).is_paused


def test_work_that_hears_no_pause_is_ended_and_goes_on_from_its_last_checkpoint(monkeypatch):
    monkeypatch.setattr(attempt, "RESTING", 3.0)
    job = claimed()
    worker.pause(job.id)
    overseer = attempt.Overseer(job, pid=1)
    endings = {overseer.look() for _ in range(int(attempt.RESTING / attempt.LOOK) + 2 * attempt.EACH)
               if store.pulse(job.id, job.token)}
    assert endings == {None, "paused"}
    attempt.settle(job, "paused", -9)
    assert store.get(job.id).is_paused


def test_what_cannot_go_on_is_not_paused_while_it_runs():
    store.submit("job-0001", "scan", "quick", {})
    store.claim("quick", "me", 30)
    with pytest.raises(UserError, match="cannot be paused while it runs"):
        worker.pause("job-0001")
    assert main(["pause", "job-0001"]) == 2 and store.get("job-0001").paused is None


def test_who_may_not_pause_a_job_is_told_nothing_of_it(monkeypatch):
    store.submit("job-0001", "scan", "quick", {})
    store.claim("quick", "me", 30)

    def refused(act, job):
        raise UserError(what="You may not.", fix="Ask.", code="no_right")
    monkeypatch.setattr(worker.rights, "require_of_job", refused)
    with pytest.raises(UserError, match="You may not"):
        worker.pause("job-0001")


def test_a_job_is_paused_and_let_go_on_from_a_terminal(capsys):
    store.submit("job-0001", "train", "train", {})
    assert main(["resume", "job-0001"]) == 0 and "was not paused" in capsys.readouterr().out
    assert main(["pause", "job-00"]) == 0 and "does not start until" in capsys.readouterr().out
    assert main(["pause", "job-00"]) == 0 and "paused already" in capsys.readouterr().out
    assert main(["jobs"]) == 0 and "paused" in capsys.readouterr().out
    assert main(["resume", "job-0001"]) == 0 and "waits for its turn" in capsys.readouterr().out
    store.claim("train", "me", 30)
    assert main(["pause", "job-0001"]) == 0 and "at its next checkpoint" in capsys.readouterr().out


def test_a_waiting_job_is_moved_up_from_a_terminal(capsys):
    for name in ("job-0001", "job-0002", "job-0003"):
        store.submit(name, "train", "train", {}, not_before=time.time() + 3600 if name == "job-0003" else 0.0)
    assert main(["move-up", "job-0002"]) == 0 and capsys.readouterr().out == "It goes before the others.\n"
    assert [each.id for each in store.jobs()][:2] == ["job-0002", "job-0001"]
    assert main(["move-up", "job-0003"]) == 0 and "once its pause or its hour is over" in capsys.readouterr().out
    assert store.claim("train", "me", 30).id == "job-0002"
    assert main(["move-up", "job-0002"]) == 0 and "runs already" in capsys.readouterr().out
    worker.stop("job-0001")
    assert main(["move-up", "job-0001"]) == 0 and "has ended already" in capsys.readouterr().out
    assert main(["move-up", "job-9"]) == 2


def test_kinds_that_go_on_are_the_trainings_that_a_terminal_pauses(monkeypatch):
    from medml.ahead import TRAININGS

    know_the_kinds(monkeypatch)
    assert {each.name for each in registry if each.resumes} - {"steps_train"} == set(TRAININGS)


def test_the_screen_shows_pause_and_then_go_on():
    def draw():
        from medml import store
        from pages import _ui_jobs

        job = store.get("job-0001")
        _ui_jobs.st.html(_ui_jobs.bar(job))
        _ui_jobs.pause_button(job)

    store.submit("job-0001", "train", "train", {})
    shown = AppTest.from_function(draw).run()
    shown.button[0].click().run()
    assert store.get("job-0001").is_paused and "Paused until you let it go on" in shown.get("html")[0].body
    assert [each.label for each in shown.button] == ["Go on"]
    shown.button[0].click().run()
    assert not store.get("job-0001").is_paused and [each.label for each in shown.button] == ["Pause"]


def test_after_a_stop_the_screen_says_what_is_left_and_offers_to_put_it_off():
    from pages._ui_bar import words_of

    def draw():
        from medml import store
        from pages import _ui_jobs

        _ui_jobs.pause_button(store.get("job-0001"))

    store.submit("job-0001", "train", "train", {})
    job = store.claim("train", "me", 30)
    store.ask_stop(job.id)
    shown = AppTest.from_function(draw).run()
    assert shown.button[0].label == "Pause" and shown.button[0].disabled
    assert words_of(store.get(job.id)) == "Stopping at the next safe point"
    store.pulse(job.id, job.token, store.Progress(1, 0.0, 1, "evaluate", 0.95, "Measuring", {}))
    assert words_of(store.get(job.id)) == "Learning has ended; what is kept is measured"
    shown.run()
    assert shown.button[0].label == "Measure later" and not shown.button[0].disabled
    shown.button[0].click().run()
    assert words_of(store.get(job.id)) == "Putting the measuring off"
    assert store.pulse(job.id, job.token) == "later"
    store.submit("job-0002", "without", "train", {})
    other = store.claim("train", "me", 30)
    store.ask_stop(other.id)
    store.pulse(other.id, other.token, store.Progress(1, 0.0, 1, "evaluate", 0.95, "Comparing", {}))
    assert words_of(store.get(other.id)) == "Stopping at the next safe point"  # of this nothing is kept


def test_a_stop_while_it_waits_promises_nothing_that_it_does_not_keep():
    from pages._ui_jobs import while_it_waits

    store.submit("job-0001", "train", "train", {})
    assert while_it_waits(store.get("job-0001")).kept == ""
    job = store.claim("train", "me", 30)
    assert while_it_waits(store.get("job-0001")) is None
    worker.pause(job.id)
    attempt.settle(job, "exited", run.PAUSED)
    assert while_it_waits(store.get("job-0001")).kept.startswith("If you stop it now, nothing of it is kept")


def learned_and_paused() -> store.Job:
    """A training of a network that learned a round and rests."""
    job = claimed(config={"family": "mlp"})
    store.pulse(job.id, job.token, ROUND_9)
    worker.pause(job.id)
    attempt.settle(job, "exited", run.PAUSED)
    return store.get(job.id)


def test_a_terminal_stops_a_paused_training_that_has_learned_and_says_what_comes_of_it(capsys):
    job = learned_and_paused()
    assert main(["stop", job.id]) == 0 and store.get(job.id).is_finishing
    said = capsys.readouterr().out
    assert "learns nothing further" in said and "judged and saved" in said and "medml pause job-0001" in said
    assert main(["jobs"]) == 0 and "stopping" in capsys.readouterr().out
    assert main(["pause", job.id]) == 0 and store.get(job.id).is_paused and store.get(job.id).stop is None


def test_the_jobs_page_stops_a_paused_training_and_says_before_and_after_what_comes_of_it():
    from pages._ui_bar import words_of
    from pages._ui_jobs import while_it_waits
    from pages._ui_live import what_a_stop_keeps

    job = learned_and_paused()
    page = AppTest.from_file(str(ROUTER), default_timeout=60).run().switch_page("jobs.py").run()
    stop = page.button(key=f"m_stop_{job.id}")
    on_its_own_page = while_it_waits(job, what_a_stop_keeps("train", "epoch"))
    assert (on_its_own_page.label, on_its_own_page.kept) == ("Stop and keep the best", stop.help)
    assert "learns nothing further" in stop.help and "measured and kept" in stop.help
    stop.click().run()
    assert words_of(store.get(job.id)) == "Stopped; what it has learned is measured once it is its turn"
    assert page.button(key=f"m_stop_{job.id}").disabled and not page.button(key=f"m_pause_{job.id}").disabled
    taken = store.claim("train", "me", 30)
    assert words_of(store.get(taken.id)) == "Stopped; what it has learned is taken up to be measured"
    store.pulse(taken.id, taken.token, store.Progress(1, 0.0, 2, "evaluate", 0.95, "Measuring", {}))
    assert words_of(store.get(taken.id)) == "Learning has ended; what is kept is measured"


def test_what_was_stopped_while_it_was_paused_waits_for_the_quiet_hours_to_end_and_keeps_the_machine_awake():
    from worker import awake

    job = learned_and_paused()
    assert not awake.wanted(False, time.time())
    worker.stop(job.id)
    assert store.claim("train", "me", 30, longest=300.0) is None
    assert awake.wanted(False, time.time()) and store.claim("train", "me", 30).is_finishing


def test_what_is_taken_up_to_be_judged_is_given_time_to_read_its_table(monkeypatch):
    monkeypatch.setattr(attempt, "FINISHING", 10.0)
    monkeypatch.setattr(attempt, "SAVING", 3.0)
    worker.stop(learned_and_paused().id)
    job = store.claim("train", "me", 30)
    overseer = attempt.Overseer(job, pid=1)

    def looked(seconds: float) -> set:
        return {overseer.look() for _ in range(int(seconds / attempt.LOOK))
                if store.pulse(job.id, job.token, heard=True)}
    assert looked(9.0) == {None} and "stopped" in looked(2.0)
    attempt.settle(job, "stopped", -9)
    assert store.get(job.id).is_paused and store.get(job.id).message == attempt.CUT_SHORT


@pytest.mark.parametrize(("ending", "code"), [("memory", -9), ("exited", run.SHORT)])
def test_what_was_learned_before_a_stop_is_not_lost_where_the_memory_runs_out_as_it_is_judged(ending, code):
    worker.stop(learned_and_paused().id)
    attempt.settle(store.claim("train", "me", 30), ending, code)
    assert store.get("job-0001").is_paused


def test_a_paused_job_keeps_no_machine_awake():
    from worker import awake

    store.submit("job-0001", "train", "train", {})
    assert awake.wanted(False, time.time())
    worker.pause("job-0001")
    assert not awake.wanted(False, time.time())
    assert np.isfinite(store.get("job-0001").paused)


@pytest.mark.parametrize(("ending", "code"), [("closing", None), ("exited", -9), ("exited", run.NO_ROOM),
                                              ("silent", -9), ("stopped", -9)])
def test_what_was_learned_before_a_stop_is_not_lost_where_the_machine_goes_down_before_it_is_saved(ending, code):
    job = claimed(config={"family": "mlp"})
    store.pulse(job.id, job.token, ROUND_9)
    worker.stop(job.id)
    attempt.settle(job, ending, code)
    left = store.get(job.id)
    assert left.is_paused and left.stop is None and left.message == attempt.CUT_SHORT
    worker.go_on(job.id)
    assert store.claim("train", "me", 30).id == job.id


@pytest.mark.parametrize(("family", "points"), [("mlp", 0), ("logistic", 1)])
def test_a_stop_before_anything_was_learned_that_could_be_kept_ends_the_job(family, points):
    job = claimed(config={"family": family})
    store.pulse(job.id, job.token, store.Progress(0, 0.0, 1, "train", 0.1, "Fold 1", {
        "points": [{"round": 1, "fold": 0}] * points}))
    worker.stop(job.id)
    attempt.settle(job, "closing", None)
    assert store.get(job.id).state == "stopped"


def test_the_next_worker_too_keeps_what_was_learned_before_a_stop(monkeypatch):
    from worker.__main__ import Worker

    job = claimed(config={"family": "mlp"})
    store.pulse(job.id, job.token, ROUND_9)
    worker.stop(job.id)
    Worker().reap()  # the one before was killed with its child
    assert store.get(job.id).is_paused
