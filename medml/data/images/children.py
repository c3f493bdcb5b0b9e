"""The child processes that decode foreign files: started when needed, watched, replaced when one is lost."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medml.data.images.child import HEADER
from medml.data.images.image_file import MOST_PIXELS, Unreadable

_CHILD = Path(__file__).with_name("child.py")
# One thread a child; and none of the addresses that an administrator may have listed for the rest of the program.
_SETTINGS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MEDML_ALLOW_HOSTS": ""}
_MOST_WORDS = 1 << 16  # bytes of JSON that an answer may have
_LOOK_EVERY = 0.2  # seconds
_SYSTEM_LIMITS_MEMORY = sys.platform.startswith("linux")


@dataclass(frozen=True)
class Limits:
    """What one file may take: bytes of memory, seconds of processor time, and seconds in all (a disk that hangs)."""

    memory: int = 2 << 30
    seconds: int = 10
    longest: int = 60


class Child:
    """One child process, asked for one picture at a time by one thread; any thread may stop it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: subprocess.Popen | None = None
        self._stopped = False
        self._lock = threading.Lock()  # between a start and a stop

    def ask(self, request: dict) -> np.ndarray | Unreadable:
        """The answer to one request; a child lost over it costs this one file, the next request starts another."""
        if self._process is None or self._process.poll() is not None:
            self.close()
            with self._lock:
                if self._stopped:
                    return _lost()
                self._process = self._start()
        try:
            return self._ask(self._process, request)
        except (OSError, ValueError, KeyError):  # it ended, or what it says makes no sense
            self.close()
            return _lost()

    def stop(self) -> None:
        """End the process, whoever waits for it, and never start another."""
        with self._lock:
            self._stopped = True
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """Give back what the process held. Only for the thread that asks, or once there is none."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                pipe.close()
            self._process = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def _start(self) -> subprocess.Popen:
        flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        limits = (str(self._limits.memory), str(self._limits.seconds), str(self._limits.longest))
        # -I: neither the working folder nor the environment adds modules; no buffer: a broken pipe shows at once
        return subprocess.Popen([sys.executable, "-I", str(_CHILD), *limits], stdin=subprocess.PIPE, bufsize=0,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, creationflags=flags,
                                env=os.environ | _SETTINGS)

    @staticmethod
    def _ask(process: subprocess.Popen, request: dict) -> np.ndarray | Unreadable:
        process.stdin.write(json.dumps(request).encode() + b"\n")
        n_words, n_bytes = HEADER.unpack(_exactly(process, HEADER.size))
        if n_words > _MOST_WORDS or n_bytes > 3 * MOST_PIXELS:
            raise ValueError
        told = json.loads(bytes(_exactly(process, n_words)))
        pixels = _exactly(process, n_bytes)
        if "code" in told:
            return Unreadable(told["code"], told["what"], told["fix"], refuse=told["refuse"])
        return np.frombuffer(pixels, np.uint8).reshape(told["shape"])


def _lost() -> Unreadable:
    return Unreadable("undecodable", "This picture could not be decoded: it took too long or too much memory, or its "
                      "content breaks the decoder.")


def _exactly(process: subprocess.Popen, n_bytes: int) -> bytearray:
    """So many bytes of what a child says. EOFError as OSError where it ends before."""
    content = bytearray(n_bytes)
    at = memoryview(content)
    while at:
        got = process.stdout.readinto(at)
        if not got:
            raise BrokenPipeError
        at = at[got:]
    return content


class Children:
    """Several of them, lent to one thread each; memory is watched from here where the system sets no limit."""

    def __init__(self, n: int, limits: Limits) -> None:
        self._all = [Child(limits) for _ in range(n)]
        self._limits = limits
        self._free: queue.SimpleQueue[Child] = queue.SimpleQueue()
        for each in self._all:
            self._free.put(each)
        self._stopped = threading.Event()
        if not _SYSTEM_LIMITS_MEMORY:
            threading.Thread(target=self._watch_memory, daemon=True).start()

    def ask(self, request: dict) -> np.ndarray | Unreadable:
        """What a free child answers."""
        child = self._free.get()
        try:
            return child.ask(request)
        finally:
            self._free.put(child)

    def stop(self) -> None:
        """End them all, whoever waits for them."""
        self._stopped.set()
        for each in self._all:
            each.stop()

    def close(self) -> None:
        """End them and give back what they held, once no thread asks any more."""
        self.stop()
        for each in self._all:
            each.close()

    def _watch_memory(self) -> None:
        import psutil
        while not self._stopped.wait(_LOOK_EVERY):
            for each in self._all:
                try:
                    process = psutil.Process(each.pid) if each.pid else None
                    if process and process.memory_info().rss > self._limits.memory:
                        process.kill()
                except psutil.Error:  # it ended meanwhile
                    continue
