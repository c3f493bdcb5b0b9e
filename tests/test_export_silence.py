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
    graph.output("codes", columns.codes(graph, columns.of_numbers(seen, names)[1]), np.float32, ["n", 2])
    rows = np.column_stack([AGES, np.zeros(len(AGES))])
    said = opened(graph.finish({})).run(["codes"], {"age": rows[:, :1], "dose": rows[:, 1:]})[0]
    few = cleaner.few(pd.DataFrame(rows, columns=["age", "dose"]))
    wanted = [silence.CODES["missing"] * len(key) if not np.isfinite(age) else
              silence.CODES["outside"] if far and not 0 <= age <= 120 else silence.CODES["few"] * ("age" in odd)
              for age, odd in zip(AGES, few, strict=True)]
    assert said[:, 0].tolist() == wanted and not said[:, 1].any() and (len(set(wanted)) > 1 or not far)


NAMES = ["height", "weight", "dose"]


def told(usual: Together, far: dict[str, list[float]]):
    """rows (n, 3) -> what a graph says of them, reasons (n, 3) and the veil (n, 1)."""
    cleaner = Cleaner(Recipe(profile_sha256="0" * 64, steps=[]), dict.fromkeys(NAMES, "number"))
    cleaner.far, cleaner.together = far, usual
    graph = Graph()
    seen = look(graph, [graph.input(name, np.float64, ["n", 1]) for name in NAMES], NAMES,
                silence.of_numbers(cleaner, NAMES, []))
    codes = columns.codes(graph, columns.of_numbers(seen, NAMES)[1])
    found = silence.with_odd_together(graph, cleaner, seen, codes)
    for name, tensor, kind in zip(("reasons", "veil"), found, (np.int32, np.float64), strict=True):
        graph.output(name, tensor, kind, ["n", None])
    session = opened(graph.finish({}))
    return lambda rows: session.run(["reasons", "veil"], dict(zip(NAMES, rows.T[:, :, None], strict=True)))


@pytest.mark.parametrize("some", [True, False])
def test_a_row_unlike_the_others_is_silent_for_how_its_columns_go_together_unless_for_another_reason(some):
    usual = Together(NAMES, np.array([170.0, 70, 5]), np.array([10.0, 12, 2]), np.zeros(3),
                     np.array([[1.0, 0, 0], [-3.0, 3.2, 0], [0, 0, 1]]), 3.0)
    rows = np.array([[171.0, 71, 5], [190, 45, 5], [150, 99, np.nan], [190, 45, 50], [170, 70, 50], [np.nan, 70, 5],
                     [1e100, 71, 5]])   # the last is endless as a float32
    rows = rows if some else rows[[0, 4, 5]]   # nobody far away within the limits: the other branch
    odd = usual.odd(pd.DataFrame(rows, columns=NAMES))
    wanted = [[silence.CODES["outside"] * (name == "dose") for name in NAMES] if row[2] > 20 else
              [silence.CODES["together"] * (name in away) for name in NAMES]
              for row, away in zip(rows, odd, strict=True)]
    ask = told(usual, {"dose": [0.0, 20.0]})
    for part in (slice(None), *(slice(at, at + 1) for at in range(len(rows)))):   # all at once, and each alone
        reasons, veil = ask(rows[part])
        assert reasons.tolist() == wanted[part] and (veil[np.isfinite(veil)] == 0).all()
        assert np.isnan(veil[:, 0]).tolist() == [any(each) for each in wanted[part]]
    assert any(silence.CODES["together"] in each for each in wanted) == some


@pytest.mark.parametrize("shift", [0.0, 20_000.0])   # as large as the day of a date
def test_a_row_on_the_border_of_what_is_usual_together_is_judged_in_whole_precision(shift):
    rng = np.random.default_rng(1)
    usual = Together(NAMES, np.array([170.0, 70, 5]) + shift, np.array([10.0, 12, 2]), np.array([0.1, -0.2, 0.3]),
                     np.tril(rng.normal(size=(3, 3))) + 2 * np.eye(3), 2.5)
    ways = rng.normal(size=(60, 3))
    apart = usual.limit * (1 + rng.choice([-1e-9, 1e-9], 60)) / np.linalg.norm(ways, axis=1)
    tamed = usual.centre + np.linalg.solve(usual.whiten, (ways * apart[:, None]).T).T
    rows = usual.middle + usual.scale * np.sinh(tamed)
    odd = [bool(each) for each in usual.odd(pd.DataFrame(rows, columns=NAMES))]
    ask = told(usual, {})
    assert [bool(np.isnan(ask(row[None])[1][0, 0])) for row in rows] == odd and 10 < sum(odd) < 50
