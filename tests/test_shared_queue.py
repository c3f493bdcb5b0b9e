"""A shared queue is refused where it is set up wrongly, carries no code, and holds back a result that is nobody's."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace

import pytest

from medml import egress, home, logs, publish, store
from medml.errors import UserError
from medml.store import link, machine
from medml.watch import Silent
from tests import redis_server
from worker import leases, queue
from worker.watch import JobWatch

pytestmark = pytest.mark.machine


@pytest.fixture(scope="module")
def server():
    with redis_server.serving() as made:
        yield made


@pytest.fixture
def shared(server, monkeypatch, tmp_path):
    server.empty()
    monkeypatch.setenv("MEDML_QUEUE", server.url)
    monkeypatch.setenv("MEDML_STATE", str(tmp_path / "state"))
    return server


@pytest.mark.parametrize(("address", "code"), [
    ("redis://queue.ward.example:6379/0", "not_allowed"), ("http://127.0.0.1/", "no_address"), ("6379", "no_address"),
    ("redis://127.0.0.1:port/0", "no_address"), ("redis://127.0.0.1:70000/0", "no_address"),
    ("redis://127.0.0.1:6379/0", "no_state")])
def test_a_queue_that_nobody_allowed_or_that_is_none_is_refused_before_anything_is_sent(monkeypatch, address, code):
    monkeypatch.setenv("MEDML_QUEUE", address)
    before = egress.count()
    with pytest.raises(UserError) as refused:
        store.jobs()
    assert refused.value.code == code and egress.count() == before


def test_an_address_that_an_administrator_listed_may_be_used(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDML_QUEUE", "rediss://medml:secret@queue.ward.example/3")
    monkeypatch.setenv("MEDML_ALLOW_HOSTS", "queue.ward.example")
    monkeypatch.setenv("MEDML_STATE", str(tmp_path))
    store.check_shared()
    assert link.address() == "queue.ward.example:6379/3"  # no name, no password


def test_a_password_comes_from_a_file_and_stands_in_no_error_and_no_log(monkeypatch, tmp_path):
    with redis_server.serving("--requirepass", "open-sesame-77") as server:
        secret, wrong = tmp_path / "secret", tmp_path / "wrong"
        secret.write_text("open-sesame-77\n")
        wrong.write_text("open-sesame-88\n")
        monkeypatch.setenv("MEDML_QUEUE", server.url)
        monkeypatch.setenv("MEDML_STATE", str(tmp_path / "state"))
        log = logs.set_up("worker")
        monkeypatch.setenv("MEDML_QUEUE_PASSWORD_FILE", str(secret))
        assert store.jobs() == []
        monkeypatch.setenv("MEDML_QUEUE_PASSWORD_FILE", str(wrong))
        with pytest.raises(UserError) as refused:
            store.jobs()
        assert "does not know our password" in refused.value.what
        monkeypatch.setenv("MEDML_QUEUE_PASSWORD_FILE", str(tmp_path / "none"))
        with pytest.raises(UserError, match="file with the password of the shared queue cannot be read"):
            store.jobs()
        assert "sesame" not in refused.value.what + refused.value.fix + log.read_text()


def test_a_message_in_the_queue_is_a_list_of_words_and_no_pickle(shared):
    queue.nudge("job-0001", "quick")
    (message,) = queue.queue("quick").storage.enqueued_items()
    assert json.loads(message)[2:] == ["job-0001"]
    assert queue.queue("quick").dequeue().args == ("job-0001",)


def test_what_a_stale_attempt_would_publish_stops_at_the_fence(shared):
    store.submit("job-0001", "scan", "quick", {})
    stale = store.claim("quick", "one", 30)
    store.give_back("job-0001", stale.token)
    lost = threading.Event()
    watch = JobWatch("job-0001", stale.token, lost.set)
    watch.fence()
    assert lost.is_set()
    watch.close()


class Lost(Silent):
    def fence(self) -> None:
        raise InterruptedError  # as the end of the process is, for what comes after


def test_a_stale_attempt_does_not_clear_away_what_the_other_is_making(medml_home):
    config = SimpleNamespace(family="mlp")
    making = medml_home / "runs" / f".{home.run_name('job-0001', config.family)}.aaaa.part"
    link = medml_home / "runs" / "a" / "checkpoints" / ".job-0001.aaaa.part"
    for each in (making, link):
        each.mkdir(parents=True)
    with pytest.raises(InterruptedError), publish.begun("job-0001", None, None, config, None, Lost()):
        pass
    with pytest.raises(InterruptedError):
        publish.new_checkpoint(SimpleNamespace(folder=medml_home / "runs" / "a"), watch=Lost(), ground=None, folds=[],
                               final=None, report=None, keys={}, history=[], job="job-0001")
    assert making.is_dir() and link.is_dir()


def test_of_two_attempts_that_reach_the_end_the_first_is_kept(medml_home):
    first, second = ((medml_home / each) for each in (".run.1.part", ".run.2.part"))
    for each in (first, second):
        each.mkdir()
        (each / "manifest.json").write_text(each.name)
        publish._appear(each, medml_home / "run")
    assert (medml_home / "run" / "manifest.json").read_text() == ".run.1.part"


def test_a_lock_for_all_machines_is_held_by_one(shared):
    with store.only_one("runs", everywhere=True) as free, store.only_one("runs", everywhere=True) as again:
        assert free is True and again is False
    with store.only_one("runs", everywhere=True) as free:
        assert free is True


def test_two_machines_of_one_name_are_not_taken_for_one_another(shared, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDML_MACHINE", "ward pc/1")
    here = f"17-3.00@{store.mark()}"
    assert machine.machine_of(here) == "wardpc1" and store.is_here(here)
    store.be_at_work()
    monkeypatch.setenv("MEDML_STATE", str(tmp_path / "another"))
    assert not store.is_here(here)
    assert [(each.name, each.is_here) for each in store.machines()] == [("wardpc1", False)]


def test_a_lease_runs_out_by_beats_and_the_queues_clock_not_while_nobody_listened(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(store, "clock", lambda: now[0])
    monkeypatch.setattr(store, "is_here", lambda owner: False)

    def look(after: float, beat: int) -> bool:
        now[0] += after
        job = SimpleNamespace(id="job-0001", token=1, beat=beat, owner="x", lease=30.0, heartbeat=2.0, started=1.0)
        return bool(seen.left([job]))

    seen = leases.Leases()
    assert not look(0, 1) and not any(look(9, 1) for _ in range(3))
    assert not look(1, 2)  # it beats
    assert [look(9, 2) for _ in range(4)] == [False, False, False, True]
    assert not look(3600, 2)  # this machine slept, or the queue was away: the count begins anew
    assert [look(9, 2) for _ in range(4)] == [False, False, False, True]
    assert not look(-7200, 2)  # the clock was set back


def test_a_queue_that_forgets_is_named(shared):
    assert store.troubles() == ["The shared queue forgets its jobs when it is restarted: set “appendonly yes” in its "
                                "settings."]


def test_machines_of_two_versions_do_not_share_a_queue(shared):
    store.submit("job-0001", "scan", "quick", {})
    with link.speaking() as redis:
        redis.incr("medml:version")
    with pytest.raises(UserError, match="used by a newer MedML"):
        store.jobs()
