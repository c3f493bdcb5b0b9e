"""What a result was made from and with (G1): code, packages, split. Hashes and versions, no values."""

from __future__ import annotations

import functools
import hashlib
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import numpy as np

from medml.cases import Fold

PACKAGES = ("numpy", "pandas", "polars", "scikit-learn", "scipy", "torch", "xgboost-cpu", "xgboost", "PyImpetus",
            "safetensors")
VERSION = "0.1.0"


@functools.cache
def code_version() -> str:
    """Version and a hash of the library's own source, so that a run names the code that made it even without git."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return f"{VERSION}+{digest.hexdigest()[:12]}"


@functools.cache
def packages() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # the other build of xgboost
    return found


def split_sha256(data_sha256: str, rows: np.ndarray, held_out: np.ndarray, folds: Sequence[Fold]) -> str:
    """A hash that changes when any row changes sides: rows (n,) of the table, then positions of every part."""
    digest = hashlib.sha256(data_sha256.encode())
    for positions in (rows, held_out, *(each.test for each in folds), *(each.train for each in folds)):
        digest.update(np.ascontiguousarray(positions, dtype="<i8").tobytes())
    return digest.hexdigest()
