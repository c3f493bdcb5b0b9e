"""All of MedML's folder in one file, and back: whole or not at all, and never over anything."""

from __future__ import annotations

import json
import os
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from tables import clinic, saved, trained_once

from medml import backup, copilot, gallery, home, project, store
from medml.__main__ import main
from medml.errors import UserError


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """(backup file, run, project, the clinician's folder) of a home with a run, a project and a question."""
    place = tmp_path_factory.mktemp("kept")
    with trained_once(place) as run:
        made = project.create(place / "own", "Ward study")
        copilot.remember(made.id, "scan", "Is there enough data?", copilot.Answer(text="- a\nNext step: b.",
                                                                                  tier="adviser"))
        home.ensure(home.work_folder("half-done-job")).joinpath("part").write_bytes(b"half")
        file = place / "medml.backup"
        assert main(["backup", str(file)]) == 0
        yield file, run, made.id, place / "own"


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "fresh"))
    return tmp_path / "fresh"


def test_everything_is_there_again(kept, empty, capsys, tmp_path):
    file, run, made, own = kept
    assert main(["restore", str(file)]) == 0
    assert "files are back in" in capsys.readouterr().out
    assert [each.run for each in gallery.runs()] == [run] and not gallery.runs()[0].unusable
    assert project.get(made).name == "Ward study" and [each.question for each in copilot.turns(made)] == [
        "Is there enough data?"]
    assert not (empty / "work" / "half-done-job").exists()
    new = saved(clinic(30, seed=5).drop(columns="outcome"), tmp_path / "new", "new.csv")
    assert main(["predict", run, str(new), "--out", str(tmp_path / "answers.csv")]) == 0
    assert len((tmp_path / "answers.csv").read_text().splitlines()) == 31


def test_the_database_comes_back_where_this_machine_keeps_its_own(kept, empty, tmp_path, monkeypatch):
    file, _, made, _ = kept
    monkeypatch.setenv("MEDML_STATE", str(tmp_path / "state"))
    backup.restore(file)
    assert [each.question for each in copilot.turns(made)] == ["Is there enough data?"]
    assert not (empty / "medml.db").exists()
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "another"))
    with pytest.raises(UserError) as refused:
        backup.restore(file)
    assert refused.value.code == "not_empty" and "MEDML_STATE" in refused.value.fix


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_rename_that_fails_brings_nothing_back(kept, empty, monkeypatch, n):
    renames, plain = [], os.replace

    def replaced(one, other):
        renames.append(one)
        if len(renames) == n:
            raise OSError(5, "Input/output error")
        plain(one, other)
    monkeypatch.setattr(backup.os, "replace", replaced)
    with pytest.raises(OSError):
        backup.restore(kept[0])
    assert list(home.home().iterdir()) == []
    assert backup.restore(kept[0])


def test_the_keys_come_along_so_that_cases_are_known_again(kept, empty):
    file, run, _, _ = kept
    backup.restore(file)
    with zipfile.ZipFile(file) as archive:
        assert archive.read("keys/secret") == home.secret()
    sealed = np.load(next((empty / "runs" / run / "private").glob("*.npz")), allow_pickle=False)
    assert sealed.files
    if os.name == "posix":
        assert {each.stat().st_mode & 0o077 for each in empty.rglob("*") if each.is_file()} == {0}


def test_a_backup_that_would_fill_the_disk_is_refused_before_its_first_byte(kept, empty, monkeypatch):
    """A bomb of a few kilobytes says how large it is, too."""
    monkeypatch.setattr(backup.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    monkeypatch.setattr(backup, "take", None)
    with pytest.raises(UserError, match="disk"):
        backup.restore(kept[0])
    assert list(empty.iterdir()) == []


def test_nothing_is_ever_written_over(kept, empty):
    home.write_bytes(home.home() / "precision.json", b"{}")
    with pytest.raises(UserError, match="holds MedML's files already"):
        backup.restore(kept[0])
    assert [each.name for each in empty.iterdir()] == ["precision.json"]


@pytest.mark.parametrize("change", ["flip", "cut", "more", "less", "path", "absolute", "newer", "no zip"])
def test_a_file_that_is_not_whole_restores_nothing(kept, empty, tmp_path, change):
    file = tmp_path / "odd.backup"
    with zipfile.ZipFile(kept[0]) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    told = json.loads(held[backup.MANIFEST])
    report = next(name for name in held if name.endswith("report.json"))
    if change == "flip":
        held[report] = held[report][:-1] + b" "
    elif change == "more":
        held["runs/more.json"] = b"{}"
    elif change == "less":
        del held[report]
    elif change in ("path", "absolute"):
        name = "../outside" if change == "path" else "/tmp/outside"
        held[name], told["files"][name] = b"x", told["files"][report]
    elif change == "newer":
        told["format"] = backup.FORMAT + 1
    held[backup.MANIFEST] = json.dumps(told).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    if change in ("cut", "no zip"):
        file.write_bytes(file.read_bytes()[:-200] if change == "cut" else b"no zip at all")
    with pytest.raises(UserError, match="newer MedML" if change == "newer" else "Nothing was restored"):
        backup.restore(file)
    assert list(empty.iterdir()) == [] and not (tmp_path / "outside").exists()


def test_a_backup_beside_work_that_goes_on_holds_the_database_as_it_stood(empty, tmp_path, monkeypatch):
    """Another connection writes and does not commit; what it writes is not in the copy, and the copy is whole."""
    store.submit("job-number-one", "scan", "quick", {})
    with store.connect(write=True) as db:
        db.execute("UPDATE jobs SET kind = 'changed'")
        backup.backup(tmp_path / "while.backup")
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "other"))
    backup.restore(tmp_path / "while.backup")
    assert store.get("job-number-one").kind == "scan"


@pytest.mark.parametrize("inside", [True, False])
def test_a_backup_is_not_put_where_it_would_be_lost_or_destroy_something(kept, inside, medml_home, capsys):
    place = home.home() / "copy.zip" if inside else home.home() / "gone" / "copy.zip"
    assert main(["backup", str(place)]) == 2
    assert capsys.readouterr().err and not place.exists()


def test_a_full_disk_leaves_nothing_behind(medml_home, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup.os, "fsync", full)
    with pytest.raises(UserError, match="disk"):
        backup.backup(tmp_path / "copy.zip")
    assert not list(tmp_path.glob("*copy*"))



def test_a_backup_is_written_over_an_older_one_alone(medml_home, tmp_path, capsys):
    """A slip of the completion: `backup clinic.csv`, or the name of a folder."""
    table, place = saved(clinic(20), tmp_path), tmp_path / "copy.zip"
    before = table.read_bytes()
    theirs = tmp_path / "scans.zip"
    with zipfile.ZipFile(theirs, "w") as archive:
        archive.writestr("scan.dcm", b"theirs")
    for each in (table, theirs):
        assert main(["backup", str(each)]) == 2
        assert f"“{each.name}” is there already, and is no backup of MedML" in capsys.readouterr().err
    assert table.read_bytes() == before and zipfile.ZipFile(theirs).namelist() == ["scan.dcm"]
    assert main(["backup", str(tmp_path)]) == 2 and "is a folder" in capsys.readouterr().err
    place.touch()  # as mktemp makes it
    assert [main(["backup", str(place)]) for _ in range(2)] == [0, 0] and backup.is_one(place)
