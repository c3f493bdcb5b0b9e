"""Answers put right by the map of a run's evaluation: everywhere the same, with nobody called otherwise than before."""

from __future__ import annotations

import csv
import importlib
import json
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from tables import clinic, planned, saved

from medml import asking, export, gallery, righted
from medml.__main__ import main
from medml.errors import UserError
from medml.evaluate.recalibrate import applied, rising
from medml.export import kept
from medml.exported import record_of
from medml.predict import Predictor, predict_file
from medml.report import as_card, document_of
from medml.train import train
from medml.types import Curve


@pytest.fixture(scope="module")
def forest(tmp_path_factory):
    """(run of a forest, which spreads its probabilities too little, a file of new patients), in a home of their own."""
    folder = tmp_path_factory.mktemp("righted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(folder / "home"))
        source = saved(clinic(400), folder / "own")
        new = clinic(60, seed=9).drop(columns="outcome").dropna().query("45 <= age < 75")
        yield train(source, *planned(source, family="forest", params={"trees": 40})), saved(new, folder / "new")


@pytest.fixture(autouse=True)
def at_home(forest, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(forest[1].parent.parent / "home"))


@pytest.fixture
def on(forest):
    """The same with the switch on."""
    righted.decide(forest[0], on=True)
    yield forest
    righted.decide(forest[0], on=False)


def told(forest) -> pl.DataFrame:
    found = predict_file(*forest, level=0.8)
    return found.filter(found["abstained"].is_null())


def test_answers_are_as_the_model_has_them_until_somebody_decides_otherwise(forest):
    predictor = Predictor.of(forest[0])
    assert righted.possible(predictor.run.report) and not righted.is_on(predictor.run)
    p = predictor.pipeline.predict(predictor.read(forest[1]).X)
    assert np.allclose(predict_file(*forest)["probability of 1"].drop_nulls(), p[:, 1][
        predict_file(*forest)["abstained"].is_null().to_numpy()])
    assert "put right" not in "".join(told(forest)["note"])


def test_an_answer_put_right_says_so_and_nobody_is_called_otherwise(forest):
    before = told(forest)
    righted.decide(forest[0], on=True)
    after = told(forest)
    righted.decide(forest[0], on=False)
    x, y = (np.array(each) for each in (lambda curve: (curve.x, curve.y))(
        gallery.open_run(forest[0]).report.recalibration.steps))
    p, q = (each["probability of 1"].to_numpy() for each in (before, after))
    assert np.abs(q - np.interp(p, x, y)).max() <= 0.001 and np.abs(q - p).max() > 0.03
    assert np.allclose(after["probability of 0"] + after["probability of 1"], 1)
    assert after["predicted"].to_list() == before["predicted"].to_list() and len(set(before["predicted"])) == 2
    assert all("probability put right by a rising staircase" in each for each in after["note"])
    assert all(set(one.split(" or ")) <= set(two.split(" or ")) for one, two in zip(
        before["set at 80%"], after["set at 80%"], strict=True))
    assert told(forest)["probability of 1"].to_list() == p.tolist()


def test_one_patient_on_the_screen_gets_the_number_of_the_file(on):
    row = told(on).row(0, named=True)
    new = pl.read_csv(on[1]).filter(pl.col("patient_id") == row["patient_id"]).row(0, named=True)
    new.pop("patient_id")
    assert asking.patient(on[0], new)["p"][1] == pytest.approx(row["probability of 1"], abs=1e-12)


def test_a_model_is_not_kept_in_memory_for_a_switch_that_was_turned_while_it_was_read(on):
    run = gallery.open_run(on[0])
    with pytest.raises(UserError) as refused:
        asking._ready(on[0], 0, run.checkpoint.files_sha256, False)
    assert refused.value.code == "turned" and asking.patient(on[0], {"age": 61.0, "pressure": 140.0})


def test_an_exported_file_says_what_is_said_here_and_judges_by_the_model_itself(on, tmp_path):
    found = export.package(on[0])
    export.write_beside(found, tmp_path / "model.onnx")
    said = list(csv.DictReader(subprocess.run([sys.executable, tmp_path / "run.py", on[1]], capture_output=True,
                                              text=True, check=True).stdout.splitlines()))
    assert all("probability put right by" in each["note"] for each in said)
    here = predict_file(*on)["probability of 1"].to_list()
    assert [each["probability of 1"] == "" for each in said] == [each is None for each in here]
    assert np.allclose([float(each["probability of 1"]) for each in said if each["probability of 1"]],
                       [each for each in here if each is not None], atol=1e-6)
    schema, run = json.loads((tmp_path / "schema.json").read_text()), gallery.open_run(on[0])
    assert "put right" in schema["put_right"] and schema["computed_threshold"] == run.report.threshold
    assert schema["threshold"] == righted.report_of(run).threshold != run.report.threshold


def test_a_card_and_a_report_say_that_answers_are_put_right_and_figures_are_not(on):
    run = gallery.open_run(on[0])
    text = str(document_of(run).blocks)
    for said in (as_card(run), text):
        assert "put right by a rising staircase" in said and f"from {righted.report_of(run).threshold:.3g} on" in said
    righted.decide(on[0], on=False)
    assert "put right" not in as_card(gallery.open_run(on[0]))
    righted.decide(on[0], on=True)


def test_a_file_without_the_map_is_not_handed_out(on, monkeypatch):
    monkeypatch.setattr("medml.export.write.put_right", lambda graph, answer, steps: answer)
    with pytest.raises(UserError) as refused:
        export.package(on[0])
    assert refused.value.code == "export_differs"


def test_files_written_before_the_switch_was_turned_are_dropped(forest):
    kept.make(forest[0])
    run = gallery.open_run(forest[0])
    assert kept.ready(run) and record_of(run.folder, 0)
    assert main(["recalibrate", forest[0]]) == 0
    assert not kept.ready(run) and record_of(run.folder, 0) is None
    assert main(["recalibrate", forest[0], "--off"]) == 0


@pytest.mark.parametrize("moment", ["medml.export.package.onnx_of", "medml.export.kept.capsule"])
def test_a_switch_turned_while_a_file_is_written_keeps_no_file_of_the_state_before(forest, monkeypatch, moment):
    place, name = moment.rsplit(".", 1)
    module = importlib.import_module(place)
    plain = getattr(module, name)

    def turned(of):
        content = plain(of)
        righted.decide(forest[0], on=True)
        return content
    monkeypatch.setattr(module, name, turned)
    with pytest.raises(UserError) as refused:
        kept.make(forest[0])
    run = gallery.open_run(forest[0])
    assert refused.value.code == "turned" and not kept.ready(run) and record_of(run.folder, 0) is None
    assert not [*(run.folder / "exports").glob("*.zip")]
    righted.decide(forest[0], on=False)


def test_where_no_map_gained_anything_there_is_nothing_to_switch_on(forest, tmp_path):
    source = saved(clinic(120), tmp_path)
    with pytest.raises(UserError) as refused:
        righted.decide(train(source, *planned(source)), on=True)
    assert refused.value.code == "no_map"


def test_a_flat_step_rises_by_a_hair_so_that_no_threshold_moves_anybody():
    x, y = rising(Curve(x=[0.001, 0.4, 0.6, 0.999], y=[0.2, 0.3, 0.3, 0.9]))
    near = applied((x, y), np.array([0.45, 0.5, 0.55]))
    assert (np.diff(near) > 0).all() and np.allclose(near, 0.3, atol=1e-3)


def test_the_switch_on_evaluate_keeps_what_it_says(forest):
    from streamlit.testing.v1 import AppTest

    def drawn(run: str) -> None:
        from medml import gallery
        from pages import _ui_righted

        _ui_righted.switch(gallery.open_run(run))
    page = AppTest.from_function(drawn, args=(forest[0],), default_timeout=60).run()
    assert not page.exception and not page.toggle[0].value and "as the model has them" in page.html[0].body
    page.toggle[0].set_value(True).run()
    assert righted.is_on(gallery.open_run(forest[0])) and "the line moves from 49 % to" in page.html[0].body
    righted.decide(forest[0], on=False)  # in another window
    assert not page.run().toggle[0].value and "as the model has them" in page.html[0].body
    page.toggle[0].set_value(True).run()
    page.toggle[0].set_value(False).run()
    assert not righted.is_on(gallery.open_run(forest[0])) and not page.exception
