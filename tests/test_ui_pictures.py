"""Screens of pictures without a browser: what the scan saw, windows of CT, weights from a file, heatmaps."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

import worker
from medml import gallery, home, looking, profile, project, train
from medml.config import propose_config
from medml.errors import UserError
from medml.recipe import propose_recipe
from medml.types import PicturePlan
from pages import _scan_choice
from tests.conftest import SHARED
from tests.e2e.scenes_pictures import slices
from tests.made_pictures import dicom, png
from worker import aside

SIDE, N = 24, 24
WEIGHTS = SHARED / "weights_mobilenetv2_imagenet" / "mobilenetv2_imagenet_torchvision.pt"


@pytest.fixture
def at_once(monkeypatch):
    """What a screen asks of a child is answered here, as the child would, through the same bytes."""
    def ask(question, **about):
        return aside.opened(*aside.answered(json.dumps({"question": question, "about": about}).encode()))

    monkeypatch.setattr(worker, "ask", ask)
    again = st.rerun
    monkeypatch.setattr(st, "rerun", lambda **_: again())  # without a browser there are no runs of a part alone


def scanned(folder: Path, **choice) -> str:
    """A project on that folder whose scan and choices are made."""
    made, found = project.create(folder).id, profile.scan(folder)
    project.write(made, found)
    project.write(made, profile.propose_choice(found, **choice))
    return made


def part(draw, *given) -> AppTest:
    """One part of a screen."""
    return AppTest.from_function(draw, args=given, default_timeout=60).run()


def words(shown: AppTest) -> str:
    """What stands on the screen, without what a word opens into (its explanation) and without marks."""
    assert not shown.exception
    return re.sub("<[^>]+>", "", " ".join(each.body for each in shown.get("html")))


def addresses(shown: AppTest) -> list[str]:
    """Of the pictures on the screen; other pixels, another address."""
    return [each.proto.imgs[0].url for each in shown.get("image")]


# ---- scan and preview ------------------------------------------------------------------------------------------------

def facts(at):
    from medml import project
    from pages import _ui_pictures

    _ui_pictures.facts(project.profile(at).tables[0])


def test_the_scan_warns_of_writing_in_pictures_where_files_declare_it(tmp_path):
    for at in range(12):
        declared = {"BurnedInAnnotation": "YES"} if at < 3 else {}
        dicom(tmp_path / ("ill" if at % 2 else "well") / f"{at}.dcm", at, PatientID=f"P{at}", **declared)
    said = words(part(facts, scanned(tmp_path)))
    assert "About 3 pictures may have writing in them." in said and "crop if need be" in said


def test_the_scan_says_nothing_of_writing_where_there_is_none(tmp_path):
    for at in range(12):
        dicom(tmp_path / ("ill" if at % 2 else "well") / f"{at}.dcm", at, PatientID=f"P{at}")
    Image.new("L", (16, 16)).save(tmp_path / "ill" / "12.png")
    said = words(part(facts, scanned(tmp_path)))
    assert "may have writing" not in said and "grey (12), other (1)" in said and "DICOM (12), other (1)" in said


@pytest.mark.parametrize(("side", "advice"), [(64, "None was found at the borders."), (16, "could not look for it")])
def test_the_scan_warns_of_machines_that_often_write_into_their_pictures(tmp_path, side, advice):
    for at in range(12):
        dicom(tmp_path / ("ill" if at % 2 else "well") / f"{at}.dcm", at, side=side, PatientID=f"P{at}", Modality="US")
    said = words(part(facts, scanned(tmp_path)))
    assert "such machines often write it there" in said and "12 pictures (US)" in said and advice in said


def thumbnails(at):
    from medml import project
    from pages import _ui_pictures

    found, choice = project.profile(at), project.choice(at)
    _ui_pictures.thumbnails(project.get(at), found.table(choice.table), choice)


def test_windows_of_ct_and_levels_change_what_preview_shows(tmp_path):
    shown = part(thumbnails, scanned(slices(tmp_path / "slices", a_class=3, side=32)))
    seen = [addresses(shown)]
    assert len(seen[0]) == 6 and "shadow" in words(shown)
    window = shown.get("button_group")[0]
    assert list(window.options) == ["As the file says", "Lung", "Bone", "Soft tissue", "Brain"]
    window.set_value("Lung").run()
    seen.append(addresses(shown))
    shown.slider(key="m_levels").set_range(60, 200).run()
    seen.append(addresses(shown))
    assert words(shown) and len({tuple(each) for each in seen}) == 3


def test_pictures_of_a_number_stand_together(tmp_path):
    rows = ["file,weight"]
    for at in range(30):
        png(tmp_path / f"{at:02d}.png", at)
        rows.append(f"{at:02d}.png,{at + 0.25}")
    (tmp_path / "list.csv").write_text("\n".join(rows))
    shown = part(thumbnails, scanned(tmp_path, target="weight"))
    assert "All pictures" in words(shown) and "0.25" not in words(shown) and len(addresses(shown)) == 6


def test_an_archive_of_arrays_is_shown_though_no_column_holds_a_size(tmp_path):
    """MedMNIST: the sizes of its pictures stand in its head alone."""
    rng = np.random.default_rng(0)
    parts = {f"{name}_images": rng.integers(0, 256, (20, 28, 28), dtype=np.uint8) for name in ("train", "test")}
    labels = {f"{name}_labels": np.arange(20, dtype=np.uint8)[:, None] % 2 for name in ("train", "test")}
    np.savez(tmp_path / "small.npz", **parts, **labels)
    shown = part(thumbnails, scanned(tmp_path))
    assert "All pictures. Each has 28." in words(shown) and len(addresses(shown)) == 12


@pytest.mark.parametrize(("archive", "likely"), [(True, None), (False, ">0")])
def test_the_codes_of_an_archives_classes_are_told_apart(tmp_path, archive, likely):
    """0 to 3 of a MedMNIST file name four sorts of cells; "above 0 is yes" would lump three of them together."""
    codes = np.arange(40, dtype=np.uint8) % 4
    films = np.random.default_rng(0).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    if archive:
        np.savez(tmp_path / "cells.npz", train_images=films, train_labels=codes[:, None])
    else:
        for at in range(len(codes)):
            png(tmp_path / f"{at:02d}.png", at)
        rows = [f"{at:02d}.png,{code}" for at, code in enumerate(codes)]
        (tmp_path / "list.csv").write_text("\n".join(["file,grade", *rows]))
    table = profile.scan(tmp_path).tables[0]
    column = table.column("label" if archive else "grade")
    assert set(_scan_choice._readings(column)) == {">0", None}
    assert _scan_choice._likely(table, column) == likely


# ---- configure -------------------------------------------------------------------------------------------------------

def division(at):
    import streamlit as st

    from medml.types import SplitPlan
    from pages import _ui_plan

    own = SplitPlan(by="patient", scheme="held_out", folds=1, given=True)
    st.session_state["plan"] = _ui_plan.ask_split(own, at, 40, SplitPlan(by="patient", scheme="cross_validation"))


def test_a_division_that_came_with_the_data_can_be_put_aside_and_taken_back():
    shown = part(division, "key")
    way = shown.radio(key="key_own")
    assert shown.session_state["plan"].given and "keeps that division" in words(shown)
    way.set_value(False).run()
    plan = shown.session_state["plan"]
    assert (plan.given, plan.scheme, plan.folds) == (False, "cross_validation", 5)
    assert "divided into 5 parts" in words(shown) and "cannot be compared" in words(shown)
    shown.radio(key="key_own").set_value(True).run()
    assert shown.session_state["plan"].given and not shown.exception


def networks(at):
    from medml import families, project
    from pages import _ui_networks

    found, choice, family = project.profile(at), project.choice(at), families.registry.get("cnn")
    table = found.table(choice.table)
    _ui_networks.pretrained(family)
    _ui_networks.examples(project.get(at), table, choice.target, choice.pictures,
                          family.settled({}, table.rows, choice.pictures.size, "binary"))


def test_weights_are_brought_and_training_pictures_shown_as_they_are_changed(tmp_path, at_once):
    if not WEIGHTS.is_file():
        pytest.skip("../shared/weights_mobilenetv2_imagenet is not here")
    made = scanned(slices(tmp_path / "slices", a_class=4, side=32), pictures=PicturePlan(size=SIDE))
    shown = part(networks, made)
    assert "There are no pretrained weights on this machine." in words(shown)
    with pytest.raises(UserError, match=r"There is no file “nowhere\.pt” in that folder\."):
        aside.opened(*aside.answered(json.dumps({"question": "bring", "about": {
            "file": str(tmp_path / "nowhere.pt"), "backbone": "mobilenet_v2", "scaling": "imagenet"}}).encode()))
    shown.text_input(key="m_weights_file").set_value(str(WEIGHTS)).run()
    shown.button(key="m_weights_go").click().run()
    assert "Pretrained weights on this machine: MobileNet V2 (quick) (sha256 " in words(shown)
    assert not addresses(shown)
    shown.button(key="m_examples").click().run()
    assert len(addresses(shown)) == 6 and not any(each.key == "m_examples" for each in shown.button)


def mirrored(at, flip):
    from medml import families, project
    from pages import _ui_networks

    found, choice, family = project.profile(at), project.choice(at), families.registry.get("cnn")
    table = found.table(choice.table)
    _ui_networks.examples(project.get(at), table, choice.target, choice.pictures,
                          family.settled({"flip": flip}, table.rows, choice.pictures.size, "binary"))


def test_mirroring_chest_films_is_warned_of(tmp_path):
    for at in range(8):
        dicom(tmp_path / ("ill" if at % 2 else "well") / f"{at}.dcm", at, PatientID=f"P{at}", BodyPartExamined="CHEST")
    made = scanned(tmp_path, pictures=PicturePlan(size=SIDE))
    assert "the heart would lie on the wrong side" in words(part(mirrored, made, "left-right"))
    assert "the heart would lie on the wrong side" not in words(part(mirrored, made, "none"))


# ---- where a model looked --------------------------------------------------------------------------------------------

@pytest.fixture
def of_a_number(tmp_path):
    """A run that tells how far to the right a bright bar stands."""
    random, rows = np.random.default_rng(0), ["image,place"]
    for at in range(N):
        pixels = random.integers(0, 60, (SIDE, SIDE), dtype=np.uint8)
        place = int(random.integers(1, SIDE - 4))
        pixels[:, place:place + 3] = 220
        Image.fromarray(pixels).save(tmp_path / f"{at:02d}.png")
        rows.append(f"{at:02d}.png,{place + random.random():.2f}")
    (tmp_path / "places.csv").write_text("\n".join(rows))
    found = profile.scan(tmp_path)
    choice = profile.propose_choice(found, target="place", pictures=PicturePlan(size=SIDE))
    table, sha = found.table(choice.table), home.sha256_of(found)
    recipe = propose_recipe(table, choice, sha)
    plan = {"backbone": "small", "start": "scratch", "epochs": 2, "batch": 8}
    config = propose_config(table, choice, recipe, profile_sha256=sha, data_sha256=table.sha256, family="cnn",
                            params=plan, folds=2)
    assert config.choice.task == "regression"
    return train.train(tmp_path, found, recipe, config)


def where_it_looked(run):
    from medml import gallery
    from pages import _ui_looked

    _ui_looked.where_it_looked(gallery.open_run(run))


def test_answers_that_are_numbers_are_shown_with_what_spoke_for_more(of_a_number, at_once):
    found = looking.judged(of_a_number)
    every = found.answers
    assert len(every) == N and found.hottest.shape == (1,)
    assert (np.diff(np.abs(every.answer - every.outcome)) >= 0).all()
    shown = part(where_it_looked, of_a_number)
    assert "Red is what spoke for a higher number" in words(shown)
    shown.button(key="m_look").click().run()
    assert len(addresses(shown)) == 6 and f"1 to 6 of {N}" in words(shown)
    assert every.name[-1] in words(shown) and every.name[0] not in words(shown)  # what is furthest off comes first
    shown.selectbox(key="m_looked_order").set_value("Nearest to the truth first").run()
    assert every.name[0] in words(shown) and every.name[-1] not in words(shown)
    shown.button(key="m_looked_next").click().run()
    assert f"7 to 12 of {N}" in words(shown) and every.name[0] not in words(shown)
    shown.text_input(key="m_looked_name").set_value(every.name[-1]).run()
    assert "1 to 1 of 1" in words(shown) and every.name[-1] in words(shown) and len(addresses(shown)) == 1
    told = next(each for each in gallery.open_run(of_a_number).report.checks if each.id == "G3").figures
    assert [name for name in told if name.startswith("hottest")] == ["hottest_0"]
    drawn = list(looking.look_at_new(of_a_number, Path(gallery.open_run(of_a_number).profile.source),
                                     {"00.png": "3.2", "01.png": "9"}))
    assert [each[0] for each in drawn] == ["00.png", "01.png"]


def test_films_with_a_table_of_labels_are_proposed_and_not_the_labels_alone(tmp_path):
    """As on the command line: the larger table is that of the labels, since one film of them is cut off."""
    for n in range(24):
        png(tmp_path / "films" / f"{n}.png", n)
    (tmp_path / "films" / "0.png").write_bytes((tmp_path / "films" / "0.png").read_bytes()[:40])
    rows = [f"films/{n}.png,{40 + n},{'ill' if n % 2 else 'well'}" for n in range(24)]
    (tmp_path / "labels.csv").write_text("\n".join(["path,age,finding", *rows]))
    found = profile.scan(tmp_path)
    assert [each.rows for each in found.tables] == [23, 24]
    assert found.tables[_scan_choice.likely_table(found)].pictures is not None
    assert profile.propose_choice(found).table == found.tables[0].ref
