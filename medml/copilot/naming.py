"""Names and sentences made fit to be sent on: no identifier, no instruction, no group of fewer than k people.

A column's name is data. It may be a cell (a table without a header), a person, a date, or a sentence that asks the
reader to do something; such a name is replaced by its place ("column 7"), and every other is stripped to plain signs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from medml.types import SMALL_GROUP, Column

LONGEST, MOST_WORDS = 40, 6  # characters and words of a name; longer ones are sentences
_PLAIN = re.compile(r"[^\w \-./%()°+>²³]+")
_NUMBER = re.compile(r"[<>≥≤]?[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?", re.IGNORECASE)
_DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}")
_HEX = re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b", re.IGNORECASE)
_ORDER = re.compile(r"\b(?:ignore|disregard|forget|instructions?|system|assistant|user|prompt|you are|you must|answer "
                    r"(?:with|only|in)|respond|reply|say|write|print|output|pretend|act as|jailbreak|http|www)\b",
                    re.IGNORECASE)
_QUOTED = re.compile(r"[“‹]([^”›]*)[”›]|\"([^\"]*)\"")
_HARMLESS = (r"(?:folds?|splits?|parts?|repeats?|parameters?|predictors?|columns?|identifiers?|patterns?|combinations?|"
             r"groups?|rules?|versions?|configurations?|draws?|shuffles?|rounds?|trees?|checks?|digits?|decimals?|"
             r"points?|levels?|classes|categories|criteria|times|seconds?|minutes?|hours?|days?|years?|units?|steps?|"
             r"models?|simulations?|px|pixels)")
_SAID_OF = r"(?:are needed|is best|is chance|is perfect|each|in \d+)"  # right behind the number, else it counts people
_PEOPLE = r"(?:patients?|cases?|rows?|people|persons?|women|men|children|events?|copies|cells?|pictures?|films?|of|in)"
_NOT_PEOPLE = rf"(?:(?:(?!{_PEOPLE}\b)\w+\s+)?{_HARMLESS}|{_SAID_OF})"
_FEW = re.compile(rf"(?<![\w.,:+−–-])(?<!column )(?<!group )(?<!predictor of )(?<!predictors of )[1-9]\b"
                  rf"(?![.,]\d|\s?%|[-–:]\d|\s+{_NOT_PEOPLE}\b)")  # anything else may count people
_FEW_N = re.compile(r"\bn\s?=\s?[1-9]\b(?![.,]\d)")
_TOTAL = re.compile(rf"(?<![\d.,–-])\d[\d,]*(?![\d.]|\s?%|\s+{_NOT_PEOPLE}\b)")


def plain(text: str) -> str:
    """The text without a sign that could close a quotation, start a link or draw; blanks in one."""
    return " ".join(_PLAIN.sub(" ", text).split())


@lru_cache(maxsize=4096)  # the same columns are asked about at every question
def looks_like_data(text: str) -> bool:
    """Whether a name could be a person, a date, a number or a sentence that asks for something."""
    shown = text.strip()
    return (not shown or bool(_NUMBER.fullmatch(shown)) or bool(_DATE.search(shown)) or "@" in shown
            or sum(map(str.isdigit, shown)) >= 5 or bool(_HEX.search(shown)) or bool(_ORDER.search(shown))
            or len(shown) > LONGEST or len(shown.split()) > MOST_WORDS)


def label(text: str, place: int) -> str:
    """A class or category as it may be named: short, plain signs; else "group N"."""
    shown = plain(text)
    short_number = bool(_NUMBER.fullmatch(text.strip())) and len(text.strip()) <= 5
    if short_number or text.strip().lower() in ("yes", "no", "true", "false"):
        return text.strip()
    return f"group {place}" if not shown or looks_like_data(text) else shown


class Names:
    """What each column of a table is called in a snapshot; `of` takes its real name.

    columns  in the order of the table: "column 7" is the seventh
    """

    def __init__(self, columns: Iterable[Column], allowed: Sequence[str] = ()) -> None:
        self.shown: dict[str, str] = {}
        self.allowed = frozenset(allowed)
        taken: set[str] = set()
        for place, column in enumerate(columns, start=1):
            name = plain(column.name)
            if _identifies(column) or not name or looks_like_data(column.name) or name.lower() in taken:
                name = f"column {place}"
            taken.add(name.lower())
            self.shown[column.name] = name
        self.replaced = sorted((name for name, shown in self.shown.items() if name != shown and len(name) > 3), key=len,
                               reverse=True)  # found without quotation marks too; shorter ones are parts of words

    def of(self, name: str) -> str:
        """The shown name; "another column" for one that the table does not have."""
        return self.shown.get(name, "another column")

    def told(self, text: str, total: int | None, k: int = SMALL_GROUP) -> str:
        """One of our own sentences with names shown as they may be, and counts of fewer than k hidden.

        total  how many cases there are in all: a count that is less than k away from it would tell the rest
        """
        text = _QUOTED.sub(lambda found: f"“{self._quoted(found[1] or found[2] or '')}”", text)
        for name in self.replaced:
            text = text.replace(name, self.shown[name])
        text = _FEW_N.sub(f"n under {k}", text)
        parts = re.split("(“[^”]*”)", text)  # a name may hold a digit of its own
        text = "".join(part if part.startswith("“") else _FEW.sub(f"fewer than {k}", part) for part in parts)
        return _TOTAL.sub(lambda found: near(found[0], total, k), text)

    def _quoted(self, text: str) -> str:
        if text in self.shown:
            return self.shown[text]
        shown = label(text, 0) if text in self.allowed else "group 0"
        return "not shown" if shown == "group 0" else shown


def near(count: str, total: int | None, k: int) -> str:
    """A count as written, or the total in its place where the difference would tell a small group."""
    n = int(count.replace(",", ""))
    return count if total is None or n == total or abs(n - total) >= k or n < k else f"about {total:,}"


def share(n: float, total: int | None, k: int = SMALL_GROUP) -> str:
    """A count as it may be told: whole percent of the total, nothing that tells a group of fewer than k or its rest."""
    if not total or n <= 0:
        return "none"
    if n >= total:
        return "all"
    if n < k:
        return f"fewer than {k}"
    return "nearly all" if total - n < k else f"{100 * n / total:.0f} %"


def _identifies(column: Column) -> bool:
    return column.kind == "identifier" or any(each.code == "identifier" for each in column.suspicions)
