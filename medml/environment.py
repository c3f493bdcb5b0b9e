"""Numbers that whoever looks after the machine may set as environment variables, read in one way."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass

from medml.errors import UserError


@dataclass(frozen=True, slots=True)
class Number:
    """What a variable means, in which unit, what it is where nobody set it, and what it may be.

    meanwhile  what does not happen while it is wrong, and what is safe
    """

    meaning: str
    unit: str
    usual: float
    least: float = 0.0
    whole: bool = False
    endless: bool = False  # whether "inf" is one
    meanwhile: str = "Nothing was begun, and what is kept is as it was."
    code: str = "environment"


NUMBERS = {
    "MEDML_IDLE": Number("how long a worker with nothing to do stays", "seconds", 600.0, endless=True),
    "MEDML_LEASE": Number("how long a job may give no sign of life", "seconds", 30.0, least=0.1),
    "MEDML_THREADS": Number("how many of the processor's cores a training on a large table may use", "cores",
                            os.cpu_count() or 1, least=1, whole=True),
    "MEDML_LEAST_FREE_GB": Number("the room that must be free on the disk", "gigabytes", 2.0, code="least_free",
                                  meanwhile="No new work is taken. What runs or waits goes on."),
}
AT_ONCE = ("MEDML_IDLE", "MEDML_LEASE", "MEDML_THREADS")  # without these nothing can begin


def check() -> None:
    """Refuse wrong numbers before anything begins that would meet one later. UserError says which."""
    for each in AT_ONCE:
        number(each)


def number(name: str) -> float:
    """The value of one of NUMBERS; a whole one is an int. UserError where what was set cannot be it."""
    known = NUMBERS[name]
    try:
        value = float(os.environ.get(name, known.usual))
    except ValueError:
        raise _wrong(name, known) from None
    is_whole = math.isfinite(value) and value == int(value)
    if not value >= known.least or (known.whole and not is_whole) or (math.isinf(value) and not known.endless):
        raise _wrong(name, known)
    return int(value) if known.whole else value


def _wrong(name: str, known: Number) -> UserError:
    sort = "whole number" if known.whole else "number"
    return UserError(what=f"{name}, {known.meaning}, is set to what is no {sort} of {known.unit} that it can be. "
                          f"{known.meanwhile}", code=known.code,
                     fix=f"Set it to a {sort} such as {known.usual:g}, or take it out, and start MedML again.")
