"""What each family of models becomes in the graph: encoded rows in, probabilities or a number out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from medml.errors import UserError
from medml.export import merged, trees
from medml.export.graph import Graph, Rows

Written = Callable[[Graph, Any, Rows], "Part"]  # (graph, what the family fitted, rows) -> its answer


@dataclass(frozen=True, slots=True)
class Part:
    """An answer as tensor @ turn + start: a vote adds its members' up in one operation.

    tensor  (n, k) of that kind;   turn  (k, n_outputs);   start  (n_outputs,)
    """

    tensor: str
    turn: np.ndarray
    start: np.ndarray
    kind: type = np.float64

    def whole(self, graph: Graph) -> str:
        """(n, n_outputs)"""
        if self.turn.shape[0] == self.turn.shape[1] and (self.turn == np.eye(len(self.turn))).all() and not any(
                self.start):
            return self.tensor
        return graph.add("Gemm", self.tensor, *(graph.constant(each, self.kind) for each in (self.turn, self.start)))


def model(graph: Graph, family: str, fitted: Any, rows: Rows) -> str:
    """Put a fitted model behind its rows: (n, n_classes) or (n, 1); UserError where its family has no form in ONNX."""
    if family not in FAMILIES:
        raise UserError(what="This family of models cannot be written into a model file yet.", code="no_export",
                        fix="Use the model inside MedML, or train another family.")
    part = FAMILIES[family](graph, fitted, rows)
    told = part.whole(graph)
    return told if part.kind == np.float64 else graph.cast(told, np.float64)


def logistic(graph: Graph, fitted: Any, rows: Rows) -> Part:
    """families.logistic.Linear; in float64, because dates and counts are large beside their spread."""
    weights = fitted.weights / fitted.scale[:, None]
    scores = graph.add("Gemm", rows.tensor, graph.constant(rows.weights(weights)),
                       graph.constant(fitted.offset - fitted.mean @ weights))
    return of_scores(graph, scores, fitted.labels)


def of_scores(graph: Graph, scores: str, labels: Any, kind: type = np.float64) -> Part:
    """A score of each class that was present, or, without labels, a number."""
    return (_number(scores, kind) if labels is None else
            _classes(graph.add("Softmax", scores, axis=1), labels, kind))


def _number(tensor: str, kind: type) -> Part:
    return Part(tensor, np.eye(1), np.zeros(1), kind)


def _classes(p: str, labels: Any, kind: type, turn: np.ndarray | None = None, start: np.ndarray | None = None) -> Part:
    """Probabilities of the classes that were present: a class that no training row had gets 0."""
    spread = np.eye(labels.n_classes)[labels.present]   # (n_present, n_classes)
    start = np.zeros(len(spread)) if start is None else start
    return Part(p, spread if turn is None else turn @ spread, start @ spread, kind)


def of_trees(graph: Graph, fitted: list[Any], rows: Rows) -> list[Part]:
    """families.forest.Forest and families.boosting.Boosted, their trees in one operation."""
    grown = [merged.fewer(trees.boosted(each.booster)) if hasattr(each, "booster") else trees.forest(each.model)
             for each in fitted]
    sums, ends = trees.sums(graph, rows, grown), np.cumsum([len(each.begin) for each in grown])
    return [_of_sums(graph, model, each, sums, slice(end - len(each.begin), end), ends[-1])
            for model, each, end in zip(fitted, grown, ends, strict=True)]


def _of_sums(graph: Graph, fitted: Any, grown: trees.Grown, sums: str, mine: slice, width: int) -> Part:
    """What one forest says, from its results among those of all, (n, width)."""
    turn = np.zeros((width, grown.turn.shape[1]))
    turn[mine] = grown.turn
    if fitted.labels is None:
        return Part(sums, turn, grown.start, np.float32)
    if not hasattr(fitted, "booster"):
        return _classes(sums, fitted.labels, np.float32, turn, grown.start)
    margins = sums if mine == slice(0, width) else graph.gather(sums, np.arange(mine.start, mine.stop))
    if len(fitted.labels.present) > 2:
        return of_scores(graph, margins, fitted.labels, np.float32)
    return _classes(graph.add("Sigmoid", margins), fitted.labels, np.float32, np.array([[-1.0, 1.0]]),
                    np.array([1.0, 0.0]))


def forest(graph: Graph, fitted: Any, rows: Rows) -> Part:
    """One forest, or one boosted model alone."""
    return of_trees(graph, [fitted], rows)[0]


def mlp(graph: Graph, fitted: Any, rows: Rows) -> Part:
    """families._network.Network of the family mlp: linear layers in float32, as torch computes them."""
    from torch import nn

    from medml.families import registry
    from medml.families.mlp import FAR

    scaled = graph.add("Div", graph.add("Sub", rows.in_order(graph), graph.constant(fitted.scaling.mean)),
                       graph.constant(fitted.scaling.scale))
    near = graph.add("Min", graph.add("Max", scaled, graph.constant(-FAR)), graph.constant(FAR))
    at = graph.cast(near, np.float32)
    for layer in registry.get("mlp").best(fitted):
        if isinstance(layer, nn.Linear):
            weights, bias = (each.detach().numpy() for each in (layer.weight, layer.bias))
            at = graph.add("Gemm", at, graph.constant(weights, np.float32), graph.constant(bias, np.float32), transB=1)
        elif isinstance(layer, nn.SiLU):
            at = graph.add("Mul", at, graph.add("Sigmoid", at))
        elif not isinstance(layer, nn.Dropout):
            raise ValueError(f"mlp has a layer {type(layer).__name__} that is not written yet")
    return scored(graph, fitted, graph.cast(at, np.float64))


def scored(graph: Graph, fitted: Any, scores: str) -> Part:
    """A network's scores (n, outputs) float64 as families._network.Learner.ask turns them."""
    if fitted.labels is None:
        return Part(scores, np.atleast_2d(fitted.scaling.spread), np.atleast_1d(fitted.scaling.centre))
    return of_scores(graph, graph.add("Sub", scores, graph.constant(fitted.scaling.correction)), fitted.labels)


def auto(graph: Graph, fitted: Any, rows: Rows) -> Part:
    """families.auto.Vote: every member, their weighted mean, the line of families._stack.Stack."""
    from medml.families._stack import FLOOR
    from medml.families.auto import FAMILY_OF

    stack, wooden = fitted.stack, [seat for seat in fitted.members if FAMILIES[FAMILY_OF[seat]] is forest]
    parts = dict(zip(wooden, of_trees(graph, [fitted.members[seat] for seat in wooden], rows), strict=True))
    parts |= {seat: FAMILIES[FAMILY_OF[seat]](graph, member, rows) for seat, member in fitted.members.items()
              if seat not in parts}
    kind = np.float64 if len(stack.offset) == 1 else np.float32   # a probability has seven digits, a number any
    mixed = _mixed(graph, kind, [(weight, parts[seat])
                                 for weight, seat in zip(stack.weights, fitted.members, strict=True)])
    if len(stack.offset) == 1:
        return Part(mixed.tensor, stack.slope * mixed.turn, stack.slope * mixed.start + stack.offset)
    possible = (mixed.turn != 0).any(axis=0) | (mixed.start != 0)   # a class that no training row had: 0
    held = graph.add("Max", mixed.whole(graph), graph.constant(FLOOR, kind))
    scores = graph.add("Gemm", graph.add("Log", held), graph.constant(stack.slope * np.eye(len(possible)), kind),
                       graph.constant(np.where(possible, stack.offset, -np.inf), kind))
    return Part(graph.add("Softmax", scores, axis=1), np.eye(len(possible)), np.zeros(len(possible)), kind)


def _mixed(graph: Graph, kind: type, weighed: list[tuple[float, Part]]) -> Part:
    """The weighted sum of parts."""
    turns: dict[tuple[str, type], np.ndarray] = {}
    for weight, part in weighed:
        turns[part.tensor, part.kind] = turns.get((part.tensor, part.kind), 0.0) + weight * part.turn
    tensors = [tensor if each == kind else graph.cast(tensor, kind) for tensor, each in turns]
    return Part(graph.add("Concat", *tensors, axis=1), np.vstack(list(turns.values())),
                sum(weight * part.start for weight, part in weighed), kind)


FAMILIES: dict[str, Written] = {"logistic": logistic, "forest": forest, "boosting": forest, "mlp": mlp, "auto": auto}
