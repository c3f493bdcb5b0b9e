"""A network share that is lost at work: a folder on it is neither there nor missing, every look at it is an error."""

from __future__ import annotations

import errno
import os
import zipfile

import pytest

import worker
from medml import pictures, roots
from medml.data.images import entry, pixels
from medml.data.source import TableSource
from medml.errors import UserError
from medml.train import train
from tests.faults.test_stops import (
    SHORT,
    gone_on,
    paused,
    rounds_of,
    said_of,
    study,  # noqa: F401 - a fixture
    uninterrupted,  # noqa: F401 - a fixture
    whole_runs,
)
from tests.made_pictures import png
from tests.tables import planned
from tests.test_pictures import planned as planned_of_pictures

LOST = [errno.ENOTCONN, errno.ESTALE, errno.EIO, errno.EHOSTDOWN]


def lost(patch: pytest.MonkeyPatch, folder, number: int) -> None:
    """As the system answers for a share without its server: a dead FUSE mount said ENOTCONN to every one of these."""
    def refusing(real):
        def asked(place, *args, **more):
            if isinstance(place, str | os.PathLike) and str(place).startswith(str(folder)):
                raise OSError(number, os.strerror(number), str(place))
            return real(place, *args, **more)
        return asked
    for name in ("stat", "lstat", "open", "scandir", "access"):
        patch.setattr(os, name, refusing(getattr(os, name)))


@pytest.mark.parametrize("number", LOST, ids=errno.errorcode.get)
def test_a_training_that_goes_on_while_its_share_is_lost_waits_with_all_it_has_learned(
        study, monkeypatch, uninterrupted, number):  # noqa: F811
    job = paused(study, monkeypatch, **SHORT)
    learned = rounds_of(job)
    worker.go_on(job)
    with monkeypatch.context() as patch:
        lost(patch, study.parent, number)
        waits = gone_on(job)
    assert waits.is_paused and waits.error is None and rounds_of(job) == learned
    assert "The drive that holds these data could not be read" in waits.message and "is kept" in waits.message
    worker.go_on(job)
    assert gone_on(job).state == "done" and said_of(whole_runs()[0]) == uninterrupted


@pytest.mark.parametrize("at", ["sha256", "frame"])
def test_a_share_that_is_lost_while_the_table_is_read_is_waited_for_too(study, monkeypatch, at):  # noqa: F811
    job = paused(study, monkeypatch, **SHORT)
    worker.go_on(job)

    def failing(self, *args, **more):
        raise OSError("Input/output error (os error 5)")  # as Polars says it: its number stands in words alone
    for kind in (TableSource, *TableSource.__subclasses__()):
        if at in vars(kind):
            monkeypatch.setattr(kind, at, failing)
    assert gone_on(job).is_paused


@pytest.mark.parametrize("every", [1, 6], ids=["all", "some"])
def test_no_picture_is_left_out_because_its_share_was_lost_while_it_was_decoded(tmp_path, monkeypatch, every):
    """They were hashed a moment before: that one cannot be read now says nothing against it."""
    for at in range(24):
        png(tmp_path / f"{'lying' if at % 2 else 'standing'}" / f"{at:06d}_{at:03d}.png", at, side=24)
    plan, real = planned_of_pictures(tmp_path), pictures.decoded

    def decoded(names, *args, **more):
        for each in names[::every]:
            (tmp_path / each).rename(tmp_path / f"{each}.away")
        try:
            return real(names, *args, **more)
        finally:
            for each in tmp_path.rglob("*.away"):
                each.rename(each.with_suffix(""))
    monkeypatch.setattr(pictures, "decoded", decoded)
    with pytest.raises(UserError) as refused:
        train(tmp_path, *plan)
    assert refused.value.code == "gone" and "could not be read any more" in refused.value.what


@pytest.mark.parametrize("number", [*LOST, None])
def test_a_drive_that_fails_while_a_picture_is_decoded_is_told_from_a_damaged_picture(tmp_path, monkeypatch, number):
    file = png(tmp_path / "a.png")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(file, "a.png")

    def failing(*given):
        raise OSError(number, "") if number else OSError("Truncated File Read")
    expected = "unreadable" if number else "damaged"
    def inside():
        with zipfile.ZipFile(tmp_path / "a.zip") as archive:
            entry.unpacked(archive, "a.png")
    for module, name, read in ((pixels, "picture_pixels", lambda: pixels.read_pixels(file)),
                               (entry, "_opened", lambda: entry.entry(tmp_path / "a.zip", "a.png")),
                               (entry, "_pieces", inside)):
        with monkeypatch.context() as patch, pytest.raises(UserError) as refused:
            patch.setattr(module, name, failing)
            read()
        assert refused.value.code == expected


def test_a_fault_in_reading_that_is_no_lost_share_stays_a_fault(study, monkeypatch):  # noqa: F811
    plan = planned(study, **SHORT)
    monkeypatch.setattr(TableSource, "sha256", lambda self: open(study.parent / "none"))
    with pytest.raises(FileNotFoundError):
        train(study, *plan)


def test_a_look_at_a_folder_on_a_lost_share_says_so(study, monkeypatch):  # noqa: F811
    lost(monkeypatch, study.parent, errno.EHOSTDOWN)
    for look in (roots.existing, roots.check_source, roots.browse):
        with pytest.raises(UserError, match="could not be read: ") as refused:
            look(study.parent)
        assert refused.value.code == "lost_drive"


def test_a_folder_that_may_not_be_looked_into_and_a_name_that_is_too_long_are_told_in_words(study, monkeypatch):  # noqa: F811
    with pytest.raises(UserError, match="leads nowhere"):
        roots.check_source(study.parent / ("a" * 5_000))
    lost(monkeypatch, study.parent, errno.EACCES)
    with pytest.raises(UserError) as refused:
        roots.check_source(study.parent)
    assert refused.value.code == "no_permission"
