"""The glossary: every term that a screen uses, in two sentences; `TERMS["AUROC"]`, `find("c-statistic")`."""

from medml.words.glossary import TERMS, TOPICS, entry, find, named_in, search
from medml.words.term import Term

__all__ = ["TERMS", "TOPICS", "Term", "entry", "find", "named_in", "search"]
