"""How a family's state lies on disk: arrays.safetensors, other files, and state.json with the hash of each."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from medml import home
from medml.seals import damaged, stays_inside

STATE, ARRAYS = "state.json", "arrays.safetensors"


def write(folder: Path, family: str, meta: dict[str, Any], arrays: dict[str, np.ndarray],
          others: dict[str, bytes] | None = None) -> None:
    """Write one model. `meta` must be JSON; nothing in it may be a cell of the table. No pickle."""
    from safetensors.numpy import save

    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    files = {ARRAYS: save(contiguous), **(others or {})}
    for name, content in files.items():
        home.write_bytes(home.ensure(folder) / name, content)
    body = {"format": 1, "family": family, "meta": meta,
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}}
    home.write_bytes(folder / STATE, json.dumps(body | {"sha256": _seal(body)}).encode())


def read(folder: Path, family: str) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, bytes]]:
    """What `write` wrote: meta, arrays, other files. UserError(code="damaged") if a bit of it changed."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        body = json.loads((folder / STATE).read_bytes())
        seal = body.pop("sha256")
        if seal != _seal(body) or body["family"] != family:
            raise damaged(STATE)
        if not all(stays_inside(name) for name in body["files"]):
            raise damaged("a name that leads out of the folder")
        files = {name: (folder / name).read_bytes() for name in body["files"]}
        for name, content in files.items():
            if hashlib.sha256(content).hexdigest() != body["files"][name]:
                raise damaged(name)
        return body["meta"], load(files.pop(ARRAYS)), files
    except (OSError, KeyError, TypeError, AttributeError, ValueError, SafetensorError) as error:
        raise damaged(type(error).__name__) from None


def _seal(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
