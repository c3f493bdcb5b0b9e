"""Scan of a large table against a raw read of its file: `python -m bench.scan [ROWS ...] [--runs N] [--peers]`.

Prints a table for each number of rows (10,000,000 by default): median wall time of interleaved runs, its ratio to the
raw read, the same of CPU time (which other work on the machine moves less), and the peak of memory, each measured in a
process of its own. The file (20 columns, about 113 bytes a row, 0.5 % exact duplicates) is made in a temporary folder
and removed. No threshold is tested here; the figures to beat stand under the table.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from medml import memory

memory.keep_freed()  # as the worker and the command line do before they import Polars
import polars as pl  # noqa: E402

PIECE = 500_000
GOAL = "to beat: 10 x the raw read; 600 MiB at 10,000,000 rows, no more than 5 % above that at 40,000,000"
SITES = np.array([f"site_{i:02d}" for i in range(30)])
ICD = np.array([f"{chr(65 + i % 26)}{i % 100:02d}.{i % 10}" for i in range(800)])
RACES = np.array(["White", "Black", "Asian", "Hispanic", "Other"])
SMOKING = np.array(["never", "former", "current", "unknown"])


def make_table(path: Path, rows: int) -> None:
    """Write the synthetic cohort: 20 columns, seed 0, every 200th row a copy of an earlier one."""
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        for start in range(0, rows, PIECE):
            n = min(PIECE, rows - start)
            frame = piece(rng, start, n)
            order = np.arange(n)
            order[rng.choice(n, n // 200, replace=False)] = rng.integers(0, n, n // 200)
            frame[order].write_csv(file, include_header=start == 0)


def piece(rng: np.random.Generator, start: int, n: int) -> pl.DataFrame:
    """Rows start .. start + n of the cohort."""
    def normal(mean: float, sd: float, digits: int) -> np.ndarray:
        return np.round(rng.normal(mean, sd, n), digits)

    def some(values: np.ndarray, share: float) -> pl.Series:
        return pl.Series(values).set(pl.Series(rng.random(n) < share), None)

    day = dt.date(2010, 1, 1).toordinal() - dt.date(1970, 1, 1).toordinal()
    return pl.DataFrame({
        "patient_id": np.arange(start, start + n) + 100_000, "site": SITES[rng.integers(0, 30, n)],
        "age": rng.integers(18, 95, n), "sex": np.array(["F", "M"])[rng.integers(0, 2, n)],
        "race": some(RACES[rng.integers(0, 5, n)], 0.03),
        "admit_date": pl.Series(rng.integers(day, day + 5090, n)).cast(pl.Int32).cast(pl.Date),
        "height_cm": some(normal(170, 10, 1), 0.05), "weight_kg": some(normal(78, 16, 1), 0.05),
        "sbp": some(rng.integers(90, 200, n), 0.02), "dbp": some(rng.integers(50, 120, n), 0.02),
        "hr": rng.integers(45, 140, n), "glucose": some(normal(110, 35, 2), 0.1),
        "creatinine": some(np.round(rng.lognormal(0, 0.4, n), 3), 0.12), "ldl": some(normal(120, 30, 1), 0.2),
        "hba1c": some(normal(6.1, 1.1, 2), 0.35), "icd10": ICD[np.minimum(rng.geometric(0.01, n), 800) - 1],
        "smoker": SMOKING[rng.integers(0, 4, n)], "los_days": np.round(rng.exponential(5, n), 4),
        "risk_score": rng.random(n).round(8),
        "died": np.array(["no", "yes"])[(rng.random(n) < 0.11).astype(int)]})


def raw(path: str) -> dict:
    """The yardstick: read every byte once and count the lines."""
    lines = 0
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(1 << 20):
            lines += chunk.count(b"\n")
    return {"rows": lines - 1}


def medml(path: str) -> dict:
    """What a person waits for: MedML's whole scan, SHA-256 of the file included."""
    from medml import profile
    table = profile.scan(Path(path)).tables[0]
    return {"rows": table.rows, "duplicates": table.duplicates, "target": table.targets[0].column}


def parse(path: str) -> dict:
    """Parsing alone: Polars, streaming, count of missing cells."""
    found = pl.scan_csv(path).select(pl.len(), pl.all().null_count()).collect(engine="streaming")
    return {"rows": found.row(0)[0]}


def pandas(path: str) -> dict:
    """The usual first cell of a notebook; all rows in memory."""
    import pandas as pd
    frame = pd.read_csv(path)
    frame.describe(include="all")
    frame.nunique()
    return {"rows": len(frame), "duplicates": int(frame.duplicated().sum())}


def duckdb(path: str) -> dict:
    """DuckDB's SUMMARIZE, which counts no duplicates."""
    import duckdb as db
    found = db.sql(f"SUMMARIZE SELECT * FROM read_csv('{path}')").fetchall()
    return {"columns": len(found)}


CONTENDERS = {each.__name__: each for each in (raw, medml, parse, pandas, duckdb)}


def measured(name: str, path: Path, folder: Path) -> dict:
    """Run one contender in a process of its own; imports are not counted in its seconds."""
    home = {"MEDML_HOME": str(folder / "home"), "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    done = subprocess.run([sys.executable, "-m", "bench.scan", "--one", name, str(path)], env=os.environ | home,
                          capture_output=True, text=True, cwd=home["PYTHONPATH"], check=False)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "ended"}
    return json.loads(done.stdout)


def run_one(name: str, path: str) -> None:
    """In the child: the work, its wall time, its CPU time and the process's peak of memory."""
    if name == "medml":
        import medml.profile  # noqa: F401 - the app has it loaded
    start, cpu = time.perf_counter(), time.process_time()
    found = CONTENDERS[name](path)
    print(json.dumps({"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, "mib": peak_mib(),
                      **found}))


def peak_mib() -> float:
    """The most memory that this process has held, MiB. (Linux's ru_maxrss would count the parent's, before exec.)"""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 2**10
    try:
        import resource
    except ImportError:  # Windows
        import psutil
        return psutil.Process().memory_info().peak_wset / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def compare(rows: int, runs: int, names: list[str]) -> None:
    """Make the file, run every contender `runs` times in turn, print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "cohort.csv"
        make_table(path, rows)
        found: dict[str, list[dict]] = {each: [] for each in names}
        for _ in range(runs):
            for each in names:
                found[each].append(measured(each, path, folder))
        print_table(rows, path.stat().st_size, found)


def print_table(rows: int, size: int, found: dict[str, list[dict]]) -> None:
    print(f"\n{rows:,} rows, {size / 1e6:,.0f} MB, {len(found['raw'])} interleaved runs, {os.cpu_count()} cores")
    print(f"{'':8}{'wall s':>10}{'x raw':>8}{'CPU s':>8}{'x raw':>8}{'peak MiB':>10}  found")
    base, base_cpu = (statistics.median(each[key] for each in found["raw"]) for key in ("seconds", "cpu"))
    for name, results in found.items():
        whole = [each for each in results if "failed" not in each]
        if not whole:
            print(f"{name:8} {results[0]['failed']}")
            continue
        wall, cpu = (statistics.median(each[key] for each in whole) for key in ("seconds", "cpu"))
        facts = {key: value for key, value in whole[0].items() if key not in ("seconds", "cpu", "mib")}
        print(f"{name:8}{wall:10.2f}{wall / base:8.1f}{cpu:8.1f}{cpu / base_cpu:8.1f}"
              f"{max(each['mib'] for each in whole):10.0f}  {facts}")
    ratios = [ours["seconds"] / theirs["seconds"] for ours, theirs in zip(found["medml"], found["raw"], strict=True)]
    print(f"medml / raw, run by run: {', '.join(f'{each:.1f}' for each in ratios)}; "
          f"median {statistics.median(ratios):.1f}\n{GOAL}")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("rows", nargs="*", type=lambda text: int(float(text)), default=[10_000_000])
    asked.add_argument("--runs", type=int, default=5)
    asked.add_argument("--peers", action="store_true", help="parsing alone, pandas and DuckDB beside it")
    asked.add_argument("--one", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.one:
        run_one(*given.one)
        return
    for rows in given.rows:
        compare(rows, given.runs, ["raw", "medml"] + ["parse", "pandas", "duckdb"] * given.peers)


if __name__ == "__main__":
    main()
