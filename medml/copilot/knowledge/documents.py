"""A clinician's own documents as passages: text, Markdown and PDF, a few sentences each with the page they stand on."""

from __future__ import annotations

import logging
import re
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

from medml.copilot.knowledge.passage import Passage

KINDS = {".txt", ".md", ".markdown", ".pdf"}
MOST_BYTES, MOST_FILES, MOST_PAGES = 50_000_000, 2_000, 2_000
SECONDS_A_FILE = 60.0
WORDS = 110  # of one passage
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$")
_BROKEN = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OSError, OverflowError,
           ZeroDivisionError, AssertionError, NotImplementedError, struct.error, zlib.error)  # of a damaged PDF


class Unreadable(Exception):
    """A document that is left out; `why` is a sentence."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def files_in(folder: Path) -> list[Path]:
    """Documents under a folder (or the one file), links left out, in order."""
    if folder.is_file():
        return [folder] if folder.suffix.lower() in KINDS else []
    found = (each for each in sorted(folder.rglob("*"))
             if each.suffix.lower() in KINDS and each.is_file() and not each.is_symlink())
    return [each for each, _ in zip(found, range(MOST_FILES), strict=False)
            if not any(part.startswith(".") for part in each.relative_to(folder).parts)]


def read(file: Path) -> list[Passage]:
    """The passages of one document. Unreadable where it is too large, protected, damaged or without text."""
    if file.stat().st_size > MOST_BYTES:
        raise Unreadable(f"It is larger than {MOST_BYTES // 1_000_000} MB.")
    if file.suffix.lower() == ".pdf":
        sections = _pages(file)
    else:
        sections = _sections(file.read_bytes().decode("utf-8-sig", "replace"))
    found = [Passage(kind="document", title=file.stem, text=text, source=str(file), place=place)
             for place, whole in sections for text in _pieces(whole)]
    if not found:
        raise Unreadable("It holds no text; scanned pages would have to be recognised first.")
    return found


def _pages(file: Path) -> Iterator[tuple[str, str]]:
    """("page 3", its text) of a PDF."""
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # its warnings quote the document
    until = time.monotonic() + SECONDS_A_FILE
    try:
        document = pypdf.PdfReader(file)
        if document.is_encrypted and not document.decrypt(""):
            raise Unreadable("It is protected by a password.")
        for number, page in enumerate(document.pages, start=1):
            if number > MOST_PAGES or time.monotonic() > until:
                return
            yield f"page {number}", page.extract_text() or ""
    except (pypdf.errors.PyPdfError, *_BROKEN) as broken:
        raise Unreadable("It is damaged, or no PDF.") from broken


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """(heading, what stands under it) of a text; ("", all of it) without headings."""
    heading, lines = "", []
    for line in text.splitlines():
        found = _HEADING.match(line)
        if found is None:
            lines.append(line)
            continue
        yield heading, "\n".join(lines)
        heading, lines = found[1], []
    yield heading, "\n".join(lines)


def _pieces(text: str) -> Iterator[str]:
    """A text in pieces of about WORDS words, cut at the ends of sentences where there are any."""
    sentences = re.split(r"(?<=[.!?])\s+|\n\s*\n", text)
    piece: list[str] = []
    for sentence in sentences:
        words = sentence.split()
        while len(piece) + len(words) > WORDS and piece:
            yield " ".join(piece)
            piece = []
        while len(words) > WORDS:
            yield " ".join(words[:WORDS])
            words = words[WORDS:]
        piece += words
    if piece:
        yield " ".join(piece)
