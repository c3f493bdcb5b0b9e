"""Preview: what the values look like, what is missing, and some rows. In memory for this session alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from medml.sample import Sample
from medml.types import Choice, Column
from pages import _sample as held_here
from pages import _ui as ui
from pages import _ui_pictures as drawn

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

TITLE = "Preview"
LEAD = "Look at your data before anything is changed. What you see here stays in this window; none of it is stored."
AT_FIRST, ACROSS, ROWS_SHOWN = 12, 3, 200
DRAWN = ("number", "category", "yes_no", "date")


def how_much(held: Sample) -> None:
    """How many rows the pictures are made from."""
    rows = ui.count(held.rows, "row")
    ui.note(f"All {rows} of {held.table.ref.label}." if held.whole else
            f"The first {rows} of {held.table.rows:,} in {held.table.ref.label}.")


def distributions(held: Sample, choice: Choice) -> None:
    """Small pictures side by side, the outcome first; more on request."""
    asked = (choice.target, choice.positive, choice.task)
    outcomes = held_here.kept(("groups", *asked), lambda: held_here.groups(held, choice))
    shades = held_here.colours(outcomes, choice)
    ui.section("Distributions", ("Each colour adds up to 100 %, so that a rare outcome can be compared with a "
                                 "frequent one. " if shades else "")
               + "The outermost bars hold the lowest and highest half per cent as well.")
    ui.legend(shades, f"Rows by {ui.clean(choice.target, 40)}")
    names = [choice.target, *(each.name for each in held.columns if _drawn(each, choice))]
    most = st.session_state.setdefault("m_drawn", AT_FIRST)
    most = len(names) if len(names) <= most + ACROSS else most  # no button for a last row
    groups = {name: None if name == choice.target else outcomes for name in names[:most]}
    for first in range(0, most, AT_FIRST):  # what a click brought is made together
        some = {name: groups[name] for name in names[first:min(first + AT_FIRST, most)]}
        drawn = held_here.kept(("spread", *asked, *some), lambda some=some: pictures(held, some, shades))
        for at in range(0, len(some), ACROSS):
            for column, name in zip(st.columns(ACROSS, gap="medium"), [*some][at:at + ACROSS], strict=False):
                with column, st.container(key=f"m_card_spread_{first + at}_{names.index(name)}"):
                    one(held, held.table.column(name), drawn[name], parted=some[name] is not None)
    if len(names) > most:
        st.button(f"Show more ({len(names) - most:,} left)", key="m_more_drawn",
                  icon=":material/expand_more:", on_click=show_more)


def _drawn(column: Column, choice: Choice) -> bool:
    return column.kind in DRAWN and column.name not in (choice.target, choice.patient, *choice.leave_out)


def show_more() -> None:
    """Draw one more batch of pictures."""
    st.session_state["m_drawn"] += AT_FIRST


def one(held: Sample, column: Column, drawn: dict | None, *, parted: bool) -> None:
    """The picture of one column, with its name over it and a line of counts under it; parted: by outcome."""
    unit = ui.html(ui.unit_beside(column.name, column.unit), 20)
    unit = f' <span class="m-quiet">{unit}</span>' if unit else ""
    st.html(f'<p class="m-chart-title">{ui.html(column.name, 48)}{unit}</p>')
    if drawn is None:
        ui.note("Nothing recorded in these rows.")
        return
    gone, by = int(held.missing[column.name].sum()), ", for each outcome by itself" if parted else ""
    ui.chart(drawn, f"{ui.count(gone)} missing" if gone else "None missing", key=f"m_chart_{column.name}",
             about=f"How the values of {ui.clean(column.name, 48)} are spread{by}.")


def pictures(held: Sample, some: dict[str, np.ndarray | None], shades: dict[str, str]) -> dict[str, dict | None]:
    """The specification of each column's picture, by its outcomes; None where there is nothing to draw."""
    from medml.plots import dressed
    from medml.plots.distributions import spread, spread_of_names, spread_of_numbers

    kinds = {name: held.table.column(name).kind for name in some}
    numbers = held.numbers_of([name for name, kind in kinds.items() if kind in ("number", "date")])
    found = {name: spread_of_numbers(numbers[name], outcomes, dates=kinds[name] == "date") if name in numbers
             else spread_of_names(held.names(name), outcomes) for name, outcomes in some.items()}
    ink = ui.ink()
    return {name: each and ui.sent(dressed(spread(each, ink=ink, colours=shades), ink)) for name, each in found.items()}


def missing(held: Sample) -> None:
    """Where cells are missing, from the first row to the last."""
    from medml.plots import dressed
    from medml.plots.missingness import holes, missing_picture

    ui.section("Missing values", "Each strip is a column, from the file's first row to its last; amber is missing.")
    found = held_here.kept(("holes",), lambda: holes(held.missing))
    with st.container(key="m_card_missing"):
        if found is None:
            ui.note("No cell is missing in these rows.")
            return
        words = f"{ui.count(found.whole, 'other column')} {'misses' if found.whole == 1 else 'miss'} nothing."
        if found.more:
            words += f" {ui.count(found.more, 'column')} with fewer missing cells are not drawn."
        spec = held_here.kept(("missing",), lambda: ui.sent(dressed(missing_picture(found, ink=ui.ink()), ui.ink())))
        ui.chart(spec, words, key="m_chart_missing",
                 about="Where cells are missing, a strip for each column from the file's first row to its last.")


def rows(held: Sample) -> None:
    """The first rows as they stand in the file."""
    ui.section("Rows", f"The first {min(ROWS_SHOWN, held.rows):,} as they stand in the file.")
    first = held_here.kept(("rows",), lambda: sent(held.frame.head(ROWS_SHOWN)))
    st.dataframe(first, height=420, width="stretch", hide_index=True, placeholder="missing")


def sent(first: pl.DataFrame) -> pa.Table | pd.DataFrame:
    """Rows as Streamlit takes them at once; by way of Pandas what is not text alone, as it would do at every run."""
    import polars as pl

    text = all(kind == pl.String for kind in first.dtypes)
    return first.to_arrow(compat_level=pl.CompatLevel.oldest()) if text else first.to_pandas()


with ui.page(TITLE, step="preview", lead=LEAD, onward="cleanup") as opened:
    known = held_here.needed(opened)
    if known is not None:
        profile, choice = known
        if choice.pictures is not None:
            drawn.thumbnails(opened, profile.table(choice.table), choice)
        else:
            taken = held_here.sample(opened, profile, choice)
            how_much(taken)
            distributions(taken, choice)
            missing(taken)
            rows(taken)
        ui.next_button("Continue to cleanup", "cleanup")
