"""The charts of a report, for paper: drawn from the curves of a Report on their fixed grids, never from patients."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

from medml.plots.theme import LIGHT
from medml.report.document import Drawing
from medml.types import Curve, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE, HIGH, DPI = 4.2, 3.3, 160  # inches of one chart
Chart = tuple[str, str, Callable[["Axes"], None]]  # title, what it shows, how it is drawn


def drawing(report: Report) -> Drawing | None:
    """Every chart that this report has figures for, two beside each other; None where it has none."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    charts = list(_charts(report))
    if not charts:
        return None
    down = (len(charts) + 1) // 2
    figure = Figure(figsize=(2 * WIDE, down * HIGH), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (title, _, draw) in enumerate(charts):
        axes = figure.add_subplot(down, 2, place + 1)
        axes.set_title(title, loc="left", fontsize=9, color=LIGHT.text)
        _calm(axes)
        draw(axes)
        axes.xaxis.label.set(color=LIGHT.quiet, fontsize=8)
        axes.yaxis.label.set(color=LIGHT.quiet, fontsize=8)
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=DPI, metadata={"Software": None})
    return Drawing(png.getvalue(), " ".join(f"{title}: {says}" for title, says, _ in charts), width=1.0)


def _charts(report: Report) -> list[Chart]:
    found: list[tuple[object, Chart]] = [
        (report.roc, ("ROC curve", "with its 95 % band; the diagonal is chance.", lambda axes: _roc(axes, report.roc))),
        (report.precision_recall, ("Precision and recall", "with their 95 % band.", lambda axes: _band(
            axes, report.precision_recall, "Sensitivity (recall)", "Precision"))),
        (report.calibration, ("Calibration", "share observed at each probability; on the diagonal both agree.",
                              lambda axes: _calibration(axes, report.calibration))),
        (report.net_benefit, ("Decision curve", "net benefit beside treating everybody and nobody.",
                              lambda axes: _benefit(axes, report))),
        (report.residuals, ("Predicted and observed", "mean observed in tenths of the predicted; on the diagonal both "
                            "agree.", lambda axes: _observed(axes, report.residuals)))]
    return [chart for figures, chart in found if figures is not None]


def _calm(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LIGHT.line)
    axes.tick_params(colors=LIGHT.quiet, labelsize=7)
    axes.grid(color=LIGHT.line, linewidth=0.5)


def _band(axes: Axes, curve: Curve, x: str, y: str, *, square: bool = True) -> None:
    if curve.low:
        axes.fill_between(curve.x, curve.low, curve.high, color=LIGHT.faint, linewidth=0)
    axes.plot(curve.x, curve.y, color=LIGHT.accent, linewidth=1.6)
    axes.set(xlabel=x, ylabel=y)
    if square:
        axes.set(xlim=(0, 1), ylim=(0, 1.01))


def _roc(axes: Axes, curve: Curve) -> None:
    _band(axes, curve, "1 - specificity", "Sensitivity")
    _diagonal(axes, 0.0, 1.0)


def _calibration(axes: Axes, curve: Curve) -> None:
    _band(axes, curve, "Probability said", "Share observed")
    _diagonal(axes, 0.0, 1.0)


def _observed(axes: Axes, curve: Curve) -> None:
    _band(axes, curve, "Predicted", "Observed, mean", square=False)
    _diagonal(axes, min(curve.x), max(curve.x))


def _benefit(axes: Axes, report: Report) -> None:
    found = report.net_benefit
    shown = [(found.everybody, "treat everybody", LIGHT.second, "--"), (found.model, "this model", LIGHT.accent, "-")]
    if found.score is not None:
        shown.append((found.score, "score in use", LIGHT.series[2], "-."))
    for curve, label, colour, dash in shown:
        axes.plot(curve.x, curve.y, color=colour, linestyle=dash, linewidth=1.6, label=label)
    axes.axhline(0.0, color=LIGHT.quiet, linewidth=0.8, label="treat nobody")
    best = max(*found.model.y, 0.04)
    axes.set(xlabel="Probability from which one would treat", ylabel="Net benefit", xlim=(0, 1),
             ylim=(-0.25 * best, 1.15 * best))
    axes.legend(fontsize=7, frameon=False)


def _diagonal(axes: Axes, low: float, high: float) -> None:
    axes.plot([low, high], [low, high], color=LIGHT.quiet, linewidth=0.8, linestyle=":")
