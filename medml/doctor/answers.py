"""What the running app answers: its policy, to whom it answers at all, and where it listens."""

from __future__ import annotations

from collections.abc import Iterator

import psutil

from medml.doctor import Finding, found, look
from medml.doctor.scene import Scene, is_loopback, is_one

OWN = {"'none'", "'self'", "data:", "blob:"}  # what a browser fetches from the app or has itself
NEEDED = ("default-src", "script-src", "connect-src", "img-src", "frame-ancestors", "object-src", "form-action")
INLINE = {"script-src": "'sha256-", "style-src": "'unsafe-inline'"}  # Streamlit's own scripts by hash, and its styles
HEADERS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "x-frame-options": "DENY"}
WEBSOCKET = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
NOT_ASKED = "It could not be asked: no app of this home answers at an address that this process may reach."
START = "Start MedML and look again."
FAULT = "Tell whoever looks after MedML, and do not use it on a network until it is mended."


@look("The app")
def policy(scene: Scene) -> Iterator[Finding]:
    """The Content-Security-Policy by which the browser asks no other machine, and the headers beside it."""
    how = "The running app was asked for its first page."
    answer = scene.ask_app("/")
    if answer is None:
        yield found("amber", "What a browser may ask for", NOT_ASKED, START, how=how)
        return
    told = dict(part.strip().partition(" ")[::2] for part in (answer.getheader("content-security-policy") or "").split(
        ";"))
    wrong = [name for name in NEEDED if name not in told]
    wrong += [name for name, sources in told.items() if not all(
        each in OWN or each.startswith(INLINE.get(name, " ")) for each in sources.split())]
    wrong += [] if told.get("default-src") == "'none'" else ["default-src"]
    wrong += [name for name, wanted in HEADERS.items() if answer.getheader(name) != wanted]
    if wrong:
        yield found("red", "What a browser may ask for", f"{', '.join(sorted(set(wrong)))} would let a page "
                    "ask other machines.", FAULT, how=how)
    else:
        yield found("green", "What a browser may ask for", "Every answer tells the browser to ask this app alone.",
                    how=how)


@look("The app")
def names(scene: Scene) -> Iterator[Finding]:
    """A request under another name (DNS rebinding) is answered 421, a websocket from another page 403.

    Where people sign in a websocket of the app's own page is refused too, this process having no session: so the two
    refusals must not be the same one.
    """
    how = "Asked as evil.example, and by websockets from http://evil.example and from its own page."
    wrong = scene.ask_app("/", {"Host": "evil.example"})
    if wrong is None:
        yield found("amber", "Under which name it answers", NOT_ASKED, START, how=how)
        return
    socket, own = (scene.ask_app("/_stcore/stream", {"Origin": origin} | WEBSOCKET) for origin in (
        "http://evil.example", f"http://127.0.0.1:{scene.app.told['server.port']}"))
    if (wrong.status, socket.status) == (421, 403) and (own.status, own.words) != (403, socket.words):
        yield found("green", "Under which name it answers", "Under its own alone; other sites are turned away.",
                    how=how)
    else:
        yield found("red", "Under which name it answers", f"It answered {wrong.status} under a foreign name and "
                    f"{socket.status} to a foreign page, {own.status} to its own.", FAULT, how=how)


@look("The app")
def listening(scene: Scene) -> Iterator[Finding]:
    """The addresses at which the app's process listens, as the system tells them."""
    how = "The system's list of listening sockets."
    if scene.app is None:
        yield found("amber", "Open doors of the app", NOT_ASKED, START, how=how)
        return
    try:
        doors = {each.laddr.ip for each in psutil.Process(scene.app.pid).net_connections()
                 if each.status == psutil.CONN_LISTEN}
    except psutil.Error:
        yield found("amber", "Open doors of the app", "The system does not tell them to this account.",
                    "Look again as the account that runs the app.", how=how)
        return
    wide = sorted(each for each in doors if not is_loopback(each))
    told = str(scene.app.told.get("server.address") or "")
    beside = [each for each in wide if is_loopback(told) or is_one(told) and each != told]
    if beside:
        yield found("red", "Open doors of the app", f"It listens at {', '.join(beside)} too.", FAULT, how=how)
    elif wide:
        yield found("green", "Open doors of the app", f"It listens where it was told to: {', '.join(wide)}.", how=how)
    else:
        yield found("green", "Open doors of the app", "It listens on this machine alone.", how=how)
