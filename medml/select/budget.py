"""How long a selection may go on."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from medml.watch import Watch


class Over(Exception):
    """The time is spent, or somebody asked to stop; carries no data."""


@dataclass(slots=True)
class Budget:
    """Asked before every small fit, so that nothing goes on longer than one of them."""

    seconds: float
    watch: Watch
    started: float = field(default_factory=time.monotonic)

    @property
    def spent(self) -> float:
        return time.monotonic() - self.started

    def over(self, share: float = 1.0) -> bool:
        """Whether `share` of the time is spent, or a stop was asked for."""
        return self.watch.stopping() or self.spent > share * self.seconds

    def check(self, share: float = 1.0) -> None:
        """raises  Over"""
        if self.over(share):
            raise Over
