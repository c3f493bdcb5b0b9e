"""For each family the explainer that is exact for it, or the fastest; permutation for a family that has none here.

An explainer is (fitted, X, Asked) -> (values (n, n_outputs, p), base (n_outputs,)) where p are columns of the table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from medml import device, families
from medml.explain import _permutation, _trees
from medml.explain.units import Unit, centred, said_in, smooth
from medml.families._stack import FLOOR
from medml.families.auto import FAMILY_OF
from medml.types import Task

Values = tuple[np.ndarray, np.ndarray]
ADDS_TREES = ("forest",)  # averages probabilities, so its columns add up to a probability


@dataclass(frozen=True, slots=True)
class Asked:
    """What an explainer works with besides the rows.

    groups      (e,) int, the column of the table that each encoded column comes from
    background  (m, e) encoded rows that stand for "not known"; the mean of the training rows for a regression, and the
                training rows in every leaf for trees, are part of the model, so these do not need it
    """

    task: Task
    groups: np.ndarray
    background: np.ndarray
    seed: int = 0
    watch: Callable[[float], None] | None = None

    def together(self, values: np.ndarray) -> np.ndarray:
        """(n, n_outputs, e) of encoded columns summed to columns of the table."""
        onto = np.zeros((len(self.groups), int(self.groups.max()) + 1))
        onto[np.arange(len(self.groups)), self.groups] = 1.0
        return values @ onto


def unit_of(family: str, task: Task) -> Unit:
    """The unit in which this family's columns add up."""
    return "probability" if family in ADDS_TREES and task != "regression" else smooth(task)


def needs_background(family: str, task: Task) -> bool:
    """Whether rows of the table are needed to explain this family; a vote of numbers adds up what its members keep."""
    return family not in ("logistic", "boosting", "forest") and not (family == "auto" and task == "regression")


def explain(family: str, fitted: Any, X: np.ndarray, asked: Asked) -> Values:
    """What each column adds to the answers for encoded rows X (n, e), in `unit_of` the family."""
    return _OWN.get(family, _any_model)(family, fitted, X, asked)


def _any_model(family: str, fitted: Any, X: np.ndarray, asked: Asked) -> Values:
    unit, kind = unit_of(family, asked.task), families.registry.get(family)
    ask = lambda rows: said_in(unit, kind.predict(fitted, rows))  # noqa: E731
    return _permutation.values(ask, X, asked.background, asked.groups, seed=asked.seed, watch=asked.watch)


def _linear(family: str, fitted: Any, X: np.ndarray, asked: Asked) -> Values:
    """Exact: weight times the distance from the training mean (Lundberg & Lee 2017, corollary 1)."""
    each = ((X - fitted.mean) / fitted.scale)[:, None, :] * fitted.weights.T  # (n, n_present, e)
    return _of_scores(asked.together(each), fitted.offset[None], fitted.labels, asked.task)


def _boosted(family: str, fitted: Any, X: np.ndarray, asked: Asked) -> Values:
    """XGBoost's own path-dependent values of its trees, float32, in the unit in which it adds trees up."""
    import xgboost

    fitted.booster.set_param({"nthread": device.threads(len(X))})
    found = fitted.booster.predict(xgboost.DMatrix(X.astype(np.float32)), pred_contribs=True).astype(np.float64)
    if found.ndim == 2:  # one score: a number, or the log-odds of two classes
        found = found[:, None, :]
    if fitted.labels is not None and found.shape[1] == 1:
        found = np.concatenate([np.zeros_like(found), found], axis=1)
    return _of_scores(asked.together(found[..., :-1]), found[:1, :, -1], fitted.labels, asked.task)


def _of_scores(values: np.ndarray, base: np.ndarray, labels: Any, task: Task) -> Values:
    """Scores of the classes that were present at the fit, (n, n_present, p), in the unit of the task."""
    if labels is None:
        return values, base[0]
    wide, base_wide = np.zeros((len(values), labels.n_classes, values.shape[2])), np.zeros((1, labels.n_classes))
    wide[:, labels.present], base_wide[:, labels.present] = values, base
    if task == "binary":
        return wide[:, 1:] - wide[:, :1], (base_wide[:, 1:] - base_wide[:, :1])[0]
    there = np.isin(np.arange(labels.n_classes), labels.present)
    return _centred(wide, there), centred(base_wide, there)[0]


def _centred(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """`centred` of (n, n_classes, p)."""
    return np.where(there[:, None], values - values[:, there].mean(axis=1, keepdims=True), 0.0)


def _forest(family: str, fitted: Any, X: np.ndarray, asked: Asked) -> Values:
    values, base = _forest_of_classes(fitted, X, asked)
    return (values[:, 1:], base[1:]) if asked.task == "binary" else (values, base)


def _forest_of_classes(fitted: Any, X: np.ndarray, asked: Asked) -> Values:
    """Of every class, or of the number."""
    found, base = _trees.values(fitted.model, X)
    found = asked.together(found)
    if fitted.labels is None:
        return found, base
    wide, base_wide = np.zeros((len(X), fitted.labels.n_classes, found.shape[2])), np.zeros(fitted.labels.n_classes)
    wide[:, fitted.labels.present], base_wide[fitted.labels.present] = found, base
    return wide, base_wide


def _vote(family: str, fitted: Any, X: np.ndarray, asked: Asked) -> Values:
    """The weighted sum of the members' values: of their numbers, or of their probabilities, then through the last line.

    A vote of classes is softmax(slope * log p + offset) of the mean probability p. What a column adds to p_c is brought
    to log p_c in proportion (the rescale rule of Chen, Lundberg & Lee 2022, Nature Communications 13:4512, for models
    in series), and from there on all is linear.
    """
    stack, of_numbers = fitted.stack, asked.task == "regression"
    parts = [_members_of_trees(fitted, X, asked)] + \
        ([_members_that_add(fitted, X, asked)] if of_numbers else [_members_asked(fitted, X, asked)])
    values, base = (sum(each) for each in zip(*parts, strict=True))
    if of_numbers:
        return stack.slope * values, stack.slope * base + stack.offset
    logs, log_base = _in_logs(values, base)
    return _of_line(stack.slope * logs, stack.slope * log_base + stack.offset, base > 0, asked.task)


def _members_of_trees(fitted: Any, X: np.ndarray, asked: Asked) -> Values:
    """Weighted values of all forests in the vote; 0 where there is none."""
    n_outputs = len(fitted.stack.offset)
    values, base = np.zeros((len(X), n_outputs, int(asked.groups.max()) + 1)), np.zeros(n_outputs)
    for weight, (seat, member) in zip(fitted.stack.weights, fitted.members.items(), strict=True):
        if FAMILY_OF[seat] == "forest":
            each, its_base = _forest_of_classes(member, X, asked)
            values, base = values + weight * each, base + weight * its_base
    return values, base


def _members_that_add(fitted: Any, X: np.ndarray, asked: Asked) -> Values:
    """Numbers: the weighted values of regression and boosted trees, each by its own explainer."""
    values, base = np.zeros((len(X), 1, int(asked.groups.max()) + 1)), np.zeros(1)
    for weight, (seat, member) in zip(fitted.stack.weights, fitted.members.items(), strict=True):
        if FAMILY_OF[seat] != "forest":
            each, its_base = explain(FAMILY_OF[seat], member, X, asked)
            values, base = values + weight * each, base + weight * its_base
    return values, base


def _members_asked(fitted: Any, X: np.ndarray, asked: Asked) -> Values:
    """Classes: regression and boosted trees add up to log-odds, so their mean probability is asked by permutation."""
    quick = [(weight, FAMILY_OF[seat], member) for weight, (seat, member)
             in zip(fitted.stack.weights, fitted.members.items(), strict=True) if FAMILY_OF[seat] != "forest"]
    return _permutation.values(
        lambda rows: sum(weight * families.registry.get(name).predict(member, rows) for weight, name, member in quick),
        X, asked.background, asked.groups, seed=asked.seed, watch=asked.watch)


def _in_logs(values: np.ndarray, base: np.ndarray) -> Values:
    """(n, n_classes, p) of probabilities brought to their logarithms, in proportion; both add up as before."""
    mixed = base + values.sum(axis=2)
    logs, log_base = np.log(np.clip(mixed, FLOOR, 1.0)), np.log(np.clip(base, FLOOR, 1.0))
    apart = mixed - base
    near = np.abs(apart) < 1e-9
    ratio = np.where(near, 1.0 / np.clip(base, FLOOR, 1.0), (logs - log_base) / np.where(near, 1.0, apart))
    return values * ratio[:, :, None], log_base


def _of_line(values: np.ndarray, base: np.ndarray, there: np.ndarray, task: Task) -> Values:
    if task == "binary":
        return values[:, 1:] - values[:, :1], base[1:] - base[:1]
    return _centred(values, there), centred(base[None], there)[0]


_OWN: dict[str, Callable[[str, Any, np.ndarray, Asked], Values]] = {
    "logistic": _linear, "boosting": _boosted, "forest": _forest, "auto": _vote}
