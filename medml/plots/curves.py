"""Live curves of a training: the loss, and the figure on rows that were kept out, round by round."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean

import altair as alt

from medml.plots.theme import LIGHT, Ink
from medml.types import Point

MOST_ROUNDS = 160  # points drawn a line; a longer history is thinned, its first and last round always kept
FEW_ROUNDS = 15  # up to here every round is a dot
DATA = "points"  # by name and apart from the drawing, so that a browser that polls redraws the points alone
MEAN, FINAL = "mean of the folds", "final model"


def history(points: Iterable[Point], *, of: str, title: str, ink: Ink = LIGHT, height: int = 240) -> alt.LayerChart:
    """One figure by round: the mean over folds as a line, the lowest to the highest fold as a band behind it.

    of     "train" or "out_of_fold": which figure of a Point
    title  the figure's name with its unit, e.g. "Training loss"; it stands above the chart
    The size never depends on the points, so that nothing moves while a screen polls.
    """
    rows = rounds_of(points, of)
    lines = [MEAN, FINAL] if of == "train" else [MEAN]  # nobody can measure the final model on kept-out rows
    dots = len({row["round"] for row in rows}) <= FEW_ROUNDS
    base = alt.Chart(alt.NamedData(name=DATA)).encode(
        x=alt.X("round:Q", title="Round", axis=alt.Axis(tickMinStep=1, format="d", tickCount=6),
                scale=alt.Scale(zero=False, nice=False)))
    scale = alt.Scale(domain=lines, range=[ink.accent, ink.second][:len(lines)])
    dashes = alt.Scale(domain=lines, range=[[1, 0], [6, 3]][:len(lines)])
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=5))
    band = base.transform_filter(alt.datum.line == MEAN).mark_area(color=ink.accent, opacity=0.16).encode(
        y=alt.Y("low:Q", title=None, scale=alt.Scale(zero=False)), y2="high:Q")
    line = base.mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=36, filled=True) if dots else False).encode(
        y=y, color=alt.Color("line:N", scale=scale,
                             legend=alt.Legend(title=None, orient="bottom", symbolType="stroke", symbolStrokeWidth=2)),
        strokeDash=alt.StrokeDash("line:N", scale=dashes, legend=None),
        tooltip=[alt.Tooltip("line:N", title="Line"), alt.Tooltip("round:Q", title="Round"),
                 alt.Tooltip("value:Q", title=title, format=".4f"), alt.Tooltip("folds:Q", title="Folds")])
    return alt.layer(band, line, datasets={DATA: rows}).properties(height=height, width="container", title=title)


def rounds_of(points: Iterable[Point], of: str) -> list[dict]:
    """Rows {line, round, value, low, high, folds}: a mean over the folds that reached a round, and the final model."""
    folds: dict[int, dict[tuple[int, int], float]] = defaultdict(dict)  # a job that was resumed repeats some points
    final: dict[int, float] = {}
    for point in points:
        value = getattr(point, of)
        if value is None:
            continue
        if point.fold < 0:
            final[point.round] = value
        else:
            folds[point.round][point.repeat, point.fold] = value
    rows = [_row(number, list(folds[number].values())) for number in thinned(sorted(folds))]
    return rows + [{"line": FINAL, "round": each, "value": final[each], "folds": 1} for each in thinned(sorted(final))]


def _row(number: int, values: list[float]) -> dict:
    return {"line": MEAN, "round": number, "value": fmean(values), "low": min(values), "high": max(values),
            "folds": len(values)}


def thinned(rounds: list[int], most: int = MOST_ROUNDS) -> list[int]:
    """At most about `most` of the rounds, evenly, with the first and the last among them."""
    if len(rounds) <= most:
        return rounds
    step = -(-len(rounds) // most)
    kept = rounds[::step]
    return kept if kept[-1] == rounds[-1] else [*kept, rounds[-1]]
