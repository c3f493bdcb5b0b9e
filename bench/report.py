"""The report of a run on a table of 10,000 rows x 30 columns, with 1,000 draws and every check.

    python -m bench.report [ROWS] [COLUMNS]

Prints seconds and peak memory of the evaluation alone (predictions made before), check by check the slowest; at most
60 s on 2 cores is what it is held to.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd
import psutil

from medml.cases import Cases, Fold, Predictions
from medml.evaluate import Context, FoldFacts, Rerun, evaluate, prevalence_baseline, score_in_use
from medml.evaluate import report as report_module
from medml.evaluate.catalogue import TITLES
from medml.evaluate.checks import Evidence, registry
from medml.saved_split import SavedSplit, rows_sha256
from medml.types import (
    Check,
    Choice,
    Column,
    FlowStep,
    Recipe,
    SplitPlan,
    Table,
    TableRef,
    TrainConfig,
    UsePlan,
)

MOST_SECONDS = 60.0
REF = TableRef(path="made_up.csv")


def made(n: int, columns: int) -> Cases:
    """Numbers, some with gaps, and a few categories; the outcome depends on three of them."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({f"lab {at}": rng.normal(size=n).round(2) for at in range(columns - 4)})
    X["age"] = rng.normal(60, 15, n).round()
    for name, levels in (("sex", 2), ("ward", 6), ("site", 4)):
        X[name] = pd.Series(rng.choice([f"{name} {at}" for at in range(levels)], n), dtype=object)
    risk = 1 / (1 + np.exp(-(X["lab 0"] + 0.7 * X["lab 1"] - 0.5 * X["lab 2"] - 1).to_numpy()))
    y = (rng.random(n) < risk).astype(np.int64)
    X["lab 3"] = X["lab 3"].where(rng.random(n) > 0.1)
    kinds = {name: "number" if pd.api.types.is_numeric_dtype(X[name]) else "category" for name in X.columns}
    aside = X[["sex", "age", "site", "lab 0"]]
    return Cases(X, y, np.arange(n), np.arange(n), kinds, "binary", ["no", "yes"],
                 [FlowStep(what="Rows in the file", n_before=n, n_removed=0, n_after=n)], aside=aside,
                 subgroups=("sex", "age", "site"))


def folds_of(n: int) -> list[Fold]:
    """5 folds, as a run of this size has them."""
    part = np.random.default_rng(1).permutation(n) % 5
    return [Fold(np.flatnonzero(part != at), np.flatnonzero(part == at), 0, at) for at in range(5)]


def predicted(cases: Cases, noise: float, seed: int) -> Predictions:
    """Probabilities that know the risk up to noise."""
    rng = np.random.default_rng(seed)
    x = cases.X["lab 0"] + 0.7 * cases.X["lab 1"] - 0.5 * cases.X["lab 2"] - 1 + rng.normal(0, noise, len(cases.y))
    p = 1 / (1 + np.exp(-x.to_numpy()))
    return Predictions(cases.y, np.stack([1 - p, p], axis=-1)[None], cases.patients, "binary", cases.classes,
                       np.full(5, 0.8))


def context_of(cases: Cases, folds: list[Fold]) -> Context:
    """What an honest run knows of itself."""
    use = UsePlan(score='"lab 0" + 1')
    choice = Choice(table=REF, target="y", task="binary")
    config = TrainConfig(name="bench", choice=choice, family="auto", profile_sha256="p", recipe_sha256="r",
                         data_sha256="d", split=SplitPlan(by="row", scheme="cross_validation"), use=use)
    columns = [Column(name=name, kind=kind, missing=0, distinct=9) for name, kind in cases.kinds.items()]
    facts = [FoldFacts(0, each.number, len(each.train), len(each.test), len(each.train), len(each.train),
                       rows_sha256(each.train)) for each in folds]
    names = np.array([str(each) for each in cases.rows])
    return Context(table=Table(ref=REF, sha256="d", rows=len(cases.y), columns=columns, duplicates=0), choice=choice,
                   recipe=Recipe(profile_sha256="p", steps=[]), config=config, cases=cases, folds=folds,
                   fold_facts=facts, n_parameters=float(cases.X.shape[1]), data_sha256="d", split_sha256="s",
                   code_version="1", versions={"numpy": "2"}, seeds={"split": 0}, threads=1,
                   saved=SavedSplit(folds, np.empty(0, np.int64), names, names), rerun=Rerun(difference=0.0, n=1))


def main(n: int = 10_000, columns: int = 30) -> float:
    """Print and return the seconds of one report."""
    cases = made(n, columns)
    folds = folds_of(n)
    beside = {"prevalence": prevalence_baseline(cases, folds), "logistic": predicted(cases, 1.5, 2),
              score_in_use.NAME: score_in_use.predicted(cases, folds, score_in_use.values_of(cases, '"lab 0" + 1'))}
    spent = timed_checks()
    started, cpu = time.perf_counter(), time.process_time()
    report = evaluate(predicted(cases, 0.5, 1), beside, context_of(cases, folds), seed=0, draws=1000)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    memory = psutil.Process().memory_info().rss / 1e6
    print(f"{n:,} rows x {columns} columns, 1,000 draws, {len(report.checks)} checks: {seconds:.1f} s "
          f"({cpu:.1f} CPU s), {memory:,.0f} MB; at most {MOST_SECONDS:.0f} s")
    for name, took in sorted(spent.items(), key=lambda each: -each[1])[:5]:
        print(f"  {name}: {took:.2f} s")
    return seconds


def timed_checks() -> dict[str, float]:
    """Seconds by check, filled as they run."""
    spent: dict[str, float] = {}

    def run_all(evidence: Evidence) -> list[Check]:
        found = []
        for name in (each for each in TITLES if each in registry.names()):
            started = time.perf_counter()
            found.append(registry.get(name)(evidence))
            spent[name] = time.perf_counter() - started
        return found
    report_module.run_checks = run_all
    return spent


if __name__ == "__main__":
    sys.exit(0 if main(*(int(each) for each in sys.argv[1:])) <= MOST_SECONDS else 1)
