"""Over 500 random tables each: nothing stored, sent or exported tells of fewer than k patients, nor an extreme, nor by
what is left of a whole.

Whoever attacks knows all that is written and how it was rounded, and is beaten where there may be nobody in what is
hidden, or k and more.
"""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest
from tables import saved
from test_small_groups import recipe_for

from medml.copilot import snapshot
from medml.encode import Encoder
from medml.evaluate import overlaps
from medml.evaluate.subgroups import groups_in
from medml.profile import scan
from medml.recipe import Cleaner
from medml.types import SMALL_GROUP as K

TABLES = 500
NAMES = np.array(["north", "south", "east", "west", "hill", "dale", "coast"])
KINDS = {"ward": "category", "marker": "number"}


def random_column(rng: np.random.Generator, n: int) -> np.ndarray:
    """(n,) categories of very unequal sizes, often with some that one to nine patients have; some cells missing."""
    weights = rng.dirichlet([rng.choice([0.2, 0.6, 3.0])] * int(rng.integers(2, len(NAMES) + 1)))
    column = rng.choice(NAMES[:len(weights)], n, p=weights).astype(object)
    column[rng.random(n) < rng.choice([0.0, 0.05])] = None
    return column


def random_numbers(rng: np.random.Generator, n: int) -> np.ndarray:
    """(n,) float64, four digits that nobody else has, with an outlier at each end."""
    values = np.round(rng.normal(100, 15, n), 0) + np.arange(n) * 1e-4
    values[:2] = rng.uniform(-900, -800), rng.uniform(900, 1000)
    return values


def sizes(n: int, shares: list[float], step: float) -> tuple[int, int]:
    """(least, most) of rows that the shares of known levels leave, where each stands for a range of `step` rows."""
    left = n - sum(share * n for share in shares)
    slack = len(shares) * (step / 2 + n * 5e-4)
    return int(np.ceil(max(0.0, left - slack) - 1e-9)), int(np.floor(left + slack + 1e-9))


def test_what_a_model_keeps_of_categories_and_numbers():
    """The cleaner and the encoder of a model are in its folder, its download, its ONNX file and its capsule."""
    recipe, hidden = recipe_for(KINDS, off=("cap_outliers",)), 0
    for seed in range(TABLES):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(22, 140))
        X = pd.DataFrame({"ward": pd.Series(random_column(rng, n), dtype=object), "marker": random_numbers(rng, n)})
        cleaner = Cleaner(recipe, KINDS).fit(X)
        cleaned = cleaner.transform(X)
        encoder = Encoder().fit(cleaned, KINDS)
        kept = json.loads(encoder.to_json())
        counts = cleaned["ward"].value_counts()
        assert all(counts[level] >= K for level in kept["levels"]["ward"]), seed
        whole = cleaner.to_json() + encoder.to_json()
        rare = X["ward"].value_counts()
        assert not any(f'"{name}"' in whole for name in rare[rare < K].index), seed
        assert not any(repr(float(value)) in whole for value in X["marker"]), seed
        rest = n - int(counts.reindex(kept["levels"]["ward"]).sum())
        if 0 < rest < K and len(kept["means"]["ward"]) == len(kept["levels"]["ward"]):
            hidden += 1
            least, most = sizes(n, kept["means"]["ward"], K)
            assert least <= rest <= most and (least == 0 or most >= K), f"table {seed}: {rest} told as {least}-{most}"
    assert hidden >= 20  # there was something to hide


def test_groups_that_a_report_gives_figures_of():
    """Stored with the run, printed in PDF, Word and card, sent with a capsule's result."""
    hidden = 0
    for seed in range(TABLES):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(30, 300))
        patients = rng.integers(0, n, n) if seed % 2 else np.arange(n)
        judged = rng.random(n) < rng.choice([0.7, 1.0])
        age = np.round(rng.normal(60, 18, n))
        for name, column in (("ward", pd.Series(random_column(rng, n), dtype=object)), ("age", pd.Series(age)),
                             ("marker", pd.Series(random_numbers(rng, n)))):
            shown = groups_in(name, column, patients, judged)
            told = [len(np.unique(patients[each.mask & judged])) for each in shown]
            assert all(size >= K for size in told), (seed, name)
            named = np.any([each.mask for each in shown], axis=0) if shown else np.zeros(n, bool)
            rest = len(np.unique(patients[judged & ~named]))
            hidden += 0 < rest
            alone = len(np.unique(patients)) == n  # else one patient is in several groups, and nothing adds up
            assert not alone or rest == 0 or rest >= K or not shown, (seed, name, rest)
            labels = " ".join(each.label for each in shown)
            assert name != "marker" or not any(f"{value:g}" in labels.split() for value in column[:2]), (seed, labels)
    assert hidden >= 100


@pytest.fixture(scope="module")
def scanned(tmp_path_factory):
    """(table as it was, profile of it) of 25 tables with 20 columns of categories and one of numbers each: 500."""
    made = []
    for seed in range(TABLES // 20):
        rng = np.random.default_rng(1000 + seed)
        n = int(rng.integers(40, 400))
        table = pd.DataFrame({f"ward {chr(97 + place)}": random_column(rng, n) for place in range(20)}
                             | {"marker": random_numbers(rng, n), "died": rng.integers(0, 2, n)})
        made.append((table, scan(saved(table, tmp_path_factory.mktemp("random")))))
    return made


def test_what_a_profile_stores_and_a_prompt_sends(scanned):
    hidden = 0
    for table, profile in scanned:
        whole = profile.model_dump_json()
        read = snapshot(profile, stage="scan").model_dump_json()
        for column in profile.tables[0].columns:
            if not column.name.startswith("ward"):
                continue
            counts = table[column.name].value_counts()
            assert all(each.n >= K and each.n == counts[each.label] for each in column.levels), column.name
            rest = int(counts.sum()) - sum(each.n for each in column.levels)
            hidden += rest > 0
            assert not column.levels or rest == 0 or (rest >= K and column.hidden_levels >= 2), (column.name, rest)
        values = table["marker"]
        told = {round(float(each), 6) for each in values}
        marker = profile.tables[0].column("marker")
        assert not {marker.low, marker.median, marker.high} & told
        for extreme in (values.min(), values.max()):
            assert f"{extreme:.4f}"[:7] not in whole and f"{extreme:.4f}"[:7] not in read
    assert hidden >= 100


def differences(one: dict[str, set[int]], other: dict[str, set[int]]) -> list[set[int]]:
    """Who is left where a union of told groups lies in another column's: what subtraction of sizes tells of."""
    def unions(groups: dict[str, set[int]]) -> list[set[int]]:
        return [set().union(*some) for size in range(1, len(groups) + 1)
                for some in itertools.combinations(groups.values(), size)]
    return [big - small for mine, theirs in ((one, other), (other, one)) for small in unions(mine)
            for big in unions(theirs) if small < big]


def crossing(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Columns whose groups lie in each other: an age, classes of it cut elsewhere, a ward and the house it is in."""
    age = np.round(rng.normal(58, 16, n))
    cuts = sorted(rng.choice(np.arange(30, 80), 3, replace=False))
    ward = rng.choice(list("abcdef"), n, p=rng.dirichlet([1.0] * 6))
    house = np.where(np.isin(ward, ["a", "b", "c"]), "east", "west").astype(object)
    house[rng.integers(0, n, int(rng.integers(0, 5)))] = "west"   # a few were moved
    return pd.DataFrame({"age": age, "age class": np.array(["I", "II", "III", "IV"])[np.searchsorted(cuts, age)],
                         "ward": ward.astype(object), "house": house})


def test_groups_of_two_columns_cannot_be_taken_from_each_other():
    plain, kept, given = 0, 0, 0
    for seed in range(TABLES // 10):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(60, 300))
        table, y = crossing(rng, n), rng.integers(0, 2, n)
        columns = [groups_in(name, table[name], np.arange(n), np.ones(n, bool)) for name in table]
        may = overlaps.harmless([[each.mask for each in groups] for groups in columns], np.arange(n))
        told = [[each for each, said in zip(groups, here, strict=True) if said]
                for groups, here in zip(columns, may, strict=True)]
        parts = [overlaps.parts_of([each.mask for each in groups], np.arange(n)) for groups in told]
        alone = [all(np.bincount(y[each == place], minlength=2).min() >= K for place in np.unique(each))
                 for each in parts]   # what is asked of a column by itself
        beside = iter(overlaps.countable([each for each, here in zip(parts, alone, strict=True) if here], y,
                                         np.arange(n)))
        counted = [here and next(beside) for here in alone]
        for before, after in itertools.combinations(range(4), 2):
            sets = [[{each.label: set(np.flatnonzero(each.mask)) for each in column} for column in (one, other)]
                    for one, other in ((columns[before], columns[after]), (told[before], told[after]))]
            plain += any(0 < len(left) < K for left in differences(*sets[0]))
            rests = [{**one, "rest": set(range(n)).difference(*one.values())} for one in sets[1]]
            for left in differences(*rests):
                assert not 0 < len(left) < K, (seed, before, after)
                events = int(y[sorted(left)].sum())
                assert not (counted[before] and counted[after]) or min(events, len(left) - events) >= K, (seed, before)
        kept, given = kept + sum(map(len, told)), given + sum(map(len, columns))
    assert plain >= 25 and kept >= 0.6 * given   # there was something to hide, and not everything is hidden


def among(one: list[set[int]], other: list[set[int]], third: list[set[int]]) -> list[set[int]]:
    """What disjoint unions of two columns' groups and unions of a third differ by, where one lies in the other."""
    def unions(groups: list[set[int]]) -> list[set[int]]:
        return [set().union(*some) for size in range(1, len(groups) + 1)
                for some in itertools.combinations(groups, size)]
    joined = [mine | theirs for mine in unions(one) for theirs in unions(other) if not mine & theirs]
    return [big - small for both in joined for alone in unions(third) for small, big in ((both, alone), (alone, both))
            if small < big]


def test_groups_of_three_columns_cannot_be_taken_from_each_other():
    """Two columns whose groups share nobody fill a group of a third but for a few: 100 - 60 - 36."""
    hidden = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(120, 200))
        mark = rng.permutation(n)
        first, second, third = (np.full(n, "rest", dtype=object) for _ in range(3))
        first[mark[:40]], second[mark[40:80]] = "a", "b"
        left = int(rng.integers(0, 15))
        third[mark[:80 + left]] = "c"
        columns = [groups_in(name, pd.Series(each), np.arange(n), np.ones(n, bool)) for name, each in
                   zip("xyz", (first, second, third), strict=True)]
        may = overlaps.harmless([[each.mask for each in groups] for groups in columns], np.arange(n))
        told = [[set(np.flatnonzero(each.mask)) for each, said in zip(groups, here, strict=True) if said]
                for groups, here in zip(columns, may, strict=True)]
        told = [[*each, rest] if (rest := set(range(n)).difference(*each)) else each for each in told]
        for three in itertools.permutations(told):
            assert not any(0 < len(each) < K for each in among(*three)), seed
        hidden += not all(here.all() for here in may)
        assert all(here.all() for here in may) or 0 < left < K, (seed, left)
    assert hidden >= 3
