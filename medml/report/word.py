"""A report as a Word file (python-docx): to be worked on, with the styles that Word's own outline knows."""

from __future__ import annotations

import datetime as dt
import io

from docx import Document as WordFile
from docx.document import Document as Opened
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from medml.plots.theme import LIGHT
from medml.report.document import Block, Document, Drawing, Heading, Rows, Words

WIDTH = 170.0  # mm between the margins of A4
SIZES = {"plain": 10, "quiet": 8, "stamp": 10, "cell": 8}


def as_docx(document: Document) -> bytes:
    """The document as .docx on A4; its properties name no person and hold the run's date."""
    word = WordFile()
    page = word.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.left_margin = page.right_margin = Mm(20)
    made = dt.datetime.fromisoformat(document.made)
    about = word.core_properties
    about.title, about.author, about.comments = document.title, "MedML", ""
    about.created = about.modified = made.astimezone(dt.UTC).replace(tzinfo=None)
    word.styles["Normal"].font.name = "Calibri"
    word.add_heading(document.title, 0)
    _words(word, Words(document.subtitle, "quiet"))
    for block in document.blocks:
        _add(word, block)
    content = io.BytesIO()
    word.save(content)
    return content.getvalue()


def _add(word: Opened, block: Block) -> None:
    if isinstance(block, Heading):
        word.add_heading(block.text, block.level)
    elif isinstance(block, Words):
        _words(word, block)
    elif isinstance(block, Drawing):
        word.add_picture(io.BytesIO(block.png), width=Mm(WIDTH * block.width))
        word.inline_shapes[-1]._inline.docPr.set("descr", block.says)  # what a screen reader says
        _words(word, Words(block.says, "quiet"))
    else:
        _table(word, block)


def _words(word: Opened, block: Words) -> None:
    run = word.add_paragraph().add_run(block.text)
    run.font.size = Pt(SIZES[block.sort])
    run.bold = block.sort == "stamp"
    colour = {"stamp": LIGHT.amber, "quiet": LIGHT.quiet}.get(block.sort, LIGHT.text)
    run.font.color.rgb = RGBColor.from_string(colour.removeprefix("#"))


def _table(word: Opened, block: Rows) -> None:
    table = word.add_table(rows=0, cols=len(block.head), style="Light List Accent 3")
    table.autofit = False
    for number, row in enumerate([block.head, *block.rows]):
        cells = table.add_row().cells
        for cell, text, share in zip(cells, row, block.shares, strict=True):
            cell.width = Mm(WIDTH * share)
            run = cell.paragraphs[0].add_run(text)
            run.font.size, run.bold = Pt(SIZES["cell"]), number == 0
    _repeat_head(table.rows[0]._tr)
    word.add_paragraph()


def _repeat_head(row: OxmlElement) -> None:
    """The first row stands again on every page that the table reaches."""
    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    row.get_or_add_trPr().append(mark)
