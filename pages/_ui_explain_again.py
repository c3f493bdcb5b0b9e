"""A second look at the cases on which label and model disagree most; decisions become a step of the recipe."""

from __future__ import annotations

import numpy as np
import streamlit as st

from medml import project as projects
from medml.explain.found import Overall, read
from medml.gallery import Run
from pages import _ui as ui
from pages import _ui_chain as going_on
from pages import _ui_explain as drawn
from pages._ui_pictures import is_kept, kept

FEW = 5  # columns of the file that are shown unless more are asked for


def second_look(run: Run) -> None:
    """Asked for by a button; from the clinician's own file, in memory alone."""
    with ui.guard():
        ui.section("A second look", "The 20 cases on which the file and the model, which had not seen them, disagree "
                   "most. Some labels may be wrong; most are simply hard cases.")
        name = (run.run, run.chain.current, "again")
        if not is_kept(name) and not st.button("Show the cases", icon=":material/rule:", key="m_again"):
            ui.note("They are read from your folder and kept nowhere.")
            return
        with st.spinner("Reading the cases"):
            found = kept(name, lambda: drawn.ask(run, "again"))
        table(run, found)
        decide(run, found)


def table(run: Run, found: dict[str, np.ndarray]) -> None:
    """The cases as they stand in the file: a few columns, which fit a narrow window, and those that are asked for."""
    names = found["columns"].tolist()
    shown = st.multiselect("Columns shown", names, heaviest(run, names), key=f"m_again_columns_{run.run}",
                           format_func=ui.clean, placeholder="None")
    places = [names.index(each) for each in shown]
    rows = [(f"{row:,}", outcome, answer, *(cells[at] for at in places)) for row, outcome, answer, cells in
            zip(found["row"].tolist(), found["outcome"].tolist(), found["answer"].tolist(), found["cells"].tolist(),
                strict=True)]
    ui.table(["Row", "The file says", "The model says", *shown], rows, right=[0])


def heaviest(run: Run, names: list[str]) -> list[str]:
    """The columns that move the answers most, where that has been worked out, in the order of the file; else the first
    ones."""
    value = read(run, Overall)
    weights = value.of(value.outputs[0]) if value is not None else []
    known = [each.column for each in weights if each.column in names][:FEW]
    return [each for each in names if each in known] or names[:FEW]


def decide(run: Run, found: dict[str, np.ndarray]) -> None:
    """Which labels are wrong, which cases do not belong here; nothing changes before the button is pressed."""
    keys = dict(zip(found["row"].tolist(), found["key"].tolist(), strict=True))
    say = lambda row: f"Row {row:,}"  # noqa: E731
    left, right = st.columns(2, gap="medium")
    wrong, label = [], ""
    if run.report.task != "regression":
        wrong = left.multiselect("Labelled wrongly", list(keys), format_func=say, placeholder="None",
                                 key=f"m_wrong_{run.run}")
    if run.report.task == "multiclass":
        label = left.selectbox("It is in truth", run.report.classes, key=f"m_truth_{run.run}", format_func=ui.clean)
    gone = right.multiselect("Do not belong here", [row for row in keys if row not in wrong], format_func=say,
                             placeholder="None", key=f"m_gone_{run.run}")
    why_not = refused(run)
    if why_not:
        ui.note(why_not)
    if st.button("Keep these decisions", key="m_decide", icon=":material/edit_note:",
                 **ui.allowed("change", disabled=bool(why_not) or not (wrong or gone))):
        keep(run, {keys[row]: label for row in wrong}, [keys[row] for row in gone])
        ui.go("cleanup", project=going_on.project_of(run.run))
    ui.note("Your file is never changed. The decisions become the first step of the cleanup, and every report of a "
            "model trained with them says that labels were changed after a model's answers had been seen.")


def refused(run: Run) -> str:
    """Why decisions about this run cannot be kept; "" where they can."""
    project = going_on.project_of(run.run)
    if project is None:
        return "This model belongs to no project, so there is no recipe to keep decisions in."
    profile, recipe = projects.profile(project), projects.recipe(project)
    same = profile is not None and any(each.ref == run.config.choice.table and each.sha256 == run.config.data_sha256
                                       for each in profile.tables)
    return "" if recipe is not None and same else \
        "The project has been scanned or chosen anew since, so decisions about these rows cannot be kept in it."


def keep(run: Run, relabel: dict[str, str], exclude: list[str]) -> None:
    """Write them into the project's recipe."""
    from medml.explain.second_look import decided

    project = going_on.project_of(run.run)
    projects.write(project, decided(projects.recipe(project), relabel, exclude, run.label.name))
