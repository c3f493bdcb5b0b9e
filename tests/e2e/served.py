"""The real app for the browser: `streamlit run` with a port and a home of its own, the real worker, a Chromium."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil

ROOT = Path(__file__).resolve().parents[2]
ENTRY = ROOT / "streamlit_app.py"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"]  # no other machine has a name
OWN = {"127.0.0.1", "localhost"}


def chromium() -> str | None:
    """Where a Chromium lies, or None: MEDML_CHROMIUM, the system's own, or the one that playwright installed."""
    chosen = os.environ.get("MEDML_CHROMIUM")
    for each in (chosen, "/usr/bin/chromium", shutil.which("chromium"), shutil.which("google-chrome")):
        if each and Path(each).exists():
            return each
    return None


@dataclass
class Served:
    """A running app."""

    url: str
    home: Path
    process: subprocess.Popen
    log: Path

    @property
    def port(self) -> int:
        return urlsplit(self.url).port


@contextlib.contextmanager
def served(home: Path, **environment: str) -> Iterator[Served]:
    """Start the app on a free port with MEDML_HOME = home; its worker and its jobs are ended with it."""
    port = free_port()
    log = home.parent / f"{home.name}.server.log"
    settings = os.environ | {"MEDML_HOME": str(home), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"} | environment
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(ENTRY), "--server.port", str(port)], cwd=ROOT, stdout=out,
            stderr=subprocess.STDOUT, env=settings)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", process, log)
        yield Served(f"http://127.0.0.1:{port}", home, process, log)
    finally:
        end(process)
        end_all_of(home)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_up(url: str, process: subprocess.Popen, log: Path, seconds: float = 90) -> None:
    """Until the server answers; what it wrote is shown where it ends before that."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the app ended with {process.returncode}:\n{log.read_text(errors='replace')[-3000:]}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            if urllib.request.urlopen(url, timeout=2).status == 200:
                return
        time.sleep(0.1)
    raise TimeoutError(f"the app did not answer within {seconds:.0f} s:\n{log.read_text(errors='replace')[-3000:]}")


def end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def end_all_of(home: Path) -> None:
    """End the worker and jobs of that home: processes of this very MEDML_HOME and no others."""
    found = []
    for each in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if each.environ().get("MEDML_HOME") == str(home) and each.pid != os.getpid():
                found.append(each)
                each.kill()
    psutil.wait_procs(found, timeout=10)


@dataclass
class Asked:
    """Every address that the browser asked for, and what it said in its console.

    port  the app's: other ports of this machine are elsewhere too, since a beacon may well point there
    """

    port: int
    elsewhere: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def watching(self, context) -> Iterator[None]:
        """Watch a context that outlives this."""
        self.watch(context)
        yield
        context.remove_listener("request", self._note)
        context.remove_listener("page", self._watch_page)

    def watch(self, context) -> None:
        """Note requests of every page of a browser context, websockets too.

        They are not intercepted: that switches the browser's cache off, and every screen is then fetched and compiled
        anew. FLAGS keep them on this machine.
        """
        context.on("request", self._note)
        context.on("page", self._watch_page)

    def _note(self, request) -> None:
        if not self._own(request.url):
            self.elsewhere.append(request.url)

    def _watch_page(self, page) -> None:
        page.on("websocket", lambda socket: None if self._own(socket.url) else self.elsewhere.append(socket.url))
        page.on("console", lambda said: self._listen(said))
        page.on("pageerror", lambda error: self.console.append(f"pageerror: {error}"))

    def _listen(self, said) -> None:
        if said.type == "error":
            self.console.append(said.text)
        if "Content Security Policy" in said.text:  # what the policy stopped before it became a request
            self.console.append(said.text)

    def _own(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in ("data", "blob", "about") or (parts.hostname in OWN and parts.port == self.port)
