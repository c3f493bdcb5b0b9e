"""Ask an ONNX file what it says, as a program without MedML would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from medml.export.columns import input_names
from medml.steps.step import NUMERIC

if TYPE_CHECKING:
    import pandas as pd

    from medml.types import Kind


@dataclass(frozen=True, slots=True)
class Said:
    """computed (n, classes) or (n, 1), as the model has it, whether or not it may be told; told: put right where that
    was decided, NaN where there is a reason against it; reasons (n, columns)."""

    told: np.ndarray
    computed: np.ndarray
    reasons: np.ndarray


def opened(content: bytes, *, threads: int = 1) -> Any:
    """An onnxruntime session on the processor."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.log_severity_level = threads, 3
    return onnxruntime.InferenceSession(content, settings, providers=["CPUExecutionProvider"])


def feed_of(X: pd.DataFrame, kinds: dict[str, Kind]) -> dict[str, np.ndarray]:
    """Rows as in Cases.X -> an array (n, 1) for every input: float64 with NaN, or text with ''."""
    return {given: X[name].to_numpy(float)[:, None] if kinds[name] in NUMERIC else _texts(X[name])
            for name, given in input_names(list(kinds)).items()}


def ask(session: Any, feed: dict[str, np.ndarray]) -> Said:
    """All outputs for these rows."""
    return Said(*session.run(["probabilities", "computed", "reasons"], feed))


def _texts(column: pd.Series) -> np.ndarray:
    return np.array(["" if cell is None or cell != cell else str(cell) for cell in column], dtype=object)[:, None]
