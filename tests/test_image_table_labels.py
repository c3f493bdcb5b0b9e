"""Labels of pictures from a table beside them, joined by file, by SOPInstanceUID or by patient, and from tags."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from medml.data import find_tables, open_table
from medml.data.images.table import ImageTable
from tests.made_pictures import dicom, pictures_of, png


def note_codes(table: ImageTable) -> dict[str, dict[str, float]]:
    return {note.code: note.figures for note in table.notes}


def write(path: Path, **columns: list) -> Path:
    pl.DataFrame(columns).write_csv(path)
    return path


@pytest.mark.parametrize("told", ["{folder}/{name}.png", "C:\\scans\\{name}.png", "./{folder}/{name}.png",
                                  "{name}.png", "{name}", "{name}.dcm"])
def test_a_table_that_names_files_labels_the_pictures(tmp_path, told):
    for n in range(6):
        png(tmp_path / "films" / f"film {n}.png", n)
    names = [told.format(folder="films", name=f"film {n}") for n in reversed(range(6))]
    write(tmp_path / "labels.csv", note=["x"] * 6, image=names, label=["sick", "well"] * 3)
    table = pictures_of(tmp_path)
    assert table.ref.path == "labels.csv"
    assert table.frame(["picture", "label"]).rows() == [(f"films/film {n}.png", "well" if n % 2 == 0 else "sick")
                                                        for n in range(6)]
    assert table.notes == []
    assert open_table(tmp_path, table.ref).frame().equals(table.frame())


def test_rows_and_pictures_without_each_other_are_counted_and_told(tmp_path):
    for n in range(6):
        png(tmp_path / f"film{n}.png", n)
    names = ["film0", "film1", "film2", "film3", "film3", "gone1", "gone2"]
    write(tmp_path / "labels.csv", file=names, label=["a", "b", "a", "b", "a", "b", "a"])
    table = pictures_of(tmp_path)
    assert table.frame()["label"].to_list() == ["a", "b", "a", "b", None, None]
    assert note_codes(table) == {"pictures_without_row": {"pictures": 2}, "rows_without_picture": {"rows": 2},
                                 "pictures_named_twice": {"rows": 1}}
    assert table.notes[0].message == "Two pictures have no row in labels.csv."
    assert table.entry.reason_code == "pictures_without_row"


def test_a_changed_label_changes_the_hash_of_the_pictures(tmp_path):
    for n in range(4):
        png(tmp_path / f"film{n}.png", n)
    write(tmp_path / "labels.csv", file=[f"film{n}" for n in range(4)], label=["a", "b", "a", "b"])
    before = pictures_of(tmp_path).sha256()
    write(tmp_path / "labels.csv", file=[f"film{n}" for n in range(4)], label=["a", "b", "a", "a"])
    assert pictures_of(tmp_path).sha256() != before


def test_dicom_is_labelled_by_the_uid_of_the_picture_or_the_patient(tmp_path):
    for folder, column in (("uid", "SOPInstanceUID"), ("patient", "PatientID")):
        for n in range(6):
            dicom(tmp_path / folder / f"IM{n}", n, PatientID=f"P{n // 2}", SOPInstanceUID=f"1.2.3.{n}")
        keys = [f"1.2.3.{n}" for n in range(6)] if folder == "uid" else ["P0", "P1", "P2"]
        write(tmp_path / folder / "list.csv", **{column: keys, "score": list(range(len(keys)))})
        table = pictures_of(tmp_path / folder)
        assert table.frame()["score"].to_list() == (list("012345") if folder == "uid" else list("001122"))
        assert table.frame()["patient"].n_unique() == 3


def test_the_patient_of_the_label_table_stands_for_the_one_told_by_names(tmp_path):
    for n in range(12):
        png(tmp_path / f"{n // 2:05d}_{n}.png", n)
    assert "patient" in pictures_of(tmp_path).columns
    write(tmp_path / "labels.csv", file=[f"{n // 2:05d}_{n}.png" for n in range(12)],
          patient_id=[f"A{n // 3}" for n in range(12)])
    table = pictures_of(tmp_path)
    assert "patient" not in table.columns
    assert table.frame()["patient_id"].n_unique() == 4


def test_columns_of_one_name_are_told_apart(tmp_path):
    for n in range(4):
        png(tmp_path / f"film{n}.png", n)
    write(tmp_path / "labels.csv", picture=[f"film{n}" for n in range(4)], width=[9, 9, 9, 9], label=list("abab"))
    table = pictures_of(tmp_path)
    assert table.columns == ["picture", "content", "kind", "frames", "width", "height", "bytes",
                             "picture (labels.csv)", "width (labels.csv)", "label"]
    assert table.frame()["width"].to_list() == [16] * 4


def studies(folder: Path) -> None:
    """Twelve films, three a study, two studies a patient."""
    for n in range(12):
        dicom(folder / f"IM{n}", n, PatientID=f"P{n // 6}", StudyInstanceUID=f"1.2.9.{n // 3}",
              AccessionNumber=f"A{n // 3}", SOPInstanceUID=f"1.2.3.{n}")


@pytest.mark.parametrize(("name", "values"), [("StudyInstanceUID", [f"1.2.9.{n}" for n in range(4)]),
                                              ("accession_number", [f"A{n}" for n in range(4)])])
def test_a_table_of_studies_labels_the_pictures_of_each_study_not_of_the_patient(tmp_path, name, values):
    """By the patient the first study's finding would stand for the second, too."""
    studies(tmp_path)
    write(tmp_path / "findings.csv", PatientID=["P0", "P0", "P1", "P1"], **{name: values},
          finding=["none", "effusion", "none", "effusion"])
    table = pictures_of(tmp_path)
    assert table.key == name and table.notes == []
    told = {int(picture[2:]): finding for picture, finding in table.frame(["picture", "finding"]).iter_rows()}
    assert told == {n: "effusion" if n // 3 % 2 else "none" for n in range(12)}
    assert open_table(tmp_path, table.ref).frame().equals(table.frame())


@pytest.mark.parametrize("which", ["a file without a patient", "two patients of one study"])
def test_one_odd_file_does_not_take_the_others_their_studies(tmp_path, which):
    studies(tmp_path)
    odd = {"PatientID": "", "StudyInstanceUID": "1.2.9.1"} if which == "a file without a patient" else \
        {"PatientID": "P9", "StudyInstanceUID": "1.2.9.0"}
    dicom(tmp_path / "IM12", 12, SOPInstanceUID="1.2.3.12", **odd)
    write(tmp_path / "findings.csv", PatientID=["P0", "P0", "P1", "P1"],
          StudyInstanceUID=[f"1.2.9.{n}" for n in range(4)], finding=["none", "effusion"] * 2)
    table = pictures_of(tmp_path)
    told = {int(picture[2:]): finding for picture, finding in table.frame(["picture", "finding"]).iter_rows()}
    assert table.key == "StudyInstanceUID" and [told[n] for n in (3, 4, 5, 9, 10, 11)] == ["effusion"] * 6
    assert told[12] == ("effusion" if which == "a file without a patient" else None)


def test_a_study_that_was_blotted_out_alike_in_every_file_joins_nothing(tmp_path):
    """Programs that take names out often write the same number everywhere: the first row would label all pictures."""
    for n in range(12):
        dicom(tmp_path / f"IM{n}", n, PatientID=f"P{n // 6}", StudyInstanceUID="1.2.0", AccessionNumber="0")
    write(tmp_path / "findings.csv", PatientID=["P0", "P1"], StudyInstanceUID=["1.2.0"] * 2, accession=["0"] * 2,
          finding=["none", "effusion"])
    table = pictures_of(tmp_path)
    assert table.key == "PatientID" and table.frame()["finding"].n_unique() == 2


def test_numbers_that_happen_to_be_those_of_studies_are_no_reason_to_join(tmp_path):
    for n in range(12):
        dicom(tmp_path / f"IM{n}", n, PatientID=f"P{n // 6}", AccessionNumber=str(40 + n // 3))
    write(tmp_path / "patients.csv", age=[40, 41, 42, 43, 44], outcome=["a", "b"] * 2 + ["a"])
    assert pictures_of(tmp_path).labels is None


def test_a_table_of_other_things_is_not_joined(tmp_path):
    for n in range(1, 31):
        png(tmp_path / f"{n}.png", n)
    write(tmp_path / "visits.csv", age=list(range(1, 31)), sex=["f", "m"] * 15)
    assert pictures_of(tmp_path).ref.path == "."
    write(tmp_path / "labels.csv", id=list(range(1, 31)), sex=["f", "m"] * 15)
    assert pictures_of(tmp_path).ref.path == "labels.csv"


def test_answers_of_a_model_that_lie_among_the_pictures_are_no_labels(tmp_path):
    """Those of one picture are written beside it: with 1 of 1 row that names a picture they were joined to all."""
    for n in range(6):
        png(tmp_path / ("sick" if n % 2 else "well") / f"film{n}.png", n)
    said = {"predicted": ["sick"], "abstained": [None], "note": ["internally validated only"]}
    write(tmp_path / "sick" / "film1 answers.csv", picture=["film1.png"], **said)
    alone = pictures_of(tmp_path)
    assert "predicted" not in alone.frame().columns and alone.frame()["folder"].n_unique() == 2
    write(tmp_path / "labels.csv", file=[f"film{n}" for n in range(6)], grade=["a", "b"] * 3)
    assert pictures_of(tmp_path).ref.path == "labels.csv"


@pytest.mark.parametrize(("below", "before"), [
    ("", "Films-v1.0-small/train/"),  # the list was made where the folder lay in others
    ("images/train/", "")])  # it names less of the path than there is
def test_files_of_one_name_in_a_folder_a_study_are_told_by_the_end_of_their_path(tmp_path, below, before):
    rows = ["Path,ill"]
    for n in range(8):
        png(tmp_path / f"{below}patient{n // 2}/study{n % 2}/view1_frontal.png", n)
        rows.append(f"{before}patient{n // 2}/study{n % 2}/view1_frontal.png,{n % 3}")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "list.csv").write_text("\n".join(rows))
    table = pictures_of(tmp_path)
    assert table.key == "Path" and table.frame(["ill"])["ill"].to_list() == [str(n % 3) for n in range(8)]


def test_the_end_of_a_path_that_several_share_labels_none(tmp_path):
    for place in ("a/x/1.png", "b/x/1.png", "a/y/1.png", "b/z/1.png"):
        png(tmp_path / place, len(place))
    (tmp_path / "list.csv").write_text("file,ill\nx/1.png,1\ny/1.png,2\nz/1.png,3\n")
    assert pictures_of(tmp_path).frame(["ill"])["ill"].to_list() == [None, "2", None, "3"]


def test_patients_whose_zeros_a_spreadsheet_took_off_are_found_where_only_one_can_be_meant(tmp_path):
    for n, patient in enumerate(("00012", "00012", "0007", "007", "9")):
        dicom(tmp_path / f"{n}.dcm", n, PatientID=patient)
    (tmp_path / "list.csv").write_text("PatientID,ill\n12,yes\n7,no\n9,no\n")
    assert pictures_of(tmp_path).frame(["ill"])["ill"].to_list() == ["yes", "yes", None, None, "no"]
    (tmp_path / "list.csv").write_text("age,ill\n12,yes\n7,no\n8,no\n")
    assert "ill" not in pictures_of(tmp_path).columns
    (tmp_path / "list.csv").write_text("PatientID,ill\n12,yes\n07,no\n8,no\n")  # here zeros stand as they were typed
    assert "ill" not in pictures_of(tmp_path).columns


def test_files_whose_zeros_a_spreadsheet_took_off_are_found_where_only_one_can_be_meant(tmp_path):
    for n, name in enumerate(("001", "002", "01", "010", "x3")):
        png(tmp_path / f"{name}.png", n)
    ill = "ill\n1,a\n2,b\n10,c\n3,d\n"
    (tmp_path / "list.csv").write_text(f"image,{ill}")
    found = dict(pictures_of(tmp_path).frame(["picture", "ill"]).iter_rows())
    assert found == {"001.png": None, "002.png": "b", "01.png": None, "010.png": "c", "x3.png": None}
    for other in (f"age,{ill}", "image,ill\n1,a\n02,b\n10,c\n3,d\n"):  # no name of files; zeros stand as typed
        (tmp_path / "list.csv").write_text(other)
        assert "ill" not in pictures_of(tmp_path).columns


def test_names_are_found_however_their_letters_are_written_where_only_one_can_be_meant(tmp_path):
    for name in ("IMG_1.PNG", "Img_2.png", "img_3.png", "IMG_3.png"):
        png(tmp_path / "films" / name, len(name))
    (tmp_path / "list.csv").write_text("file,ill\nimg_1.png,a\nIMG_2.PNG,b\nimg_3.png,c\nImg_3.png,d\n")
    found = dict(pictures_of(tmp_path).frame(["picture", "ill"]).iter_rows())
    assert found == {"films/IMG_1.PNG": "a", "films/Img_2.png": "b", "films/img_3.png": "c", "films/IMG_3.png": None}


def test_names_that_two_pictures_share_label_neither(tmp_path):
    for n in range(4):
        for folder in ("a", "b"):
            png(tmp_path / folder / f"film{n}.png", n)
    png(tmp_path / "a" / "only.png", 9)
    write(tmp_path / "labels.csv", file=["a/film0.png", "b/film0.png", "film1.png", "only.png"] * 3,
          label=list("abcd") * 3)
    frame = pictures_of(tmp_path).frame(["picture", "label"]) if pictures_of(tmp_path).ref.path != "." else None
    assert frame is not None
    assert frame.drop_nulls().rows() == [("a/film0.png", "a"), ("a/only.png", "d"), ("b/film0.png", "b")]


def test_tags_that_vary_are_columns_and_identifying_ones_never_are(tmp_path):
    for n in range(6):
        dicom(tmp_path / f"IM{n}", n, PatientID=f"ZZ{n}", PatientName="ZZDoe^Jane", StudyDate="19500201",
              Modality="CR" if n % 2 else "DX", BodyPartExamined="CHEST", ViewPosition="PA" if n < 3 else "AP",
              Manufacturer="Maker", InstitutionName="ZZHospital", StudyDescription="ZZchest")
    table = pictures_of(tmp_path)
    assert table.columns == ["picture", "content", "modality", "view position", "kind", "frames", "width", "height",
                             "bytes", "patient"]
    assert table.frame()["view position"].to_list() == ["PA"] * 3 + ["AP"] * 3
    assert "ZZ" not in table.frame().write_csv() and "1950" not in table.frame().write_csv()


def test_the_table_of_labels_stands_before_the_pictures(tmp_path):
    png(tmp_path / "film0.png")
    png(tmp_path / "film1.png")
    write(tmp_path / "a.csv", file=["film0", "film1"], label=["x", "y"])
    assert [table.ref.label for table in find_tables(tmp_path)[1]] == ["a.csv", "the pictures with a.csv"]


def test_a_list_of_far_more_pictures_than_are_here_labels_those_that_are(tmp_path):
    for n in range(6):
        png(tmp_path / f"film{n + 4000}.png", n)
    write(tmp_path / "all.csv", image_index=[f"film{n}.png" for n in range(5000)], finding=[f"f{n % 3}" for n in
                                                                                          range(5000)])
    table = pictures_of(tmp_path)
    assert table.frame()["finding"].to_list() == [f"f{n % 3}" for n in range(4000, 4006)]
    assert note_codes(table) == {"rows_without_picture": {"rows": 4994}}


def test_a_sheet_of_a_workbook_labels_the_pictures(tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["site", "city"])
    book.active.append(["north", "x"])
    book.active.append(["south", "y"])
    sheet = book.create_sheet("films")
    sheet.append(["file", "label"])
    for n in range(6):
        png(tmp_path / f"film{n}.png", n)
        sheet.append([f"film{n}", n % 2])
    book.save(tmp_path / "labels.xlsx")
    table = pictures_of(tmp_path)
    assert table.ref.label == "the pictures with labels.xlsx"
    assert table.frame()["label"].to_list() == [0, 1, 0, 1, 0, 1]
    assert open_table(tmp_path, table.ref).frame().equals(table.frame())
