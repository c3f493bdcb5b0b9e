"""Whether a folder of pictures may be a part of the run's own: told by a model that sees what pictures look like."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medml import pictures, same_source
from medml.cases import Cases
from medml.evaluate.catalogue import ALIKE
from medml.vision.pixels import Store

SIDE = 24


def films(n: int, seed: int, *, glow: float = 0.0, grain: float = 12.0, channels: int = 1) -> np.ndarray:
    """(n, SIDE, SIDE, channels) uint8: a body on a dark ground, brighter or grainier where another machine made it."""
    random = np.random.default_rng(seed)
    away = np.hypot(*np.mgrid[-1:1:SIDE * 1j, -1:1:SIDE * 1j]) - random.uniform(0.5, 0.9, (n, 1, 1))
    bright = random.uniform(90, 200, (n, 1, 1)) + glow
    plain = np.where(away < 0, bright, 15) + random.normal(0, grain, (n, SIDE, SIDE))
    return np.repeat(np.clip(plain, 0, 255).astype(np.uint8)[..., None], channels, axis=3)


def cases_of(pixels: np.ndarray, seed: int = 0, *, patients: int | None = None) -> Cases:
    n = len(pixels)
    return Cases(X=pd.DataFrame({"film": pictures.cells_of(Store.of(pixels))}), task="binary", classes=["no", "yes"],
                 y=np.random.default_rng(seed).integers(0, 2, n), rows=np.arange(n), kinds={"film": "picture"},
                 patients=np.arange(n) % (patients or n))


OWN = films(260, 1)


@pytest.mark.parametrize(("theirs", "alike"), [
    (films(220, 2), True), (films(220, 3, channels=3), True), (films(220, 4, glow=25), False),
    (films(220, 5, grain=16), False)], ids=["the same machine", "in colour", "brighter", "grainier"])
def test_pictures_of_another_machine_are_told_apart_and_those_of_the_same_are_not(theirs, alike):
    found = same_source.told_apart(cases_of(OWN), cases_of(theirs, 1), seed=0)
    assert (found.high < ALIKE) == alike and found.low <= found.value <= found.high
    assert alike or found.low > ALIKE


def test_of_few_patients_nothing_is_told_however_many_pictures_they_have():
    assert same_source.told_apart(cases_of(OWN, patients=40), cases_of(films(220, 2)), seed=0) is None
