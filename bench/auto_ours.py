"""MedML's own side of the comparison: the whole line, from the file to probabilities, on the shared folds."""

from __future__ import annotations

import functools
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.auto_sets import TARGET, csv_of, folds_of, result_of
from medml import data, families, profile, recipe
from medml.cases import Cases, FitData
from medml.encode import Encoder
from medml.home import sha256_of
from medml.types import Recipe


@functools.cache
def cases_of(name: str) -> tuple[Cases, Recipe]:
    """Scan, propose and apply the steps that learn nothing, as the app does, with nothing set by hand."""
    folder = csv_of(name).parent
    scanned = profile.scan(folder)
    choice = profile.propose_choice(scanned, table=f"{name}.csv", target=TARGET, positive="1")
    choice = choice.model_copy(update={"patient": None, "leave_out": []})
    table = scanned.table(choice.table)
    planned = recipe.propose_recipe(table, choice, sha256_of(scanned))
    opened = data.open_table(folder, choice.table)
    cases, _ = recipe.prepare(opened.frame(), planned, table, choice, short=opened.short)
    return cases, planned


def fit_and_predict(name: str, family: str, params: dict[str, Any], repeat: int, fold: int) -> tuple[np.ndarray, float]:
    """Probabilities for one fold's rows, and the seconds from raw training rows to a fitted model."""
    cases, planned = cases_of(name)
    parts = folds_of(name)[repeat][cases.rows]
    if len(cases.rows) != folds_of(name).shape[1]:
        raise ValueError(f"{name}: the recipe left {len(cases.rows)} rows; folds are for {folds_of(name).shape[1]}")
    train, test = np.flatnonzero(parts != fold), np.flatnonzero(parts == fold)
    started = time.perf_counter()
    cleaner = recipe.Cleaner(planned, cases.kinds).fit(cases.X.iloc[train])
    cleaned = cleaner.transform(cases.X.iloc[train])
    encoder = Encoder().fit(cleaned, cases.kinds)
    kind = families.registry.get(family)
    rows = FitData(X=encoder.transform(cleaned), y=cases.y[train], patients=cases.patients[train], task=cases.task,
                   n_classes=2, names=list(encoder.names), origins=list(encoder.origins))
    fitted = kind.fit(rows, params, seed=repeat)
    seconds = time.perf_counter() - started
    return kind.predict(fitted, encoder.transform(cleaner.transform(cases.X.iloc[test])))[:, 1], seconds


@functools.cache
def tool_name(family: str) -> str:
    """Named by what it says on one fold of the smallest set: code that says something else is another tool."""
    p, _ = fit_and_predict("hepatitis_uci", family, {}, 0, 0)
    return f"medml-{family}-{hashlib.sha256(p.tobytes()).hexdigest()[:8]}"


def run(name: str, family: str, repeat: int, fold: int) -> Path:
    """One fold's result, computed unless it lies there already for this very code."""
    path = result_of(name, tool_name(family), repeat, fold)
    if not path.exists():
        cpu = time.process_time()
        p, seconds = fit_and_predict(name, family, {}, repeat, fold)
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".part")
        half.write_text(json.dumps({"p": p.tolist(), "seconds": seconds, "cpu_seconds": time.process_time() - cpu}))
        half.replace(path)
    return path
