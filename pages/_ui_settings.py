"""The settings of a run in the words of the screens on which they are made."""

from __future__ import annotations

from collections.abc import Iterable

from medml import families
from medml.families.family import plainly
from medml.steps import registry as steps
from medml.types import Task
from pages._ui_pictures import FRAMES, WINDOWS
from pages._ui_plan import SCHEMES
from pages._ui_words import percent

SPLIT = {"by": "Divided by", "scheme": "Judged by", "folds": "Folds", "repeats": "Repeats",
         "test_fraction": "Share kept closed", "given": "The split that came with the data"}
SPLIT_WORDS = SCHEMES | {"row": "rows", "patient": "patients"}
PICTURES = {"size": "Pixels a side", "window": "Range of grey", "frames": "Files of several frames"}
PICTURE_WORDS = {kept: shown for shown, kept in (WINDOWS | FRAMES).items()}
PLAIN = {"seed": "Seed", "target": "Outcome", "feature selection": "Columns chosen inside every fold",
         "columns left out": "Columns left out"}


def family_title(name: str, task: Task) -> str:
    """A family's name on the screen, for this kind of outcome; the stored name where it is not installed here."""
    return families.registry.get(name).titled(task) if name in families.registry.names() else name


def setting(key: str, value: object, kinds: Iterable[str], task: Task = "binary") -> tuple[str, str]:
    """A setting of `gallery.settings_of` as (what it is called, its value in words).

    kinds  names of the families whose parameters are meant;   task  what the family learned
    """
    group, _, name = key.partition(": ")
    if key == "family":
        return "Family", family_title(str(value), task)
    if group == "split":
        shown = percent(value) if isinstance(value, float) else SPLIT_WORDS.get(str(value), words(value))
        return SPLIT.get(name, name), shown
    if group == "pictures":
        return PICTURES.get(name, name), PICTURE_WORDS.get(value) or words(value)
    if group == "cleanup":
        return f"Cleanup: {steps.get(name).title.lower() if name in steps.names() else name}", words(value)
    if group == "parameter":
        params = [each for kind in kinds if kind in families.registry.names()
                  for each in families.registry.get(kind).params if each.name == name]
        named = next((each.said(value, task) for each in params
                      if value in each.choices or each.meaning(value, task)), None)
        return (params[0].title if params else name), words(value) if named is None else named
    return PLAIN.get(key, key.capitalize()), words(value)


def words(value: object) -> str:
    """A value as a person says it."""
    if isinstance(value, float):
        value = float(f"{value:.6g}")
    return "–" if value in (None, "") else plainly(value)
