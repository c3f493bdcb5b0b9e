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
from medml.vision import seen
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
    outputs  as for tables; "reasons" int32 [n, 1]: 0, or a code of medml.vision.seen. What kind of picture it is given
             (its modality) a file cannot know
    """
    from medml.export.write import about, put_right

    graph, pipe, run = Graph(), predictor.pipeline, predictor.run
    pixels = graph.input("pixels", np.uint8, ["n", "height", "width", "channels"])
    fitted = fit(graph, pixels, pipe.matrix.plan.size)
    answer = network(graph, pipe.family, pipe.fitted, fitted)
    outputs, reasons = max(1, len(run.report.classes)), why(graph, predictor, pixels, fitted)
    silent = graph.add("Greater", reasons, graph.constant(0, np.int32))
    told = graph.add("Where", silent, graph.constant(np.nan), put_right(graph, answer, predictor.steps))
    for name, said in (("probabilities", told), ("computed", answer)):
        graph.output(name, said, np.float64, ["n", outputs])
    graph.output("reasons", reasons, np.int32, ["n", 1])
    return graph.finish(about(predictor) | {"pixels": f"brought to {pipe.matrix.plan.size} x {pipe.matrix.plan.size}"})


def why(graph: Graph, predictor: Predictor, pixels: str, planes: str) -> str:
    """Pixels as they came and whole greys (n, channels, size, size) -> (n, 1) int32: medml.vision.seen.CODES.

    The first reason that applies, so they are laid over each other from the last to the first.
    """
    x = graph.cast(planes, np.float64)
    total = graph.add("ReduceSum", x, graph.constant([1, 2, 3], np.int64), keepdims=0)   # (n,)
    codes = graph.cast(graph.add("Mul", total, graph.constant(0.0)), np.int32)
    known = predictor.pipeline.matrix.seen
    if known is not None:
        for name, fact in reversed(_facts(graph, x, total).items()):
            limits = getattr(known, name)
            if limits is not None:
                outside = graph.add("Or", graph.add("Less", fact, graph.constant(limits[0])),
                                    graph.add("Greater", fact, graph.constant(limits[1])))
                codes = graph.add("Where", outside, graph.constant(seen.CODES[name], np.int32), codes)
    sides = graph.gather(graph.add("Shape", pixels), [1, 2], axis=0)
    small = graph.add("Less", graph.add("ReduceMin", sides, keepdims=1),
                      graph.constant([_least_side(predictor)], np.int64))
    codes = graph.add("Where", small, graph.constant(seen.CODES["small"], np.int32), codes)
    return graph.add("Unsqueeze", codes, graph.constant([1], np.int64))


def _facts(graph: Graph, x: str, total: str) -> dict[str, str]:
    """medml.vision.seen.facts, each (n,) float64."""
    places = graph.constant([1, 2, 3], np.int64)
    per_picture = graph.add("ReduceProd", graph.gather(graph.add("Shape", x), [1, 2, 3], axis=0), keepdims=1)
    per_plane = graph.add("ReduceProd", graph.gather(graph.add("Shape", x), [2, 3], axis=0), keepdims=1)
    n, area = graph.cast(per_picture, np.float64), graph.cast(per_plane, np.float64)
    mean = graph.add("Div", total, n)
    squares = graph.add("Div", graph.add("ReduceSum", graph.add("Mul", x, x), places, keepdims=0), n)
    variance = graph.add("Max", graph.add("Sub", squares, graph.add("Mul", mean, mean)), graph.constant(0.0))
    apart = graph.add("Sub", graph.add("ReduceMax", x, axes=[1], keepdims=1),
                      graph.add("ReduceMin", x, axes=[1], keepdims=1))
    return {"grey": mean, "contrast": graph.add("Sqrt", variance),
            "colour": graph.add("Div", graph.add("ReduceSum", apart, places, keepdims=0), area)}


def _least_side(predictor: Predictor) -> int:
    facts = predictor.table.pictures
    return 0 if facts is None else seen.least_side(facts.side)


def codes_of(predictor: Predictor, height: int, width: int, fitted: np.ndarray) -> np.ndarray:
    """(n,) what MedML itself says of pictures of that size, brought to (n, size, size, channels), in those codes."""
    known = predictor.pipeline.matrix.seen
    if min(height, width) < _least_side(predictor):
        return np.full(len(fitted), seen.CODES["small"], dtype=np.int32)
    return np.zeros(len(fitted), dtype=np.int32) if known is None else known.codes(fitted)


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
        return families.scored(graph, fitted, scores).whole(graph)
    return families.of_scores(graph, scores, fitted.head.labels).whole(graph)


def scaled(graph: Graph, planes: str, mean: np.ndarray, scale: np.ndarray) -> str:
    """(n, 1 or 3, height, width) float32 -> (n, 3, ...): each colour less its mean, by its scale; grey is all three.

    As a batch norm that has learned nothing: onnxruntime takes several times as long where Sub and Div spread one of
    three numbers over a picture.
    """
    three = graph.add("Expand", planes, graph.constant([1, 3, 1, 1], np.int64))
    given = [graph.constant(each, np.float32) for each in (1 / scale, np.zeros(3), mean, np.ones(3))]
    return graph.add("BatchNormalization", three, *given, epsilon=0.0)


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
    sizes, worst, differ = _sizes(size), 0.0, 0
    each = -(-FEWEST // len(sizes))
    for done, (height, width, channels) in enumerate(sizes):
        made = made_up(rng, each, height, width, channels)
        made[::2] = made[::2] // 4   # half of them dark: of one kind or the other the model says nothing
        store = Store.of(np.stack([by_pillow(picture.squeeze(), size, channels) for picture in made]))
        natural = predictor.pipeline.family.predict(predictor.pipeline.fitted, Pictures(store, np.arange(each)))
        computed, told, reasons = session.run(["computed", "probabilities", "reasons"], {"pixels": made})
        codes, right = codes_of(predictor, height, width, store.pixels), righted.put_right(natural, predictor.steps)
        differ += int(((reasons[:, 0] != codes) | (np.isnan(told).any(axis=1) != (codes > 0))).sum())
        told = np.where(np.isnan(told), right.reshape(told.shape), told)
        worst = max(worst, *(apart(*both, usual_range(predictor)) for both in ((computed, natural), (told, right))))
        watch.say("export", 0.3 + 0.6 * (done + 1) / len(sizes), "Comparing it with the model")
    return Parity(n_rows=each * len(sizes), n_missing=0, n_unseen=0, difference=worst, reasons_differ=differ)


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
