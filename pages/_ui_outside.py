"""On other patients: figures from another folder beside the run's own, and what more patients would bring."""

from __future__ import annotations

import streamlit as st

import worker
from medml import project as projects
from medml import rights
from medml.evaluate.catalogue import INTERNAL, STATE, counted, doubts, in_words_stated, left_out, unread
from medml.evaluate.checks.usefulness import classes_in_words
from medml.evaluate.words import METRICS, title
from medml.gallery import Run
from medml.report.wording import gain
from medml.types import External, Report
from pages import _ui as ui
from pages import _ui_again as again
from pages import _ui_chain as chain
from pages import _ui_groups as groups
from pages import _ui_metrics as metrics

MAP_HELP = "One a line: how it is called there = how it is called here. Leave empty where the names are the same."


def elsewhere(run: Run) -> None:
    """Every validation beside the run's own figures, and the form for one more."""
    alike = "with the same columns" if run.config.choice.pictures is None else "of such pictures, labelled as here"
    ui.section("On other patients", "A model is believed once it was judged where it was not made. Choose a folder "
               f"{alike}: nothing is learned from it, and only figures are kept.")
    for found in reversed(run.report.external):
        beside(run.report, found)
    with st.expander("Judge it on another folder", expanded=False):
        ask(run)


def beside(report: Report, found: External) -> None:
    """One validation: its figures, the run's own, and what must be said of the data."""
    them = "them" if found.n_cases == found.n_patients else "the rows"
    events = "" if found.n_events is None else f", {found.n_events:,} of {them} with the outcome"
    ui.note(f"{found.source} · {ui.when(found.made)} · {metrics.whom(found)}{events}")
    inside, outside = report.metrics | report.calibration_line, found.metrics | found.calibration_line
    names = [name for name in METRICS if name in inside and name in outside and name not in report.hidden]
    head = ["Figure", "There", "Here"]
    ui.table(head, [[ui.linked(title(name)), metrics.cell(outside[name], strong=True), metrics.cell(inside[name])]
                    for name in names], raw=range(3))
    if found.calibration_of_classes:
        ui.note(f"There: {classes_in_words(found.calibration_of_classes)}")
    if found.net_benefit is not None:
        ui.note(gain(found.net_benefit))
    if found.subgroups:
        with st.expander("For whom there"):
            groups.table(found.subgroups, report.task)
    if found.score_in_use is not None:
        ui.note(f"There: {found.score_in_use.said}")
    if counted(found, "n_left_out"):
        ui.note(f"Left out: {left_out(found)}.")
    if unread(found):
        ui.say("caution", f"{unread(found)}.", "See how it is written there, and judge it again.")
    copies = counted(found, "n_copies")
    if copies:
        ui.say("caution", f"{copies[:1].upper()}{copies[1:]} there equal a row that the model was made from.",
               "These figures are too good: leave those rows out, and judge it again.")
    doubted = doubts(found)
    if doubted:
        ui.say("note" if found.stated else "caution", f"Perhaps no other patients: {'; '.join(doubted)}.",
               in_words_stated(found) if found.stated else f"This run stays “{INTERNAL}”. {STATE}")


def ask(run: Run) -> None:
    """Folder, names of columns, and the button; a job does it."""
    key = f"m_outside_{run.run}_{run.chain.current}"
    where = st.text_input("Folder or file of other patients", key=f"{key}_where", placeholder="/path/to/their/folder")
    pairs = st.text_area("Columns that are called otherwise there", key=f"{key}_map", help=MAP_HELP, height=80,
                         placeholder="RR syst = trestbps")
    stated = st.checkbox("I know that these are other patients", key=f"{key}_stated", help="Of another place, or of a "
                         "later time. Needed only where MedML is in doubt: the same identifiers, the same folder, or "
                         "rows that look like the run's own. It is written into the report.")
    job = st.session_state.get(f"{key}_job")
    busy = job is not None and not worker.get(job).ended_for_good
    if st.button("Judge it there", icon=":material/travel_explore:", key=f"{key}_go",
                 **ui.allowed("train", disabled=busy)):
        with ui.guard():  # a wrong path is said here, and the rest of the screen stays
            source = projects.check_source(where)
            payload = {"run": run.run, "source": str(source), "renamed": renamed(pairs, run),
                       "stated": stated, "by": rights.in_words(), "project": chain.project_of(run.run)}
            st.session_state[f"{key}_job"] = worker.enqueue("external", payload, project=payload["project"])
            st.rerun()
    if job is not None:
        ui.followed(job, lambda ended: _ended(ended, f"{key}_job"), "Judging it on other patients")


def renamed(text: str, run: Run) -> dict[str, str]:
    """{their column: ours} of lines "theirs = ours"; UserError for a line that says no pair."""
    from medml.commands.evaluate import mapped
    from medml.outside import opened_columns

    return mapped([line for line in text.splitlines() if line.strip()], opened_columns(run))


def _ended(job: worker.Job, mine: str) -> None:
    if job.state == "done":
        st.session_state.pop(mine, None)
        st.rerun()


def more_patients(run: Run, *, gone: bool) -> None:
    """The learning curve with its forecast, or the button that makes it; gone: the run's table is not there."""
    from medml.plots import use

    ui.section("What would more patients bring?", "The same training on parts of the patients shows whether it still "
               "gets better.")
    found = run.report.forecast
    if found is not None:
        with st.container(key="m_card_forecast"):
            ui.chart(use.forecast(found, title=metrics.headline_name(run.report), ink=ui.ink()), found.said,
                     key="m_forecast", about=f"{metrics.headline_name(run.report)} by number of patients.")
        return
    mine = f"m_forecast_{run.run}_{run.chain.current}"
    job = st.session_state.get(mine)
    busy = job is not None and not worker.get(job).ended_for_good
    if st.button("Find out", icon=":material/trending_up:", key=f"{mine}_go",
                 **ui.allowed("train", disabled=busy or gone, help="Trains on a fifth to three "
                              "quarters of the patients: about twice the time of one training.")):
        project = chain.project_of(run.run)
        st.session_state[mine] = worker.enqueue("forecast", {"run": run.run, "project": project}, project=project,
                                                job_id=again.id_of("forecast", run.run, run.chain.current))
        st.rerun()
    if job is not None:
        ui.followed(job, lambda ended: _ended(ended, mine), "Training on parts of the patients")
