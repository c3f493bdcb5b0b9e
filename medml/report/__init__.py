"""A run as a reader needs it: PDF, Word, model card, with the TRIPOD+AI and CLAIM checklists filled from the run."""

from __future__ import annotations

from medml import gallery
from medml.errors import UserError
from medml.report.card import as_card as card_of
from medml.report.content import document_of
from medml.types import Check

BLOCK_THE_REPORT = ("E2", "E7")  # of RIGOUR.md: without intervals, or without a baseline, nothing may be passed on


def blocked(run: gallery.Run) -> Check | None:
    """The check that lets no report of this run be written; None where there is none."""
    return next((each for each in run.report.checks if each.id in BLOCK_THE_REPORT and each.verdict == "block"), None)


def as_pdf(run: gallery.Run) -> bytes:
    """The report as PDF; the same run gives the same bytes. UserError where a check blocks it."""
    from medml.report import pdf

    return pdf.as_pdf(document_of(_allowed(run)))


def as_docx(run: gallery.Run) -> bytes:
    """The report as a Word file, to be worked on. UserError where a check blocks it."""
    from medml.report import word

    return word.as_docx(document_of(_allowed(run)))


def as_card(run: gallery.Run) -> str:
    """The model card in Markdown. UserError where a check blocks it."""
    return card_of(_allowed(run))


def _allowed(run: gallery.Run) -> gallery.Run:
    found = blocked(run)
    if found is not None:
        raise UserError(what=f"No report of this model can be written: {found.what}", fix=found.fix, code="blocked")
    return run


__all__ = ["as_card", "as_docx", "as_pdf", "blocked", "document_of"]
