"""Damaged at random (fixed seeds), no file stops a scan, loses rows between two readings, or fails unforeseen."""

from __future__ import annotations

import io
import json
import random

import openpyxl
import polars as pl
import pytest

from medml.data import find_tables, open_table

PIECES = (b'"', b"\n", b"\r", b",", b";", b"\0", b"\xff", b"\xef\xbb\xbf", b"\n\n", b'""', b" ", b"\t", "é".encode(),
          b"1e400", b"<", b"-999", b"99999999999999999999", b"31/12/99", b"NaN", b"[[[", b"</row>")
ROWS = [{"id": f"P{n:03d}", "age": 40 + n, "crp": f"{n},5", "note": f'x "{n}", y', "died": n % 2} for n in range(40)]


def _csv(separator: str, encoding: str = "utf-8") -> bytes:
    lines = [separator.join(ROWS[0])] + [separator.join(f'"{value}"' if separator in str(value) else str(value).replace(
        '"', "") for value in row.values()) for row in ROWS]
    return "\n".join(lines).encode(encoding)


def _excel() -> bytes:
    book, memory = openpyxl.Workbook(), io.BytesIO()
    book.active.append(list(ROWS[0]))
    for row in ROWS:
        book.active.append(list(row.values()))
    book.save(memory)
    return memory.getvalue()


def _parquet() -> bytes:
    memory = io.BytesIO()
    pl.DataFrame(ROWS).write_parquet(memory)
    return memory.getvalue()


WHOLE = {"comma.csv": _csv(","), "semicolon.csv": _csv(";"), "wide.txt": _csv("\t", "utf-16"),
         "latin.csv": _csv("|", "cp1252"),
         "records.json": json.dumps(ROWS).encode(), "lines.jsonl": "\n".join(map(json.dumps, ROWS)).encode(),
         "book.xlsx": _excel(), "table.parquet": _parquet()}


def damage(content: bytes, chance: random.Random) -> bytes:
    """Up to six cuts, insertions, repeats and changed bytes."""
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(content)) if content else 0
        how = chance.randrange(5)
        if how == 0:
            content = content[:place] + bytes([chance.randrange(256)]) + content[place + 1:]
        elif how == 1:
            content = content[:place] + content[place + chance.randint(1, 30):]
        elif how == 2:
            content = content[:place] + chance.choice(PIECES) + content[place:]
        elif how == 3:
            content = content + content[place:place + 200]
        else:
            content = content[:max(place, len(content) // 2)]
    return content


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_file_is_read_or_told(tmp_path, name, seed):
    chance = random.Random(f"{name} {seed}")
    for n in range(5):
        path = tmp_path / f"{n}-{name}"
        path.write_bytes(damage(WHOLE[name], chance))
        entries, tables = find_tables(path)
        for entry in entries:
            assert entry.model_dump_json() and (entry.message or entry.action == "read")
        for table in tables:
            frame = table.frame()
            assert frame.shape == (table.rows, len(table.columns))
            assert sum(batch.height for batch in table.batches(7)) == table.rows
            assert open_table(path, table.ref).frame().equals(frame)
