"""A folder of an older MedML is brought up after a copy of its database was made; a newer one's is refused."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from medml import asking, gallery, project, store, train
from medml.errors import UserError
from medml.store import database

FIRST = Path(__file__).parent / "version_1.sql"
WHOLE = Path(__file__).parent / "older_home.zip"
STEP = "ALTER TABLE jobs ADD COLUMN told TEXT; CREATE INDEX jobs_told ON jobs (told);"


@pytest.fixture
def older(medml_home):
    """A home as the first version laid it, with a job that waits."""
    with closing(sqlite3.connect(medml_home / "medml.db")) as db:
        db.executescript(FIRST.read_text())
        db.execute("INSERT INTO jobs (id, kind, queue, payload, state, made) VALUES ('job-0001', 'scan', 'quick', '{}',"
                   " 'queued', 1.0)")
        db.commit()
    return medml_home


@pytest.fixture
def one_step_more(monkeypatch):
    monkeypatch.setattr(database, "STEPS", [*database.STEPS, STEP])
    return len(database.STEPS)


def copies(home: Path) -> list[Path]:
    return sorted(home.glob("medml.db.version-*"))


def version(file: Path) -> int:
    with closing(sqlite3.connect(file)) as db:
        return db.execute("PRAGMA user_version").fetchone()[0]


def columns(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as db:
        return [name for name, in db.execute("SELECT name FROM pragma_table_info('jobs')")]


def test_the_first_version_is_brought_up_and_its_jobs_wait_still(older):
    assert store.get("job-0001").state == "queued"
    assert store.claim("quick", "me", 30).id == "job-0001"


def test_a_step_is_taken_after_a_copy_was_made(older, one_step_more):
    with database.connect() as db:
        assert db.execute("SELECT id, told FROM jobs").fetchall() == [("job-0001", None)]
    copy, = copies(older)
    assert copy.name.startswith("medml.db.version-1.") and copy.stat().st_mode & 0o077 == 0
    assert version(copy) == 1 and "told" not in columns(copy)
    with database.connect():
        assert copies(older) == [copy]  # once


def test_a_fresh_home_needs_no_copy(medml_home, one_step_more):
    with database.connect():
        assert copies(medml_home) == [] and version(medml_home / "medml.db") == one_step_more


def test_a_step_that_fails_changes_nothing(older, monkeypatch):
    monkeypatch.setattr(database, "STEPS", [*database.STEPS, STEP, "ALTER TABLE absent ADD COLUMN x TEXT"])
    with pytest.raises(sqlite3.OperationalError), database.connect():
        pass
    assert version(older / "medml.db") == 1 and "told" not in columns(older / "medml.db")
    assert copies(older) and not list(older.glob(".*.part"))


def test_two_that_come_at_once_take_the_step_once(older):
    code = f"from medml.store import database; database.STEPS.append({STEP!r})\nwith database.connect(): pass"
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [each.wait(60) for each in both] == [0, 0] and "told" in columns(older / "medml.db")
    assert len(copies(older)) == 1


def test_projects_and_models_of_an_older_version_are_opened_answer_and_go_on(medml_home):
    """A home as commit 26a0160 wrote it: a project on a made-up table, a network trained for two rounds, a job."""
    with zipfile.ZipFile(WHOLE) as archive:
        archive.extractall(medml_home)
    listed, = project.all_projects()
    run, = project.runs_of(listed.id)
    for name in project.FILES:
        assert project.read(listed.id, name) is not None, name
    assert [each.state for each in store.jobs()] == ["stopped"] and version(store.path()) == len(database.STEPS)
    before = gallery.open_run(run)
    answer = asking.patient(run, {"age": 60.0, "pressure": 130.0, "sex": "male", "ward": "north"})
    assert answer["p"] == pytest.approx([0.524813, 0.475187], abs=1e-5)  # as that version said
    train.continue_run(run, 1, source=medml_home / "study")
    after = gallery.open_run(run)
    assert after.checkpoint.rounds == before.checkpoint.rounds + 1 == 3 and len(after.chain.checkpoints) == 2


def test_what_a_newer_version_wrote_is_refused_in_words(medml_home):
    with database.connect(write=True) as db:
        db.execute(f"PRAGMA user_version = {len(database.STEPS) + 1}")
    with pytest.raises(UserError) as refused:
        store.jobs()
    assert refused.value.code == "newer_home" and refused.value.what == "This folder was written by a newer MedML."
