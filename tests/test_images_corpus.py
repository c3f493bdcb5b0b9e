"""Every image and DICOM entry of the shared corpus of hard inputs gets the action and the reason given there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from medml.data.images import find_images

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
ENTRIES = [entry for entry in json.loads((CORPUS / "manifest.json").read_text())
           if entry["file"].startswith(("images/", "dicom/"))] if CORPUS.is_dir() else []


@pytest.fixture(scope="module")
def found(corpus, tmp_path_factory):
    """path -> (entry, image or None) of the two folders."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(tmp_path_factory.mktemp("home")))
        every = {}
        for folder in ("images", "dicom"):
            entries, images = find_images(corpus / folder)
            by_path = {image.path: image for image in images}
            every |= {f"{folder}/{entry.path}": (entry, by_path.get(entry.path)) for entry in entries}
        return every


@pytest.mark.skipif(not ENTRIES, reason="../shared/corpus is not here")
def test_manifest_holds_the_images():
    assert len(ENTRIES) >= 38


@pytest.mark.parametrize("wanted", ENTRIES, ids=lambda entry: entry["file"])
def test_action_and_reason_are_those_of_the_manifest(wanted, found):
    entry, image = found[wanted["file"]]
    assert (entry.action, entry.reason_code) == (wanted["action"], wanted["reason_code"])
    if wanted["plain_words"]:
        assert entry.message == wanted["plain_words"]
    assert bool(entry.message) == (entry.reason_code is not None)
    assert (image is not None) == entry.action.startswith("read")


@pytest.mark.parametrize("wanted", [each for each in ENTRIES if "canary" in each], ids=lambda each: each["file"])
def test_canaries_are_in_no_entry_and_no_image(wanted, found):
    entry, image = found[wanted["file"]]
    told = entry.model_dump_json(exclude={"path"}) + repr(image).replace(repr(image.path), "")
    assert wanted["canary"] not in told and "1950" not in told
