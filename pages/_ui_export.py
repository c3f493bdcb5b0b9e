"""Take a model out: as a file for other programs, as a capsule for another hospital; read what came back from there;
bring in a model of another Gallery."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import worker
from medml import export, one_file, rights
from medml import project as projects
from medml.export import kept
from medml.gallery import Run
from medml.patience import Beside
from pages import _ui as ui
from pages import _ui_again as again
from pages import _ui_chain as chain
from pages._ui_belonging import locked

BRING, EVERY = 2.0, 1.0  # seconds that a press on Bring it in takes at most; between two looks whether it is done
COMING = "m_bringing"
WORDS = {"model": "Model file (ONNX)", "capsule": "Capsule for another hospital"}


def take_out(run: Run) -> None:
    """The downloads where they are there, else the button that makes them; below, the door for a capsule's result."""
    ui.section("Take the model out", "One file that other programs open without MedML, with its cleaning and its "
               "reasons for no answer inside; or a folder with which another hospital judges the model by itself.")
    ready = kept.ready(run)
    if ready:
        downloads(run, ready)
    else:
        ask(run)
    with st.expander("A capsule came back", expanded=False):
        came_back(run)


def downloads(run: Run, ready: dict[str, Path]) -> None:
    """A button a file, and how far file and model were apart."""
    with st.container(horizontal=True, gap="small"):
        for sort, path in ready.items():
            st.download_button(WORDS[sort], rights.taken(run.run, path.read_bytes), f"{run.run}-{sort}.zip",
                               "application/zip", on_click="ignore", key=f"m_export_{sort}_{run.run}",
                               icon=":material/download:", disabled=locked("download"))
    ui.note(f"{export.g2(run).what} No patient's value is in these files.")


def ask(run: Run) -> None:
    """The button, and the job at work."""
    mine = f"m_export_{run.run}_{run.chain.current}"
    job = st.session_state.get(f"{mine}_job")
    busy = job is not None and not worker.get(job).ended_for_good
    if st.button("Write the files", icon=":material/output:", key=f"{mine}_go", **ui.allowed(
            "export", disabled=busy, help="Writes the model file and asks it about hundreds of rows: it is handed out "
            "only where it says what the model says. Seconds; minutes for pictures.")):
        project = chain.project_of(run.run)
        st.session_state[f"{mine}_job"] = worker.enqueue("export", {"run": run.run, "project": project},
                                                         project=project,
                                                         job_id=again.id_of("export", run.run, run.chain.current))
        st.rerun()
    if job is not None:
        ui.followed(job, lambda ended: _ended(ended, f"{mine}_job"), "Writing the model file")


def _ended(job: worker.Job, mine: str) -> None:
    if job.state == "done":
        st.session_state.pop(mine, None)
        st.rerun()


def came_back(run: Run) -> None:
    """Where the result lies, and the button that reads it."""
    key = f"m_result_{run.run}_{run.chain.current}"
    where = st.text_input("The file result.json that came back", key=f"{key}_where", placeholder="/path/to/result.json")
    if st.button("Read it", icon=":material/move_to_inbox:", key=f"{key}_go",
                 **ui.allowed("change", disabled=not where.strip())):
        export.take_back(run.run, projects.check_source(where))
        st.rerun()


def bring_in() -> None:
    """The door for a model that was downloaded as one file from another Gallery."""
    if locked("bring"):
        return
    with st.expander("Bring in a model from another Gallery"):
        path = st.text_input("File (.zip)", key="m_bring_file", placeholder="what “Download as one file” gave there")
        ui.note("It is looked through before anything of it is kept. Here it predicts, is explained, exported and "
                "judged on other patients; it is trained on only where it was made.")
        coming = st.session_state.get(COMING)
        busy = coming is not None and not coming.is_over()
        pressed = st.button("Bring it in", key="m_bring_go", disabled=busy or not path.strip(), icon=":material/input:")
        if pressed:
            with ui.guard(), st.spinner("Looking through the file"):
                coming = st.session_state[COMING] = Beside(one_file.bring_from, projects.check_source(path))
                if not coming.is_over(BRING):
                    st.rerun()  # with its button off
        if busy:
            st.fragment(_coming, run_every=EVERY)(coming)
        elif coming is not None:
            _came(coming, onward=pressed)


def _coming(file: Beside) -> None:
    """A large one takes minutes: said for as long as it takes."""
    ui.note("The file is being looked through; a large one takes minutes. You may leave this page meanwhile: the model "
            "stands in the Gallery once all of it was.")
    if not file.is_over():
        return
    if file.has_failed:
        st.rerun()  # the whole page, which says why
    _came(file, onward=True)


def _came(file: Beside, *, onward: bool) -> None:
    """Why it was not brought in, or on to its figures for who is still here."""
    del st.session_state[COMING]
    with ui.guard():
        run = file.answer()
        if onward:
            ui.go("evaluate", run=run)
        ui.note("The model was brought in.")
