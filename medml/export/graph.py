"""An ONNX graph as it is put together: inputs, constants, one operation after the other, outputs, one file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

OPSET, ML_OPSET, IR = 17, 3, 8  # what onnxruntime of 2022 and later reads, in the browser too
ML = "ai.onnx.ml"  # the domain of trees and look-up tables
INNER = "medml/"  # how the names of what lies between inputs and outputs begin


class Graph:
    """Operations of opset 17 (https://onnx.ai/onnx/operators), their results called by names that no column has."""

    def __init__(self, prefix: str = INNER) -> None:
        self.prefix = prefix
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def fresh(self) -> str:
        """A name that nothing in this graph has yet."""
        return f"{self.prefix}{len(self.nodes) + len(self.constants)}"

    def input(self, name: str, kind: type | np.dtype, shape: list[Any]) -> str:
        """An input of that type (np.str_ for text); names in `shape` are sizes that may vary."""
        self.inputs.append(_info(name, kind, shape))
        return name

    def output(self, name: str, tensor: str, kind: type | np.dtype, shape: list[Any]) -> None:
        """Give a result to whoever runs the model, under a name of its own: its operation's result is called so, except
        where something else needs its name."""
        from onnx import helper

        if any(tensor in node.output for node in self.nodes) and not _in_a_branch(self.nodes, tensor):
            for node in self.nodes:
                for tensors in (node.input, node.output):
                    tensors[:] = [name if each == tensor else each for each in tensors]
        else:
            self.nodes.append(helper.make_node("Identity", [tensor], [name]))
        self.outputs.append(_info(name, kind, shape))

    def constant(self, values: Any, kind: type | np.dtype = np.float64) -> str:
        """An array that is part of the model."""
        from onnx import numpy_helper

        name = f"{self.fresh()}c"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=kind).reshape(
            np.shape(values)), name))
        return name

    def add(self, operation: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """One operation with one result; returns the result's name."""
        from onnx import helper

        name = self.fresh()
        self.nodes.append(helper.make_node(operation, list(inputs), [name], domain=domain, **attributes))
        return name

    def cast(self, tensor: str, kind: type | np.dtype) -> str:
        """The same numbers in another type."""
        from onnx import helper

        return self.add("Cast", tensor, to=helper.np_dtype_to_tensor_dtype(np.dtype(kind)))

    def gather(self, tensor: str, places: Any, axis: int = 1) -> str:
        """Some columns (rows with axis 0), in the order of `places`."""
        return self.add("Gather", tensor, self.constant(places, np.int64), axis=axis)

    def largest(self, tensor: str, n: int) -> str:
        """(rows, columns) -> (rows, n): the largest of each row."""
        from onnx import helper

        name = self.fresh()
        self.nodes.append(helper.make_node("TopK", [tensor, self.constant([n], np.int64)], [name, f"{name}at"], axis=1))
        return name

    def choose(self, condition: str, then: Callable[[Graph], str], otherwise: Callable[[Graph], str]) -> str:
        """The result of one of two branches, of which only that one is computed; both may use what is here."""
        from onnx import helper

        name, branches = self.fresh(), {}
        for side, build in (("then", then), ("else", otherwise)):
            branch = Graph(f"{name}{side}/")
            result = helper.make_empty_tensor_value_info(build(branch))
            branches[f"{side}_branch"] = helper.make_graph(branch.nodes, side, [], [result], branch.constants)
        self.nodes.append(helper.make_node("If", [condition], [name], **branches))
        return name

    def embed(self, model: Any, tensor: str) -> str:
        """All of another model with one input and one output, fed with `tensor`; returns its output."""
        prefix = self.fresh()
        names = {model.graph.input[0].name: tensor}

        def called(name: str) -> str:
            return names.get(name, f"{prefix}/{name}" if name else "")
        for each in model.graph.initializer:
            each.name = called(each.name)
            self.constants.append(each)
        for node in model.graph.node:
            node.name = ""
            node.input[:] = [called(name) for name in node.input]
            node.output[:] = [called(name) for name in node.output]
            self.nodes.append(node)
        return called(model.graph.output[0].name)

    def finish(self, about: dict[str, str]) -> bytes:
        """The whole model as one file, checked against the rules of the format; `about` goes into its metadata."""
        import onnx
        from onnx import helper

        graph = helper.make_graph(self.nodes, "medml", self.inputs, self.outputs, self.constants)
        model = helper.make_model(graph, producer_name="MedML", ir_version=IR,
                                  opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)])
        helper.set_model_props(model, about)
        onnx.checker.check_model(model)
        return model.SerializeToString()


@dataclass(frozen=True, slots=True)
class Rows:
    """Encoded rows as they lie: column j of the encoding is column places[j] of the tensor (n, width) float64. What
    multiplies or asks its columns one by one takes them from there, which spares an operation."""

    tensor: str
    places: np.ndarray
    width: int

    def weights(self, each: np.ndarray) -> np.ndarray:
        """(p, k), a row for each column of the encoding -> (width, k), 0 for the others."""
        spread = np.zeros((self.width, each.shape[1]))
        spread[self.places] = each
        return spread

    def in_order(self, graph: Graph) -> str:
        """(n, p)"""
        return graph.gather(self.tensor, self.places)


def _in_a_branch(nodes: list[Any], tensor: str) -> bool:
    """Whether a branch of a choice uses it."""
    inner = [node for each in nodes for attribute in each.attribute for node in attribute.g.node]
    return any(tensor in node.input for node in inner) or bool(inner) and _in_a_branch(inner, tensor)


def _info(name: str, kind: type | np.dtype, shape: list[Any]) -> Any:
    from onnx import TensorProto, helper

    element = TensorProto.STRING if kind is np.str_ else helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    return helper.make_tensor_value_info(name, element, shape)
