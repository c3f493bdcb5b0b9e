"""The whole line on pictures: from a folder to a run that is continued, looked at and asked, without the screens."""

from __future__ import annotations

import json
import shutil
import struct
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace as It

import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image

from medml import data, gallery, home, looking, outside, pictures, predict, profile, same_source, split, train
from medml.commands.predict import _draw, file_names
from medml.config import propose_config
from medml.data.images.fit import fit
from medml.errors import UserError
from medml.evaluate.checks import registry
from medml.evaluate.checks.patients import ALIKE_FROM, _shown_side
from medml.recipe import prepare, propose_recipe
from medml.types import PictureFacts, PicturePlan, Profile, Recipe, SplitPlan, TrainConfig
from medml.vision.pixels import Pictures, Store
from medml.watch import Silent

SIDE = 24
QUICK = {"backbone": "small", "start": "scratch", "epochs": 3, "patience": 3, "batch": 8, "turn": 0.0, "shift": 0.0,
         "light": 0.0}


def bars(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures with a bright bar that lies (0) or stands (1)."""
    random = np.random.default_rng(seed)
    pixels, y = random.integers(0, 60, (n, SIDE, SIDE)).astype(np.uint8), np.arange(n) % 2
    for at in range(n):
        place = random.integers(3, SIDE - 6)
        bar = (slice(place, place + 3), slice(None)) if y[at] == 0 else (slice(None), slice(place, place + 3))
        pixels[at][bar] = random.integers(120, 250)
    return pixels, y


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """48 pictures of 16 patients in two sub-folders, one exact copy and one file that is cut off."""
    made = tmp_path_factory.mktemp("films")
    pixels, y = bars(48)
    for at, (each, label) in enumerate(zip(pixels, y, strict=True)):
        place = made / ("standing" if label else "lying")
        place.mkdir(exist_ok=True)
        Image.fromarray(each).save(place / f"{1000 + at // 6 * 2 + label:06d}_{at:03d}.png")
    one = sorted((made / "lying").iterdir())[0]
    (made / "lying" / "009999_999.png").write_bytes(one.read_bytes())
    (made / "lying" / "009998_998.png").write_bytes(one.read_bytes()[:80])
    return made


def planned(source: Path, family: str = "cnn", **more) -> tuple[Profile, Recipe, TrainConfig]:
    found = profile.scan(source)
    choice = profile.propose_choice(found, pictures=PicturePlan(size=SIDE))
    table, sha = found.table(choice.table), home.sha256_of(found)
    recipe = propose_recipe(table, choice, sha)
    return found, recipe, propose_config(table, choice, recipe, profile_sha256=sha, data_sha256=table.sha256,
                                         family=family, params=QUICK if family == "cnn" else {}, **more)


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    """One run of the small network in a home of this module's own, and that home."""
    place = tmp_path_factory.mktemp("home of pictures")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(place))
        found, recipe, config = planned(folder, folds=2)
        yield train.train(folder, found, recipe, config), place


@pytest.fixture
def at_home(run, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(run[1]))
    return run[0]


def test_a_folder_of_pictures_becomes_a_run_split_by_patient(at_home):
    opened = gallery.open_run(at_home)
    report, flow = opened.report, {each.what: each.n_removed for each in opened.report.flow}
    assert opened.config.choice.target == "folder" and opened.config.split.by == "patient"
    assert report.n_cases == 48 and report.n_patients == 16 and flow["Pictures that cannot be decoded"] == 0
    assert sum(flow.values()) == 1  # the exact copy
    verdicts = {each.id: each.verdict for each in report.checks}
    assert {verdicts[each] for each in ("L1", "L2", "L5", "M3")} == {"pass"}
    assert verdicts["L3"] == "could_not_tell"  # at 24 pixels near copies cannot be told
    assert {"L14", "G3", "G1"} <= set(verdicts) and "block" not in verdicts.values()
    entries = {each.reason_code for each in opened.profile.files if each.action == "skip"}
    assert entries == {"damaged"}


def test_pictures_of_another_folder_are_judged_by_the_run(at_home, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(same_source, "ENOUGH", 10)
    pixels, y = bars(24, 5)
    for at, (each, label) in enumerate(zip(pixels, y, strict=True)):
        place = tmp_path / ("standing" if label else "lying")
        place.mkdir(exist_ok=True)
        Image.fromarray(each).save(place / f"{5000 + at:06d}_{at:03d}.png")
    try:
        found = outside.validate(at_home, tmp_path, draws=50)
        assert (found.n_cases, found.n_events, found.n_copies) == (24, 12, 0) and found.metrics["auroc"].n == 24
        assert 24 + 10 <= found.told_apart.n <= 24 + 16 and 0.2 < found.told_apart.value < 0.8  # a picture a patient
        for at, own in enumerate(sorted((folder / "standing").iterdir())[:3]):
            shutil.copy(own, tmp_path / "standing" / f"{7000 + at:06d}_{at:03d}.png")
        assert outside.validate(at_home, tmp_path, draws=20).under_ten == ["n_copies"]
        with pytest.raises(UserError, match="the very table"):
            outside.validate(at_home, folder)
    finally:  # the other tests are about a run without
        shutil.rmtree(gallery.open_run(at_home).folder / "external", ignore_errors=True)


def test_more_rounds_and_back_again(at_home, folder):
    before = gallery.open_run(at_home)
    added = train.continue_run(at_home, 2, source=folder)
    after = gallery.open_run(at_home)
    assert added.rounds == before.checkpoint.rounds + 2 and after.chain.current == added.number
    gallery.revert(at_home, to=before.chain.current)
    assert gallery.open_run(at_home).report == before.report


def test_new_pictures_are_answered_and_a_broken_one_is_not(at_home, folder, tmp_path):
    pixels, y = bars(4, seed=9)
    for at, each in enumerate(pixels):
        Image.fromarray(each).save(tmp_path / f"new_{at}.png")
    answered = predict.predict_file(at_home, tmp_path)
    assert answered["picture"].to_list() == [f"new_{at}.png" for at in range(4)]
    p = answered.select("probability of lying", "probability of standing").to_numpy()
    assert np.allclose(p.sum(axis=1), 1) and answered["abstained"].null_count() == 4
    assert answered["set at 90%"].null_count() == 0 and "internally validated only" in answered["note"][0]
    with zipfile.ZipFile(tmp_path / "new.zip", "w") as archive:
        for at in range(4):
            archive.write(tmp_path / f"new_{at}.png", f"new_{at}.png")
    assert predict.predict_file(at_home, tmp_path / "new.zip").equals(answered)
    drawn = list(looking.look_at_new(at_home, tmp_path / "new.zip", {"new_1.png": answered["predicted"][1]}))
    assert [name for name, *_ in drawn] == ["new_1.png"] and drawn[0][1].shape == (SIDE, SIDE, 1)
    with pytest.raises(UserError, match="several sets"):
        predict.predict_file(at_home, tmp_path)
    alone = predict.predict_file(at_home, tmp_path / "new_2.png")
    assert alone["predicted"].to_list() == [answered["predicted"][2]]
    with pytest.raises(UserError, match="no picture"):
        predict.predict_file(at_home, folder / "lying" / "009998_998.png")


def test_a_film_that_is_cut_off_is_named_where_the_others_are_answered(at_home, tmp_path, capsys):
    from medml.__main__ import main
    from pages._ui_predict_many import answers_in, silent_in, unread_in

    (tmp_path / "new" / "ward").mkdir(parents=True)
    for at, each in enumerate(bars(3, seed=9)[0]):
        Image.fromarray(each).save(tmp_path / "new" / "ward" / f"new_{at}.png")
    whole = (tmp_path / "new" / "ward" / "new_0.png").read_bytes()
    (tmp_path / "new" / "ward" / "cut.png").write_bytes(whole[:80])
    (tmp_path / "new" / "notes.md").write_text("no picture, and no word of it")
    answered = predict.predict_file(at_home, tmp_path / "new")
    assert answered["picture"].to_list() == [*(f"ward/new_{at}.png" for at in range(3)), "ward/cut.png"]
    assert answered["abstained"].to_list() == [None] * 3 + ["the picture cannot be read (this picture is cut off)"]
    assert answered["predicted"].null_count() == 1
    assert main(["predict", at_home, str(tmp_path / "new"), "--out", str(tmp_path / "out.csv")]) == 0
    said = capsys.readouterr().out
    assert "4 rows written" in said and "no answer for 1" in said
    assert "1 picture could not be read: ward/cut.png." in said
    assert unread_in(tmp_path / "out.csv") == "1 picture could not be read: ward/cut.png."  # on the screen too
    assert list(answers_in(tmp_path / "out.csv")) == [f"ward/new_{at}.png" for at in range(3)]
    assert silent_in(tmp_path / "out.csv") == ""
    Image.new("L", (4, 4), 90).save(tmp_path / "new" / "ward" / "tiny.png")
    assert main(["predict", at_home, str(tmp_path / "new"), "--out", str(tmp_path / "tiny.csv")]) == 0
    why = "Without an answer: a picture far smaller than those of training (1 picture)."
    assert why in capsys.readouterr().out and silent_in(tmp_path / "tiny.csv") == why
    (tmp_path / "new" / "ward" / "tiny.png").unlink()
    with zipfile.ZipFile(tmp_path / "new.zip", "w") as archive:
        for each in sorted((tmp_path / "new" / "ward").iterdir()):
            archive.write(each, f"ward/{each.name}")
    assert predict.predict_file(at_home, tmp_path / "new.zip").equals(answered)
    with pytest.raises(UserError, match="can be read. This picture is cut off"):
        predict.predict_file(at_home, tmp_path / "new" / "ward" / "cut.png")


def test_new_pictures_are_drawn_beside_their_heatmaps_where_asked_to(at_home, tmp_path, capsys):
    from medml.__main__ import main

    new, maps = tmp_path / "new", tmp_path / "maps"
    (new / "ward").mkdir(parents=True)
    for at, each in enumerate(bars(3, seed=9)[0]):
        Image.fromarray(each).save(new / "ward" / f"new_{at}.png")
    asked = ["predict", at_home, str(new), "--out", str(tmp_path / "out.csv"), "--heatmaps"]
    assert main([*asked, str(new / "ward")]) == 2 and "one of your own" in capsys.readouterr().err
    maps.mkdir()  # an empty one may be there
    assert main([*asked, str(maps)]) == 0
    assert sorted(each.name for each in maps.iterdir()) == [f"ward__new_{at}.png.png" for at in range(3)]
    capsys.readouterr()
    assert main([*asked, str(maps)]) == 2 and "holds files already" in capsys.readouterr().err  # nothing is lost
    drawn = np.asarray(Image.open(maps / "ward__new_1.png.png"))
    assert drawn.shape == (SIDE, 2 * SIDE, 3) and np.array_equal(drawn[:, :SIDE, 0], bars(3, seed=9)[0][1])
    report = gallery.open_run(at_home).report
    told = next(each for each in report.checks if each.id == "G3").figures
    assert [name for name in told if name.startswith("hottest")] == ["hottest_0", "hottest_1"]
    assert max(told["hottest_0"], told["hottest_1"]) > 0


@pytest.mark.parametrize(("alike", "scale", "words"), [
    (0.9, 1.0, "they mean nothing"), (None, 0.0, "The heatmaps of this model are flat"),
    (None, 1.0, "The heatmaps of this model's shuffled weights are flat"), (0.1, 1.0, "")])
def test_heatmaps_that_mean_nothing_are_not_written_without_a_word(monkeypatch, tmp_path, alike, scale, words):
    checked = registry.get("G3")(It(context=It(choice=It(pictures=PicturePlan()), heatmaps=(alike, (0.0, scale)))))
    monkeypatch.setattr(gallery, "open_run", lambda _: It(report=It(checks=[checked])))
    monkeypatch.setattr(looking, "look_at_new", lambda *_: [])
    answers = pl.DataFrame({"picture": ["a.png"], "predicted": ["ill"], "abstained": [None]})
    said = _draw("a run", tmp_path, answers, tmp_path)
    assert len(said) == 1 + bool(words) and words in said[-1]


def test_the_surest_answers_are_shown_with_the_model_that_had_not_seen_them(at_home, folder):
    right, wrong = (looking.surest(at_home, right=which, n=5, source=folder) for which in (True, False))
    for found, same in ((right, True), (wrong, False)):
        assert ((found.answers.answer == found.answers.outcome) == same).all()
        assert (np.diff(found.answers.sure) <= 1e-12).all() and found.heat.shape == found.pixels.shape[:3]
    shown = looking.surest(at_home, right=True, n=1, source=folder)
    original = np.asarray(Image.open(folder / shown.answers.name[0]))
    assert np.array_equal(shown.pixels[0].squeeze(), original)


def test_every_judged_picture_can_be_looked_at_on_the_scale_of_the_run(at_home, folder):
    found = looking.judged(at_home, source=folder)
    report = gallery.open_run(at_home).report
    every = found.answers
    assert len(every) == report.n_cases == len(set(every.name.tolist())) and (np.diff(every.sure) <= 1e-12).all()
    outcome = [name.split("/")[0] for name in every.name.tolist()]
    assert outcome == [report.classes[each] for each in every.outcome]
    at_cut = np.where(every.answer == 1, every.p, 1 - every.p) >= report.threshold  # as `predict` decides
    assert (at_cut == (every.answer == 1)).all()
    places = np.array([len(every) - 1, 0, 20])  # in whatever order they are asked for
    some = every.take(places)
    asked = {"channels": found.channels, "hottest": found.hottest, "source": folder}
    together, alone = looking.look(at_home, some, **asked), looking.look(at_home, some.take(np.array([2])), **asked)
    assert together.answers.name.tolist() == some.name.tolist()
    assert np.allclose(together.heat[2], alone.heat[0], atol=1e-5)  # what stands beside it moves nothing
    twice = looking.look(at_home, some, **asked | {"hottest": found.hottest * 2})
    assert found.hottest.shape == (2,) and found.hottest.max() > 0 and twice.heat.max() < together.heat.max() <= 1
    one = looking.look(at_home, some, **asked | {"hottest": found.hottest * [1, 1e9]})
    assert (one.heat[some.answer == 1] < 1e-6).all()  # each answer has a scale of its own
    assert np.array_equal(one.heat[some.answer == 0], together.heat[some.answer == 0])


def test_answers_are_not_shown_beside_pictures_that_were_exchanged(at_home, folder, tmp_path):
    copy = tmp_path / "films"
    shutil.copytree(folder, copy)
    first, second = sorted((copy / "standing").iterdir())[:2]
    first.write_bytes(second.read_bytes())
    with pytest.raises(UserError, match="have changed since this run was trained"):
        looking.surest(at_home, right=True, n=1, source=copy)
    found = looking.judged(at_home, source=folder)
    exchanged = found.answers.take(np.flatnonzero(found.answers.name == f"standing/{first.name}"))
    with pytest.raises(UserError, match="have changed since this run was trained"):
        looking.look(at_home, exchanged, channels=1, hottest=np.ones(2), source=copy)


def test_no_pixel_and_no_name_of_a_patient_is_in_what_a_run_keeps(run, folder):
    """Pixels as bytes, and the number that a file's name gives a patient."""
    one = sorted((folder / "standing").iterdir())[0]
    pixels = np.asarray(Image.open(one)).tobytes()[:64]
    patient = one.name.split("_")[0].encode()
    for path in run[1].rglob("*"):
        if path.is_file() and "logs" not in path.parts:
            content = path.read_bytes()
            assert pixels not in content and patient not in content, path.name


def test_a_folder_that_changed_since_the_scan_is_refused(folder, tmp_path):
    copy = tmp_path / "films"
    shutil.copytree(folder, copy)
    found, recipe, config = planned(copy, folds=2)
    Image.fromarray(np.zeros((SIDE, SIDE), np.uint8)).save(sorted((copy / "standing").iterdir())[0])
    with pytest.raises(UserError, match="changed since it was scanned"):
        train.train(copy, found, recipe, config)


def test_a_picture_that_cannot_be_decoded_leaves_or_ends_the_training(folder, tmp_path):
    """A PNG whose chunks are whole and whose pixels are none: headers let it pass."""
    copy = tmp_path / "films"
    shutil.copytree(folder, copy)
    one = sorted((copy / "standing").iterdir())[0]
    head = one.read_bytes()[:33]  # signature and IHDR
    chunk = b"IDAT" + b"no pixels" * 9
    one.write_bytes(head + struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
                    + b"\0\0\0\0IEND\xaeB`\x82")
    found, recipe, config = planned(copy, "cnn", folds=2)
    opened = data.open_table(copy, config.choice.table)
    cases, _ = prepare(opened.frame(), recipe, found.table(config.choice.table), config.choice)
    kept = pictures.with_pixels(cases, opened.frame(), opened, config.choice, watch=Silent())
    assert len(kept.y) == 47 and kept.flow[-1].n_removed == 1
    off = recipe.model_copy(update={"steps": [step.model_copy(update={"on": step.name != "damaged_pictures"})
                                              for step in recipe.steps]})
    with pytest.raises(UserError, match="1 picture cannot be decoded"):
        pictures.refuse_damaged(kept, off)
    pictures.refuse_damaged(kept, recipe)


def test_frames_of_one_file_stay_on_one_side(tmp_path):
    pixels, _ = bars(40)
    for at in range(20):
        first, second = (Image.fromarray(each) for each in pixels[2 * at:2 * at + 2])
        (tmp_path / f"class {at % 2}").mkdir(exist_ok=True)
        first.save(tmp_path / f"class {at % 2}" / f"film {at}.tif", save_all=True, append_images=[second])
    found = profile.scan(tmp_path)
    choice = profile.propose_choice(found, pictures=PicturePlan(size=SIDE, frames="all"))
    opened = data.open_table(tmp_path, choice.table)
    frame = opened.each_frame(opened.frame())
    cases, _ = prepare(frame, propose_recipe(found.table(choice.table), choice, "0" * 64), found.table(choice.table),
                       choice)
    kept = pictures.with_pixels(cases, frame, opened, choice, watch=Silent())
    assert len(kept.y) == 40 and len(np.unique(kept.patients)) == 20
    for fold in split.make_folds(kept, SplitPlan(by="patient", scheme="cross_validation", folds=5), 0):
        assert not set(kept.patients[fold.train]) & set(kept.patients[fold.test])


def test_a_split_that_came_with_the_pictures_is_never_changed(tmp_path):
    (x, y), (vx, vy), (tx, ty) = (bars(n, seed) for n, seed in ((40, 0), (16, 1), (20, 2)))
    np.savez(tmp_path / "bars.npz", train_images=x, train_labels=y[:, None], val_images=vx, val_labels=vy[:, None],
             test_images=tx, test_labels=ty[:, None])
    found, recipe, config = planned(tmp_path)
    assert config.split.given and config.split.scheme == "held_out"
    opened = gallery.open_run(train.train(tmp_path, found, recipe, config))
    assert opened.manifest.n_train == 56 and opened.manifest.n_test == 20 and opened.report.metrics["auroc"].n == 16
    figures = train.open_held_out(opened.run)
    assert figures["auroc"].n == 20


def test_the_command_line_takes_the_table_and_the_column_that_name_pictures(folder, tmp_path, medml_home, capsys):
    from medml.__main__ import main

    copy = tmp_path / "films"
    copy.mkdir()
    rows = ["which,seen,other"]
    for at, each in enumerate(sorted((folder / "lying").glob("0010*")) + sorted((folder / "standing").iterdir())):
        shutil.copy(each, copy / f"{at:03d}.png")
        rows.append(f"{at:03d}.png,{'bar' if at % 2 else 'none'},{(at + 1) % 40:03d}.png")
    (copy / "what.csv").write_text("\n".join(rows))
    asked = ["scan", str(copy), "--labels", str(copy / "what.csv")]
    assert main([*asked, "--file-column", "which", "--json", str(tmp_path / "found.json")]) == 0
    tables = json.loads((tmp_path / "found.json").read_text())["tables"]
    assert [(each["ref"]["path"], each["ref"]["key"]) for each in tables if each["pictures"]] == [("what.csv", "which")]
    assert main([*asked, "--file-column", "seen"]) == 2
    assert "names none of the pictures" in capsys.readouterr().err
    assert main(["train", str(copy), "--label-column", "seen", "--file-column", "which", "--window", "40"]) == 2
    assert "is no window of grey" in capsys.readouterr().err


def test_the_black_ground_around_oblong_pictures_makes_nobody_alike():
    random = np.random.default_rng(0)
    grown = lambda coarse: np.asarray(Image.fromarray(coarse.astype(np.float32)).resize((384, 128), 2))  # noqa: E731
    anatomy = grown(random.uniform(110, 150, (4, 12)))  # what everybody has
    one, other = ((anatomy + grown(random.uniform(-15, 15, (16, 48)))).astype(np.uint8) for _ in range(2))
    nearly = np.clip(one.astype(int) + 3, 0, 255).astype(np.uint8)
    squares = np.stack([fit(each, 128, 1) for each in (one, other, nearly, one)])
    found = pictures.twins(Pictures(Store.of(squares), np.arange(4)), [(128, 384)] * 4)
    assert found[0] == found[2] == found[3] != found[1]
    thin = pictures.twins(Pictures(Store.of(squares), np.arange(4)), [(64, 1024)] * 4)
    assert len(set(thin.tolist())) == 3 and thin[0] == thin[3]  # of 8 rows nothing is told but equality


@pytest.mark.parametrize(("size", "side", "height", "told"), [
    (128, 300, 300, True), (32, 300, 300, False), (128, 28, 300, False), (128, 300, 60, False), (128, 300, 75, True)])
def test_likeness_is_told_where_nearly_all_pictures_have_the_pixels_for_it(size, side, height, told):
    beside = pd.DataFrame({"width": [300] * 40, "height": [300] + [height] * 39})
    context = It(table=It(pictures=PictureFacts(n=40, side=(side, side, 300))), cases=It(beside=beside),
                 choice=It(pictures=PicturePlan(size=size)))
    assert (_shown_side(context) >= ALIKE_FROM) == told


def test_twins_are_the_same_pixels_or_alike_at_64(monkeypatch):
    random = np.random.default_rng(0)
    smooth = np.asarray(Image.fromarray(random.integers(0, 255, (8, 8), np.uint8)).resize((64, 64), 2))
    nearly = np.clip(smooth.astype(int) + random.integers(-3, 4, smooth.shape), 0, 255).astype(np.uint8)
    other = np.asarray(Image.fromarray(random.integers(0, 255, (8, 8), np.uint8)).resize((64, 64), 2))
    found = pictures.twins(Pictures(Store.of(np.stack([smooth, other, nearly, other])), np.arange(4)))
    assert found[0] == found[2] and found[1] == found[3] and found[0] != found[1]
    small = pictures.twins(Pictures(Store.of(np.stack([smooth[:32, :32], nearly[:32, :32]])), np.arange(2)))
    assert small[0] != small[1]  # below 64 pixels likeness cannot be told
    grown = pictures.twins(Pictures(Store.of(np.stack([smooth, nearly, smooth])), np.arange(3)), [(28, 28)] * 3)
    assert grown[0] == grown[2] != grown[1]  # nor of thumbnails that were made larger; equal ones are equal


def test_no_two_heatmaps_go_into_one_file():
    names = ["a/b.png", "a__b.png", "A/b.png", "a/b.png (2)", "c.png", "a/b/c.png", "a__b/c.png"]
    files = file_names(names)
    assert set(files) == set(names) and len({each.casefold() for each in files.values()}) == len(names)
    assert files["c.png"] == "c.png" and not any("/" in each for each in files.values())
    assert file_names(reversed(names)) == files
