"""What a report is made of, before it becomes a PDF or a Word file: headings, words, tables, drawings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Heading:
    """level  1: a part of the report, 2: a section of it"""

    text: str
    level: Literal[1, 2] = 2


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph. sort: "stamp" is a warning that may not be overlooked, "quiet" is small print."""

    text: str
    sort: Literal["plain", "stamp", "quiet"] = "plain"


@dataclass(frozen=True, slots=True)
class Rows:
    """A table. Every row has as many cells as the head; widths are shares of the page that add up to 1."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        odd = [len(row) for row in self.rows if len(row) != len(self.head)]
        if odd or self.widths and len(self.widths) != len(self.head):
            raise ValueError(f"a table of {len(self.head)} columns has a row of {odd or 'no'} cells or other widths")

    @property
    def shares(self) -> tuple[float, ...]:
        """Width of each column as a share of the page."""
        return self.widths or tuple(1 / len(self.head) for _ in self.head)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart as PNG. says: what it shows, in words, for who cannot see it; width: share of the page."""

    png: bytes
    says: str
    width: float = 0.6


Block = Heading | Words | Rows | Drawing


@dataclass(frozen=True, slots=True)
class Document:
    """A report, whole. made: ISO date of the run, never of the printing: the same run gives the same report."""

    title: str
    subtitle: str
    made: str
    blocks: tuple[Block, ...]
