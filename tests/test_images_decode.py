"""Decoding in child processes: right, in order, and one bad file costs one file."""

from __future__ import annotations

import io
import os
import random
import signal
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from medml.data.images import ImageFile, Unreadable, Window, decode_all, find_images, read_pixels
from medml.data.images import children as child_processes
from medml.data.images.children import Children, Limits
from medml.data.images.fit import fit
from medml.errors import Stopped
from medml.watch import Silent

RNG = np.random.default_rng(0)


def noise(rows: int = 40, cols: int = 60) -> np.ndarray:
    return RNG.integers(0, 256, (rows, cols), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path):
    """Twelve small pictures."""
    for n in range(12):
        Image.fromarray(noise(30 + n)).save(tmp_path / f"p{n:02}.png")
    return tmp_path


def slow_jpeg(path: Path, *, side: int = 2000, scans: int = 3000) -> None:
    """A real progressive JPEG whose last scan comes thousands of times: a few hundred KB, minutes of work."""
    content = io.BytesIO()
    Image.new("L", (side, side), 128).save(content, "JPEG", progressive=True, quality=50)
    stream = content.getvalue()
    last = stream.rindex(b"\xff\xda")
    scan = stream[last:-2]
    path.write_bytes(stream[:last] + scan * scans + b"\xff\xd9")


def test_children_decode_as_this_process_does(clinical):
    root = clinical / "dicom"
    _, files = find_images(root)
    files = [each for each in files if each.rows * each.cols < 300_000][::4]
    answers = list(decode_all(root, files, size=None))
    assert [place for place, _ in answers] == list(range(len(files)))
    for (_, answer), image in zip(answers, files, strict=True):
        np.testing.assert_array_equal(answer, fit(read_pixels(root / image.path), None, 1))


def test_every_frame_of_a_file_comes_in_order(clinical):
    root = clinical / "dicom"
    files = [each for each in find_images(root)[1] if each.path in ("emri_small.dcm", "MR_small.dcm")]
    answers = list(decode_all(root, files, size=32, frames="all", children=1))
    assert [place for place, _ in answers] == [0] + [1] * 10
    middle = list(decode_all(root, files, size=32, frames="middle", children=1))
    np.testing.assert_array_equal(middle[1][1], answers[6][1])


def test_a_single_file_is_decoded_too(folder):
    _, files = find_images(folder / "p03.png")
    (_, answer), = decode_all(folder / "p03.png", files, size=16, channels=3)
    assert answer.shape == (16, 16, 3)


def test_a_window_is_passed_on(clinical):
    root = clinical / "dicom" / "CT_small.dcm"
    _, files = find_images(root)
    (_, answer), = decode_all(root, files, size=None, window=Window(50, 400))
    np.testing.assert_array_equal(answer, read_pixels(root, window=Window(50, 400)))


def test_a_file_that_takes_too_long_costs_itself_alone(folder):
    slow_jpeg(folder / "p05_slow.jpg")
    _, files = find_images(folder)
    answers = list(decode_all(folder, files, size=16, limits=Limits(seconds=1), children=1))
    bad = [files[place].path for place, answer in answers if isinstance(answer, Unreadable)]
    assert bad == ["p05_slow.jpg"] and len(answers) == 13
    assert next(answer for _, answer in answers if isinstance(answer, Unreadable)).code == "undecodable"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit on memory is Linux's own")
def test_a_file_that_takes_too_much_memory_costs_itself_alone(folder):
    Image.new("L", (9_000, 9_000)).save(folder / "p05_large.png")
    _, files = find_images(folder)
    answers = list(decode_all(folder, files, size=16, limits=Limits(memory=400 << 20), children=1))
    bad = {files[place].path: answer.code for place, answer in answers if isinstance(answer, Unreadable)}
    assert bad == {"p05_large.png": "too_large"}


def test_memory_is_watched_where_the_system_sets_no_limit(folder, monkeypatch):
    monkeypatch.setattr(child_processes, "_SYSTEM_LIMITS_MEMORY", False)
    slow_jpeg(folder / "p05_slow.jpg")
    _, files = find_images(folder)
    answers = list(decode_all(folder, files[5:6], size=16, limits=Limits(memory=20 << 20, seconds=30), children=1))
    assert answers[0][1].code == "undecodable"


def test_a_child_killed_in_the_middle_is_replaced(folder):
    _, files = find_images(folder)
    pool = Children(1, Limits())
    ask = {"kind": "png", "frame": 0, "size": 8, "channels": 1, "window": None}
    try:
        assert pool.ask({"path": str(folder / files[0].path)} | ask).shape == (8, 8)
        os.kill(pool._all[0].pid, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        answers = [pool.ask({"path": str(folder / each.path)} | ask) for each in files[1:]]
        assert sum(isinstance(each, Unreadable) for each in answers) <= 1
    finally:
        pool.close()


def test_no_child_is_left_when_the_iterator_is_closed_or_stopped(folder):
    class Stop(Silent):
        def stopping(self) -> bool:
            return True

    before = {each.pid for each in psutil.Process().children()}
    _, files = find_images(folder)
    for _ in range(3):  # closed while children start and answer
        answers = decode_all(folder, files, size=16, children=2)
        next(answers)
        answers.close()
    with pytest.raises(Stopped):
        list(decode_all(folder, files, size=16, watch=Stop()))
    assert {each.pid for each in psutil.Process().children()} <= before


def test_a_child_ends_when_its_parent_does():
    script = ("import sys; from medml.data.images.children import Child, Limits\n"
              "child = Child(Limits()); child._process = child._start(); print(child.pid, flush=True)\n"
              "import os; os._exit(0)")
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True,
                         cwd=Path(__file__).resolve().parents[1])
    pid = int(ran.stdout)
    try:
        psutil.Process(pid).wait(timeout=30)
    except psutil.NoSuchProcess:
        pass
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_an_answer_that_makes_no_sense_is_not_believed(folder, tmp_path, monkeypatch):
    liar = tmp_path / "liar.py"
    words = struct.pack("<II", 2, 4_000_000_000)
    liar.write_text(f"import sys\nsys.stdin.readline()\nsys.stdout.buffer.write({words!r} + b'[]')\n")
    monkeypatch.setattr(child_processes, "_CHILD", liar)
    _, files = find_images(folder / "p00.png")
    (_, answer), = decode_all(folder / "p00.png", files, size=16)
    assert answer.code == "undecodable"


def test_a_child_loads_nothing_that_only_tables_need():
    code = ("import sys; sys.argv = ['child']; sys.path.insert(0, '.')\n"
            "import importlib.util as u; s = u.spec_from_file_location('child', 'medml/data/images/child.py')\n"
            "m = u.module_from_spec(s); s.loader.exec_module(m); m._bare_packages()\n"
            "from medml.data.images import pixels; pixels.load_decoder('dicom'); print(*sys.modules)")
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                         cwd=Path(__file__).resolve().parents[1])
    loaded = set(ran.stdout.split())
    assert {"pydicom", "PIL.Image"} <= loaded
    assert loaded.isdisjoint({"polars", "pandas", "pydantic", "torch", "scipy", "medml.home", "medml.store"})


def test_a_child_reaches_no_other_machine(folder, tmp_path, monkeypatch):
    """A decoder taken over is played by a child that calls out as soon as a picture is opened."""
    monkeypatch.setenv("MEDML_ALLOW_HOSTS", "192.0.2.1")  # for the rest of the program, not for children
    own = Path(child_processes.__file__).with_name("child.py")
    call = ("import socket\n    try:\n        socket.create_connection(('192.0.2.1', 80), 5)\n"
            "    except OSError as error:\n        return {'code': type(error).__name__, 'what': '', 'fix': '', "
            "'refuse': False}, b''\n    try:")
    spy = tmp_path / "spy.py"
    spy.write_text(own.read_text().replace("Path(__file__)", f"Path({str(own)!r})").replace("try:", call, 1))
    monkeypatch.setattr(child_processes, "_CHILD", spy)
    _, files = find_images(folder / "p00.png")
    (_, answer), = decode_all(folder / "p00.png", files, size=16)
    assert answer.code == "Refused"


def test_a_path_never_leads_out_of_the_folder(folder):
    outside = ImageFile("../secret.png", "png", 10, 8, 8)
    with pytest.raises(ValueError, match="leads out"):
        list(decode_all(folder, [outside], size=8))


def test_a_link_put_in_place_of_a_scanned_file_is_not_followed(folder, tmp_path_factory):
    _, files = find_images(folder)
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "other.png"
    Image.fromarray(noise()).save(elsewhere)
    (folder / "p00.png").unlink()
    (folder / "p00.png").symlink_to(elsewhere)
    assert next(decode_all(folder, files, size=8, children=1))[1].code == "link"


@pytest.mark.parametrize("shape", [(100, 50), (50, 100), (10, 400), (64, 64)])
def test_fit_keeps_proportions_on_black(shape):
    picture = fit(np.full(shape, 200, np.uint8), 64, 1)
    rows, cols = (int(np.count_nonzero(picture.max(axis=axis))) for axis in (1, 0))
    assert picture.shape == (64, 64) and max(rows, cols) == 64
    assert rows / cols == pytest.approx(shape[0] / shape[1], rel=0.35 if min(shape) == 10 else 0.02)
    assert set(np.unique(picture)) <= {0, 200}


def test_fit_turns_colours_into_luma_and_grey_into_three():
    colours = np.zeros((8, 8, 3), np.uint8)
    colours[..., 0] = 100
    assert fit(colours, None, 1)[0, 0] == round(0.299 * 100)  # ITU-R BT.601
    assert fit(noise(), 32, 3).shape == (32, 32, 3)


def test_damaged_streams_give_a_picture_or_a_reason(clinical, tmp_path):
    rng = random.Random(4)
    for name in ("MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "JPGExtended.dcm",
                 "SC_rgb_jpeg_dcmtk.dcm", "image_dfl.dcm", "WG04_NM1_JPLL.dcm"):
        whole = (clinical / "dicom" / name).read_bytes()
        for n in range(6):
            turned = bytearray(whole)
            for _ in range(1 + 4 * n):
                turned[rng.randrange(len(turned) // 4, len(turned))] = rng.randrange(256)
            (tmp_path / f"{n}_{name}").write_bytes(turned)
    _, files = find_images(tmp_path)
    answers = [answer for _, answer in decode_all(tmp_path, files, size=32)]
    assert len(answers) == len(files) > 30
    codes = {answer.code for answer in answers if isinstance(answer, Unreadable)}
    assert codes <= {"damaged", "unsupported_type", "too_large"}  # none of them cost a child
