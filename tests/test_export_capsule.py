"""A capsule: another hospital judges the model by itself, and nothing but figures of everybody together comes back."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from canaries import found_in, planted
from made_up import made_cases, predicted
from tables import clinic, planned, saved

from medml import export, gallery, outside
from medml.__main__ import main
from medml.cases import Predictions
from medml.errors import UserError
from medml.evaluate import calibration, delong
from medml.evaluate.figures import figures_of as medmls
from medml.evaluate.figures import table_of
from medml.evaluate.metrics import measure_all
from medml.evaluate.scored import score
from medml.export.capsule import share_missing
from medml.export.package import BESIDE
from medml.train import train


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(run, folder of the unpacked capsule, folder of the other hospital, home)."""
    folder = tmp_path_factory.mktemp("capsule")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(folder / "home"))
        source = saved(clinic(200), folder / "clinic")
        run = train(source, *planned(source))
        assert main(["export", run, "--capsule", str(folder / "capsule.zip")]) == 0
        with zipfile.ZipFile(folder / "capsule.zip") as archive:
            archive.extractall(folder / "unpacked")
        theirs = clinic(150, seed=9)
        theirs["patient_id"] = [f"ZZIDENT{place:05d}" for place in range(150)]
        theirs.loc[0, "outcome"], theirs.loc[1, "outcome"] = None, 7
        theirs = theirs.rename(columns={"pressure": "RR, mmHg"}).astype({"outcome": "Int64"})
        saved(theirs, folder / "there", "patients.csv")
        yield run, folder / "unpacked", folder / "there", folder / "home"


@pytest.fixture(autouse=True)
def at_home(made, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(made[3]))


def judged(made, folder: Path) -> Path:
    """What validate.py writes of the other hospital's patients."""
    ran = subprocess.run([sys.executable, made[1] / "validate.py", made[2] / "patients.csv", "--name", "Elsewhere",
                          "--map", "RR, mmHg=pressure", "--out", folder / "result.json"], capture_output=True,
                         text=True, check=False, cwd=folder)
    assert ran.returncode == 0, ran.stderr
    return folder / "result.json"


def test_the_capsule_holds_the_model_what_it_saw_and_a_runner(made):
    names = {each.name for each in made[1].iterdir()}
    assert names == {"model.onnx", "schema.json", "seen.json", "run.py", "run.mjs", "validate.py", "figures.py",
                     "curves.py", "groups.py", "hints.py", "overlaps.py", "smooth.py", "cells.py", "README.txt"}
    seen = json.loads((made[1] / "seen.json").read_text())
    assert seen["n_patients"] == 200 and seen["metrics"]["auroc"]["low"] is not None
    assert {each["name"] for each in seen["columns"]} >= {"age", "pressure", "sex", "ward", "outcome"}
    told = {name: share_missing(n, 200) for name, n in (("none", 0), ("few", 4), ("some", 30))}
    assert told == {"none": 0, "few": "fewer than 10 rows", "some": 0.15}
    assert str(made[3].parent) not in "".join(each.read_text() for each in made[1].iterdir() if each.suffix != ".onnx")


def test_figures_made_there_are_those_that_medml_would_make(made, tmp_path, capfd):
    run = made[0]
    result = judged(made, tmp_path)
    assert main(["export", run, "--result", str(result)]) == 0
    assert "Elsewhere" in capfd.readouterr().out
    opened = gallery.open_run(run)
    back = opened.report.external[-1]
    assert back.found_by == "capsule" and back.source == "Elsewhere" and back.renamed == {"RR, mmHg": "pressure"}
    assert "internally validated only" not in opened.report.stamps
    here = outside.validate(run, made[2], renamed={"RR, mmHg": "pressure"})
    assert (back.n_cases, back.n_patients, back.n_events, back.n_left_out) == (148, 148, here.n_events, 0)
    assert here.under_ten == back.under_ten == ["n_left_out"] and here.n_left_out == 0
    assert here.n_cases == 148 and set(back.metrics) == set(here.metrics)
    assert set(back.calibration_line) == set(here.calibration_line) == {"slope", "intercept", "ici"}
    for name, figure in {**back.metrics, **back.calibration_line, "delong": back.auroc_delong}.items():
        own = {**here.metrics, **here.calibration_line, "delong": here.auroc_delong}[name]
        assert figure.value == pytest.approx(own.value, abs=1e-4 if name == "ici" else 1e-5), name
        assert abs(figure.low - own.low) < 0.15 * max(1, abs(own.value)) and figure.low < figure.value < figure.high


def test_the_gain_is_the_mean_over_the_whole_range_though_few_thresholds_are_told(monkeypatch):
    """Reference: net benefit counted by hand at every hundredth of the range. A mean over the told thresholds alone,
    which lie closest where most patients are, was off by up to 0.013."""
    from medml.evaluate import smooth

    monkeypatch.syspath_prepend(str(BESIDE))
    monkeypatch.setitem(sys.modules, "smooth", smooth)
    curves, figures = importlib.import_module("curves"), importlib.import_module("figures")
    monkeypatch.setattr(figures, "DRAWS", figures.TOGETHER)
    every, off = np.arange(8, 33) / 100, []
    for seed in range(12):
        rng, n = np.random.default_rng(seed), (500, 1000, 2000)[seed % 3]
        p = 1 / (1 + np.exp(-rng.normal(-2.0, 1.2, n)))
        y, patients = (rng.random(n) < p).astype(float), np.arange(n)
        told = curves.grid(y, p, patients, 10, p >= 0.12)
        found = curves.net_benefit(y, p, patients, told, {"low": 0.08, "high": 0.32, "range_reason": ""})
        gain = [((y - (1 - y) * at / (1 - at)) * (p >= at)).mean() - max(0, (y - (1 - y) * at / (1 - at)).mean())
                for at in every]
        off.append(found["gain"]["value"] - np.mean(gain))
    assert np.abs(off).mean() < 0.0015 and np.abs(off).max() < 0.005


def test_net_benefit_and_groups_come_back_as_medml_would_tell_them(made, tmp_path):
    back = export.take_back(made[0], judged(made, tmp_path))
    here = outside.validate(made[0], made[2], renamed={"RR, mmHg": "pressure"})
    own = dict(zip(here.net_benefit.model.x, here.net_benefit.model.y, strict=True))
    for at, value in zip(back.net_benefit.model.x, back.net_benefit.model.y, strict=True):
        assert value == pytest.approx(own[at], abs=2e-4)
    assert back.net_benefit.gain.low < back.net_benefit.gain.value < back.net_benefit.gain.high
    assert (back.net_benefit.low, back.net_benefit.high) == (here.net_benefit.low, here.net_benefit.high)
    groups = {(each.column, each.label): each for each in here.subgroups}
    assert {each.column for each in back.subgroups} == {"sex", "age", "ward"}
    for each in back.subgroups:
        mine = groups[each.column, each.label]
        assert (each.n, each.n_patients) == (mine.n, mine.n_patients) and each.n >= 10
        if each.figure is not None:
            assert each.figure.value == pytest.approx(mine.figure.value, abs=1e-5)


def test_nothing_of_a_patient_comes_back(made, tmp_path):
    table, numbers = planted(seed=5)
    run_folder, there, out = made[1], tmp_path / "there", tmp_path / "out"
    out.mkdir()
    table = table.assign(pressure=table["marker"], sex="female", patient_id=table["record_id"])
    table.loc[:2, "pressure"] = None
    saved(table, there, "patients.csv")
    subprocess.run([sys.executable, run_folder / "validate.py", there / "patients.csv", "--out", out / "result.json"],
                   check=True, capture_output=True)
    assert found_in(out, numbers) == []
    told = json.loads((out / "result.json").read_text())
    assert set(told["columns"]["ward"]["shares"]) == {"south"}  # three of the rare ward, and who would tell them
    assert set(told) == {"format", "version", "run", "model_sha256", "external", "grid", "left_out", "no_answer",
                         "columns"}
    few = [told["no_answer"], told["left_out"], *(each["missing"] for each in told["columns"].values())]
    assert "fewer than 10" in few and not any(each in range(1, 10) for each in few)


def test_a_result_that_cannot_be_is_refused(made, tmp_path):
    run = made[0]
    good = json.loads(judged(made, tmp_path).read_text())

    def refusal(**changed) -> str:
        (tmp_path / "bad.json").write_text(json.dumps(good | changed))
        with pytest.raises(UserError) as refused:
            export.take_back(run, tmp_path / "bad.json")
        return refused.value.code

    def other(**changed) -> dict:
        return {"external": good["external"] | changed}
    assert refusal(format="a letter") == "no_result" and refusal(run="forest-1") == "other_run"
    assert refusal(model_sha256="0" * 64) == "other_model" and refusal(**other(row=[1, 2])) == "no_result"
    small = {"column": "ward", "label": "attic", "n": 3, "n_patients": 3, "enough": False}
    assert refusal(**other(subgroups=[small])) == "no_result" and refusal(**other(n_events=3)) == "no_result"
    large = small | {"n": 40, "n_patients": 40, "enough": True, "n_events": 4}
    assert refusal(**other(subgroups=[large])) == "no_result" and refusal(**other(n_left_out=3)) == "no_result"
    assert refusal(**other(data_sha256=gallery.open_run(run).config.data_sha256)) == "own_table"
    assert refusal(**other(found_by="folder")) == "no_result" and refusal(**other(n_patients=10_000)) == "no_result"
    sure = good["external"]["metrics"] | {"auroc": {"value": 0.99, "low": 0.1, "high": 0.2, "n": 148}}
    assert refusal(**other(metrics=sure)) == "no_result"
    line = good["external"]["calibration_line"]
    assert refusal(**other(calibration_line=line | {"ici": line["ici"] | {"high": 1.5}})) == "no_result"
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(UserError):
        export.take_back(run, tmp_path / "bad.json")


def figures():
    return module("figures")


def module(name: str):
    """One of the programs of a capsule, which finds its neighbours as it does there."""
    from medml.evaluate import overlaps, smooth

    sys.path.insert(0, str(BESIDE))
    sys.modules.update(overlaps=overlaps, smooth=smooth)   # lie beside the others in a capsule
    try:
        spec = importlib.util.spec_from_file_location(name, BESIDE / f"{name}.py")
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
    finally:
        sys.path.remove(str(BESIDE))
        del sys.modules["overlaps"], sys.modules["smooth"]
    return loaded


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_runners_figures_are_medmls_own_for_every_task(task):
    cases = made_cases(240, task=task)
    told = predicted(cases, [_all(cases)])
    schema = {"task": task, "classes": cases.classes, "computed_threshold": 0.4 if task == "binary" else None}
    scored = score(told, threshold=schema["computed_threshold"], seed=0)
    own = {name: float(each[0]) for name, each in measure_all(scored)(np.ones((240, 1))).items()}
    mine = figures().figures_of(schema, cases.y, told.p[0], cases.patients)
    assert set(mine) == set(own) and all(mine[name]["value"] == pytest.approx(own[name]) for name in own)
    assert all(each["low"] <= each["value"] <= each["high"] and each["n"] == 240 for each in mine.values())


def test_the_runners_line_and_interval_are_medmls_own():
    cases = made_cases(240)
    p = predicted(cases, [_all(cases)]).p[0]
    line = figures().calibration_line({"task": "binary"}, cases.y, p, cases.patients)
    slope, _, large = calibration.recalibration(cases.y, p[:, 1])
    assert line["slope"]["value"] == pytest.approx(slope) and line["intercept"]["value"] == pytest.approx(large)
    own = delong.interval(cases.y, p[:, 1])
    assert figures().delong(cases.y, p[:, 1]) == pytest.approx(own.model_dump())
    apart = cases.y.astype(float)
    assert figures().delong(cases.y, apart) == delong.interval(cases.y, apart).model_dump()


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_runners_distance_from_the_curve_is_medmls_own(task):
    """Of several classes that of how sure the model was; patients come twice, and are drawn whole."""
    cases = made_cases(400, task=task)
    cases = replace(cases, patients=np.arange(400) // 2)
    told = predicted(cases, [_all(cases)])
    scored = score(told, threshold=0.4 if task == "binary" else None)
    own = medmls(scored, seed=0, draws=1000).line(400)["ici"]
    schema = {"task": task, "classes": cases.classes, "computed_threshold": 0.4}
    mine = figures().calibration_line(schema, cases.y, told.p[0], cases.patients)["ici"]
    assert mine["value"] == pytest.approx(own.value, abs=5.1e-5) and mine["n"] == 400
    assert [mine["low"], mine["high"]] == pytest.approx([own.low, own.high], abs=0.006)
    assert mine == {name: round(each, 4) for name, each in mine.items()}  # no digit that could tell one patient


def test_each_of_several_classes_has_medmls_own_line_against_the_rest():
    cases = made_cases(240, task="multiclass")
    told = predicted(cases, [_all(cases)])
    schema = {"task": "multiclass", "classes": cases.classes}
    lines = figures().lines_of_classes(schema, cases.y, told.p[0], cases.patients)
    own = medmls(score(told), seed=0, draws=400).class_lines(240, dict(enumerate(cases.classes)))
    assert list(lines) == cases.classes and all(set(line) == {"slope", "intercept"} for line in lines.values())
    for label, line in lines.items():
        for name, figure in line.items():
            mine = own[label][name]
            assert figure["value"] == pytest.approx(mine.value) and figure["n"] == 240
            assert [figure["low"], figure["high"]] == pytest.approx([mine.low, mine.high], abs=0.1)
            assert figure["low"] < figure["value"] < figure["high"]
    assert figures().lines_of_classes(schema | {"task": "binary"}, cases.y, told.p[0], cases.patients) == {}


def test_the_calibration_of_several_classes_comes_back_from_another_hospital(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "home"))
    source = saved(staged(240), tmp_path / "own")
    run = train(source, *planned(source, target="stage"))
    assert main(["export", run, "--capsule", str(tmp_path / "capsule.zip")]) == 0
    with zipfile.ZipFile(tmp_path / "capsule.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    saved(staged(180, seed=9), tmp_path / "there", "patients.csv")
    subprocess.run([sys.executable, tmp_path / "unpacked" / "validate.py", tmp_path / "there" / "patients.csv", "--out",
                    tmp_path / "result.json"], check=True, capture_output=True)
    back = export.take_back(run, tmp_path / "result.json").calibration_of_classes
    here = outside.validate(run, tmp_path / "there", draws=50).calibration_of_classes
    assert set(back) == set(here) == {"early", "middle", "late"}
    assert all(back[label][name].value == pytest.approx(line[name].value, abs=1e-4)
               for label, line in here.items() for name in line)
    good = json.loads((tmp_path / "result.json").read_text())
    line = good["external"]["calibration_of_classes"]["late"]
    apart, slope = {"value": 1.0, "low": 2.0, "high": 3.0, "n": 180}, line["slope"]
    for wrong in ({"attic": line}, {"late": {"row": slope}}, {"late": line | {"slope": slope | {"n": 999}}},
                  {"late": line | {"slope": apart}}):
        bad = good["external"] | {"calibration_of_classes": wrong}
        (tmp_path / "bad.json").write_text(json.dumps(good | {"external": bad}))
        with pytest.raises(UserError):
            export.take_back(run, tmp_path / "bad.json")


def staged(n: int, *, seed: int = 0) -> pd.DataFrame:
    """Patients in one of three stages, later ones older."""
    rng = np.random.default_rng(seed)
    table = clinic(n, seed=seed).drop(columns=["outcome", "patient_id"])
    order = (table["age"] + rng.normal(0, 10, n)).rank(pct=True)
    return table.assign(stage=np.select([order < 0.35, order < 0.7], ["early", "middle"], "late"))


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_a_model_that_is_never_wrong_there_is_no_certainty(task):
    """As MedML has it: Wilson's interval for the rarest class, where no draw can be worse than perfect."""
    cases = made_cases(240, task=task)
    p = np.full((240, len(cases.classes)), 0.1)
    p[np.arange(240), cases.y] = 0.9
    told = Predictions(cases.y, p[None], cases.patients, cases.task, cases.classes, np.full(1, 0.8))
    scored = score(told, threshold=None, seed=0)
    own = table_of(medmls(scored, seed=0, draws=100, with_curves=False), scored)
    mine = figures().figures_of({"task": task, "classes": cases.classes, "computed_threshold": None}, cases.y, p,
                                cases.patients)
    for name, each in own.items():
        assert [mine[name]["low"], mine[name]["high"]] == pytest.approx([each.low, each.high], abs=0.02), name
    assert 0.9 < mine["auroc"]["low"] < 0.99 and mine["auroc"]["value"] == 1.0
    assert figures().auroc_of(cases.y, p, cases.patients)["low"] == mine["auroc"]["low"]


def test_no_group_of_under_ten_can_be_worked_out_from_the_grid():
    cases = made_cases(240)
    p = predicted(cases, [_all(cases)]).p[0]
    in_use = p[:, 1] >= 0.437
    told = module("curves").grid(cases.y, p[:, 1], cases.patients, 10, in_use)
    n_yes = int(cases.y.sum())
    assert len(told) >= 4 and told[0]["tp"] == n_yes and told[0]["fp"] == 240 - n_yes
    for each in told:
        assert each["tp"] == ((p[:, 1] >= each["threshold"]) & (cases.y == 1)).sum()
        assert each["tp"] + each["fn"] == n_yes and each["fp"] + each["tn"] == 240 - n_yes
    for cell in ("tp", "fp"):
        counts = [each[cell] for each in told] + [0]
        assert all(a == b or a - b >= 10 for a, b in zip(counts, counts[1:], strict=False))
        at_use = int((in_use & (cases.y == (cell == "tp"))).sum())
        assert all(each == at_use or abs(each - at_use) >= 10 for each in counts)
    cut = np.searchsorted([each["threshold"] for each in told], p[:, 1], side="right")
    shares = {float(f"{cases.y[cut == each].mean():.4g}") for each in np.unique(cut)}
    assert set(module("curves").bins(cases.y, p[:, 1], told)["y"]) == shares  # no other cut than those of the grid
    corners = {round(each["fp"] / (each["fp"] + each["tn"]), 4) for each in told} | {0.0, 1.0}
    curve = module("curves").roc(told)
    bends = np.flatnonzero(np.abs(np.diff(curve["y"], 2)) > 3e-4) + 1
    assert all(min(abs(curve["x"][at] - each) for each in corners) <= 0.0101 for at in bends)


def test_many_rows_of_a_few_patients_are_no_group_of_ten():
    """Three patients with 20 rows each between 0.4 and 0.5: no two thresholds tell them from the rest."""
    rng = np.random.default_rng(0)
    y, p, patients = np.arange(300) % 2, rng.random(300), np.arange(300)
    p[(p > 0.38) & (p < 0.52)] = 0.9
    p[:60], patients[:60] = rng.uniform(0.4, 0.5, 60), 1000 + np.arange(60) % 3
    told = module("curves").grid(y, p, patients, 10, p >= 0.7)
    assert len(told) >= 4
    called = [p >= each["threshold"] for each in told] + [p >= 0.7]
    for one in called:
        for other in called:
            left = one & ~other
            assert all((n := len(set(patients[left & (y == each)]))) == 0 or n >= 10 for each in (0, 1)), n
    rows = np.array([True] * 40 + [False] * 260)
    assert module("groups").told_of(rows, patients) == "fewer than 10"


def test_a_small_group_is_neither_named_nor_left_over():
    kept = module("groups").without_small
    assert kept({"a": 50, "b": 30}, 10) == {"a": 50, "b": 30} and kept({"a": 50, "b": 9, None: 40}, 10) == {"a": 50}
    assert kept({"a": 50, "b": 12, "c": 9}, 10) == {"a": 50} and kept({"a": 50, None: 3}, 10) == {}


def _all(cases):
    """One fold whose test part is everybody."""
    from medml.cases import Fold

    return Fold(np.empty(0, np.int64), np.arange(len(cases.y)), 0, 0)
