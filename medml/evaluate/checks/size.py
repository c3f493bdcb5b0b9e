"""N1 N2 N3 N4: whether there are enough patients to learn from and to judge by."""

from __future__ import annotations

import numpy as np

from medml.evaluate.catalogue import found, many
from medml.evaluate.checks import Evidence, rule
from medml.evaluate.sample_size import Needed, corrected_r2cs, needed
from medml.split import TO_JUDGE
from medml.types import Check

RED, AMBER = 10, 20  # events per parameter
NEEDED_WORDS = {"binary": "Riley's criteria", "multiclass": "Riley's criteria for each class against the rest",
                "regression": "Riley's criteria for a number"}


def _shares(y: np.ndarray, n_classes: int) -> np.ndarray:
    return np.bincount(y, minlength=n_classes) / len(y)


def reached(evidence: Evidence) -> list[float] | None:
    """The R2 that out-of-fold predictions show, which is free of optimism: of the number, of the second of two classes,
    or of each of several; 0 where it is not above 0, None where it cannot be told."""
    scored = evidence.scored
    if scored.task == "regression":
        value = evidence.report.metrics["r2"].value
        return None if value is None else [max(0.0, value)]
    asked = [1] if scored.n_classes == 2 else list(range(scored.n_classes))
    return [max(0.0, float(np.mean([corrected_r2cs((each.y == one).astype(float), each.p[:, one])
                                    for each in scored.samples]))) for one in asked]


def needed_here(evidence: Evidence, r2: list[float] | None) -> Needed:
    """Riley's need by what was `reached`; where that is nothing or not known, by 0.15 of the largest possible."""
    context, scored = evidence.context, evidence.scored
    parameters = max(1.0, float(context.n_parameters))
    if scored.task == "regression":
        return needed("regression", parameters, r2=r2 and r2[0])
    shares = _shares(context.cases.y[context.development], scored.n_classes).tolist()
    return needed(scored.task, parameters, shares=shares, r2=[0.0, *r2] if scored.n_classes == 2 else list(r2))


def _parameters(mean: float) -> str:
    """As said beside a ratio to them: folds may differ, for a category can be too rare in one."""
    return f"{mean:.0f} parameters" if mean == round(mean) else f"{mean:.1f} parameters (mean of the folds)"


@rule("N1")
def sample_size(evidence: Evidence) -> Check:
    """Riley's three criteria; below half of the need a run is stamped exploratory. A warning, never more."""
    context = evidence.context
    n = len(np.unique(context.cases.patients[context.development]))
    if context.cases.task != "regression" and len(np.unique(context.cases.y[context.development])) < 2:
        return found("N1", "could_not_tell", "There is one class only, so no number of patients is enough.", n=n)
    if context.choice.pictures is not None:
        return found("N1", "could_not_tell", f"{many(n, 'patient')}. Riley's criteria count predictors, which a "
                     "network of pictures does not have; its intervals say what so many patients can show.", n=n)
    found_out = reached(evidence)
    need = needed_here(evidence, found_out)
    figures = {"n": n, "needed": need.n, "shrinkage": need.shrinkage, "optimism": need.optimism,
               "precision": need.precision, "parameters": context.n_parameters, "r2": need.r2,
               "share_of_needed": n / need.n}
    start = f"{many(n, 'patient')} for {_parameters(context.n_parameters)}"
    if found_out is not None and not all(found_out):
        of = " of some class" if len(found_out) > 1 else " of the outcome"
        return found("N1", "warn", f"{start}. The model explains nothing{of} in cases it had not seen, and for that no "
                     f"number is enough; {need.n:,} would be, could 15 % of what is possible be explained.",
                     "Look for better predictors first: more patients alone will not help.", **figures)
    fit = "by the fit that was reached (before training it can only be guessed)" if found_out is not None else \
        "could 15 % of what is possible be explained (these cases cannot tell)"
    sentence = f"{start}; {NEEDED_WORDS[context.cases.task]} ask for {need.n:,} {fit}."
    if n >= need.n:
        return found("N1", "pass", sentence, **figures)
    half = " That is less than half, so every figure is exploratory." if n < need.n / 2 else ""
    return found("N1", "warn", sentence + half, "Add patients, or leave out columns before training.", **figures)


@rule("N2")
def events_per_parameter(evidence: Evidence) -> Check:
    """Patients with the rarest class (all patients for a number) per parameter: under 10 red, under 20 amber. One who
    comes back brings no new event."""
    context = evidence.context
    y, patients = context.cases.y[context.development], context.cases.patients[context.development]
    number = context.cases.task == "regression"
    events = len(np.unique(patients)) if number else min(
        len(np.unique(patients[y == each])) for each in range(len(context.cases.classes)))
    if context.choice.pictures is not None:
        return found("N2", "could_not_tell", f"{many(events, 'patient')}{'' if number else ' of the rarest class'}; a "
                     "network of pictures has no count of predictors to set against them.", events=events)
    ratio = events / max(1.0, float(context.n_parameters))
    what = (f"{many(events, 'patient')}{'' if number else ' of the rarest class'} for "
            f"{_parameters(context.n_parameters)}: {ratio:.1f} each.")
    if ratio >= AMBER:
        return found("N2", "pass", what, ratio=ratio, events=events, red=0)
    red = ratio < RED
    return found("N2", "warn", f"{what} Below {RED if red else AMBER} is {'far too few' if red else 'few'}.",
                 "Leave out columns that experts do not expect to matter, or add patients.", ratio=ratio, events=events,
                 red=red)


@rule("N3")
def enough_to_judge(evidence: Evidence) -> Check:
    """A held-out part needs 100 patients with the event and 100 without; otherwise cross-validation speaks."""
    context = evidence.context
    if context.config.split.scheme == "cross_validation":
        return found("N3", "pass", f"Cross-validation speaks: every one of {many(evidence.scored.n_cases, 'case')} was "
                                   "judged.", n=evidence.scored.n_cases)
    closed = context.closed
    rows = closed if closed.size else evidence.scored.measured
    y, patients, n_classes = context.cases.y[rows], context.cases.patients[rows], len(context.cases.classes)
    where, n = "held-out part" if closed.size else "validation part", len(np.unique(patients))
    if context.cases.task == "regression":
        fewest, what = n, f"The {where} has {many(n, 'patient')}."
    else:
        fewest = min(len(np.unique(patients[y == each])) for each in range(n_classes))
        what = f"The {where} has {many(n, 'patient')}, {fewest} of them of the rarest class."
    if fewest >= TO_JUDGE:
        return found("N3", "pass", what, fewest=fewest, n=n)
    return found("N3", "warn", f"{what} At least {TO_JUDGE} are needed to judge by.",
                 "Choose cross-validation on the Configure page, so that every patient is judged.", fewest=fewest, n=n)


@rule("N4")
def class_floor(evidence: Evidence) -> Check:
    """Every class has at least two cases a fold."""
    context = evidence.context
    if context.cases.task == "regression":
        return found("N4", "pass", "The outcome is a number: no class can be too small.")
    floor = 2 * context.config.split.folds
    smallest = int(np.bincount(context.cases.y[context.development], minlength=len(context.cases.classes)).min())
    if smallest < floor:
        return found("N4", "block", f"The smallest class has {many(smallest, 'case')}; {context.config.split.folds} "
                                    f"folds need {floor}.",
                     "Choose fewer folds, merge classes, or leave the rare class out.", smallest=smallest, floor=floor)
    return found("N4", "pass", f"The smallest class has {many(smallest, 'case')}; {floor} are needed.",
                 smallest=smallest, floor=floor)
