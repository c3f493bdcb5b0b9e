"""What a person says of pictures: a table of labels that lies elsewhere, and the tag that tells patients apart."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from medml import profile
from medml.__main__ import main
from medml.data import find_tables, open_table
from medml.data.images.beside import Labels
from medml.data.images.index import patient_key
from medml.data.images.tags import PATIENT_TAGS, patient_tag
from medml.data.index import shown_from
from medml.errors import UserError
from medml.types import PICTURES
from tests.made_pictures import dicom, png


@pytest.fixture
def films(tmp_path) -> Path:
    """Six films, a table of labels beside them and another one next to their folder."""
    for n in range(6):
        png(tmp_path / "films" / f"film {n}.png", n)
    for place, words in ((tmp_path / "films", ["a", "b"]), (tmp_path, ["sick", "well"])):
        pl.DataFrame({"image": [f"film {n}.png" for n in range(6)], "label": words * 3}).write_csv(place / "list.csv")
    return tmp_path / "films"


def pictures(source: Path, labels: Labels | None = None):
    return next(each for each in find_tables(source, labels=labels)[1] if each.ref.sheet == PICTURES)


def test_labels_may_lie_outside_the_folder_of_the_pictures(films):
    outside = shown_from(films, films.parent / "list.csv")
    table = pictures(films, Labels(file=outside))
    assert outside == table.ref.path == "../list.csv" and table.ref.label == "the pictures with list.csv"
    assert table.frame()["label"].to_list() == ["sick", "well"] * 3
    assert pictures(films).frame()["label"].to_list() == ["a", "b"] * 3
    before = table.sha256()
    assert open_table(films, table.ref).frame().equals(table.frame())
    (films.parent / "list.csv").write_text((films.parent / "list.csv").read_text().replace("sick", "ill"))
    assert open_table(films, table.ref).sha256() != before


def test_the_outcome_is_proposed_from_the_table_that_was_named_and_not_from_folders(films):
    for n, each in enumerate(sorted(films.glob("*.png"))):
        (films / f"box {n % 2}").mkdir(exist_ok=True)
        each.rename(films / f"box {n % 2}" / each.name)
    pl.DataFrame({"image": [f"film {n}.png" for n in range(6)], "seen": ["x", "y"] * 3}).write_csv(
        films.parent / "seen.csv")
    assert pictures(films, Labels(file="../seen.csv")).columns[-1] == "seen"
    assert pictures(films).columns[-1] == "folder"


def test_labels_outside_of_the_folders_that_may_be_read_are_refused(films, monkeypatch):
    monkeypatch.setenv("MEDML_ROOTS", str(films))
    with pytest.raises(UserError, match="outside the folders that MedML may read"):
        find_tables(films, labels=Labels(file="../list.csv"))


def test_the_command_line_takes_labels_from_anywhere(films, tmp_path, medml_home, capsys):
    said = tmp_path / "found.json"
    assert main(["scan", str(films), "--labels", str(films.parent / "list.csv"), "--json", str(said)]) == 0
    tables = json.loads(said.read_text())["tables"]
    assert [each["ref"]["path"] for each in tables if each["pictures"]] == ["../list.csv"]
    (tmp_path / "other.csv").write_text("image,label\nnothing,1\nhere,2\n")
    assert main(["scan", str(films), "--labels", str(tmp_path / "other.csv")]) == 2
    assert "names none of the pictures" in capsys.readouterr().err


# ---- patients by a tag ---------------------------------------------------------------------------------------------

@pytest.fixture
def studies(tmp_path) -> Path:
    """Six DICOM files of one PatientID in three studies, with an accession number in two of them."""
    for n in range(6):
        more = {"AccessionNumber": f"ACC{n // 2}"} if n < 4 else {}
        dicom(tmp_path / f"class {n % 2}" / f"{n}.dcm", n, PatientID="SAME", StudyInstanceUID=f"1.2.{n // 2}", **more)
    return tmp_path


@pytest.mark.parametrize(("tag", "values"), [(None, ["SAME"] * 6), ("StudyInstanceUID", ["1.2.0", "1.2.1", "1.2.2"]),
                                             ("AccessionNumber", ["ACC0", "ACC1", None])])
def test_patients_are_told_apart_by_the_tag_that_is_named_hashed(studies, tag, values):
    table = pictures(studies, Labels(patient_tag=tag))
    every = values if len(values) == 6 else [values[n // 2] for n in (0, 2, 4, 1, 3, 5)]
    assert table.frame()["patient"].to_list() == [each and patient_key(each) for each in every]
    assert table.ref.patient_tag == tag and open_table(studies, table.ref).frame().equals(table.frame())
    of_tags = [name for name in table.columns if name not in ("patient", "picture", "content")]
    assert not {"SAME", "1.2.0", "ACC0"} & {str(cell) for name in of_tags for cell in table.frame()[name]}


def test_a_tag_that_no_picture_holds_is_told_with_those_that_are_filled_in(studies):
    with pytest.raises(UserError, match="No picture here holds ClinicalTrialSubjectID") as told:
        pictures(studies, Labels(patient_tag="ClinicalTrialSubjectID"))
    assert told.value.fix == "Those that are filled in: AccessionNumber, PatientID."


def test_a_tag_is_named_by_word_or_number_and_others_are_refused(studies, medml_home, capsys):
    assert [patient_tag(each) for each in ("studyinstanceuid", "(0008,0050)", "00100020")] == [
        "StudyInstanceUID", "AccessionNumber", "PatientID"]
    from pydicom.datadict import tag_for_keyword
    assert {keyword: tag_for_keyword(keyword) for keyword in PATIENT_TAGS} == PATIENT_TAGS
    assert main(["scan", str(studies), "--patient-tag", "PatientBirthDate"]) == 2
    said = capsys.readouterr().err
    assert "no tag that MedML takes to tell patients apart" in said and "AccessionNumber" in said


def test_a_training_is_split_by_the_tag_that_was_named(studies, medml_home):
    for n in range(6, 30):
        dicom(studies / f"class {n % 2}" / f"{n}.dcm", n, PatientID="SAME", StudyInstanceUID=f"1.2.{n // 2}")
    found = profile.scan(studies, labels=Labels(patient_tag="StudyInstanceUID"))
    choice = profile.propose_choice(found, target="folder")
    assert choice.patient == "patient" and choice.table.patient_tag == "StudyInstanceUID"
    assert found.table(choice.table).repeats.n_patients == 15 and found.table(choice.table).pictures.n == 30
