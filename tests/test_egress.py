"""The tripwire lets loopback through, refuses the rest, and counts what it refused. The logs hold no values."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys

import pytest

from medml import egress, home, logs
from tests.at_work import ROOT

DOCUMENTATION = "192.0.2.1"  # RFC 5737: an address that belongs to nobody
NOT_LISTED = "192.0.2.77"


def test_the_tests_themselves_are_guarded():
    assert egress.installed()


@pytest.mark.parametrize("attempt", [
    lambda: socket.create_connection((DOCUMENTATION, 80), timeout=1),
    lambda: socket.getaddrinfo("example.org", 80),
    lambda: socket.getaddrinfo(b"example.org", 80),  # as anyio asks, and with it the talk of a sign-in by OIDC
    lambda: socket.getaddrinfo("bücher.example".encode(), 80),
    lambda: socket.gethostbyname("example.org"),
    lambda: socket.gethostbyaddr(DOCUMENTATION),
    lambda: socket.getnameinfo((DOCUMENTATION, 80), 0),
    lambda: _datagram(socket.AF_INET, (DOCUMENTATION, 53)),
    lambda: _datagram(socket.AF_INET6, ("2001:db8::1", 53)),
    lambda: _datagram(socket.AF_INET6, ("::ffff:192.0.2.1", 53)),
])
def test_another_machine_is_refused_and_counted(attempt):
    before = egress.count()
    with pytest.raises(egress.Refused):
        attempt()
    assert egress.count() > before and egress.refusals()


def _datagram(family, address):
    with socket.socket(family, socket.SOCK_DGRAM) as out:
        out.sendto(b"x", address)


def test_this_machine_is_let_through():
    before = egress.count()
    with socket.create_server(("127.0.0.1", 0)) as server:
        for host in ("127.0.0.1", "localhost", b"localhost"):
            socket.create_connection((host, server.getsockname()[1])).close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.connect(server.getsockname())
            out.send(b"x")
    if hasattr(socket, "AF_UNIX"):
        one, other = socket.socketpair()
        one.sendall(b"x")
        one.close()
        other.close()
    assert egress.count() == before


def test_a_name_is_logged_without_what_it_may_carry(caplog):
    with pytest.raises(egress.Refused), caplog.at_level(logging.WARNING):
        socket.getaddrinfo("jane-roe-1951.evil.example", 443)
    assert "evil.example" in caplog.text and "jane" not in caplog.text
    assert egress.refusals()[-1].where == "evil.example"


def test_an_address_that_an_administrator_listed_is_let_through():
    code = ("import socket\nfrom medml import egress\negress.install()\n"
            "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.setblocking(False)\n"
            "try:\n    s.connect(('192.0.2.1', 53))\nexcept egress.Refused:\n    print('refused')\n"
            "except OSError:\n    print('let through')\nelse:\n    print('let through')\n")
    for listed, expected in (("", "refused"), ("192.0.2.1", "let through"), ("192.0.2.9", "refused")):
        said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True,
                              env=os.environ | {"MEDML_ALLOW_HOSTS": listed}, check=True).stdout
        assert said.strip() == expected


@pytest.fixture
def listed(monkeypatch):
    """A sign-in service that an administrator listed; the list says where its name leads to at this moment."""
    monkeypatch.setattr(egress, "_allowed", {"sso.example"})
    monkeypatch.setattr(egress, "_names", {"sso.example"})
    monkeypatch.setattr(egress, "_looked", float("-inf"))
    leads_to = set()
    monkeypatch.setattr(egress, "_addresses", lambda name: set(leads_to) if name == "sso.example" else {NOT_LISTED})
    return leads_to


def test_a_listed_name_that_led_nowhere_at_the_start_is_reached_once_it_does(listed):
    """At boot the network may come up after the services, and a large service changes its addresses by the hour."""
    with pytest.raises(egress.Refused):
        _connect(DOCUMENTATION)
    listed.add(DOCUMENTATION)
    with pytest.raises(egress.Refused):
        _connect(DOCUMENTATION)  # not asked at every refusal: a name server would be flooded
    egress._looked -= egress.AGAIN
    _connect(DOCUMENTATION)
    with pytest.raises(egress.Refused):
        _connect(NOT_LISTED)


def _connect(address):
    """A datagram's connect sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.setblocking(False)
        try:
            out.connect((address, 53))
        except egress.Refused:
            raise
        except OSError:
            pass  # this machine has no way out


LOGGING = """
import logging, sys
from medml import logs
logs.set_up("app")
logging.getLogger("medml.x").info("scanned %d files", 3)
logging.getLogger("pandas.core").warning("could not convert 'Jane Roe' to a number")
logging.getLogger("streamlit").warning("could not convert %s", "Jane Roe")
try:
    float("Jane Roe")
except ValueError:
    logging.getLogger("medml.x").exception("a fault")
int("Jane Roe")
"""


def test_a_log_holds_places_and_types_and_no_values():
    ran = subprocess.run([sys.executable, "-c", LOGGING], cwd=ROOT, capture_output=True, text=True, check=False)
    written = (home.log_folder() / "app.log").read_text()
    assert "medml.x: scanned 3 files" in written
    assert "a fault ValueError at <string>:" in written
    assert "streamlit: (message withheld, <string>:" in written
    assert "unforeseen: ValueError at <string>:" in written
    assert ran.returncode == 1
    assert "Jane" not in written + ran.stdout + ran.stderr


def test_a_log_turns_over_and_keeps_the_old_ones(monkeypatch, tmp_path):
    monkeypatch.setattr(logs, "LARGEST", 2000)
    handler = logs.Turning(tmp_path / "x.log")
    other = logs.Turning(tmp_path / "x.log")  # a second process on the same file
    for number in range(200):
        for each in (handler, other):
            each.emit(logging.LogRecord("medml", 20, "", 0, f"line {number:03d} {'.' * 30}", (), None))
    handler.close()
    other.close()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["x.log", *(f"x.log.{n}" for n in range(1, 6))]
    assert "line 199" in (tmp_path / "x.log").read_text() + (tmp_path / "x.log.1").read_text()


UNGUARDED = {"medml/doctor/sealed.py"}  # the proof itself: what it starts is under strace, where there is no way out


def programs() -> list[str]:
    """Every file of ours that is started as a process of its own on this machine."""
    found = [each for room in ("medml", "worker") for each in (ROOT / room).rglob("*.py")
             if '__name__ == "__main__"' in each.read_text(encoding="utf-8")]
    return sorted(each.relative_to(ROOT).as_posix() for each in found if "beside" not in each.parts)


def test_every_program_of_ours_is_guarded():
    """`export/beside` goes to other hospitals and opens files alone."""
    assert len(programs()) >= 7 and "worker/run.py" in programs()
    bare = {each for each in programs() if not any(
        guard in (ROOT / each).read_text() for guard in ("egress.install(process=", "sys.addaudithook("))}
    assert bare == UNGUARDED


READER = """
import runpy, sys, types
def read_excel(content):
    import socket
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("127.0.0.1", 9))
sys.modules["fastexcel"] = types.SimpleNamespace(read_excel=read_excel, FastExcelError=ZeroDivisionError)
runpy.run_path("medml/data/calamine_child.py", run_name="__main__")
"""


def test_the_reader_of_old_workbooks_has_no_network_at_all():
    done = subprocess.run([sys.executable, "-c", READER], cwd=ROOT, capture_output=True, text=True, input="",
                          check=False)
    assert done.returncode == 1 and "a reader of files has no network" in done.stderr
