"""The rooms of the house: who may import whom, read from the code itself, and what a page may never load."""

from __future__ import annotations

import ast
import functools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 400  # lines of one file
ROOMS = ("medml", "worker", "pages")
TOP = {"streamlit_app.py", "start.py", "pages", "medml", "worker", "models", "tests", "requirements.txt",
       "pyproject.toml", "README.md", "bench", "deploy"}
SOCKETS = {"medml/egress.py", "medml/copilot/chat.py",  # the first only guards; the second speaks to Ollama
           "medml/doctor/scene.py", "medml/doctor/sealed.py", "pages/_proof.py",  # these ask the app on this machine
           "pages/_door_at_once.py"}  # opens none, and sets an option of those the server was given
REDIS = {"medml/store/link.py", "medml/store/rows.py", "worker/queue.py"}  # the queue that several machines share
HUEY = {"worker/queue.py", "worker/__main__.py"}
TORCH = {"torch", "torchvision"}


def ours(*places: str) -> list[Path]:
    """Every Python file under those rooms, as git and the tree hold them."""
    found = [each for place in places for each in sorted((ROOT / place).rglob("*.py"))]
    return [each for each in found if "__pycache__" not in each.parts]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@functools.cache
def imports_of(path: Path) -> tuple[tuple[str, bool], ...]:
    """Every imported module as (full name, whether it is loaded with the file), not those for type checkers alone."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[tuple[str, bool]]:
    for node, at_import in walk(ast.parse(path.read_text(encoding="utf-8")), True):
        if isinstance(node, ast.Import):
            yield from ((each.name, at_import) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno} imports relatively"
            yield from ((f"{node.module}.{each.name}", at_import) for each in node.names)


def walk(node: ast.AST, at_import: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        inside = at_import and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield child, at_import
        yield from walk(child, inside)


def packages(path: Path, *, at_import: bool = False) -> set[str]:
    return {name.split(".")[0] for name, early in imports_of(path) if early or not at_import}


@pytest.mark.parametrize("path", ours("medml"), ids=name_of)
def test_the_library_knows_no_screen_and_no_queue(path):
    assert packages(path).isdisjoint({"streamlit", "huey", "worker", "pages", "starlette", "uvicorn"})


@pytest.mark.parametrize("path", ours("worker"), ids=name_of)
def test_the_worker_knows_the_library_and_huey_in_two_files_only(path):
    found = packages(path)
    assert found.isdisjoint({"streamlit", "pages", "starlette", "sqlite3", "sqlite_utils"})
    assert "huey" not in found or name_of(path) in HUEY


@pytest.mark.parametrize("path", [*ours("pages"), ROOT / "streamlit_app.py"], ids=name_of)
def test_pages_go_through_the_workers_door(path):
    found = {name for name, _ in imports_of(path)}
    assert {each.split(".")[0] for each in found}.isdisjoint({"huey", "sqlite3", "sqlite_utils"} | TORCH)
    door = set(re.findall(r'"(\w+)"', (ROOT / "worker" / "__init__.py").read_text().split("__all__")[1].split("]")[0]))
    inside = {each for each in found if each.startswith("worker.")} - {f"worker.{each}" for each in door}
    assert not inside, f"past the worker's door: {inside}"


@pytest.mark.parametrize("path", [*ours(*ROOMS), ROOT / "streamlit_app.py"], ids=name_of)
def test_sql_is_written_in_one_place(path):
    if name_of(path).startswith("medml/store/"):
        return
    assert packages(path).isdisjoint({"sqlite3", "sqlite_utils", "apsw"})


@pytest.mark.parametrize("path", [*ours(*ROOMS), ROOT / "streamlit_app.py"], ids=name_of)
def test_nobody_opens_a_socket(path):
    network = {"redis", "socket", "requests", "httpx", "urllib3", "aiohttp", "ftplib", "smtplib", "http", "websockets"}
    used = {name for name, _ in imports_of(path)
            if name.split(".")[0] in network or name.startswith("urllib.request")}
    redis_alone = all(each.split(".")[0] == "redis" for each in used)
    assert not used or name_of(path) in SOCKETS or (redis_alone and name_of(path) in REDIS)


@pytest.mark.parametrize("path", [*ours(*ROOMS, "bench"), ROOT / "streamlit_app.py", ROOT / "start.py"], ids=name_of)
def test_no_pickle_is_ever_read(path):
    assert packages(path).isdisjoint({"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"})
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"allow_pickle\s*=\s*True|read_pickle|torch\.save\(|weights_only\s*=\s*False", text)
    for call in re.findall(r"torch\.load\([^)]*\)", text):
        assert "weights_only=True" in call


@pytest.mark.parametrize("path", [*ours(*ROOMS, "tests", "bench"), ROOT / "streamlit_app.py", ROOT / "start.py"],
                         ids=name_of)
def test_no_file_grows_past_its_ceiling(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", [each for each in ours("pages") if not each.name.startswith("_")], ids=name_of)
def test_a_screen_reads_draws_and_makes_one_call(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 150


def test_nothing_but_the_rooms_stands_on_top_of_the_tree():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    tops = {each.split("/")[0] for each in listed.stdout.splitlines()}
    assert {each for each in tops if not each.startswith(".")} <= TOP


def test_no_shipped_file_names_a_place_to_download_from():
    """Packages come from wherever pip is set up to look; nothing here knows a registry by name."""
    hosts = re.compile(r"pypi\.org|pythonhosted|huggingface\.co|download\.pytorch|registry\.npmjs|anaconda\.org|"
                       r"fonts\.g(oogleapis|static)|cdn\.jsdelivr|unpkg\.com|cdnjs")
    places = [*ours(*ROOMS), ROOT / "streamlit_app.py", ROOT / "start.py", ROOT / "requirements.txt",
              ROOT / "tests" / "requirements.txt", ROOT / ".ci" / "run", *(ROOT / "pages").rglob("*.css")]
    assert [name_of(each) for each in places if hosts.search(each.read_text(encoding="utf-8"))] == []


def loaded_after(code: str, tmp_path) -> set[str]:
    """Which modules a fresh Python has loaded after that code."""
    say = "\nimport sys; print('\\n' + ' '.join(sorted(sys.modules)))"
    settings = os.environ | {"MEDML_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "-c", code + say], cwd=ROOT, capture_output=True, text=True, check=False,
                         env=settings)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return set(ran.stdout.splitlines()[-1].split())


def test_no_page_loads_torch_or_other_slow_libraries(tmp_path):
    names = {name for page in ours("pages") for name, early in imports_of(page) if early}
    lines = [f"try:\n    import {each}\nexcept ModuleNotFoundError:\n    import {each.rpartition('.')[0]}"
             for each in sorted(names) if "." in each and not each.startswith("__future__")]
    lines += [f"import {each}" for each in sorted(names) if "." not in each]
    loaded = loaded_after("\n".join(lines), tmp_path)
    assert "streamlit" in loaded and "medml.store" in loaded
    assert loaded.isdisjoint(TORCH | {"xgboost", "sklearn", "PyImpetus", "matplotlib", "seaborn"})


def test_a_submitted_job_loads_no_slow_library(tmp_path):
    code = "import worker\nworker.enqueue('scan', {'project': 'p1'})"
    assert loaded_after(code, tmp_path).isdisjoint(TORCH | {"xgboost", "sklearn", "streamlit"})


@pytest.mark.parametrize("code", ["import worker.__main__", "import worker.run", "import worker.standby",
                                  "import medml.commands.jobs"])
def test_worker_child_and_light_commands_load_no_pandas(code, tmp_path):
    """Which sqlite-utils would bring into each of them: 0.3 s and 60 MB."""
    assert loaded_after(code, tmp_path).isdisjoint({"pandas", "pyarrow", "polars"})


def test_pandas_is_there_for_whoever_asks_after_the_store(tmp_path):
    assert "pandas" in loaded_after("import medml.store\nimport pandas\npandas.DataFrame({'a': [1]})", tmp_path)


def test_the_store_hides_pandas_from_no_other_thread(tmp_path):
    """What the app's other threads might be loading at that moment is left alone."""
    code = ("import threading\nawake = threading.Event()\nthreading.Thread(target=awake.wait).start()\n"
            "import medml.store, sys\nthere = 'pandas' in sys.modules\nawake.set()\nassert there")
    assert "pandas" in loaded_after(code, tmp_path)


def test_the_library_works_without_the_app(tmp_path):
    code = "import medml.profile, medml.train, medml.gallery, medml.predict, medml.__main__"
    assert loaded_after(code, tmp_path).isdisjoint({"streamlit", "huey", "worker"})
