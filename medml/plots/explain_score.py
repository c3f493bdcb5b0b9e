"""A bedside score as a nomogram: a scale a predictor, all on one ruler of points, and what the sum stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from medml.plots.theme import LIGHT, Ink, Rows, layered

if TYPE_CHECKING:
    from medml.explain.found import BedsideScore, Rule

SCALE = 62  # pixels from one scale to the next
RISKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)


def nomogram(score: BedsideScore, *, ink: Ink = LIGHT) -> alt.LayerChart:
    """Read the points of each predictor off the ruler on top, add them up, and read the risk at the bottom.

    raises  ValueError where the score has no predictor
    """
    if not score.rules:
        raise ValueError("a score without predictors has no nomogram")
    longest = max(step.points for rule in score.rules for step in rule.steps)
    lines, ticks = _ruler("Points", longest, 0)
    for at, rule in enumerate(score.rules, start=1):
        lines.append(_line(rule.column, at, 0, max(step.points for step in rule.steps), longest))
        ticks += _steps(rule, at, longest)
    below = len(score.rules) + 1
    more, marks = _ruler("Points in all", score.risks[-1].points, below)
    lines, ticks = lines + more, ticks + marks + _risks(score, below + 1)
    lines.append(_line(f"Probability that {score.event}", below + 1, 0, 1, 1))
    return _drawn(lines, ticks, below + 2, ink)


def _line(name: str, at: int, low: float, high: float, longest: float) -> dict:
    return {"name": name, "y": at, "x": low / max(longest, 1), "x2": high / max(longest, 1)}


def _ruler(name: str, longest: int, at: int) -> tuple[list[dict], list[dict]]:
    step = max(1, -(-longest // 12))
    return [_line(name, at, 0, longest, longest)], [{"y": at, "x": each / max(longest, 1), "text": str(each), "up": 1}
                                                   for each in range(0, longest + 1, step)]


def _steps(rule: Rule, at: int, longest: int) -> list[dict]:
    """A mark a number of points; steps that share it stand together; neighbours stand above and below in turn."""
    together: dict[int, list[str]] = {}
    for step in rule.steps:
        together.setdefault(step.points, []).append(step.label)
    return [{"y": at, "x": points / max(longest, 1), "text": " / ".join(labels), "up": 1 if place % 2 == 0 else -1}
            for place, (points, labels) in enumerate(sorted(together.items()))]


def _risks(score: BedsideScore, at: int) -> list[dict]:
    """Where round risks lie on the scale of all points."""
    import numpy as np

    totals, risks = [each.points for each in score.risks], [each.predicted for each in score.risks]
    marks, last = [], -1.0
    for risk in RISKS:
        if not risks[0] <= risk <= risks[-1]:
            continue
        x = float(np.interp(risk, risks, totals)) / max(totals[-1], 1)
        if x - last > 0.05:
            marks.append({"y": at, "x": x, "text": f"{100 * risk:g} %", "up": 1})
            last = x
    return marks


def _drawn(lines: list[dict], ticks: list[dict], n: int, ink: Ink) -> alt.LayerChart:
    down = alt.Scale(domain=[-0.5, n - 0.4], reverse=True, nice=False)
    across = alt.Scale(domain=[-0.04, 1.06], nice=False)

    def chart(rows: list[dict]) -> alt.Chart:
        return alt.Chart(Rows(values=rows)).encode(
            x=alt.X("x:Q", scale=across, axis=None), y=alt.Y("y:Q", scale=down, axis=None))
    shown = [row | {"name": row["name"][:60]} for row in lines]
    layers = [chart(shown).mark_rule(color=ink.quiet, strokeWidth=1.5).encode(x2=alt.X2("x2:Q")),
              chart(ticks).mark_tick(color=ink.text, orient="vertical", thickness=1.5, size=10),
              chart([row | {"x": 0.0} for row in shown]).mark_text(
                  align="left", dy=-30, fontWeight=600, color=ink.text, fontSize=12).encode(text=alt.Text("name:N"))]
    for up, dy in ((1, -13), (-1, 14)):
        some = [row for row in ticks if row["up"] == up]
        if some:
            layers.append(chart(some).mark_text(dy=dy, color=ink.quiet, fontSize=11).encode(text=alt.Text("text:N")))
    return layered(*layers, height=SCALE * n)
