"""Pictures on the line: what is proposed to learn from them, and the steps that leave some of them out."""

from __future__ import annotations

import json
import shutil
import types

import polars as pl
import pytest

from medml import pictures, project, steps, train
from medml.__main__ import main
from medml.commands.train import proposals_in_words
from medml.config import comes_divided, propose_config
from medml.data import open_table
from medml.data.images.index import patient_key
from medml.errors import UserError
from medml.profile import propose_choice, scan, scan_listed
from medml.profile.choice import propose_plan
from medml.recipe import prepare, propose_recipe
from medml.split import held_out, make_folds
from medml.steps import About
from medml.steps.step import ROW
from medml.types import Choice, Effect, PictureFacts, PicturePlan, Recipe, Table, TableRef
from medml.watch import Silent
from tests.made_pictures import StopAtPixels, dicom, png, undecodable
from worker.jobs import registry


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """(folder, profile) of 40 small films of 20 patients with a list of labels, one of them copied, one a CT slice."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(tmp_path_factory.mktemp("home")))
        folder = tmp_path_factory.mktemp("films")
        for n in range(40):
            dicom(folder / f"{n}.dcm", n, PatientID=f"P{n // 2}", Modality="CT" if n == 7 else "CR")
        shutil.copy(folder / "3.dcm", folder / "40.dcm")
        pl.DataFrame({"file": [f"{n}.dcm" for n in range(41)], "diagnosis": ["sick", "well"] * 20 + [None],
                      "age": list(range(41))}).write_csv(folder / "labels.csv")
        yield folder, scan(folder)


def test_pictures_alone_are_learned_from(films):
    _, profile = films
    choice = propose_choice(profile)
    assert (choice.table.label, choice.target, choice.patient, choice.positive) == (
        "the pictures with labels.csv", "diagnosis", "patient", "sick")
    assert choice.pictures == PicturePlan(size=16)
    table = profile.table(choice.table)
    assert set(choice.leave_out) == {each.name for each in table.columns} - {"picture", "patient", "diagnosis"}


def test_the_label_table_alone_can_be_asked_for(films):
    _, profile = films
    for wanted in ("labels.csv", TableRef(path="labels.csv")):
        choice = propose_choice(profile, table=wanted)
        assert choice.pictures is None and choice.table.sheet is None


def test_how_pictures_are_brought_to_one_size_can_be_given(films):
    plan = PicturePlan(size=224, window="lung")
    assert propose_choice(films[1], pictures=plan).pictures == plan


def test_another_column_may_be_the_outcome_but_not_the_pictures(films):
    assert propose_choice(films[1], target="modality").target == "modality"
    with pytest.raises(UserError, match="pictures themselves"):
        propose_choice(films[1], target="picture")


@pytest.mark.parametrize(("side", "size"), [((28, 28, 28), 28), ((8, 12, 20), 16), ((64, 64, 64), 64),
                                            ((64, 64, 65), 128), ((500, 900, 3000), 128)])
def test_thumbnails_keep_their_size_and_all_else_gets_one(side, size):
    assert propose_plan(PictureFacts(n=10, side=side)).size == size


def test_the_recipe_for_pictures_leaves_out_rows_alone(films):
    _, profile = films
    choice = propose_choice(profile)
    recipe = propose_recipe(profile.table(choice.table), choice, "x")
    assert [step.name for step in recipe.steps] == ["picture_copies", "odd_modality", "damaged_pictures",
                                                   "target_missing"]
    reasons = {step.name: step.reason for step in recipe.steps}
    assert reasons["picture_copies"].startswith("1 of 41 pictures equal an earlier one;")
    assert "whose files are equal too are left out" in reasons["picture_copies"]
    assert reasons["odd_modality"] == "1 of 41 pictures are no CR: a stray export rather than a finding."
    assert all(step.on for step in recipe.steps)


def test_the_steps_do_what_they_say_on_a_real_folder(films):
    folder, profile = films
    choice = propose_choice(profile)
    table = profile.table(choice.table)
    frame, effects = applied(open_table(folder, choice.table).frame(), propose_recipe(table, choice, "x"),
                             About.of(table, choice))
    left = {effect.step: effect.rows_before - effect.rows_after for effect in effects}
    assert left == {"picture_copies": 1, "odd_modality": 1, "damaged_pictures": 0, "target_missing": 0}
    assert not {"7.dcm", "40.dcm"} & set(frame["picture"])  # 3.dcm has a class, its copy 40.dcm has none


def applied(frame: pl.DataFrame, recipe: Recipe, about: About) -> tuple[pl.DataFrame, list[Effect]]:
    effects = []
    frame = frame.with_row_index(ROW)
    for step in recipe.steps:
        kind = steps.registry.get(step.name)
        frame, effect = kind.apply(frame, kind.filled(step.params), about)
        effects.append(effect)
    return frame, effects


def run(name: str, frame: pl.DataFrame, damaged: int = 0, **params) -> tuple[pl.DataFrame, Effect]:
    """One step on a frame of pictures."""
    ref = TableRef(path=".", sheet="pictures")
    table = Table(ref=ref, sha256="", rows=frame.height, columns=[], duplicates=0,
                  pictures=PictureFacts(n=frame.height, damaged=damaged))
    kind = steps.registry.get(name)
    return kind.apply(frame, kind.filled(params), About(table, Choice(table=ref, target="y", task="binary"), {}))


def test_a_copy_goes_and_copies_in_two_classes_all_go():
    frame = pl.DataFrame({"picture": list("abcdefghi"), "content": ["1", "1", "2", "2", "3", None, "4", "4", None],
                          "y": ["s", "s", "s", "w", "s", "w", None, "w", "s"]})
    kept, effect = run("picture_copies", frame)
    assert kept["picture"].to_list() == ["a", "e", "f", "h", "i"]  # of g and h the one with an answer
    assert effect.sentence == ("2 pictures equal to another one were left out. 2 pictures were left out whose copies "
                               "stand in different classes.")
    assert run("picture_copies", frame.drop("y"))[0]["picture"].to_list() == list("acefgi")
    assert run("picture_copies", frame.drop("content"))[0].height == 9


@pytest.mark.parametrize(("modalities", "kept"), [
    (["CR"] * 19 + ["CT"], 19), (["CR"] * 18 + ["CT"] * 2, 20), (["CR"] * 19 + [None], 20), ([None] * 4, 4)])
def test_strays_of_another_modality_go_where_one_is_nearly_all(modalities, kept):
    frame = pl.DataFrame({"modality": pl.Series(modalities, dtype=pl.String)})
    after, effect = run("odd_modality", frame)
    assert (after.height, effect.rows_after) == (kept, kept)


def test_damaged_pictures_are_told_and_no_row_is_lost_before_decoding():
    frame = pl.DataFrame({"picture": ["a", "b"]})
    after, effect = run("damaged_pictures", frame, damaged=1)
    assert after.equals(frame) and effect.sentence.startswith("1 picture could not be decoded")
    assert not steps.registry.get("damaged_pictures").drops_rows


def test_a_film_that_is_cut_off_is_not_said_to_have_been_decoded(tmp_path, capsys):
    """Seen by its header, it is no row; scan, step and report count it with those that cannot be decoded."""
    for n in range(24):
        dicom(tmp_path / ("ill" if n % 2 else "well") / f"{n}.dcm", n, PatientID=f"P{n}", Modality="CR")
    cut = tmp_path / "ill" / "1.dcm"
    cut.write_bytes(cut.read_bytes()[:-50])
    profile, ref = scan(tmp_path), scan(tmp_path).tables[0].ref
    recipe = propose_recipe(profile.tables[0], propose_choice(profile, table=ref), "0" * 64)
    step = next(each for each in recipe.steps if each.name == "damaged_pictures")
    assert step.reason.startswith("1 cut off or damaged file is in no row; of the others")
    assert main(["scan", str(tmp_path)]) == 0 and "Cannot be decoded: 1." in capsys.readouterr().out
    kind = steps.registry.get("damaged_pictures")
    frame = pl.DataFrame({"picture": ["a"]})
    _, effect = kind.apply(frame, {}, About(profile.tables[0], Choice(table=ref, target="y", task="binary"), {}))
    assert effect.sentence.startswith("1 file cut off or damaged in no row")


def test_several_modalities_are_no_strays_and_the_step_is_off(tmp_path):
    for n in range(24):
        dicom(tmp_path / ("a" if n % 2 else "b") / f"{n}.dcm", n, PatientID=f"P{n}", Modality="CT" if n % 3 else "MR")
    profile = scan(tmp_path)
    choice = propose_choice(profile)
    recipe = propose_recipe(profile.tables[0], choice, "x")
    assert {step.name: step.on for step in recipe.steps}["odd_modality"] is False


def test_of_few_patients_nothing_is_said_of_several_modalities(tmp_path):
    for n in range(24):
        dicom(tmp_path / ("a" if n % 2 else "b") / f"{n}.dcm", n, PatientID=f"P{n % 6}", Modality="CT")
    profile = scan(tmp_path)
    step = next(each for each in propose_recipe(profile.tables[0], propose_choice(profile), "x").steps
                if each.name == "odd_modality")
    assert profile.tables[0].pictures.by["modality"] == {"other": 24}
    assert step.on and "several" not in step.reason and "not named" in step.reason


def test_copies_stay_where_the_pictures_came_with_their_own_split(tmp_path):
    for n in range(24):
        png(tmp_path / ("train" if n % 3 else "test") / ("a" if n % 2 else "b") / f"{n}.png", n)
    profile = scan(tmp_path)
    assert profile.tables[0].pictures.own_split
    step = propose_recipe(profile.tables[0], propose_choice(profile), "x").steps[0]
    assert (step.name, step.on) == ("picture_copies", False) and "never changed" in step.reason


@pytest.mark.parametrize(("parts", "given"), [(("train", "val"), True), (("A", "B"), False)])
def test_a_column_split_is_kept_where_it_says_what_to_learn_from_and_what_to_judge_on(tmp_path, parts, given):
    rows = ["file,sick,split"]
    for n in range(48):
        png(tmp_path / f"{n:02d}.png", n)
        rows.append(f"{n:02d}.png,{n % 2},{parts[n % 3 == 0]}")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    found = scan(tmp_path)
    choice = propose_choice(found, target="sick", positive="1")
    table = found.table(choice.table)
    recipe = propose_recipe(table, choice, "0" * 64)
    plan = propose_config(table, choice, recipe, profile_sha256="0" * 64, data_sha256=table.sha256, family="cnn").split
    opened = open_table(tmp_path, choice.table)
    cases, _ = prepare(opened.frame(), recipe, table, choice)
    cases = pictures.with_pixels(cases, opened.frame(), opened, choice, watch=Silent())
    folds, closed = make_folds(cases, plan, 0), held_out(cases, plan, 0)[1]
    assert plan.given == given and len(folds) > 1
    anew = propose_config(table, choice, recipe, profile_sha256="0" * 64, data_sha256=table.sha256, family="cnn",
                          anew=True).split
    assert not anew.given and comes_divided(table, choice) == given
    assert (closed.tolist() == list(range(0, 48, 3))) == given


def test_a_part_to_judge_on_that_came_without_labels_is_no_split(tmp_path):
    rows = ["file,diagnosis,split"]
    for n in range(48):
        png(tmp_path / f"{n:02d}.png", n)
        rows.append(f"{n:02d}.png,,test" if n % 5 == 0 else f"{n:02d}.png,{('yes', 'no')[n % 2]},train")
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    found = scan(tmp_path)
    table, choice = found.tables[0], propose_choice(found, target="diagnosis")
    recipe = propose_recipe(table, choice, "0" * 64)
    plan = propose_config(table, choice, recipe, profile_sha256="0" * 64, data_sha256=table.sha256, family="cnn").split
    assert [each.column for each in table.targets] == ["diagnosis"]
    assert not table.pictures.own_split and not plan.given
    opened = open_table(tmp_path, choice.table)
    cases, _ = prepare(opened.frame(), recipe, table, choice)
    cases = pictures.with_pixels(cases, opened.frame(), opened, choice, watch=Silent())
    assert len(cases.y) == 38 and len(make_folds(cases, plan, 0)) == plan.folds * plan.repeats
    with pytest.raises(UserError, match="nothing with an outcome to judge on") as told:
        held_out(cases, plan.model_copy(update={"scheme": "held_out", "folds": 1, "given": True}), 0)
    assert told.value.typed == "--divide-anew" and "--" not in told.value.fix


def test_the_command_line_warns_where_chest_films_are_to_be_mirrored(tmp_path):
    for n in range(24):
        dicom(tmp_path / ("a" if n % 2 else "b") / f"{n}.dcm", n, PatientID=f"P{n}", BodyPartExamined="CHEST")
    found = scan(tmp_path)
    table, choice = found.tables[0], propose_choice(found)
    recipe = propose_recipe(table, choice, "0" * 64)
    for flip, warned in (("left-right", 1), ("none", 0)):
        config = propose_config(table, choice, recipe, profile_sha256="0" * 64, data_sha256=table.sha256, family="cnn",
                                params={"flip": flip})
        said = list(proposals_in_words(tmp_path, found, config, recipe))
        assert sum("the heart would lie on the wrong side" in each for each in said) == warned


def test_a_scan_stopped_among_pixels_keeps_its_profile(tmp_path):
    for n in range(24):
        png(tmp_path / ("a" if n % 2 else "b") / f"{n}.png", n)
    made = project.create(tmp_path).id

    job = types.SimpleNamespace(id="job-00000001", payload={"project": made})
    registry.get("scan").run(job, StopAtPixels())
    assert project.profile(made).tables[0].pictures.near is None


def test_the_command_line_names_pictures_to_their_owner_and_the_home_does_not(tmp_path, medml_home, capsys):
    folder = tmp_path / "films"
    for n in range(24):
        dicom(folder / ("a" if n % 2 else "b") / f"ZZCANARY {n}.dcm", n, PatientID=f"P{n}", PatientName="ZZCANARY")
    (folder / "a" / "ZZCANARY cut.dcm").write_bytes((folder / "a" / "ZZCANARY 1.dcm").read_bytes()[:-50])
    out = tmp_path / "found.json"
    assert main(["scan", str(folder), "--json", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "Cannot be decoded: 1. Equal to an earlier one: 0 (0 in another class), nearly equal: could not" in printed
    assert "PatientName 24" in printed and "PatientID 24" in printed
    files = {each["path"]: each["reason_code"] for each in json.loads(out.read_text())["files"]}
    assert files["a/ZZCANARY cut.dcm"] == "damaged"
    made = project.create(folder).id
    registry.get("scan").run(types.SimpleNamespace(id="job-00000001", payload={"project": made}), Silent())
    assert project.profile(made).tables[0].rows == 24
    written = [each for each in medml_home.rglob("*") if each.is_file()]
    assert not any(b"ZZCANARY" in each.read_bytes() for each in written)
    keys = [patient_key(f"P{n}").encode() for n in range(24)]
    assert not any(key in each.read_bytes() for each in [*written, out] for key in keys)  # their hashes neither


def test_what_cannot_be_decoded_leaves_by_the_flow_or_ends_the_training(tmp_path):
    for n in range(24):
        png(tmp_path / ("a" if n % 2 else "b") / f"film {n}.png", n)
    undecodable(tmp_path / "a" / "broken.png")
    profile, named = scan_listed(tmp_path)
    assert profile.tables[0].pictures.damaged == 1
    assert {each.path: each.action for each in named}["a/broken.png"] == "skip"
    choice = propose_choice(profile)
    recipe = propose_recipe(profile.tables[0], choice, "x")
    config = propose_config(profile.tables[0], choice, recipe, profile_sha256="", data_sha256=profile.tables[0].sha256,
                            family="cnn", folds=2)
    ground = train.prepare_ground(tmp_path, profile, recipe, config, watch=Silent())
    last = ground.cases.flow[-1]
    assert (last.n_before, last.n_removed, last.n_after, len(ground.cases.y)) == (25, 1, 24, 24)
    off = recipe.model_copy(update={"steps": [step.model_copy(update={"on": step.name != "damaged_pictures"})
                                              for step in recipe.steps]})
    with pytest.raises(UserError, match="1 picture cannot be decoded"):
        train.prepare_ground(tmp_path, profile, off, config, watch=Silent())


def test_a_few_pictures_beside_a_table_must_be_asked_for(tmp_path):
    (tmp_path / "t.csv").write_text("x,died\n" + "".join(f"{n},{n % 2}\n" for n in range(30)))
    for n in range(4):
        png(tmp_path / ("a" if n % 2 else "b") / f"{n}.png", n)
    with pytest.raises(UserError, match="There are 2 tables: t.csv, the pictures"):
        propose_choice(scan(tmp_path))
