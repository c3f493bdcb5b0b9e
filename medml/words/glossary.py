"""All entries together, and how a word is found in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType, ModuleType

from medml.words import data, decisions, explaining, figures, handing, judging, models
from medml.words.term import Term

_PARTS: tuple[ModuleType, ...] = (figures, decisions, judging, data, models, explaining, handing)
TOPICS: Mapping[str, tuple[Term, ...]] = MappingProxyType({each.TITLE: each.ENTRIES for each in _PARTS})
TERMS: Mapping[str, Term] = MappingProxyType({term.name: term for entries in TOPICS.values() for term in entries})


@cache
def _by_word() -> dict[str, Term]:
    return {word.lower(): term for term in TERMS.values() for word in (*term.also, term.name)}


@cache
def _pattern() -> re.Pattern[str]:
    """Every word that has no everyday sense, the longest first, so that "calibration slope" is not "calibration"."""
    words = {word for term in TERMS.values() if not term.everyday for word in (term.name, *term.also)}
    listed = "|".join(re.escape(each) for each in sorted(words, key=lambda each: (-len(each), each)))
    return re.compile(rf"(?<![\w-])(?:{listed})(?![\w-])", re.IGNORECASE)


def find(word: str) -> Term | None:
    """The entry of a word, by its name or any other word for it, in capitals or not; None where there is none."""
    return _by_word().get(word.strip().lower())


def entry(word: str) -> Term:
    """The entry of a word; KeyError where there is none, since a screen may use no word without one."""
    found = find(word)
    if found is None:
        raise KeyError(f"no entry {word!r}; medml/words has {len(TERMS)}")
    return found


def search(entries: Iterable[Term], wanted: str) -> list[Term]:
    """Entries whose name or other words hold what was typed, then those whose sentences do; all where it is empty."""
    said, entries = wanted.strip().lower(), list(entries)
    named = [each for each in entries if any(said in word.lower() for word in (each.name, *each.also))]
    return named + [each for each in entries if each not in named and said in f"{each.meaning} {each.example}".lower()]


def named_in(text: str) -> Iterator[tuple[int, int, Term]]:
    """Where a text uses terms: (begin, end, entry), from left to right, words with an everyday sense left out."""
    for found in _pattern().finditer(text):
        yield found.start(), found.end(), _by_word()[found.group().lower()]
