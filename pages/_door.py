"""What stands before every screen: whose request it is, and headers on every answer."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.requests import ClientDisconnect

from medml.errors import apology, our_fault
from pages import _ward as ward
from pages._ward_gate import is_secure

HEADS = ("http.response.start", "websocket.http.response.start", "websocket.accept")
FORMS = ("/sign-in", "/password")  # a browser tells where a form was only to this site, and must tell it that
HSTS = (b"strict-transport-security", b"max-age=31536000")
WORDS = {421: "This is not the address of this app.", 403: "This was asked by another site."}
Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]


def allowed_hosts() -> frozenset[str]:
    """Names under which this app may be asked: this machine, and what `MEDML_HOSTS` lists (separated by commas)."""
    return frozenset({"127.0.0.1", "localhost", "::1", *ward.hosts()})


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


def headers() -> list[tuple[bytes, bytes]]:
    """Those of every answer."""
    return [(name.encode(), value.encode()) for name, value in (
        ("content-security-policy", policy()), ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"), ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"), ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(self), payment=(), usb=()"))]


def dress_what_the_server_refuses() -> None:
    """Give the headers of every answer to those that the server below gives by itself, before any of ours is asked:
    400 to what is no HTTP (uvicorn on h11), and to what is no handshake of a websocket (websockets)."""
    import h11
    from uvicorn.protocols.http.h11_impl import H11Protocol
    from uvicorn.protocols.websockets import websockets_sansio_impl as below

    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close"), *headers()]

    def refuse(self: H11Protocol, message: str) -> None:
        for part in (h11.Response(status_code=400, headers=head, reason=b"Bad Request"),
                     h11.Data(data=message.encode("ascii")), h11.EndOfMessage()):
            self.transport.write(self.conn.send(part))
        self.transport.close()
    H11Protocol.send_400_response = refuse
    plain = below.ServerProtocol.reject

    def reject(self: below.ServerProtocol, status: Any, text: str) -> Any:
        answer = plain(self, status, text)
        for name, value in headers():
            answer.headers[name.decode()] = value.decode()
        return answer
    below.ServerProtocol.reject = reject


class Guard:
    """ASGI: 421 for a Host that is not ours (DNS rebinding), what another site sends refused, headers on every answer,
    that of a fault of ours too.

    for_others  whether people sign in; without that, nobody on another machine is answered, whatever the server binds
    """

    def __init__(self, app: Callable[..., Awaitable[None]], for_others: bool = False) -> None:
        self.app = app
        self.for_others = for_others
        self.hosts = allowed_hosts()
        self.headers = headers()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        forms = [(b"referrer-policy", b"same-origin")] if scope["path"] in FORMS else []
        sent = Sent(send, [*self.headers, *forms, *([HSTS] if is_secure(scope) else [])], secure=is_secure(scope))
        status = self._refused(scope)
        if status is not None:
            await _refuse(scope, receive, sent, status)
            return
        try:
            await self.app(scope, receive, sent)
        except ClientDisconnect:
            return  # the browser went away in the middle of what it sent: no fault, and nobody to answer
        except Exception as ours:  # noqa: BLE001 - the one place of the server: no answer goes out without its headers
            reference = our_fault(ours)
            if not sent.begun:
                await _refuse(scope, receive, sent, 500, apology(reference))

    def _refused(self, scope: dict[str, Any]) -> int | None:
        """421 or 403 where a request is not for us, or another site's; None where it may go on."""
        given = {name: value.decode("latin-1") for name, value in scope["headers"] if name in (b"host", b"origin")}
        host, origin = given.get(b"host", ""), given.get(b"origin")
        place, bound = _place(f"http://{host}"), (scope.get("server") or ("127.0.0.1", 0))[0]
        if place is None or place[0] not in self.hosts or not (self.for_others or ward.is_local(bound)):
            return 421
        acts = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD", "OPTIONS")
        if not acts or origin is None:
            return None
        scheme = "https" if origin.startswith("https:") else "http"  # behind a proxy that speaks TLS
        return None if _place(origin) == _place(f"{scheme}://{host}") else 403


class Sent:
    """What goes out, with the headers of every answer: of pages, errors, redirects and handshakes alike.

    secure  behind TLS: every cookie travels by TLS alone, those of Streamlit too, which it gives no such flag
    """

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]], secure: bool = False) -> None:
        self.send, self.headers, self.secure = send, headers, secure
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] in HEADS:
            self.begun = True
            ours = {name for name, _ in self.headers}
            given = message.get("headers", [])
            kept = [(name, by_tls_alone(name, value) if self.secure else value) for name, value in given
                    if name.lower() not in ours]
            message = {**message, "headers": kept + list(dict(self.headers).items())}
        with self._even_to_nobody(message):
            await self.send(message)

    @staticmethod
    def _even_to_nobody(message: Message) -> contextlib.AbstractContextManager[None]:
        """Drawings for a window that was closed are no fault: else the app below would read no more of it, and a click
        that came before its end would be lost. It ends where it has read to the end."""
        return contextlib.suppress(OSError) if message["type"] == "websocket.send" else contextlib.nullcontext()


def by_tls_alone(name: bytes, value: bytes) -> bytes:
    """The value of a header; of a cookie that is set, with the flag by which a browser never sends it in the clear."""
    flags = [each.strip().lower() for each in value.split(b";")[1:]]
    return value + b"; Secure" if name.lower() == b"set-cookie" and b"secure" not in flags else value


def _place(address: str) -> tuple[str, int] | None:
    """(name, port) of a Host or Origin, by the port that the scheme means where none is written; None if malformed."""
    try:
        parts = urlsplit(address)
        port = parts.port if parts.port is not None else {"http": 80, "https": 443}[parts.scheme]
        return (parts.hostname or "").lower(), port
    except (ValueError, KeyError):  # "[bad", a port of letters, "null"
        return None


async def _refuse(scope: dict[str, Any], receive: Receive, send: Send, status: int, words: str = "") -> None:
    """A plain sentence, or a handshake that is not answered."""
    kind = "http.response"
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008})  # answered as 403
            return
        kind, status = "websocket.http.response", 403
    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": f"{kind}.start", "status": status, "headers": head})
    await send({"type": f"{kind}.body", "body": f"{words or WORDS[status]}\n".encode()})
