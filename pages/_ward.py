"""Whether the app is served to others, what that needs before it may start, and whose browser a script is drawn for.

On 127.0.0.1 the owner of the machine needs no account. With any other address (`server.address`, on the command line
or in STREAMLIT_SERVER_ADDRESS), a name for others in MEDML_HOSTS, or MEDML_WARD=1 (behind a proxy on the same machine)
there is nothing to be seen without signing in.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import time

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from medml import accounts, home, hospital, passwords, rights, roots
from medml.errors import UserError
from medml.rights import Person

COOKIES = ("__Host-medml", "medml")  # behind TLS, and on 127.0.0.1 without
FRESH = 0.25  # seconds for which an answer about a session is believed while a screen is drawn
OPEN_TO_ALL = {"*", "0.0.0.0/0", "::/0"}  # noqa: S104 - refused, not bound
MOST = 5_000  # sessions of Streamlit's that are remembered; the oldest go first
NEEDS = {"privacy": "settings", "audit": "audit", "accounts": "accounts"}  # pages not for everybody: the act they are
_sessions: dict[str, str] = {}  # a session of Streamlit's -> the hash of the token that it was opened with
_known: dict[str, tuple[float, Person | None]] = {}  # hash of a token -> when it was asked about, who it is
_places: dict[str, str] = {}  # hash of a token -> the address it last came from
_left: dict[str, None] = {}  # hashes of tokens whose people signed out themselves; the oldest go first


def is_local(host: str | None) -> bool:
    """Whether an address, or a name, means this machine alone."""
    try:
        return ipaddress.ip_address((host or "").strip("[]")).is_loopback
    except ValueError:
        return (host or "").lower() == "localhost"


def hosts() -> list[str]:
    """Names under which the app may be asked besides this machine's own: `MEDML_HOSTS`, separated by commas."""
    return [each.strip().lower() for each in os.environ.get("MEDML_HOSTS", "").split(",") if each.strip()]


def address() -> str | None:
    """What the server binds to; None for every address that this machine has."""
    return st.get_option("server.address") or None


def is_served_to_others() -> bool:
    """Whether anybody but the owner of this machine may reach the app."""
    return not is_local(address()) or any(not is_local(each) for each in hosts()) or \
        os.environ.get("MEDML_WARD", "") not in ("", "0")


def at_the_top() -> None:
    """UserError where the app is to answer below a path: its addresses, cookies and headers are a whole site's."""
    if (st.get_option("server.baseUrlPath") or "").strip("/"):
        raise UserError(what="MedML is to answer below a path (server.baseUrlPath), which it does not do.", code="path",
                        fix="Take that setting out, and give MedML a name of its own, as deploy/README.md shows.")


def open_ward() -> bool:
    """See to it that nobody acts without a session, where the app is served to others; returns whether it is.

    raises  UserError, in one plain sentence, where it must not start like this
    """
    if not is_served_to_others():
        return False
    if not (accounts.everybody() or hospital.is_set_up()):
        raise UserError(
            what=f"MedML is to be served to others ({address() or 'on every address'}), and there are no accounts.",
            fix="Make the first one: python -m medml accounts add NAME --role administrator", code="no_accounts")
    if not os.environ.get("MEDML_ROOTS"):
        raise UserError(what="MedML is to be served to others, and nobody said which folders they may use.",
                        fix="Set MEDML_ROOTS to the folders with clinical data, for example MEDML_ROOTS=/srv/studies",
                        code="no_roots")
    own = home.home().resolve()
    if any(root == own or root in own.parents for root in roots.allowed_roots()):
        raise UserError(what="MEDML_ROOTS names a folder in which MedML keeps its own files and keys.", code="own_root",
                        fix="Name the folders with clinical data alone, or move MedML's own by MEDML_HOME.")
    if not is_local(address()) and not hosts():
        raise UserError(what="MedML is to be served to others, and nobody said under which name.", code="no_hosts",
                        fix="Set MEDML_HOSTS to that name, for example MEDML_HOSTS=medml.hospital.example")
    if OPEN_TO_ALL & {each.strip() for each in os.environ.get("FORWARDED_ALLOW_IPS", "").split(",")}:
        raise UserError(what="FORWARDED_ALLOW_IPS would believe every machine about where a request came from.",
                        fix="List the proxy's own address there.", code="any_proxy")
    hospital.check()
    passwords.make_ready()
    rights.served_to(who)
    return True


# ---- whose browser it is ---------------------------------------------------------------------------------------

def hashed(token: str) -> str:
    """Under which name a token is remembered here: not the token itself."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_of(cookies: dict[str, str]) -> str | None:
    """The token that a browser sent, if it did."""
    return next((cookies[name] for name in COOKIES if cookies.get(name)), None)


def look(token: str | None, place: str | None = None) -> Person | None:
    """Whose session it is at this moment, asked of the database; None where it has ended."""
    if not token:
        return None
    name = hashed(token)
    if place is not None:
        _places[name] = place
    return _look(name)


def _look(name: str) -> Person | None:
    person = accounts.of_hash(name, place=_places.get(name, "this machine"))
    if person is None:
        forget(name)
    else:
        _known[name] = (time.monotonic(), person)
    return person


def remembered(token: str | None) -> Person | None:
    """Whose session it was a moment ago; None where that was not asked, or it had ended. Nothing is read."""
    return _remembered(hashed(token)) if token else None


def _remembered(name: str) -> Person | None:
    known = _known.get(name)
    return known[1] if known is not None and time.monotonic() - known[0] < FRESH else None


def forget(name: str) -> None:
    """A session has ended: nothing of it is remembered."""
    _known.pop(name, None)
    _places.pop(name, None)
    for session in [each for each, token in list(_sessions.items()) if token == name]:
        _sessions.pop(session, None)


def leave(token: str) -> None:
    """Somebody is about to sign out: their windows will be told so."""
    _left[hashed(token)] = None
    for each in list(_left)[:-MOST]:
        _left.pop(each, None)


def has_left(token: str) -> bool:
    """Whether a session ended because its own person signed out."""
    return hashed(token) in _left


def who() -> Person | None:
    """Who the script that runs in this thread is drawn for; None outside of one, and where that session has ended.

    A script goes on to its end where its window is closed. There are no cookies then: it acts for who opened it, whose
    session is looked at as ever.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return None
    token = token_of(dict(st.context.cookies))
    name = hashed(token) if token else _sessions.get(context.session_id)
    if name is None or _sessions.setdefault(context.session_id, name) != name:
        return None  # another person's: nobody goes on in a session that somebody else opened
    for each in list(_sessions)[:-MOST]:
        _sessions.pop(each, None)
    person = _remembered(name) or _look(name)  # of a quarter of a second ago: a screen asks hundreds of times
    return None if person is None or person.once else person


def opens(page: str) -> bool:
    """Whether who is signed in may open a page ("gallery", "audit"); on a laptop every one."""
    return page not in NEEDS or rights.may(NEEDS[page])


def is_own(session: str, token: str) -> bool:
    """Whether a session of Streamlit's was opened with that token: only then a browser may go on in it."""
    return _sessions.get(session) == hashed(token)


def sessions_of(token: str) -> set[str]:
    """Every session of Streamlit's that was opened with that token."""
    name = hashed(token)
    return {session for session, opened in list(_sessions.items()) if opened == name}


def sign_out() -> None:
    """End the session of the browser that this script is drawn for; its window is sent to the sign-in page."""
    token = token_of(dict(st.context.cookies))
    person = who()
    if token is not None and person is not None:
        leave(token)
        accounts.sign_out(token, place=person.place)
        forget(hashed(token))
