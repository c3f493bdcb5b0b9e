"""What the server says leaves the machine at once."""

from __future__ import annotations

import contextlib
import socket
from asyncio import Transport

from uvicorn.protocols.http.h11_impl import H11Protocol


def answer_at_once() -> None:
    """Switch Nagle's algorithm off on every connection, pages' and websockets' alike.

    asyncio does so by itself for sockets made for TCP by name; Streamlit makes its own without, so the end of an answer
    waited until the browser had confirmed its beginning: 40 ms, on each of a page's ninety files and on many a click.
    """
    plain = H11Protocol.connection_made

    def made(self: H11Protocol, transport: Transport) -> None:
        found = transport.get_extra_info("socket")
        if found is not None and found.family in (socket.AF_INET, socket.AF_INET6):
            with contextlib.suppress(OSError):  # it went away before it was looked at
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain(self, transport)
    H11Protocol.connection_made = made
