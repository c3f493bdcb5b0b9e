"""Text to numbers, dates, yes/no and "missing". References: cases worked by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medml.data import missing
from medml.data.values import (
    is_missing,
    is_numeric,
    missing_cells,
    missing_words,
    numeric_sentinels,
    read_booleans,
    read_columns,
    read_dates,
    read_numbers,
)


def column(*cells: str | None) -> pl.Series:
    return pl.Series("x", cells, dtype=pl.String)


@pytest.mark.parametrize(("cells", "values"), [
    (["1", "2.5", " 3 ", "", "NA"], [1, 2.5, 3, None, None]),
    (["<5", "7", ">=10", "≤ 3.2"], [5, 7, 10, 3.2]),
    (["1,234.50", "2,469.00", "12"], [1234.5, 2469, 12]),
    (["81,4", "3,75"], [81.4, 3.75]),
    (["0,5", "1,234"], [0.5, 1.234]),
    (["1.234,5", "2.000", "7"], [1234.5, 2000, 7]),
    (["1.234.567", "5"], [1234567, 5]),
    (["1'234.5", "1 234", "5"], [1234.5, 1234, 5]),
    (["1,00,000", "5"], [100000, 5]),
    (["10 mg", "5mg", "7"], [10, 5, 7]),
    (["36.5°C", "3,5 °C"], [36.5, 3.5]),
    (["1e5", "<1e-3", "5"], [100000, 0.001, 5]),
    (["−3.5", "+2"], [-3.5, 2]),
    (["12.5", "<5", "not done"], [12.5, 5, None]),
    (["120/80", "3 Mar 2024", "12:30", "1-2"], [None, None, None, None]),
    (["inf", "1"], [None, 1]),
])
def test_numbers_are_read_as_a_person_would(cells, values):
    assert read_numbers(column(*cells)).values.to_list() == pytest.approx(values)


def test_identifiers_stay_text():
    assert read_numbers(column("00123", "00456")).stays_text == "leading_zeros"
    big = read_numbers(column("9007199254740993", "9007199254741000"))
    assert big.stays_text == "big_integers" and not is_numeric(big)
    assert read_numbers(pl.Series([2**53 + 1])).stays_text == "big_integers"
    assert read_numbers(column("0.5", "0", "10")).stays_text is None


def test_one_big_integer_among_many_numbers_is_missing_and_never_rounded():
    cells = ["5"] * 99 + ["9007199254740993"]
    numbers = read_numbers(column(*cells))
    assert numbers.values[99] is None and numbers.n_unreadable == 1 and is_numeric(numbers)


def test_two_units_in_one_column_are_not_mixed():
    numbers = read_numbers(column("5 mg", "5 g"))
    assert numbers.values.to_list() == [None, None] and numbers.unit is None


def test_the_main_unit_is_told_and_a_stray_one_is_unreadable():
    numbers = read_numbers(column(*["5 mg"] * 19, "5 g"))
    assert numbers.unit == "mg" and numbers.n_units == 19 and numbers.n_unreadable == 1


def test_a_comma_that_could_be_either_is_counted_and_can_be_told():
    doubtful = column("1,234", "2,345")
    assert read_numbers(doubtful).n_ambiguous == 2
    assert read_numbers(doubtful).values.to_list() == [1234, 2345]
    assert read_numbers(doubtful, decimal_comma=True).values.to_list() == [1.234, 2.345]


def test_diagnosis_codes_make_no_number():
    numbers = read_numbers(column(*["250.83"] * 97, "V57", "E888", "V58.1"))
    assert numbers.n_codes == 3 and not is_numeric(numbers)


def test_names_of_groups_with_limits_are_no_numbers():
    assert read_numbers(column("NO", "<30", ">30", "NO")).readable == 0


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32) | st.integers(-10**15, 10**15), min_size=1))
def test_every_number_that_python_writes_is_read_back(numbers):
    texts = [repr(number) for number in numbers]
    assert read_numbers(column(*texts)).values.to_list() == [float(text) for text in texts]


@given(st.lists(st.text(max_size=12) | st.none()))
def test_no_text_makes_the_readers_fail(cells):
    series = column(*cells)
    assert len(read_numbers(series).values) == len(read_dates(series).values) == len(cells)
    assert len(read_booleans(series).values) == len(is_missing(series)) == len(cells)


@pytest.mark.parametrize(("cells", "dates", "ambiguous", "first"), [
    (["2024-03-01", "2024-3-2"], ["2024-03-01", "2024-03-02"], 0, None),
    (["2024/03/01", "20240301"], ["2024-03-01", None], 0, None),
    (["2024-03-01", "?", "1700-01-01", "2300-01-01", None], ["2024-03-01", None, None, None, None], 0, None),
    (["03/04/2024", "05/06/2024"], ["2024-04-03", "2024-06-05"], 2, True),
    (["13/04/2024", "05/06/2024"], ["2024-04-13", "2024-06-05"], 0, True),
    (["12/1/1996", "3/25/1996"], ["1996-12-01", "1996-03-25"], 0, False),
    (["3 Mar 2024", "2024-03-01", "05/03/2024"], ["2024-03-03", "2024-03-01", "2024-03-05"], 1, True),
    (["01.02.2024", "31/12/99", "1/1/03"], ["2024-02-01", "1999-12-31", "2003-01-01"], 0, True),
    (["30/02/2024", "31/12/2024"], [None, "2024-12-31"], 0, True),
])
def test_dates_are_read_and_doubts_counted(cells, dates, ambiguous, first):
    found = read_dates(column(*cells))
    assert [str(value) if value else None for value in found.values.to_list()] == dates
    assert (found.n_ambiguous, found.day_first) == (ambiguous, first)


def test_month_first_can_be_chosen():
    found = read_dates(column("03/04/2024"), day_first=False)
    assert found.values.to_list() == [dt.date(2024, 3, 4)] and found.n_ambiguous == 0


def test_times_of_day_are_kept():
    found = read_dates(column("2024-01-01T12:30:05Z", "Mar 3, 2024 1:05 PM", "12.01.2024 12:00 am"))
    assert found.values.to_list() == [dt.datetime(2024, 1, 1, 12, 30, 5), dt.datetime(2024, 3, 3, 13, 5),
                                      dt.datetime(2024, 1, 12, 0, 0)]


def test_yes_and_no_are_read_in_every_spelling():
    found = read_booleans(column("Y", "n", "1", "FALSE", None, "?"))
    assert found.values.to_list() == [True, False, True, False, None, None]
    assert found.readable == 1.0 and found.n_spellings == 4 and found.n_missing == 2
    assert read_booleans(column("yes", "maybe")).readable == 0.5


def test_words_for_missing_are_counted_as_written():
    assert missing_words(column("?", "x", "Unknown", "?", "", None)) == {"?": 2, "Unknown": 1}
    assert is_missing(pl.Series([1.0, float("nan"), None])).to_list() == [False, True, True]


def test_sentinel_numbers_stand_out_of_the_range():
    assert numeric_sentinels(pl.Series([120.0, 130, -999, 999, 125, 126, 127])) == {-999: 1, 999: 1}
    assert numeric_sentinels(pl.Series([7.1, 7.2, 7.3, 7.4, 7.5, -9, -9])) == {-9: 2}
    assert numeric_sentinels(pl.Series([-20.0, 10, 12, 14, 15, -9, -9])) == {}  # negative values are normal here
    assert numeric_sentinels(pl.Series([80.0, 90, 95, 99, 99, 70, 60])) == {}  # 99 lies within the range


@pytest.mark.parametrize("name", ["count", "value", ""])
def test_a_column_may_be_named_as_polars_names_its_counts(name):
    assert missing_words(pl.Series(name, ["?", "x", "?"])) == {"?": 2}
    assert numeric_sentinels(pl.Series(name, [7.1, 7.2, 7.3, 7.4, 7.5, -9, -9])) == {-9: 2}
    assert read_numbers(pl.Series(name, ["1 mg", "2 mg", "3 mg"])).unit == "mg"


def test_columns_read_together_are_read_as_each_alone(monkeypatch):
    cells = [["1", "2.5", " ? ", None], ["007", "008", "12", ""], ["5 mg", "6 mg", "<7 mg", "x"],
             ["1.234,5", "3,7", "2", "1.234"], ["inf", "1e400", "nan", "-0"], ["a", "V57", "NA", "b"], [None] * 4,
             ["9007199254740993", "12345678901234567890", "1", "٣"]]
    columns = [*(pl.Series("^a$", each, dtype=pl.String) for each in cells), pl.Series("x", [1, None, 2, 3]),
               pl.Series("y", [1.5, float("inf"), float("nan"), None]), pl.Series("z", [True, None, False, True])]
    alone = [read_numbers(each) for each in columns]
    for most in (missing.AT_ONCE, 10, 1):  # cells that are asked about at once
        monkeypatch.setattr(missing, "AT_ONCE", most)
        for one, together in zip(alone, read_columns(columns), strict=True):
            assert one.values.equals(together.values, check_names=True, check_dtypes=True, null_equal=True)
            assert told(one) == told(together)
    assert read_columns([]) == []


def told(found) -> dict:
    """All that a reader says but the values."""
    return {each.name: getattr(found, each.name) for each in fields(found) if each.name != "values"}


def test_columns_of_any_name_and_type_are_asked_at_once_and_answer_as_each_alone():
    columns = [pl.Series("^a$", ["x", None, "", " NA ", "?"]), pl.Series("same", [1.0, None, float("nan"), 2.0, 3.0]),
               pl.Series("same", [1, None, 3, 4, 5]), pl.Series("*", [True, None, False, True, True])]
    found = missing_cells(columns)
    assert [each.to_list() for each in found] == [is_missing(each).to_list() for each in columns]
    assert found[0].to_list() == [False, True, True, True, True] and missing_cells([]) == []
