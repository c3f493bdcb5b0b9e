"""What a model would do at the bedside: how the threshold is chosen, a hundred patients at it, whether acting on it is
worth more than treating everybody or nobody, and probabilities put right."""

from __future__ import annotations

import streamlit as st

from medml.evaluate.hundred import Hundred, of_hundred
from medml.evaluate.thresholds import on_grid
from medml.evaluate.words import title
from medml.types import SMALL_GROUP, GridPoint, Metric, Recalibration, Report, ScoreInUse, UsePlan
from pages import _ui as ui
from pages import _ui_metrics as metrics

RULES = {"youden": "Best of both", "sensitivity": "Find at least", "cost": "Weigh a miss"}
METHODS = {"none": "leave them as they are", "platt": "a straight line on the log odds (Platt)",
           "isotonic": "a rising staircase (isotonic)"}
BESIDE = ("slope", "intercept", "ici", "brier", "log_loss")


def rule(report: Report, plan: UsePlan, key: str) -> None:
    """Choose the threshold by a rule: the slider beneath moves to where it says. Nothing is stored."""
    if not report.grid:
        return
    left, right = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
    with left:
        chosen = st.segmented_control("Choose it by", list(RULES), default=plan.rule, required=True,
                                      format_func=RULES.get, key=f"{key}_rule", on_change=moved,
                                      args=(report, plan, key))
    with right:
        if chosen == "sensitivity":
            st.number_input("Per cent of those with the outcome", 50, 100, round(100 * plan.sensitivity), 1,
                            key=f"{key}_wanted", on_change=moved, args=(report, plan, key))
        elif chosen == "cost":
            st.number_input("False alarms that weigh as much as one miss", 0.1, 1000.0, plan.cost, 0.5, format="%g",
                            key=f"{key}_cost", on_change=moved, args=(report, plan, key))
        else:
            ui.note("Largest sum of sensitivity and specificity.")


def moved(report: Report, plan: UsePlan, key: str) -> None:
    """Move the slider to where the rule says."""
    with ui.guard():
        state = st.session_state
        asked = plan.model_copy(update={"rule": state.get(f"{key}_rule") or plan.rule,
                                        "sensitivity": state.get(f"{key}_wanted", 100 * plan.sensitivity) / 100,
                                        "cost": state.get(f"{key}_cost", plan.cost)})
        state[key] = on_grid(report.grid, asked).threshold


def hundred(report: Report, point: GridPoint) -> None:
    """A hundred patients like these at the threshold, one sign each."""
    found = of_hundred(point)
    words = in_words(found)
    signs = "".join(f'<span class="{kind}"></span>' * n for kind, n in
                    (("m-found", found.found), ("m-missed", found.missed), ("m-alarmed", found.alarmed),
                     ("m-spared", found.spared)))
    keys = "".join(f'<span><i class="m-sign-dot {kind}"></i><b>{n}</b> {text}</span>' for kind, n, text in
                   (("m-found", found.found, "found"), ("m-missed", found.missed, "missed"),
                    ("m-alarmed", found.alarmed, "worked up for nothing"), ("m-spared", found.spared, "left in peace")))
    ui.heading("Of 100 patients like yours")
    st.html(f'<div class="m-hundred" role="img" aria-label="{ui.html(words, 300)}">{signs}</div>'
            f'<p class="m-hundred-words">{keys}</p>')
    ui.note("“Like yours”: with the outcome as often as here. Rounded to whole patients.")


def in_words(found: Hundred) -> str:
    """The same as a sentence."""
    return (f"Of 100 patients like yours: {found.found} found, {found.missed} missed, {found.alarmed} worked up for "
            f"nothing, {found.spared} left in peace.")


def worth(report: Report) -> None:
    """Decision curves, what acting on the model is worth in the stated range, and the score in use beside it."""
    from medml.plots import use

    known = report.net_benefit
    if known is None:
        return
    ui.section("Is it worth acting on?", "Against working up everybody, or nobody, at the risk from which one would "
               "act.")
    picture, figures = st.columns([3, 2], gap="large")
    with picture, st.container(key="m_card_benefit"):
        ui.chart(lambda: use.decision(known, ink=ui.ink()),
                 f"Higher is better. Shaded: thresholds from {ui.percent(known.low)} to {ui.percent(known.high)}, "
                 f"{known.range_reason}.", key="m_benefit", about="Net benefit by threshold, beside that of working up "
                 "everybody or nobody.", of=(known,))
    with figures, st.container(key="m_card_gain"):
        ui.number_with_interval("More than the better of the two, in 100 patients", in_hundred(known.gain), large=False,
                                digits=1, help="Patients found without one false alarm more, averaged over the shaded "
                                               "thresholds. With 0 inside the interval it is not shown to help.")
        if report.score_in_use is not None:
            ui.draw(f'<p class="m-what">{ui.linked(report.score_in_use.said, 400)}</p>')
            ui.note(f"Your score: {report.score_in_use.formula}. Its AUROC here: {_said(report.score_in_use.auroc)}."
                    + _without(report.score_in_use))


def _without(score: ScoreInUse) -> str:
    """In how many cases the score could not be worked out."""
    n = f"fewer than {SMALL_GROUP} cases" if score.few_missing else ui.count(score.n_missing, "case")
    return f" It could not be worked out in {n}, which count as its middle." if score.few_missing or score.n_missing \
        else ""


def in_hundred(each: Metric) -> Metric:
    """A figure a patient as one a hundred patients."""
    update = {name: None if value is None else 100 * value
              for name in ("value", "low", "high") for value in [getattr(each, name)]}
    return each.model_copy(update=update)


def _said(each: Metric) -> str:
    return "could not tell" if each.value is None else f"{each.value:.3f} ({each.between()})"


def put_right(report: Report) -> None:
    """Calibration before and after, on rows that had no part in the map that put them right."""
    from medml.plots import use

    found = report.recalibration
    if found is None or report.calibration is None:
        return
    if found.method == "none":
        ui.note("Putting the probabilities right afterwards (Platt, isotonic) was tried inside the training parts and "
                "gained nothing: they stay as they are.")
        return
    ui.heading("Put right afterwards", f"Chosen inside the training parts: {METHODS[found.method]}. {_chosen(found)}")
    picture, figures = st.columns([3, 2], gap="large")
    with picture, st.container(key="m_card_put_right"):
        if found.curve is not None:
            ui.chart(lambda: use.put_right(report.calibration, found, ink=ui.ink()),
                     "Before and after, both on rows that had no part in it; on the thin line they agree.",
                     key="m_put_right", about="Calibration curve.", of=(report.calibration, found))
    with figures:
        names = [name for name in BESIDE if name in found.before and name in found.after]
        ui.table(["Figure", "Before", "After"], [[ui.linked(title(name)), metrics.cell(found.before[name]),
                                                  metrics.cell(found.after[name])] for name in names], raw=range(3))


def _chosen(found: Recalibration) -> str:
    parts = sum(found.chosen.values())
    return f"It was the choice in {found.chosen.get(found.method, 0)} of {parts} parts."


