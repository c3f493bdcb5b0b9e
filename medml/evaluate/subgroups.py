"""Figures of the groups that a reader asks about (F1): sex, age band, site, and any column that a clinician picked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from medml.cases import Cases
from medml.evaluate import calibration, overlaps
from medml.evaluate.figures import measured, widened
from medml.evaluate.intervals import metric
from medml.evaluate.metrics import plan_headline
from medml.evaluate.scored import Sample, Scored
from medml.evaluate.words import HEADLINE
from medml.privacy import round_3, suppress
from medml.types import SMALL_GROUP, Subgroup, Table, TrainConfig

if TYPE_CHECKING:
    import pandas as pd

ENOUGH = 30  # patients below which a group's figures say nothing
MOST_LEVELS = 12  # categories of one column


@dataclass(frozen=True, slots=True)
class Group:
    """mask (n,) bool: who is in it."""

    column: str
    label: str
    mask: np.ndarray


def subgroup_columns(table: Table, config: TrainConfig) -> list[str]:
    """Columns by which figures are told: the usual ones and those that a person picked, the outcome never."""
    there = {each.name for each in table.columns}
    asked = dict.fromkeys([*usual_columns(table), *(name for name in config.use.subgroups if name in there)])
    return [name for name in asked if name not in (config.choice.target, config.choice.patient)]


def usual_columns(table: Table) -> list[str]:
    """Columns of a table whose names say sex, age or site, the first of each; a number only where it is an age
    ("time_in_hospital" is no site, and thirds of a site's numbers are none)."""
    from medml.profile.names import SEX_NAMES, SITE_WORDS, is_age, phrase, says

    asked = (lambda name: phrase(name) in SEX_NAMES, is_age, lambda name: says(name, SITE_WORDS) is not None)
    usable = [each for each in table.columns if each.distinct > 1 and (
        each.kind in ("category", "yes_no") or each.kind == "number" and is_age(each.name))]
    found = [next((each.name for each in usable if says_so(each.name)), None) for says_so in asked]
    return [name for name in dict.fromkeys(found) if name is not None]


def groups_of(cases: Cases, judged: np.ndarray) -> Iterator[list[Group]]:
    """The groups of each column that stands aside, one list a column; those that may not be named are left out, and of
    a later column those that would let a few patients be counted by subtraction from an earlier one's.

    judged  (n,) bool: the cases that figures are of; a group is as large as it is among these
    """
    if cases.aside is None:
        return
    found = [groups_in(str(name), cases.aside[name], cases.patients, judged) for name in cases.subgroups
             if name in cases.aside.columns]
    told = overlaps.harmless([[each.mask[judged] for each in groups] for groups in found], cases.patients[judged])
    for groups, may in zip(found, told, strict=True):
        if may.any():
            yield [each for each, said in zip(groups, may, strict=True) if said]


def groups_in(name: str, column: pd.Series, patients: np.ndarray, judged: np.ndarray) -> list[Group]:
    """Bands of an age, thirds of another number, categories; of at least k patients each, and what would reveal the
    others by difference is hidden with them."""
    labels = _banded(name, column) if _is_scale(column) else _levels(column)
    counts = {str(label): len(np.unique(patients[judged & (labels == label)]))
              for label in dict.fromkeys(labels[judged].tolist())}
    shown = suppress(counts.items()).levels[:MOST_LEVELS]
    order = [label for label in counts if label in {each.label for each in shown}]
    return [Group(name, label, labels == label) for label in _sorted(order)]


def _is_scale(column: pd.Series) -> bool:
    from pandas.api.types import is_numeric_dtype

    return is_numeric_dtype(column) and column.nunique() > 6


def _levels(column: pd.Series) -> np.ndarray:
    """(n,) names of categories; a number in its shortest form."""
    said = [f"{each:g}" if isinstance(each, float) and each == each else each for each in column.astype(object)]
    return np.array(["not recorded" if each is None or each != each else str(each) for each in said], dtype=object)


def _banded(name: str, column: pd.Series) -> np.ndarray:
    from medml.profile.names import AGE_BANDS, is_age

    values = column.to_numpy(dtype=float)
    known = np.isfinite(values)
    if is_age(name):
        cuts = list(AGE_BANDS)
    else:
        cuts = list(dict.fromkeys(round_3(each) for each in np.quantile(values[known], [1 / 3, 2 / 3])))
    names = [f"under {cuts[0]:g}", *(f"{low:g} to under {high:g}" for low, high in zip(cuts, cuts[1:], strict=False)),
             f"{cuts[-1]:g} and over"]
    labels = np.array(names, dtype=object)[np.searchsorted(cuts, np.where(known, values, 0), side="right")]
    return np.where(known, labels, "not recorded")


def _sorted(labels: list[str]) -> list[str]:
    """Bands in their order, words in theirs, and who has no entry last."""
    def place(label: str) -> tuple[bool, float, str]:
        first = label.replace("under ", "").split(" ")[0]
        try:
            return label == "not recorded", float(first) - label.startswith("under "), label
        except ValueError:
            return label == "not recorded", np.inf, label
    return sorted(labels, key=place)


def subgroups_of(cases: Cases, scored: Scored, *, seed: int, draws: int, only: str = "") -> list[Subgroup]:
    """Every group that may be named, with its figures; under 30 patients, or k of a class, its size alone.

    only  a column whose groups alone are wanted, beside the others that were told before
    """
    found: list[Subgroup] = []
    told = list(groups_of(cases, scored.measured))
    for groups, counted in zip(told, _counted(cases, told, scored.measured), strict=True):
        if not only or groups[0].column == only:
            rows = [np.flatnonzero(each.mask & scored.measured) for each in groups]
            found += [_told(each, mine, cases, scored, counted, seed=seed, draws=draws)
                      for each, mine in zip(groups, rows, strict=True) if len(mine)]
    return found


def _counted(cases: Cases, told: list[list[Group]], judged: np.ndarray) -> list[bool]:
    """Of which columns events can be told: by itself, and beside the columns before it."""
    if cases.task != "binary":
        return [False] * len(told)
    everybody = np.flatnonzero(judged)
    alone = [_may_count(cases, [np.flatnonzero(each.mask & judged) for each in groups], everybody)
             for groups in told]
    parts = [overlaps.parts_of([each.mask[judged] for each in groups], cases.patients[judged])
             for groups, may in zip(told, alone, strict=True) if may]
    beside = iter(overlaps.countable(parts, cases.y[judged], cases.patients[judged]))
    return [may and next(beside) for may in alone]


def _may_count(cases: Cases, groups: list[np.ndarray], everybody: np.ndarray) -> bool:
    """Whether events can be told a group: at least k patients of both classes in each, and in what is left of the
    whole."""
    rest = np.setdiff1d(everybody, np.concatenate(groups)) if groups else everybody
    parts = [*groups, rest] if len(rest) else groups
    return all(_rarest(cases, each) >= SMALL_GROUP for each in parts)


def _rarest(cases: Cases, rows: np.ndarray) -> int:
    """Patients of the rarest class among these rows (all patients for a number): the rows of one are not many."""
    y, patients = cases.y[rows], cases.patients[rows]
    if not cases.classes:
        return len(np.unique(patients))
    return min(len(np.unique(patients[y == each])) for each in range(len(cases.classes)))


def _told(group: Group, rows: np.ndarray, cases: Cases, scored: Scored, counted: bool, *, seed: int,
          draws: int) -> Subgroup:
    n_patients = len(np.unique(cases.patients[rows]))
    known = Subgroup(column=group.column, label=group.label, n=len(rows), n_patients=n_patients,
                     # a figure of fewer of a class tells how many they are
                     enough=n_patients >= ENOUGH and _rarest(cases, rows) >= SMALL_GROUP,
                     n_events=int((cases.y[rows] == 1).sum()) if counted else None)
    if not known.enough:
        return known
    part = _part(scored, rows)
    name = HEADLINE[cases.task]
    plans = {"metric": lambda sample: plan_headline(sample, scored.n_classes, scored.task)}
    if cases.task == "binary":
        plans["line"] = calibration.plan_line
    elif cases.task == "regression":
        plans["line"] = calibration.plan_number_line
    figures = measured(part, plans, {}, seed=seed, draws=draws)
    figure = metric(float(figures.value[f"metric.{name}"]), figures.drawn[f"metric.{name}"], len(rows))
    return known.model_copy(update={"figure": widened(name, figure, _rarest(cases, rows)),
                                    "slope": figures.line(len(rows)).get("slope")})


def _part(scored: Scored, rows: np.ndarray) -> Scored:
    """The same predictions of these cases alone."""
    place = np.full(len(scored.patient), -1)
    place[rows] = np.arange(len(rows))
    names, patient = np.unique(scored.patient[rows], return_inverse=True)
    samples = [_of(sample, place) for sample in scored.samples]
    return replace(scored, samples=[each for each in samples if len(each.rows)], patient=patient, n_patients=len(names),
                   measured=np.ones(len(rows), dtype=bool))


def _of(sample: Sample, place: np.ndarray) -> Sample:
    mine = place[sample.rows] >= 0
    return Sample(place[sample.rows[mine]], sample.y[mine], sample.p[mine], sample.fold[mine], sample.decided[mine])

