"""What a person fills in on Predict: the form of one patient, drawn from what was seen in training; the file of many.

Values live in this session's memory alone: never in the address, never in a file, gone with the window.
"""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import streamlit as st

from medml.asking import Field
from pages import _ui as ui

ACROSS = 2
OTHER = "another value"  # reads as a category that was never seen
ANSWER, TABLE = "m_predict_answer", "m_predict_table"  # of this window alone
ROUND = "m_predict_round"  # counts the patients of this session: a new number is an empty form


def patient_form(fields: list[Field], key: str) -> dict[str, str | float] | None:
    """Draw the form; in the run in which it was sent, what stands in it by column. Empty fields are left out."""
    turn = f"{key}_{st.session_state.get(ROUND, 0)}"
    if not any(str(each).startswith(f"m_value_{turn}") for each in st.session_state):
        st.session_state.pop(ANSWER, None)  # a form that begins anew is empty: no answer of somebody else beside it
    with st.form(f"m_form_{turn}", border=False, enter_to_submit=True):
        given = _part("Needed for an answer", [each for each in fields if each.needed], turn)
        given |= _part("If it is known", [each for each in fields if not each.needed], turn)
        with st.container(horizontal=True, horizontal_alignment="right", gap="small", key="m_predict_foot"):
            # Enter in a field presses the first: it must ask, never empty the form; the style sheet draws it last
            sent = st.form_submit_button("Predict", type="primary", icon=":material/stethoscope:", key="m_predict_go")
            st.form_submit_button("Next patient", icon=":material/person_add:", key="m_predict_next", on_click=forget)
    return {name: value for name, value in given.items() if value is not None} if sent else None


def forget() -> None:
    """Empty the form and drop the last answer."""
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
    st.session_state.pop(ANSWER, None)


def _part(title: str, fields: list[Field], key: str) -> dict[str, str | float | None]:
    if not fields:
        return {}
    ui.eyebrow(title)
    given = {}
    for at in range(0, len(fields), ACROSS):
        for column, field in zip(st.columns(ACROSS, gap="medium"), fields[at:at + ACROSS], strict=False):
            with column:
                given[field.name] = _value(_drawn(field, f"m_value_{key}_{field.name}"))
    return given


def _drawn(field: Field, key: str) -> Any:
    unit = ui.unit_beside(field.name, field.unit)
    label = ui.plain(field.name) + (f" ({ui.plain(unit)})" if unit else "")
    if field.kind == "choice":
        return st.selectbox(label, [*field.choices, OTHER], index=None, placeholder="Not recorded", key=key,
                            format_func=lambda each: ui.clean(each, 60))
    if field.kind == "date":
        return st.date_input(label, None, min_value=date(1900, 1, 1), max_value=date(2100, 1, 1), key=key,
                             format="YYYY-MM-DD")
    return st.number_input(label, value=None, step=_step(field), format="%g", placeholder=_usual(field), key=key)


def _usual(field: Field) -> str:
    if field.low is None or field.high is None:
        return "Not recorded"
    return f"Mostly {ui.number(field.low)} to {ui.number(field.high)}"


def _step(field: Field) -> float:
    """A tenth or so of what is usual, as a power of ten; of whole numbers 1 where nothing is known."""
    if field.low is None or field.high is None or not field.high > field.low:
        return 1.0
    return 10.0 ** math.floor(math.log10((field.high - field.low) / 10))


def _value(entered: Any) -> str | float | None:
    """What was entered, as the model takes it: a number, an ISO date, the name of a category."""
    return entered.isoformat() if isinstance(entered, date) else entered


def file_form(*, of_pictures: bool, explains: bool) -> dict[str, Any] | None:
    """Where a file of patients (or pictures) lies, where the answers go and what they say; None until it is sent."""
    with st.form("m_file_form", border=False):
        what = "Picture or folder of pictures" if of_pictures else "File of patients"
        path = st.text_input(what, key="m_predict_file",
                             placeholder="/home/you/new films" if of_pictures else "/home/you/new patients.csv")
        sheet = "" if of_pictures else st.text_input("Sheet", key="m_predict_sheet",
                                                     placeholder="Only where a workbook has several")
        out = st.text_input("Write the answers to", key="m_predict_out",
                            placeholder="Beside it, unless you name another place")
        level = st.segmented_control("Share of patients whose set of answers shall hold the truth", [0.80, 0.90, 0.95],
                                     default=0.90, format_func=lambda each: f"{100 * each:.0f} %", required=True,
                                     key="m_predict_file_level")
        explain = explains and st.checkbox("Name the columns that go with each answer", key="m_predict_explain",
                                           help="Takes longer for forests and networks.")
        with st.container(horizontal=True, horizontal_alignment="right"):
            sent = st.form_submit_button("Predict the file", type="primary", icon=":material/table_view:",
                                         key="m_predict_file_go")
    if not sent or not path.strip():
        return None
    return {"file": path.strip(), "out": out.strip(), "sheet": sheet.strip() or None, "level": level,
            "explain": bool(explain)}
