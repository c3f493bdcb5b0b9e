"""A full disk, in one sentence, wherever it shows."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Iterator

from medml import environment
from medml.errors import UserError
from medml.home import home, state

FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


NOTHING = 1 << 20  # bytes; with less free a write fails
SOME = 16 << 20  # bytes; with as much free a checkpoint and what is told of it find room


def little_room() -> UserError | None:
    """Why no new job is taken: less is free than a night's work may need. None while there is enough.

    Jobs that run or wait go on: each keeps its last checkpoint, and waits where the disk is full.
    """
    try:
        least = environment.number("MEDML_LEAST_FREE_GB")
    except UserError as wrong:
        return wrong
    free = _free() / 1e9
    if free >= least:
        return None
    return UserError(what=f"Only {free:.1f} GB are free on the disk that holds MedML's folder: no new work is taken.",
                     fix=f"Free some space, until {least:g} GB are there, and try again. What runs or waits goes on.",
                     code="little_room")


def has_room() -> bool:
    """Whether there is room again for what a job keeps on its way."""
    return _free() >= SOME


def _free() -> int:
    """Bytes free where runs are kept and where the database is, which several machines keep apart; the smaller."""
    return min(shutil.disk_usage(each).free for each in (home(), state()))


def no_room() -> UserError:
    return UserError(what="There is no room left on the disk that holds MedML's folder.", code="disk_full",
                     fix="Free some space and try again; nothing was lost.")


def no_disk() -> UserError:
    """A disk that took no write: full, as far as its own figures tell, or failing. Both are waited for."""
    if _free() < NOTHING:
        return no_room()
    return UserError(what="The disk that holds MedML's folder could not be read or written.", code="disk_full",
                     fix="Check that it is connected and in order, then try again; nothing was lost.")


def is_full(error: BaseException | None) -> bool:
    """True if this error, or one that it was raised from, says that the disk is full."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        if isinstance(error, UserError) and error.code == "disk_full":
            return True
        error = error.__cause__ or error.__context__
    return False


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Around a write: a full disk becomes a UserError, a missing right too; anything else goes its way."""
    try:
        yield
    except PermissionError as refused:
        raise UserError(what="MedML may not write to its own folder.", code="no_permission",
                        fix="Give your account the right to write there, or set MEDML_HOME to another folder.",
                        ) from refused
    except OSError as error:
        if is_full(error):
            raise no_room() from error
        raise
