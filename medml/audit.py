"""The audit log: who did what to which project, run, job or account, and whether anybody changed the log since.

Every entry carries an HMAC-SHA256 over itself and the one before it, under a key that lies outside of the database
(home()/keys/audit, mode 0600). How many entries there are and the last HMAC, the head, are kept a second time in a file
of its own (`MEDML_AUDIT_HEAD` puts it on another disk), sealed by the same key. So an entry that was changed, taken
out or moved, an end that was cut off, and an older or another database in the place of this one are all found. Who
holds the key and both places can write a log anew: keep the second one where the app's own account may only write.
No entry holds a patient's value, a path or a name that a clinician gave.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ValidationError

from medml import home, room, store
from medml.errors import UserError
from medml.store import audit as table
from medml.store.audit import Entry

WAIT = 30.0  # seconds for another process's entry
FIRST = "0" * 64  # what stands before the first entry
MOST_BREAKS = 50  # remembered in the head

__all__ = ["Entry", "Verdict", "add", "entries", "head_file", "verify"]


class Break(BaseModel):
    """What did not fit when an entry was added; it is remembered in the head for good."""

    time: float
    expected: int  # entries that the head knew of
    found: int  # entries that the database held


class Head(BaseModel):
    """The second place: how many entries, the last one's HMAC, what did not fit before; `seal` over all of that."""

    count: int = 0
    mac: str = FIRST
    breaks: list[Break] = []
    seal: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found: nothing wrong where `faults` is empty."""

    count: int
    faults: tuple[str, ...]

    @property
    def whole(self) -> bool:
        return not self.faults


def head_file() -> Path:
    """Where the head lies: `MEDML_AUDIT_HEAD`, else beside the key."""
    chosen = os.environ.get("MEDML_AUDIT_HEAD")
    return Path(chosen).expanduser() if chosen else home.ensure(home.home() / "keys") / "audit.head"


def add(*, person: str, name: str, act: str, sort: str = "", thing: str = "", outcome: str = "done",
        place: str = "this machine") -> Entry:
    """Write one entry; it is on the disk, and the head with it, when this returns.

    raises  UserError where it cannot be written: what it is about must then not be done either
    """
    def sealed(last: Entry | None, number: int) -> Entry:
        entry = Entry(number=number, time=time.time(), person=person, name=name, act=act, sort=sort, thing=thing,
                      outcome=outcome, place=place)
        return replace(entry, mac=_mac(key, FIRST if last is None else last.mac, entry))

    with _alone():
        began, key = home.has_secret("audit"), home.secret("audit")
        known, new = _head(key), None
        try:
            breaks = _breaks(known, table.mac_of(known.count) if known else None, began=began)
            _, new = table.append(sealed)
        finally:
            if new is None and not began:
                home.drop_secret("audit")  # a key says that there was a log
        _write_head(key, Head(count=new.number, mac=new.mac, breaks=breaks[-MOST_BREAKS:]))
    return new


def _breaks(known: Head | None, mac: str | None, *, began: bool) -> list[Break]:
    """What the head has against the log, before an entry is added to it: evidence is kept, never written over.

    began  whether the key was there: then so was a log, though the table and the head may both be gone
    """
    count = table.count()
    if known is None:
        return [Break(time=time.time(), expected=-1, found=count)] if count or began else []
    fits = known.count == 0 or (mac is not None and hmac.compare_digest(mac, known.mac))
    return known.breaks if fits else [*known.breaks, Break(time=time.time(), expected=known.count, found=count)]


def _mac(key: bytes, before: str, entry: Entry) -> str:
    said = json.dumps([before, *astuple(replace(entry, mac=""))[:-1]], ensure_ascii=True)
    return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()


def _head(key: bytes) -> Head | None:
    """The head, where it is there and nobody but this installation wrote it.

    raises  UserError where this account may not read it: that is no sign of a changed log
    """
    try:
        found = Head.model_validate_json(head_file().read_bytes())
    except PermissionError as refused:
        raise _no_head("read") from refused
    except (OSError, ValidationError):
        return None
    return found if hmac.compare_digest(found.seal, _seal(key, found)) else None


def _seal(key: bytes, head: Head) -> str:
    said = "head" + head.model_copy(update={"seal": ""}).model_dump_json()
    return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()


def _write_head(key: bytes, head: Head) -> None:
    try:
        home.write_model(head_file(), head.model_copy(update={"seal": _seal(key, head)}))
    except OSError as error:
        raise (room.no_room() if room.is_full(error) else _no_head("written")) from error


def _no_head(what: str) -> UserError:
    return UserError(what=f"The second place of the audit log cannot be {what}. Nothing was done.", code="no_head",
                     fix=f"Give the account that MedML runs as the right to read and write {head_file()}.")


@contextlib.contextmanager
def standing_still() -> Iterator[bytes]:
    """Nothing is added inside, so that a copy of the database and of the head fit; yields the head, b"" where there is
    none."""
    with _alone():
        yield head_file().read_bytes() if head_file().is_file() else b""


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    with store.only_one("audit", wait=WAIT) as free:
        if not free:
            raise UserError(what="The audit log has been in use by another program for 30 seconds.", code="locked",
                            fix="Try again in a moment. Nothing was done.")
        yield


def entries(last: int | None = None) -> list[Entry]:
    """Oldest first; all of them, or the last so many."""
    return table.entries(last=last)


def verify() -> Verdict:
    """Go through the whole log and its head. Faults in plain words, with the numbers of entries."""
    with _alone():  # an entry added between reading the log and reading its head would look like an end cut off
        found, began = table.entries(), home.has_secret("audit") or head_file().exists()
        if not (found or began):
            return Verdict(count=0, faults=())
        key = home.secret("audit")
        head = _head(key)
    faults = [*_of_chain(key, found), *_of_head(head, found)]
    if not table.is_guarded():
        faults.append("The database no longer refuses to change or delete an entry: its triggers were taken out "
                      "or changed.")
    return Verdict(count=len(found), faults=tuple(faults))


def _of_chain(key: bytes, found: list[Entry]) -> Iterator[str]:
    before, number = FIRST, 0
    for entry in found:
        if entry.number != number + 1:
            yield f"Entries {number + 1} to {entry.number - 1} are missing."
        elif not hmac.compare_digest(entry.mac, _mac(key, before, entry)):
            yield f"Entry {entry.number} is not as it was written, or stood elsewhere."
        before, number = entry.mac, entry.number


def _of_head(head: Head | None, found: list[Entry]) -> Iterator[str]:
    if head is None:
        yield "The second place that knows how many entries there are is gone or was changed."
        return
    last = found[-1].number if found else 0
    at = {entry.number: entry.mac for entry in found}
    if last < head.count:
        yield f"The end is cut off: {head.count:,} entries were written, {last:,} are there."
    elif head.count and at.get(head.count) != head.mac:
        yield f"Entry {head.count} is not the one that was written: another log stands in its place."
    for each in head.breaks:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(each.time))
        knew = "its second place was gone" if each.expected < 0 else f"{each.expected:,} had been written"
        yield f"On {when} the log held {each.found:,} entries where {knew}."
