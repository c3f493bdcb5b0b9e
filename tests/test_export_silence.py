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
from medml.recipe.together import Together
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


@pytest.mark.parametrize("some", [True, False])
def test_a_row_unlike_the_others_is_silent_for_how_its_columns_go_together_unless_for_another_reason(some):
    names = ["height", "weight", "dose"]
    usual = Together(names, np.array([170.0, 70, 5]), np.array([10.0, 12, 2]), np.zeros(3),
                     np.array([[1.0, 0, 0], [-3.0, 3.2, 0], [0, 0, 1]]), 3.0)
    cleaner = Cleaner(Recipe(profile_sha256="0" * 64, steps=[]), dict.fromkeys(names, "number"))
    cleaner.far, cleaner.together = {"dose": [0.0, 20.0]}, usual
    graph = Graph()
    seen = look(graph, [graph.input(name, np.float64, ["n", 1]) for name in names], names,
                silence.of_numbers(cleaner, names, []))
    codes = columns.together(graph, columns.of_numbers(seen, names))[1]
    for name, tensor, kind in zip(("reasons", "silent"), silence.with_odd_together(graph, cleaner, seen, codes),
                                  (np.int32, np.bool_), strict=True):
        graph.output(name, tensor, kind, ["n", None])
    rows = np.array([[171.0, 71, 5], [190, 45, 5], [150, 99, np.nan], [190, 45, 50], [170, 70, 50], [np.nan, 70, 5]])
    rows = rows if some else rows[[0, 4, 5]]   # nobody far away within the limits: the other branch
    reasons, silent = opened(graph.finish({})).run(["reasons", "silent"], dict(zip(names, rows.T[:, :, None],
                                                                                  strict=True)))
    odd = usual.odd(pd.DataFrame(rows, columns=names))
    wanted = [[silence.CODES["outside"] * (name == "dose") for name in names] if row[2] > 20 else
              [silence.CODES["together"] * (name in away) for name in names]
              for row, away in zip(rows, odd, strict=True)]
    assert reasons.tolist() == wanted and silent[:, 0].tolist() == [any(each) for each in wanted]
    assert (silence.CODES["together"] in reasons) == some
