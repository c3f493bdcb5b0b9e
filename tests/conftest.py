"""Every test has a home of its own and sees the shared clinical data only where it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from medml import egress
from tests import machine

for name in ("OMP_NUM_THREADS", "MEDML_THREADS"):  # tests run beside each other; threads that wait for one another
    os.environ.setdefault(name, "1")  # spin, and took four times the processor
settings.register_profile("house", deadline=None, derandomize=True)  # the same examples each time, no test by the clock
settings.load_profile("house")
SHARED = Path(__file__).resolve().parents[2] / "shared"

pytest_configure = machine.pytest_configure


@pytest.fixture(autouse=True, scope="session")
def shut_network():
    """No test reaches another machine."""
    egress.install()


@pytest.fixture(autouse=True)
def medml_home(tmp_path_factory, monkeypatch):
    """A fresh MEDML_HOME for every test."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("MEDML_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def clinical():
    """The folder of real clinical sets; the test is skipped, by name, where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip("../shared/data is not here")
    return SHARED / "data"


@pytest.fixture(scope="session")
def corpus():
    """The folder of hard inputs with its manifest."""
    if not (SHARED / "corpus").is_dir():
        pytest.skip("../shared/corpus is not here")
    return SHARED / "corpus"
