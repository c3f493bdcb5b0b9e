"""On what kind of drive a folder lies, and that it was lost. MedML's own folder must be on a disk of this machine: a
database on a network drive is damaged sooner or later, since locks are not kept there (SQLite, "How To Corrupt An
SQLite Database File", 2.1).
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path

from medml.errors import UserError

LOST = frozenset(getattr(errno, name) for name in (
    "EIO", "ENOTCONN", "ESTALE", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ENETRESET", "ETIMEDOUT",
    "ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "ENODEV", "ENXIO", "ENOLINK", "EREMOTEIO", "ENOMEDIUM", "ENONET")
    if hasattr(errno, name))  # of a share or drive that went away: it is neither there nor missing
LOST_ON_WINDOWS = frozenset({21, 53, 55, 59, 64, 67, 121, 1117, 1167, 1222, 1231, 1232})  # system error codes
_NUMBER = re.compile(r"\(os error (\d+)\)")  # Polars tells it in words alone

NETWORK = frozenset({"nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "9p", "sshfs", "fuse.sshfs",
                     "afpfs", "afs", "ncpfs", "webdav", "davfs", "fuse.davfs2", "fuse.rclone", "fuse.s3fs", "ceph",
                     "fuse.ceph", "glusterfs", "fuse.glusterfs", "lustre", "beegfs", "gpfs",
                     "macfuse.sshfs", "osxfuse.sshfs"})


def network_type(folder: Path) -> str | None:
    """The file system of a folder on a network drive ("nfs4"); None on a disk of this machine."""
    place = folder.resolve()
    if str(place).startswith("\\\\"):
        return "smb"
    found, longest = None, -1
    for each in _mounted():
        on = Path(each.mountpoint)
        if (place == on or on in place.parents) and len(on.parts) >= longest:  # a later mount hides an earlier one
            far = each.fstype.lower() in NETWORK or "remote" in each.opts.split(",")
            found, longest = (each.fstype.lower() or "network" if far else None), len(on.parts)
    return found


def _mounted() -> list:
    """psutil's (device, mountpoint, fstype, opts) of everything that is mounted, in the order of mounting."""
    import psutil

    return psutil.disk_partitions(all=True)


@functools.cache
def refuse_network(folder: Path) -> None:
    """UserError where MedML's own folder lies on a network drive; looked up once a process."""
    kind = network_type(folder)
    if kind is not None:
        raise UserError(
            what=f"MedML's folder {folder} lies on a network drive ({kind}), on which its database would be damaged.",
            fix="Set MEDML_HOME to a folder on a disk of this machine, then start again. Your data may stay on the "
            f"network{'; a backup brings runs and projects over' if os.listdir(folder) else ''}.", code="network_drive")


def is_lost(error: BaseException | None) -> bool:
    """True if this error, or one that it was raised from, says that a share or drive went away."""
    while error is not None:
        if isinstance(error, OSError) and _says_lost(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _says_lost(error: OSError) -> bool:
    if getattr(error, "winerror", None) is not None:
        return error.winerror in LOST_ON_WINDOWS
    told = _NUMBER.search(str(error)) if error.errno is None else None
    return (int(told[1]) if told else error.errno) in (LOST_ON_WINDOWS if told and os.name == "nt" else LOST)


@contextlib.contextmanager
def reading(source: Path) -> Iterator[None]:
    """Around reading what a person's folder holds: a share or drive that went away becomes a UserError, wherever in
    the reading it shows; anything else goes its way."""
    try:
        yield
    except (OSError, UserError) as error:
        if not (is_lost(error) or is_lost(_at_a_look(source))):
            raise
        raise UserError(what="The drive that holds these data could not be read: it is no longer connected, or it "
                             "fails.", code="lost_drive",
                        fix="Check that it is connected and in order, then try again. Nothing was changed.") from error


def _at_a_look(source: Path) -> OSError | None:
    """What the system says of it now: a process beside that read from it told no number."""
    try:
        source.stat()
    except OSError as error:
        return error
    return None
