"""Streamlit out of the box is not silent: each setting that keeps it so, as it is in force."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from medml import hospital
from medml.doctor import Finding, found, look
from medml.doctor.addresses import listed
from medml.doctor.scene import Scene, is_loopback

WANTED: dict[str, tuple[Any, str, str]] = {  # option: what it must be, its name, what it would do else
    "browser.gatherUsageStats": (False, "Usage statistics", "sends statistics of use to its makers"),
    "browser.serverAddress": ("localhost", "Look-up of its own address", "looks up this machine's address outside"),
    "server.headless": (True, "Start without questions", "opens a browser and asks for an e-mail address"),
    "server.showEmailPrompt": (False, "Question for an e-mail address", "asks for an e-mail address and sends it"),
    "server.fileWatcherType": ("none", "Watching of files", "watches the machine's files"),
    "server.enableAgentApi": (False, "Door for programs", "answers programs that steer the app"),
    "server.enableXsrfProtection": (True, "Protection of uploads", "takes files that another site sends"),
    "client.showErrorLinks": (False, "Links on errors", "offers to look an error up on the internet"),
    "client.showErrorDetails": ("none", "Details of errors", "shows an error's text, which may quote a patient"),
    "client.disableDataExport": (True, "No file of what a table shows",
                                 "hands out rows of patients, and cells that a spreadsheet takes for formulas"),
    "client.toolbarMode": ("minimal", "Tool bar", "offers to publish the app"),
    "runner.magicEnabled": (False, "Values of lone lines", "shows whatever a line of code yields"),
}
PLACE = ("server.address", "server.port", "server.sslCertFile")
OPTIONS = [*WANTED, *PLACE]
FIX = "Start MedML with `python3 start.py`, and take the setting out of ~/.streamlit/config.toml and the environment."


@look("The app")
def streamlit_settings(scene: Scene) -> Iterator[Finding]:
    """One finding a setting."""
    options, whence = scene.options(OPTIONS)
    for option, (wanted, name, otherwise) in WANTED.items():
        how = f"{option}, {whence}."
        is_so = options[option] == wanted and isinstance(options[option], type(wanted))
        if is_so:
            yield found("green", name, f"Set to {_word(wanted)}.", how=how)
        else:
            yield found("red", name, f"Not set to {_word(wanted)}: Streamlit then {otherwise}.", FIX, how=how)


@look("The app")
def where_it_answers(scene: Scene) -> Iterator[Finding]:
    """On this machine alone, unless the people who use it sign in."""
    options, whence = scene.options(OPTIONS)
    address, how = str(options["server.address"] or ""), f"server.address, {whence}; MEDML_HOSTS of this process."
    others, n = [each for each in listed("MEDML_HOSTS") if not is_loopback(each)], people()
    if address and is_loopback(address) and not others:
        yield found("green", "Where the app answers", f"On this machine alone ({address}).", how=how)
        return
    shown = f"{address or 'every address of this machine'}{' and, by a proxy, ' if others else ''}{', '.join(others)}"
    if n or hospital.is_set_up():
        who = "to whom the hospital's own service signs in, and " if hospital.is_set_up() else ""
        yield found("green", "Where the app answers", f"At {shown}, {who}to the {n:,} people who have an account.",
                    how=how)
    else:
        yield found("red", "Where the app answers", f"At {shown}, to anybody: nobody has an account.",
                    "Make accounts with `python -m medml accounts add NAME --role clinician`, or serve it on "
                    "127.0.0.1.", how=how)


def people() -> int:
    """How many may sign in."""
    from medml import accounts

    return len(accounts.everybody())


def _word(wanted: Any) -> str:
    return {True: "on", False: "off"}.get(wanted, f"“{wanted}”") if isinstance(wanted, bool) else f"“{wanted}”"
