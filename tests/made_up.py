"""Made-up cases, folds and contexts for the tests of the evaluation; every argument is what one test wants to vary."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from medml.cases import Cases, Fold, Predictions
from medml.evaluate import Context, FoldFacts, Rerun, evaluate, prevalence_baseline
from medml.evaluate.context import Abstention
from medml.saved_split import SavedSplit, rows_sha256
from medml.types import Check, Choice, Column, FlowStep, Recipe, SplitPlan, Table, TableRef, TrainConfig

REF = TableRef(path="made_up.csv")
HELD_OUT = {"split": SplitPlan(by="row", scheme="held_out")}


def probabilities(positive: np.ndarray) -> np.ndarray:
    """(..., n) of the positive class -> (..., n, 2)."""
    return np.stack([1 - positive, positive], axis=-1)


def dealt(patients: np.ndarray, n_folds: int = 5, repeats: int = 1, seed: int = 0) -> list[Fold]:
    """Folds by patient, dealt at random."""
    rng = np.random.default_rng(seed)
    names, place = np.unique(patients, return_inverse=True)
    folds = []
    for repeat in range(repeats):
        of = (rng.permutation(len(names)) % n_folds)[place]
        folds += [Fold(np.flatnonzero(of != number), np.flatnonzero(of == number), repeat, number)
                  for number in range(n_folds)]
    return folds


def made_cases(n: int = 300, *, task: str = "binary", prevalence: float = 0.4, seed: int = 0,
               columns: dict | None = None) -> Cases:
    """n patients of one row each, an outcome, and two predictors that say little."""
    rng = np.random.default_rng(seed)
    if task == "regression":
        y, classes = rng.normal(size=n), []
    elif task == "multiclass":
        y, classes = rng.integers(3, size=n), ["a", "b", "c"]
    else:
        y, classes = (rng.random(n) < prevalence).astype(np.int64), ["no", "yes"]
    X = pd.DataFrame({"crp": rng.normal(10, 3, n) + y, "sex": pd.Series(rng.choice(["f", "m"], n), dtype=object)})
    for name, values in (columns or {}).items():
        X[name] = values
    kinds = {name: "number" if pd.api.types.is_numeric_dtype(X[name]) else "category" for name in X.columns}
    flow = [FlowStep(what="Rows in the file", n_before=n, n_removed=0, n_after=n)]
    return Cases(X, y, np.arange(n), np.arange(n), kinds, task, classes, flow, aside=X[["sex"]], subgroups=("sex",))


def predicted(cases: Cases, folds: list[Fold], *, signal: float = 1.5, seed: int = 1,
              train: float = 0.8, shift: float = 0.0) -> Predictions:
    """Out-of-fold predictions that know the outcome up to noise; signal 0 knows nothing. shift: of the log odds."""
    rng = np.random.default_rng(seed)
    repeats, n = 1 + max(each.repeat for each in folds), len(cases.y)
    if cases.task == "regression":
        p = signal / (1 + signal) * (cases.y + rng.normal(size=(repeats, n)))
    elif cases.task == "multiclass":
        scores = signal * np.eye(3)[cases.y] + rng.normal(size=(repeats, n, 3))
        p = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    else:
        p = probabilities(1 / (1 + np.exp(-(shift + signal * (cases.y - 0.5) + rng.normal(size=(repeats, n))))))
    seen = np.zeros((repeats, n), dtype=bool)
    for each in folds:
        seen[each.repeat, each.test] = True
    p[~seen] = np.nan
    return Predictions(cases.y, p, cases.patients, cases.task, cases.classes, np.full(len(folds), train))


def made_context(cases: Cases, folds: list[Fold], *, table: dict | None = None, choice: dict | None = None,
                 config: dict | None = None, **changed) -> Context:
    """A context in which every check passes; named parts are replaced."""
    n = len(cases.y)
    columns = [Column(name=str(name), kind=kind, missing=0, distinct=5) for name, kind in cases.kinds.items()]
    chosen = Choice(**({"table": REF, "target": "y", "task": cases.task, "patient": "nr"} | (choice or {})))
    whole = TrainConfig(**({"name": "made up", "choice": chosen, "family": "auto", "profile_sha256": "p",
                            "recipe_sha256": "r", "data_sha256": "d",
                            "split": SplitPlan(by="row", scheme="cross_validation")} | (config or {})))
    known = Context(table=Table(**({"ref": REF, "sha256": "d", "rows": n, "columns": columns, "duplicates": 0}
                                   | (table or {}))),
                    choice=chosen, recipe=Recipe(profile_sha256="p", steps=[]), config=whole, cases=cases, folds=folds,
                    fold_facts=facts(folds), n_parameters=3.0, data_sha256="d", split_sha256="s",
                    code_version="1", versions={"numpy": "2"}, seeds={"split": 0}, threads=1,
                    saved=saved(cases, folds, changed.get("held_out")), rerun=Rerun(difference=0.0, n=n, why=""),
                    abstention=Abstention(n=n, armed={"outside": 1}))
    return replace(known, **changed)


def facts(folds: list[Fold], **changed) -> list[FoldFacts]:
    """What an honest fold records."""
    return [replace(FoldFacts(each.repeat, each.number, len(each.train), len(each.test), len(each.train),
                              len(each.train), rows_sha256(each.train)), **changed) for each in folds]


def saved(cases: Cases, folds: list[Fold], held_out: np.ndarray | None = None) -> SavedSplit:
    """The split as an honest run finds it on disk."""
    names = np.array([str(each) for each in cases.patients])
    closed = np.empty(0, dtype=np.int64) if held_out is None else held_out
    return SavedSplit(list(folds), closed, np.array([str(each) for each in cases.rows]), names)


def baselines(cases: Cases, folds: list[Fold], **of_regression) -> dict[str, Predictions]:
    """Prevalence, and a plain regression that knows a little."""
    name = "ridge" if cases.task == "regression" else "logistic"
    return {"prevalence": prevalence_baseline(cases, folds),
            name: predicted(cases, folds, **({"signal": 0.8, "seed": 9} | of_regression))}


def run_check(check: str, cases: Cases | None = None, *, folds: list[Fold] | None = None,
              prediction: dict | None = None, draws: int = 1000, **changed) -> Check:
    """One check of a made-up evaluation in which all others pass."""
    cases = cases or made_cases()
    folds = folds or dealt(cases.patients)
    known = made_context(cases, folds, **changed)
    report = evaluate(predicted(cases, known.folds, **(prediction or {})), baselines(cases, known.folds), known, seed=0,
                      draws=draws)
    return next(each for each in report.checks if each.id == check)


def of_patients(cases: Cases, patients: np.ndarray) -> Cases:
    return replace(cases, patients=patients)
