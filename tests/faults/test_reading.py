"""Whatever lies in the clinician's folder is listed with its reason; nothing special is opened, nothing stops a scan,
and no screen waits for a drive that does not answer."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

import pages
from medml import patience, roots
from medml.data import find_tables, index
from medml.data.walk import walk
from medml.errors import Stopped, UserError
from medml.patience import within
from medml.profile import scan
from medml.watch import Silent
from tests.at_work import until
from worker import aside

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX names and devices")
TABLE = "id,age,died\n" + "".join(f"{n},{40 + n % 40},{n % 2}\n" for n in range(60))


def files(place: Path, n: int) -> None:
    for number in range(n):
        (place / f"t{number}.csv").write_text(TABLE)


def test_a_file_that_vanishes_while_the_folder_is_looked_at_is_told(tmp_path, monkeypatch):
    files(tmp_path, 6)
    plain, seen = index._look_at, []

    def vanishing(found, sheet):
        seen.append(found)
        if len(seen) == 2:
            (tmp_path / "t1.csv").unlink()
            (tmp_path / "t4.csv").unlink()
        return plain(found, sheet)
    monkeypatch.setattr(index, "_look_at", vanishing)
    entries, tables = find_tables(tmp_path)
    assert len(entries) == 6 and [each.ref.path for each in tables] == ["t0.csv", "t2.csv", "t3.csv", "t5.csv"]
    assert {each.action for each in entries if each.path in ("t1.csv", "t4.csv")} == {"skip"}


def test_a_file_that_vanishes_between_looking_and_reading_stops_no_scan(tmp_path, monkeypatch):
    files(tmp_path, 3)
    plain = find_tables

    def vanishing(*given, **more):
        found = plain(*given, **more)
        (tmp_path / "t1.csv").unlink()
        return found
    monkeypatch.setattr(sys.modules["medml.profile.scan"], "find_tables", vanishing)
    profile = scan(tmp_path)
    assert [each.ref.path for each in profile.tables] == ["t0.csv", "t2.csv"]
    gone = next(each for each in profile.files if each.path == "t1.csv")
    assert gone.action == "skip" and gone.message


@posix
def test_devices_are_listed_and_never_opened(tmp_path):
    try:
        os.mknod(tmp_path / "zero.csv", 0o600 | 0o020000, os.makedev(1, 5))  # reading it would never end
    except PermissionError:
        pytest.skip("no device can be made here")
    (tmp_path / "disk.csv").symlink_to("/dev/zero")
    entries, tables = find_tables(tmp_path)
    assert {each.path: each.reason_code for each in entries} == {"zero.csv": "special_file", "disk.csv": "link"}
    assert not tables


@posix
def test_120_levels_and_names_of_255_bytes_are_read(tmp_path):
    place = tmp_path.joinpath(*["d"] * 120)
    place.mkdir(parents=True)
    long = "ä" * 125 + "b" + ".csv"
    assert len(long.encode()) == 255
    (place / long).write_text(TABLE)
    entries, tables = find_tables(tmp_path)
    assert [each.path for each in entries] == ["d/" * 120 + long] and tables[0].rows == 60


@posix
def test_a_path_longer_than_the_system_allows_is_told_and_the_rest_is_read(tmp_path):
    files(tmp_path, 1)
    at = os.open(tmp_path, os.O_RDONLY)
    for _ in range(20):
        os.mkdir("x" * 250, dir_fd=at)
        below = os.open("x" * 250, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    entries, tables = find_tables(tmp_path)
    assert [each.ref.path for each in tables] == ["t0.csv"]
    assert [each.reason_code for each in entries if each.action != "read"] == ["no_permission"]


@posix
def test_names_that_are_no_text_are_told(tmp_path):
    with open(os.fsencode(tmp_path) + b"/\xff\xfe.csv", "w") as file:
        file.write(TABLE)
    (entry,), tables = find_tables(tmp_path)
    assert entry.reason_code == "odd_name" and not tables
    assert entry.model_dump_json()  # can be stored


AS_NOBODY = """
import os, sys
from pathlib import Path
from medml.data import find_tables
from medml.data.files import Material
from medml.data.walk import walk
if os.geteuid() == 0:  # root may read all
    os.setgid(65534); os.setuid(65534)
print(sorted((each.path, each.what) for each in walk(Path(sys.argv[1]))))
try:
    Material(Path(sys.argv[1]) / "closed.csv").head(10)
except Exception as error:
    print(type(error).__name__, getattr(error, "code", ""))
"""


@pytest.fixture
def open_to_all():
    """A folder that every account finds; pytest's own lie in one that it shuts at the start of every run."""
    place = Path(tempfile.mkdtemp(prefix="medml-"))
    place.chmod(0o755)
    yield place
    for each in place.iterdir():
        each.chmod(0o700)
    shutil.rmtree(place)


@posix
def test_what_may_not_be_read_is_told(open_to_all):
    place = open_to_all
    files(place, 1)
    for name in ("closed.csv", "shut"):
        (place / name).write_text(TABLE) if name.endswith("csv") else (place / name).mkdir()
    (place / "closed.csv").chmod(0)
    (place / "shut").chmod(0)
    done = subprocess.run([sys.executable, "-c", AS_NOBODY, str(place)], capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(Path(pages.__path__[0]).parent)}, check=False)
    said = done.stdout.splitlines()
    assert said, done.stderr[-500:]
    assert said[0] == "[('closed.csv', 'file'), ('shut', 'unreadable'), ('t0.csv', 'file')]"
    assert said[1].startswith(("UserError no_permission", "PermissionError"))


def test_a_hundred_thousand_files_are_walked_and_a_stop_is_heard(tmp_path):
    """Names of a hundred files, a thousand each: a folder of any length on a disk that has room for little."""
    for number in range(100):
        first = tmp_path / f"f{number:02d}000.txt"
        first.touch()
        for more in range(1, 1000):
            os.link(first, f"{tmp_path}/f{number:02d}{more:03d}.txt")
    assert sum(each.what == "file" for each in walk(tmp_path)) == 100_000

    class Stopping(Silent):
        def stopping(self) -> bool:
            return True
    with pytest.raises(Stopped):
        find_tables(tmp_path, watch=Stopping())


def test_a_sparse_table_of_10_gb_is_refused_without_reading_it_all(tmp_path):
    resource = pytest.importorskip("resource")
    file = tmp_path / "sparse.csv"
    file.write_text(TABLE * 4000)  # the head is a table
    try:
        os.truncate(file, 10 << 30)
    except OSError:
        pytest.skip("no file of 10 GB can be made here")
    read = resource.getrusage(resource.RUSAGE_SELF)
    (entry,), tables = find_tables(file)
    used = resource.getrusage(resource.RUSAGE_SELF)
    assert not tables and entry.message == "This file is not a table: it holds binary data."
    assert used.ru_utime + used.ru_stime - read.ru_utime - read.ru_stime < 5  # all of it takes 32 s of the processor
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    assert (used.ru_maxrss - read.ru_maxrss) * unit < 500_000_000


# ---- a slow drive ----------------------------------------------------------------------------------------------

@pytest.fixture
def slow_drive(monkeypatch):
    """Every look at a folder hangs until the test is over."""
    over = threading.Event()
    monkeypatch.setattr(patience, "LOOK", 0.05)
    monkeypatch.setattr(roots, "LOOK", 0.05)
    for name in ("_real", "_count"):
        monkeypatch.setattr(roots, name, lambda place: over.wait(60))
    yield
    over.set()
    for each in tuple(patience._hung):
        each.join(10)


def test_a_folder_that_does_not_answer_is_refused_in_words(slow_drive, tmp_path):
    with pytest.raises(UserError) as refused:
        roots.check_source(tmp_path)
    assert refused.value.code == "slow_drive" and "did not answer" in refused.value.what
    with pytest.raises(UserError, match="did not answer"):
        roots.browse(tmp_path)


def test_threads_that_hang_are_bounded(slow_drive, tmp_path):
    for _ in range(3 * patience.MOST_HUNG):
        with pytest.raises(UserError):
            roots.check_source(tmp_path)
    assert sum(each.name == "drive" for each in threading.enumerate()) <= patience.MOST_HUNG


def test_a_dead_drive_holds_up_nobody_who_asks_for_another(slow_drive, monkeypatch):
    monkeypatch.setattr(patience, "_mounts", lambda: ["/", "/mnt/dead", "/mnt/well"])
    for _ in range(2 * patience.MOST_HUNG):
        with pytest.raises(UserError):
            within(0.01, roots._real, Path("/mnt/dead/study"))
    for place in (Path("/mnt/well/study"), "/home/ada", [Path("/mnt/deadline")], SimpleNamespace(source="/mnt/well/x")):
        assert within(10, lambda _: "there", place) == "there"
    with pytest.raises(UserError, match="did not answer\\."):
        within(10, lambda _: "there", Path("/mnt/dead/other"))


@posix
def test_a_child_that_hangs_on_a_dead_drive_and_cannot_be_ended_holds_up_no_screen(monkeypatch):
    """A process in such a read ends by no signal until the drive answers."""
    made, plain = [], subprocess.Popen

    class Undying(plain):
        def __init__(self, command, **more):
            super().__init__([sys.executable, "-c", "import time; time.sleep(60)"], **more)
            made.append(self)

        def kill(self):
            """In vain."""
    monkeypatch.setattr(aside.subprocess, "Popen", Undying)
    monkeypatch.setattr(aside, "PATIENCE", 0.05)
    with pytest.raises(UserError) as refused:
        aside.ask("guarded")
    child, = made
    assert refused.value.code == "too_long" and child.poll() is None  # nobody waited for it
    plain.kill(child)
    until(lambda: child.stdout.closed and child.poll() is not None)


def test_an_answer_in_time_and_its_error_come_through():
    assert within(10, lambda word: word + "!", "yes") == "yes!"
    with pytest.raises(ZeroDivisionError):
        within(10, lambda: 1 / 0)


READERS = {"open_table", "take", "tables_in_folder", "find_tables", "scan", "_samples", "_sides", "_decoded"}


def test_no_page_reads_the_clinicians_folder_but_within_a_time():
    """Calls of what reads it stand inside of `within(...)`, or in a function that is only called so."""
    found = []
    for page in sorted(Path(pages.__path__[0]).glob("*.py")):
        tree = ast.parse(page.read_text(encoding="utf-8"))
        inside = {id(each) for call in ast.walk(tree) if _named(call) == "within" for each in ast.walk(call)}
        for function in (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)):
            if function.name in READERS:
                inside |= {id(each) for each in ast.walk(function)}
        found += [f"{page.name}:{each.lineno}" for each in ast.walk(tree) if _named(each) in READERS and
                  id(each) not in inside]
    assert found == []


def _named(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
