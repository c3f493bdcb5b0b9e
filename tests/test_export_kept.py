"""Downloads of an exported model: made by a job, kept beside the run, in no other download, gone when blocked."""

from __future__ import annotations

import dataclasses
import io
import zipfile

import pytest
from tables import clinic, planned, saved

from medml import export, gallery, one_file
from medml.export import families as written
from medml.export import kept
from medml.store import Job
from medml.train import train
from medml.watch import Silent
from worker.jobs import registry


@pytest.fixture
def run(tmp_path):
    source = saved(clinic(150), tmp_path / "clinic")
    return train(source, *planned(source))


def job(run: str) -> Job:
    fields = {name: None for name in Job.__dataclass_fields__}
    return Job(**fields | {"id": "export-1", "kind": "export", "payload": {"run": run}})


def test_the_job_keeps_both_downloads_and_the_comparison(run):
    assert kept.ready(gallery.open_run(run)) == {}
    result = registry.get("export").run(job(run), Silent())
    ready = kept.ready(gallery.open_run(run))
    assert result["run"] == run and result["bytes"] > 1000 and set(ready) == {"model", "capsule"}
    with zipfile.ZipFile(ready["model"]) as archive:
        assert set(archive.namelist()) == {"model.onnx", "schema.json", "run.py", "cells.py", "run.mjs"}
    with zipfile.ZipFile(ready["capsule"]) as archive:
        assert "validate.py" in archive.namelist()
    assert export.g2(gallery.open_run(run)).verdict == "pass"


def test_downloads_go_with_the_comparison_that_they_passed(run, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")
    kept.make(run)
    monkeypatch.setattr(kept, "capsule", full)
    with pytest.raises(OSError, match="No space"):
        kept.make(run)
    assert kept.ready(gallery.open_run(run)) == {}  # a new record, and files that it does not speak of


def test_the_runs_own_download_does_not_hold_the_model_twice(run):
    kept.make(run)
    with zipfile.ZipFile(io.BytesIO(one_file.pack(run))) as archive:
        names = archive.namelist()
    assert f"{run}/exports/0.json" in names and not [each for each in names if each.endswith(".zip")]


def test_nothing_is_offered_once_an_export_was_blocked(run, monkeypatch):
    from medml.errors import UserError

    kept.make(run)
    plain = written.logistic
    monkeypatch.setitem(written.FAMILIES, "logistic", lambda graph, fitted, rows: dataclasses.replace(
        found := plain(graph, fitted, rows), turn=0.999 * found.turn))
    with pytest.raises(UserError):
        kept.make(run)
    assert kept.ready(gallery.open_run(run)) == {}
