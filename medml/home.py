"""Where files go, and the only way they are written: temporary name, fsync, rename."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import BaseModel

from medml.errors import UserError

log = logging.getLogger(__name__)
KEY = 32  # bytes
UNJUDGED, FITS = "unjudged", "fits.json"  # in the unfinished work of a job: what has learned and waits to be judged
Model = TypeVar("Model", bound=BaseModel)


def home() -> Path:
    """The folder that holds everything MedML writes (`MEDML_HOME`, else models/ beside the code), made if absent."""
    return ensure(_folder(os.environ.get("MEDML_HOME"), os.environ.get("HOME")))


@functools.lru_cache(maxsize=8)  # asked a dozen times a click
def _folder(chosen: str | None, _whose: str | None) -> Path:
    """That folder, or models/ beside the code; `~` is of whose folder HOME names."""
    return Path(chosen).expanduser() if chosen else Path(__file__).resolve().parent.parent / "models"


def state() -> Path:
    """What is this machine's own: database, locks, logs. home() itself, unless several machines share that
    (`MEDML_STATE` then names a folder on this machine's disk)."""
    chosen = os.environ.get("MEDML_STATE")
    return ensure(_folder(chosen, os.environ.get("HOME"))) if chosen else home()


def ensure(folder: Path) -> Path:
    """Make a folder that only its owner can read, with its parents; return it."""
    if os.path.isdir(folder):  # a third of what Path.is_dir takes, of which some twenty are asked a click
        return folder
    for each in (*reversed(folder.parents), folder):  # `parents=True` would leave those between open to others
        if not each.is_dir():
            each.mkdir(exist_ok=True, mode=0o700)
    return folder


def runs_folder() -> Path:
    return ensure(home() / "runs")


def projects_folder() -> Path:
    return ensure(home() / "projects")


def run_name(job_id: str | None, family: str) -> str:
    """The folder of the run that a job makes: the same for every attempt at it; a new one where there is no job."""
    name = secrets.token_hex(6) if job_id is None else hashlib.sha256(job_id.encode()).hexdigest()[:12]
    return f"{family}-{name}"


def has_learned_all(job: str) -> bool:
    """Whether all that a job was to learn is put aside, and it has only to be judged."""
    return (home() / "work" / job / UNJUDGED / FITS).is_file()


def work_folder(job_id: str) -> Path:
    """Unfinished work of one job: checkpoints that a restarted job goes on from. Removed when the job is done."""
    return ensure(home() / "work" / job_id)


def log_folder() -> Path:
    return ensure(state() / "logs")


def refuse_anothers() -> None:
    """UserError for root where MedML's database belongs to another account: a log or key that root makes now would be
    closed to the service that works here, and nothing of it would start any more (POSIX)."""
    database = state() / "medml.db"
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not database.exists() or database.stat().st_uid == 0:
        return
    raise UserError(what=f"MedML's folder {state()} belongs to another account, and this was started by root. Nothing "
                         "was changed.", code="not_ours",
                    fix="Start it as that account: sudo -u NAME before the command, with MEDML_HOME set. If root shall "
                        "work here from now on: chown -R root and that folder.")


def no_right(refused: OSError) -> UserError:
    """In words: a file or folder of MedML's own that this account may not write."""
    return UserError(what=f"MedML may not write to {refused.filename or state()}.", code="no_permission",
                     fix="Start it as the account that this folder belongs to, or give that account its files back "
                         "(chown -R), or set MEDML_HOME to a folder that it may write to. Nothing was changed.")


def write_bytes(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file whole or not at all, even if the power fails: temporary name, fsync, rename, fsync of the folder.

    raises  OSError when there is no room or no permission; the old file is then unchanged and no temporary is left
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def write_first(path: Path, content: bytes, then: dict[Path, bytes | None]) -> None:
    """Write a file, and with it what depends on it: new content, or None for a file that goes away.

    The old and the new never stand side by side: what depends is taken away before the file is written and comes back
    where that fails. Killed in between, it is missing, and the file is the old or the new one.
    raises  OSError as `write_bytes` does; everything is then as it was
    """
    aside = [(each, each.with_name(f".{each.name}.{secrets.token_hex(4)}.part")) for each in then if each.is_file()]
    moved = []
    try:
        for place, hidden in aside:
            os.replace(place, hidden)
            moved.append((place, hidden))
        write_bytes(path, content)
    except BaseException:
        for place, hidden in moved:
            os.replace(hidden, place)
        raise
    for place, new in then.items():
        if new is not None:
            _at_second_try(place, new)
    for _, hidden in moved:
        hidden.unlink(missing_ok=True)


def _at_second_try(path: Path, content: bytes) -> None:
    try:
        write_bytes(path, content)
    except OSError:
        write_bytes(path, content)


def sync_file(path: Path) -> None:
    """Make a file that another library wrote survive a power cut."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` survive a power cut (no such call on Windows, where NTFS journals it).

    The rename is done, so a disk that refuses this is told in the log alone: whoever renamed must see it to its end.
    """
    if os.name != "posix":
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        log.warning("a rename may not survive a power cut: %s", type(error).__name__)


def write_array(path: Path, array: np.ndarray) -> None:
    """Write one array as .npy; read it with `np.load(path, allow_pickle=False)`."""
    content = io.BytesIO()
    np.save(content, array, allow_pickle=False)
    write_bytes(path, content.getvalue())


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write several arrays as one .npz; read it with `np.load(path, allow_pickle=False)`."""
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_bytes(path, content.getvalue())


def write_model(path: Path, value: BaseModel) -> None:
    """Write one value of the line as JSON that a person can read."""
    write_bytes(path, value.model_dump_json(indent=2).encode())


def read_model(path: Path, kind: type[Model]) -> Model:
    """Read one value of the line. FileNotFoundError if absent, pydantic.ValidationError if damaged."""
    return kind.model_validate_json(path.read_bytes())


def sha256_of(value: BaseModel) -> str:
    """The hash by which a later stage names the value it was made from."""
    return hashlib.sha256(value.model_dump_json().encode()).hexdigest()


def secret(name: str = "secret") -> bytes:
    """The installation's key (32 bytes), made on first use, in home()/keys with mode 0600; never in a run or export.

    raises  UserError where the file was emptied or cut short: nothing hashed with the whole key would be known again
    """
    path = ensure(home() / "keys") / name
    if not path.exists():
        fresh = path.with_name(f".{name}.{secrets.token_hex(4)}.part")
        try:
            write_bytes(fresh, secrets.token_bytes(KEY))
            with contextlib.suppress(FileExistsError):
                os.link(fresh, path)  # whoever is first wins; a half-written key is never seen
        finally:
            fresh.unlink(missing_ok=True)
    key = path.read_bytes()
    if len(key) < KEY:
        raise UserError(what=f"The file keys/{name} in MedML's folder is damaged: it has {len(key)} of the {KEY} bytes "
                             "of a key. Nothing was changed; your own data, the models and their figures are as they "
                             "were.",
                        fix=f"Stop MedML and put keys/{name} back from a backup. Do not delete it: a new key would not "
                            "know the cases of earlier runs again.", code="damaged_key")
    return key


def has_secret(name: str) -> bool:
    """Whether that key was made."""
    return (home() / "keys" / name).exists()


def drop_secret(name: str) -> None:
    """A key that nothing was sealed with goes away again."""
    (home() / "keys" / name).unlink(missing_ok=True)


def keyed_hash(*parts: str) -> str:
    """A name for a case or a patient that means nothing without the installation's key (32 hex digits)."""
    return hasher()(*parts)


def hasher() -> Callable[..., str]:
    """keyed_hash for many values: the key is read and worked into HMAC (RFC 2104) once, not for every value."""
    key = secret().ljust(64, b"\0")  # 64 bytes: a block of SHA-256, and longer than the key
    inside, outside = (hashlib.sha256(bytes(each ^ pad for each in key)) for pad in (0x36, 0x5C))

    def hashed(*parts: str) -> str:
        inner, outer = inside.copy(), outside.copy()
        inner.update("\x1f".join(parts).encode())
        outer.update(inner.digest())
        return outer.hexdigest()[:32]
    return hashed
