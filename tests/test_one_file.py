"""A run as one file, out of one gallery and into another: whole or not at all, and nothing in it is believed unseen."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from packed import changed, twin, unzipped, zipped
from tables import clinic, planned, saved

from medml import gallery, home, one_file, outside, rights
from medml.__main__ import main
from medml.brought import STAMP
from medml.commands._options import source_of
from medml.errors import UserError
from medml.export.package import own_rows
from medml.predict import Predictor
from medml.train import train
from medml.types import SplitPlan


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(the table, [(id, its file, its predictions)] of three families)."""
    place = tmp_path_factory.mktemp("elsewhere")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(place / "home"))
        source, made = saved(clinic(120), place), []
        for family, params in (("logistic", {}), ("boosting", {"trees": 5}), ("mlp", {"epochs": 3})):
            run = train(source, *planned(source, family=family, params=params))
            made.append((run, one_file.pack(run), predicted(run, source)))
        yield source, made


@pytest.fixture
def packed(trained) -> bytes:
    """The file of the logistic regression."""
    return trained[1][0][1]


def predicted(run: str, source: Path) -> np.ndarray:
    predictor = Predictor.of(run)
    return predictor.predict(predictor.read(source).X)


def brought(content: bytes) -> str:
    return one_file.bring(io.BytesIO(content))


def left() -> list[str]:
    return sorted(each.name for each in home.runs_folder().iterdir())


def test_a_run_of_another_gallery_is_opened_says_where_it_is_from_and_predicts_the_same(trained, medml_home):
    for run, content, said in trained[1]:
        assert brought(content) == run
        assert STAMP in gallery.open_run(run).report.stamps
        assert np.array_equal(predicted(run, trained[0]), said)
    assert left() == sorted(run for run, *_ in trained[1])
    assert all(STAMP in each.stamps and not each.unusable for each in gallery.runs())


def test_what_was_brought_in_is_judged_elsewhere_and_taken_out_again_but_not_trained_on(trained, medml_home, capsys):
    source, made = trained
    run, content, _ = made[2]
    brought(content)
    again = {name: each for name, each in unzipped(one_file.pack(run)).items() if not name.endswith("brought.json")}
    assert again == unzipped(content)
    other = saved(clinic(90, seed=7), medml_home / "elsewhere")
    assert main(["evaluate", run, str(other)]) == 0
    capsys.readouterr()
    assert main(["continue", run, "--epochs", "2", "--source", str(source)]) == 2
    assert "who was in which fold" in capsys.readouterr().err


def test_by_the_command_line_out_of_one_home_and_into_another(trained, medml_home, tmp_path, monkeypatch, capsys):
    run = brought(trained[1][0][1])
    assert main(["export", run, "--whole", str(tmp_path / "run.zip")]) == 0
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "another"))
    assert main(["bring", str(tmp_path / "run.zip")]) == 0
    assert f"Note: {STAMP}." in capsys.readouterr().out and left() == [run]


def test_a_run_that_is_here_is_left_as_it_is(packed, medml_home):
    run = brought(packed)
    gallery.rename(run, name="Mine")
    with pytest.raises(UserError, match="already"):
        brought(packed)
    assert gallery.open_run(run).label.name == "Mine" and left() == [run]


def test_of_a_run_that_is_here_and_others_own_nothing_is_said_that_cannot_be_seen(packed, medml_home, monkeypatch):
    """“Delete this one first” was said to somebody who neither sees it nor may delete it."""
    who = {"now": rights.Person("a1", "Ada", "clinician", ("cardiology",))}
    monkeypatch.setattr(rights, "_who", lambda: who["now"])
    run = brought(packed)
    with pytest.raises(UserError, match="in the Gallery") as mine:
        brought(packed)
    who["now"] = rights.Person("a2", "Bea", "clinician", ("surgery",))
    assert not gallery.is_there(run)
    with pytest.raises(UserError) as theirs:
        brought(packed)
    said = f"{theirs.value.what} {theirs.value.fix}"
    assert "delete this one" in mine.value.fix and "delete" not in said and "Gallery" not in said
    assert "Ada" not in said and "cardiology" not in said and run not in said
    assert "administrator" in said and "Nothing was changed" in said and left() == [run]


def test_how_often_a_closed_part_was_looked_at_elsewhere_is_not_told_and_it_stays_closed(tmp_path, medml_home, capsys):
    source = saved(clinic(200), tmp_path)
    run = train(source, *planned(source, family="logistic", split=SplitPlan(by="row", scheme="held_out")))
    content = one_file.pack(run)
    gallery.delete(run)
    brought(content)
    told, = (each for each in gallery.open_run(run).report.checks if each.id == "L10")
    assert told.verdict == "could_not_tell" and "where it was made" in told.what
    assert main(["open", run, "--source", str(source)]) == 2 and "fold" in capsys.readouterr().err
    assert not list((medml_home / "vault").glob("*.json"))


def test_two_runs_lie_side_by_side(packed, medml_home):
    run = brought(packed)
    assert brought(twin(run)) == f"{run[:-12]}{'0' * 12}" and len(left()) == 2


def run_of(files: dict[str, bytes]) -> str:
    return next(iter(files)).split("/")[0]


def a_byte_of(name: str):
    """Of the first file that ends so, the last byte but one is another."""
    def change(files: dict[str, bytes]) -> None:
        found = next(each for each in files if each.endswith(name))
        files[found] = files[found][:-2] + bytes([files[found][-2] ^ 1]) + files[found][-1:]
    return change


def more(name: str, content: bytes = b"{}"):
    """One file more, in the run's folder."""
    return lambda files: files.update({f"{run_of(files)}/{name}": content})


def without(name: str):
    return lambda files: files.pop(f"{run_of(files)}/{name}")


def told(file: str, **said: object):
    """A JSON file that says something else."""
    def change(files: dict[str, bytes]) -> None:
        at = f"{run_of(files)}/{file}"
        files[at] = json.dumps(json.loads(files[at]) | said).encode()
    return change


def elsewhere(files: dict[str, bytes], source: str) -> None:
    """The profile names another place, and the manifest has its new hash."""
    told("profile.json", source=source)(files)
    top = run_of(files)
    known = json.loads(files[f"{top}/manifest.json"])["files"]
    sealed = hashlib.sha256(files[f"{top}/profile.json"]).hexdigest()
    told("manifest.json", files=known | {"profile.json": sealed})(files)


WRONG = {
    "a model's byte": a_byte_of("arrays.safetensors"), "the report's byte": a_byte_of("0/report.json"),
    "the configuration's byte": a_byte_of("config.json"), "the list's byte": a_byte_of("0/files.json"),
    "a model that is missing": lambda files: [files.pop(each) for each in [*files] if each.endswith(".safetensors")],
    "no list of its links": without("chain.json"), "no manifest": without("manifest.json"),
    "out of the folder": more("../../evil.json"), "far out of it": more("../../../../tmp/evil.json"),
    "absolute": lambda files: files.update({"/tmp/evil.json": b"{}"}),
    "a second folder": lambda files: files.update({"logistic-aaaaaaaaaaaa/label.json": b"{}"}),
    "Windows": more("..\\evil.json"), "a drive": more("C:/evil.json"), "a stream": more("label.json:evil.json"),
    "hidden": more(".evil.json"), "a private part": more("private/split.npz"),
    "of a link": more("checkpoints/0/x.json"), "a link of no chain": more("checkpoints/9/x.json"),
    "private to a link": more("checkpoints/0/private/oof.npz"), "a pickle": more("model.pkl", b"\x80\x04."),
    "a program": more("run.py", b"raise SystemExit"), "an archive": more("exports/0-model.zip"),
    "another run's manifest": told("manifest.json", run="logistic-bbbbbbbbbbbb"),
    "a checkpoint elsewhere": told("chain.json", current="../../../x"),
    "no checkpoint": told("chain.json", checkpoints=[]),
    "a manifest that lists nothing": told("manifest.json", files={}),
    "figures of no kind": more("notes/0.json"), "groups of no checkpoint": more("groups/abc.json"),
    "private in capitals": more("Private/split.json"), "a dot at the end": more("private./split.json"),
    "a list that is a number": lambda files: files.update({f"{run_of(files)}/checkpoints/0/files.json": b"3"}),
    "a source elsewhere": lambda files: elsewhere(files, "/etc/study"),
    "a source on a share": lambda files: elsewhere(files, "\\\\host\\share"),
    "a name that is a number": told("label.json", name=3), "a card of a newer version": told("label.json", later=1),
}


@pytest.mark.parametrize("how", WRONG)
def test_a_file_with_anything_amiss_is_refused_and_nothing_of_it_stays(packed, medml_home, how):
    before = {each for each in medml_home.parent.rglob("*") if "runs" not in each.parts}
    with pytest.raises(UserError) as refused:
        brought(changed(packed, WRONG[how]))
    assert refused.value.what and refused.value.fix and left() == []
    grown = {each for each in medml_home.parent.rglob("*") if "runs" not in each.parts} - before
    assert not [each for each in grown if "evil" in each.name]


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all", zipped({}), zipped({"a.csv": b"1,2"}),
                                     zipped({f"logistic-aaaaaaaaaaaa/{n}.json": b"" for n in range(10_001)}),
                                     zipped({"logistic-aaaaaaaaaaaa/manifest.json": b"{" + b" " * 80_000_000})])
def test_what_is_no_run_at_all_is_refused_before_anything_is_written(medml_home, content, monkeypatch):
    monkeypatch.setattr(one_file, "take", None)
    with pytest.raises(UserError, match="no model from a Gallery"):
        brought(content)
    assert left() == []


def test_what_finds_no_room_is_refused_before_anything_is_written(packed, medml_home, monkeypatch):
    monkeypatch.setattr(one_file, "take", None)
    monkeypatch.setattr(one_file.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(UserError, match="no room"):
        brought(packed)
    assert left() == []


def test_a_folder_or_a_file_that_is_gone_is_told(medml_home, tmp_path):
    for path in (tmp_path, tmp_path / "gone.zip"):
        with pytest.raises(UserError, match="no file that can be read"):
            one_file.bring_from(path)


def test_a_download_with_one_bit_flipped_is_told_as_damaged_and_never_kept(packed, medml_home):
    for at in range(40, len(packed), max(1, len(packed) // 60)):
        content = bytearray(packed)
        content[at] ^= 1
        try:
            run = brought(bytes(content))
        except UserError:
            assert left() == []
        else:
            gallery.delete(run)  # a bit that says nothing, of a date say


def test_a_model_from_a_file_takes_no_data_for_its_own_because_of_their_name(trained, packed, medml_home, tmp_path,
                                                                          monkeypatch):
    """Its own file is known by its bare name alone, and somebody stands beside one of that name."""
    name = brought(packed)
    shutil.copy(trained[0], tmp_path / gallery.open_run(name).profile.source)
    others = clinic(120, seed=7)
    saved(others.assign(age=others["age"] + 25), tmp_path / "later")
    monkeypatch.chdir(tmp_path)
    found = outside.validate(name, tmp_path / "later", draws=20)
    assert not found.own_folder and found.n_copies is None and found.told_apart is None
    assert own_rows(Predictor.of(name)) is None
    with pytest.raises(UserError, match="does not say where its own data lie"):
        source_of(argparse.Namespace(source=None), gallery.open_run(name))
