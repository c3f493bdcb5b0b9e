"""The difference between two runs on the same cases: out-of-fold answers of both, paired patient by patient.

Two intervals that overlap say little about a difference; a paired one does. Outcomes come from the clinician's own
folder, in memory; cases are paired by the rows of the table, under the names that both runs keep for them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from medml import gallery
from medml.cases import Predictions
from medml.errors import UserError
from medml.evaluate.figures import Figures, figures_of
from medml.evaluate.intervals import DRAWS, metric
from medml.evaluate.scored import score
from medml.evaluate.words import HEADLINE, METRICS, title
from medml.judged import Judged, judged, within
from medml.types import SMALL_GROUP, Metric, Task

BESIDE: dict[Task, str] = {"binary": "brier", "multiclass": "brier", "regression": "mae"}


@dataclass(frozen=True, slots=True)
class Paired:
    """Left minus right, by figure, the headline first; nothing, and why, where the two cannot be paired.

    n_cases, n_patients  that both runs judged
    """

    difference: dict[str, Metric] = field(default_factory=dict)
    n_cases: int = 0
    n_patients: int = 0
    why_not: str = ""

    def said(self, left: str, right: str) -> str:
        """What the headline's difference says of the two, in one sentence."""
        if self.why_not:
            return f"The two cannot be paired: {self.why_not}"
        name, found = next(iter(self.difference.items()))
        if found.value is None:
            return "There are too few cases to say whether one of them is better."
        figures = f"{title(name)} {found.value:+.3f} ({found.between('+.3f')})"
        on = f"{figures} on the same {self.n_cases:,} cases"
        if found.low <= 0 <= found.high:
            return f"Neither is better as far as can be told: {on}, {left} minus {right}.{self._beside(left, right)}"
        ahead = METRICS[name].higher_is_better == (found.value > 0)
        return f"{left if ahead else right} is better: {on}, {left} minus {right}."

    def _beside(self, left: str, right: str) -> str:
        """A further sentence where the second figure tells them apart and the headline does not."""
        for name, found in [*self.difference.items()][1:]:
            if found.value is not None and (found.low > 0 or found.high < 0):
                ahead = METRICS[name].higher_is_better == (found.value > 0)
                return f" By the {title(name)} {left if ahead else right} is better."
        return ""


def paired(left: str, right: str, *, draws: int = DRAWS) -> Paired:
    """Out-of-fold figures of the current checkpoints of two runs, one minus the other, in the same bootstrap draws of
    patients; only cases that both judged. UserError where a run cannot be opened."""
    a, b = gallery.open_run(left), gallery.open_run(right)
    reasons = gallery.why_not_comparable(a, b)
    if reasons:
        return Paired(why_not=" ".join(reasons))
    if a.report.classes != b.report.classes:
        return Paired(why_not="Their outcomes have different classes.")
    try:
        mine, theirs = judged(a), judged(b)
    except UserError as error:
        return Paired(why_not=error.what)
    shared, at, there = np.intersect1d(mine.names, theirs.names, return_indices=True)
    if len(shared) < SMALL_GROUP:
        return Paired(why_not="They judged different patients.")
    if not np.array_equal(mine.cases.y[at], theirs.cases.y[there]):
        return Paired(why_not="Labels of some cases were changed in one of them.")
    patients = min(mine.cases.patients[at], theirs.cases.patients[there], key=lambda codes: len(np.unique(codes)))
    figures = [_figures(each, rows, patients, seed=a.config.seed, draws=draws)
               for each, rows in ((mine, at), (theirs, there))]
    names = (HEADLINE[a.report.task], BESIDE[a.report.task])
    return Paired({name: metric(*figures[0].difference(figures[1], name), len(shared)) for name in names}, len(shared),
                  len(np.unique(patients)))


def _figures(each: Judged, rows: np.ndarray, patients: np.ndarray, *, seed: int, draws: int) -> Figures:
    """Figures of some of the cases that a run judged, in the order of `rows`."""
    cases = each.cases
    told = Predictions(y=cases.y[rows], p=each.p[:, rows], patients=patients, task=cases.task, classes=cases.classes,
                       train=np.full(1, np.nan))
    folds = within(each.folds, rows, len(cases.y))
    return figures_of(score(told, folds, seed=seed), seed=seed, draws=draws, with_curves=False)
