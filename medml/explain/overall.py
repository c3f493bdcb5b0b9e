"""A model as a whole: which columns move its answers how far, and how by their values. What is kept are means.

Explained is the model that is used, on some of the patients it was trained on: what it goes by, not how good it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medml import gallery, train
from medml.cases import Cases
from medml.errors import Stopped
from medml.evaluate.intervals import metric, patient_weights
from medml.explain import bins, found
from medml.explain.contributions import Contributions, Explainer
from medml.explain.found import Bin, Dependence, Overall, Weight
from medml.privacy import round_3
from medml.types import Metric
from medml.watch import Part, Silent, Watch

QUICK = ("logistic", "boosting")
MOST, MOST_SLOW = 1_000, 300  # patients' rows
MOST_COLUMNS = 30  # whose dependence is kept


@dataclass(frozen=True, slots=True)
class Explained:
    """Some cases of a run with what each column adds; in memory only."""

    cases: Cases
    found: Contributions


def explained(opened: gallery.Run, source: Path | None = None, *, most: int | None = None,
              watch: Watch | None = None) -> Explained:
    """Explain a run on some of the rows that its final model learned from, drawn by the run's seed.

    raises  UserError where the folder is gone or has changed; Stopped
    """
    watch = watch or Silent()
    ground = train.prepare_ground(Path(source or opened.profile.source), opened.profile, opened.recipe, opened.config,
                                  watch=watch)
    cases = ground.cases.take(ground.development)
    most = most or (MOST if opened.config.family in QUICK else MOST_SLOW)
    chosen = np.sort(np.random.default_rng([opened.config.seed, 7]).permutation(len(cases.y))[:most])
    some = cases.take(chosen)
    return Explained(some, Explainer.of(opened, cases)(some.X, _speaker(watch)))


def overall(run: str, source: Path | None = None, *, watch: Watch | None = None) -> Overall:
    """Explain a run as a whole and keep the means beside it. Raises as `explained`."""
    watch = watch or Silent()
    opened = gallery.open_run(run)
    each = explained(opened, source, watch=Part(watch, 0.0, 0.85))
    watch.say("summarise", 0.9, "Summing up over patients")
    value = summed_up(each, run=run, checkpoint=opened.chain.current, seed=opened.config.seed)
    found.keep(opened, value)
    watch.say("done", 1.0, "Finished")
    return value


def summed_up(each: Explained, *, run: str, checkpoint: int, seed: int = 0) -> Overall:
    """Means over patients with their bootstrap intervals; no row of one patient."""
    cases, values = each.cases, each.found.values
    _, patient = np.unique(cases.patients, return_inverse=True)
    n_patients = int(patient.max()) + 1
    draws = np.concatenate(list(patient_weights(patient, n_patients, seed=seed)), axis=1)  # (n, draws)
    weights, dependence = [], []
    for place, output in enumerate(each.found.outputs):
        means = _means(np.abs(values[:, place]), draws, n_patients)
        order = np.argsort([-(one.value or 0.0) for one in means], kind="stable")
        weights += [Weight(column=each.found.columns[at], output=output, mean=means[at]) for at in order]
        dependence += [_dependence(each, patient, draws, place, int(at)) for at in order[:MOST_COLUMNS]]
    return Overall(run=run, checkpoint=checkpoint, unit=each.found.unit, against=each.found.against,
                   outputs=each.found.outputs, base=[round_3(float(one)) for one in each.found.base],
                   n_cases=len(cases.y), n_patients=n_patients, weights=weights, dependence=dependence)


def _means(values: np.ndarray, draws: np.ndarray, n_patients: int) -> list[Metric]:
    """Mean of each column of (n, p) over the cases, with its interval over the patients."""
    drawn = (draws.T @ values) / draws.sum(axis=0)[:, None]
    return [_rounded(metric(float(values[:, at].mean()), drawn[:, at], n_patients)) for at in range(values.shape[1])]


def _dependence(each: Explained, patient: np.ndarray, draws: np.ndarray, place: int, at: int) -> Dependence:
    column, values = each.found.columns[at], each.found.values[:, place, at]
    groups, hidden = bins.groups_of(each.cases.X[column].to_numpy(), each.cases.kinds[column], patient, column)
    shown = []
    for label, rows in groups:
        drawn = draws[rows]
        with np.errstate(invalid="ignore"):
            mean = (drawn.T @ values[rows]) / drawn.sum(axis=0)
        n = len(np.unique(patient[rows]))
        shown.append(Bin(label=label, n_patients=n, mean=_rounded(metric(float(values[rows].mean()), mean, n))))
    return Dependence(column=column, output=each.found.outputs[place], bins=shown, hidden=hidden)


def _rounded(one: Metric) -> Metric:
    if one.value is None:
        return one
    return Metric(value=round_3(one.value), low=round_3(one.low), high=round_3(one.high), n=one.n)


def _speaker(watch: Watch) -> Callable[[float], None]:
    """Progress of a permutation, which also listens for a stop."""
    def speak(share: float) -> None:
        if watch.stopping():
            raise Stopped
        watch.say("explain", share, "Asking the model about each patient with one column after the other")
    return speak
