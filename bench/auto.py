"""Compare `auto` with its peers on six public clinical sets, on shared folds. One command, a table.

    python -m bench.auto --peers-env /tmp/peers        makes the peers' environment, runs whatever is missing, prints
    python -m bench.auto --only-table                  prints what has been computed so far

Everything runs on one thread. Results are kept a (set, tool, repeat, fold) under bench/out/auto: stop and start as
you like. Other code of ours gives other file names, so an old figure is never shown for new code.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")  # before numpy: the same threads for everybody

import numpy as np  # noqa: E402

from bench import auto_ours  # noqa: E402
from bench.auto_sets import FOLDS, HERE, OUT, REPEATS, SETS, folds_of, outcome_of, result_of  # noqa: E402

PEERS = {"autogluon": 2, "logistic": 10, "forest": 10, "xgboost": 10, "lightgbm": 10, "catboost": 10, "flaml": 2}
ALLOWED = {"autogluon": 60.0}  # CPU seconds a fit that the comparison grants
LONGEST = 10.0  # seconds that a fit of ours may take


def peers_env(folder: Path) -> Path:
    """The peers' Python, made from bench/peers.txt on first use."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "-r", str(HERE / "peers.txt")], check=True)
    return python


def run_peer(python: Path, folder: Path, peer: str, repeats: int) -> None:
    """Every fold of one peer, in its own environment; a result that is there is not computed again."""
    script = str(HERE / "auto_peers.py")  # -P: beside it lies queue.py, which would stand before Python's own
    subprocess.run([str(python), "-P", script, str(folder), peer, str(repeats)], check=True)


def auroc(y: np.ndarray, p: np.ndarray) -> float:
    """Share of pairs (case, control) in the right order, ties as a half (Mann and Whitney 1947)."""
    cases, controls = p[y == 1], p[y == 0]
    return float((np.sign(cases[:, None] - controls[None, :]).mean() + 1) / 2)


def log_loss(y: np.ndarray, p: np.ndarray) -> float:
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return float(-np.mean(np.where(y == 1, np.log(p), np.log(1 - p))))


def figures(name: str, tool: str) -> dict[tuple[int, int], tuple[float, float, float, float]]:
    """(repeat, fold) -> AUROC, log-loss, wall seconds, CPU seconds, of every fold that has been computed."""
    y, parts, found = outcome_of(name), folds_of(name), {}
    for repeat in range(REPEATS):
        for fold in range(FOLDS):
            path = result_of(name, tool, repeat, fold)
            if path.exists():
                result = json.loads(path.read_text())
                truth, p = y[parts[repeat] == fold], np.array(result["p"])
                found[repeat, fold] = auroc(truth, p), log_loss(truth, p), result["seconds"], result["cpu_seconds"]
    return found


def corrected(differences: np.ndarray) -> tuple[float, float]:
    """Mean of paired differences over folds, and the half-width of its 95 % interval.

    Corrected resampled t (Nadeau and Bengio 2003): folds share training rows, so the variance is inflated from 1/J to
    1/J + n_test/n_train = 1/J + 1/4; J - 1 degrees of freedom.
    """
    from scipy import stats

    n = len(differences)
    spread = differences.std(ddof=1) * np.sqrt(1 / n + 1 / (FOLDS - 1))
    return float(differences.mean()), float(stats.t.ppf(0.975, n - 1) * spread)


def compare(ours: str, peer: str, place: int) -> tuple[list[str], list[float], list[float], int]:
    """Cells "difference [interval]" a set, and what the mean over sets is made of."""
    cells, means, widths, folds = [], [], [], 0
    for name in SETS:
        mine, theirs = figures(name, ours), figures(name, peer)
        shared = sorted(set(mine) & set(theirs))
        if len(shared) < 3:  # no interval yet
            cells.append("-")
            continue
        mean, width = corrected(np.array([mine[key][place] - theirs[key][place] for key in shared]))
        cells.append(f"{mean:+.4f} [{mean - width:+.4f}, {mean + width:+.4f}]")
        means.append(mean)
        widths.append(width)
        folds += len(shared)
    return cells, means, widths, folds


def table(ours: str) -> None:
    print(f"\n{ours}: folds done " + ", ".join(f"{name} {len(figures(name, ours))}" for name in SETS))
    for place, title in ((0, "AUROC (ours - peer; above 0 is better)"),
                         (1, "log-loss (ours - peer; below 0 is better)")):
        own = [np.mean([each[place] for each in figures(name, ours).values() or [(np.nan,) * 4]]) for name in SETS]
        print(f"\n{title}; 95 % intervals by the corrected resampled t\n{'':11}" +
              "".join(f"{name[:26]:>28}" for name in SETS))
        print(f"{'ours':11}" + "".join(f"{each:28.4f}" for each in own))
        for peer in PEERS:
            cells, means, widths, folds = compare(ours, peer, place)
            print(f"{peer:11}" + "".join(f"{cell:>28}" for cell in cells))
            if means:
                half = float(np.sqrt(np.sum(np.square(widths)))) / len(widths)  # sets are independent
                print(f"{'':11}mean over {len(means)} sets, {folds} folds: {np.mean(means):+.4f} "
                      f"[{np.mean(means) - half:+.4f}, {np.mean(means) + half:+.4f}]")
    seconds_table(ours)


def seconds_table(ours: str) -> None:
    print("\nmedian seconds a fit, wall (CPU); one thread")
    for tool in [ours, *PEERS]:
        rows = [list(figures(name, tool).values()) for name in SETS]
        print(f"{tool[:11]:11}" + "".join(
            f"{np.median([each[2] for each in found]):14.1f} ({np.median([each[3] for each in found]):.1f})"
            if found else f"{'-':>18}" for found in rows))
        most = max((each[3] for found in rows for each in found), default=0.0)
        if tool in ALLOWED:
            print(f"{'':11}longest: {most:.0f} CPU s of {ALLOWED[tool]:.0f} granted")
        if tool == ours:
            longest = max((each[2] for found in rows for each in found), default=0.0)
            print(f"{'':11}longest: {longest:.1f} s ({most:.1f}); goal {LONGEST:.0f} s (no set has 1,000 rows)")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.auto", description=__doc__.splitlines()[0])
    parser.add_argument("--peers-env", type=Path, help="folder of the peers' environment, made if absent")
    parser.add_argument("--family", default="auto")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="of ours, at most 10")
    parser.add_argument("--only-table", action="store_true")
    asked = parser.parse_args()
    for name in SETS:
        folds_of(name)
    if not asked.only_table:
        for repeat in range(asked.repeats):
            for name in SETS:
                for fold in range(FOLDS):
                    auto_ours.run(name, asked.family, repeat, fold)
        if asked.peers_env:
            python = peers_env(asked.peers_env)
            for peer, repeats in PEERS.items():
                run_peer(python, OUT, peer, repeats)
    table(auto_ours.tool_name(asked.family))


if __name__ == "__main__":
    main()
