"""Which folders of the machine may be used, and looking through them: names and counts of files, never contents."""

from __future__ import annotations

import os
from pathlib import Path

import psutil

from medml import drive, home, rights
from medml.errors import UserError
from medml.patience import LOOK, within
from medml.types import Value

MOST_COUNTED = 10_000  # files of one folder; beyond it the browser says "10,000 or more"


class Folder(Value):
    """One line of the folder browser: a name and how many files lie directly inside, never which."""

    name: str
    path: str
    n_files: int
    more: bool = False  # n_files is "or more"
    readable: bool = True


class Listing(Value):
    """One folder in the browser."""

    path: str
    parent: str | None  # None at the top of what is allowed
    n_files: int
    more: bool = False
    folders: list[Folder]


def allowed_roots() -> list[Path]:
    """The folders that projects may lie in: `MEDML_ROOTS` (separated as PATH is), else every drive of the machine.

    "cardiology=/srv/studies/cardiology" there is for people in that group alone, and for administrators.
    """
    chosen = os.environ.get("MEDML_ROOTS")
    if chosen:
        person, named = rights.current(), [_of_group(each.strip()) for each in chosen.split(os.pathsep) if each.strip()]
        return [Path(place).expanduser().resolve() for team, place in named
                if not team or person.sees_all or team in person.teams]
    if os.name == "posix":
        return [Path("/")]
    return [Path(each.mountpoint) for each in psutil.disk_partitions()]


def _of_group(entry: str) -> tuple[str, str]:
    """(group, folder) of one entry; "" for everybody's."""
    team, sign, place = entry.partition("=")
    return (team.strip(), place.strip()) if sign and not set(team) & {"/", "\\"} else ("", entry)


def first_folder() -> Path:
    """Where browsing starts: the person's own folder if it is allowed, else the first root. UserError where a person
    has none."""
    own, roots = Path.home().resolve(), allowed_roots()
    if not roots:
        raise UserError(what="There is no folder that you may use.", code="outside_roots",
                        fix="Ask an administrator to name one for your group (MEDML_ROOTS).")
    return own if allowed(own) else roots[0]


def allowed(place: Path) -> bool:
    """Links are followed before comparing, so none leads out of the roots; where somebody chose roots, MedML's own
    folder with its keys is never among them, but for the example table."""
    real = place.resolve()
    if os.environ.get("MEDML_ROOTS"):
        own = home.home().resolve()
        if _is_in(real, own):
            return _is_in(real, own / "example")
    return any(_is_in(real, root) for root in allowed_roots())


def _is_in(place: Path, root: Path) -> bool:
    return place == root or root in place.parents


def check_source(source: str | Path) -> Path:
    """The absolute path of a folder or file that may be used; UserError says what is wrong with it."""
    text = str(source).strip().strip('"')
    if not text:
        raise UserError(what="No folder or file was given.", fix="Type its path, or browse to it.", code="missing")
    place = within(LOOK, _real, Path(text).expanduser())
    if not allowed(place):
        raise UserError(what=f"“{text}” is outside the folders that MedML may read.", code="outside_roots",
                        fix=f"Choose a folder inside {' or '.join(map(str, allowed_roots()))}." if allowed_roots()
                        else "Ask an administrator to name a folder for your group (MEDML_ROOTS).")
    within(LOOK, _usable, place)
    return place


def _usable(place: Path) -> None:
    existing(place)
    with drive.reading(place):
        is_folder, is_file = place.is_dir(), place.is_file()
    if not (is_folder or is_file):
        raise UserError(what=f"{place} is neither a folder nor a file.", fix="Choose a folder or a file.",
                        code="not_a_file")
    if not os.access(place, os.R_OK | (os.X_OK if is_folder else 0)):
        raise _no_right(place)


def existing(source: str | Path) -> Path:
    """A folder or file as an absolute path, wherever it lies. UserError where there is nothing, or its drive is lost.
    """
    place = Path(source).expanduser()
    with drive.reading(place):
        if not _is_there(place):
            raise UserError(what=f"There is no folder or file {source}.", code="missing",
                            fix="Check the spelling, and that the drive is connected.")
    return place.resolve()


def _is_there(place: Path) -> bool:
    """`Path.exists`, which raises for a folder that may not be looked into, a name that is too long, a lost share."""
    try:
        return place.exists()
    except PermissionError as refused:
        raise _no_right(place) from refused
    except OSError as error:
        if drive.is_lost(error):
            raise
        raise _leads_nowhere() from error


def _no_right(place: Path) -> UserError:
    return UserError(what=f"You have no right to read {place}.", code="no_permission",
                     fix="Ask its owner for the right to read it, or copy it to a folder of yours.")


def _leads_nowhere() -> UserError:
    return UserError(what="This path leads nowhere.", fix="Check the spelling, or browse to the folder.",
                     code="missing")


def _real(place: Path) -> Path:
    try:
        return place.resolve()
    except (OSError, RuntimeError, ValueError) as loop:  # a link that leads to itself, a zero byte in the name
        raise _leads_nowhere() from loop


def browse(folder: str | Path | None = None) -> Listing:
    """Sub-folders of a folder with their counts of files. UserError as `check_source`; hidden folders are left out."""
    place = check_source(folder if folder is not None else first_folder())
    if place.is_file():
        place = place.parent
    n_files, more, inside = within(LOOK, _counted, place)
    shown = sorted((each for each in inside if not each.startswith(".")), key=str.casefold)
    return Listing(path=str(place), parent=str(place.parent) if _has_parent(place) else None, n_files=n_files,
                   more=more, folders=within(LOOK, _lines, [place / each for each in shown if allowed(place / each)]))


def _has_parent(place: Path) -> bool:
    return place.parent != place and allowed(place.parent)


def _lines(places: list[Path]) -> list[Folder]:
    return [_line(each) for each in places]


def _line(place: Path) -> Folder:
    try:
        n_files, more, _ = _count(place)
    except OSError:
        return Folder(name=place.name, path=str(place), n_files=0, readable=False)
    return Folder(name=place.name, path=str(place), n_files=n_files, more=more)


def _counted(place: Path) -> tuple[int, bool, list[str]]:
    with drive.reading(place):
        return _count(place)


def _count(place: Path) -> tuple[int, bool, list[str]]:
    """(files, whether there are more, names of folders); stops at MOST_COUNTED entries."""
    n_files, folders = 0, []
    with os.scandir(place) as entries:
        for seen, entry in enumerate(entries):
            if seen == MOST_COUNTED:
                return n_files, True, folders
            if entry.is_dir():
                folders.append(entry.name)
            elif not entry.name.startswith("."):
                n_files += 1
    return n_files, False, folders
