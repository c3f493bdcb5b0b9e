"""The tripwire: no Python code of this process reaches another machine, unless an administrator listed the address.

An audit hook sees every connect, datagram and look-up of a name that Python makes, and cannot be removed. It does not
see what C libraries or other programs do, so it is a tripwire and no proof; see README.md, "Nothing leaves".
"""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from medml import refusals as record

log = logging.getLogger(__name__)
LOCAL_NAMES = frozenset({"", "localhost", "localhost.localdomain", "ip6-localhost"})
LOCAL_SORTS = frozenset(getattr(socket, each) for each in ("AF_UNIX", "AF_NETLINK") if hasattr(socket, each))
KEPT = 1000  # refusals kept in memory; those of every process are kept by medml.refusals
AGAIN = 5.0  # seconds between two look-ups of the listed names
NOBODY = "192.0.2.254"  # RFC 5737: an address that belongs to nobody


class Refused(ConnectionError):
    """A connection off this machine was refused. A ConnectionError, so libraries go on as they do without a network."""


@dataclass(frozen=True, slots=True)
class Refusal:
    time: float  # seconds since 1970, UTC
    what: str  # the audit event: socket.connect, socket.getaddrinfo ...
    where: str  # an address, or the last two parts of a name; a name of one part could be anything, and is not told


_state = threading.local()
_allowed: set[str] = set()
_names: set[str] = set()  # what was listed, of which the addresses among the allowed follow
_looked = float("-inf")  # when they were looked up last
_refused: deque[Refusal] = deque(maxlen=KEPT)
_count = 0
_installed = False
_record: record.Record | None = None


def install(allow: list[str] | None = None, *, process: str = "") -> None:
    """Guard this process from here on; a second call only adds to `allow`.

    allow    host names or addresses besides those that `MEDML_ALLOW_HOSTS` lists (separated by commas)
    process  what this process is called where its refusals are kept for the Privacy screen; "": nothing is kept
    """
    global _installed, _record
    if process:
        from medml.home import log_folder  # before the hook: it must not import anything itself

        _record = record.Record(log_folder(), process)
    listed = [*(allow or []), *os.environ.get("MEDML_ALLOW_HOSTS", "").split(",")]
    names = [each.strip().lower() for each in listed if each.strip()]
    if not _installed:
        sys.addaudithook(_hook)
        _installed = True
    _names.update(names)
    _allowed.update(names)
    for each in names:
        _allowed.update(_addresses(each))


def installed() -> bool:
    return _installed


def holds() -> bool:
    """Try it: whether a connect off this machine is refused in this process. Such a try is no refusal to be kept.

    A datagram's connect sends nothing, so nothing leaves the machine even where it is not refused.
    """
    _state.trying = True
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            out.connect((NOBODY, 9))
    except Refused:
        return True
    except OSError:
        return False  # the system has no way out, but nobody was asked
    finally:
        _state.trying = False
    return False


def allowed() -> list[str]:
    """Names and addresses that an administrator listed."""
    return sorted(_allowed)


def refusals() -> list[Refusal]:
    """The latest refusals of this process, oldest first."""
    return list(_refused)


def count() -> int:
    """How many connections this process was refused so far."""
    return _count


def _addresses(name: str) -> set[str]:
    """What a listed name stands for now; nothing if it cannot be looked up."""
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(name, None)}
    except OSError:
        return set()


def _is_allowed(where: str) -> bool:
    return where.lower() in _allowed or _as_address(where) is not None and _look_again() and where in _allowed


def _look_again() -> bool:
    """Look up the listed names anew, unless that was done a moment ago: the network may have come up after this
    process, and a service may answer at another address by now."""
    global _looked
    if not _names or time.monotonic() - _looked < AGAIN:
        return False
    _looked = time.monotonic()
    _state.busy = True  # the hook must not be asked about its own look-up
    try:
        _allowed.update(*map(_addresses, _names))
    finally:
        _state.busy = False
    return True


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if not event.startswith("socket.") or event not in _WHERE or getattr(_state, "busy", False):
        return
    where = _WHERE[event](arguments)
    if where is None or _is_local(where) or _is_allowed(where):
        return
    if not getattr(_state, "trying", False):
        _state.busy = True  # writing the log must not be asked about itself
        try:
            _note(event, where)
        finally:
            _state.busy = False
    raise Refused(f"MedML does not connect to other machines ({event})")


def _note(event: str, where: str) -> None:
    global _count
    _count += 1
    place = where if _as_address(where) or where.startswith("family ") else _end_of(where)
    _refused.append(Refusal(time.time(), event, place))
    if _record is not None:
        _record.keep(event, place)
    log.warning("refused %s to %s", event, place)


def _end_of(name: str) -> str:
    """The last two parts of a name, each cut at 40 characters; what stands before may name a patient."""
    parts = name.rstrip(".").split(".")[-2:]
    return ".".join(part[:40] for part in parts) if len(parts) == 2 else "(a name without a dot)"


def _of_socket(arguments: tuple[Any, ...]) -> str | None:
    """The host of (socket, address); None where the address cannot leave the machine."""
    sort, address = arguments[0].family, arguments[1]
    if sort in LOCAL_SORTS or address is None:
        return None  # a datagram without an address goes where its socket was connected to
    return _text(address[0]) if isinstance(address, tuple) and address else f"family {int(sort)}"


def _first(arguments: tuple[Any, ...]) -> str | None:
    return None if arguments[0] is None else _text(arguments[0])


def _of_pair(arguments: tuple[Any, ...]) -> str | None:
    return _text(arguments[0][0])


def _text(host: Any) -> str:
    if not isinstance(host, bytes | bytearray):
        return str(host)
    try:
        return bytes(host).decode("idna")  # which knows no way with errors but to raise them
    except UnicodeError:
        return bytes(host).decode("latin-1")


_WHERE = {
    "socket.connect": _of_socket, "socket.sendto": _of_socket, "socket.sendmsg": _of_socket,
    "socket.getaddrinfo": _first, "socket.gethostbyname": _first, "socket.gethostbyaddr": _first,
    "socket.getnameinfo": _of_pair,
}


def _is_local(where: str) -> bool:
    address = _as_address(where)
    if address is None:
        return where.lower().rstrip(".") in LOCAL_NAMES
    return address.is_loopback or address.is_unspecified


def _as_address(where: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(where.split("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def may_reach(host: str) -> bool:
    """Whether a host is this machine, or one that an administrator listed (MEDML_ALLOW_HOSTS, or `install`)."""
    listed = {each.strip().lower() for each in os.environ.get("MEDML_ALLOW_HOSTS", "").split(",")} - {""}
    return bool(host) and (_is_local(host) or host.lower() in _allowed | listed)
