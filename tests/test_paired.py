"""Two runs on the same cases: the difference is paired patient by patient, and what cannot be paired says why."""

from __future__ import annotations

import numpy as np
import pytest
from explained import ward_table
from sklearn.metrics import mean_absolute_error
from tables import planned, saved

from medml import gallery, paired
from medml.__main__ import main
from medml.evaluate import delong
from medml.train import train
from medml.types import Metric, SplitPlan


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two families on the same table, one of them on other folds; a number; another outcome."""
    folder = tmp_path_factory.mktemp("paired")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(folder / "home"))
        source = saved(ward_table(), folder / "data")
        twice = SplitPlan(by="row", scheme="cross_validation", folds=3, repeats=2)
        plans = {"logistic": {}, "without": {"leave_out": ["age", "patient_id"]}, "again": {"split": twice, "seed": 5},
                 "number": {"target": "lactate"}, "fewer": {"target": "lactate", "leave_out": ["age", "pressure"]}}
        runs = {name: train(source, *planned(source, **plan)) for name, plan in plans.items()}
    return folder, runs


@pytest.fixture(autouse=True)
def at_home(made, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(made[0] / "home"))
    return made[1]


def answers(run: str) -> np.ndarray:
    with np.load(gallery.open_run(run).sealed("private/oof.npz")) as stored:
        return stored["p"]


def test_the_difference_is_that_of_the_two_figures_and_its_interval_about_delongs(at_home):
    """One repeat of 3 folds; the bootstrap is widened for the training patients, so it is no narrower than DeLong's."""
    left, right = at_home["logistic"], at_home["without"]
    found = paired.paired(left, right)
    y = ward_table()["outcome"].to_numpy()
    scores = [answers(each)[0, :, 1] for each in (left, right)]
    told, exact = found.difference["auroc"], delong.difference(y, *scores)[0]
    reports = [gallery.open_run(each).report.metrics["auroc"] for each in (left, right)]
    assert told.value == pytest.approx(reports[0].value - reports[1].value)  # ranks within folds; DeLong's across them
    assert told.value == pytest.approx(exact.value, abs=0.01) and told.low > 0 < exact.low
    assert exact.high - exact.low < 1.05 * (told.high - told.low) < 2.5 * (exact.high - exact.low)
    spread = [each.high - each.low for each in reports]
    assert told.high - told.low < np.hypot(*spread)  # pairing tells more than two intervals
    assert found.n_cases == found.n_patients == 240 and "auroc" in found.difference and "brier" in found.difference
    assert found.said("A", "B").startswith("A is better: AUROC +")
    other = paired.paired(right, left).difference["auroc"]
    assert (other.value, other.low) == pytest.approx((-told.value, -told.high))


def test_runs_on_other_folds_are_paired_by_their_cases(at_home):
    found = paired.paired(at_home["logistic"], at_home["again"])
    mine, theirs = (gallery.open_run(at_home[name]).report.metrics["auroc"].value for name in ("logistic", "again"))
    assert found.difference["auroc"].value == pytest.approx(mine - theirs)
    assert "Neither is better as far as can be told" in found.said("A", "B")


def test_numbers_are_paired_by_r2_and_mean_error(at_home):
    found = paired.paired(at_home["number"], at_home["fewer"], draws=200)
    y = ward_table()["lactate"].to_numpy()
    errors = [mean_absolute_error(y, answers(at_home[name])[0]) for name in ("number", "fewer")]
    assert list(found.difference) == ["r2", "mae"]
    assert found.difference["mae"].value == pytest.approx(errors[0] - errors[1], abs=1e-6)


def test_a_second_figure_that_tells_them_apart_is_said():
    found = paired.Paired({"auroc": Metric(value=0.03, low=-0.01, high=0.07, n=90),
                           "brier": Metric(value=-0.03, low=-0.05, high=-0.01, n=90)}, 90, 90)
    assert found.said("A", "B").startswith("Neither is better as far as can be told: AUROC +0.030 (-0.010 to +0.070)")
    assert found.said("A", "B").endswith("By the Brier score A is better.")


def test_what_cannot_be_paired_says_why(at_home, made, capsys):
    assert "different outcomes" in paired.paired(at_home["logistic"], at_home["number"]).said("A", "B")
    assert main(["compare", at_home["logistic"], at_home["without"]]) == 0
    printed = capsys.readouterr().out
    assert f"{at_home['logistic']} is better" in printed and "Brier score" in printed
    table = made[0] / "data" / "clinic.csv"
    content = table.read_bytes()
    try:
        table.write_bytes(content + b"\n")
        assert "has changed since" in paired.paired(at_home["logistic"], at_home["without"]).said("A", "B")
        assert main(["compare", at_home["logistic"], at_home["without"]]) == 0
        assert "cannot be paired" in capsys.readouterr().out
    finally:
        table.write_bytes(content)
