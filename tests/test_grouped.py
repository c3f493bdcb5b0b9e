"""A column picked after training makes groups from the clinician's own folder; what is kept names no small group."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tables import clinic, saved, trained_once

from medml import gallery, grouped, home
from medml.__main__ import main
from medml.errors import UserError
from medml.picked import columns_to_pick
from medml.report import checklist, content, tripod
from medml.report.card import as_card
from medml.train import continue_run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run on 240 patients, with a column that no model sees: "clinic", one of its groups of four patients."""
    place = tmp_path_factory.mktemp("grouped")
    table = clinic(240).assign(clinic=["one", "two", "three"] * 80)
    table.loc[:3, "clinic"] = "attic"
    with trained_once(place, table, leave_out=["clinic", "patient_id"]) as name:
        yield name, place, table


@pytest.fixture(autouse=True)
def its_home(made, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(made[1] / "home"))


def test_a_column_picked_later_is_kept_with_the_run_and_said_to_be(made):
    name, _, table = made
    assert "clinic" in columns_to_pick(gallery.open_run(name))
    found = grouped.by_column(name, "clinic", draws=200)
    assert {each.label for each in found} == {"one", "two", "three"} - {_hidden_with_the_attic(table)}
    opened = gallery.open_run(name)
    assert [each for each in opened.report.subgroups if each.column == "clinic"] == found
    assert all(each.picked_after and each.figure.low < each.figure.high for each in found)
    assert "clinic" not in columns_to_pick(opened)
    with np.load(opened.sealed("private/oof.npz")) as stored:
        p = stored["p"][0, :, 1]
    mine = (table["clinic"] == found[0].label).to_numpy()
    exact = roc_auc_score(table["outcome"][mine], p[mine])
    assert found[0].n == mine.sum() and found[0].figure.value == pytest.approx(exact, abs=0.03)  # ranked within folds
    stored = (opened.folder / "groups" / f"{opened.chain.current}.json").read_text()
    assert "attic" not in stored and "P000" not in stored
    assert "picked after training" in str(list(content._groups(opened.report)))
    assert "| clinic (picked after training): " in as_card(opened)
    assert "clinic (picked after training)" in next(
        answer.text for item, answer in checklist.filled(tripod.ITEMS, opened) if item.topic == "Fairness")


def test_groups_picked_at_two_checkpoints_tell_of_no_few_patients_together(tmp_path, monkeypatch):
    """Both are kept with the run and go into its download: what one column's groups lack of the other's is counted by
    subtraction, whichever checkpoint they were picked at."""
    table = clinic(240).assign(floor=["up", "down"] * 120)
    table["storey"] = table["floor"].replace({"up": "first", "down": "ground"})
    table.loc[[0, 2], "storey"] = "ground"  # all that are down, and two patients more
    with trained_once(tmp_path, table, leave_out=["floor", "storey", "patient_id"], family="mlp",
                      params={"epochs": 2}) as name:
        assert {each.label for each in grouped.by_column(name, "floor", draws=200)} == {"up", "down"}
        continue_run(name, 1)
        assert gallery.open_run(name).chain.current == 1
        with pytest.raises(UserError, match="may be shown"):
            grouped.by_column(name, "storey", draws=200)
        assert len(grouped.by_column(name, "floor", draws=200)) == 2  # the same groups once more tell nothing new


def _hidden_with_the_attic(table) -> str:
    """Four in the attic are hidden, and with them the smallest group, which would reveal them by difference."""
    sizes = table["clinic"].value_counts().drop("attic")
    return min(sizes.index, key=lambda each: (sizes[each], [-ord(letter) for letter in each]))


def test_the_outcome_the_patient_and_a_changed_table_make_no_groups(made):
    name, place, _ = made
    for column in ("outcome", "patient_id", "nowhere"):
        with pytest.raises(UserError, match="makes no groups"):
            grouped.by_column(name, column)
    other = saved(clinic(240, seed=4), place / "other")
    with pytest.raises(UserError, match="changed since"):
        grouped.by_column(name, "ward" if "ward" in columns_to_pick(gallery.open_run(name)) else "pressure",
                          other)


def test_a_file_of_groups_that_cannot_be_read_adds_none(made):
    opened = gallery.open_run(made[0])
    home.write_bytes(home.ensure(opened.folder / "groups") / f"{opened.chain.current}.json", b"{")
    assert not any(each.picked_after for each in gallery.open_run(made[0]).report.subgroups)


def test_a_terminal_picks_a_column_too_and_says_that_it_came_later(made, capsys):
    assert main(["groups", made[0], "sex", "--json", str(made[1] / "groups.json")]) == 2  # is there from the beginning
    assert main(["groups", made[0], "pressure", "--json", str(made[1] / "groups.json")]) == 0
    said, kept = capsys.readouterr().out, gallery.open_run(made[0]).report.subgroups
    assert "pressure (picked after training): under " in said and "Picked after the figures had been seen: " in said
    stored = json.loads((made[1] / "groups.json").read_text())
    assert [each["label"] for each in stored["groups"]] == [each.label for each in kept if each.column == "pressure"]
