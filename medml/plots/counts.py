"""Counts in pictures: the confusion matrix, how often a column was kept, and the flow of cases."""

from __future__ import annotations

import textwrap
from typing import Any

from medml.plots.theme import AXIS, LEGEND, LIGHT, Ink, layer, plain, shown
from medml.types import FlowStep, GridPoint, SelectionScore

BOX, GAP, SIDE = 58, 56, 44  # heights in pixels of a box, the space below it, and a box of those left out
ROW = 17  # pixels from one line of words to the next
LINE = 40  # characters on a line of a box
LABEL = 12  # characters on a line of a class's name


def matrix_at(point: GridPoint) -> list[list[int]]:
    """Rows: true no, true yes; columns: said no, said yes."""
    return [[point.tn, point.fp], [point.fn, point.tp]]


def confusion(matrix: list[list[int]], classes: list[str], *, ink: Ink = LIGHT, height: int = 260) -> dict[str, Any]:
    """Rows are the true classes, columns what the model said; deeper colour is a larger share of its row.

    raises  ValueError unless the matrix is square with a name for each class
    """
    if len(matrix) != len(classes) or any(len(row) != len(classes) for row in matrix):
        raise ValueError(f"a matrix of {len(matrix)} rows for {len(classes)} classes")
    rows, short = [], _short(classes)
    for truth, counts in zip(classes, matrix, strict=True):
        total = sum(counts)
        rows += [{"truth": truth, "said": said, "n": n, "share": n / total if total else 0.0,
                  "down": short[truth], "across": short[said]} for said, n in zip(classes, counts, strict=True)]
    lines = {"labelAngle": 0, "labelLimit": 120, "labelExpr": "split(datum.label, '\\n')"}
    base = {"x": shown("across", "nominal", sort=list(short.values()), title="The model said", axis=lines),
            "y": shown("down", "nominal", sort=list(short.values()), title="It was", axis=lines),
            "tooltip": [shown("truth", "nominal", title="It was"), shown("said", "nominal", title="The model said"),
                        shown("n", title="Cases"), shown("share", title="Share of the row", format=".0%")]}
    shade = shown("share", legend=None, scale={"domain": [0, 1], "range": [0.14, 1]})
    cells = {"type": "rect", "cornerRadius": 6, "stroke": ink.card, "strokeWidth": 4, "fill": ink.accent}
    tone = {"value": ink.text, "condition": {"test": "(datum.share > 0.55)", "value": ink.on_accent}}
    numbers = {"type": "text", "fontSize": 24 if len(classes) <= 3 else 14, "fontWeight": 600}
    return plain([layer("cells", cells, base | {"fillOpacity": shade}),
                  layer("cells", numbers, base | {"text": shown("n", format=",d"), "color": tone})],
                 {"cells": rows}, height=height)


def _short(classes: list[str]) -> dict[str, str]:
    """Each class's name over at most three short lines, so that names side by side do not run into each other."""
    short = {each: "\n".join(textwrap.wrap(each, LABEL, max_lines=3, placeholder=" …")) for each in classes}
    return short if len(set(short.values())) == len(classes) else {each: each for each in classes}


def selection(scores: list[SelectionScore], *, ink: Ink = LIGHT, most: int = 30) -> dict[str, Any]:
    """How often each column was kept over the folds, most often first; forced ones are amber, and named so."""
    words = {"in": "forced in", "out": "forced out", "": "chosen by the data"}
    rows = [{"column": each.column, "frequency": each.frequency, "how": words[each.forced]}
            for each in sorted(scores, key=lambda one: -one.frequency)[:most]]
    colours = {"domain": list(words.values()), "range": [ink.amber, ink.quiet, ink.accent]}
    bars = layer("columns", {"type": "bar", "cornerRadiusEnd": 3, "height": 14}, {
        "y": shown("column", "nominal", sort=[row["column"] for row in rows], title=None, axis={"labelLimit": 180}),
        "x": shown("frequency", title="Kept in this share of the folds", scale={"domain": [0, 1]},
                   axis={"format": ".0%", "tickCount": 5}),
        "color": shown("how", "nominal", scale=colours, legend={"title": None, "orient": "bottom"}),
        "tooltip": [shown("column", "nominal", title="Column"), shown("frequency", title="Kept", format=".0%"),
                    shown("how", "nominal", title="How")]})
    return plain([bars], {"columns": rows}, height=AXIS + LEGEND + 22 * len(rows))


def flow(steps: list[FlowStep], *, ink: Ink = LIGHT) -> dict[str, Any]:
    """Who came in, who was left out and why, who stayed (STARD 2015 item 19): boxes from top to bottom.

    A step that left nobody out has no box of its own: see `nobody_left_out`.
    """
    boxes, sides, lines = _boxes(steps)
    height = (BOX + GAP) * len(boxes) - GAP
    at = {"x": shown("x", scale={"domain": [0, 100]}, axis=None),
          "y": shown("y", scale={"domain": [0, height], "reverse": True}, axis=None)}
    span = at | {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    frame = {"type": "rect", "fill": ink.faint, "stroke": ink.quiet, "strokeWidth": 1, "cornerRadius": 6}
    text = {"type": "text", "fontSize": 13, "baseline": "middle", "color": ink.text}
    layers = [layer("lines", {"type": "rule", "color": ink.quiet}, span), layer("boxes", frame, span),
              layer("sides", frame | {"fill": ink.card}, span),
              layer("words", text, at | {"text": shown("text", "nominal")})]
    words = [line for box in boxes + sides for line in _lines(box)]
    return plain(layers, {"lines": lines, "boxes": boxes, "sides": sides, "words": words}, height=height)


def _boxes(steps: list[FlowStep]) -> tuple[list[dict], list[dict], list[dict]]:
    """Places of the boxes on a sheet 100 wide: those who stay at the left, those left out at the right."""
    told = [steps[0], *(each for each in steps[1:] if each.n_removed)]
    boxes, sides, lines = [], [], []
    for number, step in enumerate(told):
        top = number * (BOX + GAP)
        last = number == len(told) - 1
        stay = step.what if number == 0 else "Used to train and to judge" if last else "Still in"
        boxes.append({"x": 1, "x2": 47, "y": top, "y2": top + BOX, "text": f"{_wrapped(stay)}\nn = {step.n_after:,}"})
        if number:
            middle = top - GAP / 2
            sides.append({"x": 56, "x2": 99, "y": middle - SIDE / 2, "y2": middle + SIDE / 2,
                          "text": f"Left out: {_wrapped(step.what[:1].lower() + step.what[1:])}\n"
                                  f"n = {step.n_removed:,} of {step.n_before:,}"})
            lines += [{"x": 24, "x2": 24, "y": top - GAP, "y2": top}, {"x": 24, "x2": 56, "y": middle, "y2": middle}]
    return boxes, sides, lines


def nobody_left_out(steps: list[FlowStep]) -> list[str]:
    """The steps that could have left somebody out and did not, in words."""
    return [each.what[:1].lower() + each.what[1:] for each in steps[1:] if not each.n_removed]


def _lines(box: dict) -> list[dict]:
    """The words of a box, a row each, centred in it."""
    texts = box["text"].split("\n")
    middle, across = (box["y"] + box["y2"]) / 2, (box["x"] + box["x2"]) / 2
    return [{"text": text, "x": across, "y": middle + ROW * (place - (len(texts) - 1) / 2)}
            for place, text in enumerate(texts)]


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, LINE, max_lines=2, placeholder=" …"))
