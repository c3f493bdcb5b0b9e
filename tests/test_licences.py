"""What MedML asks pip to install is free of the GPL, so that a hospital may pass it on with code of its own."""

from __future__ import annotations

from importlib import metadata

import pytest

from medml.doctor.packages import asked_for, is_gpl, licence_of, named, pinned, version_of


def test_the_version_of_a_package_is_the_one_that_python_tells():
    assert {each.name: version_of(each.name) for each in pinned()} == {
        each.name: metadata.version(each.name) for each in pinned()}


def test_requirements_are_installed_with_all_they_need():
    assert len(asked_for()) > 60 and {"pydicom", "imagecodecs", "pylibjpeg", "torch", "numpy"} <= asked_for()


@pytest.mark.parametrize("name", sorted(asked_for()))
def test_no_requirement_is_under_the_gpl(name):
    assert not is_gpl(licence_of(name)), licence_of(name)


@pytest.mark.parametrize(("said", "is_one"), [
    ("GPL-3.0-only", True), ("GNU General Public License v3 (GPLv3)", True), ("AGPL-3.0", True), ("LGPL-2.1", False),
    ("GNU Lesser General Public License v3 (LGPLv3)", False), ("BSD-3-Clause", False)])
def test_the_words_of_the_gpl_are_known(said, is_one):
    assert is_gpl(said) == is_one


def test_the_decoder_under_the_gpl_is_not_asked_for():
    assert named("pylibjpeg-libjpeg") not in asked_for()
