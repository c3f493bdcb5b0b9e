"""Every tabular and Excel file of the corpus is dealt with in 10 s of CPU and 1 GB, in a real process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from corpus_child import SECONDS

ROOT = Path(__file__).resolve().parents[1]
BYTES = 10**9
CORPUS = ROOT.parent / "shared" / "corpus"
ENTRIES = [entry for entry in json.loads((CORPUS / "manifest.json").read_text())
           if entry["file"].startswith(("tabular/", "xlsx/"))] if CORPUS.is_dir() else []


@pytest.fixture(scope="module")
def dealt_with(corpus, tmp_path_factory):
    """file -> what one child process made of it; the files after one that ended the child are not there."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("peaks of memory are taken from /proc, which this system lacks")
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "corpus_child.py"), str(corpus), *(entry["file"] for entry in ENTRIES)],
        cwd=ROOT, capture_output=True, text=True,
        env=os.environ | {"MEDML_HOME": str(tmp_path_factory.mktemp("home")), "PYTHONPATH": str(ROOT)})
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"ended after {found[-1]['file'] if found else 'nothing'}: {done.stderr[-2000:]}"
    return {each["file"]: each for each in found}


@pytest.mark.skipif(not ENTRIES, reason="../shared/corpus is not here")
def test_every_file_of_the_manifest_was_dealt_with(dealt_with):
    assert len(ENTRIES) >= 55 and set(dealt_with) == {entry["file"] for entry in ENTRIES}


@pytest.mark.parametrize("wanted", ENTRIES, ids=lambda entry: entry["file"])
def test_a_file_is_dealt_with_as_the_manifest_says_in_10_seconds_and_1_gb(wanted, dealt_with):
    found = dealt_with[wanted["file"]]
    assert {name: found[name] for name in ("action", "reason_code", "rows", "cols")} == \
        {name: wanted[name] for name in ("action", "reason_code", "rows", "cols")}
    if wanted["plain_words"]:
        assert found["message"] == wanted["plain_words"]
    assert found["seconds"] <= SECONDS and found["peak"] <= BYTES
