"""A small open clinical table to try MedML on: breast cancer, Wisconsin, 569 biopsies, as scikit-learn ships it.

Made a little dirty on purpose (a fixed seed), so that every step of the cleanup has something to do.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import random
from pathlib import Path

from medml import home
from medml.room import writing

ROWS_TWICE, SHARE_MISSING = 6, 0.02


def example_source() -> Path:
    """The folder with the example table, written on first use."""
    folder = home.ensure(home.home() / "example" / "breast cancer")
    table = folder / "biopsies.csv"
    if not table.is_file():
        with writing():
            home.write_bytes(table, _as_csv(_dirty(*_shipped())))
    return folder


def _shipped() -> tuple[list[str], list[list[str]]]:
    """Names (underscored) and rows of scikit-learn's file, found without importing scikit-learn (that takes 1 s)."""
    package = importlib.util.find_spec("sklearn")
    file = Path(package.submodule_search_locations[0]) / "datasets" / "data" / "breast_cancer.csv"
    with file.open(newline="", encoding="utf-8") as text:
        rows = list(csv.reader(text))
    parts = ("radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave_points",
             "symmetry", "fractal_dimension")
    names = [f"{kind}_{part}" for kind in ("mean", "error", "worst") for part in parts]
    return names, rows[1:]


def _dirty(names: list[str], rows: list[list[str]]) -> list[list[str]]:
    chance = random.Random(20)
    table = [["patient_id", "clinic", "biopsy_date", *names, "diagnosis"]]
    for number, (*values, benign) in enumerate(rows):
        cells = [_cell(value, column, chance) for column, value in enumerate(values)]
        day = f"20{chance.randint(18, 23)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
        table.append([f"BC-{10_000 + number}", chance.choice(("north", "south", "east")), day, *cells,
                      "benign" if benign == "1" else "malignant"])
    table += [list(table[chance.randint(1, len(rows))]) for _ in range(ROWS_TWICE)]
    return table


def _cell(value: str, column: int, chance: random.Random) -> str:
    """Some cells empty, one column with "?", one with -999, one with a detection limit, as real tables have them."""
    if column == 6 and float(value) < 0.001:
        return "<0.001"
    if chance.random() >= SHARE_MISSING:
        return value
    return {1: "?", 4: "-999"}.get(column, "")


def _as_csv(table: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(table)
    return text.getvalue().encode()
