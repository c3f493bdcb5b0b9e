"""What a machine without accounts makes for the ward is seen by whom its project belongs to, and by nobody else."""

from __future__ import annotations

import pytest

from medml import home, project, rights
from medml.rights import Person

ADA = Person("a1", "Ada", "clinician", ("cardiology",), "10.0.0.1")
BEA = Person("a2", "Bea", "clinician", ("surgery",), "10.0.0.2")


@pytest.fixture
def as_who(monkeypatch):
    """Who acts in the app from here on."""
    return lambda person: monkeypatch.setattr(rights, "_who", lambda: person)


@pytest.fixture
def mine(as_who, tmp_path):
    """A project of Ada's with a run."""
    table = tmp_path / "t.csv"
    table.write_text("a,b\n1,2\n")
    as_who(ADA)
    made = project.create(table)
    make("r1", made.id)
    return made


def make(run: str, of: str) -> None:
    home.ensure(home.runs_folder() / run)
    project.add_run(of, run)


def test_what_another_machine_made_is_seen_by_whom_its_project_belongs_to(as_who, mine, monkeypatch, tmp_path):
    """Machines that share a queue share the folder too, and not the accounts: those are of the one with the app."""
    with monkeypatch.context() as there:
        there.setattr(rights, "_who", None)
        there.setenv("MEDML_STATE", str(tmp_path / "there"))
        make("r2", mine.id)
        make("r3", mine.id)
    assert not rights.sees("run", "r2")
    monkeypatch.setenv("MEDML_QUEUE", "redis://127.0.0.1:1/0")  # who sees what is not asked of it
    assert rights.sees("run", "r2") and rights.seen("run")("r3")
    home.ensure(home.runs_folder() / "r4")  # of no project
    assert not rights.sees("run", "r4")
    as_who(BEA)
    assert not rights.sees("run", "r2") and not rights.seen("run")("r3")


def test_it_is_seen_in_a_list_before_anybody_has_opened_it(as_who, mine, monkeypatch):
    rights.disown("run", "r1")
    assert not rights.seen("run")("r1")
    monkeypatch.setenv("MEDML_QUEUE", "redis://127.0.0.1:1/0")
    assert rights.seen("run")("r1")


def test_a_run_that_was_deleted_is_given_to_nobody(mine, monkeypatch):
    monkeypatch.setenv("MEDML_QUEUE", "redis://127.0.0.1:1/0")
    rights.disown("run", "r1")
    (home.runs_folder() / "r1").rmdir()
    assert not rights.sees("run", "r1")
