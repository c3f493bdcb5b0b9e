"""Answers of model.onnx for a table: `python run.py patients.csv > answers.csv`. Needs onnxruntime and numpy alone."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from cells import note, rows_of, value

HERE = Path(__file__).resolve().parent
SCHEMA = json.loads((HERE / "schema.json").read_text(encoding="utf-8"))


def answers(rows, output="probabilities"):
    """Rows as dictionaries of text -> (probabilities or numbers, NaN where none is given; reasons for that)."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1  # more threads take longer to start than a row to answer
    session = onnxruntime.InferenceSession(HERE / SCHEMA["model"], settings, providers=["CPUExecutionProvider"])
    feed = {column["input"]: np.array([[value(column, row[column["name"]] or "")] for row in rows],
                                      dtype=object if column["type"] == "text" else np.float64)
            for column in SCHEMA["columns"]}
    told, reasons = session.run([output, "reasons"], feed)
    why = [[f"{SCHEMA['reasons'][str(code)]}: {column['name']}"
            for column, code in zip(SCHEMA["columns"], row, strict=True) if code] for row in reasons]
    return told, ["; ".join(each) for each in why]


if __name__ == "__main__":
    rows = rows_of(*sys.argv[1:])
    told, why = answers(rows)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*(f"probability of {name}" for name in SCHEMA["classes"] or ["the number"]), "abstained", "note"])
    writer.writerows([*("" if np.isnan(each) else repr(float(each)) for each in row), reason, note(cells)]
                     for row, reason, cells in zip(told, why, rows, strict=True))
