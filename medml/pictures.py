"""From names of pictures to pixels that a family can learn from: decoded once, at one size, in memory of this job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from medml.cases import Cases
from medml.data.images import columns
from medml.data.images.alike import HASHED_SIDE
from medml.data.images.columns import SPLIT, TAGS
from medml.data.images.fit import placed
from medml.data.images.image_file import Unreadable
from medml.data.images.twins import Looks
from medml.errors import UserError
from medml.privacy import round_3
from medml.split import TEST, TRAIN, VALIDATION
from medml.types import Choice, FlowStep, PicturePlan, Recipe
from medml.vision.pixels import Picture, Pictures, Store
from medml.watch import Watch

if TYPE_CHECKING:
    import polars as pl

    from medml.data.images.table import ImageTable
    from medml.pipeline import Pipeline

BESIDE = (*TAGS.values(), "width", "height", "bytes", "frames", "kind")  # what stands beside a picture (L14)
UNREACHED = frozenset({"gone", "unreadable", "no_permission"})  # codes of a picture that its drive does not give
PARTS = {columns.TRAIN: TRAIN, columns.VALIDATION: VALIDATION, columns.TEST: TEST}


def decoded(names: Sequence[str], table: ImageTable, plan: PicturePlan, *, watch: Watch | None = None,
            channels: int | None = None) -> tuple[Store, np.ndarray, dict[int, Unreadable]]:
    """Decode the pictures of these names into one store.

    channels  1 or 3; as the table's own where not given
    returns  the store; (n,) int64, the positions of the names that are in it, in its order; and why another has none
    raises   Stopped; UserError "gone" where a name is not in the folder any more
    """
    channels = channels or table.channels
    store = Store(len(names), plan.size, plan.size, channels)
    places, failed = [], {}
    try:
        for place, found in table.decode(names, plan, watch, channels=channels):
            if isinstance(found, Unreadable):
                failed[place] = found
            else:
                store.pixels[len(places)] = found
                places.append(place)
    except KeyError:
        raise UserError(what="A picture that the table names is not in the folder any more.", code="gone",
                        fix="Put it back, or scan the folder again.") from None
    return store.first(len(places)), np.array(places, dtype=np.int64), failed


def with_pixels(cases: Cases, frame: pl.DataFrame, table: ImageTable, choice: Choice, *, watch: Watch) -> Cases:
    """Cases whose cells name pictures -> cases whose cells are pictures; what cannot be decoded leaves by the flow.

    frame   the table that cases.rows points into; a tag in it that is the outcome is no shortcut to it
    raises  UserError where one cannot be reached any more: that says nothing against the picture
    """
    plan = choice.pictures
    store, places, failed = decoded(list(cases.X[plan.column]), table, plan, watch=watch)
    _refuse_unreached(failed)
    if not len(places):
        raise UserError(what="Not one of the pictures could be decoded.", code="no_pictures",
                        fix="Look at the list of files on the Scan page for what is wrong with each.")
    n = len(cases.y)
    order = np.argsort(places)  # decoding may have gone by another order than the rows
    gone = FlowStep(what="Pictures that cannot be decoded", n_before=n, n_removed=len(failed), n_after=len(places))
    cases = replace(cases.take(places[order]), flow=[*cases.flow, gone])
    rows = frame[cases.rows.tolist()]
    told = [name for name in BESIDE if name in rows.columns and name != choice.target]
    if plan.frames == "all" and choice.patient is None:  # frames of one file show one patient
        files = rows[plan.column].str.replace(r"#\d+$", "")
        cases = replace(cases, patients=pd.factorize(files.to_numpy())[0].astype(np.int64))
    return replace(cases, X=pd.DataFrame({plan.column: cells_of(store)[order]}),
                   beside=rows.select(told).to_pandas() if told else None, given=_given(rows),
                   twins=twins(Pictures(store, order), _shapes(rows[plan.column].to_list(), table)))


def _refuse_unreached(failed: dict[int, Unreadable]) -> None:
    n = sum(each.code in UNREACHED for each in failed.values())
    if n:
        raise UserError(what=f"{n:,} picture{'' if n == 1 else 's'} could not be read any more: gone, or on a drive "
                             "that does not answer.", code="gone",
                        fix="See that they are there and that their drive is connected, then try again. Nothing was "
                            "changed.")


def refuse_damaged(cases: Cases, recipe: Recipe) -> None:
    """UserError where pictures of `with_pixels` could not be decoded and the step that leaves them out is off."""
    n = cases.flow[-1].n_removed
    if n and any(step.name == "damaged_pictures" and not step.on for step in recipe.steps):
        raise UserError(what=f"{n:,} picture{' cannot' if n == 1 else 's cannot'} be decoded.", code="damaged",
                        fix="Switch on the cleanup step \"Damaged pictures\", or export them again and scan again.")


def cells_of(store: Store) -> np.ndarray:
    """(n,) object: a cell for each picture of a store."""
    cells = np.empty(len(store), dtype=object)
    cells[:] = [Picture(store, at) for at in range(len(store))]
    return cells


def twins(pictures: Pictures, shapes: Sequence[tuple[int, int]] | None = None) -> np.ndarray:
    """(n,) int64, equal for pictures that show the same: pixel by pixel, or by RIGOUR.md's rule of likeness (L3), which
    can tell nothing below 64 pixels a side.

    shapes  height and width of each as it came. What lies around an oblong one is not compared: the same black ground
            made different patients alike (of 400 chest films, cut to 4:1, 61 pairs). And a thumbnail that was made
            larger tells no more than before.
    """
    looks, size = Looks(len(pictures)), pictures.shape[1]
    for at in range(len(pictures)):
        height, width = (size, size) if shapes is None else shapes[at]
        part = pictures.read(slice(at, at + 1))[0][placed(size, height, width)]
        enough = min(part.shape[:2]) >= HASHED_SIDE
        looks.add(at, part.squeeze(axis=2) if part.shape[2] == 1 else part, side=min(size, height, width) * enough)
    return looks.twins().groups


def _shapes(names: Sequence[str], table: ImageTable) -> list[tuple[int, int]]:
    """Height and width of each picture in its file, by names as `each_frame` may have made them."""
    known = {each.path: (each.rows, each.cols) for each in table.images}
    return [known[name] if name in known else known[name.rpartition("#")[0]] for name in names]


def _given(rows: pl.DataFrame) -> np.ndarray | None:
    """The split that came with the pictures; None where there is none to judge by (see `own_parts`)."""
    parts = columns.own_parts(rows[SPLIT].to_list()) if SPLIT in rows.columns else None
    return None if parts is None else np.array([PARTS[each] for each in parts], dtype=np.int64)


def heatmaps_judged(final: Pipeline, cases: Cases) -> tuple[float | None, tuple[float, ...]]:
    """Rank correlation of the final model's heatmaps with those of the same network, weights shuffled (G3); and the
    scale on which maps of new pictures are drawn for each class (or the number), rounded, from some cases of each."""
    from medml.vision import heatmap

    some = Pictures.of(cases.X.iloc[:, 0])[_of_each(cases)]
    p = final.family.predict(final.fitted, some).reshape(len(some), -1)
    answer = p.argmax(axis=1)
    alike = heatmap.sanity(final.family.network(final.fitted), final.family.stream(final.fitted, some),
                           heatmap.outputs_of(final, answer))
    scales = [heatmap.hottest(heatmap.answered(final, some[places], np.full(len(places), code)))
              for code, places in enumerate(heatmap.sampled(p, answer))]
    return alike, tuple(round_3(each) for each in scales)


def _of_each(cases: Cases) -> np.ndarray:
    """Places of some cases of each class in turn, so that the first few are of all of them; of a number, of all."""
    from medml.vision import heatmap

    groups = [np.flatnonzero(cases.y == code) for code in range(len(cases.classes))] or [np.arange(len(cases.y))]
    most = max(heatmap.FEWEST, heatmap.SANITY // len(groups))
    some = [each[np.unique(np.linspace(0, len(each) - 1, most).astype(int))] for each in groups if len(each)]
    return np.concatenate([[each[at] for each in some if at < len(each)] for at in range(most)]).astype(np.int64)
