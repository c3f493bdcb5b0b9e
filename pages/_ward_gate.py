"""ASGI: who is not signed in gets the sign-in page and nothing else, by HTTP and by websocket, at every message."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

from starlette.requests import cookie_parser

from medml import accounts, hospital, rights
from medml.errors import UserError
from pages import _ward as ward

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

SIGN_IN = "/sign-in"
PASSWORD = "/password"
OPEN = ("/_stcore/health", "/_stcore/host-config", "/favicon.png", SIGN_IN, *(f"{SIGN_IN}/{each}" for each in (
    "look.css", "font.woff2", "favicon.png", "hospital", "hospital/done")))
BACK = f"{SIGN_IN}/hospital/done"
HOSPITAL = ("/auth/login", "/oauth2callback")  # Streamlit's own routes to the hospital's service, where there is one
UNSEEN = ("/_stcore/", "/static/", "/media/", "/app/", "/component/")  # asked by scripts: told, not sent elsewhere
KEPT = ("/static/", "/app/static/")  # what a browser may keep: the same for everybody, no data
ORDERS = {"rerun_script", "stop_script", "file_urls_request", "app_heartbeat", "backend_operation_request"}
OPERATIONS = {"deferred_file", "dataframe_chunk"}
LOOK = 5.0  # seconds between two looks at the session of an open window
CLOSED = 1008  # policy violation


class Gate:
    """Lets through who is signed in."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.hospital = hospital.is_set_up()
        self.open = (*OPEN, *(HOSPITAL if self.hospital else ()))

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        rights.acting(None)
        if is_secure(scope):
            scope = {**scope, "headers": of_this_site(scope["headers"])}
        path = scope["path"]
        if scope["type"] == "http" and path in self.open:
            await self.app(scope, receive, back_to_us(path, send) if path in HOSPITAL else send)
            return
        cookies = cookies_of(scope)
        token = ward.token_of(cookies)
        person = ward.remembered(token) if path.startswith(KEPT) else None  # sixty scripts a page, no data
        person = person or await asyncio.to_thread(ward.look, token, place_of(scope))
        if person is None:
            await self._refuse(scope, receive, send, cookies)
        elif person.once and path not in (PASSWORD, "/sign-out"):  # until it is changed there is nothing else
            await self._refuse(scope, receive, send, cookies, to=PASSWORD)
        elif scope["type"] == "websocket":
            await Window(self.app, token).serve(scope, receive, send)
        elif not may_fetch(path, token):
            await answer(send, 404, "There is nothing here.")
        else:
            rights.acting(person)
            if not path.startswith(UNSEEN):
                await asyncio.to_thread(accounts.touch, token)
            await self.app(scope, receive, send if path.startswith(KEPT) else unkept(send))

    async def _refuse(self, scope: MutableMapping[str, Any], receive: Receive, send: Send,
                      cookies: dict[str, str], to: str = "") -> None:
        if scope["type"] == "websocket":
            await refuse_window(scope, receive, send)
        elif scope["path"].startswith(UNSEEN) or scope["method"] not in ("GET", "HEAD"):
            await answer(send, 401, "Sign in first.")
        elif to:
            await redirect(send, to)
        elif self.hospital and any(name.startswith("_streamlit_user") for name in cookies):
            await redirect(send, BACK)
        else:
            asked = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
            await redirect(send, SIGN_IN if asked == "/" else f"{SIGN_IN}?to={quote(asked, safe='')}")


class Window:
    """One open websocket of somebody who is signed in: every message, in or out, is let through only while that
    session lasts; then the window is sent to the sign-in page and closed, whatever it was doing."""

    def __init__(self, app: App, token: str) -> None:
        self.app, self.token = app, token
        self.closed = False

    async def serve(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """From the handshake to the end."""
        self._receive, self._send = receive, send
        looking = asyncio.create_task(self._look_again_and_again())
        try:
            await self.app({**scope, "headers": own_session(scope["headers"], self.token)}, self.receive, self.send)
        finally:
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking

    async def receive(self) -> Message:
        """The browser's next message that may be acted upon."""
        while True:
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return message
            person = await asyncio.to_thread(ward.look, self.token)
            if person is None:
                await self.end()
                return {"type": "websocket.disconnect", "code": CLOSED}
            rights.acting(person)
            allowed, by_hand = order(message.get("bytes") or b"")
            if by_hand:
                await asyncio.to_thread(accounts.touch, self.token)
            if allowed:
                return message

    async def send(self, message: Message) -> None:
        """What the app wants drawn."""
        if self.closed:
            return
        if message["type"] == "websocket.send" and ward.remembered(self.token) is None and \
                await asyncio.to_thread(ward.look, self.token) is None:
            await self.end()
            return
        self.closed = message["type"] == "websocket.close"
        await self._send(message)

    async def end(self) -> None:
        """The session is over: the window goes to the sign-in page."""
        if self.closed:
            return
        self.closed = True
        with contextlib.suppress(RuntimeError, OSError):  # the browser was faster
            await self._send({"type": "websocket.send", "bytes": away(ended(by_hand=ward.has_left(self.token)))})
            await self._send({"type": "websocket.close", "code": CLOSED})

    async def _look_again_and_again(self) -> None:
        """A window in which nothing happens is sent away too. Where nobody can be asked at the moment it is asked
        again; until then no message goes through (see `receive` and `send`)."""
        while not self.closed:
            await asyncio.sleep(LOOK)
            with contextlib.suppress(UserError):  # the database is busy, or its disk is away
                if await asyncio.to_thread(ward.look, self.token) is None:
                    await self.end()


# ---- what a request is -----------------------------------------------------------------------------------------

def cookies_of(scope: MutableMapping[str, Any]) -> dict[str, str]:
    """Name -> value."""
    found = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
    return cookie_parser("; ".join(found))


def of_this_site(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Behind TLS the session is in a cookie whose name begins with __Host-, which this site alone can set. The other
    name's is left out: any site of the same domain may have planted it, to let somebody work in another's session."""
    planted = ward.COOKIES[1].encode()
    return [(name, b";".join(each for each in value.split(b";") if each.partition(b"=")[0].strip() != planted)
             if name == b"cookie" else value) for name, value in headers]


def place_of(scope: MutableMapping[str, Any]) -> str:
    """The address that asks; behind a proxy that FORWARDED_ALLOW_IPS lists, whom it asks for."""
    return scope["client"][0] if scope.get("client") else "unknown"


def is_secure(scope: MutableMapping[str, Any]) -> bool:
    """Whether the browser speaks TLS, to us or to a listed proxy."""
    return scope.get("scheme") in ("https", "wss")


def own_session(headers: list[tuple[bytes, bytes]], token: str) -> list[tuple[bytes, bytes]]:
    """The handshake without the session that a browser wants to go on in, unless it was opened by the same person.

    Streamlit takes it from the third word of Sec-WebSocket-Protocol and asks for nothing else.
    """
    kept = []
    for name, value in headers:
        if name == b"sec-websocket-protocol":
            words = [word.strip() for word in value.decode("latin-1").split(",")]
            if len(words) > 2 and not ward.is_own(words[2], token):
                value = ", ".join(words[:2]).encode("latin-1")
        kept.append((name, value))
    return kept


def order(content: bytes) -> tuple[bool, bool]:
    """(whether a message is one that a screen of ours sends, whether a person did something and no timer)."""
    from google.protobuf.message import DecodeError
    from streamlit.proto.BackMsg_pb2 import BackMsg

    asked = BackMsg()
    try:
        asked.ParseFromString(content)
    except DecodeError:
        return False, False
    kind = asked.WhichOneof("type")
    allowed = kind in ORDERS and (kind != "backend_operation_request" or
                                  asked.backend_operation_request.WhichOneof("payload") in OPERATIONS)
    return allowed, kind == "rerun_script" and not asked.rerun_script.is_auto_rerun


def may_fetch(path: str, token: str) -> bool:
    """Whether a file in the server's memory is for that person: one that a session of theirs has drawn or takes in."""
    parts = path.split("/")
    if path.startswith("/_stcore/upload_file/"):
        return len(parts) > 3 and ward.is_own(parts[3], token)
    if not path.startswith("/media/"):
        return True
    from streamlit import runtime

    file = parts[-1].split(".")[0]
    drawn = runtime.get_instance().media_file_mgr._files_by_session_and_coord  # no other way to ask, in 1.67
    return any(file in dict(drawn.get(each, {})).values() for each in ward.sessions_of(token))


# ---- answers ---------------------------------------------------------------------------------------------------

def away(address: str) -> bytes:
    """The message that sends a window of Streamlit's to another address."""
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    message = ForwardMsg()
    message.auth_redirect.url = address
    return message.SerializeToString()


async def answer(send: Send, status: int, words: str, *headers: tuple[bytes, bytes]) -> None:
    """A plain sentence."""
    await send({"type": "http.response.start", "status": status, "headers": [
        (b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *headers]})
    await send({"type": "http.response.body", "body": f"{words}\n".encode()})


async def redirect(send: Send, to: str) -> None:
    """To another page of ours."""
    await answer(send, 303, "Sign in first.", (b"location", to.encode("latin-1")))


def back_to_us(path: str, send: Send) -> Send:
    """From Streamlit's own routes to a page of ours that says what came of it: theirs say "Authentication error" where
    the hospital's service cannot be asked, and nothing at all where it named nobody."""
    async def turned(message: Message) -> None:
        to = BACK if path == HOSPITAL[1] else f"{BACK}?away=1"
        if message["type"] == "http.response.start" and (path == HOSPITAL[1] or message["status"] >= 400):
            kept = [(name, value) for name, value in message.get("headers", [])
                    if name.lower() not in (b"location", b"content-length")]
            message = {**message, "status": 303, "headers": [*kept, (b"location", to.encode())]}
        await send(message)
    return turned


def ended(*, by_hand: bool = False) -> str:
    """The sign-in page, with a sentence for whom their session has ended, and another for who signed out."""
    return f"{SIGN_IN}?ended={1 if by_hand else 2}"


def comes_back(scope: MutableMapping[str, Any]) -> bool:
    """Whether a handshake is of a window that was open before: it names its session (see own_session)."""
    return any(name == b"sec-websocket-protocol" and value.count(b",") > 1 for name, value in scope["headers"])


async def refuse_window(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """A handshake that is not answered: 403, with the headers of every other answer where the server can.

    A window whose session ended while it was cut off (its machine slept) would stay as it was, with what somebody was
    shown: it is told where to go, and nothing else.
    """
    await receive()
    if comes_back(scope):
        await send({"type": "websocket.accept", "subprotocol": "streamlit"})
        await send({"type": "websocket.send", "bytes": away(ended())})
        await send({"type": "websocket.close", "code": CLOSED})
    elif "websocket.http.response" in scope.get("extensions", {}):
        await send({"type": "websocket.http.response.start", "status": 403,
                    "headers": [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]})
        await send({"type": "websocket.http.response.body", "body": b"Sign in first.\n"})
    else:
        await send({"type": "websocket.close", "code": CLOSED})


def unkept(send: Send) -> Send:
    """Nothing that one person was shown is kept by a browser that another one may use."""
    async def without(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, value) for name, value in message.get("headers", []) if name.lower() != b"cache-control"]
            message = {**message, "headers": [*kept, (b"cache-control", b"no-store")]}
        await send(message)
    return without
