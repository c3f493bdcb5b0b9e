"""One contract for every family of the registry: whoever adds a file there is tested here without a new line."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from medml import families, words
from medml.cases import FitData
from medml.errors import UserError
from medml.watch import no_rounds

TASKS = ("binary", "multiclass", "regression")
EVERY = [(name, task) for name in families.seeing("columns") for task in TASKS
         if task in families.registry.get(name).tasks]
IN_ROUNDS = [(name, task) for name, task in EVERY if families.registry.get(name).round]
ALLOWED = {".json", ".safetensors", ".ubj"}


def table(task: str, n: int = 90, seed: int = 0, per_patient: int = 1) -> FitData:
    """Six columns of which two tell the outcome; every cell is unique, so each one is a canary."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 6)) * [1, 1, 20, 1, 1, 100] + [0, 5, 140, 0, 0, 1000]
    X[:, 4] = random.integers(0, 2, n)
    signal = X[:, 0] + (X[:, 2] - 140) / 20 + 0.4 * random.normal(size=n)
    y = {"regression": signal * 7.123, "binary": (signal > 0).astype(np.int64),
         "multiclass": np.digitize(signal, [-0.7, 0.7]).astype(np.int64)}[task]
    names = [f"column {place}" for place in range(6)]
    return FitData(X=X, y=y, patients=np.arange(n) // per_patient, task=task,
                   n_classes={"regression": 0, "binary": 2, "multiclass": 3}[task], names=names, origins=names)


def quick(name: str) -> dict[str, int]:
    """Few rounds where the family has rounds; its own defaults otherwise."""
    family = families.registry.get(name)
    small = {"epochs": 20, "trees": 60}
    lows = {each.name: each.low for each in family.params}
    return {key: max(value, int(lows[key])) for key, value in small.items() if key in lows}


_fitted: dict[tuple[str, str], object] = {}


def fitted(name: str, task: str):
    """One fit a family and task, shared by the tests that only look at it."""
    if (name, task) not in _fitted:
        _fitted[name, task] = families.registry.get(name).fit(table(task), quick(name), seed=1)
    return _fitted[name, task]


@pytest.mark.parametrize(("name", "task"), EVERY)
def test_a_family_is_called_as_the_field_calls_it_for_this_outcome_and_the_glossary_explains_it(name, task):
    title = families.registry.get(name).titled(task)
    assert words.entry(title).meaning
    assert ("logistic" in title.lower()) == (name == "logistic" and task != "regression")


@pytest.mark.parametrize(("name", "task"), EVERY)
def test_a_saved_and_loaded_model_says_the_same(name, task, tmp_path):
    family, data = families.registry.get(name), table(task, seed=9)
    family.save(fitted(name, task), tmp_path)
    assert np.array_equal(family.predict(family.load(tmp_path), data.X), family.predict(fitted(name, task), data.X))


@pytest.mark.parametrize(("name", "task"), EVERY)
def test_the_same_seed_gives_the_same_numbers(name, task):
    family, data = families.registry.get(name), table(task)
    again = family.fit(data, quick(name), seed=1)
    assert np.array_equal(family.predict(again, data.X), family.predict(fitted(name, task), data.X))


@pytest.mark.parametrize(("name", "task"), EVERY)
def test_predictions_are_probabilities_or_numbers_and_better_than_none(name, task):
    family, new = families.registry.get(name), table(task, n=300, seed=5)
    p = family.predict(fitted(name, task), new.X)
    if task == "regression":
        assert p.shape == (300,) and 1 - ((new.y - p) ** 2).sum() / ((new.y - new.y.mean()) ** 2).sum() > 0.5
        return
    assert p.shape == (300, new.n_classes) and p.dtype == np.float64 and (p >= 0).all()
    assert np.allclose(p.sum(axis=1), 1, atol=1e-9)
    commonest = np.bincount(new.y).max() / len(new.y)
    assert (p.argmax(axis=1) == new.y).mean() > commonest + 0.15


@pytest.mark.parametrize(("name", "task"), EVERY)
def test_progress_speaks_ten_times_never_moves_backwards_and_changes_nothing(name, task):
    family, data = families.registry.get(name), table(task)
    heard = []

    def listen(done, total, train, predict, unit="loss"):
        p = predict(data.X[:7])
        heard.append((done, total, train, unit))
        assert p.shape == ((7,) if task == "regression" else (7, data.n_classes)) and np.isfinite(p).all()
        return True
    watched = family.fit(data, quick(name), seed=1, rounds=listen)
    assert np.array_equal(family.predict(watched, data.X), family.predict(fitted(name, task), data.X))
    done = [each[0] for each in heard]
    assert len(heard) >= 10 and done == sorted(set(done)) and done[0] >= 1
    assert {total for _, total, _, _ in heard} == {heard[0][1]} and done[-1] <= heard[0][1]
    assert all(np.isfinite(train) for _, _, train, _ in heard) and {unit for *_, unit in heard} == {"loss"}


@pytest.mark.parametrize(("name", "task"), EVERY)
def test_a_fit_stops_when_told_and_still_predicts(name, task):
    family, data = families.registry.get(name), table(task)
    heard: list[int] = []
    stopped = family.fit(data, quick(name), seed=1,
                         rounds=lambda done, *rest, **named: heard.append(done) or len(heard) < 2)
    assert len(heard) == 2
    assert np.isfinite(family.predict(stopped, data.X)).all()


@pytest.mark.parametrize(("name", "task"), EVERY)
def test_wrong_data_is_refused_with_what_to_do(name, task):
    family, data = families.registry.get(name), table(task)
    holes, text = data.X.copy(), data.X.astype(object)
    holes[3, 2], text[3, 2] = np.nan, "high"
    wrong = {"not_finite": dataclasses.replace(data, X=holes), "not_numbers": dataclasses.replace(data, X=text),
             "one_class": dataclasses.replace(data, y=np.zeros_like(data.y)),
             "no_columns": dataclasses.replace(data, X=data.X[:, :0], names=[], origins=[]),
             "wrong_task": dataclasses.replace(data, task="survival"),
             "too_few": dataclasses.replace(data, X=data.X[:3], y=data.y[:3], patients=data.patients[:3])}
    for code, bad in wrong.items():
        with pytest.raises(UserError) as refused:
            family.fit(bad, quick(name), seed=1)
        assert refused.value.code == code and refused.value.what.endswith(".") and refused.value.fix.endswith(".")
    with pytest.raises(UserError) as refused:
        family.predict(fitted(name, task), data.X[:, :5])
    assert refused.value.code == "wrong_columns"


@pytest.mark.parametrize(("name", "task"), EVERY)
def test_nothing_that_is_saved_equals_a_training_cell(name, task, tmp_path):
    family, data = families.registry.get(name), table(task)
    family.save(fitted(name, task), tmp_path)
    cells = np.concatenate([np.delete(data.X, 4, axis=1).ravel(), data.y if task == "regression" else []])
    assert len(np.unique(cells)) == len(cells)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            blob = path.read_bytes()
            for cell in cells:
                assert not any(np.array(cell, kind).tobytes() in blob for kind in ("<f8", ">f8")), path.name
                assert repr(float(cell)).encode() not in blob, path.name
    learned = [numbers for path in tmp_path.rglob("*") if path.is_file() for numbers in _floats(path)]
    assert learned and not np.isin(np.concatenate(learned).astype(np.float32), cells.astype(np.float32)).any()


def _floats(path: Path) -> list[np.ndarray]:
    if path.suffix == ".safetensors":
        from safetensors.numpy import load_file
        return [array.ravel() for array in load_file(path).values() if array.dtype.kind == "f"]
    if path.suffix == ".ubj":
        import xgboost
        booster = xgboost.Booster(model_file=path)
        frame = booster.trees_to_dataframe()
        return [frame["Split"].dropna().to_numpy(), frame["Gain"].to_numpy()]
    return []


@pytest.mark.parametrize(("name", "task"), EVERY)
def test_a_model_is_kept_in_files_that_run_no_code(name, task, tmp_path):
    families.registry.get(name).save(fitted(name, task), tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files and {path.suffix for path in files} <= ALLOWED
    for path in files:
        whole = path.read_bytes()
        if path.suffix == ".json":
            json.loads(whole)
        elif path.suffix == ".safetensors":
            assert json.loads(whole[8:8 + int.from_bytes(whole[:8], "little")])
        else:
            assert whole[:1] == b"{"  # an UBJSON object


@pytest.mark.parametrize("name", families.seeing("columns"))
def test_a_damaged_model_is_not_used(name, tmp_path):
    family = families.registry.get(name)
    family.save(fitted(name, "binary"), tmp_path)
    for path in [each for each in tmp_path.rglob("*") if each.is_file()]:
        whole = path.read_bytes()
        for hurt in (whole[: len(whole) // 2], whole[:-9] + bytes([whole[-9] ^ 4]) + whole[-8:], b""):
            path.write_bytes(hurt)
            with pytest.raises(UserError) as refused:
                family.load(tmp_path)
            assert refused.value.code == "damaged"
        path.write_bytes(whole)
    family.load(tmp_path)


def gone_on(family, model, data, n_rounds: int, name: str, rounds=no_rounds):
    """Some rounds more, one stretch a round, as a training that goes on asks for them."""
    since = family.rounds_done(model)
    for until in range(since + 1, since + n_rounds + 1):
        model = family.fit_to(model, data, until, quick(name), seed=1, rounds=rounds, since=since)
    return model


@pytest.mark.parametrize(("name", "task"), IN_ROUNDS)
def test_going_on_adds_rounds_and_leaves_the_earlier_model_as_it_is(name, task):
    family, data = families.registry.get(name), table(task)
    before = family.predict(fitted(name, task), data.X)
    start, heard = family.rounds_done(fitted(name, task)), []
    further = gone_on(family, fitted(name, task), data, 15, name,
                      lambda done, total, *rest, **named: heard.append((done, total)) or True)
    assert family.rounds_done(further) == start + 15 and family.rounds_done(fitted(name, task)) == start
    assert np.array_equal(family.predict(fitted(name, task), data.X), before)
    assert heard == [(number, number) for number in range(start + 1, start + 16)]


@pytest.mark.parametrize(("name", "task"), IN_ROUNDS)
def test_going_on_from_a_file_equals_going_on_from_memory(name, task, tmp_path):
    family, data = families.registry.get(name), table(task)
    family.save(fitted(name, task), tmp_path)
    from_memory, from_file = (gone_on(family, model, data, 10, name)
                              for model in (fitted(name, task), family.load(tmp_path)))
    assert np.array_equal(family.predict(from_file, data.X), family.predict(from_memory, data.X))


@pytest.mark.parametrize("name", families.seeing("columns"))
def test_a_class_that_a_fold_lacks_gets_no_probability_and_no_error(name):
    family, data = families.registry.get(name), table("multiclass")
    rows = np.flatnonzero(data.y != 1)
    part = dataclasses.replace(data, X=data.X[rows], y=data.y[rows], patients=data.patients[rows])
    p = family.predict(family.fit(part, quick(name), seed=1), data.X)
    assert p.shape == (90, 3) and (p[:, 1] == 0).all() and np.allclose(p.sum(axis=1), 1)


@pytest.mark.parametrize("name", families.seeing("columns"))
def test_a_family_explains_itself_and_its_parameters(name):
    family = families.registry.get(name)
    facts = families.Facts(500, 20, "binary")
    usual, zones = family.usual(facts), family.zones(facts)
    assert family.name == name and family.title and family.sentence.endswith(".")
    assert set(usual) == {each.name for each in family.params} and None not in usual.values()
    assert family.rounds_param is None or family.rounds_param in usual
    for each in family.params:
        assert each.title and each.sentence.endswith("."), each.name
        value = usual[each.name]
        if each.kind == "choice":
            assert value in each.choices
        elif each.kind != "switch":
            assert each.low <= value <= each.high and each.zone(value, zones[each.name]) == "usual", each.name
    with pytest.raises(ValueError, match="no_such_thing"):
        family.filled({"no_such_thing": 1})


@pytest.mark.parametrize(("name", "task"), EVERY)
def test_cost_is_told_before_the_start_and_grows_with_the_table(name, task):
    family = families.registry.get(name)
    small, large = (family.cost(rows, 20, task, {}) for rows in (300, 300_000))
    assert 0 < small.seconds < large.seconds and 0 < small.bytes < large.bytes


def test_listing_the_families_loads_no_heavy_library():
    code = ("import sys; from medml import families; families.seeing('columns'); "
            "[each.cost(300, 20, 'binary', {}) for each in families.registry]; "
            "print([name for name in ('torch', 'sklearn', 'xgboost', 'streamlit') if name in sys.modules])")
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert json.loads(done.stdout.replace("'", '"')) == []
