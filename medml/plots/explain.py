"""What a model goes by, in pictures: weights with intervals, a swarm, dependence, one patient's waterfall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import altair as alt
import numpy as np

from medml.plots.theme import AXIS, LEGEND, LIGHT, Ink, Rows, layered, roomy

if TYPE_CHECKING:
    from medml.explain.found import Dependence, Weight
    from medml.explain.patient import Bar

ROW = 26  # pixels a column
MOST = 15  # columns in one picture
NAME = 190  # pixels for a name
LANES = 9  # half the lanes of a swarm, above and below its middle


def weights(listed: Sequence[Weight], unit: str, *, ink: Ink = LIGHT, most: int = MOST) -> alt.LayerChart:
    """Mean change of the answer by each column, the heaviest first, with its 95 % interval over patients."""
    rows = [{"column": each.column, "mean": each.mean.value or 0.0, "low": each.mean.low, "high": each.mean.high}
            for each in listed[:most]]
    y = alt.Y("column:N", sort=[row["column"] for row in rows], title=None, axis=alt.Axis(labelLimit=NAME))
    chart = alt.Chart(Rows(values=rows)).encode(y=y)
    tips = [alt.Tooltip("column:N", title="Column"), alt.Tooltip("mean:Q", title="Mean change", format=".3g"),
            alt.Tooltip("low:Q", title="95 % from", format=".3g"), alt.Tooltip("high:Q", title="to", format=".3g")]
    bars = chart.mark_bar(color=ink.accent, height=14, cornerRadiusEnd=3).encode(
        x=alt.X("mean:Q", title=f"Mean change ({unit})", axis=alt.Axis(tickCount=5)), tooltip=tips)
    whiskers = chart.mark_rule(color=ink.text, strokeWidth=1.5).encode(x=alt.X("low:Q"), x2=alt.X2("high:Q"))
    return layered(bars, whiskers, height=AXIS + ROW * len(rows))


def swarm(columns: Sequence[str], added: np.ndarray, rank: np.ndarray, unit: str, *,
          ink: Ink = LIGHT) -> alt.LayerChart:
    """A dot a patient in the row of each column: to the right what raises the answer; a deeper dot is a higher value.

    added, rank  (n, p); rank 0-1, NaN where values have no order. For the owner's screen: patients one by one
    """
    rows = [{"column": name, "added": float(value), "rank": None if np.isnan(place) else float(place),
             "lane": float(lane)}
            for at, name in enumerate(columns)
            for value, place, lane in zip(added[:, at], rank[:, at], lanes(added[:, at]), strict=True)]
    ordered = [row for row in rows if row["rank"] is not None]
    others = [row for row in rows if row["rank"] is None]
    place = {"y": alt.Y("column:N", sort=list(columns), title=None, axis=alt.Axis(labelLimit=NAME)),
             "yOffset": alt.YOffset("lane:Q", scale=alt.Scale(domain=[-LANES, LANES])),
             "x": alt.X("added:Q", title=f"Change of the answer ({unit})", axis=alt.Axis(tickCount=6))}
    dots = {"filled": True, "size": 22, "stroke": None}
    tip = alt.Tooltip("added:Q", title="Change", format="+.3f")
    shade = alt.FillOpacity("rank:Q", scale=alt.Scale(domain=[0, 1], range=[0.18, 1]), legend=None)
    marked = alt.Chart(Rows(values=ordered)).mark_point(**dots, fill=ink.accent)
    plain = alt.Chart(Rows(values=others)).mark_point(**dots, fill=ink.second)
    layers = [marked.encode(**place, fillOpacity=shade, tooltip=[tip]), plain.encode(**place, tooltip=[tip]),
              alt.Chart(Rows(values=[{"x": 0}])).mark_rule(color=ink.quiet).encode(x=alt.X("x:Q"))]
    return layered(*layers, height=max(120, 34 * len(columns)))


def lanes(values: np.ndarray, *, bins: int = 60) -> np.ndarray:
    """(n,) how far above or below the middle of its row each dot lies, so that dots of alike values do not hide each
    other; -LANES to LANES."""
    if not np.ptp(values):
        place = np.zeros(len(values), dtype=np.int64)
    else:
        place = np.clip((values - values.min()) / np.ptp(values) * bins, 0, bins - 1).astype(np.int64)
    found, most = np.zeros(len(values)), max(1, int(np.bincount(place).max()))
    for each in np.unique(place):
        here = np.flatnonzero(place == each)
        found[here] = [(1 if at % 2 else -1) * ((at + 1) // 2) for at in range(len(here))]
    return found * min(1.0, 2 * LANES / most)


def dependence(one: Dependence, unit: str, *, ink: Ink = LIGHT, height: int = 280) -> alt.LayerChart:
    """What a column adds to the answer by its value: mean and 95 % interval of each group of patients.

    raises  ValueError where no group is large enough (the caller says so instead)
    """
    if not one.bins:
        raise ValueError(f"no group of {one.column} is large enough to be drawn")
    rows = [{"label": each.label, "mean": each.mean.value, "low": each.mean.low, "high": each.mean.high,
             "n": each.n_patients} for each in one.bins if each.mean.value is not None]
    x = alt.X("label:N", sort=[row["label"] for row in rows], title=one.column,
              axis=alt.Axis(labelAngle=-30 if len(rows) > 4 else 0, labelLimit=140))
    chart = alt.Chart(Rows(values=rows)).encode(x=x)
    tips = [alt.Tooltip("label:N", title=one.column), alt.Tooltip("mean:Q", title="Mean change", format="+.3f"),
            alt.Tooltip("n:Q", title="Patients")]
    y = alt.Y("mean:Q", title=f"Change of the answer ({unit})", axis=alt.Axis(tickCount=5))
    zero = alt.Chart(Rows(values=[{"y": 0}])).mark_rule(color=ink.quiet, strokeDash=[5, 4])
    layers = [zero.encode(y=alt.Y("y:Q")),
              chart.mark_rule(color=ink.accent, strokeWidth=2).encode(y=alt.Y("low:Q", title=""), y2=alt.Y2("high:Q")),
              chart.mark_point(color=ink.accent, filled=True, size=80, opacity=1).encode(y=y, tooltip=tips)]
    return layered(*layers, height=height)


def waterfall(bars: Sequence[Bar], base: float, unit: str, *, ink: Ink = LIGHT) -> alt.LayerChart:
    """From the answer when nothing is known to that for one patient, a column a step; the cell beside its name."""
    rows = []
    for bar in bars:
        shown = f"{bar.column} = {bar.cell}" if bar.cell else bar.column
        rows.append({"row": shown, "start": bar.start, "end": bar.end, "added": bar.added,
                     "way": "raises" if bar.added >= 0 else "lowers", "said": _signed(bar.added),
                     "right": max(bar.start, bar.end)})
    y = alt.Y("row:N", sort=[row["row"] for row in rows], title=None, axis=alt.Axis(labelLimit=260))
    chart = alt.Chart(Rows(values=rows)).encode(y=y)
    ways = alt.Scale(domain=["raises", "lowers"], range=[ink.second, ink.accent])
    x = alt.X("start:Q", title=f"Answer ({unit})", scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=6))
    steps = chart.mark_bar(height=16, cornerRadius=2).encode(
        x=x, x2=alt.X2("end:Q"), color=alt.Color("way:N", scale=ways, legend=alt.Legend(title=None, orient="bottom")),
        tooltip=[alt.Tooltip("row:N", title="Column"), alt.Tooltip("said:N", title="Adds")])
    numbers = chart.mark_text(align="left", dx=6, color=ink.text, fontSize=12).encode(
        x=alt.X("right:Q"), text=alt.Text("said:N"))
    start, end = roomy(min([base, *(row["start"] for row in rows), *(row["end"] for row in rows)]),
                       max([base, *(row["right"] for row in rows)]))
    room = alt.Chart(Rows(values=[{"from": start, "to": end}])).mark_rule(opacity=0).encode(
        x=alt.X("from:Q"), x2="to:Q")
    line = alt.Chart(Rows(values=[{"base": base}])).mark_rule(color=ink.quiet, strokeDash=[5, 4]).encode(
        x=alt.X("base:Q"))
    return layered(room, line, steps, numbers, height=AXIS + LEGEND + ROW * len(rows))


def _signed(value: float) -> str:
    """"+0.31"; "0.00" without a sign."""
    said = f"{value:+.2f}"
    return said[1:] if float(said) == 0 else said
