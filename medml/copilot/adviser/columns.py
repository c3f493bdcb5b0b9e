"""Rules on columns: what a reviewer would ask about them before any training."""

from __future__ import annotations

from medml.copilot.adviser import Advice, rule
from medml.copilot.adviser.words import bold, columns, few, outcome
from medml.copilot.facts import ColumnFacts, Snapshot

EARLY = "scan preview cleanup configure"
MANY_GAPS = 40  # percent (RIGOUR.md, M1)
CODES, CLEANED = "sentinel_missing", ("preview", "cleanup")
READ_WITH_CARE = {"mixed_types": "words among numbers", "sentinel_missing": "codes for missing",
                  "units_in_cells": "units in the cells", "censored_values": "limits of the laboratory",
                  "decimal_comma": "decimal commas", "ambiguous_dates": "dates that can be read two ways"}


def questioned(s: Snapshot) -> list[ColumnFacts]:
    """Columns that a reviewer would ask about, or that a rule here asks to be looked at: "0 with a question" beside
    "2 need reading with care" would be two answers to one question."""
    gaps = {each.name for each in s.predictors if each.missing > MANY_GAPS}
    return [each for each in s.columns if each.name in gaps or
            any(w.severity != "note" or w.code in READ_WITH_CARE for w in each.worries)]


def worried(s: Snapshot, *codes: str, roles: tuple[str, ...] = ("predictor",)) -> list[ColumnFacts]:
    return [each for each in s.columns if each.role in roles and any(w.code in codes for w in each.worries)]


@rule("leak", about="leak columns trust", at="scan preview configure", weight=90)
def leak(s: Snapshot) -> Advice | None:
    """A column that knows the answer (RIGOUR.md, L4)."""
    found = worried(s, "leak")
    if not found:
        return None
    known = max((w.auroc for each in found for w in each.worries if w.auroc), default=None)
    how = f", up to an AUROC of {known:.2f} (1 is perfect)" if known else ""
    return Advice(f"{columns(len(found), 'tells', 'tell')} {outcome(s)} almost alone{how}: {few(found)}. A column "
                  "like that often is written down only after the outcome is known (**leakage**).",
                  f"ask when {bold(found[0].name)} is recorded, and leave it out if that is after the moment of "
                  "prediction")


@rule("outcome_proxy", about="leak columns", at="scan preview configure", weight=80)
def outcome_proxy(s: Snapshot) -> Advice | None:
    """Known only afterwards, by its name (L6)."""
    found = worried(s, "outcome_proxy")
    return found and Advice(f"{columns(len(found))} may be known only afterwards, by their names: {few(found)}.",
                            f"leave {bold(found[0].name)} out unless it is known when the prediction is made") or None


@rule("row_order", about="leak columns", at="scan preview", weight=45)
def row_order(s: Snapshot) -> Advice | None:
    """Rows sorted by a column (L5)."""
    found = worried(s, "row_order")
    return found and Advice(f"The rows are sorted by {columns(len(found))}: {few(found)}. That may be a running number "
                            "or time of entry.", f"leave {bold(found[0].name)} out if it only numbers the rows") or None


@rule("identifiers", about="columns split", at="scan", weight=20)
def identifiers(s: Snapshot) -> Advice | None:
    """Columns that name persons are never predictors (L5)."""
    found = [each for each in s.columns if each.kind == "identifier"]
    return found and Advice(f"{columns(len(found), 'names', 'name')} persons or rows, of {len(s.columns)} in all: "
                            f"{few(found)}. That is never used to predict.",
                            f"check that {bold(found[0].name)} is the right column to tell patients apart") or None


@rule("gaps", about="missing columns", at=EARLY, weight=60)
def gaps(s: Snapshot) -> Advice | None:
    """Predictors with more than 40 % missing (M1)."""
    found = sorted((each for each in s.predictors if each.missing > MANY_GAPS), key=lambda each: -each.missing)
    return found and Advice(f"{bold(found[0].name)} has no value in {found[0].missing:g} % of the rows; "
                            f"{columns(len(found), 'misses', 'miss')} more than {MANY_GAPS} % in all. If sicker "
                            "patients were measured more often, the **gap itself** tells the outcome.",
                            f"ask why {bold(found[0].name)} is missing, and leave it out if nobody knows") or None


@rule("some_gaps", about="missing", at="preview cleanup", weight=35)
def some_gaps(s: Snapshot) -> Advice | None:
    """Gaps that cleaning fills."""
    found = sorted((each for each in s.predictors if 1 <= each.missing <= MANY_GAPS), key=lambda each: -each.missing)
    return found and Advice(f"{columns(len(found), 'has', 'have')} gaps that the cleanup fills, the most in "
                            f"{bold(found[0].name)} ({found[0].missing:g} %). What fills them is learned from "
                            "**training rows alone**.", f"look at {bold(found[0].name)} on the Preview screen") or None


@rule("coded_gaps", about="missing columns cleanup", at="preview cleanup", weight=37)
def coded_gaps(s: Snapshot) -> Advice | None:
    """Numbers and words that stand for a gap: the share of empty cells says nothing of them."""
    found = worried(s, CODES) if s.stage in CLEANED else []
    return found and Advice(f"{columns(len(found), 'holds', 'hold')} values that look like codes for **missing**: "
                            f"{few(found)}. The gaps that they make are not among the empty cells.",
                            f"see on the Cleanup screen how many values of {bold(found[0].name)} count as gaps") or None


@rule("few_gaps", about="missing", at="preview cleanup", weight=22)
def few_gaps(s: Snapshot) -> Advice | None:
    """Nothing that cleaning would have to fill in more than a few rows, codes for missing included."""
    asks = s.report is not None and s.report.check("M1") is not None
    if asks or not s.predictors or worried(s, CODES) or any(each.missing >= 1 for each in s.predictors):
        return None
    some = [each for each in s.predictors if each.missing]
    beside = f"; in fewer than that: {few(some)}" if some else ""
    return Advice(f"None of {columns(len(s.predictors))} that would predict {outcome(s)} has gaps in {s.k} rows or "
                  f"more{beside}.", "look at the sample on the Preview screen whether a number there means “missing”")


@rule("no_leak", about="leak", at="scan", weight=18)
def no_leak(s: Snapshot) -> Advice | None:
    """What a scan can say where it found nothing (L4, L6)."""
    doubted = s.report is not None and any(each.id.startswith("L") and each.verdict in ("warn", "block")
                                           for each in s.report.checks)
    if doubted or s.target is None or not s.predictors or worried(s, "leak", "outcome_proxy"):
        return None
    return Advice(f"The scan found none among {columns(len(s.predictors))} that tells {outcome(s)} almost alone, or "
                  "whose name speaks of what is known only later. It cannot know **when** a value is written down.",
                  f"ask of {bold(s.predictors[0].name)} and the others whether they are known at the moment of "
                  "prediction")


@rule("no_use", about="columns cleanup", at="scan cleanup", weight=25)
def no_use(s: Snapshot) -> Advice | None:
    """Columns without information."""
    found = worried(s, "constant", "empty", roles=("predictor", "left out"))
    return found and Advice(f"{columns(len(found), 'holds', 'hold')} one value only or none: {few(found)}. They tell "
                            "patients apart in no way.", f"leave {bold(found[0].name)} out; nothing is lost") or None


@rule("read_with_care", about="cleanup columns missing", at="scan preview cleanup", weight=40)
def read_with_care(s: Snapshot) -> Advice | None:
    """Cells that are not what the column says; where it is cleaned, codes for missing have a rule of their own."""
    codes = [each for each in READ_WITH_CARE if each != CODES or s.stage not in CLEANED]
    found = worried(s, *codes)
    if not found:
        return None
    kinds = {READ_WITH_CARE[w.code] for each in found for w in each.worries if w.code in codes}
    return Advice(f"{columns(len(found), 'needs', 'need')} reading with care ({', '.join(sorted(kinds))}): "
                  f"{few(found)}.",
                  f"look at {bold(found[0].name)} on the Preview screen and correct the file where it is wrong")


@rule("free_text", about="columns", at="scan configure", weight=15)
def free_text(s: Snapshot) -> Advice | None:
    """Text is not learned from."""
    found = [each for each in s.columns if each.kind == "text"]
    return found and Advice(f"{columns(len(found), 'holds', 'hold')} free text, which these models do not read: "
                            f"{few(found)}.",
                            f"write what matters in {bold(found[0].name)} as a column of its own") or None


@rule("dates", about="columns leak", at="scan configure", weight=18)
def dates(s: Snapshot) -> Advice | None:
    """Dates count as days and may tell when, not who."""
    found = [each for each in s.predictors if each.kind == "date"]
    return found and Advice(f"{columns(len(found), 'holds', 'hold')} dates, which a model reads as a number of days: "
                            f"{few(found)}. It may learn **when** and not who.",
                            f"leave {bold(found[0].name)} out, or use the time between two dates instead") or None


@rule("unsteady", about="columns explain", at="explain evaluate", weight=30)
def unsteady(s: Snapshot) -> Advice | None:
    """Selection that changes from fold to fold (L8)."""
    told = [each for each in s.columns if each.kept is not None]
    found = sorted((each for each in told if 0 < each.kept < 0.6), key=lambda each: each.kept)
    return found and Advice(f"{bold(found[0].name)} was kept in {100 * found[0].kept:.0f} % of the folds only; "
                            f"{columns(len(found))} of {len(told)} are that unsteady. Another sample of patients would "
                            "choose others.", "do not speak of these as risk factors") or None


@rule("steady", about="explain columns", at="explain", weight=28)
def steady(s: Snapshot) -> Advice | None:
    """What every fold kept."""
    found = [each for each in s.columns if each.kept is not None and each.kept >= 0.9]
    return found and Advice(f"{columns(len(found), 'was', 'were')} kept in at least 90 % of the folds: {few(found)}. "
                            "They are **associated** with the outcome, which is not the same as a cause.",
                            f"see on the Explain screen which way {bold(found[0].name)} goes") or None
