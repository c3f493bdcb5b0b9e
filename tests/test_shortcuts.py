"""L14 on real chest films that have a shortcut, on the same with labels shuffled, and at the borders of its rule."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace as It

import numpy as np
import pytest

from medml import data, pictures, profile, split
from medml.evaluate.checks import registry
from medml.recipe import prepare, propose_recipe
from medml.types import PICTURES, Metric, PicturePlan, SplitPlan
from medml.watch import Silent
from tests.conftest import SHARED


def folds_of(cases) -> list:
    return split.make_folds(cases, SplitPlan(by="patient", scheme="cross_validation", folds=5), 0)


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """The chest films of nih_cxr as cases at 64 pixels; its SOURCE.md tells which shortcut they have."""
    source = SHARED / "data" / "nih_cxr"
    if not source.is_dir():
        pytest.skip("../shared/data/nih_cxr is not here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(tmp_path_factory.mktemp("home")))
        found = profile.scan(source)
        choice = profile.propose_choice(found, target="label", pictures=PicturePlan(size=64))
        table = found.table(choice.table)
        assert choice.table.sheet == PICTURES and choice.patient is not None
        opened = data.open_table(source, choice.table)
        cases, _ = prepare(opened.frame(), propose_recipe(table, choice, "0" * 64), table, choice)
        return pictures.with_pixels(cases, opened.frame(), opened, choice, watch=Silent())


def of_shortcuts(cases, model: float | None = None):
    """What L14 says of these cases, beside a model of that AUROC."""
    context = It(cases=cases, folds=folds_of(cases), choice=It(pictures=PicturePlan(size=64)))
    return registry.get("L14")(It(context=context, seed=0, report=It(
        metrics={} if model is None else {"auroc": It(value=model)})))


def test_the_alarm_rings_on_the_chest_films(films):
    said = of_shortcuts(films, 0.95)
    assert said.verdict == "warn" and "without looking at the picture" in said.what
    assert said.figures["file_size"] > 0.65 and said.figures["thumbnail"] > 0.7
    assert len(np.unique(films.patients)) == 410


def test_the_alarm_is_silent_where_labels_are_shuffled_between_patients(films):
    """Whole patients swap their labels, so that films of one patient stay together."""
    random = np.random.default_rng(1)
    who, back = np.unique(films.patients, return_inverse=True)
    first = np.array([films.y[back == each][0] for each in range(len(who))])
    said = of_shortcuts(replace(films, y=random.permutation(first)[back]), 0.5)
    assert said.verdict == "pass" and {"file_size", "borders", "thumbnail"} <= set(said.figures)


@pytest.mark.parametrize(("n", "model", "verdict", "words"), [
    (120, 0.90, "warn", "hardly better than what “borders” alone tells"),
    (120, 0.70, "warn", "no better than what “borders” alone tells"),  # which is "hardly better" no more
    (120, 0.97, "pass", "No shortcut was found."),  # far above what borders tell: context alone
    (40, None, "could_not_tell", "so few pictures cannot show it")])
def test_borders_warn_only_where_the_model_is_no_better_and_few_pictures_show_nothing(monkeypatch, n, model, verdict,
                                                                                     words):
    sizes = {"borders": Metric(value=0.85, low=0.75, high=0.92, n=n)} if model else {
        "file size": Metric(value=0.72, low=0.44, high=0.9, n=n)}
    monkeypatch.setattr("medml.evaluate.checks.pictures.controls", lambda *_, **__: sizes)
    cases = It(task="binary", y=np.arange(n) % 2)
    context = It(cases=cases, folds=[], choice=It(pictures=PicturePlan(size=64)))
    said = registry.get("L14")(It(context=context, seed=0, report=It(
        metrics={"auroc": It(value=model)} if model else {})))
    assert said.verdict == verdict and words in said.what
