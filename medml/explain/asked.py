"""Questions of the Explain screen whose answers are of single patients: arrays through a pipe, nothing written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from medml import gallery
from medml.explain.overall import explained
from medml.explain.patient import patient, waterfall
from medml.explain.second_look import doubts
from medml.explain.words import answer

SWARM, DOTS = 12, 200  # columns; patients

Arrays = dict[str, np.ndarray]


def swarm(about: dict[str, Any]) -> Arrays:
    """{run, source, output} -> "column" (p,), "added" (n, p) and "rank" (n, p): the place of each value among those of
    its column, 0-1, NaN for a category or where nothing is recorded."""
    each = explained(gallery.open_run(about["run"]), Path(about["source"]), most=DOTS)
    added = each.found.values[:, about["output"]]
    order = np.argsort(-np.abs(added).mean(axis=0), kind="stable")[:SWARM]
    names = [each.found.columns[at] for at in order]
    ranks = [_ranks(each.cases.X[name].to_numpy(), each.cases.kinds[name]) for name in names]
    return {"column": np.array(names, dtype=np.str_), "added": added[:, order], "rank": np.stack(ranks, axis=1)}


def _ranks(values: np.ndarray, kind: str) -> np.ndarray:
    if kind not in ("number", "date"):
        return np.full(len(values), np.nan)
    numbers = values.astype(float)
    known = np.sort(numbers[np.isfinite(numbers)])
    middle = (np.searchsorted(known, numbers, "left") + np.searchsorted(known, numbers, "right")) / 2
    return np.where(np.isfinite(numbers), middle / max(1, len(known)), np.nan)


def one(about: dict[str, Any]) -> Arrays:
    """{run, source, row, output} -> a waterfall: "column", "cell" (p,), "start", "end" (p,); "said"; "against"."""
    found = patient(about["run"], about["row"], Path(about["source"]))
    bars = waterfall(found.found, found.cells, output=about["output"])
    said = answer(found.found, output=about["output"])
    return {name: np.array([getattr(each, name) for each in bars], dtype=kind) for name, kind
            in (("column", np.str_), ("cell", np.str_), ("start", float), ("end", float))} | {
                "said": np.array(said), "against": np.array(found.found.against), "unit": np.array(found.found.unit)}


def again(about: dict[str, Any]) -> Arrays:
    """{run, source} -> what `second_look.doubts` holds, by name."""
    found = doubts(about["run"], Path(about["source"]))
    return {each.name: getattr(found, each.name) for each in fields(found)}


def paired(about: dict[str, Any]) -> Arrays:
    """{left, right, names} -> the paired difference of two runs: "figure" (m,), "value", "low", "high" (m,), NaN where
    it cannot be told; "n"; "said"."""
    from medml.paired import paired as difference

    found = difference(about["left"], about["right"])
    told = [*found.difference.values()]
    return {name: np.array([np.nan if getattr(each, name) is None else getattr(each, name) for each in told], float)
            for name in ("value", "low", "high")} | {
        "figure": np.array([*found.difference], dtype=np.str_), "n": np.array(found.n_cases),
        "said": np.array(found.said(*about["names"])), "why_not": np.array(found.why_not)}


def groups(about: dict[str, Any]) -> Arrays:
    """{run, source, column} -> "n": how many groups are kept with the run now."""
    from medml.grouped import by_column

    return {"n": np.array(len(by_column(about["run"], about["column"], Path(about["source"]))))}


PARTS: dict[str, Callable[[dict[str, Any]], Arrays]] = {"swarm": swarm, "one": one, "again": again, "paired": paired,
                                                       "groups": groups}
