"""What a report says of use at the bedside: decision curves, recalibration, the score in use today, subgroups."""

from __future__ import annotations

from collections.abc import Mapping

from medml.cases import Cases
from medml.evaluate import score_in_use
from medml.evaluate.figures import Figures
from medml.evaluate.intervals import metric
from medml.evaluate.recalibrate import recalibration_of
from medml.evaluate.scored import Scored
from medml.evaluate.subgroups import subgroups_of
from medml.evaluate.utility import compared_range
from medml.types import NetBenefit, Report, UsePlan


def range_of(plan: UsePlan, scored: Scored) -> tuple[float, float, str] | None:
    """Thresholds between which net benefit is compared and why these; None unless there are two classes."""
    if scored.task != "binary":
        return None
    share = sum(float(each.y.mean()) for each in scored.samples) / len(scored.samples)
    return compared_range(plan, share)


def net_benefit(model: Figures, where: tuple[float, float, str], n: int, score: Figures | None) -> NetBenefit | None:
    """The decision curves as a report keeps them; None where a point of them cannot be told."""
    low, high, reason = where
    drawn, everybody = model.curve("benefit", "model"), model.curve("benefit", "everybody")
    if drawn is None or everybody is None:
        return None
    return NetBenefit(low=low, high=high, range_reason=reason, model=drawn, everybody=everybody,
                      score=None if score is None else score.curve("benefit", "model"),
                      gain=metric(float(model.value["benefit.gain"]), model.drawn["benefit.gain"], n))


def with_use(report: Report, cases: Cases, plan: UsePlan, scored: Scored, model: Figures,
             beside: Mapping[str, Figures], *, seed: int, draws: int) -> Report:
    """The report with all of this, as far as the task has it."""
    update: dict[str, object] = {"subgroups": subgroups_of(cases, scored, seed=seed, draws=draws)}
    where = range_of(plan, scored)
    if where is not None:
        score = beside.get(score_in_use.NAME)
        update["net_benefit"] = net_benefit(model, where, scored.n_cases, score)
        update["recalibration"] = recalibration_of(scored, model, seed=seed, draws=draws)
        if score is not None:
            judged = score_in_use.values_of(cases, plan.score)[scored.measured]
            update["score_in_use"] = score_in_use.compared(plan.score, judged, model, score, scored.n_cases)
    return report.model_copy(update=update)
