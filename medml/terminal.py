"""The terminal's side of the command line: a progress bar that listens for Ctrl-C, and plain tables."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterable, Sequence

from medml.types import Metric, Point

WIDTH = 28


class Bar:
    """A Watch for a terminal: one line that moves, on stderr; silent where stderr is no terminal.

    The first Ctrl-C asks the work to stop and keep what it has; the second ends it at once.
    """

    def __init__(self) -> None:
        self.visible = sys.stderr.isatty()
        self.asked_to_stop = False
        self.drawn = 0.0
        self.furthest = 0.0
        self.points: list[Point] = []
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupt)

    def say(self, stage: str, fraction: float, message: str = "") -> None:
        """Draw the bar, at most ten times a second and at the end."""
        self.furthest = max(self.furthest, fraction)
        now = time.monotonic()
        if not self.visible or (now - self.drawn < 0.1 and fraction < 1):
            return
        self.drawn = now
        filled = int(WIDTH * self.furthest)
        line = f"\r{'█' * filled}{'·' * (WIDTH - filled)} {self.furthest:4.0%}  {message or stage}"
        sys.stderr.write(f"{line[:110]:<110}" + ("\n" if fraction >= 1 else ""))
        sys.stderr.flush()

    def point(self, point: Point) -> None:
        self.points.append(point)

    def stopping(self) -> bool:
        return self.asked_to_stop

    def fence(self) -> None:
        """Nobody else works on it."""

    def safe_point(self) -> None:
        """A terminal has no pause: Ctrl-Z is the system's own."""

    def _interrupt(self, signum: int, frame: object) -> None:
        if self.asked_to_stop:
            raise KeyboardInterrupt
        self.asked_to_stop = True
        sys.stderr.write("\nStopping at the next safe point; press Ctrl-C again to end at once.\n")


def figure(metric: Metric | None, digits: int = 3, *, before: str = "") -> str:
    """A figure with its 95 % interval, as it is printed everywhere: "0.912 (0.88 to 0.94)".

    before  what stands before the interval, where no heading says which it is
    """
    if metric is None or metric.value is None:
        return "could not tell"
    form = f"z.{digits}f"
    return f"{metric.value:{form}} ({before if metric.spread else ''}{metric.between(form)})"


def table(rows: Iterable[Sequence[object]], header: Sequence[str]) -> str:
    """Columns of text, left-aligned, two blanks apart."""
    lines = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header))]
    drawn = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([drawn[0], "  ".join("-" * width for width in widths), *drawn[1:]])
