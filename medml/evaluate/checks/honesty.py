"""L11 E1 E2 E3 E7 E8: whether the figures themselves can be believed."""

from __future__ import annotations

import numpy as np

from medml.evaluate.baselines import is_its_own, required
from medml.evaluate.baselines import title as baseline
from medml.evaluate.catalogue import FEW, found, many
from medml.evaluate.checks import Evidence, rule
from medml.evaluate.intervals import DRAWS, percentiles
from medml.evaluate.winner import bbc_cv
from medml.evaluate.words import HEADLINE, title
from medml.types import Check, Metric, Report

TOO_GOOD = 0.98
RARE = 0.20
GAP = 0.10


@rule("L11")
def not_too_good(evidence: Evidence) -> Check:
    """An AUROC (or R2) above 0.98, or an F1 of 1, calls for a search for leaks before anything else."""
    report = evidence.report
    if report.n_cases < FEW:
        return found("L11", "could_not_tell", f"{many(report.n_cases, 'case')} are too few to tell.", n=report.n_cases)
    name = HEADLINE[report.task]
    value, f1 = report.metrics[name].value, report.metrics["f1"].value if "f1" in report.metrics else None
    if value is None:
        return found("L11", "could_not_tell", f"{title(name)} could not be worked out here.")
    figures = {name: value} | ({} if f1 is None else {"f1": f1})
    if value > TOO_GOOD or (f1 is not None and f1 >= 1.0):
        seen = f"{title(name)} is {value:.3f}" + ("" if f1 is None else f" and F1 {f1:.3f}")
        return found("L11", "warn", f"{seen}. Clinical outcomes are rarely that easy to predict.",
                     "Review every predictor for leaks before anything else: is it known before the moment of "
                     "prediction?", **figures)
    return found("L11", "pass", f"{title(name)} is {value:.3f}, which is not too good to be true.", **figures)


@rule("E1")
def rare_outcome(evidence: Evidence) -> Check:
    """Where the rarer of two classes has under 20 % (of several: the largest over 80 %), accuracy flatters."""
    task = evidence.scored.task
    if task == "regression":
        return found("E1", "pass", "The outcome is a number: there is no accuracy to hide.", hidden=0)
    y = evidence.predictions.y[evidence.scored.measured]
    shares = np.bincount(y, minlength=evidence.scored.n_classes) / len(y)
    largest, rarest = float(shares.max()), float(shares.min())
    if largest <= 1 - RARE:
        return found("E1", "pass", f"The most frequent class has {largest:.0%} of the cases: accuracy can be read.",
                     hidden=0, largest=largest, rarest=rarest)
    return found("E1", "info", f"The most frequent class has {largest:.0%} of the cases, so always naming it would be "
                               f"right in {largest:.0%}. Accuracy is hidden; AUPRC, balanced accuracy and Matthews "
                               "correlation are shown.", hidden=1, largest=largest, rarest=rarest)


@rule("E2")
def intervals_everywhere(evidence: Evidence) -> Check:
    """No figure without its interval, from at least 1,000 draws of patients."""
    report = evidence.report
    bare = [each for each in _figures(report) if each.value is not None and not _has_interval(each)]
    bare += [each for each in (report.roc, report.precision_recall, report.calibration, report.residuals)
             if each is not None and not len(each.low) == len(each.high) == len(each.y)]
    untold = sum(each.value is None for each in report.metrics.values())
    if bare or evidence.draws < DRAWS:
        return found("E2", "block", f"{many(len(bare), 'figure')} without an interval; {evidence.draws:,} draws of "
                                    f"patients, at least {DRAWS:,} are needed.",
                     "Evaluate again; a figure without its interval must not be passed on.", bare=len(bare),
                     draws=evidence.draws)
    flat = sum(each.value is not None and not each.spread for each in _figures(report))
    but = f", but for {many(flat, 'figure')} that no draw changes" if flat else ""
    note = f" {many(untold, 'figure')} could not be told from these cases." if untold else ""
    return found("E2", "pass", f"Every figure has a 95 % interval from {evidence.draws:,} draws of patients{but}."
                               f"{note}", bare=0, draws=evidence.draws, untold=untold)


def _figures(report: Report) -> list[Metric]:
    """Every figure that a report tells, of the model, the baselines, each group, and what acting on it is worth."""
    found = [*report.metrics.values(), *report.calibration_line.values()]
    found += [each for row in (*report.baselines.values(), *report.calibration_of_classes.values())
              for each in row.values()]
    found += [each for group in report.subgroups for each in (group.figure, group.slope) if each is not None]
    found += [each for point in report.grid for each in (point.sensitivity, point.specificity)]
    if report.net_benefit is not None:
        found.append(report.net_benefit.gain)
    if report.score_in_use is not None:
        score = report.score_in_use
        found += [score.auroc, score.auroc_difference, score.benefit_difference]
    if report.recalibration is not None:
        found += [*report.recalibration.before.values(), *report.recalibration.after.values()]
    return found


def _has_interval(figure: Metric) -> bool:
    return (figure.low is not None and figure.high is not None and np.isfinite([figure.low, figure.high]).all()
            and figure.low <= figure.value <= figure.high)


@rule("E3")
def winners_curse(evidence: Evidence) -> Check:
    """The best of several tried looks better than it is; BBC-CV says by how much where all predictions are there."""
    context = evidence.context
    tried = max(context.config.compared, 1 + len(context.others))
    if tried <= 1:
        return found("E3", "pass", "This is the first configuration tried on this table and outcome.", compared=1)
    name = title(HEADLINE[evidence.scored.task])
    if not context.others:
        return found("E3", "warn", f"{tried} configurations have been tried on this table and outcome; the best of "
                                     f"them looks better than it is. Its {name} is an upper estimate (every training "
                                     "that was stopped by hand counts as one more).",
                     "Decide on one now, and judge it on a held-out part or on new patients.", compared=tried)
    estimate = bbc_cv([evidence.predictions, *context.others.values()], context.folds, seed=evidence.seed)
    if estimate is None:
        return found("E3", "warn", f"{tried} configurations have been tried, and there are too few cases to say how "
                                     "much better the best one looks than it is.",
                     "Judge the chosen one on new patients.", compared=tried)
    return found("E3", "warn", f"The best of {tried} configurations looks better than it is: corrected for the choice "
                               f"(BBC-CV, {1 + len(context.others)} configurations) {name} is {estimate.value:.3f} "
                               f"({estimate.between()}).",
                 f"Quote this {name} for the chosen configuration, not its own.", compared=tried,
                 value=estimate.value, low=estimate.low, high=estimate.high)


@rule("E7")
def baselines_there(evidence: Evidence) -> Check:
    """Prevalence and plain regression stand in the same table; the difference is paired, draw by draw."""
    report, name = evidence.report, HEADLINE[evidence.scored.task]
    lacking = [baseline(each, task=report.task) for each in required(report.task) if each not in report.baselines]
    if lacking:
        return found("E7", "block", f"The table lacks a baseline: {', '.join(lacking)}.",
                     "Train again, so that the baselines are fitted on the same folds.", lacking=len(lacking))
    value = report.metrics[name].value
    differences = {each: paired_difference(evidence, each, name) for each in required(report.task)}
    if report.n_cases < FEW or value is None or None in differences.values():
        return found("E7", "could_not_tell", f"{many(report.n_cases, 'case')} are too few to compare with them.",
                     n=report.n_cases)
    nothing, plain = (differences[each] for each in required(report.task))
    figures = {"over_prevalence": nothing.value, "over_prevalence_low": nothing.low, "over_regression": plain.value,
               "over_regression_low": plain.low, "over_regression_high": plain.high}
    over_plain = f"it {_beside('plain regression', plain)}"
    if is_its_own(evidence.context.config.family, required(report.task)[1]):
        over_plain = "this is plain regression itself"
    what = f"{title(name)} {_beside('no model', nothing)}; {over_plain}."
    if nothing.low <= 0:
        return found("E7", "warn", f"{what} That is not better than no model.",
                     evidence.not_better, **figures)
    if plain.high < 0:
        use = "Use the family “logistic” instead." if evidence.context.choice.pictures is None else evidence.not_better
        return found("E7", "warn", f"{what} Plain regression is better.", use, **figures)
    return found("E7", "pass", what, **figures)


def _beside(other: str, difference: Metric) -> str:
    """Above another's figure, below it, or neither, as the interval of the difference shows."""
    said = f"that of {other} by {difference.value:+.3f} ({difference.between('+.3f')})"
    if difference.low > 0:
        return f"is above {said}"
    return f"is below {said}" if difference.high < 0 else f"differs from {said}, which is not shown to be better"


def paired_difference(evidence: Evidence, baseline: str, name: str) -> Metric | None:
    """Model minus baseline with the interval of the difference: both are measured on the same draws of patients."""
    value, drawn = evidence.model.difference(evidence.baselines[baseline], name)
    interval = percentiles(drawn)
    if interval is None or not np.isfinite(value):
        return None
    return Metric(value=value, low=interval.low, high=interval.high, n=evidence.scored.n_cases)


@rule("E8")
def optimism(evidence: Evidence) -> Check:
    """Training rows minus unseen rows, in the headline figure; more than 0.10 is overfitting."""
    report, name = evidence.report, HEADLINE[evidence.scored.task]
    seen = np.asarray(evidence.predictions.train, dtype=float)
    seen = seen[np.isfinite(seen)]
    value = report.metrics[name].value
    if report.n_cases < FEW or not seen.size or value is None:
        return found("E8", "could_not_tell", "There are too few cases to compare training rows with unseen rows.",
                     n=report.n_cases)
    gap = float(seen.mean()) - value
    what = f"{title(name)} is {seen.mean():.3f} on training rows and {value:.3f} on unseen rows: {gap:+.3f}."
    if gap > GAP:
        less = "fewer columns" if evidence.context.choice.pictures is None else "collect more pictures"
        return found("E8", "warn", f"{what} The model has learned its own patients by heart.",
                     f"Choose cautious settings or {less}; only the figure on unseen rows counts.", gap=gap)
    return found("E8", "pass", what, gap=gap)
