"""The proposed configuration and what it says it will take."""

from __future__ import annotations

import json

import polars as pl
import pytest
from made import as_text, choice_of, table_of

from medml import config as planning
from medml import families, home
from medml.config import class_counts, encoded_columns, estimate, n_patients, n_rows, propose_config
from medml.families import _cost
from medml.recipe import propose_recipe
from medml.types import Level, Profile, Repeats, SelectionPlan, Table


def clinic(n: int = 400, *, classes: int = 2) -> tuple[Table, object]:
    frame = as_text(pl.DataFrame({
        "who": [f"P{i // 2}" for i in range(n)], "age": [40 + i % 50 for i in range(n)],
        "lab": [None if i % 8 == 0 else i * 0.37 for i in range(n)], "ward": ["a", "b", "c", "d"] * (n // 4),
        "sex": ["f", "m"] * (n // 2), "y": [str(i % 7 % classes) for i in range(n)]}))
    table = table_of(frame, {"who": "identifier", "y": "yes_no", "sex": "yes_no"})
    return table.model_copy(update={"repeats": Repeats(column="who", n_patients=n // 2, n_rows=n, most_rows=2)}), frame


def proposed(table: Table, **more):
    choice = more.pop("choice", None) or choice_of("y", patient="who", positive="1")
    recipe = propose_recipe(table, choice, "a" * 64)
    config = propose_config(table, choice, recipe, profile_sha256="a" * 64, data_sha256="b" * 64, **more)
    return config, recipe


def test_the_usual_configuration_splits_by_patient_where_patients_repeat():
    config, recipe = proposed(clinic()[0])
    assert (config.family, config.seed, config.params) == ("auto", 0, {})
    assert config.split.by == "patient" and config.split.scheme == "cross_validation"
    assert (config.split.folds, config.split.repeats) == (5, 2) and config.selection == SelectionPlan()
    assert config.recipe_sha256 == home.sha256_of(recipe) and config.profile_sha256 == "a" * 64
    assert config.name == f"y by {families.registry.get('auto').title.lower()}"


def test_what_was_asked_for_is_taken_over():
    config, _ = proposed(clinic()[0], family="logistic", seed=7, folds=3, name="mine", select=True,
                         params={"penalties": 20})
    assert (config.family, config.seed, config.split.folds, config.name) == ("logistic", 7, 3, "mine")
    assert config.selection.on and config.params == {"penalties": 20}


def test_a_model_of_a_number_is_not_named_after_classes():
    table, number = clinic()[0], choice_of("lab", "regression", patient="who")
    assert proposed(table, family="logistic")[0].name == "y by logistic regression"
    assert proposed(table, family="logistic", choice=number)[0].name == "lab by linear regression"


def test_a_family_or_setting_that_does_not_exist_is_a_mistake_of_ours():
    with pytest.raises(ValueError, match="has no 'magic'"):
        proposed(clinic()[0], family="magic")
    with pytest.raises(ValueError, match="has no"):
        proposed(clinic()[0], family="logistic", params={"magic": 1})


def test_cases_patients_and_classes_are_counted_from_the_scan():
    table, frame = clinic()
    choice = choice_of("y", patient="who", positive="1")
    assert n_rows(table, choice) == 400 - table.duplicates and n_patients(table, choice) == 200
    yes = frame.filter(pl.col("y") == "1").height
    assert class_counts(table, choice) == [400 - yes, yes]
    assert sorted(class_counts(table, choice_of("y", "multiclass"))) == sorted([400 - yes, yes])
    assert class_counts(table, choice_of("age", "regression")) == []
    assert n_patients(table, choice_of("y")) == n_rows(table, choice)


def test_classes_that_count_as_one_are_counted_together():
    table = clinic(classes=3)[0]
    choice = choice_of("y", task="multiclass")
    recipe = propose_recipe(table, choice, "a" * 64)
    apart = planning.class_counts(table, choice, recipe)
    steps = [each.model_copy(update={"params": {"classes": {"sick": ["1", "2"]}}}) if each.name == "join_classes"
             else each for each in recipe.steps]
    together = planning.class_counts(table, choice, recipe.model_copy(update={"steps": steps}))
    assert len(apart) == 3 and len(together) == 2 and sum(apart) == sum(together)


def test_any_number_above_zero_is_counted_as_yes():
    column = clinic()[0].column("y").model_copy(update={
        "levels": [Level(label="0", n=164), Level(label="1", n=55), Level(label="2.0", n=36), Level(label="3", n=35)],
        "hidden_levels": 1, "hidden_rows": 13})
    table = clinic()[0]
    table = table.model_copy(update={"columns": [column if each.name == "y" else each for each in table.columns]})
    assert class_counts(table, choice_of("y", positive=">0")) == [303 - 126, 126]
    assert class_counts(table, choice_of("y", "multiclass")) == [164, 55, 36, 35, 13]


def test_columns_are_counted_as_the_encoder_makes_them():
    """age 1, lab 1 + its mark, ward 4, sex 1; who is an identifier and left out by the recipe."""
    table, _ = clinic()
    choice = choice_of("y", patient="who")
    assert encoded_columns(table, choice, propose_recipe(table, choice, "a" * 64)) == 8


def test_more_folds_more_rows_and_selection_cost_more():
    table = clinic()[0]
    config, recipe = proposed(table, family="logistic")
    usual = estimate(table, config, recipe)
    more_folds = estimate(table, proposed(table, family="logistic", folds=15)[0], recipe)
    larger = table.model_copy(update={"rows": 40 * table.rows})
    selecting = estimate(table, proposed(table, family="logistic", select=True)[0], recipe)
    assert usual.seconds < more_folds.seconds and usual.seconds < estimate(larger, config, recipe).seconds
    assert usual.seconds_selection == 0 < selecting.seconds_selection < selecting.seconds
    assert usual.bytes < estimate(larger, config, recipe).bytes and usual.bytes > 2**28


def test_the_fold_that_is_made_a_second_time_is_in_the_estimate(monkeypatch):
    table = clinic()[0]
    config, recipe = proposed(table, family="forest")
    seconds = estimate(table, config, recipe).seconds
    monkeypatch.setattr(planning, "too_long", lambda expected, whole: "too long")
    once = estimate(table, config, recipe).seconds
    folds = config.split.folds * config.split.repeats
    assert (folds + 2) / (folds + 1) - 0.1 < seconds / once < (folds + 2) / (folds + 1) + 0.02
    selecting = proposed(table, family="forest", select=True)[0]  # never made again: selection has a time limit
    without = estimate(table, selecting, recipe).seconds
    monkeypatch.undo()
    assert estimate(table, selecting, recipe).seconds == pytest.approx(without, rel=0.2)


@pytest.mark.parametrize(("yes", "scheme"), [(800, "held_out"), (780, "cross_validation")])
def test_a_part_is_kept_closed_only_where_enough_patients_would_be_in_it(yes, scheme):
    """Patients come twice here: 800 rows are 400 of them, 100 in a quarter."""
    table = clinic(2_480)[0]
    rarer = {"levels": [Level(label="0", n=2_480 - yes), Level(label="1", n=yes)]}
    table = table.model_copy(update={"columns": [
        each.model_copy(update=rarer) if each.name == "y" else each for each in table.columns]})
    assert proposed(table)[0].split.scheme == scheme


def test_settings_by_size_go_by_the_rows_that_the_final_model_learns_from():
    table = clinic(2_480)[0]
    config, recipe = proposed(table, family="boosting")
    assert config.split.scheme == "held_out" and planning.usual_params(table, config, recipe)["depth"] == 2
    whole = config.model_copy(update={"split": config.split.model_copy(update={"scheme": "cross_validation"})})
    assert planning.usual_params(table, whole, recipe)["depth"] == 3


def test_screen_and_training_choose_the_same_usual_settings():
    table = clinic(2_480)[0]
    for family in families.seeing("columns"):
        config, recipe = proposed(table, family=family)
        facts, kind = planning.facts_of(table, config, recipe), families.registry.get(family)
        development = round(2_480 * (1 - config.split.test_fraction))
        assert facts.n_rows == development and 0 < facts.n_events <= facts.n_patients <= facts.n_rows
        assert kind.usual(facts) == planning.usual_params(table, config, recipe) == \
            kind.settled(config.params, development, len(table.columns), config.choice.task)


def test_what_learns_side_by_side_is_held_in_memory_together():
    table = clinic()[0].model_copy(update={"rows": 20_000})

    def grows(family: str) -> int:
        few, many = (estimate(table, proposed(table, family=family, folds=folds)[0]).bytes for folds in (3, 15))
        return many - few

    matrix = 20_000 * 0.75 * 6 * 8  # bytes: the development rows, six encoded columns and more
    assert min(grows(family) for family in ("forest", "boosting", "mlp")) > 10 * matrix > grows("logistic")


def test_the_speed_of_this_machine_is_measured_on_one_thread(monkeypatch):
    import threadpoolctl

    seen = []
    monkeypatch.setattr(_cost, "_seconds", lambda kernel: seen.append(
        max(each["num_threads"] for each in threadpoolctl.threadpool_info())) or 1.0)
    with threadpoolctl.threadpool_limits(4):
        _cost._units.__wrapped__()
    assert seen == [1, 1, 1]


def test_selection_never_takes_more_than_its_limit():
    table = clinic()[0]
    config, _ = proposed(table, family="logistic", select=True)
    limited = config.model_copy(update={"selection": SelectionPlan(on=True, simulations=200, seconds_a_fold=2.0)})
    assert estimate(table, limited).seconds_selection == pytest.approx(2.0 * 11)  # 5 folds x 2 and the final model


@pytest.mark.parametrize("family", families.seeing("columns"))
def test_every_family_has_an_estimate_for_every_task_it_can_do(family):
    table = clinic()[0]
    for task in families.registry.get(family).tasks:
        choice = choice_of("age" if task == "regression" else "y", task, patient="who")
        found = estimate(table, proposed(table, family=family, choice=choice)[0])
        assert 0 < found.seconds < 3_600 and 2**28 < found.bytes < 2**34


def remembered(table: Table, config, recipe, seconds: float, name: str, *, whole: bool = True) -> None:
    """A finished run of that length, as far as an estimate reads it."""
    folder = home.ensure(home.runs_folder() / name)
    home.write_model(folder / "config.json", config)
    home.write_model(folder / "recipe.json", recipe)
    home.write_model(folder / "profile.json", Profile(source="/x", made="now", files=[], tables=[table]))
    manifest = {"run": name, "made": "now", "seconds": seconds, "family": config.family, "task": "binary",
                "target": "y", "source_file": "x", "data_sha256": "", "n_rows": 1, "n_cases": 1, "n_patients": 1,
                "n_train": 1, "n_test": 1, "split_sha256": "", "code_version": "", "packages": {}, "device": "cpu",
                "seeds": {}}
    home.write_bytes(folder / "manifest.json", json.dumps(manifest).encode() if whole else b"{")


def test_earlier_trainings_on_this_machine_correct_the_estimate():
    table = clinic()[0]
    config, recipe = proposed(table, family="logistic")
    fresh = estimate(table, config, recipe)
    assert fresh.sentence.endswith("judged by this machine's speed.")
    foreseen = planning._seconds(table, config, recipe)[0]
    for number, times in enumerate((2.0, 3.0, 2.5)):
        remembered(table, config, recipe, times * foreseen, f"run{number}")
    remembered(table, config, recipe, 999.0, "broken", whole=False)
    remembered(table, proposed(table, family="forest")[0], recipe, 5_000.0, "other-family")
    corrected = estimate(table, config, recipe)
    assert corrected.seconds == pytest.approx(2.5 * foreseen, rel=0.05)
    assert corrected.sentence.endswith("judged by 3 earlier trainings here.")
    assert estimate(table, proposed(table, family="logistic", select=True)[0], recipe).sentence.endswith("speed.")


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "1 s"), (3.4, "3 s"), (17, "15 s"), (100, "2 min"),
                                                (3_000, "50 min"), (9_000, "2.5 h"), (80_000, "22 h")])
def test_time_foreseen_is_said_no_finer_than_it_can_be(seconds, words):
    assert planning.sentence(seconds, 0, 1e9, 0).startswith(f"About {words} and ")


def test_the_sentence_says_time_memory_and_selection():
    assert planning.sentence(120, 0, 4e8, 0) == "About 2 min and 400 MB of memory, judged by this machine's speed."
    assert planning.sentence(120, 60, 1.23e9, 1) == (
        "About 2 min (60 s of it to choose predictors) and 1.2 GB of memory, judged by 1 earlier training "
        "here.")
