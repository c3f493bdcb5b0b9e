"""A run as a reader needs it: PDF, Word, model card, with the TRIPOD+AI and CLAIM checklists filled from the run."""

from __future__ import annotations

from medml import gallery
from medml.report.card import as_card
from medml.report.content import document_of


def as_pdf(run: gallery.Run) -> bytes:
    """The report as PDF; the same run gives the same bytes."""
    from medml.report import pdf

    return pdf.as_pdf(document_of(run))


def as_docx(run: gallery.Run) -> bytes:
    """The report as a Word file, to be worked on."""
    from medml.report import word

    return word.as_docx(document_of(run))


__all__ = ["as_card", "as_docx", "as_pdf", "document_of"]
