"""The plain text record: each setting, how it was checked, what came of it, of which version, when."""

from __future__ import annotations

import platform
import textwrap
from datetime import UTC, datetime

from medml.doctor import AREAS, Examination, Finding
from medml.refusals import Kept

MARKS = {"green": "[ ok ]", "amber": "[look]", "red": "[STOP]"}
WIDTH = 100
TRIPWIRE = ("The tripwire sees what Python code does. What a C library or another program might do it does not see: it "
            "is a tripwire and no proof. The proof is `python -m medml doctor --prove` (Linux, with strace): the whole "
            "line in a network namespace without routes, every try to reach another machine counted, by any process.")


def as_text(examined: Examination, refused: list[Kept] | None = None) -> str:
    """For a terminal or a file.

    refused  what the tripwire refused, to be listed too; None: it is not asked for
    """
    when = datetime.fromtimestamp(examined.time, UTC)
    lines = ["MedML: what privacy and the queue rest on", f"looked at   {when:%Y-%m-%d %H:%M:%S} UTC",
             f"version     {examined.version}", f"system      {platform.platform()}", f"folder      {examined.home}",
             f"result      {summed_up(examined)}"]
    for area in AREAS:
        lines += ["", area, "-" * len(area)]
        lines += [line for each in examined.findings if each.area == area for line in _lines(each)]
    if refused is not None:
        lines += ["", "Refused so far", "--------------", *(_refusal(each) for each in refused)]
        lines += [] if refused else ["nothing"]
    return "\n".join([*lines, "", *textwrap.wrap(TRIPWIRE, WIDTH)])


def summed_up(examined: Examination) -> str:
    """"28 hold, 2 to look at, none is wrong"."""
    red = examined.count("red")
    return (f"{examined.count('green')} hold, {examined.count('amber') or 'none'} to look at, "
            f"{f'{red} wrong' if red else 'none wrong'}")


def _lines(each: Finding) -> list[str]:
    first = textwrap.wrap(f"{each.setting}: {each.what}", WIDTH, initial_indent=f"{MARKS[each.light]} ",
                          subsequent_indent=" " * 7)
    more = [f"What to do: {each.fix}"] if each.fix else []
    more += [f"How: {each.how}"] if each.how else []
    return first + [line for words in more for line in
                    textwrap.wrap(words, WIDTH, initial_indent=" " * 7, subsequent_indent=" " * 9)]


def _refusal(each: Kept) -> str:
    when = datetime.fromtimestamp(each.time, UTC)
    return f"{when:%Y-%m-%d %H:%M:%S} UTC  {each.process} ({each.pid})  {each.what}  {each.where}  {each.times} x"
