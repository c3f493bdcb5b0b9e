"""Figures of a run: the headline ones large, all of them with the baselines in one table, and the threshold."""

from __future__ import annotations

import streamlit as st

from medml import families
from medml.evaluate.words import HEADLINE, meaning, of_one_class, title
from medml.measured import NO_INTERVAL
from medml.types import External, GridPoint, Metric, Report, Task
from pages import _ui as ui
from pages._ui_figures import fixed
from pages._ui_plan import answer

BIG = {"binary": ("auroc", "auprc", "brier"), "multiclass": ("auroc", "balanced_accuracy", "log_loss"),
       "regression": ("r2", "mae", "rmse")}
BASELINES = {"prevalence": "Guess: the share of each class", "logistic": "Logistic regression",
             "mean": "Guess: the mean", "ridge": "Linear regression", "score_in_use": "The score in use today"}
GUESSES = ("prevalence", "mean")
ITSELF = {"logistic": ("logistic", "ridge")}  # the baselines that a family is, by its name


def headline(report: Report) -> None:
    """Three figures, large, their intervals in grey, and what they were measured on."""
    names = [each for each in BIG[report.task] if each in report.metrics and each not in report.hidden]
    with st.container(key="m_card_headline"):
        columns = st.columns(len(names), gap="large")
        for column, name in zip(columns, names, strict=True):
            with column:
                ui.number_with_interval(title(name), report.metrics[name], help=meaning(name), large=True)
        ui.note(f"With 95 % intervals. {provenance(report)}")


def provenance(report: Report) -> str:
    """What the figures were measured on and on how many."""
    them = "them" if report.n_cases == report.n_patients else "the rows"
    events = "" if report.n_events is None else f", {report.n_events:,} of {them} {answer(report.positive)}"
    return f"Measured on {report.measured_on}: {whom(report)}{events}. {of_one_class(report)}".rstrip()


def whom(judged: Report | External) -> str:
    """How many patients, and how many rows where a patient has several."""
    who = ui.count(judged.n_patients, "patient")
    return who if judged.n_cases == judged.n_patients else f"{ui.count(judged.n_cases, 'row')} of {who}"


def table(report: Report, family: str) -> None:
    """Every figure that may be shown, this model first, the baselines beside it in the same table (E7)."""
    names = [each for each in report.metrics if each not in report.hidden]
    baselines = others(report, family)
    thumbnail = " of a thumbnail" if family in families.seeing("pictures") else ""
    head = ["Figure", "This model", *(baseline_title(each, report.task) + thumbnail * (each not in GUESSES)
                                      for each in baselines)]
    rows = [[_named(name), cell(report.metrics[name], strong=True),
             *(cell(report.baselines[each].get(name)) for each in baselines)] for name in names]
    ui.table(head, rows, raw=range(len(head)))
    if report.hidden:
        hidden = ", ".join(title(each) for each in report.hidden)
        ui.note(f"{hidden} not shown: the outcome is rare here, so a model that never finds anybody would still look "
                "good by it.")
    if len(baselines) < len(report.baselines):
        ui.note("This model is itself the plain regression that other models are compared with here.")


def others(report: Report, family: str) -> list[str]:
    """The baselines to stand beside a model of that family: plain regression is not compared with itself."""
    return [each for each in report.baselines if each not in ITSELF.get(family, ())]


def baseline_title(name: str, task: Task) -> str:
    """A baseline's name on the screen; of a number the same guess for everybody is the mean."""
    name = "mean" if task == "regression" and name == "prevalence" else name
    return BASELINES.get(name, name.replace("_", " ").capitalize())


def cell(metric: Metric | None, *, strong: bool = False) -> str:
    """HTML of a figure with its interval; without an interval no figure is shown (E2). Sorted by the figure."""
    if metric is None or metric.value is None or metric.low is None or metric.high is None:
        return ui.Cell('<span class="m-quiet">could not tell</span>', None)
    value = fixed(metric.value)
    shown = f"<strong>{value}</strong>" if strong else value
    return ui.Cell(f'<span class="m-value">{shown}</span>'
                   f'<span class="m-between">{_between(metric)}</span>', metric.value)


def _between(metric: Metric) -> str:
    """Short where there is none: a column of a table is narrow."""
    if metric.spread:
        return f"{fixed(metric.low)} to {fixed(metric.high)}"
    return f'<span title="{NO_INTERVAL}">{NO_INTERVAL.partition(":")[0]}</span>'


def _named(name: str) -> str:
    return ui.Cell(f'{ui.linked(title(name))}<span class="m-meaning">{ui.html(meaning(name), 300)}</span>', title(name))


def threshold(report: Report, key: str) -> GridPoint | None:
    """The movable threshold: one of the 101 of the report; returns where it stands."""
    if not report.grid:
        return None
    steps = [each.threshold for each in report.grid]
    start = min(steps, key=lambda each: abs(each - (0.5 if report.threshold is None else report.threshold)))
    begin = {} if key in st.session_state else {"value": start}  # a rule may have moved it already
    at = st.select_slider("Call it “yes” from this probability on", steps, key=key, format_func="{:.2f}".format,
                          **begin)
    return report.grid[steps.index(at)]


def at_threshold(report: Report, point: GridPoint, repeats: int) -> None:
    """What the threshold means: who is found, who is alarmed for nothing, with intervals."""
    for name in ("sensitivity", "specificity"):
        ui.number_with_interval(title(name), getattr(point, name), help=meaning(name), large=False)
    ui.note(f"Of {point.tp + point.fn:,} that are {answer(report.positive)}, {point.tp:,} are found and {point.fn:,} "
            f"missed; of {point.tn + point.fp:,} others {point.fp:,} are called for nothing.")
    if report.threshold is not None:
        ui.note(f"Proposed for later patients: {fixed(report.threshold, 2)}. {report.threshold_reason}")
    ui.note(why_figures_differ(repeats))


def why_figures_differ(repeats: int) -> str:
    """Why sensitivity here, in the table above and by the counts are not the same to the last digit."""
    words = "So the table above differs from the figures here, where one threshold holds for everybody."
    if repeats == 1:
        return words
    return f"{words} Counts are means over {repeats} repeats, in whole patients."


def headline_name(report: Report) -> str:
    """The title of the figure that speaks for the run."""
    return title(HEADLINE[report.task])
