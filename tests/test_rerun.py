"""One fold made a second time from what was saved (G1), a stop that keeps trees, a restart in the middle of them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tables import clinic, planned, saved

from medml import fitting, folds, gallery, home, pace
from medml.cases import FitData
from medml.families import Facts, boosting, registry
from medml.train import continue_run, train
from medml.types import Check
from medml.watch import Silent

TREES = [("forest", {"trees": 50}), ("boosting", {"trees": 40})]


@pytest.fixture(autouse=True)
def whatever_the_machine_does_besides(monkeypatch):
    """A loaded machine must not turn "made again" into "not tried"."""
    monkeypatch.setattr(pace, "SHORT", 1e9)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return saved(clinic(120), tmp_path_factory.mktemp("clinic"))


def g1(run: str) -> Check:
    return next(each for each in gallery.open_run(run).report.checks if each.id == "G1")


@pytest.mark.parametrize(("family", "params"), [("logistic", {}), ("auto", {"trees": 40}), ("mlp", {"epochs": 8}),
                                                *TREES])
def test_a_fold_made_again_from_what_was_saved_gives_the_same_numbers(source, family, params):
    check = g1(train(source, *planned(source, family=family, params=params)))
    assert check.verdict == "pass" and check.figures["rerun"] == 1 and check.figures["n"] == 40


def test_a_fit_that_draws_without_a_seed_is_told(source, monkeypatch):
    drawn = iter(range(1_000))
    monkeypatch.setattr(fitting, "seed_of", lambda config, fold: next(drawn))
    check = g1(train(source, *planned(source, family="forest", params={"trees": 50})))
    assert check.verdict == "block" and "other numbers" in check.what


def test_a_saved_configuration_that_is_not_what_was_trained_is_told(source, monkeypatch):
    profile, recipe, config = planned(source, family="boosting", params={"trees": 40})
    read = home.read_model

    def other(path, kind):
        found = read(path, kind)
        return found.model_copy(update={"seed": 7}) if path.name == "config.json" and ".part" in str(path) else found

    monkeypatch.setattr(home, "read_model", other)
    assert g1(train(source, profile, recipe, config)).verdict == "block"


def test_a_continuation_made_again_gives_the_same_numbers(source):
    run = train(source, *planned(source, family="boosting", params={"trees": 40}))
    continue_run(run, 10, source=source)
    assert g1(run).verdict == "pass" and gallery.open_run(run).chain.current == 1


def test_what_would_take_long_or_has_a_time_limit_is_not_tried_and_does_not_pass(source, monkeypatch):
    monkeypatch.setattr(pace, "SHORT", 0.0)
    assert g1(train(source, *planned(source))).verdict == "could_not_tell"  # one fold of three is a quarter of it all
    assert pace.too_long(9.0, 100.0) == "" and pace.too_long(31.0, 400.0) and pace.too_long(11.0, 100.0)
    monkeypatch.setattr(pace, "SHORT", 1e9)
    profile, recipe, config = planned(source, select=True)
    plan = config.selection.model_copy(update={"method": "forest"})
    chosen = g1(train(source, profile, recipe, config.model_copy(update={"selection": plan})))
    assert chosen.verdict == "could_not_tell" and "time limit" in chosen.what


class AfterRounds(Silent):
    """Asks to stop once a fit has done so many rounds."""

    def __init__(self, rounds: int) -> None:
        self.rounds, self.seen = rounds, 0

    def point(self, point):
        self.seen = max(self.seen, point.round)

    def stopping(self):
        return self.seen >= self.rounds


@pytest.mark.parametrize(("family", "params"), [("forest", {"trees": 400}), ("boosting", {"trees": 400})])
def test_a_stop_keeps_the_trees_so_far_with_figures_for_every_patient(source, family, params):
    run = gallery.open_run(train(source, *planned(source, family=family, params=params), watch=AfterRounds(5)))
    assert 1 <= run.checkpoint.rounds < 100
    assert run.report.n_cases == 120 and run.report.metrics["auroc"].low is not None
    assert g1(run.run).verdict == "could_not_tell"
    added = continue_run(run.run, 10, source=source)
    assert added.rounds == run.checkpoint.rounds + 10


class Killed(Silent):
    """Dies in the middle of the trees, as a killed process would."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds

    def point(self, point):
        if point.round >= self.rounds and point.fold == 1:
            raise KeyboardInterrupt


@pytest.mark.parametrize(("family", "params"), TREES)
def test_a_restart_among_the_trees_ends_with_the_numbers_of_an_uninterrupted_run(source, monkeypatch, family, params):
    monkeypatch.setattr(folds, "WRITTEN", 0.0)
    plan = planned(source, family=family, params=params)
    whole = gallery.open_run(train(source, *plan))
    with pytest.raises(KeyboardInterrupt):
        train(source, *plan, job="job-t", watch=Killed(20))
    assert (home.home() / "work" / "job-t" / "0-0" / "stretch").is_dir()
    resumed = gallery.open_run(train(source, *plan, job="job-t"))
    assert resumed.report.metrics == whole.report.metrics
    assert [(p.round, p.fold, p.train, p.out_of_fold) for p in resumed.history] == \
        [(p.round, p.fold, p.train, p.out_of_fold) for p in whole.history]


def test_half_written_trees_are_learned_again(tmp_path):
    family = registry.get("forest")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    data = FitData(X=X, y=(X[:, 0] > 0).astype(int), patients=np.arange(40), task="binary", n_classes=2,
                   names=["a", "b", "c"], origins=["a", "b", "c"])
    family.save(family.fit(data, {"trees": 5}, seed=0), home.ensure(tmp_path / "stretch"))
    kept = folds.Stretches(tmp_path, family)
    assert family.rounds_done(kept.take_up()) == 5
    (tmp_path / "stretch").rename(tmp_path / "stretch.part")  # killed while a newer one took the place of the older
    assert family.rounds_done(kept.take_up()) == 5
    arrays = tmp_path / "stretch.part" / "arrays.safetensors"
    arrays.write_bytes(arrays.read_bytes()[:-9])
    assert kept.take_up() is None


def test_a_flipped_byte_in_any_file_of_a_checkpoint_is_noticed(source, tmp_path, capsys):
    from medml.__main__ import main

    opened = gallery.open_run(train(source, *planned(source)))
    files = json.loads((opened.checkpoint_folder / "files.json").read_text())
    assert {"final/cleaner.json", "final/encoder.json", "final/columns.json", "keys.json", "folds.json", "report.json",
            "private/oof.npz", "folds/0-2/cleaner.json", "final/model/state.json"} <= set(files)
    whole = {path.relative_to(opened.checkpoint_folder).as_posix() for path in opened.checkpoint_folder.rglob("*")
             if path.is_file()}
    assert whole == {*files, "files.json"}
    for name in whole:
        path = opened.checkpoint_folder / name
        before = path.read_bytes()
        path.write_bytes(before[:-2] + bytes([before[-2] ^ 1]) + before[-1:])
        with pytest.raises(gallery.UserError):
            opened.sealed(name)
        assert [each.run for each in gallery.runs()] == [opened.run]
        if name == "final/cleaner.json":
            assert main(["predict", opened.run, str(source), "--out", str(tmp_path / "out.csv")]) == 2
            assert "damaged" in capsys.readouterr().err
        path.write_bytes(before)
    split = opened.folder / "private" / "split.npz"
    split.write_bytes(split.read_bytes()[:-1] + b"\x01")
    with pytest.raises(gallery.UserError, match="damaged"):
        from medml import publish

        publish.split_of(opened)


def test_the_folds_and_the_final_model_learn_by_the_same_settings(source, monkeypatch):
    """120 rows, 80 in a fold: what the size of the data decides must not fall on both sides of a border."""
    settings, depths = boosting._settings, []
    others = registry.get("boosting").usual(Facts(100, 6, "binary"))
    monkeypatch.setattr(boosting.Boosting, "usual", lambda self, facts: others | {
        "trees": 20, "depth": 2 if facts.n_rows < 100 else 3})
    monkeypatch.setattr(boosting, "_settings", lambda chosen, *rest: depths.append(chosen["depth"]) or
                        settings(chosen, *rest))
    run = train(source, *planned(source, family="boosting"))
    assert set(depths) == {3} and g1(run).verdict == "pass"
    monkeypatch.setattr(boosting.Boosting, "usual", lambda self, facts: others | {"depth": 1})  # of another version
    continue_run(run, 2, source=source)
    assert set(depths) == {3} and gallery.open_run(run).manifest.settings["depth"] == 3
