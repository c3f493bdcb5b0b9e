"""Projects keep the line's files, say where one stands, and lead nowhere outside what is allowed."""

from __future__ import annotations

import os
import threading

import pytest

from medml import home, project, store
from medml.errors import UserError
from medml.types import Choice, Column, Profile, Recipe, SplitPlan, Step, Table, TableRef, TrainConfig


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "Ward 3"
    place.mkdir()
    (place / "a.csv").write_text("x,y\n1,0\n")
    return place


def a_profile(*names: str) -> Profile:
    columns = [Column(name=each, kind="number", missing=0, distinct=2) for each in names]
    table = Table(ref=TableRef(path="a.csv"), sha256="0" * 64, rows=1, columns=columns, duplicates=0)
    return Profile(source="/x", made="2026-01-01T00:00:00+00:00", files=[], tables=[table])


CHOICE = Choice(table=TableRef(path="a.csv"), target="y", task="binary")
RECIPE = Recipe(profile_sha256="0" * 64, steps=[Step(name="impute", reason="gaps")])


def a_config(recipe: Recipe) -> TrainConfig:
    return TrainConfig(name="first", choice=CHOICE, family="auto", split=SplitPlan(by="row", scheme="cross_validation"),
                       profile_sha256="0" * 64, recipe_sha256=home.sha256_of(recipe), data_sha256="0" * 64)


def test_a_project_is_found_again_with_its_name_and_source(folder):
    made = project.create(folder)
    assert made.name == "Ward 3" and made.source == str(folder) and made.stage == "scan"
    assert project.all_projects() == [project.get(made.id)]
    assert project.rename(made.id, "  Ward three ").name == "Ward three"


def test_the_clinicians_folder_is_never_written_to(folder):
    made = project.create(folder)
    project.write(made.id, a_profile("x", "y"))
    project.delete(made.id)
    assert [each.name for each in folder.iterdir()] == ["a.csv"]
    assert project.all_projects() == []


@pytest.mark.parametrize(("path", "code"), [("", "missing"), ("/no/such/place", "missing"),
                                            ("/dev/null", "not_a_file")])
def test_a_source_that_cannot_be_used_is_told_in_words(path, code):
    with pytest.raises(UserError) as refused:
        project.create(path)
    assert refused.value.code == code and refused.value.fix


def test_a_link_that_leads_to_itself_is_told_in_words(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(UserError) as refused:
        project.create(loop)
    assert refused.value.code == "missing"


def test_stages_follow_what_is_there(folder):
    made = project.create(folder).id
    seen = [project.stage_of(made)]
    for value in (a_profile("x", "y"), CHOICE, RECIPE, a_config(RECIPE)):
        project.write(made, value)
        seen.append(project.stage_of(made))
    store.submit("job-0001", "train", "train", {}, project=made)
    seen.append(project.stage_of(made))
    (home.runs_folder() / "run-1").mkdir()
    project.add_run(made, "run-1")
    seen.append(project.stage_of(made))
    assert seen == ["scan", "scan", "preview", "cleanup", "configure", "train", "evaluate"]


def test_a_new_scan_keeps_the_choice_while_its_columns_are_there(folder):
    made = project.create(folder).id
    for value in (a_profile("x", "y"), CHOICE, RECIPE, a_config(RECIPE)):
        project.write(made, value)
    project.write(made, a_profile("x", "y", "z"))
    assert project.choice(made) == CHOICE and project.recipe(made) is None and project.config(made) is None
    project.write(made, a_profile("x"))  # the target is gone
    assert project.choice(made) is None


def test_the_same_scan_again_changes_nothing(folder):
    made = project.create(folder).id
    for value in (a_profile("x", "y"), CHOICE, RECIPE, a_config(RECIPE)):
        project.write(made, value)
    project.write(made, a_profile("x", "y"))
    assert project.config(made) == a_config(RECIPE)


def test_a_changed_recipe_keeps_the_configuration_on_the_new_recipe(folder):
    made = project.create(folder).id
    for value in (a_profile("x", "y"), CHOICE, RECIPE, a_config(RECIPE)):
        project.write(made, value)
    other = RECIPE.model_copy(update={"steps": []})
    project.write(made, other)
    assert project.config(made) == a_config(other)


def test_a_damaged_file_counts_as_not_there(folder):
    made = project.create(folder).id
    project.write(made, a_profile("x", "y"))
    (project.folder(made) / "profile.json").write_text("{")
    assert project.profile(made) is None
    (project.folder(made) / "project.json").write_text("{")
    assert project.all_projects() == []


@pytest.mark.parametrize("wanted", ["../../etc", "p1/../..", "", "no-such"])
def test_only_ids_lead_to_a_project(wanted):
    with pytest.raises(UserError):
        project.folder(wanted)


def test_a_deleted_run_is_no_longer_listed(folder):
    made = project.create(folder).id
    place = home.runs_folder() / "run-1"
    place.mkdir()
    project.add_run(made, "run-1")
    project.add_run(made, "run-1")
    assert project.runs_of(made) == ["run-1"]
    place.rmdir()
    assert project.runs_of(made) == []


def test_two_trainings_that_end_at_once_are_both_listed(folder, monkeypatch):
    made = project.create(folder).id
    for each in ("run-1", "run-2"):
        (home.runs_folder() / each).mkdir()
    plain, second = project.runs_of, threading.Thread(target=lambda: project.add_run(made, "run-2"))

    def runs_of(name):
        found = plain(name)
        if not second.ident:
            second.start()
            second.join(0.3)  # it has to wait for the first
        return found
    monkeypatch.setattr(project, "runs_of", runs_of)
    project.add_run(made, "run-1")
    second.join()
    assert plain(made) == ["run-1", "run-2"]


def test_deleting_a_project_stops_its_jobs(folder):
    made = project.create(folder).id
    store.submit("job-0001", "scan", "quick", {}, project=made)
    project.delete(made)
    assert store.get("job-0001").state == "stopped"


def test_browsing_shows_folders_and_counts_and_no_contents(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "A").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("1.csv", "2.csv", ".secret"):
        (tmp_path / "A" / name).write_text("Jane Roe")
    seen = project.browse(tmp_path)
    assert [(each.name, each.n_files) for each in seen.folders] == [("A", 2), ("b", 0)]
    assert seen.n_files == 0 and seen.parent == str(tmp_path.parent)
    assert "csv" not in seen.model_dump_json() and "Jane" not in seen.model_dump_json()


def test_no_way_leads_out_of_the_allowed_roots(tmp_path, monkeypatch):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "way out").symlink_to(outside)
    monkeypatch.setenv("MEDML_ROOTS", str(inside))
    assert project.browse(inside).parent is None and project.browse(inside).folders == []
    for each in (outside, inside / "way out", inside / ".." / "outside"):
        with pytest.raises(UserError) as refused:
            project.create(each)
        assert refused.value.code == "outside_roots"
    assert project.create(inside).source == str(inside)


def test_a_folder_without_permission_is_listed_and_refused(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    if os.access(closed, os.R_OK):
        pytest.skip("this account may read everything")
    assert [each.readable for each in project.browse(tmp_path).folders] == [False]
    with pytest.raises(UserError) as refused:
        project.create(closed)
    assert refused.value.code == "no_permission"


def test_a_full_disk_keeps_the_old_file_and_says_so(folder, monkeypatch):
    made = project.create(folder).id
    project.write(made, a_profile("x", "y"))

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(home, "write_bytes", full)
    with pytest.raises(UserError) as refused:
        project.write(made, a_profile("x"))
    assert refused.value.code == "disk_full"
    assert project.profile(made) == a_profile("x", "y")


def test_the_example_is_the_published_table_made_a_little_dirty():
    table = (project.example_source() / "biopsies.csv").read_text().splitlines()
    assert len(table) == 1 + 569 + 6
    names = table[0].split(",")
    assert names[0] == "patient_id" and names[-1] == "diagnosis" and len(names) == 34
    rows = [each.split(",") for each in table[1:570]]
    assert sum(each[-1] == "malignant" for each in rows) == 212  # as published: 212 malignant, 357 benign
    cells = [cell for row in rows for cell in row]
    assert {"", "?", "-999", "<0.001"} <= set(cells)
    assert len(set(table[1:])) == 569
