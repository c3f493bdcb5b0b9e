"""All of MedML's own folder in one file, and back from it: runs, projects, keys, the database as it stands this moment.

The clinician's data are not in it: MedML never had them. The keys are, so whoever holds the file can tell which case of
the clinician's table stands behind a keyed hash: it is kept as the machine itself is.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import zipfile
from pathlib import Path, PurePosixPath

from medml import audit, home, room, store
from medml.data.files import expands_too_much
from medml.errors import UserError

MANIFEST = "medml-backup.json"
FORMAT = 1
DATABASE = "medml.db"
LEFT_OUT = ("work", "logs", "copies", "mended.json", "worker.code")  # and locks, and the two databases with their logs
HEAD = "keys/audit.head"  # of the audit log as it is in the copy of the database, wherever it is kept
CHUNK = 1 << 20


def backup(place: Path) -> int:
    """Write a backup, whole or not at all; returns how many files it holds. Trainings may go on meanwhile.

    raises  UserError where there is no room or no right to write
    """
    part = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            n = _write(file, part.with_suffix(".db"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, place)
        home.sync_folder(place.parent)
    except PermissionError as refused:
        raise UserError(what=f"You may not write into “{place.parent}”.", fix="Choose another folder.",
                        code="no_permission") from refused
    except OSError as error:
        raise (room.no_room() if room.is_full(error) else error) from error
    finally:
        part.unlink(missing_ok=True)
        for ending in (".db", ".head"):
            part.with_suffix(ending).unlink(missing_ok=True)
    return n


def _write(file, copy: Path) -> int:
    known: dict[str, str] = {}
    with audit.standing_still() as head:
        store.copy_to(copy)
        copy.with_suffix(".head").write_bytes(head)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        files = {DATABASE: copy} | dict(_files()) | ({HEAD: copy.with_suffix(".head")} if head else {})
        for name, path in files.items():
            digest = _add(archive, name, path)
            if digest is not None:
                known[name] = digest
        archive.writestr(MANIFEST, json.dumps({"format": FORMAT, "files": known}))
    return len(known)


def _files() -> list[tuple[str, Path]]:
    """What is kept, by its place in MedML's folder; a file half written or a link is not."""
    top = home.home()
    found = []
    for each in sorted(top.rglob("*")):
        inside = each.relative_to(top)
        first = inside.parts[0]
        own = first in LEFT_OUT or first.startswith((DATABASE, "queue.db")) or first.endswith(".lock")
        if not own and each.is_file() and not each.is_symlink() and not any(x.startswith(".") for x in inside.parts):
            found.append((inside.as_posix(), each))
    return found


def _add(archive: zipfile.ZipFile, name: str, path: Path) -> str | None:
    """Its SHA-256; None for a file that somebody deleted in this moment."""
    digest = hashlib.sha256()
    try:
        source = path.open("rb")
    except FileNotFoundError:
        return None
    with source, archive.open(name, "w", force_zip64=True) as inside:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            inside.write(chunk)
    return digest.hexdigest()


def is_one(place: Path) -> bool:
    """Whether a file looks like a backup: what may be written over by a newer one."""
    try:
        with zipfile.ZipFile(place) as archive:
            return MANIFEST in archive.namelist()
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return False


def restore(place: Path) -> int:
    """Bring a backup into MedML's folder, which must hold nothing yet; returns how many files came.

    Everything is unpacked and compared with its hash beside its place, and moved there once all of it is whole.
    raises  UserError where the folder is in use, or the file is no backup, damaged, or made by a newer MedML
    """
    top = home.home()
    _refuse_full(top, home.state())
    beside = home.ensure(top / f".restore-{secrets.token_hex(4)}.part")
    try:
        n = _unpack(place, beside)
        _put_in_place(beside, top)
    except OSError as error:
        raise (room.no_room() if room.is_full(error) else error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    store.connect_once()  # a newer MedML's, or a damaged one: in words
    return n


def _refuse_full(top: Path, state: Path) -> None:
    used = any(each.name not in ("README.md", "logs") and not each.name.endswith(".part") for each in top.iterdir())
    if used or store.path().exists():
        raise UserError(what=f"“{top if used else state}” holds MedML's files already; a backup is never written over "
                        "them.", code="not_empty",
                        fix=f"Set {'MEDML_HOME' if used else 'MEDML_STATE'} to an empty folder, then restore again.")


def _put_in_place(beside: Path, top: Path) -> None:
    """All of it, the database where this machine keeps its own; nothing where one of them finds no place."""
    places = {each: store.path() if each.name == DATABASE else top / each.name for each in sorted(beside.iterdir())}
    try:
        for each, place in places.items():
            if place.parent == top:
                os.replace(each, place)
            else:  # it may lie on another disk
                home.write_bytes(place, each.read_bytes())
        home.sync_folder(top)
    except OSError:
        for place in places.values():
            shutil.rmtree(place, ignore_errors=True) if place.is_dir() else place.unlink(missing_ok=True)
        raise


def _unpack(place: Path, beside: Path) -> int:
    try:
        with zipfile.ZipFile(place) as archive:
            unpacked = sum(each.file_size for each in archive.infolist())
            if expands_too_much(place.stat().st_size, unpacked):
                raise _no_backup()  # no model and no table of ours shrinks a hundred times
            known = _manifest(archive)
            if unpacked > shutil.disk_usage(beside).free:
                raise room.no_room()
            for name, digest in known.items():
                if take(archive, name, beside) != digest:
                    raise _no_backup()
            return len(known)
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, NotImplementedError, RuntimeError, UnicodeError
            ) as broken:
        raise _no_backup() from broken


def _manifest(archive: zipfile.ZipFile) -> dict[str, str]:
    """name -> SHA-256; every name leads into the folder, and the file holds nothing else."""
    told = json.loads(archive.read(MANIFEST))
    if told["format"] > FORMAT:
        raise UserError(what="This backup was made by a newer MedML.", fix="Restore it with that version.",
                        code="newer_home")
    known = told["files"]
    for name in known:
        parts = PurePosixPath(name).parts
        if not parts or PurePosixPath(name).is_absolute() or ".." in parts or "\\" in name or ":" in name:
            raise _no_backup()
    if sorted(archive.namelist()) != sorted([*known, MANIFEST]):
        raise _no_backup()
    return known


def take(archive: zipfile.ZipFile, name: str, beside: Path) -> str:
    """Unpack one file, whose name leads into that folder, for its owner alone; returns its SHA-256."""
    to = beside / name
    home.ensure(to.parent)
    found = hashlib.sha256()
    with archive.open(name) as inside, os.fdopen(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        while chunk := inside.read(CHUNK):
            found.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return found.hexdigest()


def _no_backup() -> UserError:
    return UserError(what="This file is no backup of MedML, or it is damaged. Nothing was restored.",
                     fix="Take another one; `backup` makes them.", code="no_backup")
