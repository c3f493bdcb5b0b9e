"""Judge model.onnx on your own patients, offline: `python validate.py patients.csv --name "Our hospital"`.

Writes result.json: figures with intervals, counts and curves of all patients together; no row, no patient, no group of
fewer than 10. Read it, then send it back. Needs onnxruntime and numpy; columns that are called otherwise with you:
--map "your name=our name". Pictures: a column "picture" names .pgm, .ppm or .npy files beside the table.
"""

import argparse
import csv
import hashlib
import io
import json
import time
from pathlib import Path

import numpy as np
from cells import value
from curves import bins, grid, net_benefit, roc
from figures import calibration_line, delong, figures_of
from groups import groups_of, without_small
from run import SCHEMA, answers

FEWEST = 10  # patients of a group that may be told of
LEAST = 30  # rows, below which nothing is judged


def read(path, renamed):
    """Rows as dictionaries under our names; the separator is whatever the first line holds most of."""
    text = Path(path).read_text(encoding="utf-8-sig")
    first = text.split("\n", 1)[0]
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count)))
    rows = [{renamed.get(name, name): cell or "" for name, cell in row.items() if name} for row in rows]
    needed = [SCHEMA["target"]["name"], *(column["name"] for column in SCHEMA["columns"])]
    gone = [name for name in needed if rows and name not in rows[0]]
    if gone or not rows:
        raise SystemExit(f"The table has no column {', '.join(gone)}. Say what it is called: --map \"yours={gone[0]}\""
                         if gone else "The table has no rows.")
    return rows


def outcomes(rows):
    """(n,) codes of classes or numbers; NaN where there is none, or one that the model does not know."""
    target, classes = SCHEMA["target"], SCHEMA["classes"]
    found = [value(target, row[target["name"]]) for row in rows]
    if target["how"] == "number":
        return np.array(found, dtype=float)
    if target["how"] == "above zero":
        return np.array([np.nan if np.isnan(each) else float(each > 0) for each in found])
    if target["how"] == "the rest":
        return np.array([np.nan if each == "" else float(each == SCHEMA["positive"]) for each in found])
    return np.array([classes.index(each) if each in classes else np.nan for each in found], dtype=float)


def kept(rows, y):
    """Rows with an outcome, equal ones once where the model was trained so."""
    seen, chosen = set(), []
    for place, row in enumerate(rows):
        same = tuple(sorted(row.items()))
        if not np.isnan(y[place]) and not (SCHEMA["once"] and same in seen):
            chosen.append(place)
        seen.add(same)
    return chosen


def patients_of(rows):
    """(n,) the same number for rows of one patient."""
    name = SCHEMA["patient"]
    named = [row.get(name, "").strip() if name else "" for row in rows]
    labels = [each or f"\x1f{place}" for place, each in enumerate(named)]
    return np.unique(labels, return_inverse=True)[1]


def told_of(n):
    """A count of rows; none from 1 to 9."""
    return n if n == 0 or n >= FEWEST else f"fewer than {FEWEST}"


def columns_here(rows):
    """What these patients are like: missing cells, percentiles, shares of known categories of 10 rows and more."""
    found = {}
    for column in SCHEMA["columns"]:
        cells = [value(column, row[column["name"]]) for row in rows]
        if column["type"] == "text":
            labels, counts = np.unique([each for each in cells if each], return_counts=True)
            named = [str(label) if str(label) in column["usual"] else None for label in labels]
            known = {label: int(n) for label, n in zip(named, counts, strict=True) if label is not None}
            rest = len(cells) - sum(known.values())  # unknown ones, and missing ones where they are few
            shown = without_small(known | {None: rest - (cells.count("") if cells.count("") >= FEWEST else 0)}, FEWEST)
            found[column["name"]] = {"missing": told_of(cells.count("")), "shares": {name: round(n / len(cells), 2)
                                                                            for name, n in shown.items()}}
            continue
        numbers = np.array([each for each in cells if each == each], dtype=float)
        middle = [float(f"{each:.3g}") for each in np.quantile(numbers, [0.05, 0.5, 0.95])] \
            if len(numbers) >= 2 * FEWEST else None
        found[column["name"]] = {"missing": told_of(len(cells) - len(numbers)), "5 %, median, 95 %": middle}
    return found


def judged(rows, y, p, patients):
    """The figures as MedML keeps them, and the grid of thresholds that its curves are cut at."""
    binary = SCHEMA["task"] == "binary"
    counts = np.bincount(y.astype(int), minlength=len(SCHEMA["classes"])) if SCHEMA["classes"] else [len(y)]
    if len(y) < LEAST or min(counts) < FEWEST:
        raise SystemExit(f"There are too few patients to judge by: {len(y)} rows, {min(counts)} of the rarest outcome.")

    def cells_of(column):
        return [value(column, row[column["name"]]) for row in rows]
    found = {"checkpoint": SCHEMA["checkpoint"], "found_by": "capsule", "n_cases": len(y),
             "n_patients": int(patients.max()) + 1, "n_events": int(counts[1]) if binary else None,
             "threshold": SCHEMA["computed_threshold"], "metrics": figures_of(SCHEMA, y, p, patients),
             "calibration_line": calibration_line(SCHEMA, y, p, patients),
             "subgroups": groups_of(SCHEMA, cells_of, y, p, patients, FEWEST)}
    if not binary:
        return found, []
    yes, threshold = p[:, 1], SCHEMA["computed_threshold"]
    told = grid(y, yes, FEWEST, yes >= (0.5 if threshold is None else threshold))
    asked = SCHEMA["net_benefit"]
    return found | {"auroc_delong": delong(y, yes) if patients.max() + 1 == len(y) else None, "roc": roc(told),
                    "calibration": bins(y, yes, told) if told else None,
                    "net_benefit": net_benefit(y, yes, patients, told, asked) if asked else None}, told


def main(arguments=None):
    """Read, predict, judge, and write result.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("--name", default="another place", help="what your place is to be called in the report")
    parser.add_argument("--map", action="append", default=[], metavar="YOURS=OURS")
    parser.add_argument("--out", default="result.json")
    asked = parser.parse_args(arguments)
    renamed = dict(pair.rpartition("=")[::2] for pair in asked.map)
    rows = read(asked.table, renamed)
    y = outcomes(rows)
    chosen = kept(rows, y)
    used, y = [rows[place] for place in chosen], y[chosen]
    folder = Path(asked.table).parent
    computed, why = answers(used if SCHEMA["columns"] else [folder / row["picture"] for row in used], "computed")
    p = computed[:, 0] if not SCHEMA["classes"] else computed
    digest = hashlib.sha256(Path(asked.table).read_bytes()).hexdigest()
    found, told = judged(used, y, p, patients_of(used))
    left_out = len(rows) - len(used)
    found |= {"id": "", "made": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()), "source": asked.name,
              "data_sha256": digest, "renamed": renamed, "n_left_out": left_out if left_out >= FEWEST else 0}
    result = {"format": "medml site result", "version": 1, "run": SCHEMA["run"], "model_sha256": SCHEMA["model_sha256"],
              "external": found, "grid": told, "left_out": told_of(left_out), "no_answer": told_of(sum(map(bool, why))),
              "columns": columns_here(used)}
    Path(asked.out).write_text(json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")


if __name__ == "__main__":
    main()
