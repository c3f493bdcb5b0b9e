"""Where a model of pictures looked, on Evaluate: any judged picture beside its heatmap, six at a time.

Pixels, answers and names of files live in this session's memory alone and go when it does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

import worker
from medml.gallery import Run
from pages import _ui as ui
from pages._ui_pictures import is_kept, kept
from pages._ui_words import breakable

A_PAGE, ACROSS = 6, 3
ANSWERS = {"Wrong": False, "Right": True, "All": None}
ORDERS = ("Surest first", "Least sure first")
OF_A_NUMBER = ("Nearest to the truth first", "Furthest off first")  # in the same sense
ANY = "Any"


def where_it_looked(run: Run) -> None:
    """The pictures of a run with its answers and heatmaps; asked for by a button, shown from memory."""
    if run.config.choice.pictures is None:
        return
    spoke = ("a higher number, on one scale for all" if run.report.task == "regression" else
             "the answer, on one scale for all with that answer")
    ui.section("Where the model looked", "Each picture by a model that had not seen it. Red is what spoke for "
               f"{spoke}. It shows where, never why.")
    odd = next((each for each in run.report.checks if each.id == "G3" and each.verdict != "pass"), None)
    if odd is not None:
        ui.say("caution" if odd.verdict == "warn" else "note", odd.what, odd.fix)
    st.fragment(_shown)(run)


def _shown(run: Run) -> None:
    with ui.guard():
        name = (run.run, run.chain.current, "judged")
        if not is_kept(name):
            ui.note("Takes some seconds. The pictures come from your folder and are not stored.")
            if st.button("Show them", icon=":material/image_search:", key="m_look"):
                with st.spinner("Looking through the pictures"):
                    kept(name, lambda: worker.ask("judged", run=run.run))
                st.rerun(scope="fragment")  # without the button
            return
        judged = kept(name, dict)
        chosen = _chosen(run, judged)
        if not len(chosen):
            ui.note("No answer is like that.")
            return
        _page(run, judged, chosen)


def _chosen(run: Run, judged: dict[str, np.ndarray]) -> np.ndarray:
    """Places of the answers that the filters above the pictures let through, in the order asked for."""
    keep, classes = np.ones(len(judged["name"]), dtype=bool), run.report.classes
    first, second, *rest = st.columns([1.3, 1, 1, 1.2] if classes else 2, gap="medium", vertical_alignment="bottom")
    third, fourth = rest or (first, second)
    if classes:
        which = first.segmented_control("Answers", list(ANSWERS), default="Wrong", key="m_looked_which") or "All"
        truth = second.selectbox("In truth", [ANY, *range(len(classes))], key="m_looked_truth",
                                 format_func=lambda each: each if each == ANY else ui.clean(classes[each], 40))
        if ANSWERS[which] is not None:
            keep &= (judged["answer"] == judged["outcome"]) == ANSWERS[which]
        if truth != ANY:
            keep &= judged["outcome"] == truth
    orders = ORDERS if classes else OF_A_NUMBER[::-1]  # what is furthest off asks for a look first
    order = third.selectbox("Order", orders, key="m_looked_order")
    part = fourth.text_input("Name of the file", placeholder="Any", key="m_looked_name").strip().lower()
    if part:
        keep &= np.array([part in each.lower() for each in judged["name"]], dtype=bool)
    found = np.flatnonzero(keep)
    return found if order in (ORDERS[0], OF_A_NUMBER[0]) else found[::-1]


def _page(run: Run, judged: dict[str, np.ndarray], chosen: np.ndarray) -> None:
    """One page of the chosen answers, and the way to the next."""
    mark, pages = hash(chosen.tobytes()), -(-len(chosen) // A_PAGE)
    held = st.session_state.get("m_looked_page", (mark, 0))
    page = min(held[1], pages - 1) if held[0] == mark else 0  # other filters begin at the first page
    some = chosen[page * A_PAGE:(page + 1) * A_PAGE]
    name = (run.run, run.chain.current, "looked", *some.tolist())
    with st.spinner("Drawing where the model looked"):
        found = kept(name, lambda: _ask(run, judged, some))
    if len(found["name"]) < len(some):
        ui.note(f"{ui.count(len(some) - len(found['name']), 'picture')} can no longer be read.")
    _draw(found, run.report.classes)
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        st.button("Back", icon=":material/chevron_left:", key="m_looked_back", disabled=page == 0, on_click=_turn,
                  args=(mark, page - 1))
        first = page * A_PAGE + 1
        st.html(f'<p class="m-note">{first:,} to {first + len(some) - 1:,} of {len(chosen):,}</p>', width="content")
        st.button("Next", icon=":material/chevron_right:", key="m_looked_next", disabled=page + 1 >= pages,
                  on_click=_turn, args=(mark, page + 1))


def _turn(mark: int, page: int) -> None:
    st.session_state["m_looked_page"] = (mark, page)


def _ask(run: Run, judged: dict[str, np.ndarray], some: np.ndarray) -> dict[str, np.ndarray]:
    scale = ("channels", "hottest")  # of the run; all else is of each answer
    answers: dict[str, Any] = {name: values[some].tolist() for name, values in judged.items() if name not in scale}
    return worker.ask("look", run=run.run, answers=answers, channels=int(judged["channels"]),
                      hottest=judged["hottest"].tolist())


def _draw(found: dict[str, np.ndarray], classes: list[str]) -> None:
    """Pictures with their heatmaps beside them, three a row, what was said of each under it."""
    from medml.looking import beside

    pairs = beside(found["pixels"], found["heat"])
    for first in range(0, len(pairs), ACROSS):
        for at, column in enumerate(st.columns(ACROSS, gap="medium"), start=first):
            if at < len(pairs):
                column.image(pairs[at], width="stretch", alt=f"Picture {at + 1} beside where the model looked")
                column.html(_words(found, classes, at))


def _words(found: dict[str, np.ndarray], classes: list[str], at: int) -> str:
    if classes:
        answer, outcome = int(found["answer"][at]), int(found["outcome"][at])
        truth = "right" if answer == outcome else f"in truth {ui.html(classes[outcome], 40)}"
        said = f"<strong>{ui.html(classes[answer], 40)}</strong> {ui.percent(found['p'][at])}, {truth}"
    else:
        said = f"<strong>{ui.number(found['answer'][at])}</strong>, in truth {ui.number(found['outcome'][at])}"
    return f'<p class="m-words">{said}<br>{breakable(found["name"][at], 120)}</p>'
