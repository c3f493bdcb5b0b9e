"""The installation's key is gone or another one: which case of a table is which in a run can then not be told."""

from __future__ import annotations

import pytest
from tables import clinic, planned, saved

from medml import doctor, gallery, home, outside
from medml.errors import UserError
from medml.judged import judged
from medml.saved_split import read as read_split
from medml.train import train
from medml.types import SplitPlan

GONE = "under which .* was trained is gone"


@pytest.fixture
def held(tmp_path, medml_home):
    """(a run that keeps rows closed, a folder with those rows and no others)."""
    own = clinic(200)
    source = saved(own, tmp_path / "ours")
    run = train(source, *planned(source, split=SplitPlan(by="row", scheme="held_out", folds=3, repeats=1)))
    closed = own.iloc[read_split(gallery.open_run(run).folder / "private" / "split.npz").held_out]
    saved(closed, tmp_path / "closed")
    return run, tmp_path / "closed"


def lose_the_key() -> None:
    (home.home() / "keys" / "secret").unlink()


@pytest.mark.parametrize("left", [0, 31])
def test_a_key_that_was_cut_short_is_refused_and_left_as_it_is(left):
    home.secret()
    file = home.home() / "keys" / "secret"
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(UserError, match=f"keys/secret in MedML's folder is damaged: it has {left} of") as refused:
        home.keyed_hash("patient", "P1")
    assert "put keys/secret back from a backup" in refused.value.fix and file.stat().st_size == left
    found = {each.setting: each for each in doctor.examine(slow=False).findings}["Keys"]
    assert (found.light, found.what) == ("red", refused.value.what)


def test_rows_that_are_kept_closed_are_no_data_from_elsewhere_because_the_key_was_lost(held):
    run, closed = held
    with pytest.raises(UserError, match="keeps closed"):
        outside.validate(run, closed)
    lose_the_key()
    with pytest.raises(UserError, match=GONE):
        outside.validate(run, closed)
    assert not gallery.open_run(run).report.external


def test_cases_that_cannot_be_told_are_not_spoken_of_as_none(held):
    run, _ = held
    assert len(judged(gallery.open_run(run)).cases.y)
    lose_the_key()
    with pytest.raises(UserError, match=GONE):
        judged(gallery.open_run(run))
