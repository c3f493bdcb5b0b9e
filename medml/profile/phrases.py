"""Words and phrases of a text that occur in one class alone, as notes written from a template a class do (L13)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from medml.types import SMALL_GROUP

SUPPORT = 0.05  # share of cases that hold the phrase
LONGEST = 3  # words of a phrase
CHANCE = 0.05  # over all phrases asked: a rare class is absent from many phrases by chance
MOST_WORDS = 2_000  # of one text
WORDS = re.compile(r"\w+")


def telling_phrases(texts: Sequence[object], y: np.ndarray, n_classes: int) -> int:
    """How many phrases of up to 3 words with support belong to one class alone, more surely than chance would make
    one of them.

    texts  n cells, a missing one as None or NaN;   y  (n,) int codes of classes, 0 .. n_classes - 1
    A phrase is no commoner than its rarest word, so only words with support are put together: memory stays small.
    """
    n = len(y)
    least = max(SUPPORT * n, SMALL_GROUP)
    read = [_words(cell) for cell in texts]
    frequent = {word for word, seen in Counter(word for words in read for word in set(words)).items() if seen >= least}
    counts: dict[tuple[str, ...], np.ndarray] = defaultdict(lambda: np.zeros(n_classes, dtype=np.int64))
    for words, code in zip(read, y, strict=True):
        for phrase in _phrases(words, frequent):
            counts[phrase][code] += 1
    share = np.bincount(y, minlength=n_classes) / max(n, 1)
    asked = [each for each in counts.values() if each.sum() >= least]
    pure = [each for each in asked if each.max() == each.sum()]
    return sum(share[each.argmax()] ** each.sum() * len(asked) < CHANCE for each in pure)


def _words(cell: object) -> list[str]:
    if cell is None or cell != cell:
        return []
    return [each.lower() for each in WORDS.findall(str(cell))[:MOST_WORDS]]


def _phrases(words: list[str], frequent: set[str]) -> set[tuple[str, ...]]:
    """Every run of 1 to 3 words that all have support."""
    found: set[tuple[str, ...]] = set()
    for at in range(len(words)):
        for end in range(at + 1, min(at + LONGEST, len(words)) + 1):
            if words[end - 1] not in frequent:
                break
            found.add(tuple(words[at:end]))
    return found
