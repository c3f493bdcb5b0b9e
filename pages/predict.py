"""Predict: ask a finished model about one patient, or about a file of them. Nothing that is entered is stored."""

from __future__ import annotations

import streamlit as st

import worker
from medml import asking, gallery
from medml.errors import UserError
from medml.gallery import Run
from pages import _ui as ui
from pages import _ui_predict as forms
from pages import _ui_predict_answer as answer
from pages import _ui_predict_many as several
from pages._ui_plan import answer as class_words

TITLE = "Predict"
LEAD = "Ask a finished model about a patient. What you enter stays in this window and is stored nowhere."
ONE, MANY = "One patient", "A file of patients"


def choose() -> str | None:
    """Which model is asked; None where there is none. Another one drops the last answer."""
    listed = [each for each in gallery.runs() if not each.unusable]
    if not listed:
        return None
    names = {each.run: f"{ui.clean(each.name, 80)} · {ui.when(each.made)}" for each in listed}
    wanted = ui.current("run")
    run = st.selectbox("Model", list(names), index=list(names).index(wanted) if wanted in names else 0,
                       format_func=names.get, key="m_predict_run")
    if run != wanted:
        ui.remember("run", run)
        st.session_state.pop(forms.ANSWER, None)
        st.session_state.pop(forms.TABLE, None)
    return run


def about(run: Run) -> str:
    """What the model answers, in one line."""
    target, task = run.config.choice.target, run.report.task
    if task == "binary":
        return f"How likely it is that “{target}” is {class_words(run.report.positive)}."
    return f"What “{target}” will be." if task == "regression" else f"Which class “{target}” is."


def ready(run: Run) -> None:
    """Have the model in memory by the time that the form is filled in; once a window."""
    mark = (run.run, run.chain.current)
    if st.session_state.get("m_predict_ready") != mark:
        st.session_state["m_predict_ready"] = mark
        worker.answer_soon("patient", run=run.run, values={})


def one_patient(run: Run) -> None:
    """The form on the left, the answer on the right."""
    ready(run)
    left, right = st.columns([3, 2], gap="large")
    with left:
        values = forms.patient_form(asking.fields(run), f"{run.run}_{run.chain.current}")
    with right, st.container(key="m_card_answer"):
        with ui.guard():
            if values is not None:
                ask(run, values)
        answer.shown(run, st.session_state.get(forms.ANSWER))


def ask(run: Run, values: dict[str, str | float]) -> None:
    """Put the question and keep the answer for this window. UserError where nothing was entered."""
    st.session_state.pop(forms.ANSWER, None)
    if not values:
        raise UserError(what="Nothing was entered.", fix="Fill in what is known, then press Predict.")
    with st.spinner("Answering"):
        st.session_state[forms.ANSWER] = worker.answer("patient", run=run.run, values=values)


with ui.page(TITLE, project_required=False, lead=LEAD):
    chosen = choose()
    if chosen is None:
        ui.empty("There is no model to ask yet.", "Train one first; it then stands here.")
        if ui.next_button("Go to Projects", "home"):
            ui.go("home")
    else:
        opened = gallery.open_run(chosen)
        ui.note(about(opened))
        of_pictures = opened.config.choice.pictures is not None
        how = MANY if of_pictures else st.segmented_control("How", [ONE, MANY], default=ONE, required=True,
                                                            key="m_predict_how", label_visibility="collapsed")
        (one_patient if how == ONE else several.many)(opened)
