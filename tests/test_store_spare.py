"""A process that keeps its connections to the database is told the same as one that opens it each time."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading

import pytest

from medml import audit, store
from medml.errors import UserError
from medml.store import database

pytestmark = pytest.mark.skipif(os.name != "posix", reason="nothing is kept open where an open file stands in the way")


@pytest.fixture(autouse=True)
def kept():
    store.keep(2)
    yield
    store.keep(0)


def submitted(*numbers: int) -> None:
    for each in numbers:
        store.submit(f"job-{each:04d}", "scan", "quick", {}, project="p1")


def numbers() -> list[str]:
    return sorted(each.id for each in store.jobs())


def connection() -> sqlite3.Connection:
    with store.connect() as db:
        return db.conn


def is_closed(found: sqlite3.Connection) -> bool:
    try:
        found.execute("SELECT 1")
    except sqlite3.ProgrammingError:
        return True
    return False


def test_the_next_question_goes_through_the_same_connection():
    submitted(1)
    assert connection() is connection()
    store.keep(0)
    assert connection() is not connection()


def test_no_more_are_kept_than_was_said_and_none_is_lent_twice():
    submitted(1)
    with store.connect() as one, store.connect() as two, store.connect() as three:
        lent = [one.conn, two.conn, three.conn]
        assert len({id(each) for each in lent}) == 3
    assert sorted(map(is_closed, lent)) == [False, False, True]


def test_after_an_error_the_connection_is_closed():
    with pytest.raises(UserError), store.connect(write=True) as db:
        found = db.conn
        raise UserError(what="Something went wrong.", fix="Try again.", code="wrong")
    assert is_closed(found)
    submitted(1)
    assert numbers() == ["job-0001"]


def test_a_copy_put_in_the_files_place_is_read(tmp_path):
    submitted(1)
    store.copy_to(tmp_path / "copy.db")
    submitted(2)
    assert numbers() == ["job-0001", "job-0002"]
    found, file = connection(), store.path()
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink()
    os.replace(tmp_path / "copy.db", file)
    assert numbers() == ["job-0001"]
    assert is_closed(found)


def test_what_is_written_after_the_log_was_deleted_is_read_by_everybody(tmp_path):
    submitted(1)
    file, found = store.path(), connection()
    file.with_name(f"{file.name}-wal").unlink()
    submitted(2)
    assert is_closed(found)
    with store.connect() as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    shutil.copy(file, tmp_path / "read.db")
    found = sqlite3.connect(tmp_path / "read.db").execute("SELECT id FROM jobs").fetchall()
    assert ("job-0002",) in found


def test_a_file_that_is_cut_off_is_found_and_not_read_from_memory():
    submitted(1)
    copies = database.copies_folder()
    copies.mkdir()
    store.copy_to(copies / "medml-20261123T030000.db")
    submitted(2)
    with store.connect() as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    os.truncate(store.path(), 0)
    for _ in range(2):
        with pytest.raises(UserError, match="is damaged"):
            submitted(3)


def test_a_file_that_has_grown_is_the_same_one():
    submitted(1)
    found, size = connection(), store.path().stat().st_size
    with store.connect(write=True) as db:
        db.execute("CREATE TABLE large AS SELECT randomblob(100000) AS content")
    with store.connect() as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert store.path().stat().st_size > size and connection() is found


def test_a_line_of_the_audit_log_makes_no_other_writing_slow():
    audit.add(person="owner", name="owner", act="backup")
    with store.connect() as db:
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 1, "NORMAL, as every connection begins"


def test_another_home_has_a_connection_of_its_own(monkeypatch, tmp_path):
    submitted(1)
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "other"))
    assert numbers() == []
    submitted(2)
    assert numbers() == ["job-0002"]


def test_what_others_wrote_meanwhile_is_seen_at_once():
    submitted(1)
    assert numbers() == ["job-0001"]  # through a connection that is kept from here on
    with sqlite3.connect(store.path(), isolation_level=None) as other:
        other.execute("UPDATE jobs SET state = 'done'")
    assert [each.state for each in store.jobs()] == ["done"]


def test_many_threads_at_once_lose_nothing():
    wrong: list[BaseException] = []

    def work(begin: int) -> None:
        try:
            for each in range(begin, begin + 25):
                submitted(each)
                assert store.get(f"job-{each:04d}").project == "p1"
                assert f"job-{each:04d}" in numbers()
        except BaseException as error:  # noqa: BLE001 - told below, with whatever it is
            wrong.append(error)
    threads = [threading.Thread(target=work, args=(100 * each,)) for each in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not wrong
    assert len(numbers()) == 150
