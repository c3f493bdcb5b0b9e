"""Freed memory is kept while a large file is read, and nothing else depends on it."""

import os
import subprocess
import sys
import weakref

import pytest

from medml import memory

FAULTS = """
import resource, time
from medml import memory
{keep}
import polars as pl
block = b"\\n".join(b"%d,%d.25,word%d" % (n, n, n % 50) for n in range(200_000))
def read():
    for _ in range(2):
        batches = [pl.read_csv(block, has_header=False) for _ in range(6)]
        del batches
        time.sleep(0.3)  # Polars hands back what has been free for half a second
for _ in range(3):
    read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
    read()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's and jemalloc's ways are Linux's")
def test_kept_memory_is_not_asked_for_again():
    def faults(keep: str) -> int:
        plain = {name: value for name, value in os.environ.items() if name != "_RJEM_MALLOC_CONF"}
        done = subprocess.run([sys.executable, "-c", FAULTS.format(keep=keep)], env=plain, capture_output=True,
                              text=True, check=True)
        return int(done.stdout)

    assert faults("memory.keep_freed()") < faults("") / 2


def test_a_setting_of_the_administrator_is_left_alone(monkeypatch):
    monkeypatch.setenv("_RJEM_MALLOC_CONF", "dirty_decay_ms:0")
    memory.keep_freed()
    assert os.environ["_RJEM_MALLOC_CONF"] == "dirty_decay_ms:0"


def test_a_system_with_another_allocator_is_left_alone(monkeypatch):
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    memory.keep_freed()


def test_what_nobody_can_reach_is_given_back():
    class Session:
        pass

    one = Session()
    one.page = one  # a circle, as a session and its widgets are
    left = weakref.ref(one)
    del one
    memory.give_back()
    assert left() is None


COLLECTED = """
import gc
from medml import memory
{seldom}
class Element:
    pass
kept, before = [], gc.get_stats()[2]["collections"]
for _ in range(300_000):  # what a hundred clicks leave
    one = Element()
    one.page = one
    kept.append(one)
print(gc.get_stats()[2]["collections"] - before, end=" ")
import weakref
left = weakref.ref(kept[0])
kept.clear(); one = None
memory.give_back()
print(left() is None)
"""


def test_pages_are_not_stopped_for_garbage_which_goes_in_a_quiet_moment():
    def collected(seldom: str) -> list[str]:
        return subprocess.run([sys.executable, "-c", COLLECTED.format(seldom=seldom)], capture_output=True, text=True,
                              check=True).stdout.split()

    assert int(collected("")[0]) > 0
    assert collected("memory.collect_seldom()") == ["0", "True"]
