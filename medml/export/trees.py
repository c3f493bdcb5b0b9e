"""Forests and boosted trees as one TreeEnsembleRegressor: the same paths, number by number.

Both read float32. scikit-learn compares it with a float64 threshold (x <= t), so t becomes the largest float32 that is
not above it; XGBoost compares two float32 (x < t).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from medml.export.graph import ML, Graph

HAIR = 1e-6  # what adding up shares in float32 may lose; a leaf of one tree in 500 counts for more


def forest(graph: Graph, model: Any, rows: str) -> str:
    """A scikit-learn forest on encoded rows (n, p) float64 -> (n, n_present) or (n, 1) float64: the trees' mean.

    Of two classes the second alone is summed up, as one number a leaf: onnxruntime then needs about half the time.
    """
    trees, share = [tree.tree_ for tree in model.estimators_], 1.0 / len(model.estimators_)
    sizes = [tree.node_count for tree in trees]
    left = np.concatenate([tree.children_left for tree in trees])
    leaf = left < 0
    values = np.concatenate([tree.value[:, 0, :] for tree in trees]) * share   # (nodes, outputs)
    two = values.shape[1] == 2
    values = values[:, 1:] if two else values
    thresholds = _not_above(np.concatenate([tree.threshold for tree in trees]))
    mean = _ensemble(graph, rows, sizes, "BRANCH_LEQ", leaf=leaf, left=left,
                     right=np.concatenate([tree.children_right for tree in trees]),
                     features=np.concatenate([tree.feature for tree in trees]), thresholds=thresholds,
                     targets=np.tile(np.arange(values.shape[1]), (len(values), 1)), weights=values)
    return _both(graph, mean) if two else mean


def _both(graph: Graph, yes: str) -> str:
    """(n, 1) the share of the second of two classes -> (n, 2); where float32 left it a hair below 1 it is 1, so that
    an impossible first class stays so."""
    sure = graph.add("Greater", yes, graph.constant(1 - HAIR))
    yes = graph.add("Where", sure, graph.constant(1.0), yes)
    return graph.add("Concat", graph.add("Sub", graph.constant(1.0), yes), yes, axis=1)


def boosted(graph: Graph, booster: Any, rows: str) -> str:
    """An XGBoost booster's margins on encoded rows (n, p) float64 -> (n, n_groups) float64."""
    stored = json.loads(booster.save_raw("json"))["learner"]
    model, known = stored["gradient_booster"]["model"], stored["learner_model_param"]
    trees = model["trees"]
    sizes = [len(tree["left_children"]) for tree in trees]
    left = np.concatenate([tree["left_children"] for tree in trees]).astype(np.int64)
    numbers = np.concatenate([np.asarray(tree["split_conditions"], dtype=np.float32) for tree in trees])
    group = np.repeat(np.asarray(model["tree_info"], dtype=np.int64), sizes)
    n_groups = max(1, int(known["num_class"]))
    margins = _ensemble(graph, rows, sizes, "BRANCH_LT", leaf=left < 0, left=left,
                        right=np.concatenate([tree["right_children"] for tree in trees]).astype(np.int64),
                        features=np.concatenate([tree["split_indices"] for tree in trees]).astype(np.int64),
                        thresholds=numbers, targets=group[:, None], weights=numbers[:, None], n_targets=n_groups)
    start = np.broadcast_to(_base(known["base_score"], stored["objective"]["name"]), n_groups)
    return graph.add("Add", margins, graph.constant(start))


def _ensemble(graph: Graph, rows: str, sizes: list[int], mode: str, *, leaf: np.ndarray, left: np.ndarray,
              right: np.ndarray, features: np.ndarray, thresholds: np.ndarray, targets: np.ndarray,
              weights: np.ndarray, n_targets: int | None = None) -> str:
    """Trees end to end; targets and weights (nodes, outputs) count at leaves alone."""
    tree = np.repeat(np.arange(len(sizes)), sizes)
    node = np.concatenate([np.arange(size) for size in sizes])
    at, width = np.flatnonzero(leaf), weights.shape[1]
    said = (weights[at] != 0) if width > 1 else np.ones((len(at), 1), dtype=bool)   # a class not in a leaf adds nothing
    of = np.repeat(at, said.sum(axis=1))
    found = graph.add(
        "TreeEnsembleRegressor", graph.cast(rows, np.float32), domain=ML, n_targets=n_targets or width,
        aggregate_function="SUM", post_transform="NONE", nodes_treeids=tree.tolist(), nodes_nodeids=node.tolist(),
        nodes_featureids=np.where(leaf, 0, features).tolist(), nodes_modes=np.where(leaf, "LEAF", mode).tolist(),
        nodes_values=np.where(leaf, 0, thresholds).astype(np.float32).tolist(),
        nodes_truenodeids=np.where(leaf, 0, left).tolist(), nodes_falsenodeids=np.where(leaf, 0, right).tolist(),
        target_treeids=tree[of].tolist(), target_nodeids=node[of].tolist(), target_ids=targets[at][said].tolist(),
        target_weights=weights[at][said].astype(np.float32).tolist())
    return graph.cast(found, np.float64)


def _not_above(thresholds: np.ndarray) -> np.ndarray:
    """The largest float32 that is not above each float64."""
    near = thresholds.astype(np.float32)
    return np.where(near.astype(np.float64) > thresholds, np.nextafter(near, np.float32(-np.inf)), near)


def _base(text: str, objective: str) -> np.ndarray:
    """Where the sum begins; XGBoost stores it as a probability ("5E-1") or, a group each, as a list ("[5E-1]")."""
    stored = np.array([float(each) for each in text.strip("[]").split(",")])
    return np.log(stored / (1 - stored)) if objective == "binary:logistic" else stored
