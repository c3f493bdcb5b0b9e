"""Who is trained on and who is tested on: by patient, stratified, copies kept together. Positions, never rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medml.cases import Cases, Fold
from medml.errors import UserError
from medml.types import SplitPlan, Task

if TYPE_CHECKING:
    import pandas as pd

FEW = 2_000  # below this many cases a held-out part is too small to say anything: cross-validation, twice
TO_JUDGE = 100  # patients of every class that a held-out part must have (N3; Collins, Stat Med 2016;35:214)
MANY = 50_000  # above this many, three folds of the development part tell as much as five, in 60 % of the time
STRATA = 10  # an outcome that is a number is stratified by tenths
WITHOUT_VALIDATION = 5  # folds where data came with a test part alone
TRAIN, VALIDATION, TEST = 0, 1, 2  # parts of a split that came with the data


def plan_split(n_cases: int, n_patients: int, task: Task, class_counts: list[int] | dict[str, int],
               folds: int | None = None) -> SplitPlan:
    """How to split, before it is done.

    Under 2,000 cases, or where a quarter would hold fewer patients of the rarest class than N3 asks for:
    cross-validation, twice. Else a quarter is held out, to be opened once, and decisions are made on out-of-fold
    figures of the other three quarters. 5 folds; 3 above 50,000 cases.
    class_counts  cases per class; where `folds` is None there are as few folds as the smallest class needs (N4)
    """
    counts = list(class_counts.values()) if isinstance(class_counts, dict) else list(class_counts)
    counts = [] if task == "regression" else counts
    by, wanted = "patient" if n_patients < n_cases else "row", 3 if n_cases > MANY else 5
    closed = SplitPlan(by=by, scheme="held_out", folds=folds or _affordable(wanted, counts, 0.75), repeats=1)
    if n_cases >= FEW and closed.test_fraction * _rarest(n_cases, n_patients, counts) >= TO_JUDGE:
        return closed
    return SplitPlan(by=by, scheme="cross_validation", folds=folds or _affordable(wanted, counts, 1.0), repeats=2)


def _rarest(n_cases: int, n_patients: int, counts: list[int]) -> float:
    """About how many patients are of the rarest class, who come back as often as the others; everybody for a number."""
    return n_patients * (min(counts) / max(n_cases, sum(counts)) if counts else 1.0)


def _affordable(wanted: int, counts: list[int], share: float) -> int:
    """The most folds up to `wanted` for which every class has 2 x folds cases; `wanted` where none would do."""
    if not counts:
        return wanted
    return next((folds for folds in range(wanted, 1, -1) if share * min(counts) >= 2 * folds), wanted)


def held_out(cases: Cases, plan: SplitPlan, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(development, test) positions, sorted; test is empty under cross-validation."""
    everyone = np.arange(len(cases.y))
    if plan.scheme == "cross_validation":
        return everyone, everyone[:0]
    if plan.given:
        closed = _given(cases) == TEST
        return everyone[~closed], everyone[closed]
    test = _part(_strata(cases.y, cases.task), groups(cases), plan.test_fraction, np.random.default_rng([seed, 1]))
    return everyone[~test], everyone[test]


def make_folds(cases: Cases, plan: SplitPlan, seed: int) -> list[Fold]:
    """Folds of the development part: `folds` x `repeats`, by patient, classes in equal shares, copies together.

    raises  UserError where a class has fewer than 2 x folds cases, or is in too few patients (N4), or where there are
            fewer patients than folds
    """
    development, _ = held_out(cases, plan, seed)
    if plan.given and plan.folds == 1:
        parts = [np.flatnonzero(_given(cases) == part) for part in (TRAIN, VALIDATION)]
        if len(parts[1]):
            return [Fold(*parts, 0, 0)]
        plan = plan.model_copy(update={"folds": WITHOUT_VALIDATION})
    y, together = cases.y[development], groups(cases)[development]
    _class_floor(cases, development, plan.folds)
    if len(np.unique(together)) < plan.folds:
        raise UserError(what=f"There are fewer patients than the {plan.folds} folds of the split.",
                        fix="Choose fewer folds, or add patients.", code="too_few_patients")
    made = []
    for repeat in range(plan.repeats):
        of = _deal(_strata(y, cases.task), together, plan.folds, np.random.default_rng([seed, 2, repeat]))
        made += [Fold(development[of != number], development[of == number], repeat, number)
                 for number in range(plan.folds)]
    _every_class_learnt(made, cases)
    return made


def _given(cases: Cases) -> np.ndarray:
    """The split that came with the data. UserError where none did, or a part of it is empty."""
    if cases.given is None or not {TRAIN, TEST} <= set(cases.given.tolist()):
        raise UserError(what="The split that came with the data leaves nothing to learn from, or nothing with an "
                             "outcome to judge on.", code="no_split",
                        fix="Let MedML divide the patients: under “Change how it is judged” on the Configure page.",
                        typed="--divide-anew")
    return cases.given


def inner_holdout(y: np.ndarray, patients: np.ndarray, fraction: float, seed: int,
                  task: Task) -> tuple[np.ndarray, np.ndarray]:
    """(train, validation) positions into one fold's training rows, for early stopping: stratified, by patient."""
    chosen = _part(_strata(y, task), patients, fraction, np.random.default_rng([seed, 3]))
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def deal(y: np.ndarray, patients: np.ndarray, parts: int, seed: int, task: Task) -> np.ndarray:
    """(n,) part of each row, 0 to parts - 1: whole patients, each class (or tenth of a number) in equal shares."""
    return _deal(_strata(y, task), patients, parts, np.random.default_rng([seed, 6]))


def groups(cases: Cases) -> np.ndarray:
    """(n,) int64: rows that must stay on one side are equal: rows of one patient, and exact copies (L3).

    A row that more than 1 in 10 cases share is no copy but a coincidence of a table with few different values: such
    rows stay where their patients are. Where copies would chain more than 1 in 5 cases together, they are left alone
    for the same reason, and check L3 says how many stand on both sides (`copies_across`).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    _, patient = np.unique(cases.patients, return_inverse=True)
    _, copy, size = np.unique(case_hashes(cases), return_inverse=True, return_counts=True)
    linked = (size[copy] > 1) & (size[copy] <= max(2, len(cases.y) // 10))
    n = patient.max() + 1 if len(patient) else 0
    edges = (np.ones(int(linked.sum()), dtype=np.int8), (patient[linked], n + copy[linked]))
    graph = coo_array(edges, shape=(n + len(size), n + len(size)))
    _, component = connected_components(graph, directed=False)
    together = component[patient].astype(np.int64)
    chained = n and np.bincount(together).max() > max(len(together) // 5, np.bincount(patient).max(), 2)
    return patient.astype(np.int64) if chained else together


def case_hashes(cases: Cases) -> np.ndarray:
    """(n,) equal for cases that are copies: equal cells and outcome, or pictures that are the same or nearly."""
    return row_hashes(cases.X, cases.y) if cases.twins is None else cases.twins


def row_hashes(X: pd.DataFrame, y: np.ndarray) -> np.ndarray:
    """(n,) uint64, equal for rows whose predictors and outcome are equal; in memory, never stored."""
    import pandas as pd

    return pd.util.hash_pandas_object(X.assign(**{"\x1fy": y}), index=False).to_numpy()


def copies_across(cases: Cases, folds: list[Fold]) -> int:
    """Test rows, over all folds, whose exact copy is among that fold's training rows (L3)."""
    hashes = case_hashes(cases)
    return sum(int(np.isin(hashes[fold.test], hashes[fold.train]).sum()) for fold in folds)


def _strata(y: np.ndarray, task: Task) -> np.ndarray:
    """(n,) int: the class, or the tenth of the outcome that a case is in."""
    if task != "regression":
        return y.astype(np.int64)
    edges = np.quantile(y, np.linspace(0, 1, STRATA + 1)[1:-1]) if len(y) else np.empty(0)
    return np.searchsorted(np.unique(edges), y, side="right")


def _by_group(strata: np.ndarray, together: np.ndarray,
              rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Groups in a random order within their stratum, strata from rare to frequent, large groups first.

    returns (order, stratum, size) of groups, and (n,) each row's group. A group counts for the rarest stratum it has.
    """
    _, group, size = np.unique(together, return_inverse=True, return_counts=True)
    frequency = np.bincount(strata)
    rank = np.argsort(np.argsort(frequency, kind="stable"), kind="stable")[strata]  # 0: the rarest stratum
    stratum = np.full(len(size), len(frequency))
    np.minimum.at(stratum, group, rank)
    order = np.lexsort((rng.permutation(len(size)), -size, stratum))
    return order, stratum, size, group


def _deal(strata: np.ndarray, together: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) fold of each row: stratum by stratum, each group goes to the fold with the fewest rows of that stratum,
    then the fewest rows at all."""
    order, stratum, size, group = _by_group(strata, together, rng)
    fold_of = np.empty(len(size), dtype=np.int64)
    total = np.zeros(folds, dtype=np.int64)
    for current in np.unique(stratum):
        mine = order[stratum[order] == current]
        here = np.zeros(folds, dtype=np.int64)
        if size[mine].max() == 1:  # one row a patient: deal them out in turn, the emptiest fold first
            turn = np.argsort(total + rng.random(folds), kind="stable")
            fold_of[mine] = turn[np.arange(len(mine)) % folds]
            total += np.bincount(fold_of[mine], minlength=folds)
            continue
        for each in mine:
            chosen = min(range(folds), key=lambda fold: (here[fold], total[fold]))
            fold_of[each] = chosen
            here[chosen] += size[each]
            total[chosen] += size[each]
    return fold_of[group]


def _part(strata: np.ndarray, together: np.ndarray, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """(n,) bool: whole groups, from each stratum about `fraction` of its rows; never a stratum's only group."""
    order, stratum, size, group = _by_group(strata, together, rng)
    chosen = np.zeros(len(size), dtype=bool)
    for current in np.unique(stratum):
        mine = rng.permutation(order[stratum[order] == current])
        before = np.cumsum(size[mine]) - size[mine]
        take = before + size[mine] / 2 < fraction * size[mine].sum()
        if len(mine) > 1:
            take[0], take[-1] = True, False
        chosen[mine[take]] = True
    return chosen[group]


def _class_floor(cases: Cases, development: np.ndarray, folds: int) -> None:
    if cases.task == "regression":
        return
    n_classes = len(cases.classes)
    total = int(np.bincount(cases.y, minlength=n_classes).min())
    smallest = int(np.bincount(cases.y[development], minlength=n_classes).min())
    if smallest >= 2 * folds:
        return
    kept = "" if len(development) == len(cases.y) else f", {total - smallest} of them held out"
    raise UserError(what=f"The smallest class has {total} {'case' if total == 1 else 'cases'}{kept}; {folds} folds "
                         f"need at least {2 * folds} of every class.",
                    fix="Switch on the cleanup step \"Rare outcome classes\", or choose fewer folds.",
                    code="class_floor")


def _every_class_learnt(folds: list[Fold], cases: Cases) -> None:
    """A class whose cases all come from one or two patients cannot be on both sides."""
    if cases.task == "regression":
        return
    for fold in folds:
        if len(np.unique(cases.y[fold.train])) < len(cases.classes):
            raise UserError(what="A class comes from so few patients that one part of the split has none of it.",
                            fix="Switch on the cleanup step \"Rare outcome classes\", or choose fewer folds.",
                            code="class_floor")
