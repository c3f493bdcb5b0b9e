"""Accounts, their groups and sessions, failed tries, and whom projects and runs belong to.

Passwords and session tokens are kept as hashes alone, names that were typed in vain as a keyed hash. These tables are
laid when they are first needed, so homes made before have them too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from medml.store.database import laid
from medml.store.sql import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS people (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL UNIQUE, role TEXT NOT NULL, password TEXT,
    subject TEXT UNIQUE, made REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS memberships (person TEXT NOT NULL, team TEXT NOT NULL, PRIMARY KEY (person, team))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (
    token TEXT PRIMARY KEY, person TEXT NOT NULL, made REAL NOT NULL, seen REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tries (
    name TEXT PRIMARY KEY, count INTEGER NOT NULL, last REAL NOT NULL, until REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS belongings (
    sort TEXT NOT NULL, id TEXT NOT NULL, person TEXT NOT NULL, team TEXT NOT NULL, PRIMARY KEY (sort, id))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS once (person TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS known (pair TEXT PRIMARY KEY, last REAL NOT NULL) WITHOUT ROWID;
"""
LAST_TABLE = "known"


@dataclass(frozen=True, slots=True)
class Account:
    """One row of people; `password` is an argon2id hash, None for who signs in by the hospital's own service."""

    id: str
    name: str
    role: str
    password: str | None
    subject: str | None  # who this is to the hospital's service
    made: float  # seconds since 1970, UTC
    teams: tuple[str, ...] = ()
    once: float | None = None  # until when the password holds, which must be changed at the next sign-in


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a project or run belongs to: a person, and where `team` is not "" everybody of that group."""

    person: str
    team: str


# ---- people ----------------------------------------------------------------------------------------------------

def accounts() -> list[Account]:
    """Everybody, by name."""
    with laid(SCHEMA, LAST_TABLE) as db:
        return [_account(db, row) for row in db.query("SELECT * FROM people ORDER BY folded")]


def account(*, name: str | None = None, person: str | None = None, subject: str | None = None) -> Account | None:
    """One of them by name (whatever the case), id, or who it is to the hospital's service; None if there is none."""
    asked, value = next((column, value) for column, value in (
        ("folded", None if name is None else name.casefold()), ("id", person), ("subject", subject))
        if value is not None)
    with laid(SCHEMA, LAST_TABLE) as db:
        for row in db.query(f"SELECT * FROM people WHERE {asked} = ?", [value]):
            return _account(db, row)
    return None


def _account(db: Database, row: dict) -> Account:
    teams = db.execute("SELECT team FROM memberships WHERE person = ? ORDER BY team", [row["id"]]).fetchall()
    known = {key: value for key, value in row.items() if key != "folded"}
    until = db.execute("SELECT until FROM once WHERE person = ?", [row["id"]]).fetchone()
    return Account(**known, teams=tuple(team for (team,) in teams), once=until[0] if until else None)


def add(new: Account) -> bool:
    """False where that name is taken."""
    with laid(SCHEMA, LAST_TABLE, write=True) as db:
        made = db.execute("INSERT OR IGNORE INTO people VALUES (?, ?, ?, ?, ?, ?, ?)", [
            new.id, new.name, new.name.casefold(), new.role, new.password, new.subject, new.made]).rowcount == 1
        if made:
            _join(db, new.id, new.teams)
            _once(db, new.id, new.once)
        return made


def change(person: str, *, role: str | None = None, password: str | None = None,
           teams: tuple[str, ...] | None = None, once: float | None = None) -> None:
    """What of an account is given here; every session of that person is ended in the same moment.

    once  with a password: until when it holds, to be changed at the next sign-in
    """
    with laid(SCHEMA, LAST_TABLE, write=True) as db:
        for column, value in (("role", role), ("password", password)):
            if value is not None:
                db.execute(f"UPDATE people SET {column} = ? WHERE id = ?", [value, person])
        if password is not None:
            _once(db, person, once)
        if teams is not None:
            _join(db, person, teams)
        db.execute("DELETE FROM sessions WHERE person = ?", [person])


def rehash(person: str, password: str, *, was: str | None) -> None:
    """The same password, hashed by stronger settings: nobody is signed out. One that was changed meanwhile stays."""
    with laid(SCHEMA, LAST_TABLE, write=True) as db:
        db.execute("UPDATE people SET password = ? WHERE id = ? AND password IS ?", [password, person, was])


def remove(person: str) -> None:
    """The account, its groups and its sessions; what belongs to that person stays and is the administrators' to see."""
    with laid(SCHEMA, LAST_TABLE, write=True) as db:
        for table, column in (("people", "id"), ("memberships", "person"), ("sessions", "person"), ("once", "person")):
            db.execute(f"DELETE FROM {table} WHERE {column} = ?", [person])


def _once(db: Database, person: str, until: float | None) -> None:
    db.execute("DELETE FROM once WHERE person = ?", [person])
    if until is not None:
        db.execute("INSERT INTO once VALUES (?, ?)", [person, until])


def _join(db: Database, person: str, teams: tuple[str, ...]) -> None:
    db.execute("DELETE FROM memberships WHERE person = ?", [person])
    for team in teams:
        db.execute("INSERT OR IGNORE INTO memberships VALUES (?, ?)", [person, team])


# ---- sessions --------------------------------------------------------------------------------------------------

def begin_session(token: str, person: str, *, password: str | None, in_place_of: str | None = None,
                  too_old: float = 0.0) -> bool:
    """Keep the hash of a new token; the one that it takes the place of, and those begun before `too_old`, go.

    returns  False, and nothing is kept, where the account is gone or its password (as a hash) is no longer that one
    """
    with laid(SCHEMA, LAST_TABLE, write=True) as db:
        db.execute("DELETE FROM sessions WHERE token = ? OR made < ?", [in_place_of or "", too_old])
        return db.execute("INSERT INTO sessions SELECT ?, id, ?, ? FROM people WHERE id = ? AND password IS ?",
                          [token, time.time(), time.time(), person, password]).rowcount == 1


def session(token: str) -> tuple[Account, float, float] | None:
    """(whose it is, when it began, when that person last did something) by the hash of its token; None if ended."""
    with laid(SCHEMA, LAST_TABLE) as db:
        found = db.execute("SELECT person, made, seen FROM sessions WHERE token = ?", [token]).fetchone()
        if found is None:
            return None
        for row in db.query("SELECT * FROM people WHERE id = ?", [found[0]]):
            return _account(db, row), found[1], found[2]
    return None


def touch(token: str) -> None:
    """That person has just done something."""
    with laid(SCHEMA, LAST_TABLE, write=True) as db:
        db.execute("UPDATE sessions SET seen = ? WHERE token = ?", [time.time(), token])


def end_session(token: str) -> None:
    with laid(SCHEMA, LAST_TABLE, write=True) as db:
        db.execute("DELETE FROM sessions WHERE token = ?", [token])


def end_all_sessions() -> None:
    """Everybody signs in anew."""
    with laid(SCHEMA, LAST_TABLE, write=True) as db:
        db.execute("DELETE FROM sessions")


# ---- failed tries ----------------------------------------------------------------------------------------------

def tries(name: str) -> tuple[int, float]:
    """(failures in a row, locked until) of the keyed hash of a name."""
    with laid(SCHEMA, LAST_TABLE) as db:
        return db.execute("SELECT count, until FROM tries WHERE name = ?", [name]).fetchone() or (0, 0.0)


def failed(name: str, until: list[float], *, forgotten: float, afresh: float = 0.0) -> None:
    """Count one more failure in a row.

    until      locked until so many seconds from now after the 1st, 2nd ... failure; the last one for all that follow
    forgotten  failures before that time (seconds since 1970) are;   afresh  those of this name are, already
    """
    with laid(SCHEMA, LAST_TABLE, write=True) as db:
        now = time.time()
        db.execute("DELETE FROM tries WHERE last < ? OR name = ? AND last < ?", [forgotten, name, afresh])
        count = db.execute("SELECT coalesce(max(count), 0) + 1 FROM tries WHERE name = ?", [name]).fetchone()[0]
        db.execute("INSERT OR REPLACE INTO tries VALUES (?, ?, ?, ?)",
                   [name, count, now, now + until[min(count, len(until)) - 1]])


def forgive(name: str) -> None:
    with laid(SCHEMA, LAST_TABLE, write=True) as db:
        db.execute("DELETE FROM tries WHERE name = ?", [name])


def came_from(pair: str, *, forgotten: float) -> None:
    """Somebody signed in from a place: `pair` is a keyed hash of both. What was before `forgotten` is let go."""
    with laid(SCHEMA, LAST_TABLE, write=True) as db:
        db.execute("DELETE FROM known WHERE last < ?", [forgotten])
        db.execute("INSERT OR REPLACE INTO known VALUES (?, ?)", [pair, time.time()])


def has_come_from(pair: str) -> bool:
    """Whether that person has signed in from that place lately."""
    with laid(SCHEMA, LAST_TABLE) as db:
        return db.execute("SELECT 1 FROM known WHERE pair = ?", [pair]).fetchone() is not None


# ---- whom things belong to -------------------------------------------------------------------------------------

def give(sort: str, thing: str, owner: Owner) -> None:
    """Let a project or run belong to somebody."""
    with laid(SCHEMA, LAST_TABLE, write=True) as db:
        db.execute("INSERT OR REPLACE INTO belongings VALUES (?, ?, ?, ?)", [sort, thing, owner.person, owner.team])


def owner(sort: str, thing: str) -> Owner | None:
    """Whom it belongs to; None where nobody said."""
    with laid(SCHEMA, LAST_TABLE) as db:
        found = db.execute("SELECT person, team FROM belongings WHERE sort = ? AND id = ?", [sort, thing]).fetchone()
    return None if found is None else Owner(*found)


def owners(sort: str) -> dict[str, Owner]:
    """Of every project ("project") or run ("run")."""
    with laid(SCHEMA, LAST_TABLE) as db:
        found = db.execute("SELECT id, person, team FROM belongings WHERE sort = ?", [sort]).fetchall()
    return {thing: Owner(person, team) for thing, person, team in found}


def disown(sort: str, thing: str) -> None:
    """It is gone."""
    with laid(SCHEMA, LAST_TABLE, write=True) as db:
        db.execute("DELETE FROM belongings WHERE sort = ? AND id = ?", [sort, thing])
