"""The door: `streamlit run streamlit_app.py`. Guards every request, sees to a worker. Drawing is in pages/."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import importlib
import logging
import mimetypes
import os
import re
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.middleware import Middleware

import worker
from medml import egress, logs, vitals
from medml.doctor.streamlit_settings import OPTIONS
from medml.errors import UserError, our_fault

log = logging.getLogger(__name__)
WARM = ("pandas", "polars", "altair", "pages._ui")  # what the first page would else wait 2 s for
STATIC = Path(st.__file__).parent / "static" / "static"
EVERYWHERE = re.compile(r"/js/(Html|purify\.es|PageLink|Button)\.[^/]+\.js$")
TYPES = {".js": "text/javascript", ".woff2": "font/woff2"}  # not as the system's own table has them
Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]


def allowed_hosts() -> frozenset[str]:
    """Names under which this app may be asked: this machine, and what `MEDML_HOSTS` lists (separated by commas)."""
    listed = os.environ.get("MEDML_HOSTS", "").split(",")
    return frozenset({"127.0.0.1", "localhost", "::1", *(each.strip().lower() for each in listed if each.strip())})


def inline_scripts() -> Iterator[str]:
    """The hashes of Streamlit's own inline scripts, read from its page, so that no other inline script runs."""
    page = Path(st.__file__).parent / "static" / "index.html"
    for script in re.findall(r"<script>(.*?)</script>", page.read_text(encoding="utf-8"), re.DOTALL):
        yield f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def policy() -> str:
    """The Content-Security-Policy: everything from this app alone; nothing is asked of any other machine."""
    return "; ".join((
        "default-src 'none'", f"script-src 'self' {' '.join(inline_scripts())}", "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:", "font-src 'self' data:", "media-src 'self' data: blob:",
        "connect-src 'self' blob:",  # blob: what this browser recorded, read back to be sent here
        "worker-src 'self' blob:", "manifest-src 'self'", "frame-src 'self'", "frame-ancestors 'none'",
        "base-uri 'self'", "form-action 'self'", "object-src 'none'"))


class Kept:
    """ASGI: Streamlit's own scripts and fonts from memory. They never change while it runs; a page asks for sixty of
    them, and reading each from the disk was half of the server's work of a first drawing.

    What every page of MedML is drawn with is named in the answer's head, so that it is fetched with the rest and not
    once the page has begun to be drawn.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app, self.held = app, {}
        self.places = {f"/static/{place.relative_to(STATIC).as_posix()}": place for place in STATIC.rglob("*")
                       if place.is_file()}
        links = [f"<{path}>; rel=modulepreload" for path in sorted(self.places) if EVERYWHERE.search(path)]
        self.link = (b"link", ", ".join(links).encode())

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        plain = scope["type"] == "http" and scope["method"] == "GET" and \
            not any(name in (b"range", b"if-none-match", b"if-modified-since") for name, _ in scope["headers"])
        if not plain or path not in self.places:
            await self.app(scope, receive, self._with_links(send) if plain else send)
            return
        if path not in self.held:
            self.held[path] = await asyncio.to_thread(self.places[path].read_bytes)
        kind = TYPES.get(self.places[path].suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
        await send({"type": "http.response.start", "status": 200, "headers": [
            (b"content-type", kind.encode()), (b"content-length", str(len(self.held[path])).encode()),
            (b"cache-control", b"public, immutable, max-age=31536000")]})  # a hash of the content is in the name
        await send({"type": "http.response.body", "body": self.held[path]})

    def _with_links(self, send: Send) -> Send:
        async def linked(message: Message) -> None:
            given = message.get("headers", [])
            if any(name.lower() == b"content-type" and kind.startswith(b"text/html") for name, kind in given):
                message = message | {"headers": [*given, self.link]}
            await send(message)
        return linked


class Guard:
    """ASGI: 421 for a Host that is not ours (DNS rebinding), a websocket from elsewhere refused, headers on all."""

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app = app
        self.hosts = allowed_hosts()
        self.headers = [(name.encode(), value.encode()) for name, value in (
            ("content-security-policy", policy()), ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"), ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"), ("cross-origin-resource-policy", "same-origin"),
            ("permissions-policy", "camera=(), geolocation=(), microphone=(self), payment=(), usb=()"))]

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif self._is_ours(scope):
            await self.app(scope, receive, self._with_headers(send))
        elif scope["type"] == "http":
            await _refuse(self._with_headers(send))
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})  # answered as 403

    def _is_ours(self, scope: dict[str, Any]) -> bool:
        given = {name: value.decode("latin-1") for name, value in scope["headers"] if name in (b"host", b"origin")}
        host, origin = given.get(b"host", ""), given.get(b"origin")
        place = _place(f"http://{host}")
        if place is None or place[0] not in self.hosts:
            return False
        if scope["type"] != "websocket" or origin is None:
            return True
        scheme = "https" if origin.startswith("https:") else "http"  # behind a proxy that speaks TLS
        return _place(origin) == _place(f"{scheme}://{host}")

    def _with_headers(self, send: Send) -> Send:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                ours = {name for name, _ in self.headers}
                kept = [(name, value) for name, value in message.get("headers", []) if name.lower() not in ours]
                message = message | {"headers": kept + self.headers}
            await send(message)
        return guarded


def _place(address: str) -> tuple[str, int] | None:
    """(name, port) of a Host or Origin, by the port that the scheme means where none is written; None if malformed."""
    try:
        parts = urlsplit(address)
        port = parts.port if parts.port is not None else {"http": 80, "https": 443}[parts.scheme]
        return (parts.hostname or "").lower(), port
    except (ValueError, KeyError):  # "[bad", a port of letters, "null"
        return None


async def _refuse(send: Send) -> None:
    await send({"type": "http.response.start", "status": 421, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"This is not the address of this app.\n"})


def warm_up() -> None:
    """Import what the first page needs, beside the server's start."""
    for each in WARM:
        importlib.import_module(each)


def unforeseen(error: Exception) -> bool:
    """What a page did not catch: its place in the log, never its value; the page's own guard draws the words."""
    our_fault(error)
    return False


logs.set_up("app")
egress.install(process="app")
try:
    worker.keep_running()
except UserError as stopped:
    sys.exit(f"{stopped.what} {stopped.fix}")
vitals.keep_telling("app", lambda: {name: st.get_option(name) for name in OPTIONS})
threading.Thread(target=warm_up, name="warm up", daemon=True).start()
app = st.App("pages/_router.py", middleware=[Middleware(Guard), Middleware(Kept)], on_script_error=unforeseen)
