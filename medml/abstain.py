"""Why a model says nothing about a row (P1): what was not seen in training, by column and in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medml.recipe.groups import ENOUGH
from medml.types import SMALL_GROUP

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from medml.recipe import Cleaner

WORDS = {"unseen": f"a value that fewer than {SMALL_GROUP} training patients had",
         "missing": "missing, and the answer depends on it",
         "outside": "far outside what was seen in training",
         "few": f"fewer than {ENOUGH} training patients were of this group",
         "together": "usual one by one, unlike the training patients together"}
Why = dict[str, list[str]]  # code of WORDS -> columns; empty: nothing speaks against an answer


def whys(cleaner: Cleaner, X: pd.DataFrame, key: Sequence[str]) -> list[Why]:
    """For each row of X (as Cases.X, before cleaning) what speaks against an answer.

    key  columns without which no answer is given. A column is named for one reason alone, the first of WORDS, and
         columns that are unusual together only where no other reason is there.
    """
    key = [name for name in key if name in X.columns]
    absent = X[key].isna().to_numpy()   # (n, keys)
    missing = [[name for name, gone in zip(key, row, strict=True) if gone] for row in absent]
    found = zip(cleaner.unseen(X), missing, cleaner.outside(X), cleaner.few(X), cleaner.odd_together(X), strict=True)
    return [_first(dict(zip(WORDS, columns, strict=True))) for columns in found]


def in_words(why: Why) -> str:
    """Columns and reasons, never what is in a cell; "" for none."""
    return "; ".join(f"{names_of(columns)}: {WORDS[code]}" for code, columns in why.items())


def names_of(columns: Sequence[str]) -> str:
    """The first five, and whether there are more."""
    return ", ".join(columns[:5]) + (" and others" if len(columns) > 5 else "")


def _first(why: Why) -> Why:
    named: set[str] = set()
    kept: Why = {}
    for code, columns in why.items():
        new = [] if code == "together" and kept else [name for name in columns if name not in named]
        named |= set(new)
        if new:
            kept[code] = new
    return kept
