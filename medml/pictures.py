"""From names of pictures to pixels that a family can learn from: decoded once, at one size, in memory of this job."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from medml.cases import Cases
from medml.data.images.image_file import Unreadable
from medml.errors import Stopped, UserError
from medml.types import FlowStep, PicturePlan
from medml.vision.pixels import Picture, Pictures, Store
from medml.watch import Silent, Watch

if TYPE_CHECKING:
    from medml.data.images.table import ImageTable
    from medml.pipeline import Pipeline


def decoded(names: list[str], table: ImageTable, plan: PicturePlan, *, watch: Watch | None = None) \
        -> tuple[Store, np.ndarray, dict[int, Unreadable]]:
    """Decode the pictures of these names into one store.

    returns  the store; (n,) int64, for each picture in it the place of its name (several with frames "all"); and why
             a name has none, by place
    raises   Stopped; UserError where a name is not in the folder any more
    """
    watch = watch or Silent()
    n, store, places, failed = table.n_pictures(names, plan), None, [], {}
    for place, found in table.decode(names, plan, watch):
        if isinstance(found, Unreadable):
            failed[place] = found
            continue
        if store is None:
            store = Store(n, *found.shape)
        store.pixels[len(places)] = found
        places.append(place)
        if len(places) % 50 == 0:
            watch.say("read", 0.0, f"{len(places):,} of {n:,} pictures decoded")
            if watch.stopping():
                raise Stopped
    store = Store(0, plan.size, plan.size, 1) if store is None else store.first(len(places))
    return store, np.array(places, dtype=np.int64), failed


def with_pixels(cases: Cases, table: ImageTable, plan: PicturePlan, *, watch: Watch) -> Cases:
    """Cases whose cells name pictures -> cases whose cells are pictures; what cannot be decoded leaves by the flow."""
    store, places, failed = decoded(list(cases.X[plan.column]), table, plan, watch=watch)
    if not len(places):
        raise UserError(what="Not one of the pictures could be decoded.", code="no_pictures",
                        fix="Look at the list of files on the Scan page for what is wrong with each.")
    n, kept = len(cases.y), len(cases.y) - len(failed)
    flow = [*cases.flow, FlowStep(what="Pictures that cannot be decoded", n_before=n, n_removed=len(failed),
                                  n_after=kept)]
    if len(places) != kept:
        flow.append(FlowStep(what="Frames of the same picture added", n_before=kept, n_removed=kept - len(places),
                             n_after=len(places)))
    cases = replace(cases.take(places), flow=flow)
    cells = np.empty(len(places), dtype=object)
    cells[:] = [Picture(store, at) for at in range(len(places))]
    beside = table.frame().to_pandas().iloc[cases.rows].reset_index(drop=True)
    beside = beside[[name for name in table.tags if name in beside.columns]]
    return replace(cases, X=pd.DataFrame({plan.column: cells}), beside=beside, twins=table.twins(store, cases.rows))


def cells_of(store: Store) -> pd.Series:
    """A column of all pictures of a store."""
    cells = np.empty(len(store), dtype=object)
    cells[:] = [Picture(store, at) for at in range(len(store))]
    return pd.Series(cells)


def heatmap_alike(final: Pipeline, cases: Cases) -> float | None:
    """Rank correlation of the final model's heatmaps with those of the same network, weights shuffled (G3)."""
    from medml.vision import heatmap

    some = Pictures.of(cases.X.iloc[:, 0])[:heatmap.SANITY]
    family, fitted = final.family, final.fitted
    output = 0 if cases.task == "regression" else int(np.bincount(cases.y).argmin()) if len(cases.classes) > 2 else 1
    model = family.network(fitted)
    return heatmap.sanity(model, family.stream(fitted, some), min(output, model.outputs - 1))
