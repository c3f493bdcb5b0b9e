"""The test vault (L10): who opened which held-out part, and when. Counted per data set, target and split, not per run,
so that training five models and looking five times is five looks."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from medml import home
from medml.types import Metric, Report, TrainConfig, Value


class Look(Value):
    """One opening of the held-out part, with the figures that it showed."""

    run: str
    checkpoint: int
    when: str
    metrics: dict[str, Metric]


class Ledger(Value):
    looks: list[Look] = []


def record(config: TrainConfig, run: str, checkpoint: int, metrics: dict[str, Metric]) -> int:
    """Write one look down and return how many there have been of this held-out part."""
    ledger = read(config)
    look = Look(run=run, checkpoint=checkpoint, when=datetime.now(UTC).isoformat(timespec="seconds"), metrics=metrics)
    home.write_model(_path(config), Ledger(looks=[*ledger.looks, look]))
    return len(ledger.looks) + 1


def read(config: TrainConfig) -> Ledger:
    """All looks at the held-out part that this configuration keeps closed."""
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
    return report.model_copy(update={"looks": len(looks), "held_out": mine[0].metrics if mine else {},
                                     "checks": checks})


def _path(config: TrainConfig) -> Path:
    split = config.split
    what = "\x1f".join([config.data_sha256, config.choice.target, str(config.choice.positive), split.by,
                        str(split.test_fraction), str(config.seed)])
    return home.ensure(home.home() / "vault") / f"{hashlib.sha256(what.encode()).hexdigest()[:32]}.json"
