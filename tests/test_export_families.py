"""Every family of the registry says the same as ONNX, on rows that lie on its thresholds too."""

from __future__ import annotations

import dataclasses

import numpy as np
import onnx
import pytest
from test_families import EVERY, fitted, quick, table

from medml import families
from medml.errors import UserError
from medml.export import families as written
from medml.export import merged, trees
from medml.export.ask import opened
from medml.export.graph import Graph, Rows
from medml.export.trees import Grown


def as_onnx(name: str, model: object, width: int):
    """rows (n, p) -> what the ONNX form of a fitted model says."""
    graph = Graph()
    answer = written.model(graph, name, model, as_they_lie(graph, width))
    graph.output("said", answer, np.float64, ["n", "classes"])
    session = opened(graph.finish({}))
    return lambda rows: session.run(["said"], {"rows": rows})[0]


def as_they_lie(graph: Graph, width: int) -> Rows:
    """Rows (n, width) as an input, which the graph keeps in another order, among columns that are in no encoded row."""
    given = graph.input("rows", np.float64, ["n", width])
    lying = graph.add("Concat", graph.gather(given, np.arange(width)[::-1]), given, axis=1)
    return Rows(lying, np.arange(width)[::-1], 2 * width)


def on_thresholds(model: object, X: np.ndarray) -> np.ndarray:
    """The same rows with cells moved onto cuts of trees, where one bit of a float32 decides."""
    from canaries import thresholds_of

    cuts, moved = thresholds_of(model), X.copy()
    if len(cuts):
        rng = np.random.default_rng(3)
        near = cuts[np.abs(cuts[:, None] - X.mean(axis=0)).argmin(axis=1) == 0]  # cuts of the first column's size
        moved[:, 0] = rng.choice(near if len(near) else cuts, len(X))
    return moved


@pytest.mark.parametrize(("name", "task"), EVERY)
def test_the_file_says_what_the_family_says(name, task):
    model, X = fitted(name, task), table(task, n=300, seed=5).X
    say, family = as_onnx(name, model, X.shape[1]), families.registry.get(name)
    for rows in (X, on_thresholds(model, X)):
        natural = family.predict(model, rows)
        unit = natural.std() if natural.ndim == 1 else 1.0
        assert np.abs(say(rows) - natural.reshape(300, -1)).max() / unit < 2e-6


@pytest.mark.parametrize("name", families.seeing("columns"))
def test_a_class_that_no_training_row_had_stays_at_nought(name):
    data = table("multiclass")
    rows = np.flatnonzero(data.y != 1)
    part = dataclasses.replace(data, X=data.X[rows], y=data.y[rows], patients=data.patients[rows])
    family = families.registry.get(name)
    model = family.fit(part, quick(name), seed=1)
    said = as_onnx(name, model, 6)(data.X)
    assert (said[:, 1] == 0).all() and np.abs(said - family.predict(model, data.X)).max() < 2e-6


def test_weighted_classes_are_put_right_in_the_file_too():
    family, data = families.registry.get("mlp"), table("binary")
    model = family.fit(data, quick("mlp") | {"class_weights": True}, seed=1)
    assert model.scaling.correction.any()
    assert np.abs(as_onnx("mlp", model, 6)(data.X) - family.predict(model, data.X)).max() < 2e-6


def test_a_threshold_between_two_float32_is_moved_down_to_the_lower_one():
    from medml.export.trees import _not_above

    cuts = np.array([0.1, 0.3, -0.1, 16_777_217.0, 2.5])  # 0.1 as float32 is above 0.1, 0.3 too
    moved = _not_above(cuts)
    assert moved.dtype == np.float32 and (moved.astype(np.float64) <= cuts).all()
    assert (np.nextafter(moved, np.float32(np.inf)).astype(np.float64) > cuts).all()


def test_a_family_without_a_form_is_refused_with_what_to_do():
    with pytest.raises(UserError) as refused:
        written.model(Graph(), "a family of tomorrow", None, Rows("rows", np.arange(6), 6))
    assert refused.value.code == "no_export" and refused.value.fix.endswith(".")


def test_every_family_of_tables_has_a_form():
    assert set(families.seeing("columns")) <= set(written.FAMILIES)


def ensemble_of(name: str, model: object) -> dict:
    """The attributes of the one operation that holds a model's trees."""
    graph = Graph()
    rows = Rows(graph.input("rows", np.float64, ["n", 6]), np.arange(6), 6)
    written.model(graph, name, model, rows)
    (node,) = [each for each in graph.nodes if each.op_type == "TreeEnsembleRegressor"]
    return {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}


def test_classes_of_a_forest_add_up_to_one_to_the_last_bit():
    data = table("multiclass")
    X = data.X + 1000.0 * data.y[:, None]   # so that most trees know one class alone
    model = families.registry.get("forest").fit(dataclasses.replace(data, X=X), quick("forest"), seed=1)
    said, natural = as_onnx("forest", model, 6)(X), families.registry.get("forest").predict(model, X)
    assert (said.sum(axis=1) == 1).all() and ((said == 0) == (natural == 0)).all() and (natural == 0).any()


@pytest.mark.parametrize("name", ["forest", "boosting"])
def test_the_side_that_most_training_rows_took_lies_beside_its_rule(name):
    found, X = ensemble_of(name, fitted(name, "binary")), table("binary").X.astype(np.float32)
    trees, at = np.array(found["nodes_treeids"]), np.array(found["nodes_nodeids"])
    roots = np.flatnonzero(at == 0)
    assert set(found["nodes_modes"]) == {b"BRANCH_LEQ", b"LEAF"} and len(set(trees)) == len(roots)
    both = np.hstack([X, -X])
    feature, threshold = np.array(found["nodes_featureids"]), np.array(found["nodes_values"], dtype=np.float32)
    inner = [root for root in roots if found["nodes_modes"][root] == b"BRANCH_LEQ"]
    beside = [(both[:, feature[root]] > threshold[root]).mean() for root in inner]
    assert len(inner) > 5 and min(beside) >= 0.4 and np.mean(beside) > 0.55   # a boosted tree counts by its weights


def test_the_trees_of_a_vote_are_one_operation():
    vote = fitted("auto", "multiclass")
    n_trees = sum(len(set(ensemble_of(name, vote.members[seat])["nodes_treeids"]))
                  for name, seat in (("forest", "extra"), ("boosting", "boosting")))
    assert len(set(ensemble_of("auto", vote)["nodes_treeids"])) >= n_trees


def added(grown: Grown, X: np.ndarray) -> np.ndarray:
    """(n, results) what the trees add up to, walked one rule after the other."""
    said = np.zeros((len(X), len(grown.begin)))
    for first in np.cumsum(grown.sizes) - grown.sizes:
        for row, cells in enumerate(X):
            at = first
            while grown.left[at] >= 0:
                goes_left = cells[grown.features[at]] <= grown.thresholds[at]
                at = first + (grown.left if goes_left else grown.right)[at]
            np.add.at(said[row], grown.targets[at], grown.weights[at])
    return said


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_merged_trees_are_fewer_and_add_up_to_the_same(task):
    model = families.registry.get("boosting").fit(table(task), {"trees": 60}, seed=1)
    grown = trees.boosted(model.booster)
    few = merged.fewer(grown)
    X = table(task, n=40, seed=5).X.astype(np.float32)
    X = np.vstack([X, on_thresholds(model, X).astype(np.float32)])
    assert np.abs(added(few, X) - added(grown, X)).max() < 1e-12 * max(1.0, np.abs(added(grown, X)).max())
    assert len(few.sizes) < len(grown.sizes) / 2 and few.sizes.max() <= 2 * merged.LEAVES - 1
    assert few.sizes.sum() == len(few.left) and (np.abs(few.weights) > 0).any(axis=0).all()


def test_a_merged_tree_asks_nothing_that_is_answered_already():
    """Two stumps of one column have three ends together, and one of another column doubles them."""
    stump = {"sizes": [3], "left": [1, -1, -1], "right": [2, -1, -1], "seen": [9, 5, 4], "targets": [[0]] * 3}
    columns, cuts, ends = [0, 0, 1], [1.0, 2.0, 5.0], [(1, 2), (10, 20), (100, 200)]
    parts = [stump | {"features": [column, 0, 0], "thresholds": [cut, 0, 0], "weights": [[0], [low], [high]]}
             for column, cut, (low, high) in zip(columns, cuts, ends, strict=True)]
    arrays = {name: np.concatenate([np.array(part[name]) for part in parts]) for name in parts[0]}
    grown = Grown(begin=np.zeros(1), turn=np.eye(1), start=np.zeros(1), **arrays)
    few = merged.fewer(grown)
    assert few.sizes.tolist() == [11]   # 3 x 2 ends and the 5 rules that tell them apart
    rows = np.array([[x, y] for x in (1, 1.5, 2, 2.5) for y in (5, 6)])
    assert added(few, rows)[:, 0].tolist() == [111, 211, 112, 212, 112, 212, 122, 222]


def test_large_trees_are_not_merged(monkeypatch):
    grown = trees.boosted(families.registry.get("boosting").fit(table("binary"), {"trees": 20}, seed=1).booster)
    monkeypatch.setattr(merged, "LEAVES", 2)
    assert merged.fewer(grown) is grown
