"""What a file is, by its first bytes; its name is only compared with that."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from medml.data.dialect import looks_binary, wide_encoding

# (bytes, place, kind, words)
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", 0, "png", "a picture (PNG)"), (b"\xff\xd8\xff", 0, "jpeg", "a picture (JPEG)"),
    (b"GIF8", 0, "gif", "a picture (GIF)"), (b"II*\0", 0, "tiff", "a picture (TIFF)"),
    (b"MM\0*", 0, "tiff", "a picture (TIFF)"), (b"BM", 0, "bmp", "a picture (BMP)"),
    (b"WEBP", 8, "webp", "a picture (WebP)"), (b"DICM", 128, "dicom", "a DICOM file"),
    (b"\x5c\x01\x00\x00", 0, "nifti", "a NIfTI volume"), (b"PAR1", 0, "parquet", "a Parquet table"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0, "ole", "an old Office file"), (b"PK\x03\x04", 0, "zip", "a zip archive"),
    (b"PK\x05\x06", 0, "zip", "a zip archive"), (b"\x1f\x8b", 0, "gz", "a compressed file"),
    (b"%PDF", 0, "pdf", "a PDF document"), (b"7z\xbc\xaf\x27\x1c", 0, "7z", "a 7-Zip archive"),
    (b"Rar!", 0, "rar", "a RAR archive"), (b"SQLite format 3\0", 0, "sqlite", "a SQLite database"),
    (b"ARROW1", 0, "arrow", "an Arrow file"), (b"\x93NUMPY", 0, "numpy", "a NumPy array"),
    (b"\x89HDF\r\n\x1a\n", 0, "hdf5", "an HDF5 file"), (b"BZh", 0, "bz2", "a compressed file (bzip2)"),
    (b"\xfd7zXZ\0", 0, "xz", "a compressed file (xz)"), (b"(\xb5/\xfd", 0, "zst", "a compressed file (Zstandard)"),
    (b"$FL2", 0, "spss", "an SPSS file"), (b"$FL3", 0, "spss", "an SPSS file"),
    (b"<stata_dta>", 0, "stata", "a Stata file"), (b"MZ", 0, "program", "a program"),
    (b"\x7fELF", 0, "program", "a program"),
)
PICTURES = frozenset({"png", "jpeg", "gif", "tiff", "bmp", "webp", "dicom", "nifti", "svg"})
TEXT_ENDINGS = frozenset({"csv", "tsv", "txt", "tab", "dat", "data", "text", "asc", "psv", "xls", "out", "prn"})
BINARY_ENDINGS = frozenset({"xlsx", "xls", "xlsm", "xlsb", "ods", "parquet", "pq", "png", "jpg", "jpeg", "dcm", "pdf",
                            "zip"})
PICTURE_ENDINGS = frozenset({"png", "jpg", "jpeg", "jpe", "tif", "tiff", "gif", "bmp", "dcm", "dicom", "ima", "npz"})
TABLE_ENDINGS = (BINARY_ENDINGS | TEXT_ENDINGS) - PICTURE_ENDINGS  # a picture called .csv is a mistake, not one to use
_ENDINGS = {  # endings that go with a kind found by content
    "jpeg": {"jpg", "jpeg", "jpe", "jfif"}, "tiff": {"tif", "tiff"}, "dicom": {"dcm", "dicom", "ima", "img", ""},
    "xlsx": {"xlsx", "xlsm", "xltx", "xltm"}, "json": {"json", "geojson", "ipynb"},
    "jsonl": {"jsonl", "ndjson", "json"},
    "parquet": {"parquet", "pq"}, "gz": {"gz", "tgz"}, "ole": {"xls", "doc", "ppt", "xlsx", "msg", "db"},
}
_PROSE = frozenset({"md", "rst", "html", "htm", "xml", "py", "r", "js", "css", "sh", "bat", "ini", "cfg", "toml",
                    "yaml", "yml", "log", "svg", "tex", "sql", "ipynb", "names"})


@dataclass(frozen=True, slots=True)
class Sniffed:
    """kind  short name;  words  for a sentence ("a picture (PNG)");  ending  of the name, in lower case"""

    kind: str
    words: str
    ending: str

    @property
    def named_otherwise(self) -> bool:
        """Whether the name's ending says something else than the content."""
        return bool(self.ending) and self.ending not in _ENDINGS.get(self.kind, {self.kind})


def ending(name: str) -> str:
    """The last ending of a file's name, lower case, without the dot; "" where there is none."""
    return PurePath(name).suffix.lower().lstrip(".")


def sniff(head: bytes, name: str) -> Sniffed:
    """What a file is by its first 64 KiB. Text is told apart only as json, jsonl, html/xml or text (csv, tsv, txt)."""
    last = ending(name)
    for mark, place, kind, words in _MAGIC:
        text_like = mark.isascii() and mark not in (b"%PDF", b"<stata_dta>")  # "BMI,age" is no BMP
        if head[place:place + len(mark)] == mark and (not text_like or looks_binary(head)):
            return _zip(head, last) if kind == "zip" else Sniffed(kind, words, last)
    if not head:
        return Sniffed(last or "file", "empty", last)
    if wide_encoding(head) is None and looks_binary(head):
        return Sniffed("binary", "binary data", last)
    return _text(head, last)


def _zip(head: bytes, last: str) -> Sniffed:
    for folder, kind in ((b"word/", "docx"), (b"ppt/", "pptx")):
        if folder in head and last not in _ENDINGS["xlsx"]:
            return Sniffed(kind, "an Office document", last)
    if last in _ENDINGS["xlsx"] or b"[Content_Types].xml" in head[:4096] or b"xl/" in head[:4096]:
        return Sniffed("xlsb" if b"xl/workbook.bin" in head or last == "xlsb" else "xlsx", "an Excel workbook", last)
    if last in ("ods", "odt", "docx", "pptx", "npz", "pt", "pth"):
        return Sniffed(last, {"npz": "a file of NumPy arrays"}.get(last, "an OpenDocument file"), last)
    return Sniffed("zip", "a zip archive", last)


def _text(head: bytes, last: str) -> Sniffed:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1024]
    named = last in ("json", "jsonl", "ndjson")
    if start[:1] in (b"{", b"[") and (named or re.match(rb'[\[{]\s*(?:[\[{\]}"]|-?\d|NaN|null|true|false|$)', start)):
        several = start[:1] == b"{" and re.search(rb"\}\s*\n\s*\{", head) is not None
        return Sniffed("jsonl" if several or last in ("jsonl", "ndjson") else "json", "a JSON file", last)
    if re.match(rb"<(?:!doctype html|html|\?xml|svg|table)", start, re.IGNORECASE):
        svg = b"<svg" in start.lower()
        return Sniffed("svg" if svg else "html", "a drawing (SVG)" if svg else "a web page or XML file", last)
    if last in ("csv", "tsv", "txt"):
        return Sniffed(last, f"a {last.upper()}", last)
    return Sniffed("prose" if last in _PROSE else "text" if last not in TEXT_ENDINGS else "csv", "a text file", last)


def looks_like_dicom(head: bytes) -> bool:
    """Whether a file without preamble begins with a data element of group 2 or 8 (PS3.5 7.1), of any byte order."""
    group, order = (head[:2], "little") if head[1:2] == b"\0" else (head[1::-1], "big")
    if len(head) < 16 or group not in (b"\x02\0", b"\x08\0") or head[2:4] == b"\xff\xff":
        return False
    vr, length = head[4:6], int.from_bytes(head[4:8], order)
    return vr in (b"UL", b"CS", b"UI", b"DA", b"TM", b"SH", b"LO", b"OB", b"SQ", b"PN", b"DT") or length <= 64
