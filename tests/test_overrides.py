"""A list of columns that was changed after scores had been seen is marked, whoever looks away."""

from __future__ import annotations

from tables import clinic, planned, saved

from medml import gallery
from medml.overrides import Seen
from medml.train import train
from medml.types import SelectionPlan

FOREST = SelectionPlan(on=True, method="forest", seconds_a_fold=20)


def trained(tmp_path, selection: SelectionPlan) -> gallery.Run:
    source = saved(clinic(), tmp_path)
    profile, recipe, config = planned(source)
    return gallery.open_run(train(source, profile, recipe, config.model_copy(update={"selection": selection})))


def test_lists_made_before_any_score_are_no_override(tmp_path):
    assert not Seen("no such table", "outcome").judge(FOREST.model_copy(update={"forced_in": ["age"]})
                                                      ).override_after_scores


def test_a_list_changed_after_scores_is_an_override_and_set_back_it_is_none(tmp_path):
    run = trained(tmp_path, FOREST.model_copy(update={"forced_in": ["age"]}))
    seen = Seen(run.manifest.data_sha256, "outcome")
    assert {each.column for each in seen.scores} >= {"age", "pressure"}
    assert seen.judge(FOREST.model_copy(update={"forced_out": ["ward"]})).override_after_scores
    assert seen.judge(FOREST).override_after_scores  # taking a column off the list is a choice too
    assert not seen.judge(FOREST.model_copy(update={"forced_in": ["age"]})).override_after_scores


def test_scores_of_another_outcome_do_not_count(tmp_path):
    run = trained(tmp_path, FOREST)
    seen = Seen(run.manifest.data_sha256, "another outcome")
    assert seen.scores == []
    assert not seen.judge(FOREST.model_copy(update={"forced_out": ["ward"]})).override_after_scores


def test_a_training_without_selection_shows_no_scores(tmp_path):
    run = trained(tmp_path, SelectionPlan())
    assert Seen(run.manifest.data_sha256, "outcome").before is None


def test_a_mark_cannot_be_taken_off_by_hand(tmp_path):
    """The flag follows from what was seen, not from what a stored plan says of itself."""
    run = trained(tmp_path, FOREST)
    plan = FOREST.model_copy(update={"forced_out": ["ward"], "override_after_scores": False})
    assert Seen(run.manifest.data_sha256, "outcome").judge(plan).override_after_scores


def test_a_model_that_chose_no_columns_is_not_opened_to_look_for_scores(tmp_path, monkeypatch):
    shown, plain = trained(tmp_path, FOREST), trained(tmp_path, SelectionPlan())
    assert shown.manifest.data_sha256 == plain.manifest.data_sha256
    opened, really = [], gallery.open_run
    monkeypatch.setattr(gallery, "open_run", lambda run: opened.append(run) or really(run))
    assert Seen(plain.manifest.data_sha256, "outcome").scores == shown.report.selection
    assert opened == [shown.run]
