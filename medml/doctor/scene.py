"""What several looks need: which processes are about, what they said of themselves, where the app answers."""

from __future__ import annotations

import functools
import http.client
import ipaddress
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from medml import egress, home
from medml.store import vitals
from medml.store.vitals import Vital
from medml.vitals import STALE

ROOT = Path(__file__).resolve().parents[2]
ASK_STREAMLIT = """
import json, sys
from streamlit import config
from streamlit.web import cli
names, sys.argv[1:] = sys.argv[1:], []
config.show_config = lambda: print(json.dumps({each: config.get_option(each) for each in names}))
cli.main(["config", "show"])  # reads the environment too, as `streamlit run` does
"""
OF_THE_MACHINE = {"MEDML_THREADS", "MEDML_LEAST_FREE_GB"}  # settings that hold wherever MedML's folder is
PATIENCE = 60.0  # seconds for a process of ours to say a line
ANSWER = 10.0  # seconds for the app to answer


class Scene:
    """One moment of this home, seen from one process. role: what this process is ("app", "command line")."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.home = home.home()

    @functools.cached_property
    def vitals(self) -> list[Vital]:
        """What living processes of this home last said, the latest first."""
        return [each for each in vitals.told() if psutil.pid_exists(each.pid)]

    def of(self, role: str) -> list[Vital]:
        return [each for each in self.vitals if each.role == role]

    @property
    def app(self) -> Vital | None:
        """The app that is about: this process where it is one, else the one that said something last."""
        apps = self.of("app")
        return next((each for each in apps if each.pid == os.getpid()), apps[0] if apps else None)

    def options(self, names: list[str]) -> tuple[dict[str, Any], str]:
        """Streamlit's settings and where they are from: the running app, or a Streamlit started here to be asked."""
        if self.app is not None and set(names) <= self.app.told.keys():
            return self.app.told, "asked of the running app"
        done = subprocess.run([sys.executable, "-c", ASK_STREAMLIT, *names], cwd=ROOT, capture_output=True,
                              timeout=PATIENCE, check=False)
        if done.returncode:
            raise ValueError("Streamlit does not start here")
        return json.loads(done.stdout), "asked of a Streamlit started for it; no app of this home runs"

    def ask_app(self, path: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse | None:
        """The running app's answer; None where no app runs, or where it may not be asked from this process.

        raises  OSError where it does not answer
        """
        if self.app is None or "server.port" not in self.app.told:
            return None
        host = reachable(str(self.app.told.get("server.address") or "0.0.0.0"))
        if not egress.may_reach(host) or self.app.told.get("server.sslCertFile"):
            return None
        given = {"Host": f"127.0.0.1:{self.app.told['server.port']}"} | (headers or {})
        connection = http.client.HTTPConnection(host, int(self.app.told["server.port"]), timeout=ANSWER)
        try:
            connection.putrequest("GET", path, skip_host=True)
            for name, value in given.items():
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
            answer.words = answer.read()  # what it said, for who compares two answers
            return answer
        except http.client.HTTPException as odd:
            raise ConnectionError("no answer of HTTP") from odd
        finally:
            connection.close()


def apart(place: Path) -> dict[str, str]:
    """The environment of what is tried in a folder of its own: as here, but for the settings of this home. By those it
    would be served to others, take work from the shared queue, or write its own log's head over that of this home."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith("MEDML_") or name in OF_THE_MACHINE} | {"MEDML_HOME": str(place)}


def fresh(each: Vital) -> bool:
    """Whether a process has said something lately."""
    return time.time() - each.time < STALE


def reachable(address: str) -> str:
    """Where to ask an app that listens at that address: one that listens everywhere is asked on this machine."""
    try:
        return "127.0.0.1" if ipaddress.ip_address(address).is_unspecified else address
    except ValueError:
        return address


def is_one(address: str) -> bool:
    """Whether it is one address, and neither a name nor every address that the machine has."""
    try:
        return not ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False


def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address.lower() == "localhost"
