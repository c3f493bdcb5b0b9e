"""What a training on pictures leaves behind when it is killed in the middle of an epoch: not one pixel."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.at_work import ROOT
from tests.killed_training import SIDE

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> tuple[Path, list[bytes]]:
    """24 pictures of noise, a class a sub-folder, and a row of pixels of each."""
    folder, rows = tmp_path_factory.mktemp("films"), []
    for at in range(24):
        pixels = np.random.default_rng(at).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
        place = folder / f"class {at % 2}"
        place.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(place / f"{at}.png")
        rows.append(pixels[SIDE // 2].tobytes())
    return folder, rows


def left(folder: Path, rows: list[bytes]) -> list[str]:
    """Files that hold a row of pixels, as bytes or as numbers of either width."""
    looks = [np.frombuffer(row, np.uint8).astype(kind).tobytes() for row in rows for kind in ("u1", "f4", "f8")]
    return [path.name for path in folder.rglob("*") if path.is_file()
            if any(look in content for content in [path.read_bytes()] for look in looks)]


def test_trainings_killed_in_the_middle_of_an_epoch_leave_no_pixel(films, tmp_path):
    """One keeps its pixels in memory, the other in a file; neither shows any while it works either."""
    folder, rows = films
    places = {"MEDML_HOME": tmp_path / "home", "TMPDIR": tmp_path / "temporary"}
    for place in places.values():
        place.mkdir()
    settings = os.environ | {name: str(place) for name, place in places.items()} | {"PYTHONPATH": str(ROOT)}
    child = subprocess.Popen([sys.executable, "-m", "tests.killed_training", str(folder)], cwd=tmp_path, env=settings,
                             stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "[False, True]\n"  # in memory or not; both stand in an epoch
        assert left(tmp_path, rows) == []
    finally:
        child.kill()
        child.stdout.close()
        assert child.wait() == -signal.SIGKILL
    kept = [path for path in places["MEDML_HOME"].rglob("*") if path.is_file()]
    for job in ("job-00000001", "job-00000002"):
        assert any(job in path.parts for path in kept)  # what it had learned so far
    assert left(tmp_path, rows) == []


def test_the_search_finds_pixels_that_were_left(films, tmp_path):
    (tmp_path / "cache").write_bytes(b"before" + films[1][3] + b"after")
    (tmp_path / "numbers").write_bytes(np.frombuffer(films[1][7], np.uint8).astype("f4").tobytes())
    assert sorted(left(tmp_path, films[1])) == ["cache", "numbers"]
