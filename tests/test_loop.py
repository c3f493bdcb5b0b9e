"""The one PyTorch loop: the same numbers as a bare loop, and as if nothing had ever interrupted it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional

from medml import loop
from medml.cases import FitData
from medml.curve import Curve
from medml.families import registry
from medml.watch import Silent

PLAN = loop.Plan(epochs=12, batch=16, rate=0.01, decay=0.01, patience=None)
MLP = registry.get("mlp")


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours catches it."""


def make(seed: int = 0) -> tuple[loop.Session, loop.Slices]:
    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Dropout(0.3), torch.nn.Linear(8, 2))
    random = np.random.default_rng(1)
    X = torch.from_numpy(random.normal(size=(90, 4)).astype(np.float32))
    y = (X[:, 0] + X[:, 1] > 0).long()
    return loop.start(model, PLAN), loop.Slices(X[:70], y[:70], X[70:], y[70:])


def go(session: loop.Session, slices: loop.Slices, plan: loop.Plan = PLAN, **named) -> loop.Session:
    return loop.run(session, slices, plan, train_loss=functional.cross_entropy, val_loss=functional.cross_entropy,
                    ask=lambda X: X, **named)


def table(n: int = 120, task: str = "binary") -> FitData:
    random = np.random.default_rng(3)
    X = random.normal(size=(n, 5))
    y = X[:, 0] + 0.5 * random.normal(size=n)
    return FitData(X=X, y=y if task == "regression" else (y > 0).astype(np.int64), patients=np.arange(n), task=task,
                   n_classes=0 if task == "regression" else 2, names=list("abcde"), origins=list("abcde"))


def weights(session: loop.Session) -> np.ndarray:
    return np.concatenate([each.detach().numpy().ravel() for each in session.model.state_dict().values()])


def test_a_stretch_of_training_gives_the_weights_of_a_bare_loop_written_by_hand():
    session, slices = make()
    go(session, slices)
    bare, _ = make()
    for _ in range(PLAN.epochs):
        bare.model.train()
        order = torch.randperm(70)
        X, y = slices.X[order], slices.y[order]
        for first in range(0, 70, PLAN.batch):
            bare.optimizer.zero_grad()
            functional.cross_entropy(bare.model(X[first:first + 16]), y[first:first + 16]).backward()
            bare.optimizer.step()
        bare.model.eval()
        with torch.no_grad():
            bare.scheduler.step(functional.cross_entropy(bare.model(slices.X_val), slices.y_val).item())
    assert np.array_equal(weights(session), weights(bare))


def test_the_best_epoch_is_the_one_with_the_smallest_validation_loss():
    session, slices = make()
    seen: list[float] = []

    def watch(done, total, train, predict, unit="loss"):
        with torch.no_grad():
            seen.append(functional.cross_entropy(session.model(slices.X_val), slices.y_val).item())
        return True
    go(session, slices, rounds=watch)
    assert session.best_epoch == int(np.argmin(seen)) + 1
    session.model.load_state_dict(session.best)
    session.model.eval()
    with torch.no_grad():
        assert functional.cross_entropy(session.model(slices.X_val), slices.y_val).item() == min(seen)


def test_patience_ends_the_training_so_many_epochs_after_the_best():
    session, slices = make()
    plan = loop.Plan(epochs=500, batch=16, rate=0.05, decay=0.0, patience=7)
    go(session, slices, plan)
    assert session.epoch < 500 and session.epoch - session.best_epoch == 7


def test_a_snapshot_restored_into_a_fresh_session_goes_on_number_for_number():
    whole, slices = make()
    go(whole, slices)
    first, _ = make()
    go(first, slices, loop.Plan(epochs=5, batch=16, rate=0.01, decay=0.01, patience=None))
    meta, arrays = loop.snapshot(first)
    second, _ = make(seed=99)
    loop.restore(second, meta | {"finished": False}, arrays)
    go(second, slices)
    assert np.array_equal(weights(whole), weights(second)) and second.best_loss == whole.best_loss


@pytest.mark.parametrize(("seconds", "expected"), [
    (0.1, [12]), (0.7, [2, 4, 6, 8, 10, 12]), (1.9, list(range(1, 13))), (5.0, list(range(1, 13)))])
def test_a_kill_costs_at_most_an_epoch_or_two_seconds(tmp_path, monkeypatch, seconds, expected):
    """Nothing is written more often than that needs: an epoch of 0.7 s, twice, is 1.4 s; a third would make it 2.1."""
    clock = [0.0]
    monkeypatch.setattr(loop.time, "monotonic", lambda: clock[0])
    written: list[int] = []
    checkpoints = loop.Checkpoints(tmp_path, "this fit")
    monkeypatch.setattr(loop.home, "write_bytes", lambda path, content: written.append(session.epoch))

    def epoch(done, total, train, predict, unit="loss"):
        clock[0] += seconds
        return True
    session, slices = make()
    go(session, slices, rounds=epoch, work=checkpoints)
    assert written == expected
    apart = [seconds * (after - before) for before, after in zip([0, *written], written, strict=False)]
    assert max(apart) <= max(seconds, loop.CHECKPOINT_SECONDS)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_fit_killed_and_started_again_equals_one_never_interrupted(task, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    data, settings = table(task=task), {"epochs": 14}
    whole = MLP.predict(MLP.fit(data, settings, seed=5), data.X)

    def die(done, total, train, predict, unit="loss"):
        if done == 9:
            raise Killed
        return True
    with pytest.raises(Killed):
        MLP.fit(data, settings, seed=5, rounds=die, work=tmp_path)
    heard: list[int] = []
    again = MLP.fit(data, settings, seed=5, work=tmp_path,
                    rounds=lambda done, *rest, **named: heard.append(done) or True)
    assert heard == [9, 10, 11, 12, 13, 14]  # epoch 9 had no checkpoint yet
    assert np.array_equal(MLP.predict(again, data.X), whole)


@pytest.mark.parametrize("left", [1, 40, -1, -80])
def test_a_curve_of_which_a_full_disk_kept_half_a_line_goes_on_as_if_nothing_had_happened(tmp_path, left):
    """What the next attempts write begins on a line of its own; `left` bytes of the last round's lines are kept."""
    def curve(rounds: range) -> Curve:
        made = Curve(Silent(), None, advance=lambda share: None, total=9, diary=tmp_path / "curve.jsonl",
                     seen=(np.zeros((4, 1)), np.array([0, 1, 0, 1])))
        for each in rounds:
            made(each, 9, each / 10, lambda X: np.tile([0.4, 0.6], (4, 1)))
        return made
    curve(range(1, 4))
    before = (tmp_path / "curve.jsonl").read_bytes()
    curve(range(4, 5))
    whole = (tmp_path / "curve.jsonl").read_bytes()
    (tmp_path / "curve.jsonl").write_bytes(whole[:len(before) + left] if left > 0 else whole[:left])
    curve(range(4, 7))  # the round without room is done again
    found = curve(range(6, 10)).points
    assert [(each.round, each.unit) for each in found] == [
        (n, unit) for n in range(1, 10) for unit in ("loss", "metric")]
    assert [each.train for each in found[::2]] == [each / 10 for each in range(1, 10)]


def test_a_curve_with_two_lines_run_together_by_an_older_version_is_read_but_for_those(tmp_path):
    line = '{"round":%d,"fold":-1,"repeat":0,"train":0.5,"out_of_fold":null,"unit":"loss","seconds":1.0}'
    (tmp_path / "curve.jsonl").write_text("\n".join([line % 1, (line % 2)[:30] + line % 2, line % 3, ""]))
    made = Curve(Silent(), None, advance=lambda share: None, total=9, diary=tmp_path / "curve.jsonl")
    assert [each.round for each in made.points] == [1, 3]


def test_a_fit_that_had_finished_before_the_kill_is_not_trained_again(tmp_path):
    data, settings = table(), {"epochs": 6}
    first = MLP.fit(data, settings, seed=5, work=tmp_path)
    heard: list[int] = []
    again = MLP.fit(data, settings, seed=5, work=tmp_path,
                    rounds=lambda done, *rest, **named: heard.append(done) or True)
    assert heard == [6] and np.array_equal(MLP.predict(first, data.X), MLP.predict(again, data.X))


def test_a_checkpoint_of_other_rows_is_not_taken_up(tmp_path):
    data, settings = table(), {"epochs": 6}
    MLP.fit(data, settings, seed=5, work=tmp_path)
    other = table(n=119)
    fresh = MLP.predict(MLP.fit(other, settings, seed=5), other.X)
    assert np.array_equal(MLP.predict(MLP.fit(other, settings, seed=5, work=tmp_path), other.X), fresh)


def test_a_damaged_checkpoint_starts_the_fit_again(tmp_path):
    data, settings = table(), {"epochs": 6}
    first = MLP.predict(MLP.fit(data, settings, seed=5, work=tmp_path), data.X)
    path = tmp_path / loop.CHECKPOINT
    blob = bytearray(path.read_bytes())
    blob[-3] ^= 1
    path.write_bytes(bytes(blob))
    heard: list[int] = []
    again = MLP.fit(data, settings, seed=5, work=tmp_path,
                    rounds=lambda done, *rest, **named: heard.append(done) or True)
    assert heard == [1, 2, 3, 4, 5, 6] and np.array_equal(MLP.predict(again, data.X), first)


def test_continuing_keeps_the_state_of_the_optimizer():
    data = table()
    whole = MLP.fit(data, {"epochs": 20, "patience": 500}, seed=2)
    part = MLP.fit_to(MLP.fit(data, {"epochs": 8, "patience": 500}, seed=2), data, 20, {"patience": 1}, seed=2, since=8)
    assert MLP.rounds_done(part) == 20
    assert all(np.array_equal(whole.arrays[name], part.arrays[name]) for name in whole.arrays)


def test_stopping_keeps_the_best_epoch_so_far():
    data, settings = table(), {"epochs": 60, "rate": 0.1}
    stopped = MLP.fit(data, settings, seed=1, rounds=lambda done, *rest, **named: done < 30)
    assert stopped.meta["epoch"] == 30 and stopped.meta["best_epoch"] < 30
    to_best = MLP.fit(data, settings | {"epochs": stopped.meta["best_epoch"]}, seed=1)
    assert np.array_equal(MLP.predict(stopped, data.X), MLP.predict(to_best, data.X))


def test_what_is_packed_comes_back_and_one_changed_bit_is_noticed():
    blob = loop.pack({"epoch": 3, "best": float("inf")}, {"w": np.arange(6, dtype=np.float32).reshape(2, 3)})
    meta, arrays = loop.unpack(blob)
    assert meta == {"epoch": 3, "best": float("inf")} and arrays["w"].tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(ValueError, match="hash"):
        loop.unpack(blob[:-1] + bytes([blob[-1] ^ 1]))


def test_the_callers_random_state_is_left_alone():
    torch.manual_seed(7)
    expected = torch.rand(1).item()
    torch.manual_seed(7)
    MLP.fit(table(), {"epochs": 2}, seed=3)
    assert torch.rand(1).item() == expected


def test_a_stop_within_an_epoch_falls_back_to_the_best_one(monkeypatch):
    monkeypatch.setattr(loop, "LISTEN_SECONDS", 0.0)
    session, slices = make()
    go(session, slices, dataclasses.replace(PLAN, epochs=3))
    best, epoch = {name: each.clone() for name, each in session.best.items()}, session.epoch
    session.finished = False
    go(session, slices, asked=lambda: True)
    assert session.finished and session.epoch == epoch and session.happened == {}
    assert all(torch.equal(each, best[name]) for name, each in session.model.state_dict().items())
    fresh, slices = make()
    go(fresh, slices, dataclasses.replace(PLAN, epochs=1), asked=lambda: True)  # nothing to fall back to yet
    assert fresh.epoch == 1 and fresh.best
