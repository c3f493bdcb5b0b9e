"""Are the packages those that MedML was tested with, and free of the GPL, so that a hospital may pass it on?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from medml.doctor import Finding, found, look
from medml.doctor.scene import ROOT, Scene

REQUIREMENTS = ROOT / "requirements.txt"
GPL = re.compile(r"(?<!L)(?<!Lesser )\bA?GPL|(?<!Lesser )General Public License", re.IGNORECASE)
VERSION = re.compile(r"^Version:(.+)$", re.MULTILINE)
INSTALL = "Run `python3 start.py setup`, which installs what is listed."


def pinned(file: Path = REQUIREMENTS) -> list[Requirement]:
    """What requirements.txt asks for on this system."""
    lines = [line.split("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    asked = [Requirement(line) for line in lines if line]
    return [each for each in asked if each.marker is None or each.marker.evaluate({"extra": ""})]


def named(name: str) -> str:
    """A distribution's name as PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_for() -> set[str]:
    """Every distribution of requirements.txt and, in turn, of what those require on this machine."""
    waiting, known = pinned(), set()
    while waiting:
        wanted = waiting.pop()
        name = named(wanted.name)
        if name in known or wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            waiting += [Requirement(each) for each in metadata.requires(name) or []]
            known.add(name)
        except metadata.PackageNotFoundError:
            continue
    return known


def version_of(name: str) -> str:
    """A distribution's version, by that line alone: `metadata.version` takes all of its description apart, five times
    the work. PackageNotFoundError where there is none."""
    said = VERSION.search(metadata.distribution(name).read_text("METADATA") or "")
    return said[1].strip() if said else metadata.version(name)


def licence_of(name: str) -> str:
    """What a distribution says of its licence: its expression, else its classifiers, else its first line on it."""
    about = metadata.metadata(name)
    classifiers = [each for each in about.get_all("Classifier") or [] if each.startswith("License ::")]
    return about.get("License-Expression") or "; ".join(classifiers) or (about.get("License") or "").split("\n")[0]


def is_gpl(said: str) -> bool:
    """Whether a licence, or a part of it that cannot be chosen against, is the GPL; the LGPL is not."""
    parts = re.split(r"\bAND\b|;", said)
    return any(GPL.search(part) and not re.search(r"\bOR\b|WITH", part) for part in parts)


@look("Packages")
def versions(scene: Scene) -> Iterator[Finding]:
    """Each as it is pinned."""
    wrong, asked = [], pinned()
    for each in asked:
        try:
            if (there := version_of(each.name)) not in each.specifier:
                wrong.append(f"{each.name} {there}")
        except metadata.PackageNotFoundError:
            wrong.append(f"{each.name} (missing)")
    how = "Versions installed, beside requirements.txt."
    if wrong:
        more = f" and {len(wrong) - 5:,} more" if len(wrong) > 5 else ""
        yield found("amber", "Versions", f"Not as pinned: {', '.join(wrong[:5])}{more}.", INSTALL, how=how)
    else:
        yield found("green", "Versions", f"All {len(asked):,} packages are as pinned.", how=how)


@look("Packages", slow=True)
def licences(scene: Scene) -> Iterator[Finding]:
    """Of every package that is asked for, and of what it needs in turn."""
    asked = sorted(asked_for())
    wrong = [name for name in asked if is_gpl(licence_of(name))]
    how = "What each installed package says of its licence."
    if wrong:
        yield found("red", "Licences", f"Under the General Public License: {', '.join(wrong[:5])}.",
                    "Pass MedML on only with their source; see a lawyer.", how=how)
    else:
        yield found("green", "Licences", f"None of {len(asked):,} packages is under the General Public License.",
                    how=how)
