"""Looking through the machine's folders: names of folders and counts of files, never names of files or contents."""

from __future__ import annotations

import streamlit as st

from medml.roots import Listing, browse
from pages import _ui as ui

PATH, BROWSING = "m_source", "m_browsing"  # the typed path; the folder that is shown, None while closed


def toggle_browser() -> None:
    """Open the folder list where the typed path is, or close it."""
    with ui.guard():
        is_open = st.session_state.get(BROWSING) is not None
        st.session_state[BROWSING] = None if is_open else browse(st.session_state.get(PATH) or None).path


def browser(place: str) -> None:
    """Folders and how many files lie in them; names of files and their contents are never shown."""
    listing = browse(place)
    with st.container(key="m_browser", height=316):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html(f'<p class="m-path">{ui.html(listing.path, 400)} <span class="m-quiet">'
                    f'{ui.count(listing.n_files, "file")}{" or more" if listing.more else ""}</span></p>',
                    width="stretch")
            st.button("Use this folder", icon=":material/check:", key="m_use", on_click=use, args=(listing.path,))
        if listing.parent is not None:
            st.button("Up one folder", icon=":material/arrow_upward:", type="tertiary", key="m_up", on_click=enter,
                      args=(listing.parent,))
        folder_rows(listing)


def folder_rows(listing: Listing) -> None:
    """One line a folder; a folder that may not be read is named and cannot be entered."""
    if not listing.folders:
        ui.note("No folders inside this one.")
    for number, folder in enumerate(listing.folders[:200]):
        files = ui.count(folder.n_files, "file") + (" or more" if folder.more else "")
        label = f"{ui.plain(folder.name)}  ·  {files if folder.readable else 'you have no right to read it'}"
        st.button(label, icon=":material/folder:", type="tertiary", key=f"m_folder_{number}", on_click=enter,
                  args=(folder.path,), disabled=not folder.readable)
    if len(listing.folders) > 200:
        ui.note(f"The first 200 of {len(listing.folders):,} folders. Type the path to reach another one.")


def enter(path: str) -> None:
    """Show another folder."""
    st.session_state[BROWSING] = path


def use(path: str) -> None:
    """Take the folder that is shown."""
    st.session_state[PATH], st.session_state[BROWSING] = path, None
