"""Which column is likely the outcome, and which others give it away (RIGOUR.md, L4 and L6)."""

from __future__ import annotations

import numpy as np
import polars as pl

from medml.profile import leaks
from medml.profile.columns import Seen
from medml.profile.names import EVENT_WORDS, PROXIES, TIME_NAMES, outcome_weight, phrase, says
from medml.profile.phrases import telling_phrases
from medml.profile.suspicions import caution, in_order, note
from medml.types import Column, Proposal, Suspicion

MOST_CLASSES = 20
LIKELY = 20  # points from which a column is proposed
NUMBER_WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}
TELLS_ALONE = 0.95  # AUROC of one column (L4)
PART_OF = 0.97
MOST_ANSWERS = 12  # values of an outcome whose rows are told one by one
SAME_THING = 0.9  # share of errors avoided from which a column is the outcome in other words
TEXTS_READ = 5_000  # texts of the sample that are read for telling phrases
ASK = "Is it known before the moment of prediction? If not, leave it out."


def propose_targets(columns: list[Column], rows: int) -> list[Proposal]:
    """The likely outcomes, best first: by name, by having few values, by standing last (or first) in the table."""
    ranked = [(points(each, place, len(columns), rows), place, each) for place, each in enumerate(columns)]
    ranked = sorted((each for each in ranked if each[0] >= LIKELY), key=lambda each: (-each[0], each[1]))
    return [Proposal(column=each.name, reason=reason(each, place, len(columns))) for _, place, each in ranked[:5]]


def points(column: Column, place: int, n_columns: int, rows: int) -> float:
    """How likely a column is the outcome, 0-125."""
    if column.kind not in ("yes_no", "category", "number") or column.distinct < 2 or not rows:
        return 0.0
    weight = outcome_weight(column.name)
    if column.kind == "number":
        usable = weight >= 8 and place == n_columns - 1
    else:
        usable = column.distinct <= MOST_CLASSES and column.distinct < rows / 2
    if not usable:
        return 0.0
    ends = 20 if place == n_columns - 1 else 8 if place == 0 else 0
    size = 15 if column.distinct == 2 else 5 if column.distinct <= 5 else 0
    return (10 * weight + ends + size) * (1 - column.missing / rows)


def balance(column: Column) -> str:
    """How the rows divide among the answers of an outcome: "no in 164 rows (54 %), yes in 139 (46 %)"; "" of a number
    with more than MOST_ANSWERS values. Groups that the scan hides are told together."""
    if not column.levels or column.distinct > MOST_ANSWERS:
        return ""
    parts = [(each.label, each.n) for each in column.levels]
    parts += [("others", column.hidden_rows)] if column.hidden_rows else []
    total = sum(n for _, n in parts)
    return ", ".join(f"{label} in {n:,}{' rows' * (place == 0)} ({100 * n / total:.0f} %)"
                     for place, (label, n) in enumerate(parts))


def reason(column: Column, place: int, n_columns: int) -> str:
    """Why a column is proposed as the outcome, in one sentence."""
    parts = []
    if outcome_weight(column.name):
        parts.append("its name is that of an outcome")
    if column.kind == "number":
        parts.append("it is a number")
    else:
        parts.append(f"it has {NUMBER_WORDS.get(column.distinct, str(column.distinct))} values")
    if place == n_columns - 1:
        parts.append("it is the last column")
    elif place == 0:
        parts.append("it is the first column")
    text = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
    return text[0].upper() + text[1:] + "."


def rare_classes(counts: list[int], k: int) -> Suspicion | None:
    """A caution where a class has fewer than k rows: too few to learn from, and the split refuses them (N4).

    counts  rows of each class;   patients per class are no small group, so their number may be told
    """
    few = [n for n in counts if n < k]
    if not few or len(counts) < 2:
        return None
    whose = f"{len(few)} of its {len(counts)} classes {'has' if len(few) == 1 else 'have'}"
    fix = ("The cleanup step \"Rare outcome classes\" leaves their rows out, or joins them with another class."
           if len(counts) > 2 else "Choose another outcome, or add patients who have it.")
    return caution("rare_classes", f"{whose} fewer than {k} rows, too few to learn from.", fix,
                   classes=len(few), rows=sum(few))


def name_gives_away(name: str, target: str) -> Suspicion | None:
    """What a column's name says that is only known at or after the outcome; None for the outcome itself (L6)."""
    if name == target:
        return None
    if phrase(name) in TIME_NAMES and says(target, EVENT_WORDS):
        return caution("outcome_proxy", f"Its name says how long a patient was followed, which ends with {target}.",
                       "Leave it out: nobody knows it at the moment of prediction.")
    entry = says(name, PROXIES)
    if entry is None:
        return None
    return caution("outcome_proxy", f"Its name speaks of {PROXIES[entry]}, which may only be known afterwards.", ASK)


def suspect_leaks(seen: list[Seen], target: str) -> dict[str, list[Suspicion]]:
    """What gives an outcome away, by column: names (L6) and one-column oracles on the sample (L4)."""
    outcome = next(each for each in seen if each.column.name == target)
    codes, n_classes = class_codes(outcome)
    known = np.flatnonzero(codes >= 0)
    found: dict[str, list[Suspicion]] = {}
    enough = n_classes >= 2 and len(known) >= 2 * leaks.FEWEST
    for each in seen:
        if each is outcome or each.column.kind in ("empty", "identifier", "text"):
            continue
        oracle = leaks.ask(groups(each)[known], codes[known], n_classes) if enough else None
        told = [name_gives_away(each.column.name, target), tells(oracle, target, each.column)]
        if any(told):
            found[each.column.name] = [one for one in told if one is not None]
    _add_parts(seen, target, found)
    for each in seen:
        if each.column.kind == "text":
            told = [name_gives_away(each.column.name, target),
                    template(each, codes, n_classes, target) if enough else None]
            if any(told):
                found[each.column.name] = [one for one in told if one is not None]
    return found


def template(seen: Seen, codes: np.ndarray, n_classes: int, target: str) -> Suspicion | None:
    """A suspicion where phrases of a text go with one class alone (L13): it was written from a template, or later."""
    known = np.flatnonzero(codes >= 0)[:TEXTS_READ]
    n = telling_phrases(seen.evidence.cells.gather(known).to_list(), codes[known], n_classes)
    if not n:
        return None
    words = "1 phrase in it occurs" if n == 1 else f"{n:,} phrases in it occur"
    return caution("leak", f"{words} in one class of {target} only: the text gives the answer away.",
                   "Ask who wrote it and when. Leave it out if it was written from a template, or once the outcome was "
                   "known.", phrases=n)


def _add_parts(seen: list[Seen], target: str, found: dict[str, list[Suspicion]]) -> None:
    """Yes/no columns that are parts of a category which is the outcome in other words (one column a class)."""
    wholes = [each for each in seen if any(is_same_thing(one) for one in found.get(each.column.name, ()))
              and each.column.kind == "category"]
    for each in seen:
        mine = found.get(each.column.name, [])
        if each.column.kind != "yes_no" or each.column.name == target or any(is_same_thing(one) for one in mine):
            continue
        codes = level_codes(each)
        known = np.flatnonzero(codes >= 0)
        for whole in wholes:
            oracle = leaks.ask(groups(whole)[known], codes[known], len(each.evidence.values))
            if oracle is not None and oracle.explained >= PART_OF:
                part = caution("leak", f"It is a part of {whole.column.name}, which is {target} in other words.",
                               "Leave it out, unless it is known before the moment of prediction.",
                               part=round(oracle.explained, 3))
                found[each.column.name] = [one for one in mine if one.code != "leak"] + [part]


def is_same_thing(suspicion: Suspicion) -> bool:
    return suspicion.code == "leak" and suspicion.figures.get("explained", 0) >= SAME_THING


def tells(oracle: leaks.Oracle | None, target: str, column: Column) -> Suspicion | None:
    """A suspicion where one column alone knows the outcome."""
    if oracle is None:
        return None
    figures = {"auroc": round(oracle.auroc, 3), "explained": round(oracle.explained, 3), "pure": round(oracle.pure, 3)}
    if oracle.explained >= SAME_THING and column.kind in ("category", "yes_no"):
        return caution("leak", f"It is {target} in other words: it tells it for nearly every row.",
                       "Leave it out, unless it is known before the moment of prediction.", **figures)
    if oracle.auroc > TELLS_ALONE:
        return caution("leak", f"On its own it tells {target} almost perfectly (AUROC {oracle.auroc:.2f}).", ASK,
                       **figures)
    if oracle.pure > 0 and column.kind in ("category", "yes_no"):
        return note("single_outcome", f"One of its values goes with a single outcome only ({oracle.pure:.0%} of rows).",
                    ASK, **figures)
    return None


def class_codes(outcome: Seen) -> tuple[np.ndarray, int]:
    """The outcome's classes in the sample, (n_sampled,) int64 with -1 where missing; 0 classes for a number."""
    if outcome.column.kind == "number":
        return np.full(len(outcome.evidence.cells), -1), 0
    return level_codes(outcome), len(outcome.evidence.values)


def level_codes(seen: Seen) -> np.ndarray:
    values = seen.evidence.values
    if not len(values):
        return np.full(len(seen.evidence.cells), -1, dtype=np.int64)
    codes = pl.Series(np.arange(len(values), dtype=np.int64))
    return seen.evidence.cells.replace_strict(values, codes, default=-1, return_dtype=pl.Int64).to_numpy()


def groups(seen: Seen) -> np.ndarray:
    """A column cut into groups for a one-column oracle, (n_sampled,) int64."""
    if seen.column.kind in ("number", "date"):
        numbers = in_order(seen.evidence, seen.reading)
        return leaks.group_numbers(numbers)
    return leaks.group_levels(level_codes(seen))
