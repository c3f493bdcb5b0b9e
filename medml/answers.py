"""What an answer says besides its number: how often such numbers were right, what it leaves open, what it went by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from medml import conformal
from medml.evaluate.catalogue import many
from medml.measured import ConformalLevel, Metric
from medml.types import Report

if TYPE_CHECKING:
    import polars as pl

    from medml.explain import Contributions

LEVEL = 0.90
REASONS = 3  # columns that an answer names
UNREAD = "the picture cannot be read"  # how the reason of a row without an answer begins; what is behind it says why
NOT_READ = "could not be read, counts as not recorded"  # of a cell in a column of numbers; behind the column's name
MOST_NAMED = 20  # pictures that one sentence names


def predicted(report: Report, p: np.ndarray) -> list:
    """The class of each row, of two by the report's threshold; a number as it is.   p  (n, n_classes) or (n,)"""
    if report.task == "regression":
        return p.tolist()
    if report.task == "binary":
        return [report.classes[int(yes)] for yes in p[:, 1] >= (0.5 if report.threshold is None else report.threshold)]
    return [report.classes[place] for place in p.argmax(axis=1)]


def calibration_said(report: Report, p: np.ndarray) -> str:
    """How often patients who had been given such a probability had the outcome; "" where that was not measured.

    p  (n_classes,) of one row, or () for a number
    """
    if report.task == "regression":
        error = report.metrics.get("mae")
        return "" if error is None or error.value is None else (
            f"On patients it had not seen its number was off by {error.value:.3g} on average "
            f"({error.between('.3g')}).")
    curve = report.calibration
    given = float(p[1] if report.task == "binary" else p.max())
    if curve is None or not curve.low:
        return ""
    if not curve.x[0] <= given <= curve.x[-1]:
        return (f"Hardly any patient was given {_pct(given)}, so how often that is right could not be told.")
    observed, low, high = (float(np.interp(given, curve.x, each)) for each in (curve.y, curve.low, curve.high))
    return _counted(report, given, observed, low, high)


def _counted(report: Report, given: float, observed: float, low: float, high: float) -> str:
    of = 1000 if max(given, observed) < 0.01 else 100
    had = "had it" if report.task == "binary" else "were of the class it named"
    about = _pct(given) if report.task == "binary" else f"{_pct(given)} for the likeliest class"
    return f"Of {of:,} patients given about {about}, {observed * of:.0f} {had} ({low * of:.0f} to {high * of:.0f})."


def _pct(share: float) -> str:
    return f"{100 * share:.0f} %" if 0.01 <= share <= 0.99 or share in (0, 1) else f"{100 * share:.1f} %"


def unread_said(names: Sequence[str], reasons: Sequence[str | None]) -> str:
    """Which pictures could not be read, for the owner's own screen alone; "" where all could.

    names, reasons  (n,) of the answers: what each picture is called and why it has none
    """
    gone = [name for name, why in zip(names, reasons, strict=True) if (why or "").startswith(UNREAD)]
    if not gone:
        return ""
    more = f" and {len(gone) - MOST_NAMED:,} more" if len(gone) > MOST_NAMED else ""
    return (f"{len(gone):,} picture{' ' if len(gone) == 1 else 's '}could not be read: "
            f"{', '.join(gone[:MOST_NAMED])}{more}.")


def silent_said(reasons: Sequence[str | None]) -> str:
    """Why pictures that could be read have no answer, for the owner's own screen; "" where all have one."""
    told = Counter(why for why in reasons if why and not why.startswith(UNREAD))
    named = "; ".join(f"{why} ({many(n, 'picture')})" for why, n in told.most_common(MOST_NAMED))
    return named and f"Without an answer: {named}."


def cells_not_read(notes: Sequence[str | None]) -> int:
    """Rows of a file of answers in which a cell could not be read, by its column "note"."""
    return sum(NOT_READ in (note or "") for note in notes)


def cells_said(rows: int) -> str:
    """That cells could not be read in so many rows; "" for none."""
    return "" if not rows else (f"In {many(rows, 'row')} a cell could not be read and counts as not recorded (column "
                                "“note” says which).")


def level_of(report: Report, level: float) -> ConformalLevel | None:
    """What was measured for that level; None for a run that kept none, or another level."""
    found = report.conformal.levels if report.conformal is not None else []
    return next((each for each in found if abs(each.level - level) < 1e-9), None)


def left_open(report: Report, p: np.ndarray, level: float) -> list[list[str]] | None:
    """The classes that belong to each row's set; None where no set can be told.   p  (n, n_classes)"""
    found = level_of(report, level)
    if found is None or report.task == "regression":
        return None
    return [[report.classes[place] for place in np.flatnonzero(row)]
            for row in conformal.within(p, found.least, level)]


def set_said(report: Report, p: np.ndarray, level: float) -> str:
    """The set or interval of one row in words; "" where none can be told.   p  (n_classes,) or ()"""
    found = level_of(report, level)
    if found is None:
        return ""
    if report.task == "regression":
        return "" if found.width is None else f"{p - found.width:.4g} to {p + found.width:.4g}"
    names = (left_open(report, p[None], level) or [[]])[0]
    if len(names) == 1:
        return f"{names[0]} alone"
    return ("either: " if len(report.classes) == 2 else "one of: ") + " or ".join(names)


def apart_said(report: Report, p: np.ndarray, level: float) -> str:
    """Why one answer alone is left open and another is called: the line need not be at 50 %; "" where they agree.

    p  (n_classes,)
    """
    open_ = (left_open(report, p[None], level) or [[]])[0] if report.task == "binary" else []
    called = predicted(report, p[None])[0] if open_ else ""
    if len(open_) != 1 or called in open_ or report.threshold is None:
        return ""
    return (f"Called “{called}”, though “{open_[0]}” alone is left open: the line of {_pct(report.threshold)} says "
            "whom to call, and it is not at 50 %. The set says what the answer can be.")


def apart_counted(told: pl.DataFrame) -> str:
    """The same of a file of answers, in one sentence; "" where every class called is among those left open."""
    sets = next((name for name in told.columns if name.startswith("set at ")), None)
    if sets is None:
        return ""
    n = sum(called not in (left, *left.split(" or ")) for called, left in told.select("predicted", sets).iter_rows()
            if called is not None and left)
    return "" if not n else (f"In {many(n, 'row')} the class called is not the one left open: the line says whom to "
                             "call, the set what the answer can be.")


def level_said(report: Report, level: float) -> str:
    """How often sets of that level held the truth of patients who had no part in them; "" where not measured."""
    found = level_of(report, level)
    if found is None or found.held.value is None:
        return ""
    kind = "An interval" if report.task == "regression" else "A set"
    single = found.single
    alone = "" if single is None or single.value is None else f" and was one answer alone in {_with_interval(single)}"
    return f"{kind} at {_pct(level)} held the truth in {_with_interval(found.held)} of patients{alone}."


def _with_interval(share: Metric) -> str:
    """90 % (86 to 93)."""
    return f"{_pct(share.value)} ({share.between('.0f', per=100)})"


def named(contributions: Contributions, p: np.ndarray, most: int = REASONS) -> list[list[tuple[str, float]]]:
    """For each row the columns that add most to its answer, or take most away, with how much: (column, value).

    p  (n, n_classes) or (n,), the answers: of several classes it is told what speaks for the likeliest
    """
    output = p.argmax(axis=1) if p.ndim == 2 and p.shape[1] > 2 else np.zeros(len(p), np.int64)
    values = contributions.values[np.arange(len(p)), output]   # (n, p)
    order = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :most]
    return [[(contributions.columns[place], float(row[place])) for place in places if row[place]]
            for row, places in zip(values, order, strict=True)]


def reasons_said(parts: Sequence[tuple[str, float]], answer: str) -> str:
    """What goes with an answer, in words that claim no cause.   answer  "probability of yes", or a number's name"""
    for_it = ", ".join(name for name, value in parts if value > 0)
    against = ", ".join(name for name, value in parts if value < 0)
    said = [f"{words}: {names}" for words, names in ((f"with a higher {answer}", for_it),
                                                     (f"with a lower {answer}", against)) if names]
    return f"associated {'; '.join(said)}" if said else ""
