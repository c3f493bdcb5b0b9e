"""Projects: the ones there are, a new one, or the example."""

from __future__ import annotations

import time

import streamlit as st

from medml import project as projects
from medml.example import example_source
from pages import _home_folders as folders
from pages import _ui as ui
from pages import _ui_belonging as belonging
from pages._ui_standing import told

TITLE = "Projects"
EXAMPLE, EXAMPLE_KEY = "Try it on example data", "m_example"
SAME_CLICK = 5.0  # seconds within which a second press means the first


def new_project(first: bool) -> None:
    """The card that starts a project: a path, typed (Enter is enough) or found by browsing."""
    browsing = st.session_state.get(folders.BROWSING)
    with st.container(key="m_card_new"):
        ui.heading("Start from your own data",
                   "A table, or a folder of tables or pictures, on this machine. MedML reads it where it lies and "
                   "changes nothing.")
        with st.form("m_new", border=False):
            source = st.text_input("Folder or file", key=folders.PATH,
                                   placeholder="/home/you/study or C:\\Users\\you\\study")
            team = belonging.ask_team("m_team")
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                create = st.form_submit_button("Create project", type="primary", icon=":material/add:", key="m_create")
                st.form_submit_button("Browse folders" if browsing is None else "Close folders", key="m_browse",
                                      icon=":material/folder_open:", on_click=folders.toggle_browser)
                if not first:
                    st.form_submit_button(EXAMPLE, icon=":material/science:", key=EXAMPLE_KEY)
        if browsing is not None:
            folders.browser(browsing)
        if create:
            with ui.guard():
                begin(made(source, team=team))


def example_card() -> None:
    """The way in for somebody who has no table at hand."""
    with st.container(key="m_card_example"):
        ui.heading("New here?", "Walk through all six steps on a small open table.")
        st.button(EXAMPLE, icon=":material/science:", key=EXAMPLE_KEY)
        ui.note("569 breast biopsies from Wisconsin, a public table that came with this installation, made a little "
                "dirty. From here to a trained model takes about two minutes.")


def begin_example() -> None:
    """A project on the example table."""
    begin(made(str(example_source()), "Breast biopsies (example)"))


def made(source: str, name: str | None = None, team: str = "") -> projects.Project:
    """A new project; the one just made where the same source is asked for again at once (a double click)."""
    last = st.session_state.get("m_made")
    if last is not None and last[0] == source and time.monotonic() - last[1] < SAME_CLICK:
        return projects.get(last[2])
    project = projects.create(source, name, team=team)
    st.session_state["m_made"] = (source, time.monotonic(), project.id)
    return project


def begin(project: projects.Project) -> None:
    """Go into a new project; its scan starts there."""
    st.session_state[folders.BROWSING] = None
    ui.go("scan", project=project.id)


def project_list(found: list[projects.Project]) -> None:
    """The projects, last worked on first."""
    ui.section("Your projects")
    with st.container(key="m_list"):
        ui.rows(found, project_row, "projects")


def project_row(each: projects.Project) -> None:
    """One project: name, where its data lies, how far it is, when it was worked on; open, rename, remove."""
    with st.container(key=f"m_row_{each.id}", horizontal=True, vertical_alignment="center", gap="medium"):
        models = ui.chip(ui.count(each.n_models, "model"), "teal") if each.n_models else ""
        chips = belonging.whose(each.id) + ui.chip(each.stage.capitalize()) + models
        st.html(f'<div class="m-line-whole"><div class="m-line"><p class="m-what">{ui.html(each.name, 80)}</p>'
                f'<p class="m-note m-clip" title="{ui.html(each.source, 500)}">{ui.html(each.source, 120)}</p></div>'
                f'<div class="m-line m-line-right"><p>{chips}</p><p class="m-note">{ui.when(each.last_activity)}</p>'
                "</div></div>", width="stretch")
        if st.button("Open", key=f"m_open_{each.id}", icon=":material/arrow_forward:", icon_position="right"):
            ui.go(each.stage, project=each.id)
        ui.folded("More", change, each, key=f"m_more_{each.id}", icon=":material/more_horiz:",
                  disabled=belonging.locked("change"), help="Rename or remove this project")


def change(each: projects.Project) -> None:
    """Rename or remove; a removed project leaves the data and the trained models where they are."""
    name = st.text_input("Name", each.name, key=f"m_name_{each.id}", max_chars=120)
    if st.button("Save name", key=f"m_save_{each.id}", disabled=name.strip() == each.name):
        projects.rename(each.id, name)
        st.rerun()
    st.divider()
    sure = st.checkbox("Yes, remove this project", key=f"m_sure_{each.id}")
    if st.button("Remove", key=f"m_remove_{each.id}", icon=":material/delete:", disabled=not sure):
        projects.delete(each.id)
        if ui.current("project") == each.id:
            ui.forget("project")
        st.rerun()
    ui.note("Your data and the models in the gallery stay.")


with ui.page(TITLE, project_required=False,
             lead="From a folder of tables or pictures to a model that a reviewer would believe. "
                  "Nothing leaves this machine.") as _:
    if ui.pressed(EXAMPLE_KEY) and not belonging.locked("create"):
        begin_example()
    told()
    listed = projects.all_projects()
    if listed:
        project_list(listed)
        st.space("medium")
    may_create = not belonging.tell_locked("create")
    if may_create and listed:
        new_project(first=False)
    elif may_create:
        left, right = st.columns([3, 2], gap="large")
        with left:
            new_project(first=True)
        with right:
            example_card()
