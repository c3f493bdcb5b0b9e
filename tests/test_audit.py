"""The audit log finds an edit, a deletion, a cut tail, a swapped row, another database, and remembers what it found."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
import threading

import pytest

from medml import audit, home, store
from medml.__main__ import main
from medml.errors import UserError


@pytest.fixture
def log():
    """Six entries, sealed."""
    for number in range(6):
        audit.add(person="p1", name="Ada", act="train", sort="project", thing=f"p{number}")
    assert audit.verify() == audit.Verdict(6, ())


def tamper(*statements: str) -> None:
    """As somebody with the file in hand would: the triggers are taken out first and laid again afterwards."""
    connection = sqlite3.connect(store.path(), isolation_level=None)
    laid = connection.execute("SELECT name, sql FROM sqlite_master WHERE tbl_name = 'audit' AND type = 'trigger'")
    triggers = laid.fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    for statement in (*statements, *(sql for _, sql in triggers)):
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("statement", [
    "UPDATE audit SET name = 'Eve' WHERE number = 3", "DELETE FROM audit WHERE number = 3",
    "INSERT OR REPLACE INTO audit SELECT number, time, person, 'Eve', act, sort, thing, outcome, place, mac FROM audit"
    " WHERE number = 3", "DELETE FROM audit"])
def test_the_database_refuses_to_change_an_entry(log, statement):
    connection = sqlite3.connect(store.path(), isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError, match="only added to"):
        connection.execute(statement)
    connection.close()
    assert audit.verify().whole


@pytest.mark.parametrize(("statement", "said"), [
    ("UPDATE audit SET name = 'Eve' WHERE number = 3", "Entry 3 is not as it was written"),
    ("UPDATE audit SET time = time + 3600 WHERE number = 6", "Entry 6 is not as it was written"),
    ("DELETE FROM audit WHERE number = 3", "Entries 3 to 3 are missing"),
    ("DELETE FROM audit WHERE number > 4", "The end is cut off: 6 entries were written, 4 are there."),
    ("DELETE FROM audit", "The end is cut off: 6 entries were written, 0 are there."),
    ("UPDATE audit SET thing = CASE number WHEN 2 THEN 'p2' WHEN 3 THEN 'p1' ELSE thing END",
     "Entry 2 is not as it was written"),
    ("UPDATE audit SET number = CASE number WHEN 2 THEN 30 ELSE number END", "Entries 2 to 2 are missing"),
    ("INSERT INTO audit SELECT 7, time, person, name, act, sort, thing, outcome, place, mac FROM audit WHERE"
     " number = 6",
     "Entry 7 is not as it was written")])
def test_what_was_done_to_the_log_is_found(log, statement, said):
    tamper(statement)
    assert any(said in each for each in audit.verify().faults)


@pytest.mark.parametrize("instead", [
    "", "CREATE TRIGGER audit_never_changed BEFORE UPDATE ON audit BEGIN SELECT 1; END",
    "CREATE TRIGGER audit_never_changed BEFORE UPDATE ON audit WHEN OLD.number = 0"
    " BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END",
    "CREATE TRIGGER another BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END"])
def test_a_log_without_its_triggers_or_with_others_is_found(log, instead):
    assert audit.verify().whole
    connection = sqlite3.connect(store.path(), isolation_level=None)
    connection.execute("DROP TRIGGER audit_never_changed")
    if instead:
        connection.execute(instead)
    connection.close()
    assert "triggers were taken out or changed" in audit.verify().faults[0]


def replaced_by(copy) -> None:
    for each in store.path().parent.glob("medml.db*"):
        each.unlink()
    if copy is not None:
        shutil.copy(copy, store.path())


@pytest.mark.parametrize("emptied", [True, False])
def test_another_database_in_its_place_is_found_and_not_forgotten(log, tmp_path, emptied):
    store.copy_to(tmp_path / "older.db")
    for number in range(3):
        audit.add(person="p1", name="Ada", act="delete", sort="run", thing=f"r{number}")
    replaced_by(None if emptied else tmp_path / "older.db")
    held = 0 if emptied else 6
    assert f"9 entries were written, {held} are there" in audit.verify().faults[0]
    for _ in range(5):  # until the log is longer than before: what was found is still told
        audit.add(person="p1", name="Eve", act="delete")
    assert any(f"held {held} entries where 9 had been written" in each for each in audit.verify().faults)


def test_a_log_under_another_key_is_found(log):
    (home.home() / "keys" / "audit").write_bytes(b"x" * 32)
    assert len(audit.verify().faults) == 7  # each of six entries, and the head


def test_a_head_that_was_changed_or_is_gone_is_found(log):
    content = audit.head_file().read_text()
    audit.head_file().write_text(content.replace('"count": 6', '"count": 5'))
    assert "second place" in audit.verify().faults[0]
    audit.head_file().unlink()
    assert "second place" in audit.verify().faults[0]
    audit.add(person="p1", name="Ada", act="train")
    assert "its second place was gone" in audit.verify().faults[0]


def test_a_log_that_is_gone_with_its_second_place_is_found_and_not_forgotten(log):
    """Whoever may write to both places, and cannot read the key, would else begin a clean log."""
    replaced_by(None)
    audit.head_file().unlink()
    assert "second place" in audit.verify().faults[0]
    audit.add(person="p1", name="Eve", act="delete")
    assert any("held 0 entries where its second place was gone" in each for each in audit.verify().faults)


def test_a_log_that_was_never_begun_is_whole(medml_home, monkeypatch):
    assert audit.verify().whole and not home.has_secret("audit")
    with monkeypatch.context() as full:
        full.setattr(audit.table, "append", lambda seal: (_ for _ in ()).throw(OSError(28, "full")))
        with pytest.raises(OSError):
            audit.add(person="p1", name="Ada", act="train")
    audit.add(person="p1", name="Ada", act="train")
    assert audit.verify() == audit.Verdict(count=1, faults=())


def test_a_stop_between_the_entry_and_its_head_is_no_fault(log, monkeypatch):
    with monkeypatch.context() as power_cut:
        power_cut.setattr(audit, "_write_head", lambda *given: (_ for _ in ()).throw(OSError("power")))
        with pytest.raises(OSError, match="power"):
            audit.add(person="p1", name="Ada", act="train")
    assert audit.verify() == audit.Verdict(7, ())
    audit.add(person="p1", name="Ada", act="train")
    assert audit.verify() == audit.Verdict(8, ())


def test_the_key_and_the_head_are_the_owners_alone_and_the_head_may_lie_elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDML_AUDIT_HEAD", str(tmp_path / "head"))
    audit.add(person="p1", name="Ada", act="train")
    for each in (home.home() / "keys" / "audit", tmp_path / "head"):
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
    assert audit.verify().whole


def test_an_entry_that_cannot_be_written_is_said(monkeypatch):
    monkeypatch.setattr(audit, "WAIT", 0.05)
    with store.only_one("audit"), pytest.raises(UserError, match="in use by another program"):
        audit.add(person="p1", name="Ada", act="train")
    assert audit.entries() == []


def test_an_entry_that_is_added_while_the_log_is_gone_through_is_no_cut_off_end(log, monkeypatch):
    read = audit.table.entries
    adding = threading.Thread(target=audit.add, kwargs={"person": "p2", "name": "Bea", "act": "train"})

    def read_then_added(**given):
        found = read(**given)
        if adding.ident is None:
            adding.start()
            adding.join(0.5)  # where it may be added meanwhile, it is by now
        return found
    monkeypatch.setattr(audit.table, "entries", read_then_added)
    assert audit.verify() == audit.Verdict(6, ())
    adding.join()
    assert audit.verify() == audit.Verdict(7, ())


def test_two_processes_keep_one_chain(log):
    code = "from medml import audit\nfor n in range(8): audit.add(person='p', name='B', act='train')"
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [each.wait() for each in both] == [0, 0]
    assert audit.verify() == audit.Verdict(22, ())


def test_a_restored_log_is_whole_and_says_that_it_was_restored(log, tmp_path, monkeypatch):
    assert main(["backup", str(tmp_path / "copy.zip")]) == 0
    audit.add(person="p1", name="Ada", act="train")  # since the backup: lost with the disk
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "new"))
    assert main(["restore", str(tmp_path / "copy.zip")]) == 0
    assert audit.verify() == audit.Verdict(8, ())
    assert [each.act for each in audit.entries(2)] == ["backup", "restore"]


def test_a_restore_behind_a_second_place_elsewhere_tells_what_was_lost(log, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDML_AUDIT_HEAD", str(tmp_path / "head"))
    audit.add(person="p1", name="Ada", act="train")
    assert main(["backup", str(tmp_path / "copy.zip")]) == 0
    audit.add(person="p1", name="Ada", act="delete")
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "new"))
    assert main(["restore", str(tmp_path / "copy.zip")]) == 0
    assert any("held 8 entries where 9 had been written" in each for each in audit.verify().faults)
