"""What explaining 200 patients costs, by family, beside the shap package.

    python -m bench.explain [--rows 1500] [--columns 30] [--without-shap]

CPU seconds of one thread, the model fitted beforehand. shap's PermutationExplainer gets the same 100 background rows as
ours and its own default number of permutations; its values and ours are compared by their correlation. A vote is
compared with asking it as a whole by permutation. Needs what tests/requirements.txt lists.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MEDML_THREADS", "1")

import numpy as np  # noqa: E402
import torch  # noqa: E402

from medml.cases import FitData  # noqa: E402
from medml.explain import _families  # noqa: E402
from medml.explain.units import said_in  # noqa: E402
from medml.families import registry  # noqa: E402

PATIENTS, BACKGROUND = 200, 100
GOALS = {"logistic": "0.5", "boosting": "0.5", "mlp": "a tenth of shap's", "forest": "15", "auto": "15"}


def table(n: int, p: int, seed: int = 0) -> FitData:
    """Columns of which eight tell the outcome, six of them in pairs, one bent: what no sum of columns says."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, p))
    signal = 1.5 * X[:, 0] * X[:, 1] + 1.5 * X[:, 2] * X[:, 3] + 2 * np.abs(X[:, 4]) + X[:, 5] + X[:, 6] * X[:, 7]
    y = (signal - 1.6 + 0.5 * random.normal(size=n) > 0).astype(np.int64)
    names = [str(place) for place in range(p)]
    return FitData(X=X, y=y, patients=np.arange(n), task="binary", n_classes=2, names=names, origins=names)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds and what came of it."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def alike(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def ours(name: str, model: Any, X: np.ndarray, asked: _families.Asked) -> tuple[float, float, np.ndarray, float]:
    """CPU s for all patients, for one, their values, and the largest gap to the model's own answer."""
    _families.explain(name, model, X[:1], asked)  # imports
    seconds, (values, base) = timed(lambda: _families.explain(name, model, X, asked))
    one, _ = timed(lambda: _families.explain(name, model, X[:1], asked))
    own = said_in(_families.unit_of(name, asked.task), registry.get(name).predict(model, X))
    return seconds, one, values, float(np.abs(base + values.sum(axis=2) - own).max())


def permutation_of_shap(model: Any, X: np.ndarray, background: np.ndarray) -> tuple[float, np.ndarray]:
    import shap

    family = registry.get("mlp")
    ask = lambda rows: said_in("log-odds", family.predict(model, rows))[:, 0]  # noqa: E731
    shap.PermutationExplainer(ask, background, seed=0)(X[:1], silent=True)  # compiles
    explainer = shap.PermutationExplainer(ask, background, seed=0)
    seconds, found = timed(lambda: explainer(X, silent=True))
    return seconds, found.values


def trees_of_shap(model: Any, X: np.ndarray) -> tuple[float, np.ndarray]:
    import shap

    explainer = shap.TreeExplainer(model.model)
    seconds, found = timed(lambda: explainer.shap_values(X, check_additivity=False))
    return seconds, found[:, :, 1]


def beside(name: str, model: Any, X: np.ndarray, asked: _families.Asked, values: np.ndarray,
           with_shap: bool) -> str:
    """What the peer of this family took, and how alike its values are."""
    if name == "auto":
        seconds, (whole, _) = timed(lambda: _families._any_model(name, model, X[:10], asked))
        return f"asked as a whole: {seconds * len(X) / 10:.0f} s, r {alike(values[:10], whole):.3f} (10 patients)"
    if not with_shap or name not in ("mlp", "forest"):
        return ""
    seconds, theirs = (permutation_of_shap(model, X, asked.background) if name == "mlp" else trees_of_shap(model, X))
    return f"shap: {seconds:.1f} s, r {alike(values[:, 0], theirs):.4f}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1500)
    options.add_argument("--columns", type=int, default=30)
    options.add_argument("--without-shap", action="store_true")
    given = options.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    data = table(given.rows, given.columns)
    X, background = data.X[:PATIENTS], table(BACKGROUND, given.columns, seed=1).X
    asked = _families.Asked("binary", np.arange(given.columns), background)
    print(f"{PATIENTS} patients, {given.columns} columns, trained on {given.rows:,} rows\n")
    print(f"{'':10}{'CPU s':>8}{'goal':>20}{'one patient':>14}{'adds up to':>12}   beside it")
    for name in GOALS:
        model = registry.get(name).fit(data, {}, seed=0)
        seconds, one, values, gap = ours(name, model, X, asked)
        peer = beside(name, model, X, asked, values, not given.without_shap)
        print(f"{name:10}{seconds:8.2f}{GOALS[name]:>20}{one:14.3f}{gap:12.1e}   {peer}", flush=True)


if __name__ == "__main__":
    main()
