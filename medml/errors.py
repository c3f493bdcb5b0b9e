"""The two kinds of error. What a person can mend is a UserError, shown word for word; anything else is ours."""

from __future__ import annotations

import logging
import secrets
import traceback

log = logging.getLogger(__name__)


class UserError(Exception):
    """Something the person at the screen can mend.

    what    one sentence: what happened, with numbers and units
    fix     one sentence: what to do now
    detail  for the log only; never a cell's content, never a patient's identifier
    code    short machine-readable reason, as in the corpus manifest ("empty", "password", ...)
    typed   what to add to the command line, told there alone: a screen has no options
    """

    def __init__(self, *, what: str, fix: str, detail: str = "", code: str = "", typed: str = "") -> None:
        super().__init__(what)
        self.what, self.fix, self.detail, self.code, self.typed = what, fix, detail, code, typed


class Stopped(Exception):
    """The clinician asked a job to stop; raised at a safe point, carries no data."""


class Paused(Exception):
    """Somebody asked a job to pause; raised where all that was learned is put aside, carries no data."""


def our_fault(error: BaseException) -> str:
    """Log an unforeseen error without any value of the data and return its reference (8 hex digits).

    An exception's message may quote a cell ("could not convert string to float: 'Jane'"), so only its type and
    the places in the code are logged.
    """
    reference = secrets.token_hex(4)
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames[-8:]))
    log.error("reference %s: %s at %s", reference, type(error).__name__, places)
    return reference


def apology(reference: str) -> str:
    """The one sentence shown for a fault of ours."""
    return f"MedML made a mistake; your data is unchanged. Reference {reference}."
