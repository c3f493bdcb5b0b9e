"""Text tables: CSV, TSV, any separator, any encoding, .gz."""

from __future__ import annotations

import io
import logging
import re
import weakref
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import polars as pl

from medml.data import dialect as dialects
from medml.data.blocks import blocks, count_rows
from medml.data.files import Hashing, Material
from medml.data.layout import column_names, find_layout, footer_size, is_number, layout_notes
from medml.data.notes import Note, not_read, sort_notes
from medml.data.rewrite import Mended, rewrite
from medml.data.source import TableSource
from medml.data.survey import evenly_spread, survey
from medml.types import TableRef

log = logging.getLogger(__name__)
HEAD = 1 << 18  # bytes from which separator and header are decided
EXACT_UP_TO = 64 << 20  # bytes; above, totals tell whether rows are regular, and Polars tells of one too long
SAMPLE_ROWS = 2000
HASHED_BESIDE = 8 << 20  # bytes of a file from which on it is hashed while it is looked at and read
LOOKED_AT = 4 << 20  # bytes at a time, where a few rows are wanted
AT_ONCE, AHEAD = 2, 3  # blocks parsed, and read before their turn: with fewer a core waits
TABLE_KINDS = ("csv", "tsv", "txt")
_WHOLE = r"^-?(?:0|[1-9]\d{0,14})$"
_DECIMAL = r"^-?(?:(?:0|[1-9]\d{0,14})(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?$"


class TextTable(TableSource):
    """A text table that Polars reads straight from the file, or from a mended private copy."""

    def __init__(self, ref: TableRef, path: Path, kind: str, columns: list[str], rows: int, notes: list[Note],
                 units: dict[str, str], material: Material, separator: str, skip_lines: int,
                 padded: bool = True, quoted: bool = True) -> None:
        super().__init__(ref, path, kind, columns, rows, notes, units)
        self._material, self._separator, self._skip = material, separator, skip_lines
        self._mended, self._quoted = False, quoted
        self._hashing: Hashing | None = None
        self._padded = padded  # white space may stand around values; stripping costs a third more time

    def frame(self, columns: list[str] | None = None, n_rows: int | None = None) -> pl.DataFrame:
        scan = self._scan(dict.fromkeys(self.columns, pl.String), n_rows)
        scan = scan if columns is None else scan.select(columns)
        scan = scan.with_columns(_stripped(pl.col(pl.String))) if self._padded else scan
        try:
            return scan.collect(engine="streaming")
        except (pl.exceptions.PolarsError, OSError) as error:
            self._mend(error)
            return self.frame(columns, n_rows)

    def rows_within(self, n_bytes: int, most: int) -> int:
        seen = rows = 0
        with self._material.open() as file:
            self._to_first_row(file)
            for block in blocks(file, min(n_bytes, LOOKED_AT), quoted=self._quoted):
                if rows >= most or rows and seen + len(block) > n_bytes:
                    break
                seen, rows = seen + len(block), rows + count_rows(block, quoted=self._quoted)
        return min(max(1, rows), most)

    def hashed(self, hashing: Hashing | None) -> TextTable:
        """The table with the SHA-256 of its file, where that is being worked out; with the table the work ends."""
        self._hashing = hashing
        if hashing is not None:
            weakref.finalize(self, hashing.stop)
        return self

    def sha256(self) -> str:
        if self._hashing is not None:
            self._sha256, self._hashing = self._hashing.hex(), None
            if self.changed():  # what was hashed may not be what was surveyed and read
                raise self._changed()
        return super().sha256()

    def let_go(self) -> None:
        if self._hashing is not None:
            self._hashing.stop()

    def _to_first_row(self, file: BinaryIO) -> None:
        for _ in range(self._skip):
            file.readline()

    def batches(self, chunk_rows: int = 100_000) -> Iterator[pl.DataFrame]:
        types, done = {}, 0
        while True:
            ahead = done  # rows handed out before a mending; they keep their places
            try:
                types = types or self._types()
                for batch in self._ahead(types, chunk_rows):
                    fresh, ahead = batch.slice(min(ahead, batch.height)), max(0, ahead - batch.height)
                    if fresh.height:
                        yield fresh
                        done += fresh.height
                return
            except (pl.exceptions.PolarsError, OSError) as error:
                self._mend(error)

    def _ahead(self, types: dict[str, pl.DataType], chunk_rows: int) -> Iterator[pl.DataFrame]:
        """Batches in order; the next blocks are read while the caller works on this one."""
        size = max(1 << 16, self._material.size() * chunk_rows // max(1, self.rows or 1))
        with self._material.open() as file, ThreadPoolExecutor(AT_ONCE) as aside:
            self._to_first_row(file)
            coming: deque[tuple[bytes, Future[pl.DataFrame]]] = deque()
            for block in blocks(file, size, quoted=self._quoted):
                coming.append((block, aside.submit(self._parsed, block, types)))
                if len(coming) > AHEAD:
                    yield self._in_order(*coming.popleft(), types)
            while coming:
                yield self._in_order(*coming.popleft(), types)
        if self.changed():  # what was read may not be what was surveyed and hashed
            raise self._changed()

    def _in_order(self, block: bytes, parsed: Future[pl.DataFrame], types: dict[str, pl.DataType]) -> pl.DataFrame:
        """The next batch; a column that is no longer clean numbers becomes String in `types`, for good."""
        batch = parsed.result()
        if any(kind == pl.String != batch.schema[name] for name, kind in types.items()):
            batch = self._parsed(block, types)  # it was read before the one that held the odd cell came to its end
        types.update({name: pl.String for name, kind in batch.schema.items() if kind == pl.String})
        return batch

    def _parsed(self, block: bytes, types: dict[str, pl.DataType]) -> pl.DataFrame:
        """One block; a column that turns out not to be clean numbers is String."""
        types = dict(types)
        while True:
            try:
                batch = pl.read_csv(block, has_header=False, schema=types, infer_schema=False,
                                    separator=self._separator, quote_char='"' if self._quoted else None)
            except pl.exceptions.PolarsError as error:
                place = re.search(r"\(column number (\d+)\)", str(error))
                if place is None or types[self.columns[int(place[1]) - 1]] == pl.String:
                    raise
                types[self.columns[int(place[1]) - 1]] = pl.String
                continue
            text = [name for name, kind in types.items() if kind == pl.String]
            return batch.with_columns(_stripped(pl.col(text))) if text and self._padded else batch

    def _changed(self) -> Exception:
        return not_read("changed", f"The file {self.path.name} changed while it was being read.", "Scan it again.")

    def _scan(self, types: dict[str, pl.DataType], n_rows: int | None) -> pl.LazyFrame:
        return pl.scan_csv(
            self._material.for_polars(), has_header=False, skip_lines=self._skip, schema=types, infer_schema=False,
            separator=self._separator, n_rows=n_rows, glob=False)

    def _types(self) -> dict[str, pl.DataType]:
        """Int64 or Float64 where a sample from the beginning, the middle and the end holds clean numbers alone."""
        sample = self._sample()
        whole = sample.select(pl.all().str.contains(_WHOLE).all() & pl.all().is_not_null().any()).row(0)
        decimal = sample.select(pl.all().str.contains(_DECIMAL).all() & pl.all().is_not_null().any()).row(0)
        return {name: pl.Int64 if w else pl.Float64 if d else pl.String
                for name, w, d in zip(self.columns, whole, decimal, strict=True)}

    def _sample(self) -> pl.DataFrame:
        scan = self._scan(dict.fromkeys(self.columns, pl.String), SAMPLE_ROWS)
        parts = [scan.collect()]
        if self.rows and self.rows > 4 * SAMPLE_ROWS:
            parts += self._places()
        return pl.concat(parts).select(_stripped(pl.all()))

    def _places(self) -> list[pl.DataFrame]:
        """Rows from eight further places, by byte: cheap however large the file is."""
        parts, size = [], self._material.size()
        with self._material.open() as file:
            for n in range(1, 9):
                file.seek(size * n // 9 if n < 8 else max(0, size - 60_000))
                block = file.read(60_000)
                lines = block[block.find(b"\n") + 1:block.rfind(b"\n") + 1]
                if b'"' not in lines and evenly_spread(lines, self._separator, len(self.columns)):
                    parts.append(pl.read_csv(lines, has_header=False, schema=dict.fromkeys(self.columns, pl.String),
                                             separator=self._separator, infer_schema=False))
        return parts

    def _mend(self, error: Exception) -> None:
        """A row that no total betrayed stopped Polars: mend into a private copy, once. Rows keep their places."""
        if self.changed():
            raise self._changed()
        if self._mended:
            log.warning("a mended table could not be read: %s", type(error).__name__)
            raise not_read("damaged", f"The file {self.path.name} could not be read to its end.")
        mended = Mended()
        lines = islice(dialects.decode_lines(self._material.chunks(), mended.counts), self._skip, None)
        self._material = Material.of(rewrite(lines, self._separator, len(self.columns), mended))
        self._separator, self._skip, self._padded, self._quoted, self._mended = ",", 0, True, True, True
        self.rows, self.notes = mended.rows, sort_notes(self.notes + mended.notes(self.columns))
        self.short = mended.short.as_array()


def _stripped(columns: pl.Expr) -> pl.Expr:
    text = columns.str.strip_chars()
    return pl.when(text != "").then(text).name.keep()


def open_text(ref: TableRef, path: Path, kind: str, material: Material) -> TextTable:
    """Read how a text table is written and make it ready. UserError with a code where it is no table.

    material  the file's bytes, unpacked;  kind  "csv", "tsv" or "txt"; any other demands a table without doubt
    """
    material, notes = _as_utf8(material)
    head = material.head(HEAD + 1)
    text, whole = _decoded(head[:HEAD]), len(head) <= HEAD
    if not text.strip():
        raise not_read("empty", "This file is empty." if not head.strip(b"\xef\xbb\xbf") else
                       "This file holds blank lines and nothing else.")
    found = dialects.find_dialect(text, whole) or _single_column(text, whole, kind)
    rows = list(islice(dialects.read_rows(io.StringIO(text, newline=""), found.separator), 401))
    rows = [each for each in rows[:None if whole or len(rows) > 400 else -1] if each[0] > found.skip]
    layout = find_layout([row for _, row in rows])
    above = 0 if layout is None or layout.header is None else layout.header
    if layout is None or (kind not in TABLE_KINDS and (above or len(rows) < 6 or found.share < 0.98)):
        raise _no_table()  # prose has commas too: under another name, only what leaves no doubt is a table
    ends = [found.skip] + [line for line, _ in rows]  # lines read once row n - 1 is read
    above = ends[above] - found.skip
    names, name_notes = column_names(layout.names, layout.width)
    notes += layout_notes(layout, above) + name_notes + _separator_note(found.separator)
    units = {name.strip(): unit for name, unit in layout.units.items()}
    return _made_ready(ref, path, kind, material, found.separator, ends[layout.first], names, notes, units)


def _separator_note(separator: str) -> list[Note]:
    """Unusual separators are told: they were guessed."""
    words = {" ": "blanks", "^": '"^"', "~": '"~"', ":": "colons"}.get(separator)
    return [Note("separator_guessed", f"The columns seem to be set apart by {words}.")] if words else []


def _made_ready(ref: TableRef, path: Path, kind: str, material: Material, separator: str, skip: int, names: list[str],
                notes: list[Note], units: dict[str, str]) -> TextTable:
    """Use the file as it is where all is regular; else mend it into a private copy."""
    width, start = len(names), _offset(material, skip)
    hashing = Hashing(path) if material.is_file(path) and material.size() > HASHED_BESIDE else None
    seen = survey(material, separator, width, start) if separator != " " else None
    if seen is not None and seen.zeros:
        if hashing is not None:
            hashing.stop()
        raise _binary()
    plain = seen is not None and seen.regular(width) and not _footer(material, separator, width, skip)
    if plain and seen.bytes <= EXACT_UP_TO:
        plain = evenly_spread(material.head(start + seen.bytes)[start:], separator, width)
    if plain:
        if not seen.rows:
            raise _no_rows()
        table = TextTable(ref, path, kind, names, seen.rows, notes, units, material, separator, skip,
                          padded=seen.padded, quoted=seen.quotes > 0)
        return table.hashed(hashing)
    mended, stray = Mended(), seen is not None and seen.quotes % 2 == 1
    lines = islice(dialects.decode_lines(material.chunks(), mended.counts), skip, None)
    copy = Material.of(rewrite(lines, separator, width, mended, quoted=not stray))
    if not mended.rows:
        raise _no_rows()
    if stray:
        notes.append(Note("stray_quotes", "A quotation mark is opened and never closed, so quotation marks were read "
                          "as ordinary characters."))
    table = TextTable(ref, path, kind, names, mended.rows, notes + mended.notes(names), units, copy, ",", 0)
    table.short = mended.short.as_array()
    return table.hashed(hashing)


def _as_utf8(material: Material) -> tuple[Material, list[Note]]:
    """The same text in UTF-8 with line feeds, and a note where its encoding had to be guessed."""
    head = material.head(HEAD)
    encoding = dialects.wide_encoding(head)
    notes = []
    if encoding is not None and encoding.name != "utf-8":
        material = Material.of(_transcoded(material, encoding))
        if encoding.guessed:
            notes.append(Note("encoding_guessed", f"Nothing says how the letters are written; they were read as "
                              f"{encoding.name.upper()}."))
    elif dialects.looks_binary(head):
        raise _binary()
    head = material.head(HEAD)
    if head.count(b"\r") > 10 * head.count(b"\n"):  # old Mac: carriage returns alone
        material = Material.of(chunk.replace(b"\r", b"\n") for chunk in material.chunks())
    return material, notes


def _transcoded(material: Material, encoding: dialects.Encoding) -> Iterator[bytes]:
    with material.open() as file:
        file.seek(encoding.bom)
        text = io.TextIOWrapper(file, encoding=encoding.name, errors="replace", newline="")
        while piece := text.read(1 << 20):
            yield piece.encode(errors="replace")


def _decoded(head: bytes) -> str:
    text = "".join(dialects.decode_lines(iter([head]), Counter()))
    return text.removeprefix("\ufeff")


def _offset(material: Material, lines: int) -> int:
    """Where line number `lines` begins, in bytes."""
    with material.open() as file:
        return sum(len(line) for line in islice(file, lines))


def _footer(material: Material, separator: str, width: int, skip: int) -> bool:
    """Whether the last rows look like a footer."""
    tail = _decoded(material.tail(32768))
    rows = dialects.split_rows(tail[tail.find("\n") + 1:], separator) if tail.count("\n") > skip + 1 else []
    return footer_size(rows, width) > 0


def _single_column(text: str, whole: bool, kind: str) -> dialects.Dialect:
    """A table of one column: where the name says CSV or every line is a number; else this is prose."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = lines if whole else lines[:-1]
    numbers = sum(map(is_number, lines[1:]))
    short = kind in ("csv", "tsv") and max(map(len, lines), default=0) < 200
    if len(lines) > 2 and (short or numbers >= 0.95 * (len(lines) - 1)):
        return dialects.Dialect(",", 0, 1.0, 1)
    raise _no_table()


def _no_rows() -> Exception:
    return not_read("empty", "This table has names of columns, but no rows.")


def _no_table() -> Exception:
    return not_read("not_a_table", "This file is not a table: its lines are not divided into columns.")


def _binary() -> Exception:
    return not_read("not_a_table", "This file is not a table: it holds binary data.")
