"""What more patients would bring: nested parts by patient, the power law, the sentence, kept with the run."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import dealt, made_cases, of_patients, predicted
from tables import clinic, planned, saved

from medml import forecast, gallery
from medml.errors import UserError
from medml.train import train
from medml.types import Metric


def test_the_power_law_is_found_again():
    n = np.array([100.0, 200, 300, 500])
    true = lambda at: 0.85 - 1.2 * at**-0.7  # noqa: E731
    found = forecast.fitted(n, np.stack([true(n), np.full(4, 0.7)], axis=1), np.array([500.0, 1000.0]))
    assert found[:, 0] == pytest.approx(true(np.array([500.0, 1000.0])), abs=1e-3)
    assert found[:, 1] == pytest.approx([0.7, 0.7])


def test_a_figure_that_falls_with_more_patients_is_not_carried_on_downwards():
    found = forecast.fitted(np.array([100.0, 200, 400]), np.array([[0.8], [0.78], [0.76]]), np.array([800.0]))
    assert found[0, 0] == pytest.approx(0.78)


def test_parts_hold_whole_patients_and_lie_inside_one_another():
    cases = of_patients(made_cases(300), np.repeat(np.arange(100), 3))
    fold = dealt(cases.patients)[0]
    small, large = (forecast.part_of(cases, fold, share, seed=0) for share in (0.3, 0.6))
    assert set(small.train) < set(large.train) < set(fold.train) and np.array_equal(small.test, fold.test)
    for each in (small, large):
        inside = np.isin(cases.patients[fold.train], cases.patients[each.train])
        assert np.array_equal(np.sort(fold.train[inside]), np.sort(each.train))
    assert len(np.unique(cases.patients[small.train])) == pytest.approx(24, abs=2)


def test_too_few_patients_for_parts_are_refused():
    cases = made_cases(40, prevalence=0.1)
    with pytest.raises(UserError, match="too few patients"):
        forecast.part_of(cases, dealt(cases.patients)[0], 0.2, seed=0)


def test_a_model_that_still_learns_is_told_from_one_that_does_not():
    cases = made_cases(400)
    folds = dealt(cases.patients)
    flat = [(share, predicted(cases, folds, seed=1).p[0]) for share in (0.2, 0.5, 1.0)]
    rising = [(share, predicted(cases, folds, signal=signal, seed=1).p[0])
              for share, signal in ((0.2, 0.0), (0.5, 1.0), (1.0, 1.6))]
    level, steep = (forecast.forecast(cases, folds, parts, more=200, seed=0, checkpoint=0, draws=200)
                    for parts in (flat, rising))
    assert level.gain.value == pytest.approx(0, abs=1e-6) and "hardly change" in level.said
    assert steep.gain.value > 0.01 and [each.n for each in steep.points] == [64, 160, 320]
    assert steep.curve.x[-1] == 480  # of 200 more a fold of 5 learns from 160, and judges 40
    sizes, values = np.array([64.0, 160, 320]), np.array([[each.figure.value] for each in steep.points])
    assert steep.then.value == pytest.approx(forecast.fitted(sizes, values, np.array([480.0]))[0, 0])
    assert steep.then.value > steep.points[-1].figure.value - 0.05


def test_the_sentence_says_when_it_cannot_be_told():
    then = Metric(value=0.8, low=0.7, high=0.9, n=9)
    wide = Metric(value=0.01, low=-0.02, high=0.05, n=9)
    assert "cannot be told yet" in forecast.in_words("auroc", 200, then, wide)
    assert "would make it better" in forecast.in_words("auroc", 200, then, wide.model_copy(update={"low": 0.02}))
    assert "too few" in forecast.in_words("auroc", 200, Metric(value=None, low=None, high=None, n=9), wide)


def test_a_run_keeps_its_forecast_with_its_checkpoint(tmp_path):
    source = saved(clinic(200), tmp_path)
    name = train(source, *planned(source))
    assert gallery.open_run(name).report.forecast is None
    found = forecast.of_run(name)
    opened = gallery.open_run(name)
    assert opened.report.forecast == found and len(found.points) == 5
    assert found.points[-1].figure.value == pytest.approx(opened.report.metrics["auroc"].value)
    assert found.points[-1].n == pytest.approx(133, abs=1)
