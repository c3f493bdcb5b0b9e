"""A folder of MedML's that this account may not write to, or that belongs to another, is said in words by app, worker
and command line alike, and nothing is left in it that its own account could not read."""

from __future__ import annotations

import logging
import os
import subprocess
import sys

import pytest

from medml import audit, home, logs, store
from medml.__main__ import main
from medml.errors import UserError
from tests.at_work import ROOT
from tests.e2e.served import free_port

COMMANDS = {"command line": ["-m", "medml", "jobs"], "worker": ["-m", "worker"],
            "app": ["-m", "streamlit", "run", "streamlit_app.py", "--server.port"]}
posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="accounts with numbers are POSIX")


@pytest.fixture
def of_another(monkeypatch, medml_home):
    """Root meets a database that belongs to somebody else."""
    store.connect_once()
    if os.geteuid() == 0:
        os.chown(store.path(), 65534, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 0)


@posix
def test_root_leaves_nothing_in_a_folder_that_belongs_to_a_service(of_another, medml_home, capsys):
    before = sorted(medml_home.rglob("*"))
    assert main(["accounts", "list"]) == 2
    said = capsys.readouterr().err
    assert "belongs to another account" in said and "Nothing was changed" in said and "sudo -u" in said
    assert sorted(medml_home.rglob("*")) == before


@pytest.mark.parametrize("who", COMMANDS)
def test_a_home_that_is_a_file_is_said_in_words_by_whoever_starts(who, tmp_path):
    (tmp_path / "home").touch()
    port = [str(free_port())] if who == "app" else []
    done = subprocess.run([sys.executable, *COMMANDS[who], *port], cwd=ROOT, capture_output=True, text=True,
                          env=os.environ | {"MEDML_HOME": str(tmp_path / "home")}, check=False, timeout=120)
    assert done.returncode == (1 if who == "app" else 2), done.stderr[-800:]
    assert "MedML may not write to" in done.stderr and "Traceback" not in done.stderr


def test_a_log_of_another_account_is_said_in_words(monkeypatch, medml_home):
    def closed(path, **_):
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(logs, "Turning", closed)
        with pytest.raises(UserError, match="may not write to .*command.log") as refused:
            logs.set_up("command")
    assert "chown" in refused.value.fix


def test_a_full_disk_is_no_missing_right(monkeypatch):
    def full(path, **_):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(logs, "Turning", full)
    with pytest.raises(OSError, match="No space left"):
        logs.set_up("command")


def test_a_second_place_that_cannot_be_read_is_no_sign_of_a_changed_log(monkeypatch):
    """Else one look by another account would have the log called changed for ever."""
    audit.add(person="p", name="n", act="train")
    plain = type(home.home()).read_bytes

    def closed(self):
        if self == audit.head_file():
            raise PermissionError(13, "Permission denied", str(self))
        return plain(self)

    with monkeypatch.context() as patched:
        patched.setattr(type(home.home()), "read_bytes", closed)
        for act in (audit.verify, lambda: audit.add(person="p", name="n", act="stop")):
            with pytest.raises(UserError, match="second place of the audit log cannot be read"):
                act()
    audit.add(person="p", name="n", act="stop")
    assert audit.verify().whole and audit.verify().count == 2


@pytest.fixture(autouse=True)
def own_log():
    """Records of the tests after go where they went before."""
    before = list(logging.getLogger().handlers)
    yield
    logging.getLogger().handlers[:] = before
