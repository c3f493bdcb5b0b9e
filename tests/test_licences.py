"""What MedML asks pip to install is free of the GPL, so that a hospital may pass it on with code of its own."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements.txt"
GPL = re.compile(r"(?<!L)(?<!Lesser )\bA?GPL|(?<!Lesser )General Public License", re.IGNORECASE)


def named(line: str) -> str:
    return re.sub(r"[-_.]+", "-", line).lower()


def asked_for() -> set[str]:
    """Every distribution of requirements.txt and, in turn, of what those require on this machine."""
    lines = [line.split("#")[0].strip() for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines()]
    waiting = [Requirement(line) for line in lines if line]
    found: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        name = named(wanted.name)
        if name in found or wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        found.add(name)
        try:
            waiting += [Requirement(each) for each in metadata.requires(name) or []]
        except metadata.PackageNotFoundError:
            found.discard(name)
    return found


def licence_of(name: str) -> str:
    """What a distribution says of its licence: its expression, else its classifiers, else its first line on it."""
    about = metadata.metadata(name)
    classifiers = [each for each in about.get_all("Classifier") or [] if each.startswith("License ::")]
    return about.get("License-Expression") or "; ".join(classifiers) or (about.get("License") or "").split("\n")[0]


def test_requirements_are_installed_with_all_they_need():
    assert len(asked_for()) > 60 and {"pydicom", "imagecodecs", "pylibjpeg", "torch", "numpy"} <= asked_for()


@pytest.mark.parametrize("name", sorted(asked_for()))
def test_no_requirement_is_under_the_gpl(name):
    said = licence_of(name)
    alone = [part for part in re.split(r"\bAND\b|;", said) if GPL.search(part) and not re.search(r"\bOR\b|WITH", part)]
    assert not alone, said


@pytest.mark.parametrize(("said", "is_gpl"), [
    ("GPL-3.0-only", True), ("GNU General Public License v3 (GPLv3)", True), ("AGPL-3.0", True), ("LGPL-2.1", False),
    ("GNU Lesser General Public License v3 (LGPLv3)", False), ("BSD-3-Clause", False)])
def test_the_words_of_the_gpl_are_known(said, is_gpl):
    assert bool(GPL.search(said)) == is_gpl


def test_the_decoder_under_the_gpl_is_not_asked_for():
    assert named("pylibjpeg-libjpeg") not in asked_for()
