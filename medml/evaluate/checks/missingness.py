"""M1 M2 M3: what is missing, who was dropped, and whether the numbers of patients add up."""

from __future__ import annotations

import numpy as np

from medml.evaluate.catalogue import found, many, named
from medml.evaluate.checks import Evidence, rule
from medml.evaluate.missing import by_outcome, n_patterns
from medml.types import Check

ASKS = 0.40  # share of missing cells above which a column is asked about
STATED = ("copies", "outcome", "fields", "class", "modality", "decoded")  # words of boxes that say why rows leave


@rule("M1")
def missingness(evidence: Evidence) -> Check:
    """Share missing a column, how many patterns, and whether it goes with the outcome; above 40 % it asks."""
    context, shares = evidence.context, evidence.report.missing
    if not shares:
        return found("M1", "pass", "No predictor has a missing value.", columns=0, patterns=1)
    much = [name for name, share in shares.items() if share > ASKS]
    telling = by_outcome(context)
    worst, patterns = max(shares.values()), n_patterns(context)
    figures = {"columns": len(shares), "worst": worst, "patterns": patterns, "above_40_pct": len(much),
               "by_outcome": len(telling)}
    share = f"at most {100 * worst:.0f} % of the cases" if worst >= 0.005 else "in under 1 % of the cases"
    what = (f"{many(len(shares), 'predictor')} of {context.cases.X.shape[1]} {'has' if len(shares) == 1 else 'have'} "
            f"gaps, {share}")
    what += f"; it is not the same gaps in everybody: {many(patterns, 'combination')} of them occur." \
        if len(shares) > 1 else "."
    if telling:
        what += f" Gaps in {named(telling)} go with the outcome."
    if not much and not telling:
        return found("M1", "pass", what, **figures)
    if much:
        return found("M1", "warn", f"{what} More than 40 % are missing in {named(much)}.",
                     "Ask why: leave the column out unless it will be there when the model is used.", **figures)
    return found("M1", "warn", what, "Ask why: a test that is ordered only for some patients tells the outcome by its "
                                     "absence.", **figures)


@rule("M2")
def no_stealth(evidence: Evidence) -> Check:
    """Rows dropped are zero, or stated with the reason."""
    boxes = [each for each in evidence.context.boxes if each.n_removed]
    dropped = sum(each.n_removed for each in boxes)
    if not boxes:
        return found("M2", "pass", "No row was dropped.", dropped=0)
    told = "; ".join(f"{each.what.lower()}: {each.n_removed:,}" for each in boxes)
    return found("M2", "info", f"{many(dropped, 'row')} were dropped ({told}); none because a predictor was missing."
                 if not _unstated(boxes) else f"{many(dropped, 'row')} were dropped ({told}).", dropped=dropped)


def _unstated(boxes: list) -> bool:
    return any(not any(word in each.what.lower() for word in STATED) for each in boxes)


@rule("M3")
def flow_adds_up(evidence: Evidence) -> Check:
    """Every box: before - removed = after; each box begins where the last one ended; the ends fit table and model."""
    context, boxes = evidence.context, evidence.context.boxes
    faults = [f"“{each.what}”" for each in boxes
              if each.n_before - each.n_removed != each.n_after or each.n_removed < 0]
    faults += [f"between “{one.what}” and “{other.what}”" for one, other in zip(boxes, boxes[1:], strict=False)
               if one.n_after != other.n_before]
    if not boxes:
        faults.append("the diagram, which is empty")
    else:
        plan = context.choice.pictures  # with every frame as a case there are more cases than files
        if boxes[0].n_before != context.table.rows and (plan is None or plan.frames != "all"):
            faults.append("the number of rows in the file")
        if boxes[-1].n_after != len(context.cases.y):
            faults.append("the number of cases that the model saw")
    used = np.unique(np.concatenate([*(np.concatenate([each.train, each.test]) for each in context.folds),
                                     context.closed]).astype(np.int64)) if context.folds else np.empty(0)
    if len(used) != len(context.cases.y):
        faults.append("the cases in the split")
    if faults:
        return found("M3", "block", f"The numbers of cases do not add up: {', '.join(faults)}.",
                     "Do not use this model: scan the table again and train anew.", faults=len(faults))
    return found("M3", "pass", f"From {many(boxes[0].n_before, 'row')} to {many(boxes[-1].n_after, 'case')}: every "
                                     "step adds up.", faults=0)
