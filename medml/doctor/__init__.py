"""Every setting that the promises of privacy and the queue rest on, looked at as it is now. One file here is one look.

    @look("Nothing leaves")
    def guards(scene: Scene) -> Iterator[Finding]:
        yield green("The tripwire", "...", "...") if egress.holds() else red(...)

A look says what it found in one sentence, what to do about it, and how it was found out. It quotes no patient's value.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Literal

from medml.doctor.scene import Scene
from medml.errors import UserError
from medml.registry import Registry
from medml.value import Value

log = logging.getLogger(__name__)
Light = Literal["green", "amber", "red"]
AREAS = ("Nothing leaves", "The app", "Files", "The queue", "Packages")


class Finding(Value):
    """One setting as it was found.

    area   one of AREAS;   setting  its name in plain words
    light  green: holds; amber: holds less than it could, or could not be told; red: the promise rests on nothing
    what   what was found, one sentence;   fix  what to do, "" where nothing is to be done
    how    how it was found out, for whoever checks the checker
    """

    area: str
    setting: str
    light: Light
    what: str
    fix: str = ""
    how: str = ""


class Examination(Value):
    """All findings, worst first within their area, and when and of which version they are."""

    time: float  # seconds since 1970, UTC
    version: str
    home: str
    findings: list[Finding]

    def count(self, light: Light) -> int:
        return sum(each.light == light for each in self.findings)


class Look(Value):
    """A function that looks; slow ones take seconds and are left out where a screen waits."""

    area: str
    slow: bool
    run: Callable[[Scene], Iterator[Finding]]


registry: Registry[Look] = Registry("medml.doctor")


def look(area: str, *, slow: bool = False) -> Callable[[Callable[[Scene], Iterator[Finding]]],
                                                       Callable[[Scene], Iterator[Finding]]]:
    """Register a function under its name; ValueError for an area that there is not."""
    if area not in AREAS:
        raise ValueError(f"there is no area {area!r}; there are {', '.join(AREAS)}")

    def register(function: Callable[[Scene], Iterator[Finding]]) -> Callable[[Scene], Iterator[Finding]]:
        registry.add(function.__name__, Look(area=area, slow=slow, run=function))
        return function
    return register


def found(light: Light, setting: str, what: str, fix: str = "", *, how: str = "") -> Finding:
    """A finding; its area is filled in by `examine`."""
    return Finding(area="", setting=setting, light=light, what=what, fix=fix, how=how)


def examine(*, slow: bool = True, role: str = "command line") -> Examination:
    """Look at everything now.

    slow  also what takes seconds: starting processes, asking every package for its licence
    role  what this process is called in the findings
    """
    from medml.provenance import code_version

    scene = Scene(role)
    findings = [each for name in registry.names() for each in _looked(name, scene, slow)]
    order = {"red": 0, "amber": 1, "green": 2}
    findings.sort(key=lambda each: (AREAS.index(each.area), order[each.light]))
    return Examination(time=time.time(), version=code_version(), home=str(scene.home), findings=findings)


def _looked(name: str, scene: Scene, slow: bool) -> Iterator[Finding]:
    """What one look found; a look that cannot be made is told, and stops no other."""
    each = registry.get(name)
    if each.slow and not slow:
        return
    try:
        for finding in each.run(scene):
            yield finding.model_copy(update={"area": each.area})
    except (UserError, OSError, ValueError) as error:
        log.warning("the look %s could not be made: %s", name, type(error).__name__)
        busy = isinstance(error, UserError) and error.code == "locked"  # could not be told: that is no fault
        yield Finding(area=each.area, setting=name.replace("_", " ").capitalize(), light="amber" if busy else "red",
                      what=error.what if isinstance(error, UserError) else "This could not be looked at.",
                      how=type(error).__name__,
                      fix=error.fix if isinstance(error, UserError) else "Look again; the log names the place.")


__all__ = ["AREAS", "Examination", "Finding", "Light", "Scene", "examine", "found", "look", "registry"]
