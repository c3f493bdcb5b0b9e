"""Windows of the app as it is served to others: what is downloaded in one, and one that is closed at the moment of a
click."""

from __future__ import annotations

import contextlib
import re
import time
from types import SimpleNamespace

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from medml import accounts, audit, project
from medml.store import accounts as rows
from pages import _ward as ward
from tests.at_work import until
from tests.ward import PASSWORD, Client, Window, trained_by_ada, ward_served

OTHERS = 6  # drawings of other windows between a press and the browser's fetching of the file
DRAWINGS, TIMES = 3, 4  # asked for before a click, which waits for the first of them; clicks before a window is closed


@pytest.fixture(scope="module")
def module_patch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def app(tmp_path_factory, module_patch):
    place = tmp_path_factory.mktemp("ward")
    (place / "studies").mkdir()
    with ward_served(place / "home", place / "studies", module_patch) as running:
        yield running


@pytest.fixture(autouse=True)
def same_home(app, medml_home, monkeypatch):
    """These tests look into the home of the served app."""
    monkeypatch.setenv("MEDML_HOME", str(app.home))


@pytest.fixture
def shared(app):
    """The address of a run of Ada's that her group sees."""
    return "project={}&run={}".format(*trained_by_ada(app))


def pressed(window: Window, file: str) -> str:
    """The address that a press of a download button is answered with; "" where it is refused."""
    message = BackMsg()
    asked = message.backend_operation_request
    asked.request_id, asked.session_id, asked.deferred_file.file_id = "1", window.session, file
    window.send(message)
    until_when = time.monotonic() + 30
    while time.monotonic() < until_when:
        came = ForwardMsg.FromString(window.socket.recv(timeout=30))
        if came.WhichOneof("type") == "backend_operation_response":
            return came.backend_operation_response.deferred_file.url
    raise TimeoutError


def test_a_download_is_for_who_pressed_it_and_for_nobody_else(app, shared):
    ada, bea, carl = (Client(app).sign_in(name) for name in ("Ada", "Bea", "Carl"))
    mine, theirs, viewers = ada.window("evaluate"), bea.window(), carl.window()
    file = re.search(r'deferred_file_id: "([^"]+)"', mine.draw(shared))[1]
    theirs.draw()
    viewers.draw()
    address = pressed(mine, file)
    for _ in range(OTHERS):
        theirs.draw()  # after each drawing Streamlit lets go of files that no window shows
    came = ada.ask(address)
    assert (came.status, came.body[:4]) == (200, b"%PDF")
    assert [each.ask(address).status for each in (bea, carl)] == [404, 404]
    assert [pressed(each, file) for each in (theirs, viewers)] == ["", ""]
    for each in (mine, theirs, viewers):
        each.close()


def click(window: Window, key: str) -> None:
    message = BackMsg()
    button = message.rerun_script.widget_states.widgets.add()
    button.id, button.trigger_value = key, True
    window.send(message)


def clicked_and_closed(client: Client) -> None:
    """The example is asked for while the page is still being drawn, and the window is closed once the server has
    heard that."""
    window = client.window()
    key = next(each for each in window.draw().split('"') if each.endswith("-m_example"))
    for _ in range(DRAWINGS):
        message = BackMsg()
        message.rerun_script.SetInParent()
        window.send(message)
    click(window, key)
    heard(window)
    window.close()


def heard(window: Window) -> None:
    """Return once the server has read all that was sent; its answer is lost where a drawing begins in that moment."""
    message = BackMsg()
    message.app_heartbeat = True
    for _ in range(100):
        window.send(message)
        with contextlib.suppress(TimeoutError):
            while ForwardMsg.FromString(window.socket.recv(timeout=0.1)).WhichOneof("type") != "heartbeat_ack":
                pass
            return
    raise TimeoutError


def test_the_last_click_before_a_window_is_closed_is_done_by_who_clicked(app):
    ada, before = Client(app).sign_in("Ada"), set(rows.owners("project"))
    for n in range(1, TIMES + 1):
        clicked_and_closed(ada)
        until(lambda n=n: len(project.all_projects()) == len(rows.owners("project")) == len(before) + n, 20)
    new = set(rows.owners("project")) - before
    assert {rows.owner("project", each).person for each in new} == {accounts.get("Ada").id}
    assert {each.name for each in audit.entries() if each.thing in new} <= {"Ada"}


@pytest.fixture
def closed(monkeypatch):
    """A session of Ada's whose window was drawn and is closed: its script goes on, and its cookies are gone."""
    token, _ = accounts.sign_in("Ada", PASSWORD, place="127.0.0.1")
    sent = {"medml": token}
    monkeypatch.setattr(ward, "get_script_run_ctx", lambda **how: SimpleNamespace(session_id="s1"))
    monkeypatch.setattr(ward.st, "context", SimpleNamespace(cookies=sent))
    assert ward.who().name == "Ada"
    sent.clear()
    yield token
    ward.forget(ward.hashed(token))


def test_a_closed_window_acts_for_nobody_once_its_session_has_ended(closed):
    assert ward.who().name == "Ada"
    accounts.sign_out(closed, place="127.0.0.1")
    time.sleep(ward.FRESH)
    assert ward.who() is None


def test_a_closed_window_acts_for_nobody_once_the_account_has_another_role(closed):
    accounts.set_role("Ada", "clinician")
    time.sleep(ward.FRESH)
    assert ward.who() is None


def test_a_window_that_nobody_opened_acts_for_nobody(closed, monkeypatch):
    monkeypatch.setattr(ward, "get_script_run_ctx", lambda **how: SimpleNamespace(session_id="s2"))
    assert ward.who() is None
