"""What a person did about a check: kept beside the run, open again when the check says something else."""

from __future__ import annotations

import json
import re

import pytest
from streamlit.testing.v1 import AppTest
from tables import trained_once

from medml import gallery, home, worklist
from medml.__main__ import main
from medml.evaluate.sample_size import (
    advice,
    before_training,
    max_r2cs,
    most_parameters,
    needed_for_classes,
    r2cs_of_auroc,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("worked")
    with trained_once(place) as name:
        yield name, place


@pytest.fixture(autouse=True)
def its_home(run, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(run[1] / "home"))


def test_a_note_is_kept_and_the_others_stay_open(run):
    name, _ = run
    asking = [each for each in gallery.open_run(name).report.checks if each.verdict in worklist.ASKING]
    assert worklist.left(gallery.open_run(name).report, worklist.Worklist()) == len(asking) > 0
    first = asking[0]
    worklist.write(name, first.id, "asked", "  Asked the ward.  ")
    worked = worklist.write(name, first.id, "done", "The ward says it is known on admission.")
    opened = gallery.open_run(name)
    assert worklist.read(opened.folder) == worked and list(worked.items) == [first.id]
    assert worklist.left(opened.report, worked) == len(asking) - 1
    assert worklist.state_of(worked, first.id, first.what) == "done"
    assert worklist.state_of(worked, first.id, "It says something else now.") == "open"
    with pytest.raises(ValueError, match="no check 'Z9'"):
        worklist.write(name, "Z9", "done", "")


def test_a_damaged_list_is_an_empty_one(run):
    folder = gallery.open_run(run[0]).folder
    home.write_bytes(folder / worklist.FILE, b"{")
    assert worklist.read(folder) == worklist.Worklist()


def test_the_command_lists_every_check_with_verdict_figures_and_what_to_do(run, tmp_path, capsys):
    name, _ = run
    check = next(each for each in gallery.open_run(name).report.checks if each.verdict == "warn")
    worklist.write(name, check.id, "asked", "Asked the laboratory.")
    assert main(["checks", name, "--json", str(tmp_path / "checks.json")]) == 0
    told = json.loads((tmp_path / "checks.json").read_text())["checks"]
    assert {"id", "verdict", "figures", "what", "fix", "state", "note"} <= set(told[0])
    assert {each["id"] for each in told} >= {"E4", "E5", "E6", "F1", "X1", "L12", "L13", "M4"}
    assert next(each for each in told if each["id"] == check.id)["state"] == "asked"
    printed = capsys.readouterr().out
    assert f"Look at this  {check.id}" in printed and "Asked somebody: Asked the laboratory." in printed
    assert printed.index("Look at this") < printed.index("In order")


# ---- sample size, before there is a model ----------------------------------------------------------------------

def test_size_says_in_words_what_so_many_patients_carry(capsys):
    assert main(["size", "--events", "75", "--rows", "430", "--parameters", "10"]) == 0
    assert "You have 430 patients; 10 predictors need 943: keep at most 4." in capsys.readouterr().out
    assert main(["size", "--events", "500", "--rows", "5000", "--parameters", "5"]) == 0
    assert "that is enough" in capsys.readouterr().out
    assert main(["size", "--events", "9", "--rows", "40", "--parameters", "3"]) == 0
    assert "too few even for one predictor, which needs 268." in capsys.readouterr().out
    assert main(["size", "--events", "174", "--rows", "1000", "--parameters", "24", "--r2", "0.288"]) == 0
    assert "24 predictors need 662: that is enough." in (said := capsys.readouterr().out)   # Riley's own example
    assert "shrinkage of at least 0.9): 623" in said and "0.05): 662" in said and "5 points: 221" in said
    for wrong in (["--events", "0", "--rows", "9", "--parameters", "1"],
                  ["--events", "4", "--rows", "9", "--parameters", "0"],
                  ["--events", "4", "--rows", "9", "--parameters", "1", "--auroc", "0.4"],
                  ["--events", "4", "--rows", "9", "--parameters", "1", "--r2", "0.9"]):
        assert main(["size", *wrong]) == 2


def test_a_published_model_says_before_training_how_many_are_needed():
    """The better an outcome was predicted elsewhere, the fewer patients teach the same; a number asks by R2."""
    for task, counts, published in (("binary", [700, 300], 0.85), ("regression", [], 0.5)):
        (guess, enough), (told, then) = (before_training(task, 1000, 30, counts, each) for each in (None, published))
        needs = [int(re.search(r"need ([\d,]+)", each)[1].replace(",", "")) for each in (guess, told)]
        assert needs[1] < 0.8 * needs[0] and (enough, then) == (needs[0] <= 1000, needs[1] <= 1000)


def test_the_screen_takes_what_a_published_model_reached_and_counts_by_it():
    def drawn() -> None:
        from medml.types import Choice, Column, Level, Recipe, Table, TableRef, UsePlan
        from pages import _ui_use_plan

        outcome = Column(name="died", kind="yes_no", missing=0, distinct=2,
                         levels=[Level(label="no", n=700), Level(label="yes", n=300)])
        columns = [outcome, *(Column(name=f"x{at}", kind="number", missing=0, distinct=900) for at in range(30))]
        table = Table(ref=TableRef(path="a.csv"), sha256="0", rows=1000, columns=columns, duplicates=0)
        choice = Choice(table=table.ref, target="died", task="binary", positive="yes")
        recipe = Recipe(profile_sha256="0", steps=[])
        _ui_use_plan.enough(table, choice, recipe, "k")
        _ui_use_plan.ask_use(table, choice, UsePlan(), "k")
    page = AppTest.from_function(drawn, default_timeout=60).run()
    before = "".join(each.body for each in page.html)
    page = next(each for each in page.number_input if "published" in each.label).set_value(0.85).run()
    after = "".join(each.body for each in page.html)
    assert not page.exception and "30 predictors need" in before and "keep at most" in before
    assert "30 predictors need" in after and "that is enough" in after


def test_the_most_parameters_are_the_last_that_fit():
    for n, share in ((430, 0.174), (1000, 0.3), (500, 0.5)):
        most = most_parameters(n, share)
        assert needed_for_classes(most, share).n <= n < needed_for_classes(most + 1, share).n


def test_an_auroc_is_turned_into_the_r2_that_simulated_scores_of_it_have():
    """200,000 drawn scores, normal in both groups: the likelihood of their own logistic model."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss, roc_auc_score

    rng = np.random.default_rng(0)
    for auroc, share in ((0.75, 0.1), (0.85, 0.4)):
        y = rng.random(200_000) < share
        apart = {0.75: 0.95387, 0.85: 1.46575}[auroc]  # sqrt(2) times the normal quantile of the AUROC
        x = rng.normal(size=200_000) + apart * y
        assert roc_auc_score(y, x) == pytest.approx(auroc, abs=0.005)
        p = LogisticRegression(C=np.inf).fit(x[:, None], y).predict_proba(x[:, None])[:, 1]
        r2 = 1 - np.exp(2 * (log_loss(y, p) - log_loss(y, np.full(len(y), y.mean()))))
        assert r2cs_of_auroc(auroc, share) == pytest.approx(r2, abs=0.005)
    assert advice(1000, 174, 24, auroc=0.9).needed.n < advice(1000, 174, 24).needed.n
    assert 0.6 < r2cs_of_auroc(0.99, 0.3) < r2cs_of_auroc(0.997, 0.3) < r2cs_of_auroc(0.9999, 0.3) < max_r2cs(0.3)


@pytest.mark.parametrize("task, counts, said", [
    ("binary", [355, 75], "You have 430 patients; 10 predictors need 943: keep at most 4."),
    ("multiclass", [200, 130, 100], "You have 430 patients; 10 predictors need "),
    ("regression", [], "You have 430 patients; 10 predictors need "), ("multiclass", [430], "")])
def test_the_sentence_before_training_is_there_for_every_task(task, counts, said):
    from medml.evaluate.sample_size import before_training

    assert before_training(task, 430, 10, counts)[0].startswith(said)


@pytest.mark.parametrize("counts", [[], [12, 0], [0, 12]])
def test_two_classes_that_the_scan_could_not_count_make_no_sentence_before_training(counts):
    assert before_training("binary", 12, 3, counts) == ("", True)
