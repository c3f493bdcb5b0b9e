"""What leaving predictors out costs: the same folds, the same draws, and nothing else changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from explained import runs

from medml import gallery, publish, train
from medml.errors import Stopped, UserError
from medml.explain import found
from medml.explain.found import Costly
from medml.explain.without import _again, settings_without, without
from medml.watch import Silent


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return runs(tmp_path_factory.mktemp("without"), logistic={}, forest={"trees": 50})


@pytest.fixture(autouse=True)
def at_home(made, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(made[2]))


def marked(*names: str) -> list[Costly]:
    return [Costly(column=name, why="costly") for name in names]


def test_doing_without_what_tells_the_outcome_costs_and_without_noise_nothing(made):
    source, by_family, _ = made
    dear = without(by_family["logistic"], marked("age", "pressure"), source)
    assert dear.figure == "auroc" and dear.difference.high < -0.1
    assert dear.difference.value == pytest.approx(dear.without.value - dear.with_all.value)
    free = without(by_family["logistic"], marked("lactate"), source)
    assert free.difference.low < 0 < free.difference.high and abs(free.difference.value) < 0.03
    opened = gallery.open_run(by_family["logistic"])
    assert found.read(opened, found.Without) == free
    assert free.with_all.value == pytest.approx(opened.report.metrics["auroc"].value, abs=1e-9)


def test_leaving_nothing_out_gives_the_runs_own_predictions(made):
    source, by_family, _ = made
    for run in by_family.values():
        opened = gallery.open_run(run)
        ground = train.prepare_ground(source, opened.profile, opened.recipe, opened.config, watch=Silent())
        own = publish.out_of_fold(opened).p
        assert np.allclose(_again(opened, ground, [], Silent()), own, atol=1e-9, equal_nan=True)


def test_a_mark_on_nothing_on_everything_or_on_a_stranger_is_refused(made):
    source, by_family, _ = made
    run = by_family["logistic"]
    with pytest.raises(UserError, match="No predictor was marked"):
        without(run, [], source)
    with pytest.raises(UserError, match="none would be left"):
        without(run, marked("age", "pressure", "sex", "ward", "lactate", "vessels"), source)
    with pytest.raises(UserError, match="has no predictor troponin"):
        without(run, marked("troponin"), source)


def test_a_stop_keeps_nothing(made):
    source, by_family, _ = made

    class Stopping(Silent):
        def stopping(self) -> bool:
            return True
    with pytest.raises(Stopped):
        without(by_family["forest"], marked("lactate"), source, watch=Stopping())
    assert found.read(gallery.open_run(by_family["forest"]), found.Without) is None


def test_a_run_trained_further_is_compared_with_as_many_rounds(made):
    _, by_family, _ = made
    opened = gallery.open_run(by_family["forest"])
    assert settings_without(opened, ["lactate"]).params == opened.manifest.settings  # the usual ones of its day too
    assert opened.manifest.settings["trees"] == 50
    further = opened.checkpoint.model_copy(update={"number": 1, "parent": 0, "rounds": 70})
    chain = opened.chain.model_copy(update={"current": 1, "checkpoints": [*opened.chain.checkpoints, further]})
    assert settings_without(replace(opened, chain=chain), ["lactate"]).params["trees"] == 70
