"""The hash of every file of a folder that never changes again, and the comparison when its files are read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from medml import home
from medml.errors import UserError

LIST = "files.json"


def sha256_of(path: Path) -> str:
    """Of a file's content, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sums(folder: Path) -> dict[str, str]:
    """Path below the folder, "/" between folders -> sha256, of every file that is in it now."""
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != LIST}


def seal(folder: Path) -> str:
    """Write the list of a finished folder into it; return the list's own hash, to be kept elsewhere."""
    content = json.dumps(sums(folder), indent=1).encode()
    home.write_bytes(folder / LIST, content)
    return hashlib.sha256(content).hexdigest()


def check(folder: Path, sealed: str, *wanted: str) -> None:
    """Compare files of a sealed folder with its list.

    sealed  what `seal` returned;   wanted  files, or folders with all that is listed in them; none: everything
    raises  FileNotFoundError where a file is gone, UserError(code="damaged") where one bit of one changed
    """
    content = (folder / LIST).read_bytes()
    if hashlib.sha256(content).hexdigest() != sealed:
        raise damaged(LIST)
    compare(folder, json.loads(content), *wanted)


def compare(folder: Path, listed: dict[str, str], *wanted: str) -> None:
    """As `check`, with the list in hand."""
    for each in wanted or ("",):
        mine = [name for name in listed if name == each or name.startswith(f"{each}/") or not each]
        if not mine:
            raise damaged(each)
        for name in mine:
            if not stays_inside(name):
                raise damaged("a name that leads out of the folder")
            if sha256_of(folder / name) != listed[name]:
                raise damaged(name)


def stays_inside(name: str) -> bool:
    """Whether a name in a list means a place in the folder of that list, on any system."""
    parts = name.replace("\\", "/").split("/")
    return all(part not in ("", ".", "..") for part in parts) and ":" not in name and "\0" not in name


def damaged(where: str) -> UserError:
    """The one sentence for a file of a run that cannot be trusted."""
    return UserError(what="This model's file is damaged, so it is not used.", code="damaged", detail=where,
                     fix="Choose another checkpoint, or train again.")
