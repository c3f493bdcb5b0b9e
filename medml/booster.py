"""A boosted model's file from a stranger, looked through before XGBoost reads it.

XGBoost follows the places that a file names without looking whether they are there: of 400 files with one to ten bits
turned round, 52 ended the process (SIGSEGV), and a tree that points outside of itself is read, or written, outside.
A chain of 300,000 nodes ended it too, by its depth.
Read here is what its writer writes (Universal Binary JSON, Draft 12), and nothing else.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

DEEPEST, MOST_FEATURES, MOST_CLASSES = 12, 1_000_000, 10_000
DEEPEST_TREE = 64  # ours have 8 levels; each takes a frame of the stack, and to explain takes their square of memory
OBJECTIVES = frozenset({"binary:logistic", "multi:softprob", "reg:squarederror"})  # those of medml.families.boosting
NO_PARENT = 2**31 - 1
_ONE = {b"i": ">b", b"U": ">B", b"I": ">h", b"l": ">i", b"L": ">q", b"d": ">f", b"D": ">d"}
_OF_NODES = ("base_weights", "default_left", "left_children", "loss_changes", "parents", "right_children",
             "split_conditions", "split_indices", "split_type", "sum_hessian")


def check(content: bytes) -> None:
    """ValueError where it is no model of trees whose every place lies inside of it."""
    try:
        _check(content)
    except (KeyError, IndexError, TypeError, AttributeError, OverflowError) as other:
        raise ValueError("no model of trees as XGBoost writes it") from other


def _check(content: bytes) -> None:
    reader = _Reader(content)
    model = reader.value(0)
    if reader.at != len(content):
        raise ValueError("something follows the model")
    learner = model["learner"]
    about, boosted = learner["learner_model_param"], learner["gradient_booster"]
    n_features, n_classes = int(about["num_feature"]), int(about["num_class"])
    _must(boosted["name"] == "gbtree" and learner["objective"]["name"] in OBJECTIVES)
    _must(about["num_target"] == "1" and 0 < n_features <= MOST_FEATURES
          and 0 <= n_classes <= MOST_CLASSES and not learner["feature_names"] and not learner["feature_types"])
    inside = boosted["model"]
    trees, per_round = inside["trees"], np.array(inside["iteration_indptr"], dtype=np.int64)
    groups = np.array(inside["tree_info"], dtype=np.int64)
    _must(not any(len(each) for each in inside.get("cats", {}).values()) and groups.shape == (len(trees),)
          and int(inside["gbtree_model_param"]["num_trees"]) == len(trees) and _within(groups, max(1, n_classes))
          and per_round[0] == 0 and per_round[-1] == len(trees) and bool((np.diff(per_round) >= 0).all()))
    for each in trees:
        _check_tree(each, n_features)


def _check_tree(tree: dict[str, Any], n_features: int) -> None:
    about, n = tree["tree_param"], len(tree["left_children"])
    _must(int(about["num_nodes"]) == n > 0 and about["size_leaf_vector"] in ("0", "1")
          and int(about["num_feature"]) <= n_features and all(len(tree[name]) == n for name in _OF_NODES)
          and not any(len(each) for name, each in tree.items() if name.startswith("categories")))
    left, right, parents = (np.asarray(tree[name], dtype=np.int64) for name in
                            ("left_children", "right_children", "parents"))
    inner = left != -1
    _must(bool((inner == (right != -1)).all()) and parents[0] == NO_PARENT
          and _within(np.asarray(tree["split_indices"]), n_features) and not np.asarray(tree["split_type"]).any()
          and _within(parents[parents != NO_PARENT], n))
    children = np.concatenate([left[inner], right[inner]])
    _must(_within(children, n) and 0 not in children and len(np.unique(children)) == len(children)  # so none goes round
          and bool((parents[children] == np.tile(np.flatnonzero(inner), 2)).all()))
    _must(_levels(left, right, inner) <= DEEPEST_TREE)


def _levels(left: np.ndarray, right: np.ndarray, inner: np.ndarray) -> int:
    """Levels below the root, as far as DEEPEST_TREE and one more."""
    level, below = np.zeros(1, dtype=np.int64), 0
    while below <= DEEPEST_TREE and len(parents := level[inner[level]]):
        level, below = np.concatenate([left[parents], right[parents]]), below + 1
    return below


def _within(places: np.ndarray, n: int) -> bool:
    return bool(((places >= 0) & (places < n)).all())


def _must(holds: bool) -> None:
    if not holds:
        raise ValueError("no model of trees whose every place lies inside of it")


class _Reader:
    """Values of Universal Binary JSON from the beginning on; `at` is the next byte."""

    def __init__(self, content: bytes) -> None:
        self._content, self.at = content, 0

    def value(self, depth: int) -> Any:
        sign = self._take(1)
        if sign in _ONE:
            return struct.unpack(_ONE[sign], self._take(struct.calcsize(_ONE[sign])))[0]
        if sign in (b"T", b"F"):
            return sign == b"T"
        if sign == b"S":
            return self._text()
        _must(sign in (b"{", b"[") and depth < DEEPEST)
        return self._object(depth) if sign == b"{" else self._array(depth)

    def _take(self, n: int) -> bytes:
        found = self._content[self.at:self.at + n]
        _must(n >= 0 and len(found) == n)
        self.at += n
        return found

    def _size(self) -> int:
        _must(self._take(1) == b"L")
        return struct.unpack(">q", self._take(8))[0]

    def _text(self) -> str:
        return self._take(self._size()).decode()

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self._content[self.at:self.at + 1] != b"}":
            name = self._text()
            _must(name not in found)
            found[name] = self.value(depth + 1)
        self.at += 1
        return found

    def _array(self, depth: int) -> Any:
        sign = self._take(1)
        if sign == b"$":
            kind = _ONE[self._take(1)]
            _must(self._take(1) == b"#")
            return np.frombuffer(self._take(self._size() * struct.calcsize(kind)), dtype=kind)
        _must(sign == b"#")
        n = self._size()
        _must(0 <= n <= len(self._content) - self.at)  # each takes a byte at least
        return [self.value(depth + 1) for _ in range(n)]
