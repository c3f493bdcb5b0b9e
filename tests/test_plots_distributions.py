"""Distributions and missing cells: what is counted, by hand; and that every picture is valid in both themes."""

from __future__ import annotations

import json
import re

import altair as alt
import numpy as np
import pytest
import vl_convert

from medml.plots import DARK, INKS, LIGHT, dressed
from medml.plots.distributions import ALL, spread, spread_of_names, spread_of_numbers
from medml.plots.missingness import holes, missing_picture

NAN = float("nan")
AGES = np.array([61, 62, 62, 63, NAN, 64.0])
SICK = np.array(["no", "yes", "no", "yes", "yes", None], dtype=object)


def test_whole_numbers_over_a_short_range_get_a_bin_each():
    found = spread_of_numbers(np.array([1, 1, 2, 3, 3, 3.0]))
    assert found.counts == {ALL: [2, 1, 3]}
    assert found.edges == (0.5, 1.5, 2.5, 3.5)


def test_missing_cells_and_rows_without_an_outcome_are_not_counted():
    found = spread_of_numbers(AGES, SICK)
    assert {name: sum(counts) for name, counts in found.counts.items()} == {"no": 2, "yes": 2}


def test_one_typing_error_squeezes_nothing_and_is_counted_at_the_edge():
    values = np.append(np.linspace(0, 1, 999), 1e6)
    found = spread_of_numbers(values)
    assert found.edges[-1] < 2
    assert sum(found.counts[ALL]) == 1000
    assert found.beyond >= 1


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [1e-300, 1e300], [-1.0, NAN]])
def test_odd_columns_are_counted_whole(values):
    found = spread_of_numbers(np.array(values))
    assert sum(found.counts[ALL]) == np.isfinite(values).sum()


def test_nothing_recorded_is_nothing_to_draw():
    assert spread_of_numbers(np.array([NAN, NAN])) is None
    assert spread_of_names(np.array([None, None], dtype=object)) is None
    assert holes({"a": np.zeros(4, dtype=bool)}) is None


def test_rare_categories_are_drawn_together():
    names = np.array([each for n, each in enumerate("abcdefghij") for _ in range(20 - n)], dtype=object)
    found = spread_of_names(names, most=6)
    assert found.labels == ["a", "b", "c", "d", "e", "f", "4 more"]
    assert found.counts[ALL] == [20, 19, 18, 17, 16, 15, 14 + 13 + 12 + 11]


def test_seven_categories_are_all_named():
    """A bar "1 more" would take the room of the one it hides."""
    assert spread_of_names(np.array(list("abcdefg"), dtype=object), most=6).labels == list("abcdefg")


def test_missing_cells_are_counted_by_band_of_rows():
    """By hand: 8 rows in 4 bands would be 2 rows a band; here bands are rows, since there are fewer than 80."""
    found = holes({"a": np.array([1, 0, 0, 1], dtype=bool), "b": np.zeros(4, bool), "c": np.array([1, 1, 1, 0], bool)})
    assert found.columns == ["c", "a"]
    assert found.share == [0.75, 0.5]
    assert found.bands.tolist() == [[1, 1, 1, 0], [1, 0, 0, 1]]
    assert found.whole == 1


def test_bands_cover_every_row_once():
    rng = np.random.default_rng(0)
    missing = rng.random(1003) < 0.3
    found = holes({"a": missing})
    assert found.edges[0] == 0
    assert found.edges[-1] == 1003
    assert (found.bands[0] * np.diff(found.edges)).sum() == pytest.approx(missing.sum())


PICTURES = {
    "numbers": lambda ink: spread(spread_of_numbers(AGES), ink=ink),
    "numbers by outcome": lambda ink: spread(spread_of_numbers(AGES, SICK), ink=ink),
    "dates": lambda ink: spread(spread_of_numbers(np.array([19000.0, 19400, 19900]), dates=True), ink=ink),
    "categories": lambda ink: spread(spread_of_names(SICK), ink=ink),
    "categories by outcome": lambda ink: spread(spread_of_names(SICK, SICK), ink=ink),
    "missing": lambda ink: missing_picture(holes({"a": np.array([True, False])}), ink=ink),
}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("theme", INKS)
def test_every_picture_is_valid_in_both_themes(name, theme):
    spec = dressed(PICTURES[name](INKS[theme]), INKS[theme])
    alt.Chart.from_dict(spec)
    spec["width"] = 300
    assert "NaN" not in vl_convert.vegalite_to_svg(json.dumps(spec))


def test_one_missing_cell_of_many_is_not_drawn_as_none():
    spec = json.dumps(missing_picture(holes({"a": np.arange(2128) == 7, "b": np.arange(2128) < 100})))
    assert '"< 0.1 %"' in spec and '"0.0 %"' not in spec and '"4.7 %"' in spec


def test_years_on_an_axis_are_never_said_twice():
    """Of 1.5 years four ticks would say 2022, 2022, 2023, 2023; the month tells them apart."""
    spec = dressed(spread(spread_of_numbers(np.arange(19000.0, 19550), dates=True))) | {"width": 300}
    said = re.findall(r">(\d{4}[-\d]*)<", vl_convert.vegalite_to_svg(json.dumps(spec)))
    assert len(said) > 2 and len(set(said)) == len(said)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2: (lighter + 0.05) / (darker + 0.05) of relative luminances."""
    def luminance(colour: str) -> float:
        parts = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standards_example():
    """WCAG 2.2 understanding 1.4.3: #777777 on white is 4.48:1."""
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("ink", [LIGHT, DARK], ids=["light", "dark"])
def test_words_and_marks_can_be_told_from_their_ground(ink):
    for ground in (ink.ground, ink.card):
        assert min(contrast(each, ground) for each in (ink.text, ink.quiet, ink.amber, ink.red)) >= 4.5
        assert min(contrast(each, ground) for each in (ink.accent, ink.second, *ink.series)) >= 3
    assert contrast(ink.on_accent, ink.accent) >= 4.5
