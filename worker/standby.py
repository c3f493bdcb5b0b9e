"""A child that stays: it keeps models in memory and answers one question after another, so a form is answered at once.

Orders go to its input, a JSON line each; an answer comes from its output as a status byte, 8 bytes of length, and that
many bytes. What a person typed goes through these pipes and is written nowhere. The child ends when its input does (the
app has gone, or nobody asked for IDLE seconds); its memory then comes back.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from typing import Any, BinaryIO

import numpy as np

from medml import egress, logs, rights
from medml.errors import UserError
from worker.aside import ROOT, answered, opened

PATIENCE = 120.0  # seconds for one answer, starting and loading a model included
IDLE = 600.0  # seconds without a question after which the child is let go
LENGTH = 8  # bytes that say how long an answer is


class Standby:
    """At most one child; questions wait for one another."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._child: subprocess.Popen | None = None
        self._home: str | None = None  # whose runs the child answers for
        self._idle: threading.Timer | None = None

    def ask(self, question: str, **about: Any) -> dict[str, np.ndarray]:
        """See worker.answer."""
        order = json.dumps({"question": question, "about": about}).encode() + b"\n"
        with self._turn:
            for _ in range(2):  # a child that has ended since is started anew, once
                found = self._exchange(order)
                if found is not None:
                    self._rest()
                    return opened(*found)
        raise UserError(what=f"No answer came within {PATIENCE / 60:.0f} minutes.", code="too_long",
                        fix="Try again when the machine is less busy. Nothing was changed.")

    def close(self) -> None:
        """Let the child go."""
        with self._turn:
            self._end()

    @property
    def pid(self) -> int | None:
        """Of the child; None while there is none."""
        return None if self._child is None else self._child.pid

    def _exchange(self, order: bytes) -> tuple[int, bytes] | None:
        """One order and its answer; None where the child ended, or was ended because it took too long."""
        child = self._running()
        late = threading.Timer(PATIENCE, child.kill)
        late.daemon = True
        late.start()
        try:
            child.stdin.write(order)
            child.stdin.flush()
            head = child.stdout.read(1 + LENGTH)
            content = child.stdout.read(int.from_bytes(head[1:], "big"))
            if len(head) == 1 + LENGTH and len(content) == int.from_bytes(head[1:], "big"):
                return head[0], content
        except OSError:
            pass  # it is gone; what is left of it is cleared away below
        finally:
            late.cancel()
        self._end()
        return None

    def _running(self) -> subprocess.Popen:
        home = os.environ.get("MEDML_HOME")
        if self._child is not None and (self._child.poll() is not None or self._home != home):
            self._end()
        if self._child is None:
            self._child = subprocess.Popen([sys.executable, "-m", "worker.standby"], cwd=ROOT, stdin=subprocess.PIPE,
                                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self._home = home
        return self._child

    def _rest(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = threading.Timer(IDLE, self.close)
        self._idle.daemon = True
        self._idle.start()

    def _end(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        child, self._child = self._child, None
        if child is None:
            return
        for pipe in (child.stdin, child.stdout):
            try:
                pipe.close()
            except OSError:
                continue  # what was still to be written goes with it
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


standby = Standby()
atexit.register(standby.close)


def answer(question: str, **about: Any) -> dict[str, np.ndarray]:
    """Ask the child that stays and wait for its answer, as arrays by name; the same questions as `ask`.

    raises  UserError as the question itself does, or where no answer came
    """
    rights.require_answer(question, about)
    return standby.ask(question, **about)


def answer_soon(question: str, **about: Any) -> None:
    """Ask, and do not wait for what comes: to have a model loaded by the time that somebody needs it."""
    rights.require_answer(question, about)

    def unheard() -> None:
        try:
            standby.ask(question, **about)
        except UserError:
            return  # who asks in earnest is told
    threading.Thread(target=unheard, name="warm-answer", daemon=True).start()


def main(orders: BinaryIO, out: BinaryIO) -> int:
    """In the child: questions until the input ends."""
    for line in orders:
        status, content = answered(line)
        out.write(bytes([status]) + len(content).to_bytes(LENGTH, "big") + content)
        out.flush()
    return 0


if __name__ == "__main__":
    logs.set_up("jobs")
    egress.install(process="answers")
    told, sys.stdout = sys.stdout.buffer, sys.stderr  # a library that prints must not spoil an answer
    sys.exit(main(sys.stdin.buffer, told))
