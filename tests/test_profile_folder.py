"""What is said of a folder as a whole: that it holds notes alone, that its tables belong together."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from medml import project
from medml.__main__ import main
from medml.profile import propose_choice, scan
from medml.profile.folder import in_common, no_table

NOTE = "Patient came in with cough.\n\nOn examination the lungs were clear.\nFollow up in two weeks.\n"


def rows(head, *columns, n=60):
    return "\n".join([head, *(",".join(str(each(at)) for each in columns) for at in range(n))])


def patient(at):
    return f"M{10000 + at % 60}"


PATIENTS = rows("mrn,age,died", patient, lambda at: 30 + at * 7 % 50, lambda at: ("no", "yes")[at % 3 == 0])
LABS = rows("MRN,crp,wbc", patient, lambda at: at * 37 % 91 / 10, lambda at: at * 53 % 97 / 10, n=180)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "home"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def test_a_folder_of_notes_is_told_that_they_are_notes_and_what_medml_learns_from(folder, capsys):
    for at in range(3):
        (folder / f"{at}.txt").write_text(NOTE)
    found = scan(folder)
    with pytest.raises(Exception) as told:
        propose_choice(found)
    assert told.value.code == "no_table"
    assert told.value.what == "No table could be read here. Three files are text without columns, as notes are."
    assert "table (CSV, Excel, JSON or Parquet) or from pictures, and reads no free text" in told.value.fix
    assert main(["scan", str(folder)]) == 0
    assert told.value.what in (printed := capsys.readouterr().out) and told.value.fix in printed


def on_screen(folder) -> str:
    """The words of the Scan screen of that folder."""
    card = project.create(folder, "Study")
    project.write(card.id, scan(folder))
    page = AppTest.from_file(str(Path(project.__file__).parents[1] / "pages" / "_router.py"), default_timeout=60)
    page.query_params["project"] = card.id
    page = page.run().switch_page("scan.py").run()
    assert not page.exception
    return " ".join(each.proto.body for each in page.get("html"))


def test_the_scan_screen_says_both(folder):
    (folder / "letter.txt").write_text(NOTE)
    assert "One file is text without columns, as a note is." in on_screen(folder)
    (folder / "patients.csv").write_text(PATIENTS)
    (folder / "labs.csv").write_text(LABS)
    assert "“labs.csv” and “patients.csv” share the column “MRN”" in on_screen(folder)


def test_a_table_that_cannot_be_read_is_called_no_note(folder):
    (folder / "a.xlsx").write_bytes(b"PK\x03\x04" + b"\0" * 60)
    (folder / "b.csv").write_text("")
    assert no_table(scan(folder).files).what == "No table could be read here."


def test_tables_that_share_a_key_are_told_to_be_joined_first(folder, capsys):
    (folder / "patients.csv").write_text(PATIENTS)
    (folder / "labs.csv").write_text(LABS)
    said = in_common(scan(folder))
    assert said == "“labs.csv” and “patients.csv” share the column “MRN”, so they may belong together."
    assert main(["scan", str(folder)]) == 0
    assert f"{said} MedML learns from one table at a time and joins none." in capsys.readouterr().out


@pytest.mark.parametrize("other", [PATIENTS, LABS.replace("MRN", "sample"), "age,ward\n" + "40,a\n50,b\n" * 30])
def test_parts_of_one_list_and_tables_that_share_a_mere_value_are_not_told_to_be_joined(folder, other):
    (folder / "patients.csv").write_text(PATIENTS)
    (folder / "other.csv").write_text(other)
    found = scan(folder)
    assert len(found.tables) == 2 and in_common(found) == ""
