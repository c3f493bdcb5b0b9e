"""What each column of a patient adds to the answer of a run: associated with the outcome, never its cause.

Rows of other patients, where a family needs them as a background, are read from the clinician's folder into memory;
nothing here is written anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medml import gallery
from medml.errors import UserError
from medml.explain import _families
from medml.explain.units import Unit, read_back
from medml.pipeline import Matrix, Pipeline
from medml.recipe.target import ABOVE_ZERO
from medml.watch import Silent, Watch

if TYPE_CHECKING:
    import pandas as pd

    from medml.cases import Cases

BACKGROUND = 100  # rows of the table that stand for "not known"
TYPICAL = "a typical patient (medians and shares of the training rows)"
LEARNED = "the average of the training rows, as the model has kept it"


@dataclass(frozen=True, slots=True)
class Contributions:
    """For each row: base + the sum of what its columns add = the model's own answer, all in one unit.

    columns  p names of columns of the table (its encoded columns and the mark "missing" summed back to it)
    values   (n, n_outputs, p) what each column adds;   base  (n_outputs,) the answer when nothing is known
    answers  (n, n_outputs) the model's own answers, asked afresh: `values` and `base` must add up to them
    outputs  what each output is: the class that counts as yes, every class, or the outcome's name
    unit     of values, base and answers;   against  what "nothing is known" means here
    """

    columns: list[str]
    values: np.ndarray
    base: np.ndarray
    answers: np.ndarray
    outputs: list[str]
    unit: Unit
    against: str

    def gap(self) -> float:
        """The largest difference between an answer and what the columns add up to, in `unit`."""
        return float(np.abs(self.base + self.values.sum(axis=2) - self.answers).max(initial=0.0))


@dataclass(frozen=True, slots=True)
class Explainer:
    """A run ready to be explained.

    background  (m, e) encoded rows, in memory; one typical row where the clinician's folder was not given or is gone
    """

    pipeline: Pipeline
    outputs: list[str]
    task: str
    background: np.ndarray
    against: str
    seed: int = 0
    columns: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, run: str | gallery.Run, cases: Cases | None = None) -> Explainer:
        """The current checkpoint of a run.

        cases   rows that the final model may have learned from; BACKGROUND of them are drawn. None: a typical row
        raises  UserError where the run is of pictures
        """
        opened = gallery.open_run(run) if isinstance(run, str) else run
        if opened.config.choice.pictures is not None:
            raise UserError(what="This model looks at pictures: no column says what it went by.",
                            fix="Look at its heatmaps on the Evaluate page.", code="of_pictures")
        return cls.around(Pipeline.load(opened.sealed("final"), opened.config.family), outputs_of(opened), cases,
                          task=opened.report.task, seed=opened.config.seed)

    @classmethod
    def around(cls, pipeline: Pipeline, outputs: list[str], cases: Cases | None, *, task: str,
               seed: int = 0) -> Explainer:
        """A pipeline in hand; see `of`."""
        family, matrix = pipeline.family.name, pipeline.matrix
        columns = list(dict.fromkeys(matrix.origins))
        if not _families.needs_background(family, task):
            return cls(pipeline, outputs, task, typical(matrix), LEARNED, seed, columns)
        if cases is None:
            return cls(pipeline, outputs, task, typical(matrix), TYPICAL, seed, columns)
        drawn = np.random.default_rng(seed).permutation(len(cases.y))[:BACKGROUND]
        return cls(pipeline, outputs, task, matrix.encode(cases.X.iloc[np.sort(drawn)]),
                   f"{len(drawn)} patients of the table", seed, columns)

    def __call__(self, X: pd.DataFrame, watch: Callable[[float], None] | None = None) -> Contributions:
        """What each column adds, for rows as in Cases.X (see recipe.prepare_predictors)."""
        family, matrix = self.pipeline.family.name, self.pipeline.matrix
        encoded = matrix.encode(X)
        place = {name: at for at, name in enumerate(self.columns)}
        groups = np.array([place[name] for name in matrix.origins])
        asked = _families.Asked(self.task, groups, self.background, self.seed, watch)
        values, base = _families.explain(family, self.pipeline.fitted, encoded, asked)
        unit = _families.unit_of(family, self.task)
        answers = read_back(unit, self.pipeline.family.predict(self.pipeline.fitted, encoded),
                            base + values.sum(axis=2))
        return Contributions(list(self.columns), values, base, answers, list(self.outputs), unit, self.against)


def contributions(run: str | gallery.Run, frame: pd.DataFrame, rows: Sequence[int] | None = None, *,
                  source: Path | None = None, watch: Watch | None = None) -> Contributions:
    """What each column adds to a run's answers for some rows of a frame as `recipe.prepare_predictors` gives it.

    rows    positions in the frame; None: all
    source  the folder or file of the run, from which a background is drawn where the family needs one; None, gone or
            changed: a typical patient stands for "not known", and `against` says so
    """
    opened = gallery.open_run(run) if isinstance(run, str) else run
    explainer = Explainer.of(opened, background_cases(opened, source, watch=watch))
    return explainer(frame if rows is None else frame.iloc[list(rows)])


def background_cases(opened: gallery.Run, source: Path | None, *, watch: Watch | None = None) -> Cases | None:
    """The rows that the final model may have learned from; None where the family needs none or they are not there."""
    if source is None or not _families.needs_background(opened.config.family, opened.report.task):
        return None
    from medml import train

    try:
        ground = train.prepare_ground(Path(source), opened.profile, opened.recipe, opened.config,
                                      watch=watch or Silent())
    except UserError:
        return None
    return ground.cases.take(ground.development)


def typical(matrix: Matrix) -> np.ndarray:
    """(1, e) a patient of whom nothing is known: medians, and shares of each category, as the encoder keeps them."""
    return np.array([[each for name in matrix.encoder.columns for each in matrix.encoder.means[name]]])


def outputs_of(opened: gallery.Run) -> list[str]:
    """What a run's answers are about: the class that counts as yes, every class, or the outcome."""
    report = opened.report
    if report.task == "regression":
        return [opened.config.choice.target]
    if report.task == "binary":
        return ["above 0" if report.positive == ABOVE_ZERO else report.classes[1]]
    return list(report.classes)
