"""The pictures of a run: curves, confusion at the threshold, calibration, history, columns, flow."""

from __future__ import annotations

import streamlit as st

from medml import families
from medml.evaluate.words import title
from medml.gallery import Run
from medml.types import FlowStep, GridPoint, Report
from pages import _ui as ui
from pages import _ui_live as live
from pages import _ui_metrics as metrics
from pages import _ui_use as use
from pages._ui_plan import answer


def at_a_threshold(run: Run) -> None:
    """Two classes: slider, confusion matrix and both curves; only this part is drawn again when the slider moves."""
    ui.section("At a threshold", "Move it to trade missed cases against false alarms. It is decided on rows that no "
               "model was fitted on.")
    with ui.guard():
        key = f"m_threshold_{run.run}_{run.chain.current}"
        use.rule(run.report, run.config.use, key)
        point = metrics.threshold(run.report, key)
        if point is None:
            return
        with st.container(key="m_card_hundred"):
            use.hundred(run.report, point)
        left, right = st.columns(2, gap="medium")
        with left, st.container(key="m_card_confusion", height="stretch"):
            matrix(run.report, point)
        with right, st.container(key="m_card_at", height="stretch"):
            metrics.at_threshold(run.report, point, run.config.split.repeats)
        both_curves(run.report, point)


def matrix(report: Report, point: GridPoint) -> None:
    """Who was called what at this threshold."""
    from medml.plots import counts

    yes = answer(report.positive).strip("“”")
    found, classes = counts.matrix_at(point), [f"not {yes}", yes]
    ui.chart(lambda: counts.confusion(found, classes, ink=ui.ink(), height=260),
             "Rows are what was true, columns what the model said.", key="m_confusion", about="Confusion matrix.",
             of=(found, classes))


def roc_words(report: Report) -> str:
    """What the curve shows, and why the dot may lie beside it: folds rank their own cases, a threshold calls all."""
    words = "ROC with its 95 % band; the dot is the threshold, the dashes a coin."
    return f"{words} The curve is the mean of the folds' own, and the dot counts all cases together: it may lie " \
           "beside the curve." if "cross-validation" in report.measured_on else words


def both_curves(report: Report, point: GridPoint) -> None:
    """ROC and precision-recall with the same threshold on them."""
    from medml.plots import performance

    left, right = st.columns(2, gap="medium")
    with left, st.container(key="m_card_roc", height="stretch"):
        ui.chart(lambda: performance.roc(report, ink=ui.ink(), at=point), roc_words(report), key="m_roc",
                 of=(report.roc, point))
    with right, st.container(key="m_card_pr", height="stretch"):
        ui.chart(lambda: performance.precision_recall(report, ink=ui.ink(), at=point),
                 "Precision and recall; the dashes are a model that guesses.", key="m_pr",
                 of=(report.precision_recall, report.n_events, report.n_cases, point))


def several_classes(report: Report) -> None:
    """The confusion matrix of several classes."""
    from medml.plots import counts

    if report.confusion:
        ui.section("Which class was taken for which")
        with st.container(key="m_card_confusion"):
            ui.chart(counts.confusion(report.confusion, report.classes, ink=ui.ink(), height=420),
                     "Rows are what was true, columns what the model said; deeper colour is a larger share of its row.",
                     key="m_confusion", about="Confusion matrix.")


def honest(report: Report) -> None:
    """Calibration (classes) or observed against predicted (a number)."""
    from medml.plots import performance

    if report.calibration is not None:
        ui.section("Calibration", "Of patients given 30 %, do about 30 % have the outcome?")
        picture, figures = st.columns([3, 2], gap="large")
        with picture, st.container(key="m_card_calibration"):
            ui.chart(lambda: performance.calibration(report, ink=ui.ink()),
                     "Observed share by predicted probability with its 95 % band; on the dashes they agree.",
                     key="m_calibration", of=(report.calibration,))
        with figures, st.container(key="m_card_line"):
            for name, metric in report.calibration_line.items():
                ui.number_with_interval(title(name), metric, help=metrics.meaning(name), large=False)
        if report.calibration_of_classes:
            ui.table(("Each class against the rest", title("slope"), title("intercept")),
                     [(label, metrics.cell(line["slope"]), metrics.cell(line["intercept"]))
                      for label, line in report.calibration_of_classes.items()], raw=(1, 2))
    elif report.residuals is not None:
        ui.section("Observed and predicted")
        with st.container(key="m_card_residuals"):
            ui.chart(lambda: performance.residuals(report, ink=ui.ink()),
                     "Mean observed by tenth of the predicted; on the dashes they agree.", key="m_residuals",
                     of=(report.residuals,))


def history(run: Run) -> None:
    """The training as it went, to the current checkpoint."""
    if run.history:
        ui.section("How the training went")
        family = families.registry.get(run.config.family)
        live.curves(run.history, run.report.task, family.round, key="m_history", ended=True,
                    of=f"{run.run} {run.chain.current}")


def columns(run: Run) -> None:
    """How often each column was kept, the clinician's lists, and whether they were made after scores."""
    from medml.plots import counts

    report, plan = run.report, run.config.selection
    if not report.selection and not (plan.forced_in or plan.forced_out):
        return
    ui.section("Columns", report.selection_note)
    if plan.override_after_scores:
        ui.say("caution", "The lists of columns were changed after scores had been seen.",
               "This is printed in the report: the figures may look better than they are.")
    if report.selection:
        with st.container(key="m_card_selected"):
            ui.chart(counts.selection(report.selection, ink=ui.ink()),
                     "In which share of the folds a column was kept, chosen inside each fold.", key="m_selected")


def flow(report: Report) -> None:
    """Who came in and who was left out; a sentence alone where everybody stayed."""
    from medml.plots import counts

    if not report.flow:
        return
    ui.section("Who was counted", "From the rows of the file to those that the model was trained and judged on "
               "(STARD 2015, item 19).")
    with st.container(key="m_card_flow"):
        if any(each.n_removed for each in report.flow):
            ui.chart(lambda: counts.flow(report.flow, ink=ui.ink()), flow_words(report.flow), key="m_flow",
                     of=(report.flow,))
        else:
            st.html(f'<p class="m-what">{ui.html(flow_words(report.flow), 600)}</p>')


def flow_words(steps: list[FlowStep]) -> str:
    """How many rows stayed, and which steps left nobody out."""
    from medml.plots.counts import nobody_left_out

    first, last = steps[0].n_before, steps[-1].n_after
    used = f"All {first:,} rows of the file are used" if first == last else f"{last:,} of {first:,} rows are used"
    none = nobody_left_out(steps)
    return f"{used}; none had to be left out as {' or '.join(none)}." if none else f"{used}."
