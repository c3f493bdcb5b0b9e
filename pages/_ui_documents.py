"""A folder of the clinician's own documents in which the co-pilot looks things up: read in the queue, and forgotten."""

from __future__ import annotations

import streamlit as st

import worker
from medml import copilot, rights
from medml import project as projects
from pages._ui_belonging import locked
from pages._ui_frame import guard
from pages._ui_jobs import followed
from pages._ui_words import count, html

FOLDER, JOB = "m_documents_folder", "m_documents_job"


def documents() -> None:
    """What was read, and a place to name another folder."""
    known = copilot.documents()
    whose = "Documents for everybody" if rights.of_many() else "Your own documents"
    st.html(f'<p><strong>{whose}</strong></p><p class="m-note">{_words(known)}</p>')
    if locked("settings"):
        return  # administrators choose the one folder that everybody's answers rest on
    st.text_input("Folder with text, Markdown or PDF", known.folder if known else "", key=FOLDER)
    with st.container(horizontal=True):
        st.button("Read this folder", key="m_documents_read", on_click=_read)
        if known is not None:
            st.button("Forget them", key="m_documents_forget", type="tertiary", on_click=copilot.forget_documents,
                      help="Their text is deleted from MedML; the files stay where they are")
    job = st.session_state.get(JOB)
    if job is not None:
        followed(job, lambda done: None, "Reading your documents")


def _words(known: copilot.Documents | None) -> str:
    if known is None:
        return "Guidelines or house rules that answers may rest on. Their text is kept in MedML's own folder."
    left = f" {count(len(known.left_out), 'document')} could not be read: " if known.left_out else ""
    left += "; ".join(f"{name}: {why}" for name, why in list(known.left_out.items())[:3])
    return html(f"{count(known.files, 'document')} in {known.folder}.{left}", 600)


def _read() -> None:
    with guard():
        folder = projects.check_source(st.session_state[FOLDER])
        st.session_state[JOB] = worker.enqueue("documents", {"folder": str(folder)})
