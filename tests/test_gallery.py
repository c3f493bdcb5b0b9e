"""The gallery: files alone, nothing half saved is listed, nothing is lost by a revert."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import shutil
import zipfile

import pytest
from tables import clinic, planned, saved

from medml import gallery, home, one_file, rivals, store, tried
from medml.errors import UserError
from medml.train import prepare_ground, train
from medml.types import PicturePlan, TrainConfig
from medml.watch import Silent
from pages._ui_settings import setting


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(a home with a run of logistic regression and one of a small network on the same table, their names)."""
    place = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(place / "home"))
        source = saved(clinic(120), place)
        return place / "home", [train(source, *planned(source, family=family, params=params))
                                for family, params in (("logistic", {}), ("mlp", {"epochs": 5}))]


@pytest.fixture
def two_runs(trained, medml_home):
    """Both runs, in a home of this test's own."""
    shutil.copytree(trained[0], medml_home, dirs_exist_ok=True)
    return list(trained[1])


def test_runs_are_listed_newest_first_with_their_headline(two_runs):
    listed = gallery.runs()
    assert {each.run for each in listed} == set(two_runs)
    assert all(each.headline_name == "auroc" and each.headline.low < each.headline.high for each in listed)
    assert all(each.target == "outcome" and each.source_file == "clinic.csv" for each in listed)
    assert [each.made for each in listed] == sorted((each.made for each in listed), reverse=True)


def test_a_name_and_notes_are_kept_and_change_nothing_else(two_runs):
    before = {path: path.read_bytes() for path in (home.runs_folder() / two_runs[0]).rglob("*") if path.is_file()}
    gallery.rename(two_runs[0], name="Ward 3", notes="first try")
    assert gallery.open_run(two_runs[0]).label.model_dump() == {"name": "Ward 3", "notes": "first try"}
    changed = [path.name for path, content in before.items() if path.read_bytes() != content]
    assert changed == ["label.json"]
    with pytest.raises(UserError, match="needs a name"):
        gallery.rename(two_runs[0], name="  ")


def test_comparing_shows_figures_with_intervals_and_only_settings_that_differ(two_runs):
    both = gallery.compare(*two_runs)
    left, right = both.metrics["auroc"]
    assert left.low < left.high and right.low < right.high
    assert both.settings["family"] == ("logistic", "mlp")
    assert "seed" not in both.settings


def test_how_pictures_were_brought_to_one_size_is_compared_in_words(two_runs):
    def seen_at(run: gallery.Run, size: int) -> gallery.Run:
        choice = run.config.choice.model_copy(update={"pictures": PicturePlan(size=size)})
        return dataclasses.replace(run, config=run.config.model_copy(update={"choice": choice}))

    small, large = (gallery.settings_of(seen_at(gallery.open_run(two_runs[0]), each)) for each in (64, 224))
    assert [key for key in small if small[key] != large[key]] == ["pictures: size"]
    said = [setting(key, value, []) for key, value in large.items() if key.startswith("pictures: ")]
    assert said == [("Pixels a side", "224"), ("Range of grey", "As the file says"),
                    ("Files of several frames", "The first frame")]
    assert "pictures: size" not in gallery.settings_of(gallery.open_run(two_runs[0]))


def test_a_download_is_one_zip_that_opens_and_holds_the_weights(two_runs):
    with zipfile.ZipFile(io.BytesIO(one_file.pack(two_runs[1]))) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        assert any("/final/model/" in name for name in names)
        assert not any("private" in name for name in names)
        profile = json.loads(archive.read(f"{two_runs[1]}/profile.json"))
    assert "/" not in profile["source"]


def test_while_another_changes_the_gallery_nothing_is_deleted_and_no_stop_counted(monkeypatch):
    place = home.ensure(home.runs_folder() / "run-1")
    monkeypatch.setattr(gallery, "folder_of", lambda run: place)
    monkeypatch.setattr(store, "only_one", lambda name, **more: contextlib.nullcontext(False))
    for act in (lambda: gallery.delete("run-1"), lambda: tried.count_stop("0" * 64, "died", "job-0001")):
        with pytest.raises(UserError) as refused:
            act()
        assert refused.value.code == "locked"
    assert place.is_dir() and tried.stops("0" * 64, "died") == 0


def test_a_deleted_run_is_gone_and_the_other_stays(two_runs):
    gallery.delete(two_runs[0])
    assert [each.run for each in gallery.runs()] == [two_runs[1]]
    with pytest.raises(UserError, match="no run"):
        gallery.open_run(two_runs[0])


def test_a_deleted_run_still_counts_as_tried(two_runs):
    config = gallery.open_run(two_runs[0]).config
    before = rivals.configurations(config.data_sha256, config.choice.target)
    gallery.delete(two_runs[0])
    assert rivals.configurations(config.data_sha256, config.choice.target) == before >= 1


def test_a_half_written_folder_is_not_listed(two_runs):
    part = home.runs_folder() / ".mlp-half.part"
    part.mkdir()
    (part / "manifest.json").write_text("{}")
    assert len(gallery.runs()) == 2


@pytest.mark.parametrize(("file", "content", "words"), [
    ("checkpoints/0/report.json", None, "Files of this model are missing"),
    ("config.json", "{", "damaged"),
    ("manifest.json", '{"version": 99}', "another version"),
])
def test_a_damaged_run_is_shown_with_its_reason_and_the_gallery_works(two_runs, file, content, words):
    path = home.runs_folder() / two_runs[0] / file
    path.unlink() if content is None else path.write_text(content)
    by_name = {each.run: each for each in gallery.runs()}
    assert words in by_name[two_runs[0]].unusable
    assert by_name[two_runs[1]].unusable == ""


def test_weights_with_one_flipped_byte_are_not_loaded(two_runs):
    from medml.pipeline import Pipeline

    run = gallery.open_run(two_runs[1])
    model = run.checkpoint_folder / "final" / "model"
    weights = max((path for path in model.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(bytes(content))
    with pytest.raises(UserError):
        Pipeline.load(run.checkpoint_folder / "final", "mlp")


@pytest.mark.parametrize("name", ["../../etc", "", ".hidden", "a/b", "nothing-like-it"])
def test_a_name_that_is_no_run_is_refused(name):
    with pytest.raises(UserError):
        gallery.open_run(name)


def test_reverting_before_the_first_checkpoint_is_refused(two_runs):
    with pytest.raises(UserError, match="no checkpoint before this one"):
        gallery.revert(two_runs[0])
    with pytest.raises(UserError, match="no checkpoint 7"):
        gallery.revert(two_runs[0], 7)


def test_two_runs_of_the_same_outcome_and_table_can_be_compared(two_runs):
    assert gallery.why_not_comparable(*map(gallery.open_run, two_runs)) == []
    both = gallery.compare(*two_runs)
    assert both.reasons == [] and both.caution == "" and not set(both.metrics) & set(both.runs[0].report.hidden)


def test_runs_of_other_outcomes_or_tables_are_told_apart_in_words(two_runs):
    run = gallery.open_run(two_runs[0])
    choice = run.config.choice.model_copy(update={"target": "died"})
    asked = dataclasses.replace(run, config=run.config.model_copy(update={"choice": choice}))
    positive = run.report.positive
    assert gallery.why_not_comparable(run, asked) == [
        f"They predict different outcomes: “outcome” ({positive}) and “died” ({positive})."]
    later = dataclasses.replace(run, manifest=run.manifest.model_copy(update={"data_sha256": "0" * 64}))
    assert gallery.why_not_comparable(run, later) == [
        "They were made from different tables: two versions of clinic.csv."]


def test_a_run_keeps_the_event_that_it_was_judged_by(tmp_path, medml_home, monkeypatch):
    """Of 9 and 9 patients no class is named in the settings; how one of them is picked was another before."""
    rows = [f"{n},{n % 5},{'malignant' if n % 2 else 'benign'}" for n in range(18)]
    source = tmp_path / "few.csv"
    source.write_text("\n".join(["crp,hb,outcome", *rows]))
    with monkeypatch.context() as before:
        before.setattr("medml.recipe.target.yes_class", min)
        opened = gallery.open_run(train(source, *planned(source)))
    assert home.read_model(opened.folder / "config.json", TrainConfig).choice.positive is None
    ground = prepare_ground(source, opened.profile, opened.recipe, opened.config, watch=Silent())
    assert ground.cases.classes == opened.report.classes == ["malignant", "benign"]
