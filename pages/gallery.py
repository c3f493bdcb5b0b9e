"""Gallery: every model made here; look into one, compare two, rename, note, download, delete."""

from __future__ import annotations

import streamlit as st

from medml import gallery, one_file
from medml import project as projects
from medml.gallery import Summary
from pages import _ui as ui
from pages import _ui_export as out
from pages import _ui_gallery as cards
from pages import _ui_report as away
from pages._ui_belonging import locked

TITLE = "Gallery"
LEAD = "Every model on this machine, with what it was made from. Choose two to compare them."
CHOSEN, MOST = "m_chosen", 60  # cards drawn at once; the search reaches the others


def chosen() -> list[str]:
    """The runs picked for a comparison, in the order in which they were picked; at most two."""
    return st.session_state.setdefault(CHOSEN, [])


def pick(run: str) -> None:
    """Pick a run, or take the pick back; a third one takes the place of the first."""
    picked = chosen()
    st.session_state[CHOSEN] = [each for each in picked if each != run] if run in picked else [*picked[-1:], run]


def grid(listed: list[Summary]) -> None:
    """Cards, two beside each other."""
    for at in range(0, min(len(listed), MOST), 2):
        for column, each in zip(st.columns(2, gap="medium"), listed[at:at + 2], strict=False):
            with column, st.container(key=f"m_card_run_{each.run}"):
                ui.draw(cards.card(each))
                buttons(each)
    if len(listed) > MOST:
        ui.note(f"The newest {MOST} of {len(listed):,}. Search to reach the others.")


def buttons(each: Summary) -> None:
    """What can be done with one run."""
    with st.container(horizontal=True, gap="small"):
        if not each.unusable:
            if st.button("Open", key=f"m_open_{each.run}", icon=":material/monitoring:"):
                judged(each.run)
            if st.button("Details", key=f"m_details_{each.run}", icon=":material/info:"):
                ui.remember("run", each.run)
                st.session_state["m_view"] = "details"
                st.rerun()
            picked = each.run in chosen()
            st.button("Picked" if picked else "Pick", key=f"m_pick_{each.run}", on_click=pick, args=(each.run,),
                      icon=":material/check_box:" if picked else ":material/check_box_outline_blank:")
        ui.folded("More", change, each, key=f"m_more_{each.run}", icon=":material/more_horiz:",
                  disabled=locked("change"), help="Rename, note, download or delete")


def change(each: Summary) -> None:
    """Name and notes, one file to take away, and the end of a run."""
    if not each.unusable:
        name = st.text_input("Name", each.name, key=f"m_name_{each.run}", max_chars=120)
        notes = st.text_area("Notes", each.notes, key=f"m_notes_{each.run}", max_chars=4000, height=100)
        if st.button("Save", key=f"m_save_{each.run}", disabled=(name, notes) == (each.name, each.notes)):
            gallery.rename(each.run, name=name, notes=notes)
            st.rerun()
        st.download_button("Download as one file", lambda: one_file.pack(each.run), f"{each.run}.zip",
                           "application/zip", key=f"m_pack_{each.run}", icon=":material/download:", on_click="ignore")
        ui.note("Model, configuration and report; no patient's data, label or prediction. Another MedML opens it at "
                "the foot of its Gallery.")
    sure = st.checkbox("Yes, delete this model for good", key=f"m_sure_{each.run}")
    if st.button("Delete", key=f"m_delete_{each.run}", icon=":material/delete:", disabled=not sure):
        gallery.delete(each.run)
        st.session_state[CHOSEN] = [other for other in chosen() if other != each.run]
        st.rerun()


def judged(run: str) -> None:
    """To the figures of a run, in the project that made it: the one that is open may be another, with its own."""
    project = projects.of_run(run)
    ui.go("evaluate", run=run, **({"project": project} if project else {}))


def back() -> None:
    """To the list of all runs."""
    if st.button("All models", icon=":material/arrow_back:", key="m_all"):
        st.session_state["m_view"] = "list"
        st.rerun()


def list_view() -> None:
    """Search, cards, and the one thing to do with two of them."""
    listed = gallery.runs()
    if not listed:
        ui.empty("No model has been made yet.", "Start a project; the first model takes about two minutes.")
        out.bring_in()
        if ui.next_button("Go to Projects", "home"):
            ui.go("home")
        return
    words = st.text_input("Search", key="m_search", placeholder="name, family, outcome, file or note",
                          icon=":material/search:")
    shown = cards.found(listed, words)
    ui.note(f"{ui.count(len(shown), 'model')} of {len(listed):,}." if words else f"{ui.count(len(listed), 'model')}.")
    grid(shown)
    out.bring_in()
    known = {each.run for each in listed}
    st.session_state[CHOSEN] = [each for each in chosen() if each in known]
    picked = len(chosen())
    if ui.next_button("Compare the two" if picked == 2 else f"Pick {2 - picked} to compare", disabled=picked < 2):
        st.session_state["m_view"] = "compare"
        st.rerun()


def details_view(run: str) -> None:
    """One run, whole."""
    back()
    opened = gallery.open_run(run)
    ui.section(opened.label.name, opened.label.notes)
    cards.details(opened)
    out.take_out(opened)
    away.buttons(opened)
    if ui.next_button("Open its evaluation", "evaluate"):
        judged(run)


def compare_view() -> None:
    """The two picked runs side by side."""
    back()
    cards.side_by_side(*chosen())
    if ui.next_button("Open the first", "evaluate"):
        judged(chosen()[0])


with ui.page(TITLE, project_required=False, lead=LEAD):
    view = st.session_state.get("m_view", "list")
    if view == "details" and ui.current("run"):
        details_view(ui.current("run"))
    elif view == "compare" and len(chosen()) == 2:
        compare_view()
    else:
        list_view()
