"""Data from elsewhere that is unlike what was asked for: a handful of patients, unreadable columns, odd names."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import pytest
from tables import clinic, planned, saved

from medml import export, gallery, outside
from medml.__main__ import main
from medml.commands.evaluate import mapped
from medml.errors import UserError
from medml.evaluate.catalogue import INTERNAL
from medml.report.content import document_of
from medml.train import train
from medml.types import External

ODD = "pressure>=0"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(run, folder of its capsule unpacked, home); one of its columns has "=" in its name."""
    place = tmp_path_factory.mktemp("strange")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(place / "home"))
        source = saved(clinic().rename(columns={"pressure": ODD}), place / "own")
        run = train(source, *planned(source))
        assert main(["export", run, "--capsule", str(place / "capsule.zip")]) == 0
        with zipfile.ZipFile(place / "capsule.zip") as archive:
            archive.extractall(place / "unpacked")
        yield run, place / "unpacked", place / "home"


@pytest.fixture(autouse=True)
def at_home(made, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(made[2]))


def theirs(n: int = 120):
    """Patients 25 years older, with identifiers of their own."""
    table = clinic(n, seed=7).rename(columns={"pressure": ODD})
    return table.assign(age=table["age"] + 25, patient_id=[f"X{place:05d}" for place in range(n)])


def there(made, table, *more: str, to=None) -> subprocess.CompletedProcess:
    """What validate.py says of that file."""
    return subprocess.run([sys.executable, made[1] / "validate.py", table, *more, "--out",
                           to or table.with_suffix(".json")], capture_output=True, text=True, check=False)


def evaluated(made, folder, *more: str) -> External:
    """What the command keeps of that folder."""
    assert main(["evaluate", made[0], str(folder), *more, "--json", str(folder.parent / "told.json")]) == 0
    return External.model_validate(json.loads((folder.parent / "told.json").read_text())["external"])


def test_a_handful_of_patients_takes_no_stamp_away(made, tmp_path):
    saved(theirs(29), tmp_path / "few")
    assert outside.validate(made[0], tmp_path / "few", draws=100).metrics["auroc"].value is not None
    report = gallery.open_run(made[0]).report
    check = next(each for each in report.checks if each.id == "X1")
    assert check.verdict == "could_not_tell" and "29 patients" in check.what and "30" in check.fix
    assert INTERNAL in report.stamps
    saved(theirs(30), tmp_path / "enough")
    outside.validate(made[0], tmp_path / "enough", draws=100)
    assert INTERNAL not in gallery.open_run(made[0]).report.stamps


def test_a_column_of_which_nothing_can_be_read_there_is_named(made, tmp_path, capsys):
    table = theirs()
    saved(table.assign(age="about " + table["age"].astype(str)), tmp_path / "there")
    found = evaluated(made, tmp_path / "there")
    said = capsys.readouterr().out
    assert "[caution] Nothing could be read in the column “age” there: it counted as missing in every row." in said
    assert found.absent == ["age"]
    assert "Nothing could be read in the column “age” there" in words_of(made[0])


def words_of(run: str) -> str:
    return " ".join(each.text for each in document_of(gallery.open_run(run)).blocks if hasattr(each, "text"))


def test_a_capsule_names_such_a_column_too(made, tmp_path):
    table = theirs()
    path = saved(table.assign(age="about " + table["age"].astype(str)), tmp_path / "there")
    ran = there(made, path)
    assert ran.returncode == 0 and "Nothing could be read in: age" in ran.stderr
    assert export.take_back(made[0], path.with_suffix(".json")).absent == ["age"]
    told = json.loads(path.with_suffix(".json").read_text())
    told["external"]["absent"] = ["P00017"]
    path.with_suffix(".json").write_text(json.dumps(told))
    with pytest.raises(UserError):
        export.take_back(made[0], path.with_suffix(".json"))


def test_a_name_of_ours_may_hold_an_equals_sign(made, tmp_path):
    pair = f"RR={ODD}"
    assert mapped([pair], ["age", ODD]) == {"RR": ODD} and mapped(["a=b=age"], ["age", ODD]) == {"a=b": "age"}
    assert mapped(["a=b"]) == {"a": "b"} and mapped(["a=b=c"], ["age"]) == {"a=b": "c"}
    path = saved(theirs().rename(columns={ODD: "RR"}), tmp_path / "there")
    assert evaluated(made, path.parent, "--map", pair).renamed == {"RR": ODD}
    assert there(made, path, "--map", pair).returncode == 0


def test_a_column_that_is_called_as_ours_gives_way_to_the_one_that_was_named(made, tmp_path):
    """Their "age" may be a code: the clinician said that "years" is the age."""
    path = saved(theirs().assign(years=theirs()["age"], age="A"), tmp_path / "there")
    found = evaluated(made, path.parent, "--map", "years=age")
    assert found.absent == [] and found.renamed == {"years": "age"}
    assert there(made, path, "--map", "years=age").returncode == 0
    back = export.take_back(made[0], path.with_suffix(".json"))
    assert back.metrics["auroc"].value == pytest.approx(found.metrics["auroc"].value, abs=1e-5)


def test_a_pair_that_names_no_column_there_is_refused(made, tmp_path, capsys):
    path = saved(theirs(), tmp_path / "there")
    assert main(["evaluate", made[0], str(path.parent), "--map", "yeers=age"]) == 2
    assert "has no column “yeers”" in capsys.readouterr().err
    ran = there(made, path, "--map", "yeers=age")
    assert ran.returncode == 1 and "no column yeers" in ran.stderr and "Traceback" not in ran.stderr
    assert "does not say" in there(made, path, "--map", "age").stderr


def test_a_capsule_reads_what_excel_writes_and_says_what_it_cannot_judge(made, tmp_path):
    table = theirs().assign(sex="männlich")
    for name, encoding in (("west", "cp1252"), ("both", "utf-16"), ("all", "utf-8-sig")):
        path = tmp_path / f"{name}.csv"
        path.write_bytes(table.rename(columns={"age": " age "}).to_csv(index=False).encode(encoding))
        ran = there(made, path)
        assert ran.returncode == 0, ran.stderr
    nobody = saved(table.assign(outcome="perhaps"), tmp_path / "nobody")
    ran = there(made, nobody)
    assert ran.returncode == 1 and "Traceback" not in ran.stderr
    assert "No row has an outcome that the model knows" in ran.stderr and "outcome" in ran.stderr


def test_what_cannot_be_judged_there_is_said_plainly(made, tmp_path, capsys):
    source = saved(clinic().drop(columns="outcome"), tmp_path / "own")
    number = train(source, *planned(source, target="age"))
    for run, table, said in (
            (made[0], theirs().assign(outcome="perhaps"), "No row there has an outcome that the model knows: 0, 1."),
            (number, clinic(120, seed=7).assign(age="old"), "No row there has a number in “age”."),
            (made[0], theirs().assign(outcome=1), "Every row there has the same outcome")):
        saved(table, tmp_path / "there")
        assert main(["evaluate", run, str(tmp_path / "there")]) == 2
        assert said in capsys.readouterr().err
