"""What each family of models becomes in the graph: encoded rows in, probabilities or a number out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from medml.errors import UserError
from medml.export import trees
from medml.export.graph import Graph

Written = Callable[[Graph, Any, str], str]  # (graph, what the family fitted, rows) -> (n, n_classes) or (n, 1) float64


def model(graph: Graph, family: str, fitted: Any, rows: str) -> str:
    """Put a fitted model behind its rows; UserError where its family has no form in ONNX."""
    if family not in FAMILIES:
        raise UserError(what="This family of models cannot be written into a model file yet.", code="no_export",
                        fix="Use the model inside MedML, or train another family.")
    return FAMILIES[family](graph, fitted, rows)


def logistic(graph: Graph, fitted: Any, rows: str) -> str:
    """families.logistic.Linear; in float64, because dates and counts are large beside their spread."""
    centred = graph.add("Sub", rows, graph.constant(fitted.mean))
    scaled = graph.add("Div", centred, graph.constant(fitted.scale))
    scores = graph.add("Add", graph.add("MatMul", scaled, graph.constant(fitted.weights)),
                       graph.constant(fitted.offset))
    return scores if fitted.labels is None else spread(graph, graph.add("Softmax", scores, axis=1), fitted.labels)


def spread(graph: Graph, p: str, labels: Any) -> str:
    """(n, n_present) -> (n, n_classes): a class that no training row had gets 0."""
    if len(labels.present) == labels.n_classes:
        return p
    return graph.add("MatMul", p, graph.constant(np.eye(labels.n_classes)[labels.present]))


def forest(graph: Graph, fitted: Any, rows: str) -> str:
    """families.forest.Forest."""
    mean = trees.forest(graph, fitted.model, rows)
    if fitted.labels is None:
        return mean
    return spread(graph, mean if len(fitted.labels.present) == 2 else _whole(graph, mean), fitted.labels)


def boosting(graph: Graph, fitted: Any, rows: str) -> str:
    """families.boosting.Boosted."""
    margins = trees.boosted(graph, fitted.booster, rows)
    if fitted.labels is None:
        return margins
    if len(fitted.labels.present) > 2:
        return spread(graph, graph.add("Softmax", margins, axis=1), fitted.labels)
    yes = graph.add("Sigmoid", margins)
    no = graph.add("Sub", graph.constant(1.0), yes)
    return spread(graph, graph.add("Concat", no, yes, axis=1), fitted.labels)


def mlp(graph: Graph, fitted: Any, rows: str) -> str:
    """families._network.Network of the family mlp: linear layers in float32, as torch computes them."""
    from torch import nn

    from medml.families import registry
    from medml.families.mlp import FAR

    scaled = graph.add("Div", graph.add("Sub", rows, graph.constant(fitted.scaling.mean)),
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


def scored(graph: Graph, fitted: Any, scores: str) -> str:
    """A network's scores (n, outputs) float64 as families._network.Learner.ask turns them."""
    if fitted.labels is None:
        wide = graph.add("Mul", scores, graph.constant(fitted.scaling.spread))
        return graph.add("Add", wide, graph.constant(fitted.scaling.centre))
    plain = graph.add("Sub", scores, graph.constant(fitted.scaling.correction))
    return spread(graph, graph.add("Softmax", plain, axis=1), fitted.labels)


def auto(graph: Graph, fitted: Any, rows: str) -> str:
    """families.auto.Vote: every member, their weighted mean, the line of families._stack.Stack."""
    from medml.families._stack import FLOOR
    from medml.families.auto import FAMILY_OF

    stack, mixed = fitted.stack, ""
    for (seat, member), weight in zip(fitted.members.items(), stack.weights, strict=True):
        part = graph.add("Mul", model(graph, FAMILY_OF[seat], member, rows), graph.constant(float(weight)))
        mixed = graph.add("Add", mixed, part) if mixed else part
    slope, offset = graph.constant(float(stack.slope)), graph.constant(stack.offset)
    if len(stack.offset) == 1:
        return graph.add("Add", graph.add("Mul", mixed, slope), offset)
    held = graph.add("Min", graph.add("Max", mixed, graph.constant(FLOOR)), graph.constant(1.0))
    scores = graph.add("Add", graph.add("Mul", graph.add("Log", held), slope), offset)
    possible = graph.add("Greater", mixed, graph.constant(0.0))
    return graph.add("Softmax", graph.add("Where", possible, scores, graph.constant(-np.inf)), axis=1)


def _whole(graph: Graph, p: str) -> str:
    """Probabilities that sum to 1 although float32 added them up."""
    return graph.add("Div", p, graph.add("ReduceSum", p, graph.constant([1], np.int64)))


FAMILIES: dict[str, Written] = {"logistic": logistic, "forest": forest, "boosting": boosting, "mlp": mlp, "auto": auto}
