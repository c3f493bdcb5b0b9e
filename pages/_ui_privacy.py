"""The Privacy screen's parts: how many settings hold, what asks for something, what was refused, how it is proved."""

from __future__ import annotations

import streamlit as st

from medml.doctor import AREAS, Examination, Finding
from medml.refusals import Kept
from pages import _ui as ui

LIGHTS = {"green": ("Holds", "teal"), "amber": ("Look", "caution"), "red": ("Wrong", "stop")}
SHOWN = 50  # refusals on the screen; the record has them all
WHAT = {"socket.connect": "a connection", "socket.sendto": "a message", "socket.sendmsg": "a message",
        "socket.getaddrinfo": "a look-up of a name", "socket.gethostbyname": "a look-up of a name",
        "socket.gethostbyaddr": "a look-up of an address", "socket.getnameinfo": "a look-up of an address"}
PROOF = ("python -m medml doctor --prove", "On Linux, with strace: the whole line from a scan to a report is done where"
         " there is no way out, and every try to reach another machine is counted, by any process. It takes a minute "
         "or two, and says so plainly where a machine does not allow it.")


def summary(found: Examination, kept: list[Kept]) -> None:
    """Counts, and one sentence."""
    wrong, unsure = found.count("red"), found.count("amber")
    ui.tiles([("settings hold", found.count("green")), ("to look at", unsure), ("wrong", wrong),
              ("tries to reach another machine, refused", sum(each.times for each in kept))])
    if wrong:
        ui.say("stop", f"{ui.count(wrong, 'setting')} on which your patients' privacy or your work rests "
               f"{'does' if wrong == 1 else 'do'} not hold.", "Do what is said below, then look again.")


def to_look_at(found: Examination) -> None:
    """What does not hold, and what could not be told, the worst first."""
    asking = sorted((each for each in found.findings if each.light != "green"), key=lambda each: each.light != "red")
    if asking:
        ui.section("To look at")
        ui.draw(f'<div class="m-checks">{"".join(map(_item, asking))}</div>')


def _item(each: Finding) -> str:
    return ui.judged(LIGHTS[each.light], each.setting, each.area, each.what, each.fix.replace("`", ""))


def refusals(kept: list[Kept]) -> None:
    """Who tried to reach another machine, and when."""
    ui.section("Refused", "Tries of MedML's own processes to reach another machine. None of them left this one.")
    if not kept:
        ui.note("No process of MedML has tried.")
        return
    ui.table(["When", "Process", "What was tried", "Where to", "Times"],
             [(ui.Cell(ui.when(each.time), each.time), each.process, WHAT.get(each.what, each.what), each.where,
               ui.count(each.times)) for each in kept[:SHOWN]], right=(4,))
    if len(kept) > SHOWN:
        ui.note(f"The latest {SHOWN} of {len(kept):,}; the record has them all.")


def settings(found: Examination) -> None:
    """Everything that was looked at, area by area."""
    ui.section("Settings", "Each was tried or asked for as this page was opened, not read from a file.")
    for area in AREAS:
        inside = [each for each in found.findings if each.area == area]
        if inside:
            holds = sum(each.light == "green" for each in inside)
            with st.expander(f"{area}: {holds} of {len(inside)} hold"):
                ui.table(["State", "Setting", "What was found", "How"],
                         [(ui.chip(*LIGHTS[each.light]), each.setting, each.what, each.how.replace("`", ""))
                          for each in inside],
                         raw=(0,))


def proof() -> None:
    """What all of this is, and what it is not."""
    ui.section("A tripwire, not a proof", "It sees what Python code does. What a library in C or another program might "
               "do it does not see. Whoever looks after this machine can run the proof:")
    st.code(PROOF[0], language=None)
    ui.note(PROOF[1])
