"""The test vault (L10): who opened which held-out part, and when. Counted per table and outcome, not per run or seed,
so that training five models and looking five times is five looks."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from medml import home, store
from medml.errors import UserError
from medml.types import Metric, Plan, Report, TrainConfig, Value


class Look(Value):
    """One opening of the held-out part, with the figures that it showed."""

    run: str
    checkpoint: int
    when: str
    metrics: dict[str, Metric]
    job: str | None = None  # a job that was restarted after it had looked does not look twice
    plan_sha256: str = ""


class Written(Value):
    """A plan, and when it was first written down (ISO, UTC)."""

    plan: Plan
    when: str


class Ledger(Value):
    looks: list[Look] = []
    plans: dict[str, Written] = {}  # by the sha256 of the plan


def plan_of(run: str, checkpoint: int, config: TrainConfig, report: Report, predictors: list[str]) -> Plan:
    """What a look would be for, from what stands in the run; the same run and checkpoint have the same plan."""
    from medml.evaluate import headline

    return Plan(run=run, checkpoint=checkpoint, target=config.choice.target, positive=report.positive,
                predictors=predictors, family=config.family, metric=headline(report), threshold=report.threshold,
                rule=report.threshold_reason, config_sha256=home.sha256_of(config))


def write_down(config: TrainConfig, plan: Plan) -> str:
    """Keep a plan before the part is opened; returns its sha256. A plan that is there already keeps its time."""
    name = home.sha256_of(plan)
    with _alone():
        ledger = read(config)
        if name not in ledger.plans:
            written = Written(plan=plan, when=datetime.now(UTC).isoformat(timespec="seconds"))
            home.write_model(_path(config), ledger.model_copy(update={"plans": ledger.plans | {name: written}}))
    return name


def record(config: TrainConfig, run: str, checkpoint: int, metrics: dict[str, Metric], *, plan_sha256: str = "",
           job: str | None = None) -> int:
    """Write one look down and return how many there have been of this table and outcome; one process at a time.

    plan_sha256  of the plan that was written down before (`write_down`)
    """
    look = Look(run=run, checkpoint=checkpoint, when=datetime.now(UTC).isoformat(timespec="seconds"), metrics=metrics,
                job=job, plan_sha256=plan_sha256)
    with _alone():
        ledger = read(config)
        looks = ledger.looks
        if job is None or job not in [each.job for each in looks]:
            looks = [*looks, look]
            home.write_model(_path(config), ledger.model_copy(update={"looks": looks}))
    return len(looks)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Around whatever changes a ledger: one process at a time."""
    with store.only_one("vault", wait=30.0, everywhere=True) as free:
        if not free:
            raise UserError(what="Another program has been writing down its look for 30 seconds.", code="locked",
                            fix="Try again in a moment; this look was not shown.")
        yield


def read(config: TrainConfig) -> Ledger:
    """All looks at a part kept closed of this table and outcome, whatever the seed: they all drew from one pool."""
    path = _path(config)
    return home.read_model(path, Ledger) if path.exists() else Ledger()


def with_looks(report: Report, run: str, config: TrainConfig, checkpoint: int) -> Report:
    """The report as it stands today: looks counted, and the held-out figures where this checkpoint was opened; the plan
    only where it still has the hash that it was opened under."""
    if config.split.scheme != "held_out":
        return report
    from medml.evaluate.checks import looks_check

    ledger = read(config)
    looks = ledger.looks
    mine = [look for look in looks if look.run == run and look.checkpoint == checkpoint]
    found = ledger.plans.get(mine[-1].plan_sha256) if mine else None
    changed = found is not None and home.sha256_of(found.plan) != mine[-1].plan_sha256
    checks = [looks_check(len(looks), plan_changed=changed) if check.id == "L10" else check for check in report.checks]
    plan = {} if found is None or changed else {"plan": found.plan, "plan_written": found.when,
                                     "plan_sha256": mine[-1].plan_sha256}
    return report.model_copy(update={"looks": len(looks), "held_out": mine[-1].metrics if mine else {},
                                     "checks": checks} | plan)


def _path(config: TrainConfig) -> Path:
    what = "\x1f".join([config.data_sha256, config.choice.target])
    return home.ensure(home.home() / "vault") / f"{hashlib.sha256(what.encode()).hexdigest()[:32]}.json"
