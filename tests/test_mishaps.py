"""What comes in the way of a training: memory that runs out, a loss that is no number, a graphics card that fails."""

from __future__ import annotations

import math
import os
import types

import numpy as np
import psutil
import pytest
import torch
from tables import clinic, planned, saved

import worker
from medml import device, gallery, loop, mishaps, night, store
from medml.errors import UserError
from medml.mishaps import card_is_gone, ran_out_of_memory
from medml.report.content import document_of
from medml.report.document import Words
from medml.train import continue_run, train
from medml.types import SplitPlan
from tests.at_work import at_work, ended, know_the_kinds
from worker import attempt, run, shortage
from worker.jobs import has_steps, registry

TWO = SplitPlan(by="row", scheme="cross_validation", folds=2, repeats=1)
NETWORK = {"family": "mlp", "params": {"epochs": 5, "batch": 32}, "split": TWO}
CARD = torch.AcceleratorError("CUDA error: an illegal memory access was encountered")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return saved(clinic(100), tmp_path_factory.mktemp("study"))


def at_epoch(monkeypatch, epoch: int, act, times: int = 1000) -> None:
    """Let `act` give, or raise, the loss of that epoch, so many times."""
    real, left = loop._epoch, [times]

    def strange(session, *rest):
        mean = real(session, *rest)
        if session.epoch != epoch or not left[0]:
            return mean
        left[0] -= 1
        return act(session)

    monkeypatch.setattr(loop, "_epoch", strange)


def spoiled(session) -> float:
    """A step too far: the weights are no numbers any more, nor is the loss."""
    with torch.no_grad():
        next(session.model.parameters()).fill_(math.nan)
    return math.nan


def fails(error: Exception):
    def act(session):
        raise error
    return act


def said_in(run_: gallery.Run) -> str:
    return " ".join(each.text for each in document_of(run_).blocks if isinstance(each, Words))


# ---- a loss that is no number -----------------------------------------------------------------------------------

def test_a_loss_that_is_no_number_ends_learning_at_the_best_round_and_is_told(source, monkeypatch):
    with monkeypatch.context() as patched:
        at_epoch(patched, 4, spoiled)
        found = gallery.open_run(train(source, *planned(source, **NETWORK), job="job-a"))
    sentence, = found.report.happened
    assert sentence == ("The loss was no number any more from round 4 on in 3 of 3 models; learning stopped there, and "
                        "the best round before is kept.")
    assert sentence in said_in(found) and math.isfinite(found.report.metrics["auroc"].value)
    job = store.Job(**{name: None for name in store.Job.__dataclass_fields__} | {
        "result": {"run": found.run}, "state": "done", "kind": "train"})
    assert sentence in night.came(job).result
    assert continue_run(found.run, 3).rounds == 7  # more rounds set out from the best one
    assert np.isfinite([each.train for each in gallery.open_run(found.run).history if each.unit == "loss"]).all()


def test_a_loss_that_was_never_a_number_fails_with_a_reason(source, monkeypatch):
    at_epoch(monkeypatch, 1, spoiled)
    with pytest.raises(UserError, match="no number from the first round on"):
        train(source, *planned(source, **NETWORK))
    assert gallery.runs() == []


# ---- a graphics card that fails -----------------------------------------------------------------------------------

def test_a_graphics_card_that_fails_hands_over_to_the_processor_with_the_same_numbers(source, monkeypatch):
    monkeypatch.setattr(device, "_gone", False)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0.0)
    plan = planned(source, **NETWORK)
    whole = gallery.open_run(train(source, *plan))
    at_epoch(monkeypatch, 4, fails(CARD), times=1)
    found = gallery.open_run(train(source, *plan, job="job-a"))
    assert found.report.happened == ["The graphics card failed in round 4 in 1 of 3 models; the processor went on from "
                                     "the last checkpoint."]
    assert found.report.metrics == whole.report.metrics  # both on the processor here
    assert device.is_given_up() and device.pick().type == "cpu"
    again = next(each for each in found.report.checks if each.id == "G1")
    assert "graphics card failed on the way" in again.model_dump_json()


def test_another_fault_of_torch_is_not_taken_for_a_card_that_failed(source, monkeypatch):
    at_epoch(monkeypatch, 2, fails(RuntimeError("mat1 and mat2 shapes cannot be multiplied")))
    with pytest.raises(RuntimeError, match="mat1"):
        train(source, *planned(source, **NETWORK))


@pytest.mark.parametrize(("error", "memory", "card"), [
    (MemoryError(), True, False), (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), True, False),
    (CARD, False, True), (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), False, True),
    (RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"), True, False),
    (ValueError("could not convert string to float"), False, False), (RuntimeError("shape"), False, False)])
def test_what_torch_says_is_understood(error, memory, card):
    assert (ran_out_of_memory(error), card_is_gone(error)) == (memory, card)


def test_torch_itself_says_on_the_processor_that_memory_ran_out():
    with pytest.raises(RuntimeError) as refused:
        torch.empty(2**56)
    assert ran_out_of_memory(refused.value)


# ---- memory that runs out -----------------------------------------------------------------------------------------

def test_half_the_rows_a_step_are_a_training_of_their_own_that_says_so(source):
    plan = planned(source, **NETWORK)
    found = gallery.open_run(train(source, *plan, job="job-a", halved=1))
    sentence = "The memory ran out, so each step was made with half as many rows as planned: 16."
    assert found.config.params["batch"] == 16 and found.report.happened == [sentence]
    profile, recipe, config = plan
    same = gallery.open_run(train(source, profile, recipe, config.model_copy(
        update={"params": config.params | {"batch": 16}})))
    assert same.report.metrics == found.report.metrics
    with pytest.raises(MemoryError):
        train(source, *planned(source, family="mlp", params={"epochs": 2, "batch": 8}), halved=1)


def test_a_job_short_of_memory_is_done_with_half_and_with_a_quarter_and_then_fails(monkeypatch):
    with at_work(monkeypatch):
        wrong = {"n": 2, "fault": "memory until halved"}
        quarter, never = (worker.enqueue("steps_train", wrong | {"halvings": n}) for n in (2, 3))
        plain = worker.enqueue("steps_train", {"n": 2, "fault": "memory"})
        done, failed, once = ended(quarter), ended(never), ended(plain)
    assert done.state == "done" and (done.halved, done.attempt, done.fruitless) == (2, 3, 0)
    assert failed.state == "failed" and failed.attempt == 3
    assert failed.error["what"].endswith("Half and a quarter as many rows a step did not help.")
    assert once.state == "failed" and once.attempt == 1
    assert once.error["what"] == "This needed more memory than the machine has free."


@pytest.mark.parametrize(("ending", "code"), [("memory", -9), ("exited", run.SHORT)])
def test_a_child_that_was_ended_for_its_memory_is_tried_with_half(monkeypatch, ending, code):
    know_the_kinds(monkeypatch)
    store.submit("job-0001", "steps_train", "train", {"fault": "memory until halved"})
    attempt.settle(store.claim("train", "me", 30), ending, code)
    waits = store.get("job-0001")
    assert waits.state == "queued" and waits.halved == 1 and waits.fruitless == 0


def test_a_stop_asked_for_before_the_memory_ran_out_is_heard(monkeypatch):
    know_the_kinds(monkeypatch)
    store.submit("job-0001", "steps_train", "train", {"fault": "memory until halved"})
    job = store.claim("train", "me", 30)
    store.ask_stop(job.id)
    attempt.settle(job, "memory", -9)
    assert store.get(job.id).state == "stopped"


def test_the_sign_of_memory_that_ran_out_is_the_count_of_the_system(monkeypatch, tmp_path):
    group = tmp_path / "group" / "app.slice"
    group.mkdir(parents=True)
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text("0::/app.slice\n")
    (tmp_path / "vmstat").write_text("nr_free_pages 1\noom_kill 2\n")
    (group / "memory.events").write_text("low 0\noom 1\noom_kill 3\n")
    monkeypatch.setattr(shortage, "PROC", tmp_path)
    monkeypatch.setattr(shortage, "GROUPS", tmp_path / "group")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: types.SimpleNamespace(available=1, total=2))
    assert shortage.kills() == 5 and not shortage.was_it(5, held=1)
    (group / "memory.events").write_text("oom_kill 4\n")
    assert shortage.was_it(5, held=1)


def test_what_another_program_ran_out_of_is_not_taken_for_the_jobs_own(monkeypatch, tmp_path):
    """Somebody's browser was ended for want of memory, and a person ended the small job by hand."""
    gigabyte = 1 << 30
    (tmp_path / "memory.max").write_text(f"{4 * gigabyte}\n")
    monkeypatch.setattr(shortage, "kills", lambda: 1)
    monkeypatch.setattr(shortage, "_own_group", lambda: tmp_path)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: types.SimpleNamespace(available=8 * gigabyte,
                                                                                total=16 * gigabyte))
    assert not shortage.was_it(0, held=gigabyte // 4) and shortage.was_it(0, held=gigabyte)
    (tmp_path / "memory.max").write_text("max\n")
    assert not shortage.was_it(0, held=gigabyte) and shortage.was_it(0, held=2 * gigabyte)


def test_a_child_is_seen_to_hold_what_it_holds():
    store.submit("job-0001", "scan", "quick", {})
    overseer = attempt.Overseer(store.claim("quick", "me", 30), pid=os.getpid())
    for _ in range(attempt.EACH):
        overseer.look()
    assert overseer.held > 10_000_000


def test_networks_have_steps_and_other_families_fail_as_before():
    assert {name for name in ("mlp", "cnn", "logistic", "forest", "gone") if has_steps(name)} == {"mlp", "cnn"}
    halves = registry.get("train").halves
    assert halves({"config": {"family": "mlp"}}) and not halves({"config": {"family": "auto"}})
    assert not registry.get("scan").halves({}) and mishaps.HALVINGS == 2
    assert not registry.get("continue").halves({"run": "mlp-gone"})
