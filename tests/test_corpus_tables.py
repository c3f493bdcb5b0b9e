"""Every tabular and Excel entry of the shared corpus of hard inputs gets the action and the reason given there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from medml.data import find_tables
from medml.data.values import is_numeric, read_numbers

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
ENTRIES = [entry for entry in json.loads((CORPUS / "manifest.json").read_text())
           if entry["file"].startswith(("tabular/", "xlsx/"))] if CORPUS.is_dir() else []


@pytest.fixture(scope="session")
def found(corpus):
    """path -> (entry, table or None) of the two folders."""
    every = {}
    for folder in ("tabular", "xlsx"):
        entries, tables = find_tables(corpus / folder)
        by_path = {table.ref.path: table for table in tables}
        every |= {f"{folder}/{entry.path}": (entry, by_path.get(entry.path)) for entry in entries}
    return every


@pytest.mark.skipif(not ENTRIES, reason="../shared/corpus is not here")
def test_manifest_holds_the_tables():
    assert len(ENTRIES) >= 55


@pytest.mark.parametrize("wanted", ENTRIES, ids=lambda entry: entry["file"])
def test_action_reason_and_size_are_those_of_the_manifest(wanted, found):
    entry, _ = found[wanted["file"]]
    assert (entry.action, entry.reason_code) == (wanted["action"], wanted["reason_code"])
    assert (entry.rows, entry.cols) == (wanted["rows"], wanted["cols"])
    if wanted["plain_words"]:
        assert entry.message == wanted["plain_words"]
    assert bool(entry.message) == (entry.reason_code is not None)


@pytest.mark.parametrize("wanted", [entry for entry in ENTRIES if entry["rows"]], ids=lambda entry: entry["file"])
def test_content_is_what_the_manifest_says(wanted, found):
    _, table = found[wanted["file"]]
    frame = table.frame()
    assert frame.shape == (wanted["rows"], wanted["cols"])
    assert sum(batch.height for batch in table.batches()) == wanted["rows"]
    for name in wanted.get("numeric", []):
        assert is_numeric(read_numbers(frame[name])), name
    for name in wanted.get("text", []):
        assert not is_numeric(read_numbers(frame[name])), name
    if "columns" in wanted:
        assert table.columns == wanted["columns"]
    if "contains" in wanted:
        assert wanted["contains"] in frame.write_csv()


def test_archives_and_models_are_listed_and_stop_nothing(corpus):
    entries, tables = find_tables(corpus)
    listed = {entry.path for entry in entries}
    assert {path.relative_to(corpus).as_posix() for path in corpus.rglob("*") if path.is_file()} == listed
    for entry in entries:
        if entry.path.startswith(("zip/", "models/")):
            assert entry.action in ("skip", "refuse"), entry.path
            assert entry.message and entry.reason_code
    # manifest.json is a table too, and so are the pictures together
    assert len(tables) == 2 + sum(entry["rows"] is not None for entry in ENTRIES)


def test_canaries_of_the_corpus_are_in_no_entry(corpus):
    entries, _ = find_tables(corpus / "tabular")
    assert "ZZCANARY" not in " ".join(entry.model_dump_json() for entry in entries)
    assert not any(word in (entry.message or "") for entry in entries for word in ("318.4", "109"))
