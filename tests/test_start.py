"""start.py on a tree of its own: an environment is made once, from packages made in place, with no network at all."""

from __future__ import annotations

import base64
import hashlib
import http.server
import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import types
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NO_NETWORK = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}


@pytest.fixture
def start(monkeypatch):
    """start.py as a module."""
    spec = importlib.util.spec_from_file_location("start", ROOT / "start.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A small copy of the project with its environment: made once, that takes a while."""
    return a_tree(tmp_path_factory.mktemp("tree"))


def a_tree(tmp_path: Path) -> Path:
    """start.py, packages of ten lines, the modules that it calls."""
    shutil.copy(ROOT / "start.py", tmp_path)
    (tmp_path / "requirements.txt").write_text(
        f"{a_wheel(tmp_path, 'alpha')}\n{a_wheel(tmp_path, 'streamlit', STREAMLIT)}\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "requirements.txt").write_text(f"{a_wheel(tmp_path, 'pytest', PYTEST)}\n")
    for name in ("medml", "worker"):
        (tmp_path / name).mkdir()
        code = f"import sys, alpha\nprint('{name}', *sys.argv[1:])\nsys.exit(3)\n"
        (tmp_path / name / "__main__.py").write_text(code)
    return tmp_path


PYTEST = """
import os, sys
print('compiled code is kept' if not sys.dont_write_bytecode else 'everything is compiled again')
print('chromium', os.environ.get('MEDML_CHROMIUM'))
print('the closing line', *sys.argv[1:])
"""
STREAMLIT = """
import pathlib, sys, time
pathlib.Path('asked').write_text(' '.join(sys.argv[1:]))
try:
    time.sleep(600)
except KeyboardInterrupt:
    sys.exit('Aborted!')
"""


def a_wheel(folder: Path, name: str, main: str = "") -> Path:
    """A pure wheel by hand (PEP 427)."""
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}/__init__.py": "",
        f"{name}/__main__.py": main,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{each},sha256={_digest(text)},{len(text)}" for each, text in files.items()]
    with zipfile.ZipFile(wheel, "w") as archive:
        for each, text in files.items():
            archive.writestr(each, text)
        archive.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,", ""]))
    return wheel


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def run(tree: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess:
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "MEDML_CHROMIUM", "PYTHONPATH")}
    return subprocess.run([sys.executable, "start.py", *arguments], cwd=tree, capture_output=True, text=True,
                          env=kept | NO_NETWORK | settings, check=False)


def test_the_first_start_installs_and_the_second_does_nothing(tree):
    first = run(tree, "setup")
    assert first.returncode == 0, first.stderr
    assert "putting 2 packages in place" in first.stdout and (tree / ".venv").is_dir()
    second = run(tree, "setup", PIP_CONSTRAINT="/no/such/file")  # pip would fail, were it tried
    assert second.returncode == 0
    assert second.stdout.splitlines() == [f"MedML is set up in {tree / '.venv'}."]
    listed = (tree / "requirements.txt").read_text()
    (tree / "requirements.txt").write_text("beta==2.0\n")
    third = run(tree, "setup")
    (tree / "requirements.txt").write_text(listed)
    assert third.returncode == 2 and "The packages could not be installed." in third.stderr
    assert "Check the network" in third.stderr and "Traceback" not in third.stderr


def test_commands_pass_on_arguments_and_exit_codes(tree):
    assert run(tree, "setup").returncode == 0
    for command, expected in (("demo", "medml demo --seed 1"), ("worker", "worker --seed 1")):
        ran = run(tree, command, "--seed", "1")
        assert ran.returncode == 3 and ran.stdout.splitlines()[-1] == expected


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C to a group is POSIX")
def test_the_app_is_served_on_this_machine_alone_and_ctrl_c_closes_it(tree):
    assert run(tree, "setup").returncode == 0
    app = subprocess.Popen([sys.executable, "start.py", "--no-browser"], cwd=tree, start_new_session=True, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    opened = app.stdout.readline()
    deadline = time.monotonic() + 60
    while not (tree / "asked").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(app.pid, signal.SIGINT)
    said, complaints = app.communicate(timeout=60)
    port = opened.split("http://127.0.0.1:")[1].split()[0]
    assert (tree / "asked").read_text() == f"run streamlit_app.py --server.address 127.0.0.1 --server.port {port}"
    assert app.returncode == 0 and "MedML is closed. A training that was running goes on" in said
    assert complaints == ""


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C to a group is POSIX")
@pytest.mark.parametrize("asked", [["--server.port", "8790"], ["--server.port=8790"]])
def test_the_app_says_the_port_that_was_asked_for(tree, asked):
    assert run(tree, "setup").returncode == 0
    app = subprocess.Popen([sys.executable, "start.py", "app", "--no-browser", *asked], cwd=tree,
                           start_new_session=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert "http://127.0.0.1:8790 " in app.stdout.readline()
    finally:
        os.killpg(app.pid, signal.SIGINT)
        app.communicate(timeout=20)


def test_the_tests_closing_line_comes_last(tree):
    ran = run(tree, "test", "-k", "x", MEDML_CHROMIUM=sys.executable)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-2:] == [f"chromium {sys.executable}", "the closing line -k x"]


def test_processes_that_tests_start_share_what_was_compiled(tree):
    ran = run(tree, "test", MEDML_CHROMIUM=sys.executable, PYTHONDONTWRITEBYTECODE="1")
    assert "compiled code is kept" in ran.stdout.splitlines(), ran.stdout


def test_in_ci_a_missing_browser_is_a_failure_and_elsewhere_a_sentence(tree):
    nowhere = {"PATH": str(tree)}
    ran = run(tree, "test", CI="true", **nowhere)
    assert ran.returncode == 2 and "There is no Chromium here" in ran.stderr
    ran = run(tree, "test", **nowhere)
    assert ran.returncode == 0 and "the browser tests are skipped" in ran.stdout


def test_an_unfinished_environment_is_made_again(tmp_path):
    tree = a_tree(tmp_path)
    broken = tree / ".venv" / ("Scripts" if os.name == "nt" else "bin")
    broken.mkdir(parents=True)
    (broken / ("python.exe" if os.name == "nt" else "python")).symlink_to(tree / "gone")
    assert run(tree, "setup").returncode == 0


def test_an_environment_cut_short_before_pip_was_there_is_made_again(tmp_path):
    tree = a_tree(tmp_path)
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(tree / ".venv")
    made = run(tree, "setup")
    assert made.returncode == 0, made.stderr


def test_the_browser_opens_whatever_proxy_is_set(start, monkeypatch):
    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = closed.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{nobody}")
    monkeypatch.delenv("no_proxy", raising=False)
    opened, left = [], iter([None] * 3 + [0])
    monkeypatch.setattr(start.webbrowser, "open", opened.append)
    monkeypatch.setattr(start.time, "sleep", lambda seconds: None)
    with http.server.HTTPServer(("127.0.0.1", 0), Health) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        start.open_browser(address, types.SimpleNamespace(poll=lambda: next(left)))
        server.shutdown()
    assert opened == [address]


def test_an_unknown_command_is_told(tree):
    ran = run(tree, "brew")
    assert ran.returncode == 2
    assert ran.stderr == "start.py has no 'brew'; it has app, test, demo, setup, worker.\n"


@pytest.mark.parametrize(("given", "words"), [
    ({"version": (3, 10)}, "CPython 3.10, which is too old"),
    ({"version": (3, 15)}, "CPython 3.15, which is too new: packages that MedML needs are not made for it yet"),
    ({"implementation": "PyPy"}, "is another kind of Python"),
    ({"bits": 32}, "is a 32-bit one"),
    ({"threaded": True}, "is a free-threaded build"),
])
def test_a_python_without_wheels_is_refused_in_words(start, given, words):
    with pytest.raises(start.CannotStart) as refused:
        start.check_python(**{"version": (3, 12), "implementation": "CPython", "bits": 64, "threaded": False} | given)
    assert words in str(refused.value) and "Python 3.11 to 3.14" in str(refused.value)


def test_every_python_with_wheels_is_let_through(start):
    for minor in (11, 12, 13, 14):
        start.check_python(version=(3, minor), implementation="CPython", bits=64, threaded=False)


def test_a_python_without_venv_names_the_debian_package(start, monkeypatch):
    monkeypatch.setitem(sys.modules, "ensurepip", None)  # as Debian ships it
    with pytest.raises(start.CannotStart) as refused:
        start.make_venv()
    assert f"sudo apt install python3.{sys.version_info[1]}-venv   (or python3-venv)" in str(refused.value)


@pytest.mark.parametrize(("line", "shown"), [
    ("Collecting torch==2.13.0 (from -r requirements.txt (line 2))\n", "  torch 2.13.0"),
    ("Collecting numpy>=1.26 (from pandas)\n", "  numpy "),
    ("  Downloading torch-2.13.0-cp311-cp311-linux_x86_64.whl (190.2 MB)\n", "    downloading 190.2 MB"),
    ("  Downloading huey-3.5.4.tar.gz (12 kB)\n", None),
    ("Installing collected packages: a, b, c\n", "  putting 3 packages in place (a minute or two)"),
    ("Requirement already satisfied: pip\n", None),
])
def test_a_line_a_package(start, line, shown):
    assert start.progress_line(line) == shown


def test_a_port_that_is_taken_gives_way_to_the_next(start, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(start, "FIRST_PORT", taken.getsockname()[1])
        assert start.free_port() > taken.getsockname()[1]
        monkeypatch.setattr(start, "PORTS", 1)
        with pytest.raises(start.CannotStart, match="all in use"):
            start.free_port()


def test_start_needs_the_standard_library_alone(start):
    code = "import sys; sys.path.insert(0, '.'); import start; start.check_python"
    assert subprocess.run([sys.executable, "-I", "-S", "-c", code], cwd=ROOT, check=False).returncode == 0


def test_what_ci_runs_is_the_readmes_command():
    lines = [each for each in (ROOT / ".ci" / "run").read_text().splitlines() if not each.startswith("#")]
    assert lines[-1] == "python3 start.py test" and os.access(ROOT / ".ci" / "run", os.X_OK)
    assert "python3 start.py test" in (ROOT / "README.md").read_text()


def test_every_bench_that_is_a_command_stands_in_the_readme():
    parts = {"auto_peers"}  # run by bench.auto, with the Python of the peers
    commands = {each.stem for each in (ROOT / "bench").glob("*.py") if "__main__" in each.read_text(encoding="utf-8")}
    told = set(re.findall(r"python -m bench\.(\w+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert told == commands - parts


def test_what_the_proofs_run_under_is_installed_or_named(start, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(start.sys, "platform", "linux")
    monkeypatch.setattr(start.shutil, "which", lambda name: None if name == "strace" else f"/usr/bin/{name}")
    monkeypatch.setattr(start, "by_apt", lambda package, purpose: asked.append(package) or False)
    start.install_programs()
    assert asked == ["strace"] and "strace is not here: the tests that need it are skipped" in capsys.readouterr().out
    monkeypatch.setattr(start, "by_apt", lambda *_: True)
    start.install_programs()
    assert capsys.readouterr().out == ""
