"""Every test has a home of its own and sees the shared clinical data only where it is there."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator
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

LONG = ("test_train", "test_cli", "test_canaries_worker", "test_worker", "test_rerun", "test_canaries", "test_external",
        "test_further_rounds", "test_select", "test_mishaps", "test_pause")  # begun with the browser's, not at the end

pytest_configure = machine.pytest_configure


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is loaded for all tests stays to the end: it is not looked through for garbage again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long go before the short ones, else one process works on them when the others have ended.

    The order of the tests of a file stays, and no test needs another one before it.
    """
    items.sort(key=_late)


def _late(item: pytest.Item) -> bool:
    path = item.path
    return path.parent.name == "tests" and path.stem not in LONG


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
