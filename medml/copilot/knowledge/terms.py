"""What a word means: the glossary of the screens where it is there, else what each figure is said to mean."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Meaning:
    """A term, the words it goes by besides, and what it says in a sentence or two, with an example."""

    term: str
    also: tuple[str, ...]
    text: str


@lru_cache(maxsize=1)
def meanings() -> tuple[Meaning, ...]:
    """Every term that is explained somewhere, the longest names first."""
    from medml.evaluate.words import METRICS

    found = {each.title.lower(): Meaning(each.title, (name.replace("_", " "),), each.meaning)
             for name, each in METRICS.items()}
    if importlib.util.find_spec("medml.words") is not None and \
            importlib.util.find_spec("medml.words.glossary") is not None:
        terms = importlib.import_module("medml.words.glossary").TERMS
        found |= {each.name.lower(): Meaning(each.name, tuple(each.also), f"{each.meaning} {each.example}".strip())
                  for each in terms.values()}
    return tuple(sorted(found.values(), key=lambda each: -len(each.term)))


def meaning_of(question: str) -> Meaning | None:
    """The term that a question names, the longest name first; None where it names none."""
    said = question.lower()
    names = sorted(((name, each) for each in meanings() for name in (each.term, *each.also) if len(name) > 1),
                   key=lambda pair: -len(pair[0]))
    return next((each for name, each in names if re.search(rf"\b{re.escape(name.lower())}\b", said)), None)
