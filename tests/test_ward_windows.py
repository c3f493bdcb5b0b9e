"""Windows of the app as it is served to others: what is downloaded in one."""

from __future__ import annotations

import re
import time

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from tables import clinic, planned, saved

from medml import accounts, project
from medml.store import accounts as rows
from tests.ward import Client, Window, ward_served

OTHERS = 6  # drawings of other windows between a press and the browser's fetching of the file


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
    from medml.train import train

    source = saved(clinic(), app.home.parent / "studies")
    made, values = project.create(source, "Third floor"), planned(source)
    for value in (values[0], values[2].choice, *values[1:]):
        project.write(made.id, value)
    run = train(source, *values)
    project.add_run(made.id, run)
    for sort, thing in (("project", made.id), ("run", run)):
        rows.give(sort, thing, rows.Owner(accounts.get("Ada").id, "cardiology"))
    return f"project={made.id}&run={run}"


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
