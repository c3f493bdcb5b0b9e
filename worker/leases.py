"""Which attempts of other machines are over: those whose heart stood still for their lease, by the clock of the queue.

A heart is watched, no time is compared: beats are counted in the shared queue, and how long a count stood still is
measured by the queue's clock while we hear it. So neither a machine's clock, nor a queue that was away for a minute,
nor a night that this machine slept takes a job from anybody.
"""

from __future__ import annotations

from medml import store
from medml.store import Job
from worker.attempt import BEGINNING

GAP = 10.0  # seconds between two looks after which all is watched anew: we were not listening


class Leases:
    """What one worker has seen of the attempts of others."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, int, int], float] = {}  # (job, token, beat) -> when it was first seen
        self._last = float("-inf")

    def left(self, running: list[Job]) -> list[Job]:
        """Of jobs that no attempt of this worker watches over, those that were left: this machine's own at once (its
        worker holds the lock), another's when its lease has run out."""
        others = [each for each in running if not store.is_here(each.owner)]
        over = self._run_out(others) if others else set()
        return [each for each in running if each not in others or each.id in over]

    def _run_out(self, others: list[Job]) -> set[str]:
        now = store.clock()
        known = self._since if 0 <= now - self._last <= GAP else {}
        self._last = now
        self._since = {beat_of(each): known.get(beat_of(each), now) for each in others}
        return {each.id for each in others if now - self._since[beat_of(each)] > patience(each)}


def beat_of(job: Job) -> tuple[str, int, int]:
    return job.id, job.token, job.beat


def patience(job: Job) -> float:
    """Seconds for which its heart may stand still; longer before the first beat, while libraries are loaded."""
    has_begun = (job.heartbeat or 0.0) > (job.started or 0.0)
    return (job.lease or 0.0) if has_begun else max(job.lease or 0.0, BEGINNING)
