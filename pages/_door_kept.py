"""Streamlit's own scripts and fonts and one script of ours from memory, named in a page's head before it asks for
them."""

from __future__ import annotations

import asyncio
import mimetypes
import re
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import streamlit as st

from pages._door import FORMS
from pages._ui_tables import SCRIPT, script

STATIC = Path(st.__file__).parent / "static" / "static"
EVERYWHERE = ("Html", "purify.es", "PageLink", "Button")  # parts of Streamlit that every page is drawn with
ON_PAGE = {"cleanup": ("Checkbox", "Multiselect", "NumberInput", "Selectbox"), "scan": ("Selectbox", "Multiselect")}
IMPORTED = re.compile(rb'(?:from|import)"\./([^"]+\.js)"')
TYPES = {".js": "text/javascript", ".woff2": "font/woff2"}  # not as the system's own table has them
AWAY = (b"`MedML does not answer. What was saved is as it was, and work in the queue goes on or is taken up again. "
        b"Start MedML, or see that this machine reaches it; this window then comes back by itself.`")
SAID = {b"`Streamlit server is not responding. Are you connected to the internet?`": AWAY,  # Streamlit's words for that
        b"`Is Streamlit still running? If you accidentally stopped Streamlit, just restart it in your terminal:`,"
        b"codeBlock:`streamlit run yourscript.py`": AWAY}
Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]


def read(place: Path) -> bytes:
    """A file as it is served: a script with words of ours for a server that is away."""
    content = place.read_bytes()
    if place.suffix == ".js":
        for theirs, ours in SAID.items():
            content = content.replace(theirs, ours)
    return content


class Kept:
    """ASGI: Streamlit's own scripts and fonts from memory. They never change while it runs; a page asks for sixty of
    them, and reading each from the disk was half of the server's work of a first drawing.

    What every page of MedML is drawn with is named in the answer's head, and of some pages what they add to it, so that
    it is fetched with the rest and not, one after another, once the page has begun to be drawn.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]) -> None:
        self.app, self.held = app, dict([script()])
        self.places = {f"/static/{place.relative_to(STATIC).as_posix()}": place for place in STATIC.rglob("*")
                       if place.is_file()} | {script()[0]: SCRIPT}
        self.links = {page: self._link((*EVERYWHERE, *parts)) for page, parts in {"": (), **ON_PAGE}.items()}

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        plain = scope["type"] == "http" and scope["method"] == "GET" and \
            not any(name in (b"range", b"if-none-match", b"if-modified-since") for name, _ in scope["headers"])
        if not plain or path not in self.places:
            link = self.links.get(path.strip("/"), self.links[""])
            await self.app(scope, receive, self._with_links(send, link) if plain and path not in FORMS else send)
            return
        if path not in self.held:
            self.held[path] = await asyncio.to_thread(read, self.places[path])
        kind = TYPES.get(self.places[path].suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
        await send({"type": "http.response.start", "status": 200, "headers": [
            (b"content-type", kind.encode()), (b"content-length", str(len(self.held[path])).encode()),
            (b"cache-control", b"public, immutable, max-age=31536000")]})  # a hash of the content is in the name
        await send({"type": "http.response.body", "body": self.held[path]})

    def _link(self, parts: Iterable[str]) -> tuple[bytes, bytes]:
        """The header that names these parts and all that they import, but for what Streamlit's page itself names."""
        of_page = (STATIC.parent / "index.html").read_text(encoding="utf-8")
        scripts = {place.name: place for place in (STATIC / "js").glob("*.js")}
        wanted, found = [name for name in sorted(scripts) if name.rsplit(".", 2)[0] in parts], []
        while wanted:
            name = wanted.pop(0)
            if name not in found and name not in of_page:
                found.append(name)
                wanted += [each.decode() for each in IMPORTED.findall(scripts[name].read_bytes())]
        named = [script()[0], *(f"/static/js/{name}" for name in found)]
        return b"link", ", ".join(f"<{address}>; rel=modulepreload" for address in named).encode()

    def _with_links(self, send: Send, link: tuple[bytes, bytes]) -> Send:
        async def linked(message: Message) -> None:
            given = message.get("headers", [])
            if any(name.lower() == b"content-type" and kind.startswith(b"text/html") for name, kind in given):
                message = message | {"headers": [*given, link]}
            await send(message)
        return linked
