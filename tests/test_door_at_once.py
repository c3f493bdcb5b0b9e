"""Nothing that the server says waits for the other side to confirm what came before it."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import http.client
import os
import socket
import sys
import threading

import psutil
import pytest
import uvicorn
from uvicorn.protocols.http import h11_impl

from pages._door_at_once import answer_at_once
from tests.e2e.served import served

FAMILIES = [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)]


async def silent(scope, receive, send) -> None:
    """Answers nothing."""


def listening(address: str, family: int) -> socket.socket:
    """A socket as Streamlit makes it."""
    made = socket.socket(family=family)
    try:
        made.bind((address, 0))
    except OSError:
        made.close()
        pytest.skip(f"no {address} here")
    made.listen()
    return made


def without_delay(given: socket.socket) -> list[int]:
    """TCP_NODELAY of what a client's connection becomes within uvicorn's own loop."""
    seen, done = [], threading.Event()

    class Looked(h11_impl.H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            seen.append(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            done.set()

    server = uvicorn.Server(uvicorn.Config(silent, http=Looked, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [given]})
    thread.start()
    try:
        with contextlib.closing(socket.create_connection(given.getsockname()[:2], timeout=30)):
            assert done.wait(30)
    finally:
        server.should_exit = True
        thread.join(30)
    return seen


@pytest.mark.parametrize(("address", "family"), FAMILIES)
def test_no_answer_waits_for_a_confirmation(monkeypatch, address, family):
    """Alone a connection of Streamlit's server has it off: if that changes, this module can go."""
    monkeypatch.setattr(h11_impl.H11Protocol, "connection_made", h11_impl.H11Protocol.connection_made)
    assert without_delay(listening(address, family)) == [0]
    answer_at_once()
    assert without_delay(listening(address, family)) != [0]


def taken(pid: int, number: int) -> socket.socket:
    """A socket of another process, to look at: pidfd_getfd(2), Linux 5.6."""
    process = os.pidfd_open(pid)
    try:
        found = ctypes.CDLL(None, use_errno=True).syscall(438, process, number, 0)
        if found < 0:
            pytest.skip(f"this machine shows no process another one's sockets: {os.strerror(ctypes.get_errno())}")
        return socket.socket(fileno=found)
    finally:
        os.close(process)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for another process's sockets")
def test_the_app_as_it_is_served_waits_for_nothing(tmp_path):
    with served(tmp_path / "home") as app, \
            contextlib.closing(http.client.HTTPConnection("127.0.0.1", app.port, timeout=20)) as client:
        client.request("GET", "/_stcore/health")
        assert client.getresponse().read() == b"ok"
        mine = client.sock.getsockname()
        of_app = next(each for each in psutil.Process(app.process.pid).net_connections("tcp") if each.raddr == mine)
        with taken(app.process.pid, of_app.fd) as held:
            assert held.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
