"""What a scan keeps of a folder of pictures: counts, never the name of a file, a key or what a tag says of a person."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medml.commands.scan import pictures_in_words
from medml.data.images.image_file import ImageFile
from medml.data.images.twins import Looks, across
from medml.profile import for_owner, scan
from medml.profile.pictures import counted, facts_of, untold
from medml.profile.scan import scan_listed
from pages._ui_pictures import told
from tests.made_pictures import StopAtPixels, dicom, noise, pictures_of, png

SECRETS = ("ZZCANARY", "1950", "ZZDOE", "zzdoe")


def films(folder: Path) -> Path:
    """40 films of 20 patients in two classes; names, tags and EXIF hold canaries, two files are broken."""
    for n in range(40):
        name = f"ZZCANARY-{n // 2:03d}_{n % 2}"
        dicom(folder / ("sick" if n % 4 < 2 else "well") / f"{name}.dcm", n, side=64, PatientID=f"ZZCANARY{n // 2}",
              PatientName="ZZDOE^JANE", PatientBirthDate="19500201", BodyPartExamined="CHEST", Modality="CR",
              StudyDescription="ZZCANARY", BurnedInAnnotation="YES" if n < 3 else "NO")
    (folder / "sick" / "ZZCANARY-cut.dcm").write_bytes((folder / "sick" / "ZZCANARY-000_0.dcm").read_bytes()[:-500])
    made = Image.fromarray(noise(900, 64))
    exif = made.getexif()
    exif[0x8298] = "ZZCANARY owner"
    made.save(folder / "well" / "ZZCANARY Jane 1950-02-01.jpg", exif=exif)
    shutil.copy(folder / "well" / "ZZCANARY-001_0.dcm", folder / "sick" / "ZZCANARY-900_0.dcm")  # the same, other class
    return folder


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    """(profile, entries by name) of the films."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(tmp_path_factory.mktemp("home")))
        return scan_listed(films(tmp_path_factory.mktemp("films")))


def test_no_secret_of_tags_exif_or_names_is_in_the_profile(scanned):
    profile, _ = scanned
    stored = profile.model_dump_json(exclude={"source"})
    assert [secret for secret in SECRETS if secret in stored] == []


def test_pictures_are_told_by_folder_and_reason_and_by_name_to_their_owner(scanned):
    profile, named = scanned
    told = {(each.path, each.action, each.reason_code): each.rows for each in profile.files}
    assert told["sick/", "read_with_warning", "identifiers"] == 18
    assert told["pictures", "skip", "damaged"] == 1
    assert sum(rows for (path, *_), rows in told.items() if path != ".") == 43
    by_name = {each.path: each.reason_code for each in named}
    assert len(by_name) == 43 and by_name["sick/ZZCANARY-cut.dcm"] == "damaged"


def test_a_scan_counts_what_headers_and_pixels_tell(scanned):
    facts = scanned[0].tables[0].pictures
    assert (facts.n, facts.burned_in, facts.chest, facts.own_split, facts.damaged) == (42, 4, True, False, 0)
    assert facts.unread == 1  # the file that is cut off: it is no row, and not said to have been decoded
    assert facts.by["modality"] == {"CR": 41}
    assert facts.by["kind"] == {"dicom": 41, "other": 1}
    assert facts.side == (64, 64, 64)
    assert facts.identifiers["PatientBirthDate"] == 41
    assert (facts.copies, facts.copies_across, facts.near) == (1, 1, 0)


def test_outcome_and_patient_are_proposed_and_all_else_is_left_out(scanned):
    table = scanned[0].tables[0]
    assert [each.column for each in table.targets] == ["folder"]
    assert table.patient.column == "patient"
    assert table.repeats.n_patients == 20
    assert {each.column for each in table.leave_out} == {each.name for each in table.columns} - {
        "picture", "patient", "folder"}
    kinds = {each.name: each.kind for each in table.columns}
    assert (kinds["picture"], kinds["content"], kinds["patient"]) == ("picture", "identifier", "identifier")


def test_of_many_pictures_the_owner_is_named_those_that_cannot_be_read(tmp_path):
    for n in range(210):
        png(tmp_path / ("a" if n % 2 else "b") / f"{n}.png", 1, side=8)
    (tmp_path / "a" / "empty.png").write_bytes(b"")
    (tmp_path / "t.csv").write_text("x,y\n1,2\n3,4\n")
    profile, named = scan_listed(tmp_path)
    told = [(each.path, each.action, each.rows) for each in for_owner(named, profile.files)]
    assert told == [("t.csv", "read", 2), ("a/", "read_with_warning", 105), ("b/", "read_with_warning", 105),
                    (".", "read", 210), ("a/empty.png", "skip", None)]


def test_a_tag_that_gives_the_outcome_away_is_told_and_one_that_never_changes_is_not(tmp_path):
    for n in range(60):
        dicom(tmp_path / ("sick" if n % 2 else "well") / f"{n}.dcm", n, PatientID=f"P{n}",
              Manufacturer="A" if n % 2 else "B", ViewPosition="PA" if n % 3 else "AP")
    table = scan(tmp_path).tables[0]
    remarks = {each.name: [one.code for one in each.suspicions] for each in table.columns if each.suspicions}
    assert remarks == {"manufacturer": ["leak"], "patient": ["identifier"]}


def test_few_patients_by_whom_a_table_is_joined_are_not_named(tmp_path):
    for n in range(36):
        dicom(tmp_path / f"{n}.dcm", n, PatientID=f"ZZDOE{n % 3}")
    (tmp_path / "list.csv").write_text("PatientID,died\nZZDOE0,1\nZZDOE1,0\nZZDOE2,1\n")
    profile = scan(tmp_path)
    table = profile.tables[0]
    assert table.ref.label == "the pictures with list.csv" and table.column("died").distinct == 2
    assert table.column("PatientID").kind == "identifier"
    assert "ZZDOE" not in profile.model_dump_json(exclude={"source"})


def test_the_pass_over_pixels_can_be_stopped_and_all_else_is_kept(tmp_path):
    for n in range(12):
        png(tmp_path / ("a" if n % 2 else "b") / f"{n}.png", n, side=64)
    (tmp_path / "t.csv").write_text("x,y\n1,2\n3,4\n")
    profile = scan(tmp_path, watch=StopAtPixels())
    assert sorted(table.ref.label for table in profile.tables) == ["t.csv", "the pictures"]
    facts = next(table.pictures for table in profile.tables if table.pictures)
    assert "ended early" in untold(facts)[0]
    assert facts.n == 12 and facts.near is None and facts.near_across is None and facts.text_like is None


def test_writing_at_the_borders_is_counted_and_small_pictures_cannot_be_told(tmp_path):
    from PIL import ImageDraw

    for n in range(4):
        made = Image.fromarray(smooth(n, 256) // 3)
        if n < 2:
            ImageDraw.Draw(made).text((6, 6), "WARD SEVEN LEFT SIDE", fill=250, font_size=18)
        made.save(tmp_path / f"{n}.png")
    assert scan(tmp_path).tables[0].pictures.text_like == 2
    small = tmp_path / "small"
    png(small / "a.png")
    png(small / "b.png", 1)
    known = scan(small).tables[0].pictures
    assert known.text_like is None and known.near is None and known.small == 2
    assert untold(known)[0].startswith("Near copies of these pictures cannot be told")
    png(small / "c.png", 2, side=64)
    mixed = scan(small).tables[0].pictures
    assert mixed.near == 0 and untold(mixed)[0].startswith("Near copies of 2 of 3 pictures cannot be told")
    assert "fewer than 64 pixels" in " ".join(pictures_in_words(mixed))
    assert told(mixed)[-1] == ("note", *untold(mixed))


def test_many_pictures_come_first_and_few_after_the_tables(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n1,2\n3,4\n")
    for n in range(19):
        png(tmp_path / f"{n}.png", n)
    assert [table.ref.label for table in scan(tmp_path).tables] == ["t.csv", "the pictures"]
    png(tmp_path / "19.png", 19)
    assert [table.ref.label for table in scan(tmp_path).tables] == ["the pictures", "t.csv"]


def test_a_folder_a_patient_with_their_name_is_not_named(tmp_path):
    for n in range(24):
        dicom(tmp_path / f"ZZDOE{n // 8}" / f"{n}.dcm", n, PatientID=f"ZZDOE{n // 8}")
    stored = scan(tmp_path).model_dump_json(exclude={"source"})
    assert "ZZDOE" not in stored


def test_a_few_files_of_several_frames_are_enough_to_be_asked_about():
    images = [ImageFile(f"{n}.dcm", "dicom", 1, 64, 64, frames=9 if n == 3 else 1) for n in range(60)]
    assert facts_of(images, 10, own_split=False).frames == 2  # the number of one file is not kept
    assert facts_of(images[4:], 10, own_split=False).frames == 1


def test_counts_of_few_files_or_few_patients_stand_together():
    values = ["CR"] * 30 + ["CT"] * 12 + ["MR"] * 3 + [None]
    owners = [f"p{n}" for n in range(30)] + ["one patient"] * 12 + ["a", "b", "c", "d"]
    assert counted(values, owners, 10) == {"CR": 30, "other": 15}
    assert counted([None, ""], ["a", "b"], 10) == {}


def smooth(seed: int, side: int = 96) -> np.ndarray:
    """A picture of soft shapes, as scans are, uint8 (side, side)."""
    coarse = np.random.default_rng(seed).integers(30, 220, (6, 6), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)).copy()


def test_equal_and_nearly_equal_pictures_are_twins_and_others_are_not():
    looks = Looks(6)
    brighter = np.clip(smooth(1).astype(int) + 4, 0, 255).astype(np.uint8)
    for row, pixels in enumerate((smooth(1), smooth(2), smooth(1), brighter, smooth(3))):  # row 5 could not be read
        looks.add(row, pixels)
    twins = looks.twins()
    assert twins.groups[0] == twins.groups[2] == twins.groups[3]
    assert len(set(twins.groups.tolist())) == 4
    assert np.flatnonzero(twins.copy).tolist() == [2]
    assert np.flatnonzero(twins.near).tolist() == [3]
    assert twins.told
    assert across(twins, twins.near, ["sick", None, "well", "well", "well", "well"]) == 1
    assert across(twins, twins.copy, ["sick", None, "sick", "well", "well", "well"]) == 0


def test_near_twins_of_small_pictures_cannot_be_told_but_copies_can():
    looks = Looks(3)
    for row, seed in enumerate((1, 1, 2)):
        looks.add(row, smooth(seed, 28))
    twins = looks.twins()
    assert not twins.told and twins.copy.tolist() == [False, True, False]


def test_one_scan_under_two_classes_is_found_in_real_ultrasound(clinical, tmp_path):
    """BUSI's benign_131 and malignant_51 show one lesion, looked at by eye; benign_102 and normal_98 others."""
    for name in ("benign/benign_131", "benign/benign_102", "malignant/malignant_51", "normal/normal_98"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(clinical / "busi_ultrasound" / "images" / f"{name}.jpg", tmp_path / f"{name}.jpg")
    table = pictures_of(tmp_path)
    looks = Looks(4)
    for row, pixels in table.whole():
        looks.add(row, pixels)
    groups = dict(zip(table.frame(["picture"])["picture"], looks.twins().groups.tolist(), strict=True))
    assert groups["benign/benign_131.jpg"] == groups["malignant/malignant_51.jpg"]
    assert len(set(groups.values())) == 3
