"""The frame of every page: the guard, the bar on top, the stepper, and which project one is in."""

from __future__ import annotations

import contextlib
import functools
import importlib
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import streamlit as st

from medml import project as projects
from medml import rights
from medml.errors import UserError, apology, our_fault
from pages._ui_away import coming_back
from pages._ui_belonging import locked, tell_locked
from pages._ui_corner import corner
from pages._ui_person import menu
from pages._ui_plain import html
from pages._ui_tables import loaded
from pages._ui_terms import draw, linked
from pages._ui_words import say
from pages._ward import opens

STEPS = ("scan", "preview", "cleanup", "configure", "train", "evaluate")
BAR = (("home", "Projects"), ("gallery", "Gallery"), ("predict", "Predict"), ("jobs", "Jobs"), ("words", "Words"),
       ("privacy", "Privacy"))
LOOK = sorted(Path(__file__).with_name("static").glob("look_*.css"))
_CHANGING = ("scan", "preview", "cleanup", "configure", "train")  # steps whose button changes the project
_NEXT_IS_OPEN = ("preview", "cleanup", "configure")  # stages whose following step can be entered


@contextlib.contextmanager
def guard() -> Iterator[None]:
    """Show what a person can mend word for word, and everything else as the one apology with its reference."""
    try:
        yield
    except UserError as theirs:
        say("stop", theirs.what, theirs.fix)
    except Exception as ours:  # noqa: BLE001 - the one place of a page
        say("stop", apology(our_fault(ours)), "Reload the page. If it happens again, give this reference to support.")


def guarded(act: Callable[..., object]) -> Callable[..., None]:
    """An act for a button's `on_click`, which Streamlit does outside of the page: what cannot be done is said, too."""
    @functools.wraps(act)
    def done(*given: object) -> None:
        with guard():
            act(*given)
    return done


@contextlib.contextmanager
def page(title: str, step: str | None = None, project_required: bool = True,
         lead: str = "", onward: str | None = None) -> Iterator[projects.Project | None]:
    """Draw the frame and guard what is inside it; yields the project one is in, or None where none is needed.

    step              one of STEPS, or None for a page beside the line (Gallery, Jobs)
    project_required  True: without a project the page says where to find one and its body is not run
    lead              one sentence under the heading
    onward            the page that the button at the foot leads to, where nothing on this one is kept as it is drawn
    """
    if onward and pressed():
        go(onward)
    ready = False
    with guard(), coming_back():
        _look()
        project = _project(project_required)
        with st.container(key="m_head"):
            _bar(project, title, step)
            if project is not None:  # with none open there is no line to stand on
                stepper(project, step)
        _heading(title, step, lead)
        st.session_state["m_step"] = step
        if step in _CHANGING:
            tell_locked("change")
        ready = project is not None or not project_required
        if not ready:
            say("note", "No project is open.", "Choose one on the Projects page, or start a new one.")
    if not ready:
        st.page_link("home.py", label="Go to Projects", icon=":material/arrow_back:")
        st.stop()
    with st.container(key=f"m_page_{title.lower().replace(' ', '_')}"), guard(), coming_back():
        yield project


def _look() -> None:
    """The style sheets, and what sorts and searches tables."""
    st.html(_Sheets())
    with st.container(key="m_script"):
        st.html(loaded(), unsafe_allow_javascript=True)  # a file of our own, the same for everybody


class _Sheets:
    """All style sheets: one element, where nine of them were a sixth of what a page is made of. Streamlit takes what
    comes like this as it is; of a text it looks at the beginning of each line, at every run (0.7 ms)."""

    def _repr_html_(self) -> str:
        return _sheets()


@cache
def _sheets() -> str:
    return f"<style>{''.join(each.read_text(encoding='utf-8') for each in LOOK)}</style>"


def _project(required: bool) -> projects.Project | None:
    chosen = current("project")
    if chosen is None:
        return None
    try:
        return projects.get(chosen)
    except UserError:
        forget("project")
        if required:
            raise
        return None


def current(name: str) -> str | None:
    """An id that a reload must find again ("project", "run", "job"): from the address, else from this session."""
    value = st.query_params.get(name) or st.session_state.get(f"m_current_{name}")
    if value:
        remember(name, value)
    return value


def remember(name: str, value: str) -> None:
    """Keep an id in this session and in the address."""
    st.session_state[f"m_current_{name}"] = value
    if st.query_params.get(name) != value:
        st.query_params[name] = value


def forget(name: str) -> None:
    """Drop an id from this session and from the address."""
    st.session_state.pop(f"m_current_{name}", None)
    st.query_params.pop(name, None)


def go(step: str, **ids: str) -> None:
    """Open another page ("scan", "gallery" ...) at once, with the ids it needs: go("evaluate", run=run_id)."""
    for name, value in ids.items():
        st.session_state[f"m_current_{name}"] = value
    st.switch_page(f"{step}.py", query_params=_address(ids))


def _address(ids: dict[str, str] | None = None) -> dict[str, str]:
    project = st.session_state.get("m_current_project")
    return ({"project": project} if project else {}) | (ids or {})


def pressed(key: str = "m_next") -> bool:
    """Whether this run is that of a press on that button, known before anything is drawn.

    Who leaves a page need not wait for it to be drawn for the last time.
    """
    return bool(st.session_state.get(key))


def next_button(label: str, step: str | None = None, *, disabled: bool = False, key: str | None = None,
                help: str | None = None, beside: Callable[[], None] | None = None) -> bool:
    """The one primary button of a screen, at its foot. True in the run in which it was pressed.

    step    names the page that follows; the caller saves what there is to save, then calls `go(step)`
    beside  draws what else can be done, to the left of it
    """
    with st.container(key="m_foot", horizontal=True, horizontal_alignment="right", vertical_alignment="bottom"):
        if beside is not None:
            beside()
        if st.session_state.get("m_step") in _CHANGING and locked("change"):
            disabled, help = True, rights.why_not("change")
        return st.button(label, type="primary", icon=":material/arrow_forward:" if step else None, disabled=disabled,
                         icon_position="right", key=key or "m_next", help=help)


def stepper(project: projects.Project, current_step: str | None) -> None:
    """The six steps: done ones and the next one are links, the one in hand is marked, the rest wait."""
    furthest = STEPS.index(project.stage)
    with st.container(key="m_steps", horizontal=True, gap="small"):
        for place, name in enumerate(STEPS):
            state = _state(place, name == current_step, furthest, project)
            with st.container(key=f"m_step_{place + 1}_{state}"):
                _link(name, name.capitalize(), disabled=state == "later", width="stretch")


def _state(place: int, here: bool, furthest: int, project: projects.Project) -> str:
    if here:
        return "here"
    if place > furthest + 1:
        return "later"
    if place == furthest + 1:
        return "next" if project.stage in _NEXT_IS_OPEN else "later"
    return "done"


def _bar(project: projects.Project | None, title: str, step: str | None) -> None:
    with st.container(key="m_bar", horizontal=True, vertical_alignment="center", gap="medium"):
        st.html('<span class="m-brand"><span class="m-sign" aria-hidden="true"></span>MedML</span>', width="content")
        st.html(_where(project) if project else "<span></span>", width="stretch")
        for name, label in BAR:
            _link(name, label)
        corner(project.id if project else None, title, step)
        menu()


def _where(project: projects.Project) -> str:
    return f'<span class="m-where" title="{html(project.source, 500)}">{html(project.name, 60)}</span>'


def _link(name: str, label: str, *, disabled: bool = False, width: str = "content") -> None:
    """A link within the app; a page whose file is not there is left out."""
    if _is_here(name) and opens(name):
        st.page_link(f"{name}.py", label=label, disabled=disabled, width=width, query_params=_address())


@cache
def _is_here(name: str) -> bool:
    return Path(__file__).with_name(f"{name}.py").exists()


def _heading(title: str, step: str | None, lead: str) -> None:
    place = f'<p class="m-eyebrow">Step {STEPS.index(step) + 1} of {len(STEPS)}</p>' if step else ""
    under = f'<p class="m-lead">{linked(lead, 400)}</p>' if lead else ""
    draw(f'<header class="m-title">{place}<h1>{html(title)}</h1>{under}</header>')


@st.cache_resource(show_spinner=False)
def warm_up() -> threading.Thread:
    """Import what the pages after the first one need, while the first one is being read."""
    started = threading.Thread(target=_import_heavy, name="warm-up", daemon=True)
    started.start()
    return started


def _import_heavy() -> None:
    for each in ("altair", "polars", "medml.data", "medml.profile", "medml.recipe", "medml.plots.distributions",
                 "medml.plots.missingness", "medml.copilot"):
        importlib.import_module(each)
