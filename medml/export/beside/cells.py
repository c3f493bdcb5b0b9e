"""A table's rows, and a cell's text as an input of model.onnx by schema.json; the standard library and numpy alone."""

import csv
import io
import json
import re
import sys
from datetime import date
from pathlib import Path

import numpy as np

SCHEMA = json.loads((Path(__file__).resolve().parent / "schema.json").read_text(encoding="utf-8"))
NUMBER = SCHEMA["number"]


def stop(why):
    """End with one sentence."""
    sys.stderr.write(f"{why}\n")
    raise SystemExit(2)


def content_of(path):
    """The bytes of one file."""
    try:
        return Path(path).read_bytes()
    except OSError as problem:
        stop(f"{Path(path).name} cannot be read: {(problem.strerror or 'it is no file').lower()}.")


def rows_of(*paths):
    """A CSV as dictionaries: UTF-8 or as a Western Excel writes it, whatever separator the first line has most of."""
    if len(paths) != 1:
        stop("Name one table: python run.py patients.csv > answers.csv")
    content = content_of(*paths)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    first = text.split("\n", 1)[0]
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count)))
    gone = [column for column in SCHEMA["columns"] if rows and column["needed"] and column["name"] not in rows[0]]
    if gone or not rows:
        stop(_lacking(gone) if gone else "The table has no rows.")
    return with_empty(rows)


def with_empty(rows):
    """Rows with an empty cell for each column that nothing looks at and that they lack."""
    return [{column["name"]: "" for column in SCHEMA["columns"] if not column["needed"]} | row for row in rows]


def _lacking(gone):
    names, spare = ([column["name"] for column in listed] for listed in (gone, [c for c in gone if not c["read"]]))
    more = f" {SCHEMA['spare'].replace('{names}', ', '.join(spare))}" if spare else ""
    return f"The table has no column {', '.join(names)}. Name its columns as schema.json does.{more}"


def value(column, text):
    """A cell's text as the model wants it: days or a number (NaN: missing), or a text ("": missing)."""
    text = text.strip()
    if text in column["codes"]:
        return ""
    for pattern, instead in column["rewrite"]:
        text = re.sub(pattern, instead.replace("$", "\\"), text, flags=re.IGNORECASE)
    if column["type"] == "text":
        return "" if text.lower() in column["missing"] else column["words"].get(text.lower(), text)
    if column["type"] == "date":
        try:
            return (date(*map(int, text.split("-"))) - date(1970, 1, 1)).days
        except (TypeError, ValueError):
            return np.nan
    number = float(text) if re.fullmatch(NUMBER, text, re.IGNORECASE) else np.nan
    return np.nan if number in column["codes"] else number


def note(row):
    """What stands beside an answer: of the model, and of columns where a word stands that is no number (or date)."""
    unread = [f"{column['name']}: {SCHEMA['unread']}" for column in SCHEMA["columns"]
              if column["type"] != "text" and _is_word(column, row[column["name"]] or "")]
    return "; ".join(filter(None, [SCHEMA["note"], *unread]))


def _is_word(column, text):
    try:
        float(text)
        return False
    except ValueError:
        return text.strip().lower() not in column["missing"] and bool(np.isnan(value(column, text)))
