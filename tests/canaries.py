"""Plant unique strings and numbers in a table, and look for them in everything that MedML wrote."""

from __future__ import annotations

import base64
import binascii
import bz2
import contextlib
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
BASE64 = re.compile(rb"[A-Za-z0-9+/]{24,}={0,2}")
BASE64_OF_ADDRESSES = re.compile(rb"[A-Za-z0-9_-]{24,}")  # RFC 4648, 5
HEX = re.compile(rb"[0-9a-fA-F]{16,}")
ZSTD, PARQUET = b"(\xb5/\xfd", b"PAR1"
STREAM = re.compile(rb"stream\r?\n(.*?)\r?\n?endstream", re.DOTALL)
PACKED = {b"\x1f\x8b": gzip.decompress, b"BZh": bz2.decompress, b"\xfd7zXZ": lzma.decompress,
          b"\x78\x01": zlib.decompress, b"\x78\x9c": zlib.decompress, b"\x78\xda": zlib.decompress}
BINARY, DOUBLE = ("<f4", ">f4", "<f8", ">f8"), ("<f8", ">f8")
LETTERS = "!letters of "  # hashes and names in megabytes: some four of their bytes are a number by chance
LARGE = 8_000_000  # bytes; in larger files base64 and hex are not looked for
TEXTS = ("ZZIDENT", "ZZRARE", "ZZNOTE", "ZZDOCTOR")


def planted(n: int = 220, *, seed: int = 7) -> tuple[pd.DataFrame, np.ndarray]:
    """A clinical table in which every identifier and note, one rare category and a fifth of the numeric cells are
    canaries, most of them mid-range; returns it with the numbers planted, all distinct."""
    rng = np.random.default_rng(seed)
    age, marker = rng.normal(62, 11, n).round(0), rng.normal(140, 25, n).round(0)
    numbers = []
    for column in (age, marker):
        places = rng.choice(n, n // 5, replace=False)
        middle = rng.uniform(*np.quantile(column, [0.2, 0.8]), len(places))
        unique = np.round(middle, 3) + rng.integers(1_000, 9_999, len(places)) * 1e-7  # 7 digits nobody else has
        column[places] = unique
        numbers.append(unique)
    sick = (rng.random(n) < 1 / (1 + np.exp(-(age - 62) / 8))).astype(int)
    ward = rng.choice(["north", "south"], n)
    ward[:3] = "ZZRAREward"
    table = pd.DataFrame({"record_id": [f"ZZIDENT{place:05d}" for place in range(n)], "age": age, "marker": marker,
                          "ward": ward, "doctor": [f"ZZDOCTOR {place % 70}" for place in range(n)],
                          "note": [f"Seen by ZZNOTE{place} for a long talk about many different things" for place
                                   in range(n)], "outcome": sick})
    return table, np.concatenate(numbers)


def found_in(folder: Path, numbers: np.ndarray) -> list[str]:
    """"file: what" for every canary found under `folder`, in texts, binary numbers and archives; [] if clean."""
    return [hit for path in sorted(each for each in folder.rglob("*") if each.is_file())
            for hit in hits_in(str(path.relative_to(folder)), path.read_bytes(), numbers)]


def hits_in(name: str, content: bytes, numbers: np.ndarray) -> list[str]:
    """The same for bytes that lie in no file: what a screen was sent, what a process printed."""
    return [f"{layer}: {what}" for layer, inside in _layers(name, content)
            for what in _hits(layer.encode() + b"\0" + inside, inside, numbers, DOUBLE if LETTERS in layer else BINARY)]


def _layers(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """The bytes themselves and what is packed in them, however deep: zip, tar, gz, bz2, xz, zlib, zstd, Parquet (of
    any codec, Snappy too), PDF, base64 of both alphabets, hex."""
    yield name, content
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.namelist():
                yield from _layers(f"{name}!{entry}", archive.read(entry))
        return
    if content[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for entry in archive:
                if entry.isfile():
                    yield from _layers(f"{name}!{entry.name}", archive.extractfile(entry).read())
    yield from _of_packed(name, content)
    for magic, inside in KINDS.items():
        if content.startswith(magic):
            yield from inside(name, content)
    if len(content) < LARGE:
        yield from _of_base64(name, content)
        yield from _of_letters(name, content)


def _of_packed(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    for unpack in [each for magic, each in PACKED.items() if content.startswith(magic)]:
        with contextlib.suppress(OSError, zlib.error, lzma.LZMAError, EOFError):  # it only began like one
            yield from _layers(f"{name}!unpacked", unpack(content))


def _of_parquet(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Every column as its bytes in memory and as words, and what is said of it beside."""
    if not content.endswith(PARQUET):
        return  # it only began like one
    table = parquet.read_table(pa.BufferReader(content))
    yield f"{name}!about", str(table.schema.metadata).encode()
    for title, column in zip(table.column_names, table.columns, strict=True):
        held = b"".join(bytes(part) for chunk in column.chunks for part in chunk.buffers() if part is not None)
        yield f"{name}!{title}", held + "\n".join(map(str, column.to_pylist())).encode()


def _of_letters(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """What stands in hex or in base64 of addresses, all of a file together: most of it are hashes and names. It may
    begin anywhere in a row of such letters."""
    in_hex = [each[0] for each in HEX.finditer(content)]
    rows = [each[0] for each in BASE64_OF_ADDRESSES.finditer(content) if b"-" in each[0] or b"_" in each[0]]
    for kind, found, width, read in (("hex", in_hex, 2, binascii.unhexlify),
                                     ("base64url", rows, 4, base64.urlsafe_b64decode)):
        for begin in range(width if found else 0):
            cut = [row[begin:len(row) - (len(row) - begin) % width] for row in found]
            yield f"{name}{LETTERS}{kind} from {begin}", bytes(8).join(map(read, cut))


def _of_zstd(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    with contextlib.suppress(OSError):  # it only began like one
        yield from _layers(f"{name}!zstd", pa.CompressedInputStream(pa.BufferReader(content), "zstd").read())


def _of_pdf(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """Every stream unpacked, and the words as a reader sees them (fonts have codes of their own)."""
    import pypdfium2

    for place, found in enumerate(STREAM.finditer(content)):
        packed = found[1]
        if packed.rstrip().endswith(b"~>"):
            packed = base64.a85decode(packed.strip().removeprefix(b"<~").removesuffix(b"~>"))
        try:
            yield f"{name}!stream {place}", zlib.decompress(packed)
        except zlib.error:
            yield f"{name}!stream {place}", packed
    document = pypdfium2.PdfDocument(content)
    yield f"{name}!words", "\n".join(page.get_textpage().get_text_range() for page in document).encode()
    document.close()


def _of_base64(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    for found in BASE64.finditer(content):
        try:
            inside = base64.b64decode(found[0] + b"=" * (-len(found[0]) % 4))
        except binascii.Error:
            continue  # letters that happen to be those of base64
        yield f"{name}!base64 at {found.start()}", inside


KINDS = {b"%PDF": _of_pdf, ZSTD: _of_zstd, PARQUET: _of_parquet}


def _hits(text: bytes, content: bytes, numbers: np.ndarray, kinds: tuple[str, ...]) -> Iterator[str]:
    for word in (*TEXTS, *map(str.lower, TEXTS)):  # folded for a search it is a patient's value all the same
        for encoding in ENCODINGS:
            if word.encode(encoding) in text:
                yield f"{word} in {encoding}"
    for value in numbers.tolist():
        digits = repr(value)[:10]
        if any(digits.encode(encoding) in text for encoding in ENCODINGS):
            yield "a number as text"
    for kind in kinds:
        width = int(kind[2])
        wanted = np.unique(numbers.astype(kind).view(f"<u{width}"))
        for offset in range(width):
            usable = (len(content) - offset) // width * width
            if usable > 0 and np.isin(np.frombuffer(content, f"<u{width}", usable // width, offset), wanted).any():
                yield f"a number as {kind} at offset {offset}"


def thresholds_of(fitted: object) -> np.ndarray:
    """Every threshold at which a tree of a fitted model cuts, as scikit-learn and XGBoost themselves say them."""
    if hasattr(fitted, "members"):
        found = [thresholds_of(each) for each in fitted.members.values()]
    elif hasattr(fitted, "booster"):
        table = fitted.booster.trees_to_dataframe()
        found = [table.loc[table["Feature"] != "Leaf", "Split"].to_numpy(float)]
    elif hasattr(fitted, "model") and hasattr(fitted.model, "estimators_"):
        trees = [np.ravel(each)[0] for each in np.ravel(fitted.model.estimators_)]
        found = [tree.tree_.threshold[tree.tree_.feature >= 0] for tree in trees]
    else:
        found = []
    return np.unique(np.concatenate([np.empty(0), *found]))
