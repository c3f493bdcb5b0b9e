"""Models that see pictures as ONNX: from the pixels as they were decoded, any height and width, to the answer.

Bringing a picture to the network's size is part of the file: the arithmetic of Pillow's bilinear resize (a triangle
filter, horizontally and then vertically, each rounded to whole greys), proportions kept, centred on black.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from medml import righted
from medml.errors import UserError
from medml.export import families
from medml.export.graph import OPSET, Graph
from medml.exported import FEWEST, Parity
from medml.vision.pixels import Pictures, Store

if TYPE_CHECKING:
    from medml.predict import Predictor
    from medml.types import PicturePlan
    from medml.watch import Watch

BITS = 2.0 ** 22  # in which Pillow keeps the weights of a resize


def onnx_of(predictor: Predictor) -> bytes:
    """The model as one file.

    input    "pixels" uint8 [n, height, width, channels]: n pictures of one size, of 1 channel (grey, black is 0) or
             of 3 (red, green, blue)
    outputs  as for tables; "reasons" int32 [n, 1] is 0, since a file cannot know what kind of picture it is given
    """
    from medml.export.write import about, put_right

    graph, pipe, run = Graph(), predictor.pipeline, predictor.run
    pixels = graph.input("pixels", np.uint8, ["n", "height", "width", "channels"])
    fitted = fit(graph, pixels, pipe.matrix.plan.size)
    answer = network(graph, pipe.family, pipe.fitted, fitted)
    outputs = max(1, len(run.report.classes))
    for name, said in (("probabilities", put_right(graph, answer, predictor.steps)), ("computed", answer)):
        graph.output(name, said, np.float64, ["n", outputs])
    first = graph.cast(graph.gather(answer, [0]), np.float32)   # (n, 1), only for its shape
    graph.output("reasons", graph.cast(graph.add("Mul", first, graph.constant(0.0, np.float32)), np.int32), np.int32,
                 ["n", 1])
    return graph.finish(about(predictor) | {"pixels": f"brought to {pipe.matrix.plan.size} x {pipe.matrix.plan.size}"})


def fit(graph: Graph, pixels: str, size: int) -> str:
    """medml.data.images.fit: uint8 (n, height, width, channels) -> float32 (n, channels, size, size) of whole greys."""
    sides = graph.gather(graph.add("Shape", pixels), [1, 2], axis=0)   # height, width
    planes = graph.cast(graph.add("Transpose", pixels, perm=[0, 3, 1, 2]), np.float32)
    apart = graph.add("Abs", graph.add("Sub", sides, graph.constant([size, size], np.int64)))
    off = graph.add("ReduceMax", apart, keepdims=1)
    fits = graph.add("Equal", off, graph.constant([0], np.int64))
    return graph.choose(fits, lambda inner: inner.add("Identity", planes),
                        lambda inner: _resized(inner, planes, sides, size))


def _resized(graph: Graph, planes: str, both: str, size: int) -> str:
    """(n, channels, height, width) -> (n, channels, size, size), in two passes of which each rounds to whole greys."""
    sides = [graph.cast(graph.gather(both, [place], axis=0), np.float64) for place in (0, 1)]
    share = graph.add("Div", graph.constant([float(size)]), graph.add("Max", *sides))
    news = [_new(graph, side, share) for side in sides]
    rows, cols = (_weights(graph, side, new, size) for side, new in zip(sides, news, strict=True))   # (size, side) each
    turned, wide = graph.add("Transpose", cols, perm=[1, 0]), graph.cast(planes, np.float64)
    shrink, narrow = (graph.add("Sub", side, new) for side, new in zip(sides, news, strict=True))
    # Which pass Pillow 13.0.0 makes first, as 900 sizes tried say; it tells in single greys
    upright = graph.add("And", graph.add("Greater", shrink, graph.add("Add", narrow, narrow)),
                        graph.add("Greater", shrink, graph.constant(0.0)))

    def rows_first(inner: Graph) -> str:
        return _grey(inner, inner.add("MatMul", _grey(inner, inner.add("MatMul", rows, wide)), turned))

    def columns_first(inner: Graph) -> str:
        return _grey(inner, inner.add("MatMul", rows, _grey(inner, inner.add("MatMul", wide, turned))))
    return graph.cast(graph.choose(upright, rows_first, columns_first), np.float32)


def _new(graph: Graph, side: str, share: str) -> str:
    """(1,) the side that the picture itself has in the result; halves to even, as Python rounds."""
    return graph.add("Max", graph.constant([1.0]), graph.add("Round", graph.add("Mul", share, side)))


def _weights(graph: Graph, side: str, new: str, size: int) -> str:
    """(size, side) float64, whole numbers: by how many 2^-22 each pixel counts for each row of the result; rows of
    zeros are the black ground.

    Pillow's triangle filter (libImaging/Resample.c): max(0, 1 - |j + 1/2 - centre| / s), s = max(1, side / new),
    normalised, then rounded to 22 bits.
    """
    one, half, column = graph.constant([1.0]), graph.constant([0.5]), graph.constant([1], np.int64)
    scale = graph.add("Div", side, new)
    before = graph.add("Floor", graph.add("Mul", graph.add("Sub", graph.constant([float(size)]), new), half))
    place = graph.add("Sub", graph.constant(np.arange(size, dtype=float)), before)   # (size,) rows of the new picture
    centre = graph.add("Unsqueeze", graph.add("Mul", graph.add("Add", place, half), scale), column)
    zero = graph.constant(0.0)
    pixel = graph.add("Range", zero, graph.add("Squeeze", side), graph.constant(1.0))
    away = graph.add("Abs", graph.add("Mul", graph.add("Add", graph.add("Sub", pixel, centre), half),
                                      graph.add("Div", one, graph.add("Max", one, scale))))
    weights = graph.add("Max", zero, graph.add("Sub", one, away))
    inside = graph.add("And", graph.add("Not", graph.add("Less", place, zero)), graph.add("Less", place, new))
    weights = graph.add("Where", graph.add("Unsqueeze", inside, column), weights, zero)
    total = graph.add("Max", graph.add("ReduceSum", weights, column), graph.constant(1e-9))
    shares = graph.add("Mul", weights, graph.add("Div", one, total))
    return graph.add("Floor", graph.add("Add", half, graph.add("Mul", shares, graph.constant(BITS))))


def _grey(graph: Graph, sums: str) -> str:
    """Sums of greys times whole weights -> whole greys from 0 to 255, as Pillow rounds after each of its passes."""
    up = graph.add("Floor", graph.add("Add", graph.add("Div", sums, graph.constant(BITS)), graph.constant(0.5)))
    return graph.add("Min", graph.add("Max", up, graph.constant(0.0)), graph.constant(255.0))


def network(graph: Graph, family: Any, fitted: Any, planes: str) -> str:
    """The network of cnn or cnn_features behind whole greys (n, channels, size, size) float32."""
    if family.name not in ("cnn", "cnn_features"):
        raise UserError(what="This family of models cannot be written into a model file yet.", code="no_export",
                        fix="Use the model inside MedML, or train another family.")
    mean, scale = _feeding(family, fitted)
    one = scaled(graph, planes, mean, scale)
    scores = graph.cast(graph.embed(traced(family.network(fitted), _side(fitted)), one), np.float64)
    if family.name == "cnn":
        return families.scored(graph, fitted, scores)
    labels = fitted.head.labels
    return scores if labels is None else families.spread(graph, graph.add("Softmax", scores, axis=1), labels)


def scaled(graph: Graph, planes: str, mean: np.ndarray, scale: np.ndarray) -> str:
    """(n, 1 or 3, height, width) float32 -> (n, 3, ...): each colour less its mean, by its scale; grey is all three.

    Channel by channel: onnxruntime takes several times as long where it spreads one of three numbers over a picture.
    """
    last = graph.add("Sub", graph.gather(graph.add("Shape", planes), [1], axis=0), graph.constant([1], np.int64))
    colours = []
    for place in range(3):
        channel = graph.add("Gather", planes, graph.add("Min", graph.constant([place], np.int64), last), axis=1)
        centred = graph.add("Sub", channel, graph.constant(mean[place], np.float32))
        colours.append(graph.add("Div", centred, graph.constant(scale[place], np.float32)))
    return graph.add("Concat", *colours, axis=1)


def traced(model: Any, side: int) -> Any:
    """A torch network (n, 3, side, side) -> (n, outputs) as an ONNX model with batch norms folded in."""
    import onnx
    import torch

    written = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # torch's newer exporter takes 4-15 s a network instead of 0.5 and writes the same operations
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(model, torch.zeros(2, 3, side, side), written, dynamo=False, opset_version=OPSET,
                          input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "n"}, "y": {0: "n"}})
    return onnx.load_from_string(written.getvalue())


def _feeding(family: Any, fitted: Any) -> tuple[np.ndarray, np.ndarray]:
    """Mean and scale (3,) of greys 0-255 with which the network is fed."""
    if family.name == "cnn":
        return fitted.scaling.mean, fitted.scaling.scale
    from medml.vision import weights

    found = weights.find(fitted.backbone)
    return np.array(found.mean) * 255, np.array(found.std) * 255


def _side(fitted: Any) -> int:
    return fitted.side if hasattr(fitted, "side") else fitted.shape["height"]


def pixels_of(predictor: Predictor) -> dict[str, Any]:
    """The part of schema.json that says how a picture becomes pixels."""
    plan: PicturePlan = predictor.pipeline.matrix.plan
    return {"input": "pixels", "type": "uint8", "shape": ["n", "height", "width", "channels"],
            "channels": "1 (grey, black is 0) or 3 (red, green, blue)",
            "size": plan.size, "window": plan.window or "as the file says", "frames": plan.frames,
            "dicom": "modality LUT or slope and intercept (PS3.3 C.11.1), then VOI LUT or window (C.11.2) to 0-255; "
                     "MONOCHROME1 is inverted; without a window, lowest to highest value of the frame",
            "others": "8 bits as they are, upright by their orientation tag; transparent parts on black; more than 8 "
                      "bits spread from the lowest to the highest value",
            "resize": "not needed: the model brings any height and width to its size itself"}


def parity_of(predictor: Predictor, content: bytes, watch: Watch) -> Parity:
    """Compare the file with the model on pictures made up in several sizes; each goes through our own resize here."""
    from medml.data.images.fit import fit as by_pillow
    from medml.export.ask import opened
    from medml.export.parity import apart, usual_range

    session, rng, size = opened(content), np.random.default_rng(0), predictor.pipeline.matrix.plan.size
    sizes, worst = _sizes(size), 0.0
    each = -(-FEWEST // len(sizes))
    for done, (height, width, channels) in enumerate(sizes):
        made = made_up(rng, each, height, width, channels)
        store = Store.of(np.stack([by_pillow(picture.squeeze(), size, channels) for picture in made]))
        natural = predictor.pipeline.family.predict(predictor.pipeline.fitted, Pictures(store, np.arange(each)))
        computed, told = session.run(["computed", "probabilities"], {"pixels": made})
        worst = max(worst, apart(computed, natural, usual_range(predictor)),
                    apart(told, righted.put_right(natural, predictor.steps), usual_range(predictor)))
        watch.say("export", 0.3 + 0.6 * (done + 1) / len(sizes), "Comparing it with the model")
    return Parity(n_rows=each * len(sizes), n_missing=0, n_unseen=0, difference=worst)


def made_up(rng: np.random.Generator, n: int, height: int, width: int, channels: int) -> np.ndarray:
    """(n, height, width, channels) uint8: fields of grey with grain on them, as far from flat as a film is."""
    coarse = rng.uniform(0, 255, (n, 6, 6, channels))
    rows, cols = (np.arange(side) * 6 // side for side in (height, width))
    grain = rng.normal(0, 25, (n, height, width, channels))
    return np.clip(coarse[:, rows][:, :, cols] + grain, 0, 255).astype(np.uint8)


def _sizes(size: int) -> list[tuple[int, int, int]]:
    """As it is, wider, higher, smaller, larger and in colours."""
    return [(size, size, 1), (size, size, 3), (size * 2, size * 2, 1), (size + 7, 2 * size + 1, 1),
            (2 * size + 5, size // 2, 3), (max(8, size // 2), max(8, size // 2 + 3), 1)]
