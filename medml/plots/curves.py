"""Live curves of a training: the loss, and the figure on rows that were kept out, round by round."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby
from statistics import fmean
from typing import Any

from medml.plots.theme import LIGHT, Ink, layer, plain, roomy, shown
from medml.types import Point

MOST_ROUNDS = 160  # points drawn a line; a longer history is thinned, its first and last round always kept
FEW_ROUNDS = 15  # up to here every round is a dot
DATA = "points"  # by name and apart from the drawing, so that a browser that polls redraws the points alone
MEAN, FINAL = "mean of the folds", "final model"
BAND = "The band spans the folds; one that has stopped counts on with its last figure."
Key = tuple[int, int]  # repeat and fold


def history(points: Iterable[Point], *, of: str, title: str, across: str = "Round", ended: bool = True,
            ink: Ink = LIGHT, height: int = 240) -> dict[str, Any]:
    """One figure by round: the mean over folds as a line, the lowest to the highest fold as a band behind it.

    of     "train" or "out_of_fold": which figure of a Point
    title  the figure's name with its unit, e.g. "Training loss"; it stands above the chart
    across what a round is called under the axis;   ended  whether the training is over (see `rounds_of`)
    The size never depends on the points, so that nothing moves while a screen polls.
    """
    rows = _with_room(rounds_of(points, of, ended=ended))
    x = shown("round", title=across, axis={"tickMinStep": 1, "format": "d", "tickCount": 6},
              scale={"zero": False, "nice": False})
    span = {"x": x, "y2": {"field": "high"}, "y": shown("low", title=None, scale={"zero": False})}
    room = {"x": x, "y2": {"field": "to"}, "y": shown("from", title=None, scale={"zero": False})}
    band = layer(DATA, {"type": "area", "color": ink.accent, "opacity": 0.16}, span)
    return plain([layer(DATA, {"type": "rule", "opacity": 0}, room),
                  band | {"transform": [{"filter": f"(datum.line === '{MEAN}')"}]},
                  _line(x, of, title, ink, dots=len({row["round"] for row in rows}) <= FEW_ROUNDS)],
                 {DATA: rows}, height=height, title=title)


def _line(x: dict[str, Any], of: str, title: str, ink: Ink, *, dots: bool) -> dict[str, Any]:
    """The mean over the folds, and the final model where it was measured: nobody can on kept-out rows."""
    lines = [MEAN, FINAL] if of == "train" else [MEAN]
    mark = {"type": "line", "strokeWidth": 2, "point": {"size": 36, "filled": True} if dots else False}
    legend = {"title": None, "orient": "bottom", "symbolType": "stroke", "symbolStrokeWidth": 2}
    colours, dashes = [ink.accent, ink.second], [[1, 0], [6, 3]]
    return layer(DATA, mark, {
        "x": x, "y": shown("value", title=None, scale={"zero": False, "nice": True}, axis={"tickCount": 5}),
        "color": shown("line", "nominal", legend=legend, scale={"domain": lines, "range": colours[:len(lines)]}),
        "strokeDash": shown("line", "nominal", legend=None, scale={"domain": lines, "range": dashes[:len(lines)]}),
        "tooltip": [shown("line", "nominal", title="Line"), shown("round", title=x["title"]),
                    shown("value", title=title, format=".4f"), shown("folds", title="Folds")]})


def rounds_of(points: Iterable[Point], of: str, *, ended: bool = True) -> list[dict]:
    """Rows {line, round, value, low, high, folds}: the mean over the folds, and the final model.

    A fold that has stopped counts on with its last value, so that the mean never jumps because one is gone. While
    the training still runs (ended False), a fold that has only begun joins once it has come as far as the others.
    """
    told = [each for each in points if getattr(each, of) is not None and (of == "train" or each.unit != "loss")]
    curves: dict[Key, dict[int, float]] = defaultdict(dict)  # a job that was resumed repeats some points
    for point in told:
        curves[point.repeat, point.fold][point.round] = getattr(point, of)
    folds = [key for key in curves if key[1] >= 0]
    counted = [curves[key] for key in (folds if ended else in_step(told, folds))]
    rounds = thinned(sorted({each for curve in counted for each in curve}))
    values = zip(*(_carried(curve, rounds) for curve in counted), strict=True)
    rows = [_row(each, [value for value in known if value is not None])
            for each, known in zip(rounds, values, strict=True)]
    final = next((curve for (_, fold), curve in curves.items() if fold < 0), {})
    return rows + [{"line": FINAL, "round": each, "value": final[each], "folds": 1} for each in thinned(sorted(final))]


def _with_room(rows: list[dict]) -> list[dict]:
    """The rows with how far the axis must reach at least: of a flat curve it would be labelled to nine digits.

    In the data, not in the drawing, so that a chart which is polled stays the same one.
    """
    low = min((row.get("low", row["value"]) for row in rows), default=0.0)
    high = max((row.get("high", row["value"]) for row in rows), default=0.0)
    start, end = roomy(low, high)
    return [row | {"from": start, "to": end} for row in rows]


def in_step(points: list[Point], folds: list[Key]) -> list[Key]:
    """The folds of a training that still runs which have come as far as the others, or have stopped early.

    Folds learn one after another, or in turns of some rounds each: none is behind that has reached where the furthest
    one stood before its last turn; one that was passed over in a whole turn has stopped.
    """
    turns = [key for key, _ in groupby((each.repeat, each.fold) for each in points)]
    reached = [max(each.round for each in turn) for _, turn in groupby(points, lambda each: (each.repeat, each.fold))]
    last = dict(zip(turns, reached, strict=True))
    if not folds:
        return []
    first = max(folds, key=lambda key: last[key])
    stood = [at for key, at in zip(turns, reached, strict=True) if key == first]
    enough = stood[-2] if len(stood) > 1 else stood[-1]
    return [key for key in folds if last[key] >= enough or _passed_over(key, turns)]


def _passed_over(key: Key, turns: list[Key]) -> bool:
    since = turns[len(turns) - turns[::-1].index(key):]
    return len(since) > len(set(since))


def _carried(curve: dict[int, float], rounds: list[int]) -> list[float | None]:
    """What a fold had reached at each of the rounds; None before its first one."""
    known = sorted(curve)
    places = (bisect_right(known, each) for each in rounds)
    return [curve[known[place - 1]] if place else None for place in places]


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
