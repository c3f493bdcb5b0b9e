"""The child process of one job: `python -m worker.run`. Waits on its input for a job and its token, works, ends.

Its input is a pipe that the worker holds open. When the pipe ends, the worker is gone, and this process ends its
whole group: no work goes on that nobody watches. Works alike on every system.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from medml import egress, home, logs, memory, stops, store, vitals
from medml.errors import Paused, Stopped, UserError, apology, our_fault
from medml.mishaps import ran_out_of_memory
from medml.room import is_full
from medml.store import Job
from worker import processes
from worker.jobs import registry
from worker.watch import LAST_WORDS, JobWatch

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")
WARM = {"quick": ("pandas", "polars", "medml.profile"),  # imported before a job is known;
        "train": ("pandas", "polars", "medml.profile", "medml.train", "medml.copilot")}  # torch only where it is needed
LOST, PAUSED, SHORT, NO_ROOM = 70, 71, 72, 75  # exit codes: the job belongs to another attempt; it goes on later; the
# memory ran out; try again when there is room on the disk
PAUSING = "Paused; all of it is kept"
# why data could not be read that may be put right in a minute
WITHOUT_DATA = frozenset({"missing", "gone", "no_permission", "slow_drive", "lost_drive", "changed"})
BRING_BACK = ("What it has learned is kept: let it go on, or stop it, once its data are back as they were. Stopped "
              "without them once more it ends without a model")
ENOUGH = "Stopped before it was judged. What it has learned is kept: let it go on to have it judged and saved"


BACK = {"quick": 3, "train": 10}  # how far behind the screens; a scan that one person waits for stops nobody's click


def main(queue: str) -> int:
    """Warm up, take one job from the pipe, do it, return the exit code."""
    memory.keep_freed()  # first of all: Polars reads it as it is imported
    processes.step_back(BACK[queue])  # before the imports: after each scan of twenty people they took a second
    logs.set_up("jobs")
    egress.install(process="job")
    vitals.keep_telling("job")
    warm_up(queue)
    line = _read_line()
    if not line:
        return 0  # the worker went away before it had a job for us
    order = json.loads(line)
    threading.Thread(target=_end_with_the_worker, name="lifeline", daemon=True).start()
    return work(until_back(lambda: store.get(order["job"])), order["token"])


def until_back(act: Callable[[], Answer]) -> Answer:
    """Do it as soon as the shared queue can be reached: nothing that was worked out is thrown away for its absence."""
    while True:
        try:
            return act()
        except UserError as error:
            if error.code != store.AWAY:
                raise
            log.warning("waiting for the shared queue")
            time.sleep(1)


def warm_up(queue: str) -> None:
    """Import what jobs of that queue need. A failure is told by the job that needs it, not here."""
    for each in WARM[queue]:
        try:
            importlib.import_module(each)
        except ImportError as error:
            our_fault(error)


def _read_line() -> bytes:
    """One line of the pipe, byte by byte: nothing of it may be left in a buffer that a thread holds at exit."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return b""
        line += byte
    return line


def _end_with_the_worker() -> None:
    while os.read(0, 1):
        pass
    processes.end_own_group(LOST)


def work(job: Job, token: int) -> int:
    """Do a job that has been claimed under `token`, and write down how it ended."""
    watch = JobWatch(job.id, token, lost=lambda: processes.end_own_group(LOST),
                     finishing=job.is_finishing)
    log.info("job %s (%s), attempt %d", job.id, job.kind, job.attempt)
    try:
        state, result, error = _outcome(job, watch)
        until_back(watch.close)
    except Paused:
        return _pause(job, token, watch)
    except _WithoutData as error:
        return _wait_for_data(job, token, watch, f"{error.args[0].what} {BRING_BACK}")
    except BaseException as failed:
        if not (is_full(failed) or ran_out_of_memory(failed)):
            raise
        with contextlib.suppress(UserError):
            watch.close()  # what was said is not lost, if there is room within a minute
        return NO_ROOM if is_full(failed) else SHORT
    if state == "stopped" and result is None and job.attempt > 1:
        return PAUSED  # nothing came of this attempt; the worker looks what those before had learned
    ended = _write_down(lambda: store.finish(job.id, token, state, result=result, error=error))
    if ended:
        shutil.rmtree(home.home() / "work" / job.id, ignore_errors=True)
    log.info("job %s: %s", job.id, state if ended else "taken over by another attempt")
    return 0 if ended else LOST


class _WithoutData(Exception):
    """The clinician's files are not there, or not as they were, and something was learned from them before."""


def _was_told(job: Job) -> bool:
    """Whether it was stopped by somebody who knew that it waits for its data, and meant its end."""
    return job.stop is not None and any(each.message.endswith(BRING_BACK) for each in store.progress_since(job.id))


def _wait_for_data(job: Job, token: int, watch: JobWatch, why: str) -> int:
    """A drive that is not connected must not cost the hours before: the job waits as paused, and says for what."""
    watch.say("paused", 0.0, why)
    with contextlib.suppress(UserError):
        watch.close()
    _write_down(lambda: store.put_aside(job.id, token, why))
    log.info("job %s waits for its data", job.id)
    return PAUSED


def _outcome(job: Job, watch: JobWatch) -> tuple[store.State, dict[str, Any] | None, dict[str, str] | None]:
    """(state, result, error). The one broad except besides the page guard: whatever a job raises, it is told."""
    try:
        result = registry.get(job.kind).run(job, watch)
        return ("stopped" if watch.stop_heard else "done"), result, None
    except Stopped:
        return "stopped", None, None
    except Paused:
        raise
    except UserError as error:
        if is_full(error):
            raise
        if error.code in WITHOUT_DATA and registry.get(job.kind).resumes and stops.keeps(job) and not _was_told(job):
            raise _WithoutData(error) from error
        log.info("job %s: %s %s", job.id, error.code, error.detail)
        return "failed", None, {"what": error.what, "fix": error.fix, "reference": ""}
    except Exception as error:  # noqa: BLE001
        if is_full(error) or ran_out_of_memory(error):
            raise
        return "failed", None, fault(our_fault(error))


def fault(reference: str) -> dict[str, str]:
    """How a fault of ours is told."""
    return {"what": apology(reference), "fix": "Try again; if it happens again, send the file jobs.log with this "
            "reference to whoever looks after MedML here. It holds no patient's data.", "reference": reference}


def _pause(job: Job, token: int, watch: JobWatch) -> int:
    """All that was learned is put aside: because of a pause, or of a stop that came while it was judged."""
    watch.say("paused", 0.0, ENOUGH if watch.stop_heard and home.has_learned_all(job.id) else PAUSING)
    with contextlib.suppress(UserError):
        watch.close()
    if watch.stop_heard:
        _write_down(lambda: store.put_aside(job.id, token))
    return PAUSED


def _write_down(end: Callable[[], bool]) -> bool:
    """Keep the end of an attempt, also where the disk is full or the file locked for a while."""
    deadline = time.monotonic() + LAST_WORDS
    while True:
        try:
            return until_back(end)
        except UserError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)


if __name__ == "__main__":
    try:
        code = main(sys.argv[1])
    except KeyboardInterrupt:
        code = LOST
    except BaseException as error:  # noqa: BLE001
        our_fault(error)
        code = 1
    logging.shutdown()
    os._exit(code)  # no waiting for threads of libraries: all that matters is written
