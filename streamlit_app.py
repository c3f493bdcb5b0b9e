"""The door: `streamlit run streamlit_app.py`. Guards every request, sees to a worker. Drawing is in pages/."""

from __future__ import annotations

import importlib
import sys
import threading
import time

import streamlit as st
from starlette.middleware import Middleware

import worker
from medml import egress, logs, memory, store, vitals
from medml.doctor.streamlit_settings import OPTIONS
from medml.errors import UserError, our_fault
from pages import _ward as ward
from pages._door import Guard, dress_what_the_server_refuses
from pages._door_at_once import answer_at_once
from pages._door_bundles import hand_over_in_bundles
from pages._door_kept import Kept
from pages._door_left import finish_what_was_asked
from pages._door_taken import keep_what_was_taken
from pages._door_theme import make_the_theme_once
from pages._ward_gate import Gate
from pages._ward_routes import ROUTES

WARM = ("pandas", "polars", "altair", "pages._ui")  # what the first page would else wait 2 s for
CONNECTIONS = 4  # kept open: a page asks the database several times a click
TIDIED = 60.0  # seconds between two looks for memory that sessions have left behind


def warm_up() -> None:
    """Import what the first page needs, beside the server's start."""
    for each in WARM:
        importlib.import_module(each)
    memory.collect_seldom()


def stay_small() -> None:
    """Warm up, then tidy now and then. Streamlit does so after every run of a page: that was half of a click's work."""
    warm_up()
    while True:
        time.sleep(TIDIED)
        memory.give_back()


def unforeseen(error: Exception) -> bool:
    """What a page did not catch: its place in the log, never its value; the page's own guard draws the words."""
    our_fault(error)
    return False


memory.share_few_heaps()
try:
    logs.set_up("app")
    egress.install(process="app")
    ward.at_the_top()
    for_others = ward.open_ward()
    worker.keep_running()
except UserError as stopped:
    sys.exit(f"{stopped.what} {stopped.fix}")
dress_what_the_server_refuses()
answer_at_once()
hand_over_in_bundles()
make_the_theme_once()
finish_what_was_asked()
keep_what_was_taken()
store.keep(CONNECTIONS)
vitals.keep_telling("app", lambda: {name: st.get_option(name) for name in OPTIONS})
threading.Thread(target=stay_small, name="warm up", daemon=True).start()
app = st.App("pages/_router.py", routes=ROUTES if for_others else [], on_script_error=unforeseen, middleware=[
    Middleware(Guard, for_others=for_others), *([Middleware(Gate)] if for_others else []), Middleware(Kept)])
