"""A model as a whole: means over patients with their intervals, and nothing of one patient in what is kept."""

from __future__ import annotations

import numpy as np
import pytest
from explained import runs, ward_table

from medml import gallery
from medml.errors import UserError
from medml.explain import bins, found, overall
from medml.types import SMALL_GROUP


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return runs(tmp_path_factory.mktemp("overall"), logistic={}, boosting={"trees": 30})


@pytest.fixture(autouse=True)
def at_home(made, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(made[2]))


def test_the_columns_that_tell_the_outcome_come_first_with_an_interval(made):
    source, by_family, _ = made
    value = overall.overall(by_family["boosting"], source)
    assert {each.column for each in value.weights[:2]} == {"age", "pressure"}
    first = value.weights[0].mean
    assert first.low < first.value < first.high and first.n == value.n_patients == 240
    assert value.unit == "log-odds" and value.outputs == ["1"]


def test_the_mean_is_that_of_the_patients_explained(made):
    source, by_family, _ = made
    opened = gallery.open_run(by_family["logistic"])
    each = overall.explained(opened, source)
    value = overall.summed_up(each, run=opened.run, checkpoint=0)
    at = each.found.columns.index("age")
    mean = next(one.mean.value for one in value.weights if one.column == "age")
    assert mean == pytest.approx(np.abs(each.found.values[:, 0, at]).mean(), rel=6e-3)  # 3 digits
    rising = next(one for one in value.dependence if one.column == "age")
    means = [one.mean.value for one in rising.bins]
    assert means == sorted(means) and means[0] < 0 < means[-1]  # a regression rises all the way


def test_what_is_kept_is_read_back_for_that_checkpoint_and_goes_with_the_run(made):
    source, by_family, _ = made
    value = overall.overall(by_family["logistic"], source)
    opened = gallery.open_run(by_family["logistic"])
    assert found.read(opened, found.Overall) == value
    assert found.read(opened, found.Without) is None
    kept = opened.folder / "explained" / "0-overall.json"
    kept.write_text("{}")
    assert found.read(opened, found.Overall) is None
    with pytest.raises(UserError, match="There is no run"):
        overall.overall("no-such-run", source)


def test_no_group_below_ten_and_no_cell_of_a_patient_is_kept(made):
    source, by_family, _ = made
    value = overall.overall(by_family["boosting"], source)
    text = value.model_dump_json()
    assert "attic" not in text  # six patients
    ward = next(each for each in value.dependence if each.column == "ward")
    assert ward.hidden and len(ward.bins) == 2  # one more is hidden, else the six would follow by difference
    assert all(one.n_patients >= SMALL_GROUP for each in value.dependence for one in each.bins)
    cells = [f"{each:.6f}" for each in ward_table()["lactate"]]
    assert not any(each in text for each in cells)


def test_a_folder_that_changed_is_refused(made, tmp_path):
    changed = tmp_path / "clinic.csv"
    ward_table(120).to_csv(changed, index=False)
    with pytest.raises(UserError, match="has changed"):
        overall.overall(made[1]["logistic"], changed)


# ---- groups -----------------------------------------------------------------------------------------------------

def test_bins_of_a_number_hold_everybody_and_have_rounded_borders():
    values, patient = np.random.default_rng(0).normal(60, 12, 500), np.arange(500)
    groups, hidden = bins.groups_of(values, "number", patient, "age")
    assert sum(rows.sum() for _, rows in groups) == 500 and not hidden
    assert len(groups) == bins.MOST_BINS and min(rows.sum() for _, rows in groups) >= SMALL_GROUP
    assert groups[0][0].startswith("up to ") and groups[-1][0].startswith("above ")
    border = float(groups[0][0].removeprefix("up to "))
    assert border == float(f"{border:.3g}") and (groups[0][1] == (values <= border)).all()


def test_ages_of_ninety_and_over_are_one_group():
    ages = np.random.default_rng(0).uniform(80, 105, 300)
    labels = [label for label, _ in bins.groups_of(ages, "number", np.arange(300), "age")[0]]
    assert labels[-1].startswith("above ") and float(labels[-1].split()[1]) < 90


def test_few_patients_with_many_rows_make_no_group():
    values, patient = np.arange(100.0), np.repeat(np.arange(5), 20)
    assert bins.groups_of(values, "number", patient, "lactate") == ([], True)
    assert bins.groups_of(np.array(["a", "b"] * 50, object), "category", patient, "ward")[0] == []


def test_what_is_not_recorded_is_a_group_of_its_own_where_it_is_large_enough():
    values = np.r_[np.random.default_rng(0).normal(size=100), np.full(12, np.nan)]
    groups, hidden = bins.groups_of(values, "number", np.arange(112), "lactate")
    assert groups[-1][0] == bins.MISSING and groups[-1][1].sum() == 12 and not hidden
    few, hidden = bins.groups_of(values[:103], "number", np.arange(103), "lactate")
    assert few[-1][0] != bins.MISSING and hidden


def test_a_number_of_few_values_is_shown_by_value():
    values = np.repeat([0.0, 1.0, 2.0, 3.0], [40, 30, 20, 4])
    groups, hidden = bins.groups_of(values, "number", np.arange(94), "vessels")
    assert [label for label, _ in groups] == ["0", "1"] and hidden  # 3 is too small, and 2 would reveal it
