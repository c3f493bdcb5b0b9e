"""A page is closed or reloaded at the moment of a click: what was asked for is done, even where it had to wait."""

from __future__ import annotations

import asyncio
import re
import time

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates

from bench.people import Person
from medml import project
from tests.at_work import until
from tests.e2e.served import Served, served
from tests.faults.test_app_gone import done
from tests.ward import Client, ward_served

MOMENTS = (0.0, 0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)  # seconds between the click and the end of the page
BEFORE = 3  # drawings of the page that were asked for just before: the click waits for the first of them


def clicked_and_left(app: Served, moment: float) -> None:
    """Somebody asks for the example while the page is still being drawn, and closes the window that moment later."""
    async def walk() -> None:
        person = Person(app.url.removeprefix("http://"))
        await person.open()
        button = person.find("button", "Try it on example data").element.button.id
        for _ in range(BEFORE):
            await person._send(ClientState(page_script_hash=person.page))
        await person._send(ClientState(page_script_hash=person.page, widget_states=WidgetStates(
            widgets=[WidgetState(id=button, trigger_value=True)])))
        await asyncio.sleep(moment)
        await person.close()

    done(walk())


def test_the_last_click_before_a_page_is_closed_is_not_lost(monkeypatch, tmp_path):
    home = tmp_path / "home"
    monkeypatch.setenv("MEDML_HOME", str(home))
    with served(home) as app:
        for n, moment in enumerate(MOMENTS, 1):
            clicked_and_left(app, moment)
            until(lambda n=n: len(project.all_projects()) == n, 20)


def drawing(*widgets: WidgetState) -> BackMsg:
    """The page is to be drawn, with these widgets as they stand."""
    message = BackMsg()
    message.rerun_script.widget_states.widgets.extend(widgets)
    return message


def test_the_last_click_is_not_lost_where_every_message_is_looked_at_first(monkeypatch, tmp_path):
    """On the ward each message waits for a look at the session, so drawings fail at the closed window before it is
    read."""
    roots = tmp_path / "studies"
    roots.mkdir()
    with ward_served(tmp_path / "home", roots, monkeypatch) as app:
        ada = Client(app).sign_in("Ada")
        for n, moment in enumerate(MOMENTS, 1):
            window = ada.window()
            button = re.search(r'id: "(\S+)"\s+label: "Try it on example data"', window.draw())[1]
            for _ in range(BEFORE):
                window.send(drawing())
            window.send(drawing(WidgetState(id=button, trigger_value=True)))
            time.sleep(moment)
            window.close()
            until(lambda n=n: len(project.all_projects()) == n, 20)
