"""Small groups, extremes and great ages never reach what is stored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medml import privacy


def test_groups_of_ten_are_named_and_smaller_ones_counted_together():
    found = privacy.suppress([("nurse", 40), ("clerk", 30), ("monk", 9), ("diver", 5)], k=10)
    assert [(each.label, each.n) for each in found.levels] == [("nurse", 40), ("clerk", 30)]
    assert (found.hidden_levels, found.hidden_rows) == (2, 14)


def test_a_lone_small_group_hides_the_next_one_because_the_total_is_known():
    found = privacy.suppress([("common", 80), ("other", 17), ("rare", 3)], k=10)
    assert [each.label for each in found.levels] == ["common"]
    assert (found.hidden_levels, found.hidden_rows) == (2, 20)


def test_two_small_groups_that_sum_below_k_hide_the_next_one():
    found = privacy.suppress([("common", 80), ("other", 14), ("rare", 3), ("rarer", 3)], k=10)
    assert [each.label for each in found.levels] == ["common"]
    assert found.hidden_rows == 20


def test_two_levels_with_a_small_one_show_neither():
    assert privacy.suppress([("no", 997), ("yes", 3)], k=10).levels == []


@given(st.lists(st.integers(1, 60), max_size=30), st.integers(2, 20))
def test_nothing_hidden_can_be_worked_out_from_what_is_shown(sizes, k):
    found = privacy.suppress([(f"level {n}", size) for n, size in enumerate(sizes)], k=k)
    assert all(each.n >= k for each in found.levels)
    assert sum(each.n for each in found.levels) + found.hidden_rows == sum(sizes)
    if found.hidden_levels and found.levels:
        assert found.hidden_levels >= 2 and found.hidden_rows >= k


@pytest.mark.parametrize(("value", "rounded"), [(0.0123456, 0.0123), (318.4, 318.0), (12345.0, 12300.0), (0.0, 0.0),
                                                (-98765.0, -98800.0), (7.0, 7.0)])
def test_three_significant_digits(value, rounded):
    assert privacy.round_3(value) == rounded


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(1, 5)), min_size=1, max_size=40), st.floats(0, 1))
def test_quantile_of_counted_values_is_numpys(pairs, q):
    pairs = sorted(dict(pairs).items())
    values, counts = np.array([v for v, _ in pairs]), np.array([n for _, n in pairs])
    assert privacy.quantile(values, counts, q) == pytest.approx(np.quantile(np.repeat(values, counts), q), abs=1e-6)


def test_range_is_the_5th_to_95th_percentile_rounded():
    values = np.random.default_rng(0).normal(70, 12, 1000)
    found = privacy.robust_range(values)
    assert found.low == privacy.round_3(float(np.quantile(values, 0.05)))
    assert found.median == privacy.round_3(float(np.quantile(values, 0.5)))
    assert found.high == privacy.round_3(float(np.quantile(values, 0.95)))


def test_no_range_where_percentiles_would_lie_on_single_patients():
    assert privacy.robust_range(np.arange(19.0), k=10) == privacy.Range()
    assert privacy.robust_range(np.arange(20.0), k=10).low is not None


def test_the_one_heaviest_patient_does_not_move_the_range():
    weights = np.concatenate([np.linspace(60, 90, 99), [318.4]])
    assert privacy.robust_range(weights).high < 91


def test_ages_from_ninety_are_one_open_group():
    ages = np.concatenate([np.full(80, 60.0), np.linspace(90, 109, 20)])
    found = privacy.robust_range(ages, age=True)
    assert (found.high, found.open_high) == (90.0, True)
    assert not privacy.robust_range(ages).open_high
