"""A run as one file: out of one gallery, and into another.

What stays where it was made is not in the file: the private part, which says by keyed hashes which patients were in
which fold. So a run that was brought in predicts, is explained, judged elsewhere and exported, and is not trained on.

A file may come from anybody. Of its names, sizes and hashes everything is looked at before the first byte is written;
it is unpacked beside its place, compared with its own lists, opened at each of its checkpoints, and kept only then.
Models in it are arrays and JSON (safetensors, XGBoost's own format): nothing in them can run. XGBoost follows what it
reads unseen, so its trees are looked through before.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from medml import booster, gallery, home, rights, room, seals, store
from medml.backup import take
from medml.brought import FILE, Brought, remember
from medml.data.files import expands_too_much
from medml.errors import UserError
from medml.steps.second_look import to_take_away
from medml.types import Chain, Manifest, Profile, Recipe

PRIVATE = "private"
RUN = re.compile(r"[a-z][a-z0-9_]{0,40}-[0-9a-f]{12}")
PART = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,80}[A-Za-z0-9_])?")
ENDINGS = frozenset({".json", ".safetensors", ".ubj"})
ADDED = re.compile(r"label\.json|forecast-\d+\.json|(groups|exports|righted)/\d+\.json|explained/\d+-[a-z_]+\.json|"
                   r"external/[0-9a-f]{1,64}\.json")  # what a run is given after it was made
MOST_FILES = 10_000


# ---- out -------------------------------------------------------------------------------------------------------

def pack(run: str) -> bytes:
    """One zip of a run without its private part; the path of the clinician's folder is left out too."""
    folder = gallery.folder_of(run)
    rights.require("download", "run", run)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.is_dir() or PRIVATE in inside.parts or any(part.startswith(".") for part in inside.parts) or \
                    inside.suffix == ".zip":  # an export of the same model
                continue
            archive.writestr(f"{run}/{inside.as_posix()}", _to_take_away(path))
    return content.getvalue()


def _to_take_away(path: Path) -> bytes:
    """A file as it goes into a download; the manifest has the hashes of profile and recipe as they are there."""
    if path.name == "manifest.json":
        manifest = home.read_model(path, Manifest)
        changed = {name: hashlib.sha256(make(path.with_name(name))).hexdigest() for name, make in CHANGED.items()
                   if name in manifest.files}
        return manifest.model_copy(update={"files": manifest.files | changed}).model_dump_json(indent=2).encode()
    return CHANGED.get(path.name, Path.read_bytes)(path)


def _without_source(path: Path) -> bytes:
    profile = home.read_model(path, Profile)
    return profile.model_copy(update={"source": Path(profile.source).name}).model_dump_json(indent=2).encode()


def _without_cases(path: Path) -> bytes:
    """The recipe without the cases that were looked at again; byte for byte the same where there were none."""
    recipe = home.read_model(path, Recipe)
    away = to_take_away(recipe)
    return path.read_bytes() if away == recipe else away.model_dump_json(indent=2).encode()


CHANGED: dict[str, Callable[[Path], bytes]] = {"profile.json": _without_source, "recipe.json": _without_cases}


# ---- in --------------------------------------------------------------------------------------------------------

def bring_from(path: Path) -> str:
    """As `bring`, of a file on this machine."""
    try:
        file = path.open("rb")
    except OSError as refused:
        raise UserError(what=f"“{path.name}” is no file that can be read.", code="gone",
                        fix="Name the file that was downloaded, and check that you may read it.") from refused
    with file:
        return bring(file)


def bring(file: BinaryIO) -> str:
    """Put a run that `pack` wrote into this gallery, whole or not at all; returns its id.

    file    opened for reading bytes, and at its beginning
    raises  UserError where it is no such file, damaged, from a newer MedML, here already, or finds no room
    """
    rights.require("bring")
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    beside = home.runs_folder() / f".brought.{secrets.token_hex(4)}.part"
    try:
        with _in_words():
            run = _unpack(file, home.ensure(beside))
            _compare(beside / run)
        remember(beside / run, Brought(made=datetime.now(UTC).isoformat(timespec="seconds"), sha256=sha256))
        _keep(beside / run)
    except OSError as error:
        raise (room.no_room() if room.is_full(error) else error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return run


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, FileNotFoundError, FileExistsError, NotADirectoryError, KeyError,
            ValueError, TypeError, AttributeError, EOFError, NotImplementedError, RuntimeError) as broken:
        raise no_run_file() from broken


def _unpack(file: BinaryIO, beside: Path) -> str:
    """All of it, each name and the sum of the sizes looked at before; returns the run's id."""
    packed = file.seek(0, os.SEEK_END)
    with zipfile.ZipFile(file) as archive:
        listed = archive.infolist()
        unpacked = sum(each.file_size for each in listed)
        tops = {each.filename.split("/")[0] for each in listed}
        if expands_too_much(packed, unpacked) or not 0 < len(listed) <= MOST_FILES or len(tops) != 1 or \
                len({each.filename.casefold() for each in listed}) < len(listed) or not all(map(_is_ours, listed)):
            raise no_run_file()
        if unpacked > shutil.disk_usage(beside).free:
            raise room.no_room()
        for each in listed:
            if not each.filename.endswith(f"/{FILE}"):  # of its last journey
                take(archive, each.filename, beside)
    return tops.pop()


def _is_ours(entry: zipfile.ZipInfo) -> bool:
    """Whether a run has files of such a name: none that leads elsewhere, is private, or could be a program."""
    run, *inside = PurePosixPath(entry.filename).parts or ("",)
    return (seals.stays_inside(entry.filename) and RUN.fullmatch(run) is not None and bool(inside)
            and all(PART.fullmatch(part) and part.casefold() != PRIVATE for part in inside)
            and PurePosixPath(entry.filename).suffix in ENDINGS and not entry.flag_bits & 1
            and entry.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))


def _compare(folder: Path) -> None:
    """Every file with the hash that the run itself has of it; what no list knows are figures that were added since,
    and those are read as figures or not at all."""
    manifest = home.read_model(folder / "manifest.json", Manifest)
    if manifest.run != folder.name:
        raise no_run_file()
    seals.compare(folder, manifest.files, *_open_to_all(manifest.files))
    for trees in folder.rglob("*.ubj"):
        booster.check(trees.read_bytes())
    source = home.read_model(folder / "profile.json", Profile).source
    if source != PureWindowsPath(source).name:  # it would be looked for where somebody elsewhere says
        raise no_run_file()
    known = {*manifest.files, "manifest.json", "chain.json"}
    beside = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    if any(not (each in known or each.startswith("checkpoints/") or ADDED.fullmatch(each)) for each in beside):
        raise no_run_file()
    chain = home.read_model(folder / "chain.json", Chain)
    numbers = {str(each.number) for each in chain.checkpoints}
    if str(chain.current) not in numbers or {each.name for each in (folder / "checkpoints").iterdir()} != numbers:
        raise no_run_file()
    for link in chain.checkpoints:
        at = gallery.checkpoint_folder(folder, link.number)
        listed = json.loads((at / seals.LIST).read_bytes())
        seals.check(at, link.files_sha256, *_open_to_all(listed))
        known = {*listed, seals.LIST}
        if {path.relative_to(at).as_posix() for path in at.rglob("*") if path.is_file()} - known:
            raise no_run_file()  # nothing is added to a link of the chain


def _open_to_all(listed: dict[str, str]) -> list[str]:
    found = [name for name in listed if PRIVATE not in name.split("/")]
    if not found:
        raise no_run_file()
    return found


def _keep(folder: Path) -> None:
    """Move it into the gallery and open it at each of its checkpoints; out again where one cannot be."""
    place = home.runs_folder() / folder.name
    with store.only_one("runs", wait=30.0, everywhere=True) as free:
        if not free:
            raise store.locked()
        if place.exists():
            raise _there_already(place.name)
        try:
            os.replace(folder, place)
            home.sync_folder(place.parent)
            rights.own("run", place.name)
            for link in home.read_model(place / "chain.json", Chain).checkpoints:
                gallery.open_run(place.name, link.number)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            with contextlib.suppress(UserError, store.DatabaseError):
                rights.disown("run", place.name)
            raise


def _there_already(run: str) -> UserError:
    """Of one that is others' no more is said than that it is in the way: whoever has the file has its name."""
    if rights.sees("run", run):
        return UserError(what="This model is in the Gallery of this machine already.", code="there",
                         fix="Nothing was changed. To have the other one, delete this one first.")
    return UserError(what="This model cannot be brought in for you: one of its name that is not yours to see is kept "
                          "on this machine.", code="there",
                     fix="Nothing was changed. Ask an administrator, who can give that one to you or to your group.")


def no_run_file() -> UserError:
    return UserError(what="This file is no model from a Gallery of MedML, or it is damaged. Nothing was brought in.",
                     fix="Take it again there: Gallery, More, “Download as one file”.", code="no_run_file")
