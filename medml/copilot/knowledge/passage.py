"""One piece of text that an answer may rest on."""

from __future__ import annotations

from typing import Literal

from medml.value import Value

Kind = Literal["term", "check", "help", "document"]


class Passage(Value):
    """A few sentences and where they stand.

    source  what opens it: a term's name, a check's id, a help page's name, or the path of a document
    place   where in a document: "page 3"; "" elsewhere
    """

    kind: Kind
    title: str
    text: str
    source: str
    place: str = ""
