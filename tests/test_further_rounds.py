"""More rounds for a finished run: kept when stopped, the same numbers after a kill."""

from __future__ import annotations

import numpy as np
import pytest
from tables import clinic, planned, saved

from medml import gallery, terminal
from medml.__main__ import main as command
from medml.errors import Stopped
from medml.pipeline import Pipeline
from medml.train import continue_run, train
from medml.watch import Silent

IN_ROUNDS = {"mlp": {"epochs": 6}, "boosting": {"trees": 20}, "forest": {"trees": 50}}


class After(Silent):
    """Asks to stop (or dies, as a killed process does) at the n-th look."""

    def __init__(self, looks: int, *, die: bool = False) -> None:
        self.left, self.die = looks, die

    def stopping(self) -> bool:
        self.left -= 1
        if self.left < 0 and self.die:
            raise KeyboardInterrupt
        return self.left < 0


@pytest.fixture
def source(tmp_path):
    return saved(clinic(), tmp_path)


def rounds_of(run: gallery.Run) -> list[int]:
    """Rounds of every fold's model and of the final one, in the checkpoint in use."""
    places = [*sorted((run.checkpoint_folder / "folds").iterdir()), run.checkpoint_folder / "final"]
    pipes = [Pipeline.load(place, run.config.family) for place in places]
    return [pipe.family.rounds_done(pipe.fitted) for pipe in pipes]


@pytest.mark.parametrize("family", IN_ROUNDS)
def test_a_stopped_continue_keeps_the_rounds_of_every_fold_and_of_the_final_model(source, family):
    run = train(source, *planned(source, family=family, params=IN_ROUNDS[family]))
    before = rounds_of(gallery.open_run(run))
    added = continue_run(run, 400, source=source, watch=After(15))
    opened = gallery.open_run(run)
    after = rounds_of(opened)
    assert opened.chain.current == added.number == 1 and added.rounds == after[-1]
    gained = [now - then for now, then in zip(after, before, strict=True)]
    assert min(gained) >= 1 and max(gained) <= 40
    assert next(each.verdict for each in opened.report.checks if each.id == "G1") == "could_not_tell"
    gallery.revert(run)
    assert rounds_of(gallery.open_run(run)) == before


def test_a_continue_stopped_before_its_first_round_leaves_the_run_as_it_was(source):
    run = train(source, *planned(source, family="mlp", params=IN_ROUNDS["mlp"]))
    with pytest.raises(Stopped):
        continue_run(run, 5, source=source, watch=After(0))
    assert len(gallery.open_run(run).chain.checkpoints) == 1


@pytest.mark.parametrize("family", IN_ROUNDS)
def test_a_killed_continue_ends_with_the_numbers_of_an_uninterrupted_one(source, family, monkeypatch):
    monkeypatch.setattr("medml.loop.CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr("medml.folds.WRITTEN", 0.0)
    run = train(source, *planned(source, family=family, params=IN_ROUNDS[family]))
    continue_run(run, 8, source=source)
    whole = gallery.open_run(run)
    gallery.revert(run)
    with pytest.raises(KeyboardInterrupt):
        continue_run(run, 8, source=source, job="killed-once", watch=After(14, die=True))
    continue_run(run, 8, source=source, job="killed-once")
    again = gallery.open_run(run)
    assert rounds_of(again) == rounds_of(whole)
    assert again.report.metrics == whole.report.metrics
    pairs = [np.load(each.checkpoint_folder / "private" / "oof.npz")["p"] for each in (whole, again)]
    assert np.array_equal(*pairs)


def test_going_on_is_not_ended_by_the_patience_of_the_first_training(source):
    run = train(source, *planned(source, family="mlp", params={"epochs": 100, "patience": 5, "rate": 0.1}))
    before = rounds_of(gallery.open_run(run))
    assert max(before) < 100  # every one of them was ended by its patience
    continue_run(run, 12, source=source)
    assert rounds_of(gallery.open_run(run)) == [each + 12 for each in before]


class Listening(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, stage: str, fraction: float, message: str, **more: object) -> None:
        self.said.append(message)


def test_rounds_that_bring_nothing_better_are_said_to(source, capsys):
    """A rate of 0.1 has long left its best round behind when patience ends it."""
    run = train(source, *planned(source, family="mlp", params={"epochs": 100, "patience": 5, "rate": 0.1}))
    before, watch = gallery.open_run(run).report.metrics, Listening()
    continue_run(run, 3, source=source, watch=watch)
    assert gallery.open_run(run).report.metrics == before
    assert watch.said[-1] == "Finished: the further rounds brought nothing better, so the figures are as before."
    assert command(["continue", run, "--epochs", "1"]) == 0
    assert "They brought nothing better, so the figures are as before." in capsys.readouterr().out
    learns, heard = train(source, *planned(source, family="mlp", params=IN_ROUNDS["mlp"])), Listening()
    continue_run(learns, 8, source=source, watch=heard)
    assert heard.said[-1] == "Finished"


def test_the_terminal_says_that_a_stopped_continue_kept_its_rounds(source, capsys, monkeypatch):
    run = train(source, *planned(source, family="mlp", params=IN_ROUNDS["mlp"]))
    watch = After(15)

    def pressed(bar: terminal.Bar) -> bool:
        bar.asked_to_stop = watch.stopping()
        return bar.asked_to_stop

    monkeypatch.setattr(terminal.Bar, "stopping", pressed)
    assert command(["continue", run, "--epochs", "400"]) == 0
    assert "Stopped: the rounds so far are kept as checkpoint 1" in capsys.readouterr().out
