"""What one entry of the glossary is."""

from __future__ import annotations

from dataclasses import dataclass

from medml.evaluate.words import METRICS


@dataclass(frozen=True, slots=True)
class Term:
    """A word that a screen uses, in two sentences.

    name      as it stands in running text ("calibration slope", "AUROC")
    also      other words for the same thing, plural forms among them; each leads to this entry
    meaning   one sentence: what it is, right to a statistician and plain to a doctor
    example   one sentence from the ward or from everyday life
    picture   SVG of 160 x 72 units, drawn in currentColor with opacity for the shades; None where words do
    everyday  a word that also has its everyday sense ("event"): a screen links it where it says so, never by itself
    """

    name: str
    also: tuple[str, ...]
    meaning: str
    example: str
    picture: str | None = None
    everyday: bool = False


def of_metric(metric: str, also: tuple[str, ...], example: str, picture: str | None = None) -> Term:
    """The entry of a figure, which is called and explained as everywhere else (`medml.evaluate.words`)."""
    known = METRICS[metric]
    return Term(known.title, also, known.meaning, example, picture)
