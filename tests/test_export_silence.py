"""Reasons inside an exported graph: ages of bands that few patients were of, limits, key predictors, missing cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medml.export import columns, silence
from medml.export.ask import opened
from medml.export.graph import Graph
from medml.export.views import look
from medml.recipe import Cleaner
from medml.types import Recipe

AGES = np.array([3.0, 17.9, 18, 39.99, 40, 64, 65, 79, 80, 89, 150, -40, np.nan, np.inf, -np.inf])
BANDS = ["under 18", "18 to under 40", "40 to under 65", "65 to under 80", "80 and over"]


@pytest.mark.parametrize("enough", [[], BANDS, BANDS[1:], BANDS[1:4], BANDS[::2], BANDS[:2]])
@pytest.mark.parametrize("key", [[], ["age"]])
@pytest.mark.parametrize("far", [{"age": [0.0, 120.0]}, {}])
@pytest.mark.parametrize("large", [columns.LARGE, 0])
def test_each_age_has_the_code_of_its_own_reason(enough, key, far, large, monkeypatch):
    monkeypatch.setattr(columns, "LARGE", large)
    cleaner = Cleaner(Recipe(profile_sha256="0" * 64, steps=[]), {"age": "number", "dose": "number"})
    cleaner.n_fitted, cleaner.far, cleaner.groups = 100, far, {"age": enough}
    graph, names = Graph(), ["age", "dose"]
    given = [graph.input(name, np.float64, ["n", 1]) for name in names]
    seen = look(graph, given, names, silence.of_numbers(cleaner, names, key))
    graph.output("codes", columns.together(graph, columns.of_numbers(seen, names))[1], np.float64, ["n", 2])
    rows = np.column_stack([AGES, np.zeros(len(AGES))])
    said = opened(graph.finish({})).run(["codes"], {"age": rows[:, :1], "dose": rows[:, 1:]})[0]
    few = cleaner.few(pd.DataFrame(rows, columns=["age", "dose"]))
    wanted = [silence.CODES["missing"] * len(key) if not np.isfinite(age) else
              silence.CODES["outside"] if far and not 0 <= age <= 120 else silence.CODES["few"] * ("age" in odd)
              for age, odd in zip(AGES, few, strict=True)]
    assert said[:, 0].tolist() == wanted and not said[:, 1].any() and (len(set(wanted)) > 1 or not far)
