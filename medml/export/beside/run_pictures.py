"""Answers of model.onnx for pictures: `python run.py a.pgm b.ppm c.npy > answers.csv`. Needs onnxruntime and numpy.

A picture comes as PGM (grey) or PPM (colours) of 8 bits, or as .npy: uint8 (height, width) or (height, width, 3). How
DICOM, PNG and the others become such pixels stands in schema.json under "pixels"; any size will do.
"""

import csv
import json
import re
import sys
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).resolve().parent
SCHEMA = json.loads((HERE / "schema.json").read_text(encoding="utf-8"))


def stop(why):
    """End with one sentence."""
    sys.stderr.write(f"{why}\n")
    raise SystemExit(2)


def pixels(path):
    """(1, height, width, channels) uint8 of one file."""
    try:
        if path.suffix == ".npy":
            found = np.load(path, allow_pickle=False)
            return np.ascontiguousarray(found.reshape(1, *found.shape[:2], -1), dtype=np.uint8)
        content = path.read_bytes()
    except OSError as problem:
        stop(f"{path.name} cannot be read: {(problem.strerror or 'it is no file').lower()}.")
    head = re.match(rb"(P[56])\s+(?:#.*\n)*(\d+)\s+(\d+)\s+(255)\s", content)
    if head is None:
        stop(f"{path.name} is no .pgm or .ppm of 8 bits and no .npy. Make one of it: see schema.json, pixels.")
    kind, width, height, _ = head.groups()
    channels = 1 if kind == b"P5" else 3
    size = int(height) * int(width) * channels
    return np.frombuffer(content[len(content) - size:], np.uint8).reshape(1, int(height), int(width), channels)


def answers(paths, output="probabilities"):
    """(n, classes) probabilities, or (n, 1) numbers, NaN where none is given; the reasons for that."""
    session = onnxruntime.InferenceSession(HERE / SCHEMA["model"], providers=["CPUExecutionProvider"])
    found = [session.run([output, "reasons"], {"pixels": pixels(Path(path))}) for path in paths]
    return np.concatenate([told for told, _ in found]), [SCHEMA["reasons"].get(str(why[0, 0]), "") for _, why in found]


if __name__ == "__main__":
    if not sys.argv[1:]:
        stop("Name pictures: python run.py a.pgm b.ppm > answers.csv")
    found = answers(sys.argv[1:])
    writer = csv.writer(sys.stdout, lineterminator="\n")
    told = SCHEMA["classes"] or ["the number"]
    writer.writerow(["picture", *(f"probability of {name}" for name in told), "abstained", "note"])
    names = [f"'{name}" if name[0] in "=+-@\t\r" else name for name in (Path(path).name for path in sys.argv[1:])]
    writer.writerows([name, *("" if np.isnan(each) else repr(float(each)) for each in row), why, SCHEMA["note"]]
                     for name, row, why in zip(names, *found, strict=True))
