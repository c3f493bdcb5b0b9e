"""Excel workbooks (.xlsx, .xlsm): looked through for traps before any parser sees them, then read as plain XML.

ECMA-376 Part 1: 18.2 (workbook), 18.3 (sheets), 18.4 (shared strings), 18.8 (styles), 18.17.4 (dates).
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from medml.data.files import expands_too_much
from medml.data.notes import not_read

_TRAPS = tuple(word.encode(code) for word in ("<!DOCTYPE", "<!ENTITY") for code in ("ascii", "utf-16-le", "utf-16-be"))
_MOST_BYTES = 4 << 30  # unpacked, all parts together
_DATE_IDS = frozenset([14, 15, 16, 17, 22, *range(27, 37), *range(50, 59)])
_TIME_IDS = frozenset([18, 19, 20, 21, 45, 46, 47])
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Sheet:
    name: str
    part: str
    hidden: bool


@dataclass(slots=True)
class Workbook:
    """An open workbook. formats: "date", "time" or "" by style number."""

    archive: zipfile.ZipFile
    sheets: list[Sheet] = field(default_factory=list)
    from_1904: bool = False
    macros: bool = False
    formats: list[str] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)

    def read(self, part: str) -> BinaryIO:
        return self.archive.open(part)  # type: ignore[return-value]


def damaged() -> Exception:
    return not_read("damaged", "This workbook is damaged or cut off.")


def open_workbook(file: BinaryIO) -> Workbook:
    """Open a workbook after looking through it; the file stays the caller's to close.

    raises  UserError: "damaged", "password" (skip); "expands_too_much", "xml_entities" (refuse)
    """
    try:
        archive = zipfile.ZipFile(file)
        _look_for_traps(archive)
        book = Workbook(archive)
        _read_parts(book)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, expat.ExpatError, NotImplementedError, ValueError,
            OSError):
        raise damaged() from None
    return book


def _look_for_traps(archive: zipfile.ZipFile) -> None:
    """Sizes and locks from the directory, then every XML part for entities, read in pieces and never kept."""
    parts = archive.infolist()
    if any(part.flag_bits & 1 for part in parts):
        raise not_read("password", "This workbook is protected with a password. Remove the password and try again.")
    if any(expands_too_much(part.compress_size, part.file_size) for part in parts) or \
            sum(part.file_size for part in parts) > _MOST_BYTES:
        raise not_read("expands_too_much", "This workbook would grow more than 100 times when unpacked, which real "
                       "workbooks never do. It was not opened.", refuse=True)
    for part in parts:
        if part.filename.lower().endswith((".xml", ".rels", ".vml")) and _holds_entities(archive, part):
            raise not_read("xml_entities", "This workbook holds XML entities, which real workbooks never do. "
                           "It was not opened.", refuse=True)


def _holds_entities(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    before = b""
    with archive.open(part) as file:
        while piece := file.read(1 << 20):
            around = (before + piece).upper()
            if any(trap in around for trap in _TRAPS):
                return True
            before = piece[-32:]
    return False


def parse(file: BinaryIO, start: Callable[[str, dict[str, str]], None], end: Callable[[str], None] | None = None,
          text: Callable[[str], None] | None = None) -> Iterator[None]:
    """Feed an XML part piece by piece to handlers that get local names; yields after every piece."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
    if end is not None:
        parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    if text is not None:
        parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_entities  # the second lock on the same door
    with file:
        while piece := file.read(_PIECE):
            parser.Parse(piece, False)
            yield
    parser.Parse(b"", True)
    yield


def _refuse_entities(*_: object) -> None:
    raise not_read("xml_entities", "This workbook holds XML entities, which real workbooks never do. "
                   "It was not opened.", refuse=True)


def _read_all(book: Workbook, part: str, start: Callable[[str, dict[str, str]], None],
              end: Callable[[str], None] | None = None, text: Callable[[str], None] | None = None) -> None:
    for _ in parse(book.read(part), start, end, text):
        pass


def _read_parts(book: Workbook) -> None:
    names = set(book.archive.namelist())
    book.macros = any(name.lower().endswith("vbaproject.bin") for name in names)
    main = next((name for name in names if re.fullmatch(r"(?:xl/)?workbook\d*\.xml", name)), None)
    if main is None:
        raise damaged()
    folder, _, name = main.rpartition("/")
    targets: dict[str, str] = {}
    rels = f"{folder}/_rels/{name}.rels".lstrip("/")
    if rels in names:
        _read_all(book, rels, lambda tag, a: targets.update({a["Id"]: a["Target"]}) if tag == "Relationship" else None)
    found: list[tuple[str, str, bool]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "workbookPr":
            book.from_1904 = attributes.get("date1904", "0").lower() in ("1", "true")
        elif tag == "sheet":
            rid = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            found.append((attributes.get("name", ""), rid, attributes.get("state", "visible") != "visible"))

    _read_all(book, main, start)
    for title, rid, hidden in found:
        part = _place(folder, targets.get(rid, ""))
        if part in names and "/chartsheets/" not in f"/{part}":
            book.sheets.append(Sheet(title, part, hidden))
    styles, strings = _place(folder, "styles.xml"), _place(folder, "sharedStrings.xml")
    if styles in names:
        book.formats = _formats(book, styles)
    if strings in names:
        book.strings = _strings(book, strings)


def _place(folder: str, target: str) -> str:
    """A part's name in the archive; a target with a leading slash counts from the top."""
    return target.lstrip("/") if target.startswith("/") else f"{folder}/{target}".lstrip("/")


def _formats(book: Workbook, part: str) -> list[str]:
    """For each cell style whether its numbers are dates or times of day (18.8.30)."""
    codes: dict[int, str] = {}
    styles: list[int] = []
    inside = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "numFmt":
            codes[int(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "")
        elif tag == "cellXfs":
            inside.append(tag)
        elif tag == "xf" and inside:
            styles.append(int(attributes.get("numFmtId", "0")))

    _read_all(book, part, start, lambda tag: inside.clear() if tag == "cellXfs" else None)
    return [_meaning(style, codes.get(style, "")) for style in styles]


def _meaning(number: int, code: str) -> str:
    if number in _DATE_IDS:
        return "date"
    if number in _TIME_IDS:
        return "time"
    plain = re.sub(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', "", code.split(";")[0].lower())
    if "general" in plain:
        return ""
    if re.search("[yd]", plain):
        return "date"
    return "time" if re.search("[hs]", plain) else ""


def _strings(book: Workbook, part: str) -> list[str]:
    """The shared strings, without phonetic hints (18.4.6)."""
    found: list[str] = []
    pieces: list[str] = []
    state = {"text": False, "hint": False}

    def start(tag: str, _: dict[str, str]) -> None:
        if tag == "si":
            pieces.clear()
        state["text"] = tag == "t" and not state["hint"]
        state["hint"] = state["hint"] or tag == "rPh"

    def end(tag: str) -> None:
        state["text"] = False
        if tag == "rPh":
            state["hint"] = False
        elif tag == "si":
            found.append(unescape("".join(pieces)))

    _read_all(book, part, start, end, lambda text: pieces.append(text) if state["text"] else None)
    return found


def unescape(text: str) -> str:
    """_x000D_ and the like back to characters (22.9.2.19)."""
    if "_x" not in text:
        return text
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)
