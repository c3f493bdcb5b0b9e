"""The test vault (L10): who opened which held-out part, and when. Counted per table and outcome, not per run or seed,
so that training five models and looking five times is five looks."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from medml import home, store
from medml.errors import UserError
from medml.types import Metric, Report, TrainConfig, Value


class Look(Value):
    """One opening of the held-out part, with the figures that it showed."""

    run: str
    checkpoint: int
    when: str
    metrics: dict[str, Metric]
    job: str | None = None  # a job that was restarted after it had looked does not look twice


class Ledger(Value):
    looks: list[Look] = []


def record(config: TrainConfig, run: str, checkpoint: int, metrics: dict[str, Metric], *,
           job: str | None = None) -> int:
    """Write one look down and return how many there have been of this table and outcome; one process at a time."""
    look = Look(run=run, checkpoint=checkpoint, when=datetime.now(UTC).isoformat(timespec="seconds"), metrics=metrics,
                job=job)
    with store.only_one("vault", wait=30.0) as free:
        if not free:
            raise UserError(what="Another program has been writing down its look for 30 seconds.", code="locked",
                            fix="Try again in a moment; this look was not shown.")
        looks = read(config).looks
        if job is None or job not in [each.job for each in looks]:
            looks = [*looks, look]
            home.write_model(_path(config), Ledger(looks=looks))
    return len(looks)


def read(config: TrainConfig) -> Ledger:
    """All looks at a part kept closed of this table and outcome, whatever the seed: they all drew from one pool."""
    path = _path(config)
    return home.read_model(path, Ledger) if path.exists() else Ledger()


def with_looks(report: Report, run: str, config: TrainConfig, checkpoint: int) -> Report:
    """The report as it stands today: looks counted, and the held-out figures where this checkpoint was opened."""
    if config.split.scheme != "held_out":
        return report
    from medml.evaluate.checks import looks_check

    looks = read(config).looks
    mine = [look for look in looks if look.run == run and look.checkpoint == checkpoint]
    checks = [looks_check(len(looks)) if check.id == "L10" else check for check in report.checks]
    return report.model_copy(update={"looks": len(looks), "held_out": mine[-1].metrics if mine else {},
                                     "checks": checks})


def _path(config: TrainConfig) -> Path:
    what = "\x1f".join([config.data_sha256, config.choice.target])
    return home.ensure(home.home() / "vault") / f"{hashlib.sha256(what.encode()).hexdigest()[:32]}.json"
