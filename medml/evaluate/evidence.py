"""What a check is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from medml.cases import Predictions
from medml.evaluate.context import Context
from medml.evaluate.figures import Figures
from medml.evaluate.scored import Scored
from medml.types import Report


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that a check may look at; a check changes nothing.

    model      the model's figures with their bootstrap draws;  baselines  those of the baselines, same draws
    report     the report as it will be, without checks and stamps
    """

    context: Context
    predictions: Predictions
    scored: Scored
    model: Figures
    baselines: Mapping[str, Figures]
    report: Report
    seed: int
    draws: int

    @property
    def not_better(self) -> str:
        """What to do with a model that tells no more than none."""
        if self.context.choice.pictures is not None:
            return "Do not use it: collect more pictures of more patients, or train another network."
        return "Do not use it: look for better predictors or more patients."
