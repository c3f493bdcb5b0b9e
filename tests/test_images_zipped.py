"""Pictures in a zip archive are read as those in a folder are, and nothing of them is ever unpacked to one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medml import train
from medml.data import find_tables, open_table
from medml.data.images import Unreadable, entry
from medml.data.images.beside import Labels, open_some
from medml.data.images.zipped import ZipTable
from medml.errors import UserError
from medml.profile import scan, scan_listed
from medml.types import PicturePlan, TableRef
from medml.vision.pixels import Pictures
from medml.watch import Silent
from tests.made_pictures import dicom, pictures_of, png, undecodable
from tests.test_pictures import bars, planned

PLAN = PicturePlan(size=16)


def zipped(folder: Path, archive: Path) -> Path:
    """An archive of all files of a folder, by their places in it."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for each in sorted(folder.rglob("*")):
            if each.is_file():
                made.write(each, each.relative_to(folder).as_posix())
    return archive


def pixels(table, names=None) -> dict[str, bytes]:
    """Name -> its pixels, of those that can be decoded."""
    names = names or [each.path for each in table.images]
    return {names[place]: found.tobytes() for place, found in table.decode(names, PLAN)
            if not isinstance(found, Unreadable)}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """(folder, folder with nothing but its archive): 12 pictures of two classes, DICOM without ending and of 3 frames
    too, one copied, one that cannot be decoded, one cut off, a mask."""
    made, beside = tmp_path_factory.mktemp("films"), tmp_path_factory.mktemp("packed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(tmp_path_factory.mktemp("home")))
        for n in range(10):
            png(made / ("sick" if n % 2 else "well") / f"p{n}.png", n)
        dicom(made / "sick" / "IM0001", 20, frames=3, PatientID="ZZCANARY7")
        dicom(made / "well" / "IM0002", 21, PatientID="ZZCANARY8")
        shutil.copy(made / "sick" / "p1.png", made / "sick" / "p11.png")
        png(made / "well" / "p0_mask.png", 30)
        undecodable(made / "well" / "p90.png")
        (made / "well" / "p91.png").write_bytes((made / "well" / "p2.png").read_bytes()[:90])
        zipped(made, beside / "films.zip")
        yield made, beside


def test_an_archive_gives_the_table_and_the_pixels_that_its_folder_gives(both):
    folder, packed = (pictures_of(each) for each in both)
    assert isinstance(packed, ZipTable) and packed.ref == TableRef(path="films.zip", sheet="pictures")
    assert packed.frame().sort("picture").equals(folder.frame().sort("picture")) and packed.rows == 14
    assert pixels(packed) == pixels(folder) and len(pixels(packed)) == 13
    frames = [f"sick/IM0001#{n}" for n in (1, 2, 3)]
    assert pixels(packed, frames) == pixels(folder, frames) and len(set(pixels(packed, frames).values())) == 3


def test_every_picture_in_an_archive_is_listed_as_one_in_a_folder_is(both):
    listed = [{each.path: (each.action, each.reason_code, each.message, each.kind, each.bytes)
               for each in find_tables(place)[0]} for place in both]
    assert {f"films.zip/{path}": told for path, told in listed[0].items()} == listed[1]
    assert {told[1] for told in listed[1].values()} >= {"mask", "damaged", "duplicate_images", "several_frames"}


def test_what_a_scan_keeps_of_an_archive_names_no_picture_and_no_patient(both):
    profile, named = scan_listed(both[1])
    loose = scan(both[0])
    assert profile.tables[0].pictures == loose.tables[0].pictures and profile.tables[0].pictures.damaged == 1
    stored = profile.model_dump_json()
    assert "ZZCANARY" not in stored and "IM0001" not in stored and "p11" not in stored
    assert next(each for each in named if each.path == "films.zip/well/p90.png").reason_code in ("damaged",
                                                                                                 "undecodable")


def test_a_reference_opens_the_archive_again_and_a_change_of_it_shows(both, tmp_path):
    shutil.copytree(both[1], tmp_path / "in")
    table = pictures_of(tmp_path / "in")
    again = open_table(tmp_path / "in", table.ref)
    assert again.sha256() == table.sha256() and again.contents() == table.contents() and not table.changed()
    some = open_some(tmp_path / "in", table.ref, ["sick/p1.png", "sick/IM0001#2"])
    assert {each.path for each in some.images} == {"sick/p1.png", "sick/IM0001"}
    with zipfile.ZipFile(tmp_path / "in" / "films.zip", "a") as archive:
        archive.writestr("sick/new.png", b"x")
    assert table.changed()


def test_a_table_in_the_archive_labels_its_pictures(tmp_path):
    place = tmp_path / "films"
    for n in range(6):
        png(place / f"scan{n}.png", n)
    (place / "list.csv").write_text("file,diagnosis\n" + "".join(f"scan{n}.png,{'ab'[n % 2]}\n" for n in range(6)))
    (tmp_path / "in").mkdir()
    zipped(place, tmp_path / "in" / "films.zip")
    tables = find_tables(tmp_path / "in")[1]
    assert [(each.ref.sheet, each.rows) for each in tables] == [("list.csv", 6), ("pictures", 6)]
    assert tables[1].frame()["diagnosis"].to_list() == list("ababab")
    assert open_table(tmp_path / "in", tables[1].ref).frame().equals(tables[1].frame())
    with pytest.raises(UserError, match="in that archive alone"):
        (tmp_path / "in" / "other.csv").write_text("file,x\nscan1.png,1\n")
        find_tables(tmp_path / "in", labels=Labels(file="other.csv"))


def test_loose_pictures_and_those_of_two_archives_are_tables_of_their_own(both, tmp_path):
    shutil.copytree(both[0], tmp_path, dirs_exist_ok=True)
    for name in ("one.zip", "two.zip"):
        shutil.copy(both[1] / "films.zip", tmp_path / name)
    tables = find_tables(tmp_path)[1]
    assert [each.ref.path for each in tables] == [".", "one.zip", "two.zip"] and {each.rows for each in tables} == {14}


def test_a_picture_larger_than_one_may_be_is_refused_by_the_list_of_the_archive(tmp_path, monkeypatch):
    png(tmp_path / "made" / "a.png", side=64)
    png(tmp_path / "made" / "b.png", 1, side=8)
    (tmp_path / "in").mkdir()
    zipped(tmp_path / "made", tmp_path / "in" / "x.zip")
    monkeypatch.setattr(entry, "MOST_BYTES", 1000)
    entries, tables = find_tables(tmp_path / "in")
    found = {each.path: (each.action, each.reason_code) for each in entries}
    assert found["x.zip/a.png"] == ("refuse", "too_large") and found["x.zip/b.png"][0].startswith("read")
    assert [each.path for each in tables[0].images] == ["b.png"]


def test_a_picture_that_was_changed_after_the_list_was_made_costs_itself_alone(both, tmp_path):
    content = bytearray((both[1] / "films.zip").read_bytes())
    with zipfile.ZipFile(both[1] / "films.zip") as archive:
        told = archive.getinfo("sick/p3.png")
    content[told.header_offset + 30 + len(told.filename) + 60] ^= 0xFF
    (tmp_path / "films.zip").write_bytes(content)
    table = pictures_of(tmp_path)
    entries = {each.path: each.reason_code for each in find_tables(tmp_path)[0]}
    assert entries["films.zip/sick/p3.png"] == "damaged" and table.rows == 13


def test_after_kill_9_nothing_of_an_archive_is_left_in_any_folder(both, tmp_path):
    code = ("import os, signal, sys, tempfile; from pathlib import Path; from medml.data import files\n"
            "from medml.data.images.entry import entry\n"
            "files.IN_MEMORY = 10\n"
            "held = entry(Path(sys.argv[1]), 'sick/p1.png'); assert held.size() > 100\n"
            "os.kill(os.getpid(), signal.SIGKILL)")
    root = Path(__file__).resolve().parents[1]
    settings = os.environ | {"TMPDIR": str(tmp_path), "MEDML_HOME": str(tmp_path), "PYTHONPATH": str(root)}
    ended = subprocess.run([sys.executable, "-c", code, str(both[1] / "films.zip")], env=settings, check=False)
    assert ended.returncode == -9 and list(tmp_path.iterdir()) == []


def test_the_cases_of_a_training_are_those_of_the_folder(tmp_path, medml_home):
    for at, (each, label) in enumerate(zip(*bars(12), strict=True)):
        place = tmp_path / "loose" / ("standing" if label else "lying")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(each).save(place / f"{100 + at // 2:06d}_{at:03d}.png")
    (tmp_path / "in").mkdir()
    archive = zipped(tmp_path / "loose", tmp_path / "in" / "t.zip")
    loose, packed, alone = (train.prepare_ground(place, *planned(place), watch=Silent()).cases
                            for place in (tmp_path / "loose", tmp_path / "in", archive))
    for cases in (packed, alone):
        assert cases.classes == loose.classes and cases.y.tolist() == loose.y.tolist()
        assert cases.patients.tolist() == loose.patients.tolist() and cases.twins.tolist() == loose.twins.tolist()
        assert np.array_equal(Pictures.of(cases.X["picture"]).read(), Pictures.of(loose.X["picture"]).read())
    assert sorted(each.name for each in (tmp_path / "in").iterdir()) == ["t.zip"]
