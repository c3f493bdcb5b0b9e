"""On what kind of drive a folder lies. MedML's own must be on a disk of this machine: a database on a network drive is
damaged sooner or later, since locks are not kept there (SQLite, "How To Corrupt An SQLite Database File", 2.1).
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

from medml.errors import UserError

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
