"""The command line: the whole line in place, in a process of its own where exit codes and stderr matter."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from tables import clinic, saved

from medml import gallery, store, terminal
from medml.__main__ import main
from medml.report import wording
from pages import _ui_metrics

ROOT = Path(__file__).resolve().parents[1]


def run(*arguments: str, home: Path) -> subprocess.CompletedProcess:
    """`python -m medml ...` as a person types it."""
    return subprocess.run([sys.executable, "-m", "medml", *arguments], cwd=ROOT, capture_output=True, text=True,
                          timeout=300, env=os.environ | {"MEDML_HOME": str(home)}, stdin=subprocess.DEVNULL)


def train(source: Path, out: Path, *more: str) -> dict:
    """Train in this process; what --json says."""
    assert main(["train", str(source), "--target", "outcome", "--folds", "3", "--json", str(out), *more]) == 0
    return json.loads(out.read_text())


def test_scan_writes_what_the_screens_read(tmp_path, medml_home):
    saved(clinic(), tmp_path / "ward")
    (tmp_path / "ward" / "empty.csv").write_text("")
    done = run("scan", str(tmp_path / "ward"), "--json", str(tmp_path / "scan.json"), home=medml_home)
    assert done.returncode == 0, done.stderr
    said = json.loads((tmp_path / "scan.json").read_text())
    files = {entry["path"]: entry for entry in said["files"]}
    assert files["empty.csv"]["action"] == "skip" and files["empty.csv"]["reason_code"] == "empty"
    assert files["clinic.csv"]["rows"] == 160
    table = said["tables"][0]
    assert {"name", "kind", "missing", "distinct", "suspicions"} <= set(table["columns"][0])
    assert table["target"][0]["column"] == "outcome" and table["target"][0]["reason"]
    assert "160 rows" in done.stdout and "P00001" not in done.stdout


def test_what_is_said_of_many_files_is_said_once(tmp_path, capsys):
    saved(clinic(), tmp_path / "ward")
    for at in range(40):
        (tmp_path / "ward" / f"{at:02d}.csv").write_text("")
    (tmp_path / "ward" / "zz.nii").write_bytes(b"\x5c\x01\x00\x00" + bytes(400))
    assert main(["scan", str(tmp_path / "ward"), "--json", str(tmp_path / "scan.json")]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [each for each in said if "This file is empty" in each] == [
        "00.csv, 01.csv, 02.csv, 03.csv, 04.csv and 35 more: This file is empty."]
    assert [each for each in said if each.startswith("zz.nii: ")]
    assert len(json.loads((tmp_path / "scan.json").read_text())["files"]) == 42


def test_train_writes_every_figure_with_its_interval(tmp_path):
    said = train(saved(clinic(), tmp_path), tmp_path / "run.json", "--family", "logistic")
    assert said["task"] == "binary" and said["family"] == "logistic"
    assert {"by", "scheme", "n_train", "n_test"} <= set(said["split"])
    wanted = {"auroc", "auprc", "accuracy", "brier", "log_loss", "sensitivity", "specificity", "ppv", "npv", "f1",
              "balanced_accuracy", "mcc"}
    assert wanted <= set(said["metrics"])
    for name in wanted:
        figure = said["metrics"][name]
        assert figure["low"] <= figure["value"] <= figure["high"], name
        assert figure["n"] == 160
    ids = {check["id"] for check in said["checks"]}
    assert {"L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "L9", "L10", "L11", "N1", "N2", "N3", "N4", "M1", "M2",
            "M3", "E1", "E2", "E3", "E7", "E8", "G1"} <= ids
    assert {"id", "verdict", "what", "fix"} <= set(said["checks"][0])
    assert said["seconds"] > 0 and said["baselines"]


def test_train_writes_the_figures_of_a_number(tmp_path):
    source = saved(clinic().drop(columns="outcome"), tmp_path)
    assert main(["train", str(source), "--target", "age", "--folds", "3", "--family", "logistic", "--json",
                 str(tmp_path / "run.json")]) == 0
    said = json.loads((tmp_path / "run.json").read_text())
    assert said["task"] == "regression" and {"mae", "rmse", "r2"} <= set(said["metrics"])


def test_of_a_number_the_mean_is_the_guess_that_must_be_beaten(tmp_path, capsys):
    """There is no class and no prevalence: terminal, report and screen say what was guessed."""
    said = train(saved(clinic(), tmp_path), tmp_path / "a.json", "--target", "pressure", "--family", "forest",
                 "--epochs", "50")
    printed = capsys.readouterr().out
    assert "The mean alone" in printed and "Prevalence" not in printed
    run = gallery.open_run(said["run"])
    assert "The mean alone" in wording.beside(run) and "Prevalence alone" not in wording.beside(run)
    assert _ui_metrics.baseline_title("prevalence", run.report.task) == "Guess: the mean"
    assert "share of each class" in _ui_metrics.baseline_title("prevalence", "multiclass")


def test_continue_revert_show_compare_runs_and_delete(tmp_path, capsys):
    source = saved(clinic(), tmp_path)
    network = train(source, tmp_path / "a.json", "--family", "mlp", "--epochs", "10")["run"]
    linear = train(source, tmp_path / "b.json", "--family", "logistic", "--name", "Plain")["run"]
    assert main(["continue", network, "--epochs", "4"]) == 0
    assert gallery.open_run(network).chain.current == 1
    assert main(["revert", network]) == 0
    assert gallery.open_run(network).chain.current == 0
    assert main(["revert", network, "--to", "1"]) == 0
    assert main(["show", network, "--json", str(tmp_path / "show.json")]) == 0
    assert json.loads((tmp_path / "show.json").read_text())["checkpoint"] == 1
    capsys.readouterr()
    assert main(["compare", network, linear]) == 0
    assert "family" in (said := capsys.readouterr().out) and said.count("internally validated only") == 2
    assert main(["runs"]) == 0
    listed = capsys.readouterr().out
    assert network in listed and "Plain" in listed and listed.count("internally validated only") == 2   # X1: wherever
    assert main(["delete", linear]) == 2  # nobody to ask
    assert "Add --yes" in capsys.readouterr().err and len(gallery.runs()) == 2
    assert main(["delete", linear, "--yes"]) == 0
    assert [each.run for each in gallery.runs()] == [network]


def test_predict_keeps_ids_and_abstains_on_a_category_never_seen(tmp_path):
    table = clinic(300)
    source = saved(table, tmp_path)
    made = train(source, tmp_path / "run.json", "--family", "logistic")
    new = table.head(6).drop(columns="outcome")
    new.loc[1, "ward"] = "ZZmoon"
    new.loc[2, "age"] = None
    new.loc[3, "pressure"] = 99_999
    file = saved(new, tmp_path / "new")
    assert main(["predict", made["run"], str(file), "--out", str(tmp_path / "out.csv")]) == 0
    with (tmp_path / "out.csv").open() as opened:
        rows = list(csv.DictReader(opened))
    assert [row["patient_id"] for row in rows] == new["patient_id"].tolist()
    assert 0 <= float(rows[0]["probability of 1"]) <= 1 and rows[0]["predicted"] in ("0", "1")
    assert rows[0]["abstained"] == ""
    assert rows[1]["probability of 1"] == "" and "ward" in rows[1]["abstained"] and "ZZ" not in rows[1]["abstained"]
    assert "age" in rows[2]["abstained"] and rows[2]["predicted"] == ""
    assert "pressure: far outside" in rows[3]["abstained"] and rows[3]["probability of 1"] == ""


@pytest.mark.parametrize(("arguments", "words"), [
    (["train", "{source}", "--target", "nonsense"], "nonsense"),
    (["train", "{source}", "--target", "outcome", "--family", "magic"], "Choose one of"),
    (["train", "{source}", "--target", "outcome", "--family", "logistic", "--set", "depth=3"], "no setting"),
    (["train", "{source}", "--target", "outcome", "--drop", "nonsense"], "nonsense"),
    (["train", "/nowhere/at/all.csv", "--target", "outcome"], "There is no folder or file"),
    (["show", "no-such-run"], "no run"),
    (["predict", "no-such-run", "{source}", "--out", "{out}"], "no run"),
])
def test_what_a_person_can_mend_ends_with_2_and_two_sentences(tmp_path, medml_home, arguments, words):
    source = saved(clinic(60), tmp_path)
    done = run(*(each.format(source=source, out=tmp_path / "out.csv") for each in arguments), home=medml_home)
    assert done.returncode == 2
    assert words in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2


def test_a_fault_of_ours_ends_with_1_and_a_reference_and_quotes_no_cell(tmp_path, monkeypatch, capsys):
    from medml import gallery

    def broken():
        raise ValueError("could not convert string to float: 'Jane Doe'")

    monkeypatch.setattr(gallery, "runs", broken)
    assert main(["runs"]) == 1
    said = capsys.readouterr().err
    assert "MedML made a mistake; your data is unchanged. Reference " in said
    assert "Jane" not in said and "Traceback" not in said


def test_one_class_only_is_refused_in_plain_words(tmp_path, medml_home):
    table = clinic(80)
    table["outcome"] = 0
    done = run("train", str(saved(table, tmp_path)), "--target", "outcome", home=medml_home)
    assert done.returncode == 2
    assert "nothing to learn" in done.stderr


def test_a_large_table_keeps_a_part_closed_until_it_is_opened(tmp_path):
    said = train(saved(clinic(2400), tmp_path), tmp_path / "run.json", "--family", "logistic")
    assert said["split"]["scheme"] == "held_out" and said["split"]["n_test"] == 600
    assert said["held_out"] == {} and said["looks"] == 0 and said["metrics"]["auroc"]["n"] == 1800
    assert main(["open", said["run"]]) == 0
    assert gallery.open_run(said["run"]).report.looks == 1


def test_no_result_is_written_over_the_clinicians_own_file(tmp_path, capsys):
    source = saved(clinic(), tmp_path / "ward")
    made = train(source, tmp_path / "run.json", "--family", "logistic")
    before = source.read_bytes()
    assert main(["predict", made["run"], str(source), "--out", str(source)]) == 2
    assert main(["scan", str(source), "--json", str(source)]) == 2
    assert main(["scan", str(source.parent), "--json", str(source)]) == 2
    assert main(["report", made["run"], "--pdf", str(source)]) == 2
    assert "one of your own files" in capsys.readouterr().err
    assert source.read_bytes() == before


def test_no_result_is_written_over_a_file_of_another_kind(tmp_path, capsys):
    """A slip of the completion: --pdf patients.csv, of patients that no run was made from."""
    made = train(saved(clinic(), tmp_path / "ward"), tmp_path / "run.json", "--family", "logistic")
    theirs = saved(clinic(), tmp_path / "elsewhere")
    before = theirs.read_bytes()
    for command, asked in (("report", "--pdf"), ("report", "--docx"), ("report", "--card"), ("checks", "--json"),
                           ("export", "--onnx"), ("export", "--capsule")):
        assert main([command, made["run"], asked, str(theirs)]) == 2
        assert "“clinic.csv” is there already, and is no file of that kind" in capsys.readouterr().err
    assert main(["predict", made["run"], str(tmp_path / "ward" / "clinic.csv"), "--out", str(theirs)]) == 2
    assert "holds no answers of MedML" in capsys.readouterr().err
    assert theirs.read_bytes() == before
    again = tmp_path / "twice"
    again.mkdir()
    for _ in range(2):  # what MedML wrote itself may be written again
        assert main(["export", made["run"], "--onnx", str(again / "model.onnx")]) == 0
        assert main(["report", made["run"], "--pdf", str(again / "report.pdf")]) == 0
        assert main(["predict", made["run"], str(theirs), "--out", str(again / "answers.csv")]) == 0


def test_a_folder_that_is_not_there_is_one_sentence_before_any_work(tmp_path, capsys):
    source = saved(clinic(), tmp_path)
    assert main(["train", str(source), "--target", "outcome", "--json", str(tmp_path / "no" / "x.json")]) == 2
    assert "There is no folder" in capsys.readouterr().err
    assert gallery.runs() == []


def test_a_folder_or_a_dash_in_the_place_of_a_file_is_one_sentence(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = saved(clinic(), tmp_path / "ward")
    for asked, said in ((str(tmp_path), "is a folder"), ("-", "is no name of a file")):
        assert main(["scan", str(source), "--json", asked]) == 2
        assert said in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["ward"]


def test_jobs_and_settings_are_printed_as_json_where_no_file_is_named(capsys, medml_home):
    store.submit("job-0001", "train", "train", {})
    for asked in (["jobs", "--json"], ["jobs", "--night", "--json"], ["jobs", "--json", "-"]):
        assert main(asked) == 0
        assert [each["id"] for each in json.loads(capsys.readouterr().out)] == ["job-0001"] * ("--night" not in asked)


def test_a_column_forced_after_scores_were_seen_is_recorded(tmp_path):
    source = saved(clinic(), tmp_path)
    quick = ("--family", "logistic", "--select")
    first = train(source, tmp_path / "a.json", *quick)
    second = train(source, tmp_path / "b.json", *quick, "--force-out", "age")
    assert not first["config"]["selection"]["override_after_scores"]
    assert second["config"]["selection"]["override_after_scores"]
    assert "had been seen" in second["selection_note"]
    gallery.delete(first["run"])
    third = train(source, tmp_path / "c.json", *quick, "--drop", "ward")
    assert third["config"]["selection"]["override_after_scores"]  # deleting the run that showed them changes nothing


def test_jobs_are_listed(capsys):
    from medml import store

    store.submit("job-number-one", "scan", "quick", {}, project=None, not_before=0.0, priority=0)
    assert main(["jobs"]) == 0
    assert "scan" in capsys.readouterr().out


def test_runs_that_answer_different_questions_are_compared_with_a_warning(tmp_path, capsys):
    source = saved(clinic(100), tmp_path)
    other = saved(clinic(100, seed=1), tmp_path / "other", "other.csv")
    runs = [train(each, tmp_path / "a.json", "--family", "logistic", *more)["run"]
            for each, more in ((source, ()), (source, ("--seed", "1")), (other, ()))]
    capsys.readouterr()
    assert main(["compare", runs[0], runs[1]]) == 0
    said = capsys.readouterr().out
    assert "caution" not in said and "Note: They were judged on different divisions of the same patients" in said
    assert main(["compare", runs[0], runs[2]]) == 0
    assert "[caution] They were made from different tables: clinic.csv and other.csv." in capsys.readouterr().out


class Typed(io.StringIO):
    """A terminal at which somebody has typed this."""

    def isatty(self) -> bool:
        return True


def test_a_run_is_deleted_only_after_a_yes(tmp_path, monkeypatch, capsys):
    made = train(saved(clinic(60), tmp_path), tmp_path / "a.json", "--family", "logistic", "--name", "Ward 3")["run"]
    for answer in ("no\n", "\n", ""):
        monkeypatch.setattr("sys.stdin", Typed(answer))
        assert main(["delete", made]) == 0
        told = capsys.readouterr()
        assert "Delete “Ward 3”" in told.err and "was not deleted" in told.out and len(gallery.runs()) == 1
    monkeypatch.setattr("sys.stdin", Typed("yes\n"))
    assert main(["delete", made]) == 0 and gallery.runs() == []


def test_regression_is_not_printed_beside_itself(tmp_path, capsys):
    source = saved(clinic(), tmp_path)
    said = train(source, tmp_path / "a.json", "--family", "logistic")
    printed = capsys.readouterr().out
    assert "Prevalence alone" in printed and "Logistic regression" not in printed.split("\n\n")[1]
    assert "logistic" in said["baselines"]
    assert "plain regression itself" in next(each["what"] for each in said["checks"] if each["id"] == "E7")
    assert main(["show", train(source, tmp_path / "b.json", "--family", "forest", "--epochs", "50")["run"]]) == 0
    assert "Logistic regression" in capsys.readouterr().out


def test_several_tables_are_listed_with_what_to_add(tmp_path, capsys):
    saved(clinic(60), tmp_path / "ward", "a.csv")
    source = saved(clinic(80), tmp_path / "ward", "b.csv").parent
    assert main(["train", str(source), "--target", "outcome"]) == 2
    assert '--table "a.csv", --table "b.csv"' in capsys.readouterr().err
    assert main(["train", str(source), "--target", "outcome", "--table", "c.csv"]) == 2
    assert "no table “c.csv”" in capsys.readouterr().err
    said = train(source, tmp_path / "a.json", "--table", "b.csv", "--family", "logistic")
    assert said["manifest"]["source_file"] == "b.csv"


def test_the_sheets_of_a_workbook_are_listed_with_what_to_add(tmp_path, capsys):
    book = tmp_path / "book.xlsx"
    with pd.ExcelWriter(book) as writer:
        for place, sheet in enumerate(("first", "second")):
            clinic(60 + 20 * place).to_excel(writer, sheet_name=sheet, index=False)
    assert main(["train", str(book), "--target", "outcome", "--table", "book.xlsx"]) == 2
    assert '--table "book.xlsx" --sheet "second"' in capsys.readouterr().err
    said = train(book, tmp_path / "a.json", "--sheet", "second", "--family", "logistic")
    assert said["metrics"]["auroc"]["n"] == 80
    assert main(["predict", said["run"], str(book), "--out", str(tmp_path / "out.csv")]) == 2
    assert "--sheet" in capsys.readouterr().err


def test_a_continue_that_was_stopped_says_that_the_run_stays(tmp_path, monkeypatch, capsys):
    made = train(saved(clinic(60), tmp_path), tmp_path / "a.json", "--family", "mlp", "--epochs", "3")["run"]
    monkeypatch.setattr(terminal.Bar, "stopping", lambda self: True)
    assert main(["continue", made, "--epochs", "5"]) == 2
    assert f"{made} stays at the checkpoint where it was" in capsys.readouterr().err
    assert len(gallery.open_run(made).chain.checkpoints) == 1
