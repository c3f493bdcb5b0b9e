"""Which column tells patients apart, and which ones to leave out, each with its reason."""

from __future__ import annotations

import math

import numpy as np

from medml.profile.distinct import RowsPerValue
from medml.profile.names import FILE_WORDS, PERSON_WORDS, VISIT_WORDS, looks_like_id, phrase, says
from medml.profile.outcomes import SAME_THING, is_same_thing, name_gives_away
from medml.types import Column, Proposal, Repeats, Table

FEWEST_PATIENTS = 5
COMES_BACK = 1.05  # rows a patient, on average, from which patients repeat
UNUSABLE = {"identifier", "empty", "constant", "one_class"}  # suspicions that need no question


def propose_patient(columns: list[Column], counted: dict[str, RowsPerValue]) -> Proposal | None:
    """The column that tells patients apart: one whose name says so, else an id or file name that comes back."""
    ranked = [(patient_points(each, counted), each) for each in columns]
    points, best = max(ranked, key=lambda each: each[0], default=(0, None))
    if best is None or points <= 0:
        return None
    n = rows_a_patient(counted[best.name])
    if says(best.name, PERSON_WORDS):
        why = "Its name says that it tells patients apart"
    elif says(best.name, FILE_WORDS):
        return Proposal(column=best.name, reason=f"It names files, and {n:.1f} rows on average come from one file; "
                        "rows of one file may be one patient.")
    else:
        why = "It is an identifier whose values come back"
    often = f" and a patient has {n:.1f} rows on average" if n >= COMES_BACK else " and no patient comes back"
    return Proposal(column=best.name, reason=why + often + ".")


def who_may_come_back(columns: list[Column], patient: Proposal | None, k: int) -> list[str]:
    """Columns that a clinician may pick as the patient's: the proposed one, and of 2k values and more every identifier
    and every column named like a person's. By each of them small groups are hidden: the profile is stored before the
    pick."""
    proposed = patient.column if patient is not None else None
    return [each.name for each in columns if each.name == proposed or each.distinct >= 2 * k and (
        each.kind == "identifier" or named_like_a_person(each.name))]


def named_like_a_person(name: str) -> bool:
    """True for "patient_id", "subject"; not for "patient_age", "source_id"."""
    return says(name, PERSON_WORDS) is not None and (looks_like_id(name) or phrase(name) in PERSON_WORDS)


def patient_points(column: Column, counted: dict[str, RowsPerValue]) -> int:
    """How likely a column tells patients apart; 0 if not."""
    rows = counted.get(column.name)
    if rows is None or rows.n_values() < FEWEST_PATIENTS or column.distinct < FEWEST_PATIENTS:
        return 0
    name, returns = column.name, rows_a_patient(rows) >= COMES_BACK
    person, visit = says(name, PERSON_WORDS), says(name, VISIT_WORDS)
    if column.kind != "identifier" and not named_like_a_person(name):
        return 0
    if person:
        return 20 + 5 * returns
    if not returns or visit and not says(name, FILE_WORDS):
        return 0
    return 5 if says(name, FILE_WORDS) else 10


def rows_a_patient(rows: RowsPerValue) -> float:
    return float(rows.counts.mean()) if len(rows.counts) else 0.0


def count_repeats(column: str, rows: RowsPerValue, n_rows: int) -> Repeats:
    """How often a patient comes back: patients (about, above 131,072), rows that name one, rows of the 95th in 100."""
    most = int(math.ceil(np.quantile(rows.counts, 0.95, method="inverted_cdf")))
    return Repeats(column=column, n_patients=rows.n_values(), n_rows=n_rows, most_rows=most)


def propose_leave_out(columns: list[Column], target: str | None, patient: str | None) -> list[Proposal]:
    """Columns that cannot predict (empty, constant, identifiers) or that give the likely outcome away."""
    found = []
    for column in columns:
        if column.name in (target, patient):
            continue
        why = next((each for each in column.suspicions if is_reason(each.code, each.figures)), None)
        if why is not None:
            found.append(Proposal(column=column.name, reason=why.what))
    return found


def left_out(table: Table, target: str | None, patient: str | None) -> list[Proposal]:
    """The columns that are left out unless a person keeps them, with reasons: the scan's own, and where another outcome
    than the likeliest was chosen also what gives that one away by its name, or is that one in other words.

    Of a table of pictures nothing: a model of pictures is shown no other column.
    """
    if table.pictures is not None:
        return []
    found = {each.column: each for each in table.leave_out}
    likeliest = table.targets[0].column if table.targets else None
    if target is not None and target != likeliest:
        if any(is_same_thing(each) for each in table.column(target).suspicions):
            found[likeliest] = Proposal(column=likeliest, reason=f"It is {target} in other words.")
        for each in table.columns:
            told = name_gives_away(each.name, target)
            if told is not None:
                found.setdefault(each.name, Proposal(column=each.name, reason=told.what))
    return [found[each.name] for each in table.columns if each.name in found and each.name not in (target, patient)]


def by_reason(proposals: list[Proposal]) -> list[tuple[str, str]]:
    """("A, B", reason) for columns that have the same reason, in the order of the first of them."""
    together: dict[str, list[str]] = {}
    for each in proposals:
        together.setdefault(each.reason, []).append(each.column)
    return [(", ".join(names), reason) for reason, names in together.items()]


def is_reason(code: str, figures: dict[str, float]) -> bool:
    """Whether a suspicion is enough to propose leaving the column out; a high AUROC alone is a question."""
    return code in UNUSABLE or code == "outcome_proxy" or code == "leak" and (
        figures.get("explained", 0) >= SAME_THING or "part" in figures)
