"""What the co-pilot keeps: questions and answers of a project, changes that were accepted, and passages to look up.

These tables are laid when they are first needed, so homes made before have them too. What is deleted is overwritten.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from medml.store import whole
from medml.store.database import connect, laid
from medml.store.sql import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS copilot_turns (
    owner TEXT NOT NULL, number INTEGER NOT NULL, time REAL NOT NULL, stage TEXT NOT NULL, question TEXT NOT NULL,
    answer TEXT NOT NULL, PRIMARY KEY (owner, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS copilot_changes (
    owner TEXT NOT NULL, time REAL NOT NULL, change TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS copilot_shelves (shelf TEXT PRIMARY KEY, content TEXT NOT NULL, time REAL NOT NULL);
CREATE VIRTUAL TABLE IF NOT EXISTS copilot_passages USING fts5(
    title, text, shelf UNINDEXED, kind UNINDEXED, source UNINDEXED, place UNINDEXED,
    tokenize = 'porter unicode61 remove_diacritics 2');
CREATE TABLE IF NOT EXISTS copilot_vectors (passage INTEGER PRIMARY KEY, model TEXT NOT NULL, vector BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and the answer as JSON."""

    number: int
    time: float  # seconds since 1970, UTC
    stage: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Row:
    """One passage of a shelf; rank is better the lower it is (BM25), 0 where nothing was searched."""

    id: int
    kind: str
    title: str
    text: str
    source: str
    place: str
    rank: float = 0.0


@contextlib.contextmanager
def _laid(*, write: bool = False) -> Iterator[Database]:
    with laid(SCHEMA, "copilot_vectors", write=write) as db:
        if write:
            db.execute("PRAGMA secure_delete = ON")
        yield db


# ---- questions and answers -------------------------------------------------------------------------------------

def add_turn(owner: str, stage: str, question: str, answer: str) -> int:
    """Keep one question of a project or run with its answer; its number."""
    with _laid(write=True) as db:
        number = db.execute("SELECT coalesce(max(number), 0) + 1 FROM copilot_turns WHERE owner = ?",
                            [owner]).fetchone()[0]
        db.execute("INSERT INTO copilot_turns VALUES (?, ?, ?, ?, ?, ?)",
                   [owner, number, time.time(), stage, question, answer])
    return number


def turns(owner: str, last: int = 100) -> list[Turn]:
    """The last so many, oldest first."""
    with _laid() as db:
        found = db.query("SELECT number, time, stage, question, answer FROM copilot_turns WHERE owner = ? "
                         "ORDER BY number DESC LIMIT ?", [owner, last])
        return [Turn(**row) for row in found][::-1]


def forget_turns(owner: str) -> int:
    """Delete every question and answer of a project or run, from the file too; how many there were."""
    with _laid(write=True) as db:
        gone = db.execute("DELETE FROM copilot_turns WHERE owner = ?", [owner]).rowcount
    _write_through()
    return gone


def add_change(owner: str, change: str) -> None:
    with _laid(write=True) as db:
        db.execute("INSERT INTO copilot_changes VALUES (?, ?, ?)", [owner, time.time(), change])


def changes(owner: str) -> list[tuple[float, str]]:
    """(when, JSON) of every change that was accepted, oldest first."""
    with _laid() as db:
        rows = db.execute("SELECT time, change FROM copilot_changes WHERE owner = ? ORDER BY time", [owner])
        return [(when, change) for when, change in rows.fetchall()]


def forget_owner(owner: str) -> None:
    """Everything of a project or run that is deleted."""
    forget_turns(owner)
    with _laid(write=True) as db:
        db.execute("DELETE FROM copilot_changes WHERE owner = ?", [owner])


# ---- passages --------------------------------------------------------------------------------------------------

def shelf(name: str) -> tuple[str, float] | None:
    """(what it was made of, when) of a shelf; None where it is empty."""
    with _laid() as db:
        return db.execute("SELECT content, time FROM copilot_shelves WHERE shelf = ?", [name]).fetchone()


def fill_shelf(name: str, content: str, passages: Iterable[tuple[str, str, str, str, str]]) -> None:
    """Put passages (kind, title, text, source, place) in the place of what the shelf held."""
    with _laid(write=True) as db:
        _empty(db, name)
        for kind, title, text, source, place in passages:
            db.execute("INSERT INTO copilot_passages (title, text, shelf, kind, source, place) "
                       "VALUES (?, ?, ?, ?, ?, ?)", [title, text, name, kind, source, place])
        db.execute("INSERT OR REPLACE INTO copilot_shelves VALUES (?, ?, ?)", [name, content, time.time()])


def describe_shelf(name: str, content: str) -> None:
    """Write anew what a shelf was made of; its passages stay."""
    with _laid(write=True) as db:
        db.execute("UPDATE copilot_shelves SET content = ? WHERE shelf = ?", [content, name])


def clear_shelf(name: str) -> None:
    """Delete a shelf with its text, from the file too."""
    with _laid(write=True) as db:
        _empty(db, name)
        db.execute("DELETE FROM copilot_shelves WHERE shelf = ?", [name])
        db.execute("INSERT INTO copilot_passages(copilot_passages) VALUES ('optimize')")
    _write_through()


def _empty(db: Database, name: str) -> None:
    db.execute("DELETE FROM copilot_vectors WHERE passage IN (SELECT rowid FROM copilot_passages WHERE shelf = ?)",
               [name])
    db.execute("DELETE FROM copilot_passages WHERE shelf = ?", [name])


def search(words: list[str], most: int) -> list[Row]:
    """Passages that hold any of these words, the best first (BM25, a word in the title counts four times)."""
    if not words:
        return []
    match = " OR ".join('"' + word.replace('"', "") + '"' for word in words)
    with _laid() as db:
        found = db.query("SELECT rowid AS id, kind, title, text, source, place, "
                         "bm25(copilot_passages, 4.0, 1.0) AS rank FROM copilot_passages "
                         "WHERE copilot_passages MATCH ? ORDER BY rank LIMIT ?", [match, most])
        return [Row(**row) for row in found]


def passages(name: str) -> list[Row]:
    """Everything on a shelf."""
    with _laid() as db:
        return [Row(**row) for row in db.query("SELECT rowid AS id, kind, title, text, source, place FROM "
                                               "copilot_passages WHERE shelf = ? ORDER BY rowid", [name])]


def keep_vectors(model: str, vectors: Iterable[tuple[int, bytes]]) -> None:
    """Keep an embedding (float32, little-endian) of each passage."""
    with _laid(write=True) as db:
        for passage, vector in vectors:
            db.execute("INSERT OR REPLACE INTO copilot_vectors VALUES (?, ?, ?)", [passage, model, vector])


def vectors(name: str) -> list[tuple[int, str, bytes]]:
    """(passage, model, embedding) of a shelf."""
    with _laid() as db:
        return db.execute("SELECT passage, model, vector FROM copilot_vectors WHERE passage IN "
                          "(SELECT rowid FROM copilot_passages WHERE shelf = ?)", [name]).fetchall()


def _write_through() -> None:
    """Bring what was overwritten from the log into the file, and into its copies, so that the old text is nowhere."""
    with connect() as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    whole.forget_copies()
