"""The pictures of a folder as a table: a row each, labels from folders, patients from tags or names of files."""

from __future__ import annotations

import json
import shutil

import polars as pl
import pytest

from medml.data import find_tables, open_table
from medml.data.images import find_images
from medml.data.images.columns import folders_of, own_parts, stems_of
from medml.data.images.table import picture_table
from medml.errors import UserError
from medml.value import PICTURES
from tests.made_pictures import pictures_of, png


@pytest.fixture
def classes(tmp_path):
    """Two classes of four pictures a folder, beside a file that is none."""
    for n in range(8):
        png(tmp_path / ("sick" if n % 2 else "well") / f"scan ({n}).png", n)
    (tmp_path / "notes.md").write_text("# How these were made\n")
    return tmp_path


def test_every_picture_is_a_row_and_its_folder_a_column(classes):
    table = pictures_of(classes)
    frame = table.frame()
    assert (table.ref.path, table.ref.sheet, table.rows) == (".", PICTURES, 8)
    assert table.columns == frame.columns == ["picture", "content", "kind", "frames", "width", "height", "bytes",
                                              "folder"]
    assert frame["folder"].to_list() == ["sick"] * 4 + ["well"] * 4
    assert frame["picture"][0] == "sick/scan (1).png"
    assert frame["width"].unique().to_list() == [16]


def test_opened_again_it_is_the_same_table(classes):
    table = pictures_of(classes)
    again = open_table(classes, table.ref)
    assert again.frame().equals(table.frame())
    assert again.sha256() == table.sha256()
    assert sum(batch.height for batch in again.batches(3)) == 8


def test_a_picture_that_changed_or_moved_changes_the_hash(classes):
    table = pictures_of(classes)
    before = table.sha256()
    assert not table.changed()
    png(classes / "sick" / "scan (1).png", 99)
    assert table.changed()
    other = pictures_of(classes).sha256()
    (classes / "sick" / "scan (1).png").rename(classes / "well" / "scan (1).png")
    assert len({before, other, pictures_of(classes).sha256()}) == 3


def test_equal_files_have_equal_content(classes):
    shutil.copy(classes / "sick" / "scan (1).png", classes / "well" / "copy.png")
    frame = pictures_of(classes).frame(["picture", "content"])
    twins = frame.filter(frame["content"].is_duplicated())["picture"].to_list()
    assert twins == ["sick/scan (1).png", "well/copy.png"]


def test_a_picture_that_calls_itself_a_table_is_none_of_the_pictures(classes):
    png(classes / "x.png").rename(classes / "x.csv")
    entries, tables = find_tables(classes)
    assert tables[-1].rows == 8
    assert {entry.path: entry.reason_code for entry in entries}["x.csv"] == "wrong_extension"


def test_a_folder_of_tables_has_no_table_of_pictures(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "b.bin").write_bytes(bytes(range(256)) * 20)
    entries, tables = find_tables(tmp_path)
    assert [table.ref.label for table in tables] == ["a.csv"]
    assert [entry.reason_code for entry in entries] == [None, "not_a_table"]


@pytest.mark.parametrize("folder", ["images", "dicom"])
def test_every_picture_of_the_corpus_keeps_its_outcome_among_tables(corpus, folder):
    wanted = {entry["file"]: (entry["action"], entry["reason_code"])
              for entry in json.loads((corpus / "manifest.json").read_text()) if entry["file"].startswith(folder + "/")}
    entries, tables = find_tables(corpus / folder)
    found = {f"{folder}/{entry.path}": (entry.action, entry.reason_code) for entry in entries}
    assert {path: found[path] for path in wanted} == wanted
    assert tables[-1].rows == sum(action.startswith("read") for action, _ in wanted.values())


@pytest.mark.parametrize(("paths", "wanted"), [
    (["well/a.png", "sick/b.png", "well/c.png"], {"folder": ["well", "sick", "well"]}),
    (["x/well/a.png", "x/sick/b.png", "x/sick/c.png"], {"folder": ["well", "sick", "sick"]}),
    (["a.png", "sick/b.png", "well/c.png"], {}),
    (["north/well/a.png", "north/sick/b.png", "south/well/c.png", "south/sick/d.png"],
     {"folder": ["well", "sick", "well", "sick"]}),
    (["train/well/a.png", "train/sick/b.png", "test/well/c.png", "test/sick/d.png"],
     {"split": ["train", "train", "test", "test"], "folder": ["well", "sick", "well", "sick"]}),
    (["1/a.png", "2/b.png", "3/c.png"], {}),  # a folder a picture
    (["p1/ST0/SE1/a.dcm", "p1/ST1/SE0/b.dcm", "p2/ST0/SE0/c.dcm"],  # as a disc of DICOM is laid out
     {"folder": ["p1", "p1", "p2"]}),
    (["a/study1/a.png", "a/study2/b.png", "b/study1/c.png"], {"folder": ["a", "a", "b"]}),
    (["grade1/a.png", "grade2/b.png", "grade1/c.png"], {"folder": ["grade1", "grade2", "grade1"]}),
])
def test_which_level_of_folders_is_the_class(paths, wanted):
    found = folders_of(paths, [None] * len(paths))
    assert {name: column.to_list() for name, column in found.items()} == wanted


@pytest.mark.parametrize(("values", "wanted"), [
    (["Train", "val", "testing"], ["train", "val", "test"]),
    (["train", "train", "test"], ["train", "train", "test"]),
    (["train", "valid", "valid"], ["train", "test", "test"]),  # judged on what others were judged on
    (["train", "train"], None), (["val", "test"], None),
    (["A", "B"], None), ([0, 1], None), (["train", "test", None], None)])
def test_a_split_is_one_where_there_is_a_part_to_learn_from_and_one_to_judge_on(values, wanted):
    assert own_parts(values) == wanted


def test_a_folder_a_patient_is_no_class():
    paths = [f"p{n // 3}/study/{n}.dcm" for n in range(12)]
    assert folders_of(paths, [f"key {n // 3}" for n in range(12)]) == {}


@pytest.mark.parametrize(("names", "n_patients"), [
    ([f"{n // 3:08d}_{n % 3:03d}.png" for n in range(30)], 10),
    ([f"person{n // 2}_virus_{n}.jpeg" for n in range(30)], 15),
    ([f"{n // 2}_{'left' if n % 2 else 'right'}.jpeg" for n in range(30)], 15),
    ([f"benign ({n}).png" for n in range(30)], 0),
    ([f"benign_{n}.png" for n in range(30)], 0),
    ([f"{'sick1' if n % 2 else 'well2'}_{n}.png" for n in range(30)], 0),  # two beginnings are two classes
    ([f"20240{1 + n % 9}11_{n:06d}.jpg" for n in range(30)], 0),  # days
    ([f"scan {n}.png" for n in range(28)] + ["0001_1.png", "0002_1.png"], 0),
])
def test_patients_are_told_by_names_of_files_only_where_these_are_built_so(names, n_patients):
    stems = stems_of(names)
    assert len(set(stems) - {None}) == n_patients
    assert not any(stem and stem in name for stem, name in zip(stems, names, strict=True))


def test_real_chest_films_have_the_patients_and_classes_of_their_label_file(clinical):
    source = clinical / "nih_cxr"
    frame = picture_table(source, find_images(source)[1]).frame(["picture", "patient", "folder"])
    known = pl.read_csv(source / "labels.csv", infer_schema=False)
    both = frame.join(known, left_on="picture", right_on="file")
    assert len(both) == 586
    assert both["patient"].n_unique() == both["patient_id"].n_unique() == 410
    assert both.select("patient", "patient_id").unique().height == 410
    assert (both["folder"] == both["label"]).all()
    assert pictures_of(source).columns[7:10] == ["file", "label", "patient_id"]


def test_a_table_that_calls_itself_a_picture_is_read_as_a_table(classes):
    (classes / "list.png").write_text("age,sex,died\n" + "".join(f"{40 + n},f,{n % 2}\n" for n in range(30)))
    entries, tables = find_tables(classes)
    assert [table.ref.label for table in tables] == ["list.png", "the pictures"]
    assert {entry.path: entry.reason_code for entry in entries}["list.png"] == "wrong_extension"


def test_each_picture_is_opened_once_to_look_at_it(classes, monkeypatch):
    from medml.data import files
    from medml.data.images import header

    opened = []

    def counting(path, **how):
        opened.append(path.name)
        return real(path, **how)

    real = files.open_regular
    monkeypatch.setattr(header, "open_regular", counting)
    monkeypatch.setattr(files, "open_regular", counting)
    find_tables(classes)
    assert sorted(name for name in opened if name.endswith(".png")) == sorted(f"scan ({n}).png" for n in range(8))


def test_the_first_rows_need_the_first_files_alone(classes, tmp_path):
    table = pictures_of(classes)
    (classes / "well" / "scan (6).png").unlink()
    assert table.frame(n_rows=3)["content"].n_unique() == 3
    with pytest.raises(UserError, match="gone"):
        table.frame()
