"""A full disk, in one sentence, wherever it shows."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from medml.errors import UserError

FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})


def no_room() -> UserError:
    return UserError(what="There is no room left on the disk that holds MedML's folder.", code="disk_full",
                     fix="Free some space and try again; nothing was lost.")


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
