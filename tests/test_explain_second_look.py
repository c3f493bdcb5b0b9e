"""A second look: the worst disagreements come first, decisions become a step of the recipe, and the report says so."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import numpy as np
import polars as pl
import pytest
from made import choice_of, table_of
from tables import clinic, planned, saved

from medml import gallery, one_file
from medml.commands._json import run_as_json
from medml.errors import UserError
from medml.explain.second_look import decided, doubts
from medml.recipe import prepare, prepare_predictors
from medml.steps import About, registry
from medml.steps.second_look import audit, keys_of
from medml.steps.step import ROW
from medml.train import train
from medml.types import Recipe

STEP = registry.get("second_look")


def applied(outcomes: list, params, **choice):
    """The outcomes after the step; params take places of rows for cases."""
    frame = pl.DataFrame({"age": range(len(outcomes)), "y": outcomes})
    table = table_of(frame)
    keys = keys_of(np.arange(len(outcomes)), table.sha256)
    given = {"relabel": {keys[at]: label for at, label in params.get("relabel", {}).items()},
             "exclude": [keys[at] for at in params.get("exclude", [])]}
    after, effect = STEP.apply(frame.with_row_index(ROW), given, About.of(table, choice_of("y", **choice)))
    return after["y"].to_list(), effect


def test_yes_becomes_no_and_no_yes_in_the_words_of_the_file():
    after, effect = applied(["sick", "well", "well", "Sick", None], {"relabel": {0: "", 1: "", 4: ""}}, positive="sick")
    assert after == ["well", "sick", "well", "Sick", None] and effect.cells_changed == 3
    after, _ = applied(["3", "0", "2", "0"], {"relabel": {0: "", 1: ""}}, positive=">0")
    assert after == ["0", "1", "2", "0"]
    after, _ = applied([1, 0, 0], {"relabel": {0: ""}}, positive="1")
    assert after == ["0", "0", "0"]
    after, _ = applied(["Y", "no", "no"], {"relabel": {0: "", 2: ""}}, positive="yes")
    assert after == ["no", "no", "Y"]


def test_a_case_gets_the_class_it_was_given_and_another_leaves():
    after, effect = applied(["a", "b", "c", "a"], {"relabel": {0: "c"}, "exclude": [1]}, task="multiclass")
    assert after == ["c", "c", "a"] and effect.rows_after == 3
    assert effect.sentence == "The outcome of 1 case was changed, 1 case was left out."


def test_cases_of_another_table_are_left_alone():
    frame = pl.DataFrame({"age": [1, 2], "y": ["a", "b"]}).with_row_index(ROW)
    params = {"relabel": {"0" * 32: ""}, "exclude": ["1" * 32]}
    after, effect = STEP.apply(frame, params, About.of(table_of(frame.drop(ROW)), choice_of("y", positive="a")))
    assert after.equals(frame) and effect.cells_changed == 0


def test_a_later_decision_is_added_to_the_earlier_and_the_last_word_counts():
    empty = Recipe(profile_sha256="0" * 64, steps=[])
    first = decided(empty, {"k1": "", "k2": "c"}, ["k3"], "run-1")
    second = decided(first, {"k2": "b"}, ["k1"], "run-2")
    assert [each.name for each in second.steps] == ["second_look"]
    assert second.steps[0].params == {"relabel": {"k2": "b"}, "exclude": ["k3", "k1"]}
    assert audit(second) == "1 label changed and 2 cases left out after a model's answers had been seen"
    assert audit(empty) == ""
    off = second.model_copy(update={"steps": [second.steps[0].model_copy(update={"on": False})]})
    assert audit(off) == ""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run on a table in which three labels of plain cases were turned round, and where they are."""
    folder = tmp_path_factory.mktemp("doubts")
    table = clinic(240)
    risk = 0.09 * (table["age"] - 60) + 0.05 * (table["pressure"].fillna(130) - 130)
    turned = np.array([risk.argmax(), risk.argmin(), risk.drop(risk.argmax()).idxmax()])
    table.loc[turned, "outcome"] = [0, 1, 0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(folder / "home"))
        source = saved(table, folder / "data")
        profile, recipe, config = planned(source)
        return source, (profile, recipe, config), train(source, profile, recipe, config), turned, folder / "home"


@pytest.fixture
def at_home(made, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(made[4]))
    return made


def test_labels_that_were_turned_round_come_first_with_the_cells_of_the_file(at_home):
    source, _, run, turned, _ = at_home
    found = doubts(run, source)
    assert len(found.row) == 20 and set(turned + 1) <= set(found.row[:6])
    assert set(found.columns) == {"age", "pressure", "sex", "ward", "outcome"}
    at = found.row.tolist().index(turned[0] + 1)
    said = dict(zip(found.columns.tolist(), found.cells[at].tolist(), strict=True))
    assert float(said["age"]) == float(pl.read_csv(source)["age"][int(turned[0])])
    assert found.outcome[at] == "0" and found.answer[at].endswith("% 1")


def test_what_was_decided_is_trained_on_and_stamped_and_the_file_is_untouched(at_home):
    source, (profile, recipe, config), run, turned, _ = at_home
    before = source.read_bytes()
    found = doubts(run, source)
    keys = dict(zip(found.row.tolist(), found.key.tolist(), strict=True))
    new = decided(recipe, {keys[int(turned[0]) + 1]: ""}, [keys[int(turned[1]) + 1]], run)
    table, choice = profile.table(config.choice.table), config.choice
    frame = pl.read_csv(source, infer_schema=False)
    cases, _ = prepare(frame, new, table, choice)
    assert len(cases.y) == 239 and turned[1] not in cases.rows
    assert cases.y[cases.rows.tolist().index(turned[0])] == 1
    assert cases.flow[1].what == "Looked at again" and cases.flow[1].n_removed == 1
    assert len(prepare_predictors(frame, new, table, choice)) == 240  # nobody is silent about a new patient
    again = gallery.open_run(train(source, profile, new, config))
    assert "1 label changed and 1 case left out after a model's answers had been seen" in again.report.stamps
    assert source.read_bytes() == before
    with zipfile.ZipFile(io.BytesIO(one_file.pack(again.run))) as archive:  # no case and no label is taken away
        files = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    assert not any(key.encode() in content for key in keys.values() for content in files.values())
    away = Recipe.model_validate_json(files["recipe.json"])
    assert audit(away) == audit(new) and away.steps[0].params["relabel"] == {"0": ""}
    sums = json.loads(files["manifest.json"])["files"]
    assert sums["recipe.json"] == hashlib.sha256(files["recipe.json"]).hexdigest()
    assert not any(key in json.dumps(run_as_json(again)) for key in keys.values())


def test_decisions_about_cases_that_are_no_longer_known_again_are_not_called_kept(at_home, monkeypatch, tmp_path):
    """The installation's key was lost: the report would have counted labels that nobody changed."""
    source, (profile, recipe, config), run, _, _ = at_home
    found = doubts(run, source)
    new = decided(recipe, {str(found.key[0]): ""}, [str(found.key[1]), str(found.key[2])], run)
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "another"))  # with a key of its own
    for act in (lambda: train(source, profile, new, config),
                lambda: prepare(pl.read_csv(source, infer_schema=False), new, profile.table(config.choice.table),
                                config.choice)):
        with pytest.raises(UserError, match="3 cases that were looked at again are not found in this table") as refused:
            act()
        assert "“Looked at again” on the Cleanup page" in refused.value.fix and gallery.runs() == []
    off = new.model_copy(update={"steps": [new.steps[0].model_copy(update={"on": False}), *new.steps[1:]]})
    assert len(prepare(pl.read_csv(source, infer_schema=False), off, profile.table(config.choice.table),
                       config.choice)[0].y) == 240
