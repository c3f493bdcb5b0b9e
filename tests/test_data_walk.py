"""Walking a folder: nothing is followed, nothing special is opened, nothing stops the walk."""

from __future__ import annotations

import os
import socket

import pytest

from medml.data import find_tables, open_table
from medml.errors import Stopped, UserError
from medml.types import TableRef
from medml.watch import Silent

TABLE = "id,age\n" + "".join(f"{n},{n + 40}\n" for n in range(20))
posix = pytest.mark.skipif(os.name != "posix", reason="pipes and links of POSIX")


def codes(folder):
    entries, tables = find_tables(folder)
    return {entry.path: entry.reason_code for entry in entries}, tables


@posix
def test_pipes_and_sockets_are_listed_and_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket.csv"))
        (tmp_path / "x.csv").write_text(TABLE)
        found, tables = codes(tmp_path)
    assert found == {"pipe.csv": "special_file", "socket.csv": "special_file", "x.csv": None} and len(tables) == 1


@posix
def test_links_are_not_followed_out_of_the_folder_or_in_a_loop(tmp_path):
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "secret.csv").write_text(TABLE)
    (inside / "out.csv").symlink_to(outside / "secret.csv")
    (inside / "loop").symlink_to(inside, target_is_directory=True)
    (inside / "nowhere.csv").symlink_to(inside / "absent")
    found, tables = codes(inside)
    assert found == {"loop": "link", "nowhere.csv": "link", "out.csv": "link"} and not tables
    for path in ("out.csv", "../outside/secret.csv", str(outside / "secret.csv")):
        with pytest.raises(UserError):
            open_table(inside, TableRef(path=path))


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_listed(tmp_path):
    (tmp_path / "x.csv").write_text(TABLE)
    (tmp_path / "x.csv").chmod(0)
    assert codes(tmp_path)[0] == {"x.csv": "no_permission"}


def test_files_of_the_system_are_ignored_and_counted(tmp_path):
    for name in (".DS_Store", "~$book.xlsx", "Thumbs.db", "desktop.ini", "x.tmp", "._x.csv", "x.csv~", ".hidden"):
        (tmp_path / name).write_text(TABLE)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.csv").write_text(TABLE)
    entries, tables = find_tables(tmp_path)
    assert not tables and len(entries) == 9
    assert {(entry.action, entry.reason_code) for entry in entries} == {("ignore", "temporary_file")}


@pytest.mark.skipif(os.name != "posix" or os.uname().sysname != "Linux", reason="names of any bytes")
def test_a_name_that_is_no_text_is_told_and_can_be_stored(tmp_path):
    with open(os.fsencode(tmp_path) + b"/\xff.csv", "w") as file:
        file.write(TABLE)
    entries, tables = find_tables(tmp_path)
    assert [entry.reason_code for entry in entries] == ["odd_name"] and not tables
    assert entries[0].model_dump_json()


def test_letters_of_every_script_are_fine_in_names(tmp_path):
    (tmp_path / "Ménière [1] *患者*.csv").write_text(TABLE)
    entries, tables = find_tables(tmp_path)
    assert tables[0].frame().height == 20 and tables[0].ref.path == "Ménière [1] *患者*.csv"


def test_folders_in_folders_keep_their_paths_and_open_again(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x.csv").write_text(TABLE)
    _, tables = find_tables(tmp_path)
    assert tables[0].ref == TableRef(path="a/b/x.csv")
    assert open_table(tmp_path, tables[0].ref).frame().height == 20


def test_a_single_file_is_its_own_source(tmp_path):
    (tmp_path / "x.csv").write_text(TABLE)
    _, tables = find_tables(tmp_path / "x.csv")
    assert open_table(tmp_path / "x.csv", tables[0].ref).rows == 20


def test_a_source_that_is_gone_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="There is no folder or file"):
        find_tables(tmp_path / "absent")
    with pytest.raises(UserError, match="is no longer there"):
        open_table(tmp_path, TableRef(path="absent.csv"))


def test_many_files_are_walked_with_progress_that_never_goes_back(tmp_path):
    for n in range(2_000):
        (tmp_path / f"{n}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    fractions = []

    class Listening(Silent):
        def say(self, stage, fraction, message=""):
            fractions.append(fraction)

    entries, _ = find_tables(tmp_path, watch=Listening())
    assert len(entries) == 2_000 and fractions == sorted(fractions) and len(fractions) >= 10


def test_a_walk_stops_when_asked(tmp_path):
    (tmp_path / "x.csv").write_text(TABLE)

    class Stopping(Silent):
        def stopping(self):
            return True

    with pytest.raises(Stopped):
        find_tables(tmp_path, watch=Stopping())
