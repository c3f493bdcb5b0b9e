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
import sys
import time
from pathlib import Path

import numpy as np
from cells import content_of, value, with_empty
from curves import bins, grid, net_benefit, roc
from figures import calibration_line, delong, figures_of, lines_of_classes
from groups import FEWEST, groups_of, rarest, told_of, without_small
from hints import NO_VALUE, done, of_column, of_values
from run import SCHEMA, answers

LEAST = 30  # patients, below which nothing is judged


def read(path, pairs):
    """Rows as dictionaries under our names, and {their name: ours}; the separator is whatever the first line holds
    most of."""
    text = text_of(content_of(path))
    first = text.split("\n", 1)[0]
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count)))
    rows = [{name.strip(): cell or "" for name, cell in row.items() if name} for row in rows]
    target, columns = SCHEMA["target"]["name"], SCHEMA["columns"]
    renamed = named(pairs, [target, *(each["name"] for each in columns), SCHEMA["patient"]], rows[0] if rows else {})
    needed = [target, *(each["name"] for each in columns if each["needed"])]
    rows = [{renamed.get(name, name): cell for name, cell in row.items()
             if name in renamed or name not in renamed.values()} for row in rows]
    gone = [name for name in needed if rows and name not in rows[0]]
    if gone or not rows:
        raise SystemExit(f"The table has no column {', '.join(gone)}. Say what it is called: --map \"yours={gone[0]}\""
                         if gone else "The table has no rows.")
    return with_empty(rows), renamed


def text_of(content):
    """A file's text, in UTF-8 or as Excel writes it: UTF-16, or the Western code page."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def named(pairs, ours, theirs):
    """{their name: ours} of "theirs=ours"; a name of ours may hold a "=" itself."""
    found = {}
    for pair in pairs:
        parts = pair.split("=")
        both = [("=".join(parts[:at]).strip(), "=".join(parts[at:]).strip()) for at in range(1, len(parts))]
        chosen = next((each for each in both if each[1] in ours), both[-1] if both else ("", ""))
        if not all(chosen) or chosen[1] in found.values():
            raise SystemExit(f'"{pair}" does not say which column is which. Write --map "yours=ours", once for each.')
        if theirs and chosen[0] not in theirs:
            raise SystemExit(f"The table has no column {chosen[0]}. Write the name as it stands there.")
        found[chosen[0]] = chosen[1]
    return found


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
    return _renumbered(labels)


def _renumbered(labels):
    """(n,) 0 .. n_patients - 1"""
    return np.unique(labels, return_inverse=True)[1]


def columns_here(read_cells, patients):
    """What these patients are like: missing cells, percentiles, shares of known categories of 10 patients and more."""
    found = {}
    for column in SCHEMA["columns"]:
        cells = read_cells[column["name"]]
        if column["type"] == "text":
            missing = np.array([not each for each in cells])
            few = isinstance(told_of(missing, patients), str)   # hidden among the unknown ones
            labels = np.array([each if each in column["usual"] else None if each or few else "" for each in cells],
                              dtype=object)
            counts = {name: len(np.unique(patients[labels == name])) for name in dict.fromkeys(labels.tolist())}
            shown = without_small({name: n for name, n in counts.items() if name != ""}, FEWEST)
            found[column["name"]] = {"missing": told_of(missing, patients), "shares": {
                str(name): round(float((labels == name).mean()), 2) for name in sorted(shown)}}
            continue
        numbers = np.array(cells, dtype=float)
        known = np.isfinite(numbers)
        middle = [float(f"{each:.3g}") for each in np.quantile(numbers[known], [0.05, 0.5, 0.95])] \
            if len(np.unique(patients[known])) >= 2 * FEWEST else None
        found[column["name"]] = {"missing": told_of(~known, patients), "5 %, median, 95 %": middle}
    return found


def judged(cells, y, p, patients):
    """The figures as MedML keeps them, and the grid of thresholds that its curves are cut at."""
    binary = SCHEMA["task"] == "binary"
    n_patients, fewest = int(patients.max(initial=-1)) + 1, rarest(y, patients, len(SCHEMA["classes"]))
    if n_patients < LEAST or fewest < FEWEST:
        raise SystemExit(too_few(y, patients))

    def cells_of(column):
        return cells[column["name"]]
    found = {"checkpoint": SCHEMA["checkpoint"], "found_by": "capsule", "n_cases": len(y),
             "n_patients": n_patients, "n_events": int((y == 1).sum()) if binary else None,
             "threshold": SCHEMA["computed_threshold"], "metrics": figures_of(SCHEMA, y, p, patients),
             "calibration_line": calibration_line(SCHEMA, y, p, patients),
             "calibration_of_classes": lines_of_classes(SCHEMA, y, p, patients),
             "subgroups": groups_of(SCHEMA, cells_of, y, p, patients, FEWEST)}
    if not binary:
        return found, []
    yes, threshold = p[:, 1], SCHEMA["computed_threshold"]
    told = grid(y, yes, patients, FEWEST, yes >= (0.5 if threshold is None else threshold))
    asked = SCHEMA["net_benefit"]
    return found | {"auroc_delong": delong(y, yes) if n_patients == len(y) else None, "roc": roc(told),
                    "calibration": bins(y, yes, told) if told else None,
                    "net_benefit": net_benefit(y, yes, patients, told, asked) if asked else None}, told


def too_few(y, patients):
    """Why nothing is judged. Every figure of fewer, were it a sensitivity or an AUROC, would tell where single patients
    of that outcome lie; how many there are would be all that could go back, and that helps nobody."""
    n = [len(np.unique(patients[y == place])) for place in range(len(SCHEMA["classes"]))]
    rare = f", {min(n)} of them with the outcome “{SCHEMA['classes'][int(np.argmin(n))]}”" if n else ""
    wanted = f"{LEAST} patients" + (f", and {FEWEST} of each outcome" if n else "")
    return (f"There are too few patients to judge by: {len(np.unique(patients))} patients{rare}. It takes at least "
            f"{wanted}: figures of fewer would tell of single ones. Nothing was written. Collect more patients, over a "
            "longer time or together with another department, and run this again.")


def unknown_outcomes(rows, y, everybody):
    """Hints on outcomes that are written, and that the model does not know."""
    target, known = SCHEMA["target"], ", ".join(SCHEMA["classes"])
    texts = [row[target["name"]].strip() for row in rows]
    odd = [text if np.isnan(code) and text.lower() not in NO_VALUE else None
           for code, text in zip(y, texts, strict=True)]
    return of_values(target["name"], odd, everybody, "which is none of the outcomes that the model knows " + (
        f"({known})" if target["how"] == "classes" else "(a number)"))


def main(arguments=None):
    """Read, predict, judge, and write result.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("--name", default="another place", help="what your place is to be called in the report")
    parser.add_argument("--map", action="append", default=[], metavar="YOURS=OURS")
    parser.add_argument("--out", default="result.json")
    asked = parser.parse_args(arguments)
    rows, renamed = read(asked.table, asked.map)
    y, everybody = outcomes(rows), patients_of(rows)
    chosen = kept(rows, y)
    if not chosen:
        known = "" if SCHEMA["target"]["how"] != "classes" else f": {', '.join(SCHEMA['classes'])}"
        raise SystemExit("\n".join([f"No row has an outcome that the model knows in column {SCHEMA['target']['name']}"
                                    f"{known}.", *unknown_outcomes(rows, y, everybody)]))
    hints = unknown_outcomes(rows, y, everybody)
    used, y, patients = [rows[place] for place in chosen], y[chosen], _renumbered(everybody[chosen])
    folder = Path(asked.table).parent
    computed, why = answers(used if SCHEMA["columns"] else [folder / row["picture"] for row in used], "computed")
    p = computed[:, 0] if not SCHEMA["classes"] else computed
    digest = hashlib.sha256(Path(asked.table).read_bytes()).hexdigest()
    cells = {each["name"]: [value(each, row[each["name"]]) for row in used] for each in SCHEMA["columns"]}
    found, told = judged(cells, y, p, patients)
    columns = columns_here(cells, patients)
    for each in SCHEMA["columns"]:
        hints += of_column(each, [row[each["name"]] for row in used], cells[each["name"]], patients)
    needed = {each["name"] for each in SCHEMA["columns"] if each["needed"]}
    found["absent"] = [name for name, each in columns.items() if each["missing"] == len(used) and name in needed]
    if found["absent"]:
        sys.stderr.write(f"Nothing could be read in: {', '.join(found['absent'])}. See how it is written.\n")
    left_out = told_of(~np.isin(np.arange(len(rows)), chosen), everybody)
    found |= {"id": "", "made": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()), "source": asked.name,
              "data_sha256": digest, "renamed": renamed} | (
        {"n_left_out": 0, "under_ten": ["n_left_out"]} if isinstance(left_out, str) else {"n_left_out": left_out})
    result = {"format": "medml site result", "version": 1, "run": SCHEMA["run"], "model_sha256": SCHEMA["model_sha256"],
              "external": found, "grid": told, "left_out": left_out, "columns": columns,
              "no_answer": told_of(np.array([bool(each) for each in why]), patients)}
    Path(asked.out).write_text(json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    sys.stdout.write("\n".join([*done(asked.out, len(used), found["n_patients"], left_out, hints), ""]))


if __name__ == "__main__":
    main()
