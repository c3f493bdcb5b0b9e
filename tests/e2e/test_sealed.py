"""Nothing leaves: the core walk with the real app, worker and browser, in a network namespace without routes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from medml.doctor import prove
from tests.e2e.sealed_walk import screens
from tests.e2e.served import ROOT, chromium

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.machine]


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """(what the browser saw, folder with what strace wrote) of one walk from a folder to every page."""
    refused = prove.refusal()
    if refused is not None:
        pytest.skip(refused.what)
    if chromium() is None:
        pytest.skip("no Chromium here; `python3 start.py test` installs one where it may")
    folder = tmp_path_factory.mktemp("sealed")
    done = subprocess.run([*prove.namespace(), sys.executable, "-m", "tests.e2e.sealed_walk", str(folder)], cwd=ROOT,
                          capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "found.json").read_text()), folder


def test_no_process_tries_to_reach_another_machine(walk):
    """Every connect and every datagram with an address, of the app, the worker and all of their children."""
    _, folder = walk
    local, away = prove.tries(folder / "app.trace")
    assert away == [] and local > 0  # it did ask the language model on this machine
    assert [each.where for each in prove.tries(folder / "control.trace")[1]] == ["192.0.2.1 port 80"]


def test_the_browser_asks_nobody_else_on_any_page(walk):
    seen, _ = walk
    assert set(screens()) <= seen["seen"].keys() and "co-pilot" in seen["seen"]
    assert seen["asked"] == []
    assert [each for each in seen["console"] if "Content Security Policy" in each or "pageerror" in each] == []


def test_images_and_links_in_names_and_answers_are_words(walk):
    """They are on the screens, letter for letter, and no element points where they do."""
    seen, _ = walk
    assert {name: found for name, found in seen["seen"].items() if found} == {}
    assert {"scan", "preview", "cleanup", "evaluate", "gallery", "predict", "explain", "home"} <= {
        name for name, times in seen["words"].items() if times}
