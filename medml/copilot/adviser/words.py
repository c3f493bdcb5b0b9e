"""How rules write figures and names."""

from __future__ import annotations

from medml.copilot.facts import ColumnFacts, Figure, Snapshot


def bold(name: str) -> str:
    return f"**{name}**"


def few(columns: list[ColumnFacts], most: int = 3) -> str:
    """The first few names in bold, and how many more there are."""
    shown = ", ".join(bold(each.name) for each in columns[:most])
    return shown if len(columns) <= most else f"{shown} and {len(columns) - most} more"


def columns(n: int, one: str = "", several: str = "") -> str:
    """"1 column has", "3 columns have"; without verbs the number alone."""
    return (f"1 column {one}" if n == 1 else f"{n} columns {several}").strip()


def figure(each: Figure) -> str:
    """ "0.75 (0.63 to 0.87)" """
    return f"{each.value:g}" if each.low is None or each.high is None else \
        f"{each.value:g} ({each.low:g} to {each.high:g})"


def outcome(s: Snapshot) -> str:
    """The outcome in bold; the table's first column where none was picked."""
    return bold(s.target or (s.columns[0].name if s.columns else "table"))


def pct(share: float) -> str:
    return f"{100 * share:.0f} %"


def rarest(s: Snapshot) -> tuple[str, float] | None:
    """(label, percent) of the smallest class that may be told."""
    told = [(each.pct, each.label) for each in s.classes if each.pct is not None]
    return None if len(told) < 2 else (min(told)[1], min(told)[0])


def events(s: Snapshot) -> int | None:
    """About how many cases the rarest class has; None where it may not be told.

    A class that may be told has at least k; a share in whole per cent would make 8 of 10 among 768.
    """
    least, cases = rarest(s), s.cases or s.rows
    return None if least is None or cases is None else max(s.k, round(least[1] * cases / 100))


def prevalence(s: Snapshot) -> float | None:
    """Percent of cases that have the outcome; None where it may not be told or there are not two classes."""
    if s.task != "binary":
        return None
    return next((each.pct for each in s.classes if each.label == s.positive), None)


def holds(each: Figure, value: float) -> bool:
    """Whether the interval of a figure holds a value; False where there is no interval."""
    return each.low is not None and each.high is not None and each.low <= value <= each.high


def answers(s: Snapshot) -> str:
    """What the model gives: probabilities, or of a number predictions."""
    return "predictions" if s.task == "regression" else "probabilities"


def less(s: Snapshot) -> str:
    """What else than cautious settings keeps a model from learning its patients by heart."""
    return "collect more pictures" if s.of == "pictures" else "fewer columns"
