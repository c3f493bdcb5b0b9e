"""A second client for the served app: HTTP with headers as given, and Streamlit's websocket, without a browser."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from medml import accounts, project
from medml.store import accounts as rows
from tests.e2e.served import Served, served
from tests.tables import clinic, planned, saved

HEADERS = {"content-security-policy", "x-content-type-options", "referrer-policy", "x-frame-options",
           "cross-origin-opener-policy", "cross-origin-resource-policy", "permissions-policy"}  # of every answer
PASSWORD = "four unrelated brown words"
PEOPLE = {"Ada": ("clinician", ["cardiology"]), "Bea": ("clinician", ["surgery"]), "Carl": ("viewer", ["cardiology"]),
          "Root": ("administrator", [])}
SETTINGS = {"MEDML_WARD": "1", "FORWARDED_ALLOW_IPS": "192.0.2.9"}


def trained_by_ada(app: Served) -> tuple[str, str]:
    """(project, run) of Ada's that her group sees."""
    from medml.train import train

    source = saved(clinic(), app.home.parent / "studies")
    made, values = project.create(source, "Third floor"), planned(source)
    for value in (values[0], values[2].choice, *values[1:]):
        project.write(made.id, value)
    run = train(source, *values)
    project.add_run(made.id, run)
    for sort, thing in (("project", made.id), ("run", run)):
        rows.give(sort, thing, rows.Owner(accounts.get("Ada").id, "cardiology"))
    return made.id, run


def to_its_end(make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """What a coroutine returns, run in a thread of its own: a browser of other tests has a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(make())).result()


@contextlib.contextmanager
def ward_served(home: Path, roots: Path, monkeypatch, **more: str) -> Iterator[Served]:
    """The app as it is served to others, with these accounts; from here on MEDML_HOME is its home."""
    home.mkdir()
    monkeypatch.setenv("MEDML_HOME", str(home))
    for name, (role, teams) in PEOPLE.items():
        accounts.add(name, role, PASSWORD, teams=teams)
    with served(home, **SETTINGS | {"MEDML_ROOTS": str(roots)} | more) as app:
        yield app


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def cookies(self) -> dict[str, str]:
        """Name -> the whole line of each Set-Cookie."""
        lines = self.headers.get_all("set-cookie") or []
        return {line.split("=", 1)[0]: line for line in lines}


@dataclass
class Client:
    """One browser's worth of cookies."""

    app: Served
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> Answer:
        """One request; a header's name is written with _ for -."""
        connection = http.client.HTTPConnection(self.app.url.removeprefix("http://"), timeout=30)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            given.setdefault("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        connection.request(method, path, body, given)
        came = connection.getresponse()
        answer = Answer(came.status, came.headers, came.read())
        connection.close()
        for name, line in answer.cookies().items():
            value = line.split("=", 1)[1].split(";")[0].strip('"')
            self.cookies.pop(name, None)
            if value:
                self.cookies[name] = value
        return answer

    def post(self, path: str, **fields: str) -> Answer:
        """A form of the page of that path, filled in and sent off; `headers` of it as `ask` takes them."""
        self.ask(path)
        return self.ask(path, "POST", urlencode({"form": self.cookies.get("medml_form", "")} | fields),
                        Content_Type="application/x-www-form-urlencoded", Origin=self.app.url)

    def sign_in(self, name: str, password: str = PASSWORD) -> Client:
        assert self.post("/sign-in", name=name, password=password).status == 303, f"{name} could not sign in"
        return self

    @property
    def token(self) -> str:
        return self.cookies["medml"]

    def window(self, page: str = "", *, session: str = "", **headers: str) -> Window:
        """A websocket of Streamlit's on a page; `session`: one to go on in."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        words = ["streamlit", "x", session] if session else ["streamlit"]
        return Window(connect(f"ws{self.app.url[4:]}/_stcore/stream", subprotocols=words, max_size=None,
                              additional_headers={"Cookie": cookie, "Origin": self.app.url} | headers), page)


class Window:
    """A window of the app: what it was sent, and what can be sent from it."""

    def __init__(self, opening: contextlib.AbstractContextManager[ClientConnection], page: str) -> None:
        self._held = contextlib.ExitStack()
        self.socket, self.page = self._held.enter_context(opening), page
        self.session, self.away, self.closed = "", "", False

    def send(self, message: BackMsg) -> None:
        with contextlib.suppress(ConnectionClosed):
            self.socket.send(message.SerializeToString())

    def draw(self, query: str = "", *, timer: bool = False) -> str:
        """Run the page; everything that came, as text, until the run has ended or the window was closed."""
        message = BackMsg()
        message.rerun_script.page_name = self.page
        message.rerun_script.query_string = query
        message.rerun_script.is_auto_rerun = timer
        self.send(message)
        return self.until_still()

    def until_still(self, seconds: float = 60) -> str:
        """What comes until a script has finished, or the window is closed."""
        text, until = [], time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                content = self.socket.recv(timeout=until - time.monotonic())
            except (ConnectionClosed, TimeoutError) as ended:
                self.closed = isinstance(ended, ConnectionClosed)
                break
            came = ForwardMsg()
            came.ParseFromString(content)
            text.append(str(came))
            kind = came.WhichOneof("type")
            if kind == "new_session":
                self.session = came.new_session.initialize.session_id
            elif kind == "auth_redirect":
                self.away = came.auth_redirect.url
            elif kind == "script_finished":
                break
        return "\n".join(text)

    def close(self) -> None:
        self._held.close()
