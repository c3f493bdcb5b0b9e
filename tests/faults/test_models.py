"""Weights that are gone or changed are not used, the gallery works, and a run may go while somebody asks it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tables import clinic, saved, trained_once

from medml import gallery
from medml.__main__ import main
from medml.errors import UserError
from medml.pipeline import Pipeline
from medml.predict import predict_file


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(home, run) and a file of new patients."""
    place = tmp_path_factory.mktemp("models")
    with trained_once(place, clinic(90)) as run:
        new = saved(clinic(20, seed=7).drop(columns="outcome"), place / "new", "new.csv")
        yield place / "home", run, new


@pytest.fixture
def afresh(made, tmp_path, monkeypatch):
    """The run and the new patients, in a copy of the home."""
    shutil.copytree(made[0], tmp_path / "home")
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "home"))
    return made[1], made[2]


def weights(run: str) -> list[Path]:
    return sorted(gallery.open_run(run).checkpoint_folder.glob("final/**/*.safetensors"))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(("damage", "said"), [
    (Path.unlink, "Files of this model are missing: it was not saved completely, or they were removed."),
    (flip, "This model's file is damaged, so it is not used.")])
def test_weights_that_are_gone_or_changed_answer_nobody_and_the_gallery_works(afresh, damage, said, capsys):
    run, new = afresh
    for each in weights(run):
        damage(each)
    with pytest.raises(UserError) as refused:
        predict_file(run, new)
    assert refused.value.what.startswith(said) and "rain" in refused.value.fix
    assert [each.run for each in gallery.runs()] == [run] and gallery.open_run(run).report.metrics
    assert main(["predict", run, str(new), "--out", str(new.with_name("answers.csv"))]) == 2
    assert said in capsys.readouterr().err and not new.with_name("answers.csv").exists()


def test_a_run_that_is_deleted_while_another_asks_it_answers_whole_or_not_at_all(afresh, monkeypatch):
    run, new = afresh
    plain = Pipeline.load

    def deleted_meanwhile(*given, **more):
        gallery.delete(run)
        return plain(*given, **more)
    monkeypatch.setattr(Pipeline, "load", deleted_meanwhile)
    with pytest.raises(UserError) as refused:
        predict_file(run, new)
    assert refused.value.what and refused.value.fix and gallery.runs() == []


def test_a_run_that_is_deleted_once_it_is_loaded_gives_its_answers(afresh, monkeypatch):
    run, new = afresh
    plain = Pipeline.predict
    before = predict_file(run, new)

    def deleted_meanwhile(*given, **more):
        if gallery.is_there(run):
            gallery.delete(run)
        return plain(*given, **more)
    monkeypatch.setattr(Pipeline, "predict", deleted_meanwhile)
    try:
        after = predict_file(run, new)
    except UserError as refused:
        assert refused.code == "no_run"
    else:
        assert after.equals(before)
    assert gallery.runs() == []
