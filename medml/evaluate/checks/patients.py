"""L1 L2 L3: no patient, and no copy of a row, on both sides of the split."""

from __future__ import annotations

import numpy as np

from medml.data.images.alike import HASHED_SIDE
from medml.evaluate.catalogue import found, many, named
from medml.evaluate.checks import Evidence, rule
from medml.evaluate.context import Context
from medml.saved_split import SavedSplit
from medml.types import Check, Table

AGAIN = "Do not use this model; train again, and report this."
CHOOSE = "Choose the column that identifies a patient on the Scan page, then train again."


def comes_back(table: Table) -> bool:
    """Whether the scan saw patients in several rows; rows that are exact copies of another do not count."""
    repeats = table.repeats
    return repeats is not None and repeats.n_rows - repeats.n_patients > table.duplicates


@rule("L1")
def split_by_patient(evidence: Evidence) -> Check:
    """A key that repeats means a split by patient; a split by row is then blocked."""
    context = evidence.context
    n_cases, n_patients = len(context.cases.y), len(np.unique(context.cases.patients))
    by_row, repeats = context.config.split.by == "row", context.table.repeats
    if by_row and n_patients < n_cases:
        return found("L1", "block", f"{many(n_cases, 'row')} come from {many(n_patients, 'patient')}, but the split "
                                     "was by row.", CHOOSE, n_cases=n_cases, n_patients=n_patients)
    if by_row and context.choice.patient is None and comes_back(context.table):
        return found("L1", "block", f"“{repeats.column}” repeats ({many(repeats.n_patients, 'patient')} in "
                                    f"{many(repeats.n_rows, 'row')}), but the split was by row.", CHOOSE,
                     n_cases=repeats.n_rows, n_patients=repeats.n_patients)
    if not by_row:
        return found("L1", "pass", f"Split by patient: {many(n_patients, 'patient')}, {many(n_cases, 'case')}.",
                     n_cases=n_cases, n_patients=n_patients)
    known = context.choice.patient or (context.table.patient.column if context.table.patient else None)
    if known is None:
        return found("L1", "could_not_tell", "No column names a patient, so each row counts as one.",
                     "If patients come back in this table, choose the column that identifies them on the Scan page.")
    return found("L1", "pass", f"“{known}” never repeats: {many(n_cases, 'row')}, as many patients.",
                 n_cases=n_cases, n_patients=n_patients)


@rule("L2")
def no_shared_patient(evidence: Evidence) -> Check:
    """Patients and rows of the two sides are compared again, in the split as it lies on disk: the file's positions and
    the file's names of patients; and the figures must come from that very split."""
    saved = evidence.context.saved
    if saved is None:
        return found("L2", "block", "The split was not saved, so nobody can see who was on which side.", AGAIN)
    changed = folds_that_differ(evidence.context, saved)
    if changed:
        return found("L2", "block", "The split that was saved is not the one that the figures come from "
                                    f"({many(changed, 'part')} of it).", AGAIN, changed=changed)
    sides = [(each.train, each.test) for each in saved.folds]
    if saved.held_out.size:
        sides.append((saved.held_out, np.concatenate([np.concatenate(both) for both in sides])))
    shared = max(sum(len(np.intersect1d(patients[one], patients[other])) for one, other in sides)
                 for patients in (saved.patients, evidence.context.cases.patients))
    rows = sum(len(np.intersect1d(one, other)) for one, other in sides)
    if shared or rows:
        return found("L2", "block", f"{many(shared, 'patient')} and {many(rows, 'row')} were found on both sides of a "
                                    "split.", "Do not use this model; train again with the patient column chosen.",
                     patients=shared, rows=rows)
    return found("L2", "pass", f"In {many(len(sides), 'split')}, read back as saved, no patient is on both sides.",
                 patients=0, rows=0)


def folds_that_differ(context: Context, saved: SavedSplit) -> int:
    """Parts of the split on disk (folds, the closed part, the cases) that are not those of the evaluation."""
    wrong = int(not np.array_equal(np.sort(context.closed), np.sort(saved.held_out)))
    wrong += int(len(saved.patients) != len(context.cases.y)) + abs(len(saved.folds) - len(context.folds))
    for each in context.folds:
        theirs = saved.fold(each.repeat, each.number)
        wrong += theirs is None or not all(np.array_equal(np.sort(mine), np.sort(other)) for mine, other in
                                           ((each.train, theirs.train), (each.test, theirs.test)))
    return wrong


ALIKE_FROM = 64  # pixels a side from which likeness can be judged (RIGOUR.md, L3)


@rule("L3")
def no_copies_across(evidence: Evidence) -> Check:
    """Rows equal in every predictor and the outcome, on both sides. A row that one case in ten shares is no copy."""
    from medml.split import case_hashes

    context = evidence.context
    hashes = case_hashes(context.cases)
    _, which, size = np.unique(hashes, return_inverse=True, return_counts=True)
    copies = (size[which] > 1) & (size[which] <= max(2, len(hashes) // 10))
    sides = [(each.train, each.test) for each in context.folds]
    if context.closed.size:
        sides.append((context.development, context.closed))
    across = np.zeros(len(hashes), dtype=bool)
    for train, test in sides:
        across[test] |= copies[test] & np.isin(hashes[test], hashes[train])
    n, kept, plan = int(across.sum()), int(copies.sum()), context.choice.pictures
    small = plan is not None and _shown_side(context) < ALIKE_FROM
    one, copy = ("row", "an exact copy") if plan is None else ("picture", "an equal one" if small else
                                                               "an equal or nearly equal one")
    untold = f" Below {ALIKE_FROM} pixels a side near copies cannot be told." if small else ""
    if not n:
        note = f" {many(kept, one)} with a copy were kept together." if kept else ""
        return found("L3", "could_not_tell" if untold else "pass",
                     f"No {one} has {copy} on the other side of a split.{note}{untold}", across=0, kept=kept)
    what = f"{many(n, one)} {'has' if n == 1 else 'have'} {copy} on the other side of a split."
    if context.config.split.given:
        return found("L3", "warn", f"{what} The split came with the data and was not changed.",
                     "Report the count beside the figures, or let MedML divide the patients.", across=n)
    return found("L3", "warn", what, _against_copies(context), across=n)


def _against_copies(context: Context) -> str:
    """What is left to do about copies on both sides: where exact ones are left out already, these are others."""
    step = "exact_duplicates" if context.choice.pictures is None else "picture_copies"
    if not any(each.on and each.name == step for each in context.recipe.steps):
        return "Switch on the step that leaves out copies, on the Cleanup page, then train again."
    if context.choice.pictures is None:
        return "Ask whether equal rows are one patient; if so, leave all but one out of the file, then train again."
    return ("They tie too many patients together to be kept on one side. Leave pictures that show no finding out of "
            "the folder (overviews, empty ones), then train again.")


def _shown_side(context: Context) -> int:
    """Pixels a side that nearly all pictures are compared at: made larger, a thumbnail tells no more. 0 where so little
    of the square is theirs that nothing is compared."""
    facts, size, beside = context.table.pictures, context.choice.pictures.size, context.cases.beside
    side = size if facts is None else min(size, facts.side[0])
    if beside is None or not {"width", "height"} <= set(beside.columns):
        return side
    sides = beside[["width", "height"]].to_numpy(dtype=float)
    shares = np.quantile(sides.min(axis=1) / sides.max(axis=1), 0.05, method="inverted_cdf")
    return side if size * shares >= HASHED_SIDE else 0


def columns_sentence(names: list[str]) -> str:
    """"The column “a”" or "The columns “a”, “b”"."""
    return f"The column{'s' if len(names) > 1 else ''} {named(names)}"
