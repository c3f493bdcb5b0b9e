"""A report as PDF (reportlab). The fonts are in the file; it holds no date of printing, so the same run gives the same
bytes."""

from __future__ import annotations

import io
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Image, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table

from medml.plots.theme import LIGHT
from medml.report.document import Block, Document, Drawing, Heading, Rows, Words

PLAIN, BOLD = "MedML", "MedML-Bold"
MARGIN, WIDTH = 20 * mm, A4[0] - 40 * mm
SIZES = {"plain": 9.5, "quiet": 8, "stamp": 9.5, "cell": 8}


def as_pdf(document: Document) -> bytes:
    """The document as PDF 1.4 on A4, its title and headings in the outline of the reader."""
    _fonts()
    content = io.BytesIO()
    template = SimpleDocTemplate(content, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=18 * mm,
                                 bottomMargin=18 * mm, title=document.title, author="MedML", invariant=1)
    flow: list[Flowable] = [Paragraph(escape(document.title), _style("title")),
                            Paragraph(escape(document.subtitle), _style("quiet")), Spacer(1, 4 * mm)]
    for block in document.blocks:
        flow += _flowable(block)
    template.build(flow, onFirstPage=lambda canvas, _: _foot(canvas, document),
                   onLaterPages=lambda canvas, _: _foot(canvas, document))
    return content.getvalue()


def _fonts() -> None:
    """DejaVu Sans, which comes with matplotlib: it has every letter of Latin, Greek and Cyrillic, and signs like ≥."""
    if PLAIN in pdfmetrics.getRegisteredFontNames():
        return
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    pdfmetrics.registerFont(TTFont(PLAIN, folder / "DejaVuSans.ttf"))
    pdfmetrics.registerFont(TTFont(BOLD, folder / "DejaVuSans-Bold.ttf"))


def _style(sort: str) -> ParagraphStyle:
    ink, quiet = colors.HexColor(LIGHT.text), colors.HexColor(LIGHT.quiet)
    if sort == "title":
        return ParagraphStyle(sort, fontName=BOLD, fontSize=18, leading=22, textColor=ink, spaceAfter=2 * mm)
    if sort in ("1", "2"):
        size = 14 if sort == "1" else 11
        return ParagraphStyle(sort, fontName=BOLD, fontSize=size, leading=1.3 * size, spaceBefore=size / 2 + 2,
                              textColor=colors.HexColor(LIGHT.accent) if sort == "1" else ink, spaceAfter=3,
                              keepWithNext=1)
    size = SIZES[sort]
    framed = {"borderColor": colors.HexColor(LIGHT.amber), "borderWidth": 0.8, "borderPadding": 5,
              "spaceBefore": 8, "spaceAfter": 8, "textColor": colors.HexColor(LIGHT.amber)} if sort == "stamp" else {}
    return ParagraphStyle(sort, **{"fontName": PLAIN, "fontSize": size, "leading": 1.4 * size, "alignment": TA_LEFT,
                                   "textColor": quiet if sort == "quiet" else ink, "spaceAfter": 4, **framed})


def _flowable(block: Block) -> list[Flowable]:
    if isinstance(block, Heading):
        return [Paragraph(escape(block.text), _style(str(block.level)))]
    if isinstance(block, Words):
        return [Paragraph(escape(block.text), _style(block.sort))]
    if isinstance(block, Drawing):
        return [_picture(block)]
    return [_table(block), Spacer(1, 3 * mm)]


def _picture(drawing: Drawing) -> Flowable:
    image = Image(io.BytesIO(drawing.png))
    scale = WIDTH * drawing.width / image.imageWidth
    image.drawWidth, image.drawHeight = image.imageWidth * scale, image.imageHeight * scale
    image.hAlign = "LEFT"
    return KeepTogether([image, Paragraph(escape(drawing.says), _style("quiet"))])


def _table(block: Rows) -> Flowable:
    head = ParagraphStyle("head", parent=_style("cell"), fontName=BOLD)
    cells = [[Paragraph(escape(each), head) for each in block.head]]
    cells += [[Paragraph(escape(each), _style("cell")) for each in row] for row in block.rows]
    line = colors.HexColor(LIGHT.line)
    return Table(cells, colWidths=[WIDTH * share for share in block.shares], repeatRows=1, hAlign="LEFT", style=[
        ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.HexColor(LIGHT.quiet)),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, line), ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4), ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2)])


def _foot(canvas: Canvas, document: Document) -> None:
    canvas.setFont(PLAIN, 7)
    canvas.setFillColor(colors.HexColor(LIGHT.quiet))
    canvas.drawString(MARGIN, 10 * mm, document.title[:110])
    canvas.drawRightString(A4[0] - MARGIN, 10 * mm, f"{canvas.getPageNumber()}")
