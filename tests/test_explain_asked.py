"""What is asked of an explanation: by the command line, by a screen through a child, by a job."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from explained import runs

from medml import gallery, home
from medml.__main__ import main
from medml.errors import UserError
from medml.explain import asked, found
from medml.explain.contributions import Contributions
from medml.explain.patient import _cell, patient, waterfall
from medml.privacy import round_3
from medml.watch import Silent
from worker.aside import answered
from worker.jobs import registry


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return runs(tmp_path_factory.mktemp("asked"), logistic={})


@pytest.fixture(autouse=True)
def at_home(made, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(made[2]))


def test_a_waterfall_leads_from_the_base_to_the_answer_largest_step_first():
    each = Contributions(["a", "b", "c", "d"], np.array([[[0.1, -2.0, 0.5, 0.2]]]), np.array([1.0]), np.array([[-0.2]]),
                         ["yes"], "log-odds", "nobody")
    bars = waterfall(each, ["1", "2", "3", "4"], most=3)
    assert [bar.column for bar in bars] == ["b", "c", "2 others"] and bars[0].cell == "2"
    assert bars[0].start == 1.0 and bars[-1].end == pytest.approx(-0.2)
    assert all(a.end == b.start for a, b in zip(bars, bars[1:], strict=False))
    assert [bar.column for bar in waterfall(each, ["1", "2", "3", "4"], most=4)] == ["b", "c", "d", "a"]


def test_one_patients_cells_are_those_of_the_file(made):
    source, by_family, _ = made
    one = patient(by_family["logistic"], 17, source)
    row = pl.read_csv(source, infer_schema=False).row(16, named=True)
    assert one.cells == [row[name] or "" for name in one.found.columns] and one.found.gap() < 1e-6
    for wrong in (0, 241):
        with pytest.raises(UserError, match="it has 240"):
            patient(by_family["logistic"], wrong, source)


def test_a_screen_asks_for_patients_through_a_pipe(made):
    source, by_family, folder = made
    before = sorted(each for each in folder.rglob("*"))
    about = {"run": by_family["logistic"], "source": str(source), "output": 0, "row": 3}
    holds = {"swarm": {"column", "added", "rank"}, "one": {"column", "cell", "start", "end", "said", "against"},
             "again": {"row", "key", "cells"}}
    for part, names in holds.items():
        status, content = answered(json.dumps({"question": "explained", "about": about | {"part": part}}).encode())
        assert status == 0 and len(content) > 100
        assert names <= set(asked.PARTS[part](about))
    ranks = asked.swarm(about)["rank"]
    assert np.nanmin(ranks) > 0 and np.nanmax(ranks) < 1
    assert sorted(each for each in folder.rglob("*")) == before


def test_explain_prints_the_columns_and_keeps_the_means(made, tmp_path, capsys):
    source, by_family, _ = made
    run, out = by_family["logistic"], tmp_path / "explained.json"
    assert main(["explain", run, "--json", str(out)]) == 0
    printed, said = capsys.readouterr().out, json.loads(out.read_text())
    assert "never its cause" in printed and "because" not in printed and "log-odds" in printed
    assert said["run"] == run and {each["column"] for each in said["weights"]} >= {"age", "pressure"}
    assert found.read(gallery.open_run(run), found.Overall).n_patients == 240


def test_explain_of_one_row_writes_nothing_from_which_a_cell_could_be_worked_out(made, tmp_path, capsys):
    source, by_family, _ = made
    out = tmp_path / "one.json"
    assert main(["explain", by_family["logistic"], "--row", "17", "--json", str(out)]) == 0
    said, printed = json.loads(out.read_text()), capsys.readouterr().out
    exact = patient(by_family["logistic"], 17, source).found
    order = [exact.columns[at] for at in np.argsort(-np.abs(exact.values[0, 0]))]
    assert [each["column"] for each in said["columns"]["1"]] == order
    assert said["columns"]["1"][0]["direction"] == ("raises" if np.abs(exact.values).argmax() == exact.values.argmax()
                                                    else "lowers")
    assert {type(value) for each in said["columns"]["1"] for value in each.values()} == {str}
    assert said["answer"] == [round_3(float(exact.answers[0, 0]))]
    row = pl.read_csv(source, infer_schema=False).row(16, named=True)
    assert row["lactate"] in printed and row["lactate"] not in out.read_text()
    assert main(["explain", by_family["logistic"], "--row", "999"]) == 2
    assert "Choose a row from 1 to 240" in capsys.readouterr().err


def test_a_cell_that_stands_for_missing_says_so_and_is_no_measurement():
    """Pima's insulin: 0 in the file, and the model is told nothing."""
    assert _cell("0", np.nan) == "not recorded (0 in the file)" and _cell("?", None) == "not recorded (? in the file)"
    assert _cell(None, np.nan) == _cell(" ", None) == "not recorded"
    assert _cell("0", 0.0) == "0" and _cell(12, 12.0) == "12" and _cell("f", "f") == "f"


def test_explain_makes_a_score_and_says_what_doing_without_costs(made, tmp_path, capsys):
    _, by_family, _ = made
    run = by_family["logistic"]
    assert main(["explain", run, "--score", "3"]) == 0
    assert main(["explain", run, "--without", "age", "--json", str(tmp_path / "without.json")]) == 0
    printed = capsys.readouterr().out
    assert "points in all" in printed and "Doing without them costs: AUROC is 0." in printed
    without = json.loads((tmp_path / "without.json").read_text())
    assert without["difference"]["high"] < 0 and "internally validated only" in without["stamps"]
    assert printed.count("Note: internally validated only.") == 2



@pytest.mark.parametrize(("kind", "more", "kept"), [
    ("explain", {}, found.Overall), ("score", {"most": 3}, found.BedsideScore),
    ("without", {"left_out": [{"column": "age", "why": "late"}]}, found.Without)])
def test_a_job_keeps_its_answer_beside_the_run(made, monkeypatch, kind, more, kept):
    source, by_family, _ = made
    from types import SimpleNamespace

    asked_for = SimpleNamespace(payload={"run": by_family["logistic"], **more})
    assert registry.get(kind).run(asked_for, Silent()) == {"run": by_family["logistic"]}
    assert found.read(gallery.open_run(by_family["logistic"]), kept) is not None and home.home() == made[2]
