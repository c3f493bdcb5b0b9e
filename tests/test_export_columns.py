"""Encoded rows inside an exported graph are those of our own encoder, whichever columns a selection left."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medml.encode import Encoder
from medml.export import columns
from medml.export.ask import feed_of, opened
from medml.export.graph import Graph
from medml.pipeline import Matrix
from medml.recipe import Cleaner
from medml.types import Recipe

KINDS = {"sex": "category", "dose": "number", "ward": "category", "town": "category", "age": "number"}


def patients(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    return pd.DataFrame({"sex": rng.choice(["f", "m"], n), "dose": rng.normal(5, 2, n).round(1),
                         "ward": rng.choice(["A", "B", "C"], n), "town": rng.choice(["A", "M", "Z"], n),
                         "age": rng.integers(20, 90, n).astype(float)})


@pytest.mark.parametrize("large", [columns.LARGE, 0])
@pytest.mark.parametrize("left", [["ward"], ["dose", "ward"], ["town", "dose"], ["age"], ["sex", "ward", "town"],
                                  list(KINDS)])
def test_encoded_rows_are_those_of_our_encoder_whatever_a_selection_left(left, large, monkeypatch):
    monkeypatch.setattr(columns, "LARGE", large)
    X = patients()
    cleaner = Cleaner(Recipe(profile_sha256="0" * 64, steps=[]), KINDS).fit(X)
    matrix = Matrix(cleaner, left, Encoder().fit(cleaner.transform(X)[left], KINDS))
    graph = Graph()
    found = columns.encoded(graph, matrix, [])
    graph.output("rows", found.rows.in_order(graph), np.float64, ["n", len(matrix.names)])
    odd = X.iloc[:6].reset_index(drop=True).astype({"ward": object, "town": object, "sex": object})
    odd.loc[0, "ward"], odd.loc[1, "sex"], odd.loc[2, "town"] = "nobody's", None, "B"   # a ward, but no town
    said = opened(graph.finish({})).run(["rows"], feed_of(odd, KINDS))[0]
    assert said.tolist() == matrix.encode(odd).tolist() and (said != said[0]).any()
