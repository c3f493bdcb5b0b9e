"""What Streamlit runs for every session: page config, the look, navigation. The pages are the files beside this one."""

from __future__ import annotations

import ast
from pathlib import Path

import streamlit as st

from medml import rights
from pages import _ui as ui
from pages import _ward as ward

FOLDER = Path(__file__).resolve().parent


@st.cache_resource(show_spinner=False)
def found() -> list[tuple[str, str]]:
    """Every page as (file name, title): a file of this folder that does not begin with "_"; TITLE in it names it."""
    return [(each.name, _title(each)) for each in sorted(FOLDER.glob("[!_]*.py"))]


def _title(page: Path) -> str:
    for line in ast.parse(page.read_text(encoding="utf-8")).body:
        if isinstance(line, ast.Assign) and [getattr(to, "id", "") for to in line.targets] == ["TITLE"]:
            return ast.literal_eval(line.value)
    return page.stem.replace("_", " ").capitalize()


if rights.of_many() and ward.who() is None:
    st.stop()  # signed out: nothing is drawn, and the window is on its way to the sign-in page
st.set_page_config(page_title="MedML", page_icon=str(FOLDER / "static" / "favicon.png"), layout="wide",
                   initial_sidebar_state="collapsed")
ui.warm_up()
chosen = st.navigation([st.Page(name, title=f"{title} · MedML", default=name == "home.py") for name, title in found()
                        if ward.opens(name.removesuffix(".py"))],
                       position="hidden")
chosen.run()
