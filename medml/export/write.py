"""A run's current model as one ONNX file, from typed columns (or pixels) to the answer and the reasons for none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medml import righted
from medml.export import columns, families
from medml.export.graph import Graph
from medml.pipeline import Matrix

if TYPE_CHECKING:
    from medml.predict import Predictor
    from medml.righted import Steps


def onnx_of(predictor: Predictor) -> bytes:
    """The model as one file without external data.

    inputs   one a column: float64 [n, 1] with NaN where missing, or text [n, 1] with ''; for pictures "pixels"
    outputs  "probabilities" float64 [n, classes], or [n, 1] for a number; NaN in rows with a reason for no answer
             "computed" what the model itself says of every row, before any of it is put right (medml.righted) or
             silenced: for comparisons and validations, never for a patient
             "reasons" int32 [n, columns]: 0, or a code of medml.export.silence
    raises   UserError where the family or a cleanup step has no form in ONNX
    """
    graph, pipe = Graph(), predictor.pipeline
    if not isinstance(pipe.matrix, Matrix):
        from medml.export import pictures

        return pictures.onnx_of(predictor)
    found = columns.encoded(graph, pipe.matrix, predictor.key)
    answer = families.model(graph, pipe.family.name, pipe.fitted, found.rows)
    outputs, told = max(1, len(predictor.run.report.classes)), put_right(graph, answer, predictor.steps)
    graph.output("probabilities", graph.add("Add", told, found.veil), np.float64, ["n", outputs])
    graph.output("computed", answer, np.float64, ["n", outputs])
    graph.output("reasons", found.reasons, np.int32, ["n", len(pipe.matrix.cleaner.kinds)])
    return graph.finish(about(predictor))


def put_right(graph: Graph, answer: str, steps: Steps | None) -> str:
    """(n, 2) through the map of medml.righted: straight between its points, flat beyond them; else as it is."""
    if steps is None:
        return answer
    x, y = steps
    beyond = graph.add("Sub", graph.gather(answer, [1]), graph.constant(x[:-1]))   # (n, points - 1)
    inside = graph.add("Min", graph.add("Max", beyond, graph.constant(0.0)), graph.constant(np.diff(x)))
    risen = graph.add("MatMul", inside, graph.constant((np.diff(y) / np.diff(x))[:, None]))
    yes = graph.add("Add", risen, graph.constant(y[0]))
    return graph.add("Concat", graph.add("Sub", graph.constant(1.0), yes), yes, axis=1)


def about(predictor: Predictor) -> dict[str, str]:
    """What the file says of itself: names, figures' warnings, no path and no value."""
    run, report = predictor.run, predictor.report
    return {"run": run.run, "checkpoint": str(run.chain.current), "family": run.config.family,
            "outcome": run.config.choice.target, "classes": " | ".join(report.classes),
            "threshold": "" if report.threshold is None else f"{report.threshold:g}",
            "put_right": righted.said(report, predictor.steps), "stamps": " | ".join(report.stamps)}
