"""An interval without width is none: of one patient, or of cases that are all alike, every draw is the same."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from medml import terminal
from medml.evaluate.intervals import bootstrap, metric
from medml.evaluate.words import apart
from medml.measured import NO_INTERVAL
from medml.paired import Paired
from medml.report import wording
from medml.types import Metric
from pages import _ui_figures as figures
from pages import _ui_metrics as metrics

ALIKE = Metric(value=0.875, low=0.875, high=0.875, n=8)
APART = Metric(value=0.875, low=0.8125, high=0.9375, n=80)
EVERYWHERE = {"the terminal": terminal.figure, "PDF and Word": wording.figure, "a large figure": lambda each:
              figures.figure("AUROC", each), "a table": metrics.cell, "a sentence": apart,
              "two models": lambda each: Paired({"auroc": each}, 80, 80).said("A", "B")}


@pytest.mark.parametrize("said", EVERYWHERE.values(), ids=EVERYWHERE)
def test_an_interval_without_width_is_said_to_be_none_wherever_one_is_printed(said):
    assert "no interval" in said(ALIKE) and "0.875 to" not in said(ALIKE)
    assert re.search(r"0\.81\d? to \+?0\.93\d?", said(APART)) and "no interval" not in said(APART)


def test_eight_rows_of_one_patient_have_no_interval():
    """Whoever is drawn, it is this patient again."""
    right, one = np.arange(8) > 0, np.zeros(8, int)
    drawn = bootstrap(lambda weights: {"accuracy": right @ weights / weights.sum(axis=0)}, one, 1, seed=0, draws=50)
    found = metric(0.875, drawn["accuracy"], 8)
    assert terminal.figure(found) == f"0.875 ({NO_INTERVAL})"


def test_a_model_that_was_always_right_is_not_said_to_have_had_too_few():
    found = metric(1.0, np.ones(50), 2000)
    assert terminal.figure(found) == "1.000 (no interval: it is the same in every draw)"


def test_a_figure_a_patient_is_told_for_a_hundred_with_its_signs():
    gain = Metric(value=0.02, low=-0.01, high=0.05, n=80)
    assert gain.between("+.1f", per=100) == "-1.0 to +5.0"
    assert Metric(value=None, low=None, high=None, n=3).between() == NO_INTERVAL


def test_no_room_prints_the_ends_of_an_interval_by_itself():
    """`Metric.between` knows when there is none."""
    root = Path(metrics.__file__).parents[1]
    ends = re.compile(r"\.low:[z+]{0,2}\.\d[fg]\}")
    files = [each for room in ("medml", "pages", "worker") for each in (root / room).rglob("*.py")]
    assert len(files) > 300 and [each.name for each in files if ends.search(each.read_text(encoding="utf-8"))] == []
