"""Counts in pictures: the confusion matrix, how often a column was kept, and the flow of cases."""

from __future__ import annotations

import textwrap

import altair as alt

from medml.plots.theme import AXIS, LEGEND, LIGHT, Ink, Rows, layered
from medml.types import FlowStep, GridPoint, SelectionScore

BOX, GAP, SIDE = 58, 56, 44  # heights in pixels of a box, the space below it, and a box of those left out
ROW = 17  # pixels from one line of words to the next
LINE = 40  # characters on a line of a box
LABEL = 12  # characters on a line of a class's name


def matrix_at(point: GridPoint) -> list[list[int]]:
    """Rows: true no, true yes; columns: said no, said yes."""
    return [[point.tn, point.fp], [point.fn, point.tp]]


def confusion(matrix: list[list[int]], classes: list[str], *, ink: Ink = LIGHT, height: int = 260) -> alt.LayerChart:
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
    lines = alt.Axis(labelAngle=0, labelLimit=120, labelExpr="split(datum.label, '\\n')")
    base = alt.Chart(Rows(values=rows)).encode(
        x=alt.X("across:N", sort=list(short.values()), title="The model said", axis=lines),
        y=alt.Y("down:N", sort=list(short.values()), title="It was", axis=lines),
        tooltip=[alt.Tooltip("truth:N", title="It was"), alt.Tooltip("said:N", title="The model said"),
                 alt.Tooltip("n:Q", title="Cases"), alt.Tooltip("share:Q", title="Share of the row", format=".0%")])
    shade = alt.FillOpacity("share:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[0.14, 1]))
    cells = base.mark_rect(cornerRadius=6, stroke=ink.card, strokeWidth=4, fill=ink.accent).encode(fillOpacity=shade)
    tone = alt.ColorValue(ink.text, condition={"test": "(datum.share > 0.55)", "value": ink.on_accent})
    size = 24 if len(classes) <= 3 else 14
    numbers = base.mark_text(fontSize=size, fontWeight=600).encode(text=alt.Text("n:Q", format=",d"), color=tone)
    return layered(cells, numbers, height=height)


def _short(classes: list[str]) -> dict[str, str]:
    """Each class's name over at most three short lines, so that names side by side do not run into each other."""
    short = {each: "\n".join(textwrap.wrap(each, LABEL, max_lines=3, placeholder=" …")) for each in classes}
    return short if len(set(short.values())) == len(classes) else {each: each for each in classes}


def selection(scores: list[SelectionScore], *, ink: Ink = LIGHT, most: int = 30) -> alt.LayerChart:
    """How often each column was kept over the folds, most often first; forced ones are amber, and named so."""
    words = {"in": "forced in", "out": "forced out", "": "chosen by the data"}
    rows = [{"column": each.column, "frequency": each.frequency, "how": words[each.forced]}
            for each in sorted(scores, key=lambda one: -one.frequency)[:most]]
    colours = alt.Scale(domain=list(words.values()), range=[ink.amber, ink.quiet, ink.accent])
    base = alt.Chart(Rows(values=rows)).encode(
        y=alt.Y("column:N", sort=[row["column"] for row in rows], title=None, axis=alt.Axis(labelLimit=180)),
        x=alt.X("frequency:Q", title="Kept in this share of the folds", scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format=".0%", tickCount=5)))
    bars = base.mark_bar(cornerRadiusEnd=3, height=14).encode(
        color=alt.Color("how:N", scale=colours, legend=alt.Legend(title=None, orient="bottom")),
        tooltip=[alt.Tooltip("column:N", title="Column"), alt.Tooltip("frequency:Q", title="Kept", format=".0%"),
                 alt.Tooltip("how:N", title="How")])
    return layered(bars, height=AXIS + LEGEND + 22 * len(rows))


def flow(steps: list[FlowStep], *, ink: Ink = LIGHT) -> alt.LayerChart:
    """Who came in, who was left out and why, who stayed (STARD 2015 item 19): boxes from top to bottom.

    A step that left nobody out has no box of its own: see `nobody_left_out`.
    """
    boxes, sides, lines = _boxes(steps)
    across = alt.Scale(domain=[0, 100])
    height = (BOX + GAP) * len(boxes) - GAP
    down = alt.Scale(domain=[0, height], reverse=True)

    def chart(rows: list[dict]) -> alt.Chart:
        return alt.Chart(Rows(values=rows)).encode(
            x=alt.X("x:Q", scale=across, axis=None), y=alt.Y("y:Q", scale=down, axis=None))

    frame = {"fill": ink.faint, "stroke": ink.quiet, "strokeWidth": 1, "cornerRadius": 6}
    layers = [chart(lines).mark_rule(color=ink.quiet).encode(x2=alt.X2("x2:Q"), y2=alt.Y2("y2:Q")),
              chart(boxes).mark_rect(**frame).encode(x2=alt.X2("x2:Q"), y2=alt.Y2("y2:Q")),
              chart(sides).mark_rect(**(frame | {"fill": ink.card})).encode(x2=alt.X2("x2:Q"), y2=alt.Y2("y2:Q"))]
    words = [line for box in boxes + sides for line in _lines(box)]
    layers.append(chart(words).mark_text(fontSize=13, baseline="middle", color=ink.text).encode(
        text=alt.Text("text:N")))
    return layered(*layers, height=height)


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
