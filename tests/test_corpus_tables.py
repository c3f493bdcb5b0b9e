"""Every tabular and Excel entry of the shared corpus of hard inputs gets the action and the reason given there."""

from __future__ import annotations

import json
import shutil
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


TOGETHER = {"duplicate_images", "mixed_series"}  # what only shows where files lie side by side


@pytest.fixture(scope="module")
def side_by_side(corpus, tmp_path_factory):
    """(every entry of the manifest, what became of each file's name, tables) of all files in ONE folder."""
    place = tmp_path_factory.mktemp("one folder")
    every = json.loads((CORPUS / "manifest.json").read_text())
    for entry in every:
        shutil.copyfile(corpus / entry["file"], place / Path(entry["file"]).name)
    entries, tables = find_tables(place)
    became = {}
    for entry in entries:
        became.setdefault(entry.path.partition("/")[0], []).append(entry)  # pictures in an archive stand under it
    return every, became, tables


def test_all_files_in_one_folder_are_dealt_with_as_the_manifest_says(side_by_side):
    every, became, tables = side_by_side
    assert len(every) == len(became) >= 107
    odd = {}
    for entry in every:
        wanted = (entry["action"], entry["reason_code"])
        found = {(each.action, each.reason_code) for each in became[Path(entry["file"]).name]}
        beside = entry["action"].startswith("read") and found <= {("read_with_warning", code) for code in TOGETHER}
        if wanted not in found and not beside:
            odd[entry["file"]] = (wanted, found)
    assert odd == {}
    inside = [each for each in tables if each.ref.path.endswith(".zip")]
    assert len(tables) - len(inside) == 1 + sum(entry["rows"] is not None for entry in every)  # the pictures are one
    assert len(inside) == 4  # of z09, where one name stands twice, both of z11, and the pictures in z01


def test_what_is_not_read_says_why(side_by_side):
    every, became, _ = side_by_side
    for entry in every:
        for each in became[Path(entry["file"]).name]:
            assert bool(each.message) == (each.reason_code is not None)
        if entry["plain_words"] and entry["file"].startswith(("zip/", "models/")):
            assert entry["plain_words"] in {each.message for each in became[Path(entry["file"]).name]}


def test_canaries_of_the_corpus_are_in_no_entry(corpus):
    entries, _ = find_tables(corpus / "tabular")
    assert "ZZCANARY" not in " ".join(entry.model_dump_json() for entry in entries)
    assert not any(word in (entry.message or "") for entry in entries for word in ("318.4", "109"))
