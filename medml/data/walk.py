"""Find the files of a folder: nothing is followed out of it, nothing special is opened, nothing stops the walk."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from medml.types import FileEntry

_NAMES = frozenset({".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", ".gitignore", ".gitattributes", "icon\r",
                    ".gitkeep", ".localized", ".directory"})
_FOLDERS = frozenset({"__macosx", "$recycle.bin", "system volume information", "__pycache__", "node_modules",
                      ".ipynb_checkpoints"})
_NOT_OPENED = {
    "ignored": ("ignore", "temporary_file", "A file of the system or of a program, not data."),
    "link": ("skip", "link", "This is a link to another place, not a file; it was not followed."),
    "special": ("skip", "special_file", "This is a pipe, socket or device, not a file; it was not opened."),
    "unreadable": ("skip", "no_permission", "You have no permission to read this."),
    "odd_name": ("skip", "odd_name", "The name of this file holds letters that no text can show. Rename it."),
}
_ENDINGS = (".tmp", ".part", ".crdownload", ".swp", ".lock", ".bak~", "~")


@dataclass(frozen=True, slots=True)
class Found:
    """One thing in the folder. `what` is file, ignored, link, special, unreadable or odd_name."""

    path: str  # relative to the source, "/" between folders; with odd letters replaced for odd_name
    full: Path
    what: str
    bytes: int = 0


def is_ignored(name: str) -> bool:
    """Whether a name is that of a system's or program's own file: .DS_Store, ~$x.xlsx, x.tmp ..."""
    low = name.lower()
    return (low in _NAMES or low.endswith(_ENDINGS) or low.endswith(".ds_store") or low.startswith(("~$", "._", ".~"))
            or (low.startswith(".") and low.count(".") == 1))


def not_opened(found: Found) -> FileEntry:
    """The entry of anything that is no regular file with a good name."""
    action, code, message = _NOT_OPENED[found.what]
    return FileEntry(path=found.path, kind=found.what, action=action, reason_code=code, message=message,
                     bytes=found.bytes)


def walk(source: Path) -> Iterator[Found]:
    """Every file under a folder in the order of names (folder by folder), or the one file itself.

    Links are listed, never followed (neither loops nor ways out exist then); hidden folders are left out whole.
    """
    if not source.is_dir():
        yield _one(source.name, source, os.lstat(source).st_mode, os.lstat(source).st_size)
        return
    waiting = [("", source)]
    while waiting:
        prefix, folder = waiting.pop()
        try:
            with os.scandir(folder) as entries:
                inside = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            yield Found(_shown(prefix.rstrip("/")) or ".", folder, "unreadable")
            continue
        folders = []
        for entry in inside:
            found = _look(entry, prefix)
            if found is None:
                folders.append((f"{prefix}{entry.name}/", Path(entry.path)))
            else:
                yield found
        waiting += reversed(folders)


def _look(entry: os.DirEntry[str], prefix: str) -> Found | None:
    """What an entry is; None for a folder to walk into."""
    path, full = f"{prefix}{entry.name}", Path(entry.path)
    try:
        about = entry.stat(follow_symlinks=False)
    except OSError:
        return Found(_shown(path), full, "unreadable")
    if stat.S_ISDIR(about.st_mode) and not getattr(entry, "is_junction", lambda: False)():
        hidden = entry.name.startswith(".") or entry.name.lower() in _FOLDERS
        return Found(_shown(path), full, "ignored") if hidden else None
    return _one(path, full, about.st_mode, about.st_size)


def _one(path: str, full: Path, mode: int, size: int) -> Found:
    if is_ignored(full.name):
        return Found(_shown(path), full, "ignored", size)
    if stat.S_ISLNK(mode):
        return Found(_shown(path), full, "link")
    if not stat.S_ISREG(mode):
        return Found(_shown(path), full, "special")
    if _shown(path) != path:
        return Found(_shown(path), full, "odd_name", size)
    return Found(path, full, "file", size)


def _shown(path: str) -> str:
    """A path that can be stored as UTF-8: bytes that are no letters become question marks."""
    return path.encode("utf-8", "replace").decode()
