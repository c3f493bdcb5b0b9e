"""L13: whether a word or phrase of a text gives the label away, as notes written from a template do."""

from __future__ import annotations

import re
from collections import defaultdict

import numpy as np
import pandas as pd

from medml.cases import Cases
from medml.evaluate.catalogue import FEW, found, many, named
from medml.evaluate.checks import Evidence, rule
from medml.types import SMALL_GROUP, Check

SUPPORT = 0.05  # share of cases that hold the phrase
LONGEST = 3  # words of a phrase
CHANCE = 0.05  # over all phrases asked: a rare class is absent from many phrases by chance
WORDS = re.compile(r"\w+")
MOST_WORDS = 2_000  # of one text
TEXTLIKE = 3  # words on average from which a column of names counts as text
MOST_CASES = 20_000


@rule("L13")
def no_phrase_gives_it_away(evidence: Evidence) -> Check:
    """Every word and phrase of up to 3 words that 5 % of the cases hold: does it occur in one class alone? What it
    says is never kept: it stands in the patients' notes."""
    cases = evidence.context.cases
    columns = [str(name) for name in cases.X.columns if is_text(cases, str(name))]
    if not columns:
        return found("L13", "pass", "No predictor is free text.", columns=0)
    if cases.task == "regression":
        return found("L13", "could_not_tell", "The outcome is a number; phrases are looked at where there are classes.",
                     columns=len(columns))
    if len(cases.y) < FEW:
        return found("L13", "could_not_tell", f"{many(len(cases.y), 'case')} are too few to tell.", n=len(cases.y))
    telling = {name: telling_phrases(cases.X[name], cases.y, len(cases.classes)) for name in columns}
    guilty = [name for name, n in telling.items() if n]
    total = sum(telling.values())
    if guilty:
        occur = "occurs" if total == 1 else "occur"
        return found("L13", "warn", f"{many(total, 'phrase')} of {named(guilty)} {occur} in at least {SUPPORT:.0%} of "
                                    "the cases and in one class only: the text gives the answer away.",
                     "Ask who wrote it and when: a text written from a template, or after the outcome was known, must "
                     "be left out.", columns=len(guilty), phrases=total)
    return found("L13", "pass", f"No phrase of {named(columns)} that {SUPPORT:.0%} of the cases hold belongs to one "
                                "class alone.", columns=0, asked=len(columns))


def is_text(cases: Cases, name: str) -> bool:
    """Text by the scan, or cells of several words where hardly two are the same."""
    if cases.kinds.get(name) == "text":
        return True
    column = cases.X[name]
    if cases.kinds.get(name) == "picture" or pd.api.types.is_numeric_dtype(column):
        return False
    there = column.dropna()
    if len(there) < FEW or there.nunique() < 0.5 * len(there):
        return False
    return there.iloc[:200].map(lambda cell: len(WORDS.findall(str(cell)))).mean() >= TEXTLIKE


def telling_phrases(column: pd.Series, y: np.ndarray, n_classes: int) -> int:
    """How many phrases with support belong to one class alone, more surely than chance would make one of them."""
    counts: dict[tuple[str, ...], np.ndarray] = defaultdict(lambda: np.zeros(n_classes, dtype=np.int64))
    some = slice(None, MOST_CASES)
    for cell, code in zip(column.iloc[some], y[some], strict=True):
        for phrase in _phrases(cell):
            counts[phrase][code] += 1
    n = len(y[some])
    share = np.bincount(y[some], minlength=n_classes) / n
    asked = [each for each in counts.values() if each.sum() >= max(SUPPORT * n, SMALL_GROUP)]
    pure = [each for each in asked if each.max() == each.sum()]
    return sum(share[each.argmax()] ** each.sum() * len(asked) < CHANCE for each in pure)


def _phrases(cell: object) -> set[tuple[str, ...]]:
    if cell is None or cell != cell:
        return set()
    words = [each.lower() for each in WORDS.findall(str(cell))[:MOST_WORDS]]
    return {tuple(words[at:at + length]) for length in range(1, LONGEST + 1)
            for at in range(len(words) - length + 1)}
