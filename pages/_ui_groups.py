"""For whom the model works: figures by sex, age, site and what the clinician picked (F1)."""

from __future__ import annotations

import streamlit as st

import worker
from medml.evaluate.words import HEADLINE, title
from medml.gallery import Run
from medml.picked import columns_to_pick, said
from medml.types import Report, Subgroup, Task
from pages import _ui as ui
from pages import _ui_explain_jobs as jobs
from pages import _ui_metrics as metrics
from pages._ui_belonging import locked


def subgroups(report: Report) -> None:
    """One table, a line a group; nothing where no column makes groups."""
    if not report.subgroups:
        return
    ui.section("For whom", "The same figures among groups of patients. Groups of fewer than 10 are not shown, "
               "nor one from which their size could be told.")
    table(report.subgroups, report.task)
    later = said(report.subgroups)
    if later:
        ui.note(later)


def table(groups: list[Subgroup], task: Task) -> None:
    """A line a group: how many, the figure that speaks, and how far its probabilities hold."""
    counted = any(each.n_events is not None for each in groups)
    with_slope = any(each.slope is not None for each in groups)
    head = ["By", "Group", "Cases", *(["With the outcome"] if counted else []), title(HEADLINE[task]),
            *(["Calibration slope"] if with_slope else [])]
    ui.table(head, rows(groups, counted=counted, with_slope=with_slope), raw=range(len(head)))


def by_another(run: Run) -> None:
    """Pick one more column after training: its groups are made from the clinician's folder, in memory."""
    names = columns_to_pick(run)
    if not names or locked("change"):
        return  # they are kept with the model, for everybody who sees it
    with ui.guard():
        left, right = st.columns([2, 3], gap="medium", vertical_alignment="bottom")
        column = left.selectbox("By another column", names, index=None, key=f"m_group_{run.run}", format_func=ui.clean,
                                placeholder="Choose a column")
        if right.button("Show by this column", key="m_group_go", icon=":material/groups:", disabled=column is None):
            with st.spinner("Working it out, group by group"):
                worker.ask("explained", part="groups", run=run.run, source=str(jobs.source_of(run)), column=column)
            st.rerun()


def rows(groups: list[Subgroup], *, counted: bool, with_slope: bool) -> list[list[str]]:
    """HTML cells; the column stands in every line, so that each says the same wherever it is sorted to."""
    lines, unsure = [], ui.Cell('<span class="m-quiet">not enough to say</span>', None)
    for each in groups:
        line = [ui.html(each.column, 60), f"<strong>{ui.html(each.label, 60)}</strong>", f"{each.n:,}"]
        line += ["–" if each.n_events is None else f"{each.n_events:,}"] if counted else []
        line += [metrics.cell(each.figure) if each.enough else unsure]
        line += [metrics.cell(each.slope) if each.enough else "–"] if with_slope else []
        lines.append(line)
    return lines
