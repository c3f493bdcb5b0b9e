"""Cases on which the label and the model disagree most: for a second look at the clinician's own file, in memory only.

Each is judged by the models that had not seen it. What is decided becomes a step of the recipe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from medml import data, gallery, publish, saved_split, train
from medml.errors import UserError
from medml.recipe.target import ABOVE_ZERO
from medml.steps.second_look import SecondLook
from medml.types import Recipe, Step
from medml.watch import Silent

MOST = 20


@dataclass(frozen=True, slots=True)
class Doubts:
    """Cases in doubt, most first. row (m,) of the table, from 1, the header not counted; key (m,) of each case;
    outcome, answer (m,) in words;   columns, cells  names and (m, p) cells as they stand in the file."""

    row: np.ndarray
    key: np.ndarray
    outcome: np.ndarray
    answer: np.ndarray
    columns: np.ndarray
    cells: np.ndarray


def doubts(run: str, source: Path | None = None, *, n: int = MOST) -> Doubts:
    """The n cases whose out-of-fold answer is farthest from their label.

    raises  UserError where the folder is gone or has changed, or the run is of pictures
    """
    opened = gallery.open_run(run)
    if opened.config.choice.pictures is not None:
        raise UserError(what="Pictures are looked at again on the Evaluate page, beside their heatmaps.",
                        fix="Open “Where the model looked” there.", code="of_pictures")
    place = Path(source or opened.profile.source)
    cases = train.prepare_ground(place, opened.profile, opened.recipe, opened.config, watch=Silent()).cases
    classes = ["above 0" if name == ABOVE_ZERO else name for name in cases.classes]
    apart, said = _apart(publish.out_of_fold(opened).p, cases.y, classes)
    worst = np.argsort(-np.where(np.isfinite(apart), apart, -1), kind="stable")[:min(n, int(np.isfinite(apart).sum()))]
    frame = data.open_table(place, opened.config.choice.table).frame()[cases.rows[worst].tolist()]
    columns = [name for name in frame.columns if name in cases.X.columns or name == opened.config.choice.target]
    cells = [["" if each is None else str(each) for each in row] for row in frame.select(columns).iter_rows()]
    labels = [f"{each:g}" for each in cases.y[worst]] if cases.task == "regression" else \
        [classes[code] for code in cases.y[worst]]
    keys = saved_split.case_names(cases.take(worst), opened.config.data_sha256)
    return Doubts(cases.rows[worst] + 1, keys, np.array(labels, dtype=np.str_),
                  np.array([said(at) for at in worst], dtype=np.str_), np.array(columns, dtype=np.str_),
                  np.array(cells, dtype=np.str_).reshape(len(worst), len(columns)))


def _apart(p: np.ndarray, y: np.ndarray, classes: list[str]):
    """(n,) how far label and answer are apart, NaN where no model judged the case; and position -> answer in words."""
    there = np.isfinite(p)
    mean = np.where(there, p, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    judged = there.any(axis=0)
    if p.ndim == 2:
        return np.where(judged, np.abs(mean - y) / (np.std(y) or 1.0), np.nan), lambda at: f"{mean[at]:.4g}"
    own = mean[np.arange(len(y)), y]

    def said(at: int) -> str:
        if len(classes) == 2:
            return f"{100 * mean[at, 1]:.0f} % {classes[1]}"
        code = int(mean[at].argmax())
        return f"{classes[code]} ({100 * mean[at, code]:.0f} %)"
    return np.where(judged[:, 0], 1 - own, np.nan), said


def decided(recipe: Recipe, relabel: Mapping[str, str], exclude: Sequence[str], run: str) -> Recipe:
    """The recipe with these decisions added to those made before; they are the first thing done to the table.

    relabel  {case: label}, "" for the other of two classes; a case that is excluded is not relabelled
    """
    before = next((each for each in recipe.steps if each.name == SecondLook.name), None)
    params = before.params if before is not None and before.on else {}
    gone = list(dict.fromkeys([*params.get("exclude", []), *exclude]))
    changed = {key: label for key, label in (params.get("relabel", {}) | dict(relabel)).items() if key not in gone}
    step = Step(name=SecondLook.name, params={"relabel": changed, "exclude": gone},
                reason=f"Decided on {date.today().isoformat()} at the cases where {run} disagreed most with the file: "
                       f"{len(changed)} relabelled, {len(gone)} left out.")
    return recipe.model_copy(update={"steps": [step, *(each for each in recipe.steps if each is not before)]})
