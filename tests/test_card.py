"""One training at a time on a graphics card: two homes of one machine wait for each other."""

from __future__ import annotations

import os
import subprocess
import sys
import types

import pytest
from tables import clinic, planned, saved

from medml import card, device, families, gallery, store
from medml.errors import Paused, Stopped
from medml.train import train
from medml.watch import Silent
from tests.at_work import ROOT

HOLD = """
import sys
from medml import store
with store.only_one_here("cuda-GPU-7f3a") as free:
    print(free, flush=True)
    sys.stdin.read()
"""


class Waiting(Silent):
    """Asks to stop, or to pause, once it is told that the training waits; counts how often it was told."""

    def __init__(self, then: type[Exception] | None = None) -> None:
        self.then, self.told = then, 0

    def say(self, stage, fraction, message=""):
        self.told += message == card.WAITING

    def stopping(self) -> bool:
        return self.then is Stopped and self.told > 0

    def safe_point(self) -> None:
        if self.then is Paused and self.told:
            raise Paused


@pytest.fixture
def a_card(monkeypatch, tmp_path):
    """A machine with a graphics card, as far as the lock asks; the work is done by the processor."""
    monkeypatch.setattr(card, "name_of_card", lambda: "cuda-GPU-7f3a")
    monkeypatch.setattr(card, "LOOK", 0.05)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    yield
    monkeypatch.setattr("tempfile.tempdir", None)


@pytest.fixture
def other_home(a_card, tmp_path):
    """A process of another home that holds the card."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env=os.environ | {"MEDML_HOME": str(tmp_path / "other"), "PYTHONPATH": str(ROOT)})
    assert holder.stdout.readline() == "True\n"
    yield holder
    holder.kill()
    holder.wait()
    holder.stdin.close()
    holder.stdout.close()


@pytest.mark.parametrize("act", [Stopped, Paused])
def test_a_training_waits_for_the_card_of_another_home_and_hears_stop_and_pause(other_home, tmp_path, act):
    source = saved(clinic(), tmp_path / "study")
    watch = Waiting(act)
    with pytest.raises(act):
        train(source, *planned(source, family="mlp", params={"epochs": 2}), watch=watch)
    assert watch.told and gallery.runs() == []


def test_the_card_is_free_again_however_its_holder_ended(other_home):
    with store.only_one_here("cuda-GPU-7f3a") as free:
        assert not free
    other_home.kill()
    other_home.wait()
    watch = Waiting()
    with card.alone(True, watch), store.only_one_here("cuda-GPU-7f3a") as free:
        assert not free  # held by this training now


def test_what_asks_no_card_waits_for_none(other_home):
    with card.alone(families.registry.get("logistic").on_card, Waiting(Stopped)):
        pass
    assert {each.name for each in families.registry if each.on_card} == {"mlp", "cnn", "cnn_features"}


def test_two_cards_are_two_locks_and_a_machine_without_one_has_none(monkeypatch):
    assert card.name_of_card() is None or device.pick().type != "cpu"
    import torch

    monkeypatch.setattr(device, "pick", lambda: torch.device("cuda", 0))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda on: types.SimpleNamespace(uuid="GPU-1"))
    assert card.name_of_card() == "cuda-GPU-1"


def test_a_lock_that_may_not_be_opened_holds_nobody_up(a_card, tmp_path, monkeypatch):
    (tmp_path / "medml-cuda-GPU-7f3a.lock").mkdir()  # as good as a file that the system refuses
    with store.only_one_here("cuda-GPU-7f3a") as free:
        assert free
