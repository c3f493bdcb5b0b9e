"""The six public sets of the comparison, and the folds that every tool shares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[1] / "shared" / "data"
OUT = HERE / "out" / "auto"
REPEATS, FOLDS = 10, 5
TARGET = "outcome"


class Source(NamedTuple):
    target: str
    positive: tuple[str, ...]  # values of the target that count as "yes"
    leave_out: tuple[str, ...] = ()


SETS = {
    "heart_cleveland": Source("num", ("1", "2", "3", "4")),
    "pima_diabetes": Source("Outcome", ("1",)),
    "hepatitis_uci": Source("Class", ("DIE",)),
    "breast_cancer_wdbc": Source("diagnosis", ("M",)),
    "heart_failure_records": Source("DEATH_EVENT", ("1",), ("time",)),  # the length of follow-up gives it away
    "thyroid_cancer_recurrence": Source("Reccured", ("1",)),
}


def csv_of(name: str) -> Path:
    """The table that every tool is given: as published, without copies of rows, the outcome as 0 and 1."""
    path = OUT / "sets" / name / f"{name}.csv"
    if not path.exists():
        source = SETS[name]
        frame = pd.read_csv(DATA / name / f"{name}.csv", dtype=str, keep_default_na=False).drop_duplicates()
        yes = frame.pop(source.target).str.strip().isin(source.positive).astype(int)
        frame = frame.drop(columns=list(source.leave_out)).assign(**{TARGET: yes})
        path.parent.mkdir(parents=True, exist_ok=True)
        frame.to_csv(path, index=False)
    return path


def folds_of(name: str) -> np.ndarray:
    """(REPEATS, n) the fold of each row, stratified; rows equal in all predictors stay together. Written beside."""
    from sklearn.model_selection import StratifiedGroupKFold

    path = OUT / "sets" / name / "folds.json"
    if not path.exists():
        frame = pd.read_csv(csv_of(name), dtype=str, keep_default_na=False)
        y = frame.pop(TARGET).astype(int).to_numpy()
        groups = pd.util.hash_pandas_object(frame, index=False).factorize()[0]
        parts = np.zeros((REPEATS, len(y)), dtype=int)
        for repeat in range(REPEATS):
            splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=repeat)
            for fold, (_, test) in enumerate(splitter.split(frame, y, groups)):
                parts[repeat, test] = fold
        path.write_text(json.dumps(parts.tolist()))
    return np.array(json.loads(path.read_text()))


def outcome_of(name: str) -> np.ndarray:
    """(n,) 0 or 1."""
    return pd.read_csv(csv_of(name), usecols=[TARGET])[TARGET].to_numpy()


def result_of(name: str, tool: str, repeat: int, fold: int) -> Path:
    """Where a tool's probabilities for one fold lie; a result that is there is not computed again."""
    return OUT / "results" / tool / name / f"{repeat}-{fold}.json"
