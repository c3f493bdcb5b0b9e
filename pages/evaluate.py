"""Evaluate: what a run is worth, said with its intervals; go on with it, or go back."""

from __future__ import annotations

import streamlit as st

from medml import families
from medml import project as projects
from medml.gallery import Run
from pages import _ui as ui
from pages import _ui_chain as going_on
from pages import _ui_checks as worked
from pages import _ui_export as out
from pages import _ui_gone as gone
from pages import _ui_groups as groups
from pages import _ui_looked as seen
from pages import _ui_metrics as metrics
from pages import _ui_outside as outside
from pages import _ui_report as away
from pages import _ui_results as pictures
from pages import _ui_righted as righting
from pages import _ui_stamps as stamps
from pages import _ui_use as use

TITLE = "Evaluate"
LEAD = "What the model is worth, measured on patients that it had not seen."


def run_of(project: projects.Project | None) -> str | None:
    """The run named in the address, else the project's latest."""
    wanted = ui.current("run")
    mine = projects.runs_of(project.id) if project is not None else []
    if wanted and (project is None or wanted in mine or going_on.project_of(wanted) is None):
        return wanted
    return mine[-1] if mine else None


def head(run: Run, *, busy: bool) -> None:
    """Which run this is, what must be said of it, and its headline figures."""
    family = families.registry.get(run.config.family).titled(run.report.task)
    about = " · ".join([family, run.config.choice.table.label, ui.when(run.manifest.made),
                        going_on.link_name(run.checkpoint).lower()])
    stamps.head(run, about)
    if busy:
        ui.say("note", "This run is being trained further. The figures below are those of the checkpoint before.",
               "The Train page shows how far it is.")
    metrics.headline(run.report)


def figures(run: Run) -> None:
    """All figures beside the baselines, then the pictures."""
    ui.section("All figures", "Beside the simplest models on the very same patients: worth having only where it is "
               "better.")
    metrics.table(run.report, run.config.family)
    if run.report.task == "binary":
        st.fragment(pictures.at_a_threshold)(run)
    elif run.report.task == "multiclass":
        pictures.several_classes(run.report)
    use.worth(run.report)
    pictures.honest(run.report)
    use.put_right(run.report)
    righting.switch(run)
    groups.subgroups(run.report)
    st.fragment(groups.by_another)(run)


def everything(run: Run) -> None:
    """The screen of one run, from the headline to the button that goes on with it."""
    busy, gone = going_on.at_work_on(run.run), going_on.lost(run)
    head(run, busy=busy is not None)
    worked.checks(run.report)
    figures(run)
    if run.config.choice.pictures is None:
        worked.link("explain", "See what the model goes by", ":material/scatter_plot:")
    worked.link("predict", "Ask it about a patient", ":material/stethoscope:")
    outside.elsewhere(run)
    outside.more_patients(run, gone=gone is not None)
    seen.where_it_looked(run)
    pictures.history(run)
    pictures.columns(run)
    pictures.flow(run.report)
    going_on.chain(run)
    going_on.held_out(run)
    away.buttons(run)
    out.take_out(run)
    going_on.go_on(run, busy, gone)


with ui.page(TITLE, step="evaluate", project_required=False, lead=LEAD) as opened:
    chosen = run_of(opened)
    if chosen is None:
        ui.empty("There is no model to look at yet.", "Train one: it takes a few seconds on a small table.")
        if ui.next_button("Go to Train", "train"):
            ui.go("train")
    else:
        found = gone.opened(chosen)
        if found is not None:
            ui.remember("run", chosen)
            everything(found)
