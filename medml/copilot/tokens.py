"""How many tokens a text is, without the model's own tokenizer: from above for budgets, from below to notice a cut.

Byte-pair tokenizers (Qwen, Llama) first cut a text into words, digits, runs of punctuation and line ends, and never
join two of these pieces; a sign right before a word belongs to it ("-out", "_rate"). So a text has at least as many
tokens as such pieces. From above a piece of letters is taken as one token for every three letters, which English words
and made-up column names stay under.
"""

from __future__ import annotations

import re

_PIECE = re.compile(r" ?[^\W\d_]+|\d{1,3}| ?[^\w\s]+|_+|\s*\n|\s+")
_FEWEST = re.compile(r"(?:[^\w\r\n]|_)?[^\W\d_]+|\d{1,3}| ?(?:[^\w\s]|_)+")  # Llama 3's, which joins three digits
OVERHEAD = 8  # tokens of the template around one message


def most(text: str) -> int:
    """Tokens at most, as near as can be told: what budgets are counted in."""
    return sum(_upper(found[0]) for found in _PIECE.finditer(text))


def least(text: str) -> int:
    """Tokens at least: digits three at a time, punctuation in runs, blanks and line ends not counted."""
    return sum(1 for _ in _FEWEST.finditer(text))


def _upper(piece: str) -> int:
    letters = piece.strip(" ")
    if letters.isdigit():
        return len(letters)
    if letters.isascii():
        return -(-len(letters) // (3 if len(letters) > 8 else 4)) if letters.isalpha() else len(letters)
    return len(letters.encode()) // 2 + 1


def cut(text: str, budget: int) -> str:
    """The start of a text that fits the budget, cut between words, with a mark where something is gone."""
    if most(text) <= budget:
        return text
    left, end = budget - 2, 0
    for found in _PIECE.finditer(text):
        left -= _upper(found[0])
        if left < 0:
            break
        end = found.end()
    return text[:end].rstrip() + " …"
