"""Forests and boosted trees as one TreeEnsembleRegressor: the same paths, number by number.

Both read float32. scikit-learn compares it with a float64 threshold (x <= t), so t becomes the largest float32 that is
not above it; XGBoost compares two float32 (x < t), so t becomes the next smaller one. onnxruntime keeps the child of a
rule that does not hold beside the rule in memory: where more training rows were on the other side, the rule is turned
round, on a copy of the row with the sign changed (x > t is -x < -t). Most steps then stay within one line of the cache,
which halves the time of a large forest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from medml.export.graph import ML, Graph, Rows

UNITS = 2**24  # parts of 1 that float32 adds up without rounding, whatever the order


@dataclass(frozen=True, slots=True)
class Grown:
    """Trees end to end; a row goes left where its float32 is not above the threshold.

    sizes      nodes of each tree;   left, right  (nodes,) within the tree, below 0 at leaves
    seen       (nodes,) how many training rows came by, in any unit
    targets, weights  (nodes, k) what a leaf adds to which result
    begin      (n_results,) where each sum begins
    turn, start  (n_results, n_outputs), (n_outputs,): what the model says is sums @ turn + start
    """

    sizes: np.ndarray
    left: np.ndarray
    right: np.ndarray
    features: np.ndarray
    thresholds: np.ndarray
    seen: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    begin: np.ndarray
    turn: np.ndarray
    start: np.ndarray


def forest(model: Any) -> Grown:
    """A scikit-learn forest, whose trees' mean is the answer.

    Of the classes all but the most frequent in leaves are summed up, which leaves that one nothing to add, and the one
    left out is what they lack of 1. They are counted in UNITS: a class that no leaf has is 0 to the last bit.
    """
    trees = [tree.tree_ for tree in model.estimators_]
    left, values = _joined(trees, "children_left"), np.concatenate([tree.value[:, 0, :] for tree in trees])
    sizes, width = np.array([tree.node_count for tree in trees]), values.shape[1]
    if width == 1:
        weights, turn, start = values / len(trees), np.eye(1), np.zeros(1)
    else:
        usual = int((values[left < 0] > 0).sum(axis=0).argmax())
        weights = _in_units(np.delete(values, usual, axis=1), sizes)
        turn = np.insert(np.eye(width - 1), usual, -1.0, axis=1)
        start = np.eye(width)[usual]
    return Grown(sizes, left, _joined(trees, "children_right"), _joined(trees, "feature"),
                 _not_above(_joined(trees, "threshold")), _joined(trees, "weighted_n_node_samples"),
                 np.tile(np.arange(weights.shape[1]), (len(weights), 1)), weights, np.zeros(weights.shape[1]), turn,
                 start)


def _joined(trees: list[Any], what: str) -> np.ndarray:
    return np.concatenate([getattr(tree, what) for tree in trees])


def _in_units(shares: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Shares (nodes, outputs) as multiples of 1 / UNITS, of each tree as many as belong to it, of all trees UNITS."""
    each = np.diff(np.rint(np.linspace(0, UNITS, len(sizes) + 1)))
    up_to = np.rint(np.minimum(np.cumsum(shares, axis=1), 1.0) * np.repeat(each, sizes)[:, None])
    return np.diff(up_to, axis=1, prepend=0.0) / UNITS


def boosted(booster: Any) -> Grown:
    """An XGBoost booster, whose results are margins, one a group."""
    stored = json.loads(booster.save_raw("json"))["learner"]
    model, known = stored["gradient_booster"]["model"], stored["learner_model_param"]
    trees, n_groups = model["trees"], max(1, int(known["num_class"]))
    sizes = np.array([len(tree["left_children"]) for tree in trees])

    def joined(what: str, kind: type) -> np.ndarray:
        return np.concatenate([np.asarray(tree[what], dtype=kind) for tree in trees])
    numbers = joined("split_conditions", np.float32)   # a leaf's value, too
    group = np.repeat(np.asarray(model["tree_info"], dtype=np.int64), sizes)
    begin = np.broadcast_to(_base(known["base_score"], stored["objective"]["name"]), n_groups)
    return Grown(sizes, joined("left_children", np.int64), joined("right_children", np.int64),
                 joined("split_indices", np.int64), np.nextafter(numbers, np.float32(-np.inf)),
                 joined("sum_hessian", np.float64), group[:, None], numbers[:, None], begin, np.eye(n_groups),
                 np.zeros(n_groups))


def sums(graph: Graph, rows: Rows, forests: list[Grown]) -> str:
    """Encoded rows -> the results of all forests side by side, (n, results) float32, in one operation:
    each more would cost as much as fifty nodes."""
    begin = np.concatenate([each.begin for each in forests])
    nodes, leaves = zip(*(_told(each, rows, len(begin)) for each in forests), strict=True)
    n_trees, n_results = ([0, *np.cumsum([len(what(each)) for each in forests])]
                          for what in (lambda each: each.sizes, lambda each: each.begin))
    for place in range(len(forests)):
        nodes[place]["nodes_treeids"] += n_trees[place]
        leaves[place]["target_treeids"] += n_trees[place]
        leaves[place]["target_ids"] += n_results[place]
    joined = {name: np.concatenate([each[name] for each in many]).tolist()
              for many in (nodes, leaves) for name in many[0]}
    return graph.add("TreeEnsembleRegressor", _both_signs(graph, rows), domain=ML, n_targets=len(begin),
                     aggregate_function="SUM", post_transform="NONE", base_values=begin.astype(np.float32).tolist(),
                     **joined)


def _told(grown: Grown, rows: Rows, n_results: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The operation's attributes of one forest: nodes, and what its leaves add."""
    leaf, first = grown.left < 0, np.cumsum(grown.sizes) - grown.sizes
    tree = np.repeat(np.arange(len(grown.sizes)), grown.sizes)
    node = np.arange(len(tree)) - first[tree]
    left, right = np.where(leaf, 0, grown.left), np.where(leaf, 0, grown.right)
    turned = ~leaf & (grown.seen[left + first[tree]] > grown.seen[right + first[tree]])
    above = np.nextafter(-grown.thresholds, np.float32(-np.inf))   # -x <= this: x is above the threshold
    at = np.flatnonzero(leaf)
    said = (grown.weights[at] != 0) | (n_results == 1)   # onnxruntime takes it that each leaf adds to a single result
    of = np.repeat(at, said.sum(axis=1))
    nodes = {"nodes_treeids": tree, "nodes_nodeids": node,
             "nodes_featureids": np.where(leaf, 0, rows.places[grown.features * ~leaf] + rows.width * turned),
             "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ"),
             "nodes_values": np.where(leaf, 0, np.where(turned, above, grown.thresholds)).astype(np.float32),
             "nodes_truenodeids": np.where(turned, right, left), "nodes_falsenodeids": np.where(turned, left, right)}
    return nodes, {"target_treeids": tree[of], "target_nodeids": node[of], "target_ids": grown.targets[at][said],
                   "target_weights": grown.weights[at][said].astype(np.float32)}


def _both_signs(graph: Graph, rows: Rows) -> str:
    """(n, 2 width) float32: the row, and the row with its sign changed."""
    single = graph.cast(rows.tensor, np.float32)
    return graph.add("Concat", single, graph.add("Neg", single), axis=1)


def _not_above(thresholds: np.ndarray) -> np.ndarray:
    """The largest float32 that is not above each float64."""
    near = thresholds.astype(np.float32)
    return np.where(near.astype(np.float64) > thresholds, np.nextafter(near, np.float32(-np.inf)), near)


def _base(text: str, objective: str) -> np.ndarray:
    """Where the sum begins; XGBoost stores it as a probability ("5E-1") or, a group each, as a list ("[5E-1]")."""
    stored = np.array([float(each) for each in text.strip("[]").split(",")])
    return np.log(stored / (1 - stored)) if objective == "binary:logistic" else stored
