"""A model taken out as one file: the same answers and silences as here, from the same raw text, or no file at all."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import polars as pl
import pytest
from canaries import found_in, planted
from tables import clinic, planned, saved

from medml import export, gallery
from medml.__main__ import main
from medml.export import families as written
from medml.export import parity
from medml.predict import predict_file
from medml.train import train

WEB = Path(sys.prefix) / "web" / "node_modules"  # where start.py test puts it


def hard(n: int = 260, seed: int = 3) -> pd.DataFrame:
    """Numbers with limits, units, codes and grouped digits, yes/no in several words, a date, a rare category."""
    table, rng = clinic(n, seed=seed), np.random.default_rng(seed)
    crp = rng.lognormal(2, 1, n).round(1)
    table["crp"] = [f"<{each}" if each < 3 else f"{each} mg/l" if place % 3 else f"{each}"
                    for place, each in enumerate(crp)]
    table["platelets"] = [f"{int(each):,}" for each in rng.normal(250_000, 60_000, n)]
    table["sodium"] = np.where(rng.random(n) < 0.1, -999, rng.normal(140, 4, n).round(0))
    table["smoker"] = rng.choice(["Yes", "no", "Y", "N", "unknown"], n, p=[0.3, 0.3, 0.1, 0.2, 0.1])
    table["grade"] = rng.choice(["1.0", "2.0", "3.0"], n)
    table["ward"] = np.where(np.arange(n) < 4, "far away", table["ward"])
    return table


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(run, folder with its files, the table's file, home, what G2 said before)."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(folder / "home"))
        source = saved(hard(), folder / "clinic")
        run = train(source, *planned(source, family="forest", params={"trees": 60}))
        (folder / "out").mkdir()
        before = export.g2(gallery.open_run(run))
        assert main(["export", run, "--onnx", str(folder / "out" / "model.onnx")]) == 0
        yield run, folder / "out", source, folder / "home", before


@pytest.fixture(autouse=True)
def at_home(made, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(made[3]))


def new_patients(folder: Path) -> Path:
    """Patients nobody was trained on, some of them odd, as a CSV."""
    odd = hard(80, seed=11).drop(columns="outcome").astype(object)
    odd.loc[0, "ward"], odd.loc[1, "age"], odd.loc[2, "age"], odd.loc[3, "crp"] = "moon, \"far\"", "", "1000", ">400"
    odd.loc[4, "platelets"], odd.loc[5, "smoker"], odd.loc[6, "grade"] = "1,234,567", " TRUE ", "2"
    odd.loc[7, "sodium"], odd.loc[8, "age"], odd.loc[9, "crp"] = "-999.0", "n/a", "5 mg/dl, twice"
    odd.loc[10, "age"], odd.loc[11, "age"], odd.loc[12, "sex"] = "6.1e1", "61,5", "NaN"
    path = folder / "new.csv"
    odd.to_csv(path, index=False)
    return path


def same_as_here(said: str, here: pl.DataFrame) -> None:
    """Answers printed by a program beside the model are those of predict_file, silences too."""
    rows = list(csv.DictReader(io.StringIO(said)))
    assert len(rows) == here.height
    silent = [row["abstained"] != "" for row in rows]
    assert silent == here["abstained"].is_not_null().to_list() and 0 < sum(silent) < len(silent)
    assert [row["note"] for row in rows] == here["note"].to_list() and "internally validated only" in rows[0]["note"]
    for name in ("probability of 0", "probability of 1"):
        told = np.array([float(row[name] or "nan") for row in rows])
        assert np.array_equal(np.isnan(told), silent)
        assert np.nanmax(np.abs(told - here[name].fill_null(np.nan).to_numpy())) < 1e-6


def test_the_files_beside_the_model_are_written_and_the_model_is_one_file(made):
    run, out, *_ = made
    assert {path.name for path in out.iterdir()} == {"model.onnx", "schema.json", "run.py", "cells.py",
                                                      "run.mjs"}
    model = onnx.load(out / "model.onnx", load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert not any(each.external_data for each in model.graph.initializer)
    schema = json.loads((out / "schema.json").read_text())
    assert schema["stamps"] == gallery.open_run(run).report.stamps and schema["parity"]["difference"] < 1e-4
    assert [each["input"] for each in schema["columns"]] == [each.name for each in model.graph.input]


def test_run_py_reads_raw_text_as_medml_does(made, tmp_path):
    run, out, *_ = made
    new = new_patients(tmp_path)
    ran = subprocess.run([sys.executable, out / "run.py", new], capture_output=True, text=True, check=True)
    same_as_here(ran.stdout, predict_file(run, new))


def as_a_western_excel_writes_it(new: Path) -> Path:
    """The same table with semicolons and in the Western code page."""
    rows = list(csv.reader(io.StringIO(new.read_text(encoding="utf-8"), newline="")))
    with (new.parent / "excel.csv").open("w", newline="", encoding="cp1252") as out:
        csv.writer(out, delimiter=";").writerows([rows[0] + ["Größe"], *(row + ["größer"] for row in rows[1:])])
    return new.parent / "excel.csv"


@pytest.mark.parametrize("program", ["run.py", "run.mjs"])
def test_the_programs_beside_a_model_read_the_table_of_a_western_excel(made, tmp_path, program):
    """The very file that MedML had learned from ended in a KeyError."""
    run, out, *_ = made
    new = new_patients(tmp_path)
    command = [sys.executable, out / program] if program == "run.py" else ["node", web_folder(tmp_path, out) / program]
    ran = subprocess.run([*command, as_a_western_excel_writes_it(new)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    same_as_here(ran.stdout, predict_file(run, new))
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    ran = subprocess.run([*command, tmp_path / "other.csv"], capture_output=True, text=True, check=False)
    assert ran.returncode and "The table has no column" in ran.stderr and "Error" not in ran.stderr


@pytest.mark.parametrize("program", ["run.py", "run.mjs"])
def test_the_programs_beside_a_model_say_in_a_sentence_what_they_cannot_use(made, tmp_path, program):
    out = made[1]
    command = [sys.executable, out / program] if program == "run.py" else ["node", web_folder(tmp_path, out) / program]
    new, one_row = new_patients(tmp_path), tmp_path / "head.csv"
    one_row.write_text(new.read_text().split("\n", 1)[0] + "\n")
    for arguments, words in (
            ([], "Name one table"), ([new, new], "Name one table"), ([one_row], "The table has no rows"),
            ([tmp_path / "gone.csv"], "gone.csv cannot be read"), ([tmp_path], f"{tmp_path.name} cannot be read")):
        ran = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stdout) == (2, ""), (arguments, ran.stdout)
        assert words in ran.stderr and ran.stderr.count("\n") == 1 and str(tmp_path.parent) not in ran.stderr


def test_run_py_is_short_enough_to_be_read_at_a_glance(made):
    assert len((made[1] / "run.py").read_text().splitlines()) <= 36


def test_run_py_needs_nothing_but_onnxruntime_and_numpy(made):
    code = f"import sys; sys.path.insert(0, {str(made[1])!r}); import run; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"medml", "pandas", "polars", "sklearn", "torch", "xgboost", "onnx"} & set(loaded)


def test_run_mjs_says_the_same_without_python(made, tmp_path):
    run, out, *_ = made
    beside = web_folder(tmp_path, out)
    new = new_patients(tmp_path)
    ran = subprocess.run(["node", beside / "run.mjs", new], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    same_as_here(ran.stdout, predict_file(run, new))


def test_figures_of_parity_count_empty_unseen_and_own_rows(made):
    run, *_ = made
    kept = export.record_of(gallery.open_run(run))
    found = kept.parity
    assert found.n_rows >= 200 and found.n_own == 260
    assert found.n_missing > 100 and found.n_unseen > 20 and found.difference < 1e-5 and not found.reasons_differ
    check = export.g2(gallery.open_run(run))
    assert (check.id, check.verdict) == ("G2", "pass") and check.figures["rows"] == 660
    assert check.what == ("On 400 made-up rows and 260 of your own the exported file and the model differed by less "
                          "than 0.000001.")
    assert check in gallery.open_run(run).report.checks


def test_a_file_that_differs_is_not_handed_out_and_says_why(made, tmp_path, monkeypatch, capfd):
    run, *_ = made

    def shifted(graph, fitted, rows):
        found = written.forest(graph, fitted, rows)
        return dataclasses.replace(found, turn=1.0003 * found.turn, start=1.0003 * found.start)
    monkeypatch.setitem(written.FAMILIES, "forest", shifted)
    assert main(["export", run, "--onnx", str(tmp_path / "model.onnx")]) == 2
    assert "would differ from the model by up to 0.000" in capfd.readouterr().err and not list(tmp_path.iterdir())
    check = export.g2(gallery.open_run(run))
    assert check.verdict == "block" and check.figures["largest_difference"] > 1e-4
    monkeypatch.undo()
    monkeypatch.setenv("MEDML_HOME", str(made[3]))
    export.package(run)
    assert export.g2(gallery.open_run(run)).verdict == "pass"


def test_a_silence_that_differs_blocks_too(made, monkeypatch):
    from medml.errors import UserError
    from medml.export import silence

    monkeypatch.setattr(silence, "_thin", lambda cleaner, name: [(-np.inf, np.inf)])
    with pytest.raises(UserError) as refused:
        export.package(made[0])
    assert refused.value.code == "export_differs" and "stay silent for other reasons" in refused.value.what


def test_many_categories_are_looked_up_one_column_after_the_other(made, monkeypatch):
    from medml.export import columns
    from medml.export.write import onnx_of
    from medml.predict import Predictor

    predictor = Predictor.of(made[0])
    together = onnx.load_from_string(onnx_of(predictor))
    monkeypatch.setattr(columns, "LARGE", 0)
    content = onnx_of(predictor)
    assert len(onnx.load_from_string(content).graph.node) > len(together.graph.node)
    assert parity.of_columns(predictor, content).holds


def test_no_rows_have_no_answers(made):
    from medml.export.ask import ask, opened

    session = opened((made[1] / "model.onnx").read_bytes())
    said = ask(session, {each.name: np.empty((0, 1), object if "string" in each.type else float)
                         for each in session.get_inputs()})
    assert said.told.shape == (0, 2) and said.reasons.shape == (0, len(session.get_inputs()))


def test_a_row_takes_few_operations(made):
    """Each costs as much as the arithmetic in it."""
    graph = onnx.load(made[1] / "model.onnx").graph
    assert [each.op_type for each in graph.node].count("If") == 1 and len(graph.node) <= 38


def test_a_file_of_somebody_else_is_not_written_over(made, tmp_path, capfd):
    (tmp_path / "run.py").write_text("print('mine')")
    assert main(["export", made[0], "--onnx", str(tmp_path / "model.onnx")]) == 2
    assert "run.py" in capfd.readouterr().err and (tmp_path / "run.py").read_text() == "print('mine')"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_model_that_was_never_exported_says_so(made):
    assert made[4].verdict == "info"


@pytest.mark.parametrize(("target", "task", "family"), [("pressure", "regression", "boosting"),
                                                         ("ward", "multiclass", "logistic")])
def test_a_number_and_several_classes_go_out_whole(tmp_path, monkeypatch, target, task, family):
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "home"))
    source = saved(clinic(200).dropna(), tmp_path)
    run = train(source, *planned(source, target=target, family=family))
    source.unlink()  # made-up rows alone
    found = export.package(run)
    assert gallery.open_run(run).report.task == task
    assert found.record.parity.holds and found.record.parity.n_own == 0 and found.record.parity.n_rows >= 200


def test_no_value_of_a_patient_leaves_with_a_model(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "home"))
    table, numbers = planted()
    source = saved(table, tmp_path / "clinic")
    run = train(source, *planned(source, family="forest", params={"trees": 40}))
    home_folder, out = tmp_path / "home", tmp_path / "out"
    out.mkdir()
    export.write_beside(export.package(run), out / "model.onnx")
    found = export.package(run)
    (out / "all.zip").write_bytes(export.as_zip(found.files()))
    (out / "capsule.zip").write_bytes(export.capsule(found))
    assert found_in(out, numbers) == [] and found_in(home_folder, numbers) == []
    assert str(tmp_path).encode() not in b"".join(each.read_bytes() for each in out.iterdir())


def web_folder(folder: Path, out: Path) -> Path:
    """A copy of the files beside which node finds onnxruntime-web; skipped, by name, where either is absent."""
    if shutil.which("node") is None:
        pytest.skip("node is not here")
    if not (WEB / "onnxruntime-web").is_dir():
        pytest.skip("onnxruntime-web is not here: `python3 start.py test` installs it where npm can")
    beside = folder / "web"
    shutil.copytree(out, beside)
    (beside / "node_modules").symlink_to(WEB, target_is_directory=True)
    return beside
