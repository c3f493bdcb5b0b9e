"""L7 L8 L9 L10: whatever learns, learns from the fold's own training rows; the held-out part stays closed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from medml.evaluate.catalogue import found, looks_check, many
from medml.evaluate.checks import Evidence, rule
from medml.evaluate.context import FoldFacts
from medml.evaluate.scored import Scored
from medml.saved_split import rows_sha256
from medml.types import Check, SelectionScore

OURS = "Do not use this model: MedML fitted a step on the wrong rows. Train again, and report this."
OFF = 0.05  # between a class's mean probability and its share: weights that are not taken off shift it much further
UNSEEN = "Judge this model on patients that nobody has looked at yet, or train again without the lists."


def _outside(evidence: Evidence, counts: Callable[[FoldFacts], tuple[int | None, ...]]) -> int:
    """Folds in which a step did not learn from exactly the training rows of the split as it was saved: by how many rows
    it counted itself, and by which rows it was given. A fold without facts counts as wrong."""
    facts = {(each.repeat, each.number): each for each in evidence.context.fold_facts}
    saved, wrong = evidence.context.saved, 0
    for fold in evidence.context.folds if saved is None else saved.folds:
        fact = facts.get((fold.repeat, fold.number))
        right = fact is not None and all(n == len(fold.train) for n in (fact.n_train, *counts(fact))) \
            and fact.rows_sha256 == rows_sha256(fold.train)
        wrong += not right
    return wrong


@rule("L7")
def cleaning_in_fold(evidence: Evidence) -> Check:
    """Cleaner and encoder counted the rows they were fitted on; it must be the fold's training rows."""
    wrong = _outside(evidence, lambda fact: (fact.cleaner_rows, fact.encoder_rows))
    total = len(evidence.context.folds)
    if wrong or not total:
        return found("L7", "block", f"In {wrong} of {many(total, 'fold')} cleaning or encoding was not shown to be "
                                    "learned from the training rows alone.", OURS, folds=wrong)
    return found("L7", "pass", f"In all {many(total, 'fold')} cleaning and encoding were learned from training rows "
                               "alone.", folds=0)


@rule("L8")
def selection_in_fold(evidence: Evidence) -> Check:
    """Columns are chosen anew in every fold, from its training rows; how stable the choice is, is reported."""
    context, plan = evidence.context, evidence.context.config.selection
    if not plan.on:
        return _lists_alone(plan.override_after_scores)
    wrong = _outside(evidence, lambda fact: (fact.selector_rows,))
    if wrong:
        return found("L8", "block", f"In {wrong} of {many(len(context.folds), 'fold')} the choice of columns was not "
                                    "shown to rest on the training rows alone.", OURS, folds=wrong)
    steady = stability(list(context.selection), len(context.folds))
    said = "" if steady is None else f" Stability of the choice: {steady:.2f} (1 is the same every time)."
    if plan.override_after_scores:
        return found("L8", "warn", "The lists of columns were changed by hand after scores that look at the outcome "
                                   f"had been seen, so the figures may be too good.{said}",
                     UNSEEN,
                     stability=-1 if steady is None else steady)
    return found("L8", "pass", f"Columns were chosen inside each of {many(len(context.folds), 'fold')}.{said}",
                 stability=-1 if steady is None else steady)


def _lists_alone(after_scores: bool) -> Check:
    """L8 where MedML selected nothing: a list that a person made after scores were seen is a choice all the same."""
    if after_scores:
        return found("L8", "warn", "The lists of columns were changed by hand after scores that look at the outcome "
                                   "had been seen, so the figures may be too good.", UNSEEN)
    return found("L8", "pass", "No columns were chosen by looking at the outcome.")


def stability(scores: list[SelectionScore], n_folds: int) -> float | None:
    """Agreement of the folds' choices beyond chance, at most 1 (Nogueira, JMLR 2018;18:1, eq. 4).

    scores  frequencies over folds; forced columns do not count.   None where every or no column was kept each time
    """
    share = np.array([each.frequency for each in scores if not each.forced])
    if n_folds < 2 or not share.size or share.mean() in (0.0, 1.0):
        return None
    spread = n_folds / (n_folds - 1) * float((share * (1 - share)).mean())
    return 1 - spread / float(share.mean() * (1 - share.mean()))


@rule("L9")
def resampling_in_fold(evidence: Evidence) -> Check:
    """Fitted models say from how many rows their class weights came; whether probabilities were put right afterwards is
    measured: the mean probability of every class is compared with its share of the unseen rows."""
    used = [each for each in evidence.context.fold_facts if each.resampled_rows is not None]
    if not used:
        return found("L9", "pass", "Nothing was resampled or weighted.")
    wrong = sum(not 0 < each.resampled_rows <= each.n_train for each in used) + _outside(evidence, lambda fact: ())
    if wrong:
        return found("L9", "block", f"In {wrong} of {many(len(used), 'fold')} resampling or class weights did not come "
                                    "from the training rows alone.", OURS, folds=wrong)
    off, said, share = furthest_off(evidence.scored)
    if abs(off) > OFF:
        return found("L9", "warn", f"Classes were resampled or weighted, and the mean probability of a class is "
                                   f"{said:.0%} where {share:.0%} of the unseen cases have it.",
                     "Train without class weights, or read the ranking and not the probabilities.", folds=0, off=off)
    return found("L9", "pass", f"Resampling or class weights came from training rows alone in {many(len(used), 'fold')}"
                               f"; the mean probability of every class is within {abs(off):.1%} of its share.",
                 folds=0, off=off)


def furthest_off(scored: Scored) -> tuple[float, float, float]:
    """(difference, mean probability, share) of the class whose mean probability lies furthest from its share, 0-1."""
    said = np.mean([each.p.mean(axis=0) for each in scored.samples], axis=0)
    share = np.mean([np.bincount(each.y, minlength=scored.n_classes) / len(each.y) for each in scored.samples], axis=0)
    worst = int(np.abs(said - share).argmax())
    return float(said[worst] - share[worst]), float(said[worst]), float(share[worst])


@rule("L10")
def vault(evidence: Evidence) -> Check:
    """How often the held-out part was opened."""
    context = evidence.context
    return looks_check(context.looks, kept_closed=context.config.split.scheme == "held_out")
