"""A damaged database is noticed at the start, last night's copy comes back, and it is said. The queue's file is made
anew. A network drive and a disk with little room are refused in words."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

import worker
from medml import copilot, doctor, drive, room, standing, store
from medml.__main__ import main
from medml.errors import UserError
from medml.store import database, whole
from tests.at_work import at_work, ended, know_the_kinds, start_process, until
from worker import alive, processes, queue
from worker.__main__ import Worker

PAGES = Path(worker.__file__).resolve().parents[1] / "pages"
KEPT, NEW = "kept-job-01", "new-job-002"


@pytest.fixture
def copied(medml_home):
    """A database with a copy of last night that holds one job, and with another job since; written through."""
    store.submit(KEPT, "scan", "quick", {"project": "p1"})
    for number in range(40):
        store.submit(f"more-{number:04d}", "train", "train", {"project": "p1", "config": {"notes": "x" * 300}})
    whole.keep_copy()
    store.submit(NEW, "scan", "quick", {"project": "p1"})
    through()
    return medml_home


def through() -> None:
    with database.connect() as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def cut_to(size: int):
    return lambda file: os.truncate(file, size)


def overwrite(file: Path) -> None:
    file.write_bytes(b"This is a letter to the editor.\n" * 500)


def flip(place: int):
    def flipped(file: Path) -> None:
        content = bytearray(file.read_bytes())
        content[place] ^= 0x40
        file.write_bytes(content)
    return flipped


@pytest.mark.parametrize("damage", [cut_to(0), cut_to(100), cut_to(4096), cut_to(10000), overwrite, os.unlink, flip(3),
                                    flip(60), flip(4096), flip(8195)],
                         ids=["nothing left", "100 bytes left", "a page left", "cut off", "no database", "gone",
                              "head", "version", "type of a page", "in a page"])
def test_a_damaged_database_gives_way_to_last_nights_copy(copied, damage, capsys):
    damage(store.path())
    mended = whole.see_to_it()
    assert mended is not None and mended.copied is not None
    assert store.get(KEPT).state == "queued" and NEW not in {each.id for each in store.jobs()}
    assert len(store.jobs()) == 41 and whole.is_whole() and whole.see_to_it() is None
    note, = standing.notes()
    assert "was found damaged, and the copy of" in note.what and "is missing: do it again" in note.fix
    assert (copied / mended.aside).exists() or damage is os.unlink
    assert main(["jobs"]) == 0 and "was found damaged" in capsys.readouterr().err


def test_any_one_byte_that_is_flipped_is_mended_or_does_no_harm(copied):
    sound = store.path().read_bytes()
    seen, found = {each.id for each in store.jobs()}, 0
    for place in range(0, len(sound), 331):
        flip(place)(store.path())
        found += whole.see_to_it() is not None
        jobs = store.jobs()  # can be read, whatever was hit
        assert len(seen) - 1 <= len(jobs) <= len(seen) and all(each.payload for each in jobs)
        for each in (*copied.glob("medml.db*"), *copied.glob("mended.json")):
            each.unlink()
        store.path().write_bytes(sound)
    assert found >= 5


def test_without_a_copy_it_is_begun_anew_and_said(copied):
    for each in database.copies():
        overwrite(each)
    overwrite(store.path())
    assert whole.see_to_it().copied is None and store.jobs() == []
    assert "There was no copy of it, so it was begun anew." in standing.notes()[0].what
    assert sorted(each.suffix for each in database.copies_folder().iterdir()) == [".damaged"]


def test_a_damaged_copy_is_passed_over_for_the_one_before(copied):
    whole.keep_copy(datetime.now() + timedelta(days=1))
    overwrite(database.copies()[0])
    overwrite(store.path())
    assert whole.see_to_it().copied is not None and store.get(KEPT).state == "queued"


def test_what_is_damaged_is_never_laid_anew_before_it_was_looked_at(copied):
    os.truncate(store.path(), 0)
    with pytest.raises(UserError) as refused:
        store.jobs()
    assert refused.value.code == database.DAMAGED and "start it again" in refused.value.fix


def test_a_copy_is_made_once_a_night_and_three_are_kept(medml_home):
    store.submit(KEPT, "scan", "quick", {})
    first = datetime(2026, 11, 20, 22, 0)
    made = [whole.keep_copy(first + timedelta(hours=hours)) for hours in range(0, 6)]
    assert [each is not None for each in made] == [True, False, False, False, False, True]  # at 22:00, then at 3:00
    for days in range(2, 6):
        assert whole.keep_copy(first + timedelta(days=days))
    assert len(database.copies()) == 3
    assert all(each.stat().st_mode & 0o077 == 0 for each in database.copies()) or os.name != "posix"


@pytest.mark.parametrize("refused", [OSError(28, "No space left on device"), UserError(
    what="There is no room left.", fix="Free some.", code="disk_full")])
def test_a_copy_that_finds_no_room_keeps_nobody_from_starting_and_ends_no_worker(monkeypatch, medml_home, refused):
    store.submit(KEPT, "scan", "quick", {})
    tries = []

    def full(file):
        tries.append(file)
        raise refused
    monkeypatch.setattr(database, "copy_to", full)
    assert whole.see_to_it() is None and len(tries) == 1
    at_work_on_it = Worker()
    monkeypatch.setattr(at_work_on_it.attempts.spares, "refill", lambda *queues: None)
    for _ in range(3):
        at_work_on_it._tick([])
    assert len(tries) == 2  # not once a second
    at_work_on_it.awake.keep(False)


def test_what_is_forgotten_goes_from_every_copy_too(copied):
    text = "Is a haemoglobin of 4711 rare?"
    copilot.remember("p1", "scan", text, copilot.Answer(text="- a", tier="adviser"))
    whole.keep_copy(datetime.now() + timedelta(days=1))
    overwrite(store.path())
    whole.see_to_it()
    (copied / "medml.db.version-1.20261122T171830").write_bytes(text.encode())
    files = lambda: [each for each in copied.rglob("*") if each.is_file()]  # noqa: E731
    assert sum(text.encode() in each.read_bytes() for each in files()) >= 3
    copilot.forget("p1")
    assert [each.name for each in files() if text.encode() in each.read_bytes()] == []
    assert len(database.copies()) == 1 and whole.is_whole()


CRASH = """
import os, sys
from medml import store
store.submit("lost-or-kept", "scan", "quick", {})
os._exit(0)
"""


@pytest.mark.parametrize("gone", [("-wal",), ("-shm",), ("-wal", "-shm")])
def test_a_log_that_is_deleted_after_a_crash_leaves_a_whole_database(copied, gone):
    with contextlib.closing(sqlite3.connect(store.path())) as reader:  # whoever leaves last would tidy the log away
        reader.execute("SELECT count(*) FROM jobs").fetchone()
        assert start_process("-c", CRASH).wait(60) == 0
        names = [copied / f"medml.db{suffix}" for suffix in ("", "-wal", "-shm")]
        kept = {each: each.read_bytes() for each in names}
    for each, content in kept.items():
        each.write_bytes(content)
    assert kept[names[1]]
    for suffix in gone:
        (copied / f"medml.db{suffix}").unlink()
    assert whole.see_to_it() is None
    left = {each.id for each in store.jobs()}
    assert {KEPT, NEW} <= left and ("lost-or-kept" in left) == ("-wal" not in gone)
    assert store.submit("next-job-003", "scan", "quick", {})


def test_a_worker_mends_what_it_finds_and_goes_on(monkeypatch, copied):
    know_the_kinds(monkeypatch)
    overwrite(store.path())
    Path(queue.path()).write_bytes(b"no queue either" * 1000)
    with at_work(monkeypatch):
        assert store.get(KEPT)
        assert ended(worker.enqueue("steps_quick", {"n": 1})).state == "done"
    assert whole.note() is not None and whole.is_sound(Path(queue.path()))


def test_a_worker_that_meets_damage_ends_and_the_next_one_mends_it(monkeypatch, medml_home):
    with at_work(monkeypatch):
        job = worker.enqueue("steps_quick", {"n": 1})
        ended(job)
        whole.keep_copy(datetime.now() + timedelta(days=1))
        first = store.processes("worker")[0].pid
        for suffix in ("-wal", "-shm"):
            (medml_home / f"medml.db{suffix}").unlink(missing_ok=True)
        overwrite(store.path())
        until(lambda: not processes.started_at(first))
        alive.see_to_the_database()
        assert worker.ensure_running(wait=60) and store.get(job).state == "done"
        assert ended(worker.enqueue("steps_quick", {"n": 1})).state == "done"


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs"])
def test_a_home_on_a_network_drive_is_refused(monkeypatch, medml_home, kind, capsys):
    mount(monkeypatch, (medml_home.parent, kind, "rw,relatime"), (Path("/"), "ext4", "rw"))
    with pytest.raises(UserError) as refused:
        store.jobs()
    assert refused.value.code == "network_drive" and f"({kind})" in refused.value.what
    assert "Set MEDML_HOME to a folder on a disk of this machine" in refused.value.fix
    assert main(["jobs"]) == 2 and "network drive" in capsys.readouterr().err
    assert not store.path().exists()


def test_a_share_that_windows_calls_remote_is_refused(monkeypatch, medml_home):
    mount(monkeypatch, (medml_home, "NTFS", "rw,remote"))
    assert drive.network_type(medml_home) == "ntfs"


def test_a_disk_mounted_inside_a_network_drive_is_no_network_drive(monkeypatch, medml_home):
    mount(monkeypatch, (medml_home.parent, "nfs", "rw"), (medml_home, "ext4", "rw"))
    assert store.jobs() == []


def mount(monkeypatch, *mounted) -> None:
    drive.refuse_network.cache_clear()
    monkeypatch.setattr(drive, "_mounted", lambda: [
        SimpleNamespace(mountpoint=str(place), fstype=kind, opts=opts) for place, kind, opts in mounted])


def test_with_little_room_no_job_is_taken_and_those_there_go_on(monkeypatch, medml_home):
    know_the_kinds(monkeypatch)
    waits = worker.enqueue("steps_quick", {"n": 1})
    monkeypatch.setattr(room.shutil, "disk_usage", lambda place: SimpleNamespace(free=1.94e9))
    with pytest.raises(UserError) as refused:
        worker.enqueue("steps_quick", {"n": 1})
    assert refused.value.what == "Only 1.9 GB are free on the disk that holds MedML's folder: no new work is taken."
    assert [each.what for each in standing.notes()] == [refused.value.what]
    assert store.claim("quick", "me", 30).id == waits
    monkeypatch.setenv("MEDML_LEAST_FREE_GB", "1.5")
    assert worker.enqueue("steps_quick", {"n": 1}) and standing.notes() == []


@pytest.mark.parametrize("said", ["abc", "", "1,5", "nan", "-1", "inf"])
def test_a_least_room_that_is_no_number_is_told_wherever_work_begins(monkeypatch, said):
    know_the_kinds(monkeypatch)
    monkeypatch.setenv("MEDML_LEAST_FREE_GB", said)
    with pytest.raises(UserError, match="MEDML_LEAST_FREE_GB, .* is set to what is no number of gigabytes"):
        worker.enqueue("steps_quick", {"n": 1})
    assert "Set it to a number such as 2" in standing.notes()[0].fix and store.jobs() == []
    assert [each.light for each in doctor.registry.get("room").run(doctor.Scene("command line"))] == ["red"]


def drawn() -> None:
    from pages import _ui_standing

    _ui_standing.told()


def test_the_screens_say_it_until_it_was_read(copied):
    overwrite(store.path())
    whole.see_to_it()
    shown = AppTest.from_function(drawn, default_timeout=60).run()
    assert "was found damaged, and the copy of" in " ".join(each.body for each in shown.get("html"))
    shown.button(key="m_mended_read").click().run()
    assert not shown.get("html") and not shown.button and whole.note() is None


@pytest.mark.parametrize("screen", ["home", "jobs"])
def test_both_screens_where_work_begins_tell_it(screen):
    assert "    told()" in (PAGES / f"{screen}.py").read_text(encoding="utf-8")
