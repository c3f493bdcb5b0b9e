"""Find plug-ins: one file in a folder is one plug-in; nobody keeps a list of them."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Plug-ins of one sort by name, found by importing every module of a package once, on first use.

    A module registers by calling `add` at import. A module whose third-party library is missing is listed in
    `missing` (name -> library); any other failure to import is loud.
    """

    def __init__(self, package: str) -> None:
        self.package = package
        self.missing: dict[str, str] = {}
        self._found: dict[str, T] = {}
        self._searched = self._searching = False
        self._lock = threading.RLock()

    def add(self, name: str, plug_in: T) -> T:
        """Register under a name; a name taken twice is a programming error."""
        if name in self._found:
            raise ValueError(f"{self.package}: {name!r} is registered twice")
        self._found[name] = plug_in
        return plug_in

    def get(self, name: str) -> T:
        """The plug-in of that name; ValueError lists what exists."""
        self._search()
        if name not in self._found:
            raise ValueError(f"{self.package} has no {name!r}; it has {', '.join(sorted(self._found))}")
        return self._found[name]

    def __iter__(self) -> Iterator[T]:
        self._search()
        return iter(list(self._found.values()))

    def names(self) -> list[str]:
        self._search()
        return list(self._found)

    def _search(self) -> None:
        with self._lock:  # two sessions of the app may ask at once
            if self._searched or self._searching:
                return
            self._searching = True
            try:
                package = importlib.import_module(self.package)
                for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda each: each.name):
                    self._load(f"{self.package}.{found.name}", found.name)
                self._searched = True  # only now: a plug-in that fails to import is loud every time
            finally:
                self._searching = False

    def _load(self, full_name: str, name: str) -> ModuleType | None:
        try:
            return importlib.import_module(full_name)
        except ModuleNotFoundError as absent:
            if (absent.name or "").split(".")[0] in ("medml", "worker", "pages"):
                raise  # a mistake of ours, not a library that is not installed
            self.missing[name] = absent.name or "?"
            return None
