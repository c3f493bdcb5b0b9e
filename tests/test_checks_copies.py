"""What the check for copies across the split asks for, once its step is on."""

from __future__ import annotations

from types import SimpleNamespace as It

import pytest
from made_up import made_context
from test_checks import with_copy

from medml.evaluate.checks import registry
from medml.types import PicturePlan, Recipe, Step


@pytest.mark.parametrize(("of_pictures", "on", "words"), [
    (False, False, "Switch on the step that leaves out copies"),
    (False, True, "Ask whether equal rows are one patient"),
    (True, False, "Switch on the step that leaves out copies"),
    (True, True, "Leave pictures that show no finding out of the folder")])
def test_copies_across_the_split_ask_for_what_can_still_be_done(of_pictures, on, words):
    """The step leaves out exact copies alone: where it is on already, “switch it on” helps nobody."""
    cases, folds = with_copy(3)
    choice = {"pictures": PicturePlan(size=96)} if of_pictures else {}
    step = Step(name="picture_copies" if of_pictures else "exact_duplicates", on=on, reason="r")
    context = made_context(cases, folds, choice=choice, recipe=Recipe(profile_sha256="p", steps=[step]))
    check = registry.get("L3")(It(context=context))
    assert check.verdict == "warn" and words in check.fix
