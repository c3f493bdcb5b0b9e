"""The words that reach a screen, read from the code: every sentence of a page and of the library's own findings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SILENT = {"medml/loop.py", "medml/vision/shim.py", "medml/vision/backbones.py", "medml/plots/theme.py",  # code's names
          "medml/copilot/intents.py", "medml/copilot/prompting.py", "medml/copilot/acting.py"}  # said to a model
UNREAD = ("medml/store/", "medml/words/")  # SQL; and the glossary itself, which may say what it explains
SENTENCE = re.compile(r"[A-Za-z,;:%)”’]\s+[A-Za-z(“‘]")


@dataclass(frozen=True)
class Said:
    """A piece of text that a person may read, and where it stands."""

    text: str
    place: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text[:100]!r}"


@cache
def spoken() -> tuple[Said, ...]:
    """All of them: docstrings, logs and errors of programmers left out, and so is what holds no two words."""
    places = sorted(each for room in ("pages", "medml", "worker") for each in (ROOT / room).rglob("*.py"))
    named = [(each, each.relative_to(ROOT).as_posix()) for each in places]
    return tuple(said for each, name in named if name not in SILENT and not name.startswith(UNREAD)
                 for said in _of(each, name))


def _of(path: Path, name: str) -> Iterator[Said]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    unread = {id(each) for node in ast.walk(tree) for each in _unread(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in unread:
            if SENTENCE.search(node.value) and not node.value.lstrip().startswith(("<", "{", "SELECT")):
                yield Said(node.value, f"{name}:{node.lineno}")


def _unread(node: ast.AST) -> Iterator[ast.AST]:
    """What of a node no person reads: docstrings, errors for programmers, the log, comments of a stored form."""
    if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            yield first.value
    elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        if getattr(node.exc.func, "id", "") != "UserError":
            yield from ast.walk(node)
    elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[0] in ("log", "logging", "re"):
        yield from ast.walk(node)


@cache
def calls() -> tuple[tuple[str, str], ...]:
    """(word, place) of every term that a page asks for by name."""
    found = []
    for path in sorted((ROOT / "pages").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("term", "explained", "entry"):
                found += [(each.value, f"{path.name}:{node.lineno}") for each in node.args[:1]
                          if isinstance(each, ast.Constant)]
    return tuple(found)
