"""Pixels of the pictures of a table: every position once, one size, one number of channels; .npz read as it stands."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medml.data import find_tables, open_table
from medml.data.images import Unreadable, Window
from medml.data.images.table import window_of
from medml.errors import Stopped, UserError
from medml.types import PicturePlan
from medml.watch import Silent
from tests.made_pictures import dicom, noise, pictures_of, png

PLAN = PicturePlan(size=16, frames="first")


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A grey PNG, a DICOM file, one of three frames, and a PNG whose pixels are damaged, which a header cannot tell."""
    folder = tmp_path_factory.mktemp("mixed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(tmp_path_factory.mktemp("home")))
        png(folder / "a.png", 1)
        dicom(folder / "b.dcm", 2)
        dicom(folder / "c.dcm", 3, frames=3)
        broken = bytearray(dicom(folder / "d.dcm", 4).read_bytes())
        table = pictures_of(folder)
        whole = (folder / "d.dcm").read_bytes()
        (folder / "d.dcm").write_bytes(bytes(broken[:-40]))
        yield table
        (folder / "d.dcm").write_bytes(whole)


def test_every_position_is_answered_once_with_pixels_or_a_reason(mixed):
    names = ["c.dcm", "a.png", "d.dcm", "a.png", "b.dcm"]
    found = dict(mixed.decode(names, PLAN))
    assert sorted(found) == [0, 1, 2, 3, 4]
    assert isinstance(found[2], Unreadable) and found[2].code == "damaged"
    for position in (0, 1, 3, 4):
        assert found[position].shape == (16, 16, 1) and found[position].dtype == np.uint8
    assert (found[1][..., 0] == noise(1)).all() and (found[3] == found[1]).all()
    assert np.corrcoef(found[4].ravel(), noise(2).ravel())[0, 1] > 0.999


def test_each_frame_is_a_row_of_its_own_where_that_is_wanted(mixed):
    spread = mixed.each_frame(mixed.frame(["picture", "kind"]))
    assert spread["picture"].to_list() == ["a.png", "b.dcm", "c.dcm#1", "c.dcm#2", "c.dcm#3", "d.dcm"]
    found = dict(mixed.decode(spread["picture"], PLAN.model_copy(update={"frames": "all"})))
    assert len(found) == 6
    for position, seed in ((2, 3), (3, 1003), (4, 2003)):
        assert np.corrcoef(found[position].ravel(), noise(seed).ravel())[0, 1] > 0.999
    middle = dict(mixed.decode(["c.dcm"], PLAN.model_copy(update={"frames": "middle"})))
    assert (middle[0] == found[3]).all()


def test_frames_of_one_file_are_no_copies_and_stay_together(tmp_path):
    dicom(tmp_path / "a.dcm", 1, frames=2)
    dicom(tmp_path / "b.dcm", 2, PatientID="P1")
    table = pictures_of(tmp_path)
    spread = table.each_frame(table.frame())
    assert spread["content"].n_unique() == 3
    whose = dict(zip(spread["picture"], spread["patient"], strict=True))
    assert whose["a.dcm#1"] == whose["a.dcm#2"] != whose["b.dcm"]
    assert whose["b.dcm"] == table.frame()["patient"][1]


def test_channels_and_size_are_the_same_for_all(mixed):
    found = dict(mixed.decode(["a.png", "b.dcm"], PicturePlan(size=24), channels=3))
    assert [each.shape for each in found.values()] == [(24, 24, 3)] * 2


def test_one_coloured_picture_makes_all_three_channels(tmp_path):
    png(tmp_path / "a.png")
    assert pictures_of(tmp_path).channels == 1
    Image.fromarray(np.stack([noise(1)] * 3, axis=-1)).save(tmp_path / "b.png")
    assert pictures_of(tmp_path).channels == 3


def test_decoding_stops_when_told(mixed):
    class Stopping(Silent):
        def stopping(self):
            return True

    with pytest.raises(Stopped):
        list(mixed.decode(["a.png", "b.dcm"], PLAN, Stopping()))


@pytest.mark.parametrize(("text", "wanted"), [
    (None, None), ("lung", Window(-600, 1500)), ("Soft tissue", Window(50, 400)), ("40,80", Window(40, 80)),
    ("-600.5, 1500", Window(-600.5, 1500))])
def test_a_window_is_a_preset_or_two_numbers(text, wanted):
    assert window_of(text) == wanted


@pytest.mark.parametrize("text", ["liver", "40", "40,0", "40,80,1", "a,b", "nan,80"])
def test_anything_else_is_no_window(text):
    with pytest.raises(UserError, match="no window"):
        window_of(text)


# ---- MedMNIST's layout -----------------------------------------------------------------------------------------

def archive(path: Path, n: int = 6, shape: tuple[int, ...] = (28, 28), labels: int = 1) -> dict[str, np.ndarray]:
    """An .npz of three parts; what it holds."""
    rng = np.random.default_rng(0)
    held = {}
    for part in ("train", "val", "test"):
        held[f"{part}_images"] = rng.integers(0, 255, (n, *shape), dtype=np.uint8)
        held[f"{part}_labels"] = rng.integers(0, 2, (n, labels), dtype=np.uint8)
    np.savez_compressed(path, **held)
    return held


def test_an_archive_is_a_table_with_its_own_split(tmp_path):
    held = archive(tmp_path / "some.npz")
    entries, tables = find_tables(tmp_path)
    assert [(each.path, each.kind, each.action, each.rows) for each in entries] == [("some.npz", "npz", "read", 18)]
    frame = tables[0].frame()
    assert frame.columns == ["picture", "content", "split", "label"]
    assert frame["picture"].to_list()[5:8] == ["train/5", "val/0", "val/1"]
    assert frame["split"].value_counts()["count"].to_list() == [6, 6, 6]
    assert (frame["label"].to_numpy() == np.concatenate([held[f"{part}_labels"][:, 0] for part in
                                                         ("train", "val", "test")])).all()
    again = open_table(tmp_path / "some.npz", tables[0].ref)
    assert again.frame().equals(frame) and again.sha256() == tables[0].sha256()


def test_pixels_of_an_archive_are_those_that_numpy_reads(tmp_path):
    held = archive(tmp_path / "some.npz")
    table = pictures_of(tmp_path)
    names = ["test/3", "train/0", "test/3", "val/5"]
    found = dict(table.decode(names, PicturePlan(size=28)))
    for position, (part, n) in enumerate((("test", 3), ("train", 0), ("test", 3), ("val", 5))):
        assert (found[position][..., 0] == held[f"{part}_images"][n]).all()
    assert next(iter(table.decode(["val/1"], PicturePlan(size=64), channels=3)))[1].shape == (64, 64, 3)


def test_coloured_archives_and_several_labels_are_read(tmp_path):
    held = archive(tmp_path / "some.npz", shape=(28, 28, 3), labels=14)
    table = pictures_of(tmp_path)
    assert (table.channels, table.columns[-1]) == (3, "label 14")
    assert (dict(table.decode(["train/2"], PicturePlan(size=28)))[0] == held["train_images"][2]).all()


def test_arrays_that_are_no_pictures_are_left_out_with_their_reason(tmp_path):
    np.savez(tmp_path / "other.npz", x=np.arange(3))
    for name, shape, n in (("volumes", (2, 8, 8, 8), 2), ("short", (2, 8, 8), 3)):
        np.savez(tmp_path / f"{name}.npz", train_images=np.zeros(shape, np.uint8), train_labels=np.zeros((n, 1), int))
    archive(tmp_path / "cut.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "cut.npz").read_bytes()[:-200])
    np.savez_compressed(tmp_path / "bomb.npz", train_images=np.zeros((600, 256, 256), np.uint8),
                        train_labels=np.zeros((600, 1), np.uint8))
    hidden = io.BytesIO()
    np.save(hidden, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(tmp_path / "objects.npz", "w") as made:
        for name in ("train_images.npy", "train_labels.npy"):
            made.writestr(name, hidden.getvalue())
    entries, tables = find_tables(tmp_path)
    assert {entry.path: (entry.action, entry.reason_code) for entry in entries} == {
        "other.npz": ("skip", "not_a_table"), "volumes.npz": ("skip", "not_a_table"),
        "short.npz": ("skip", "not_a_table"), "cut.npz": ("skip", "damaged"),
        "bomb.npz": ("refuse", "expands_too_much"), "objects.npz": ("skip", "damaged")}
    assert tables == []


def test_real_pneumonia_films_come_with_their_official_split(clinical):
    table = find_tables(clinical / "pneumoniamnist")[1][0]
    counts = table.frame(["split", "label"]).group_by("split", "label").len().sort("split", "label").rows()
    assert counts == [("test", 0, 234), ("test", 1, 390), ("train", 0, 1214), ("train", 1, 3494), ("val", 0, 135),
                      ("val", 1, 389)]
    assert table.rows - len(set(table.contents())) >= 18  # copies among the training films, as its source says
