"""What a person did about each check of a run: open, asked, done, with a note. Kept beside the run, in worked.json."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from medml import gallery, home
from medml.types import Report, Value

FILE = "worked.json"
State = Literal["open", "asked", "done"]
STATES: dict[State, str] = {"open": "To do", "asked": "Asked somebody", "done": "Done"}
LONGEST = 2_000  # characters of a note
ASKING = ("block", "warn", "could_not_tell")  # verdicts that give somebody something to do


class Item(Value):
    """state, note, and when it was written (ISO, UTC; "" never);   what  the sentence of the check at that time."""

    state: State = "open"
    note: str = Field("", max_length=LONGEST)
    when: str = ""
    what: str = ""


class Worklist(Value):
    version: Literal[1] = 1
    items: dict[str, Item] = {}


def read(folder: Path) -> Worklist:
    """The list of the run in that folder; an empty one where nobody wrote anything, or the file is damaged."""
    try:
        return home.read_model(folder / FILE, Worklist)
    except (FileNotFoundError, ValidationError):
        return Worklist()


def write(run: str, check: str, state: State, note: str) -> Worklist:
    """Note what was done about one check of a run; other checks stay as they are.

    raises  UserError if the run is gone; ValueError for a check that its report does not have
    """
    opened = gallery.open_run(run)
    found = next((each for each in opened.report.checks if each.id == check), None)
    if found is None:
        raise ValueError(f"run {run} has no check {check!r}")
    item = Item(state=state, note=note.strip()[:LONGEST], what=found.what,
                when=datetime.now(UTC).isoformat(timespec="seconds"))
    with gallery.changing(run) as folder:
        worked = read(folder)
        worked = worked.model_copy(update={"items": worked.items | {check: item}})
        home.write_model(folder / FILE, worked)
    return worked


def state_of(worked: Worklist, check: str, what: str) -> State:
    """How far a check is. What it says has changed since (more rounds, another look): it is open again."""
    item = worked.items.get(check)
    return "open" if item is None or item.what != what else item.state


def left(report: Report, worked: Worklist) -> int:
    """Checks that ask for something and are not done."""
    return sum(each.verdict in ASKING and state_of(worked, each.id, each.what) != "done" for each in report.checks)
