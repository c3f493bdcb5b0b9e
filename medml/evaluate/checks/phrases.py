"""L13: whether a word or phrase of a text gives the label away, as notes written from a template do."""

from __future__ import annotations

import numpy as np
import pandas as pd

from medml.cases import Cases
from medml.evaluate.catalogue import FEW, found, many, named
from medml.evaluate.checks import Evidence, rule
from medml.profile.phrases import SUPPORT, WORDS, telling_phrases
from medml.types import Check, Table, TrainConfig

TEXTLIKE = 3  # words on average from which a column of names counts as text
MOST_CASES = 20_000
MOST_ROWS, MOST_TEXTS = 200_000, 5  # of a table, up to which texts that are left out are looked at; and of them


def texts_aside(table: Table, config: TrainConfig) -> list[str]:
    """Columns of free text that are looked at though no model may see them: a text that gives the label away warns of
    whatever else the same hand wrote. None in a very large table."""
    if table.rows > MOST_ROWS or config.choice.pictures is not None:
        return []
    texts = [each.name for each in table.columns if each.kind == "text" and each.name != config.choice.target]
    return texts[:MOST_TEXTS]


@rule("L13")
def no_phrase_gives_it_away(evidence: Evidence) -> Check:
    """Every word and phrase of up to 3 words that 5 % of the cases hold: does it occur in one class alone? Texts that
    were left out are looked at too. What a phrase says is never kept: it stands in the patients' notes."""
    cases = evidence.context.open_cases
    inside = {str(name): cases.X[name] for name in cases.X.columns if is_text(cases, str(name))}
    texts = {each.name for each in evidence.context.table.columns if each.kind == "text"}
    aside = {} if cases.aside is None else {str(name): cases.aside[name] for name in cases.aside.columns
                                            if name in texts and name not in inside}
    columns = list(inside | aside)
    if not columns:
        return found("L13", "pass", "No column is free text.", columns=0)
    if cases.task == "regression":
        return found("L13", "could_not_tell", "The outcome is a number; phrases are looked at where there are classes.",
                     columns=len(columns))
    if len(cases.y) < FEW:
        return found("L13", "could_not_tell", f"{many(len(cases.y), 'case')} are too few to tell.", n=len(cases.y))
    some = np.random.default_rng(evidence.seed).permutation(len(cases.y))[:MOST_CASES]  # a file may stand in order
    telling = {name: telling_phrases(column.iloc[some], cases.y[some], len(cases.classes))
               for name, column in (inside | aside).items()}
    guilty = [name for name, n in telling.items() if n]
    total = sum(telling.values())
    if guilty:
        occur = "occurs" if total == 1 else "occur"
        seen = len(set(guilty) & set(inside))
        return found("L13", "warn", f"{many(total, 'phrase')} of {named(guilty)} {occur} in at least {SUPPORT:.0%} of "
                                    "the cases and in one class only: the text gives the answer away."
                                    + (" The model does not see it." if not seen else ""),
                     "Ask who wrote it and when: a text written from a template, or after the outcome was known, must "
                     "be left out, and so must every column filled in with it.", columns=len(guilty), phrases=total,
                     seen=seen)
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
