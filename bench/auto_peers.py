"""Runs peers on the shared folds, inside their own environment; knows nothing of MedML. Started by bench/auto.py.

    python auto_peers.py FOLDER TOOL REPEATS     FOLDER holds sets/<name>/{<name>.csv, folds.json}; results go beside
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy: the same threads for everybody

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
FLAML_SECONDS = 15  # wall time; on a busy machine about a third of it is computing: see cpu_seconds in the results
AUTOGLUON_SECONDS = 600  # never reached: medium_quality ends by itself within 60 CPU seconds, which the table checks


def split_kinds(X: pd.DataFrame) -> tuple[list[str], list[str]]:
    numbers = [name for name in X if X[name].dtype.kind in "iufb"]
    return numbers, [name for name in X if name not in numbers]


def one_hot(X: pd.DataFrame):
    """Median with indicator and scaling for numbers, one column a category: the textbook preparation."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers, words = split_kinds(X)
    return make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", min_frequency=5, sparse_output=False), words))


def codes(X: pd.DataFrame):
    """Numbers as they are, missing ones too; categories as codes: what boosting libraries take."""
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OrdinalEncoder

    numbers, words = split_kinds(X)
    return make_column_transformer(("passthrough", numbers), (OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1), words))


def pipeline(tool: str, X: pd.DataFrame, seed: int):
    from sklearn.pipeline import make_pipeline

    if tool == "logistic":
        from sklearn.linear_model import LogisticRegressionCV
        return make_pipeline(one_hot(X), LogisticRegressionCV(Cs=np.logspace(-3, 2, 8), cv=5, max_iter=3000,
                                                              scoring="neg_log_loss"))
    if tool == "forest":
        from sklearn.ensemble import RandomForestClassifier
        return make_pipeline(one_hot(X), RandomForestClassifier(500, n_jobs=1, random_state=seed))
    if tool == "xgboost":
        from xgboost import XGBClassifier
        return make_pipeline(codes(X), XGBClassifier(n_jobs=1, random_state=seed))
    if tool == "lightgbm":
        from lightgbm import LGBMClassifier
        return make_pipeline(codes(X), LGBMClassifier(n_jobs=1, verbose=-1, random_state=seed))
    from catboost import CatBoostClassifier
    return make_pipeline(codes(X), CatBoostClassifier(verbose=0, thread_count=1, random_seed=seed,
                                                      allow_writing_files=False))


def flaml(X: pd.DataFrame, y: np.ndarray, X_test: pd.DataFrame, seed: int) -> np.ndarray:
    from flaml import AutoML

    def as_categories(frame: pd.DataFrame) -> pd.DataFrame:
        words = split_kinds(X)[1]
        return frame.assign(**{name: frame[name].astype("object").fillna("NA").astype("category") for name in words})

    model = AutoML()
    model.fit(as_categories(X), y, task="classification", metric="log_loss", time_budget=FLAML_SECONDS, verbose=0,
              seed=seed, n_jobs=1, estimator_list=["lgbm", "rf", "xgboost", "extra_tree", "xgb_limitdepth", "lrl1"])
    return model.predict_proba(as_categories(X_test))[:, 1]


def autogluon(X: pd.DataFrame, y: np.ndarray, X_test: pd.DataFrame, seed: int) -> np.ndarray:
    from autogluon.tabular import TabularPredictor

    folder = tempfile.mkdtemp(prefix="autogluon-")
    try:
        predictor = TabularPredictor("outcome", eval_metric="log_loss", path=folder, verbosity=0)
        predictor.fit(X.assign(outcome=y), presets="medium_quality", time_limit=AUTOGLUON_SECONDS, num_cpus=1,
                      num_gpus=0)
        return predictor.predict_proba(X_test)[1].to_numpy()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def predict(tool: str, X: pd.DataFrame, y: np.ndarray, X_test: pd.DataFrame, seed: int) -> np.ndarray:
    if tool == "flaml":
        return flaml(X, y, X_test, seed)
    if tool == "autogluon":
        return autogluon(X, y, X_test, seed)
    return pipeline(tool, X, seed).fit(X, y).predict_proba(X_test)[:, 1]


def main(folder: Path, tool: str, repeats: int) -> None:
    places = sorted((folder / "sets").iterdir())
    for repeat in range(repeats):
        for place in places:
            frame = pd.read_csv(place / f"{place.name}.csv", na_values=["?"])
            parts = np.array(json.loads((place / "folds.json").read_text())[repeat])
            for fold in np.unique(parts):
                result = folder / "results" / tool / place.name / f"{repeat}-{fold}.json"
                if not result.exists():
                    one_fold(tool, frame, parts == fold, repeat, result)
        print(f"{tool}: repeat {repeat + 1} of {repeats} done", flush=True)


def one_fold(tool: str, frame: pd.DataFrame, test: np.ndarray, seed: int, result: Path) -> None:
    """Fit on the rest, predict the test rows, keep probabilities and seconds; a file is whole or absent."""
    X, y = frame.drop(columns="outcome"), frame["outcome"].to_numpy()
    wall, cpu = time.perf_counter(), time.process_time()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        p = predict(tool, X[~test], y[~test], X[test], seed=seed)
    body = {"p": [float(each) for each in p], "seconds": time.perf_counter() - wall,
            "cpu_seconds": time.process_time() - cpu}
    result.parent.mkdir(parents=True, exist_ok=True)
    half = result.with_suffix(".part")
    half.write_text(json.dumps(body))
    half.replace(result)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
