"""Choosing columns: the switch, what earlier trainings showed, and the clinician's own lists."""

from __future__ import annotations

import streamlit as st

from medml.overrides import Seen
from medml.types import SelectionPlan
from pages import _ui as ui

METHODS = {"pyimpetus": "PyImpetus (Markov blanket)", "forest": "Random forest (shuffled columns)"}
PRINTED = ("You have already seen how often each column was kept. A list changed now is an override made after the "
           "scores: it is recorded and will be printed in the report.")


def ask_selection(plan: SelectionPlan, columns: list[str], seen: Seen, key: str) -> SelectionPlan:
    """The whole section; returns the plan with the override marked where the lists were changed after scores."""
    ui.section("Columns", "MedML can choose them by itself. It does so inside every fold, on its training rows alone, "
               "so the choice is judged too.")
    with st.container(key="m_card_selection"):
        on = st.toggle("Choose columns inside every fold", plan.on, key=f"{key}_on")
        changes = {"on": on} | (_ask_method(plan, key) if on else {})
        changes |= _ask_lists(plan, columns, key)
        judged = seen.judge(plan.model_copy(update=changes))
        if judged.override_after_scores:
            ui.say("caution", PRINTED, "Set the lists back if you want a result without an override.")
        if seen.scores:
            _show_scores(seen)
    return judged


def _ask_method(plan: SelectionPlan, key: str) -> dict[str, object]:
    left, middle, right = st.columns(3, gap="large")
    with left:
        method = st.selectbox("By", list(METHODS), index=list(METHODS).index(plan.method), key=f"{key}_method",
                              format_func=METHODS.get)
    with middle:
        rounds = st.number_input("Simulations", 2, 200, plan.simulations, key=f"{key}_simulations")
    with right:
        limit = st.number_input("Longest time a fold, in seconds", 5, 3600, int(plan.seconds_a_fold), step=5,
                                key=f"{key}_seconds")
    ui.note("Where PyImpetus cannot answer in that time, a random forest does, and the report says so.")
    return {"method": method, "simulations": int(rounds), "seconds_a_fold": float(limit)}


def _ask_lists(plan: SelectionPlan, columns: list[str], key: str) -> dict[str, list[str]]:
    """What you know better than the data: never dropped, never used; applied inside every fold."""
    left, right = st.columns(2, gap="large")
    with left:
        inside = st.multiselect("Always use", columns, [each for each in plan.forced_in if each in columns],
                                key=f"{key}_in", placeholder="No column is forced in", format_func=ui.plain)
    rest = [each for each in columns if each not in inside]
    with right:
        outside = st.multiselect("Never use", rest, [each for each in plan.forced_out if each in rest],
                                 key=f"{key}_out", placeholder="No column is forced out", format_func=ui.plain)
    return {"forced_in": inside, "forced_out": outside}


def _show_scores(seen: Seen) -> None:
    """Scores of the latest training on this table and target, as frequencies over folds."""
    from medml.plots import counts

    with st.expander("How often each column was kept so far"):
        ui.chart(counts.selection(seen.scores, ink=ui.ink()), stability(seen), key="m_seen_scores",
                 about="In which share of the folds each column was kept.")


def stability(seen: Seen) -> str:
    """How steady the choice was, in one sentence."""
    free = [each.frequency for each in seen.scores if not each.forced]
    steady = sum(each >= 0.8 for each in free)
    unsure = sum(0.2 < each < 0.8 for each in free)
    words = f"{steady} columns were kept in at least 80 % of the folds; {unsure} came and went from fold to fold. "
    return words + seen.note
