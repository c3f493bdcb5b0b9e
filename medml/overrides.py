"""Who changed the list of columns after seeing how they scored: kept with the configuration, printed in the report.

What had been chosen before the first scores were shown is written down once a table and outcome, in home()/scores, so
that deleting the run that showed them changes nothing.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from medml import gallery, home, rivals
from medml.errors import UserError
from medml.types import Recipe, Report, SelectionPlan, SelectionScore, TrainConfig, Value


class Before(Value):
    """The lists as they stood when outcome-based scores were first shown. Names of columns, no values."""

    forced_in: list[str]
    forced_out: list[str]
    left_out: list[str]


class Seen:
    """What a clinician has already seen of this table and target: the latest scores, and the lists before the first."""

    def __init__(self, data_sha256: str, target: str) -> None:
        self.scores: list[SelectionScore] = []
        self.note = ""
        path = _path(data_sha256, target)
        self.before = home.read_model(path, Before) if path.exists() else None
        for manifest in rivals.tried(data_sha256, target):  # newest first
            if not self.scores:
                self.scores, self.note = _scores(manifest.run)

    def judge(self, plan: SelectionPlan, left_out: list[str] | None = None) -> SelectionPlan:
        """The plan with `override_after_scores` set if its lists differ from those before any score was seen.

        left_out  columns that the model is not given at all; None: not compared (a screen that cannot change them)
        """
        if self.before is None:
            return plan.model_copy(update={"override_after_scores": False})
        now = (sorted(plan.forced_in), sorted(plan.forced_out))
        after = now != (self.before.forced_in, self.before.forced_out)
        after |= left_out is not None and sorted(left_out) != self.before.left_out
        return plan.model_copy(update={"override_after_scores": after})


def _scores(run: str) -> tuple[list[SelectionScore], str]:
    """What a run showed of each column; a run that chose none is not read further than its configuration."""
    try:
        if home.read_model(home.runs_folder() / run / "config.json", TrainConfig).selection.on:
            report = gallery.open_run(run).report
            return report.selection, report.selection_note if report.selection else ""
    except (UserError, FileNotFoundError, ValidationError):
        pass  # damaged, or deleted meanwhile: the gallery says so, it shows no scores
    return [], ""


def judged(config: TrainConfig, recipe: Recipe) -> TrainConfig:
    """The configuration as it really came about, whoever asked for it; called by every training."""
    seen = Seen(config.data_sha256, config.choice.target)
    return config.model_copy(update={"selection": seen.judge(config.selection, _left_out(config, recipe))})


def remember(config: TrainConfig, recipe: Recipe, report: Report) -> None:
    """Write down the lists of the first training whose report shows scores that use the outcome."""
    path = _path(config.data_sha256, config.choice.target)
    if config.selection.on and report.selection and not path.exists():
        home.write_model(path, Before(forced_in=sorted(config.selection.forced_in),
                                      forced_out=sorted(config.selection.forced_out),
                                      left_out=sorted(_left_out(config, recipe))))


def _left_out(config: TrainConfig, recipe: Recipe) -> list[str]:
    dropped = {name for step in recipe.steps if step.on and step.name == "drop_columns"
               for name in step.params.get("columns", [])}
    return sorted(dropped | set(config.choice.leave_out))


def _path(data_sha256: str, target: str) -> Path:
    what = hashlib.sha256(f"{data_sha256}\x1f{target}".encode()).hexdigest()[:32]
    return home.ensure(home.home() / "scores") / f"{what}.json"
