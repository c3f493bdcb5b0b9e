"""Model files that lie in the clinician's folder: told apart and never loaded. Models come in by `medml weights` or a
backup, and there they are checked again.
"""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

from medml.data.files import open_regular
from medml.data.notes import not_read
from medml.errors import UserError

ENDINGS = frozenset({"safetensors", "onnx", "pkl", "pickle", "joblib", "pt", "pth", "skops", "ubj", "h5", "keras"})
MOST_HEADER = 100_000_000  # bytes; the format's own limit (safetensors, "header size")
OWN = re.compile(rb'^\s*\{\s*"format"\s*:\s*"medml-(\d{1,6})"')
FORMAT = 1
LARGEST = 64 << 20  # bytes of an ONNX file that is looked through


def is_own(head: bytes) -> bool:
    """Whether a JSON file describes a model that MedML saved."""
    return OWN.match(head) is not None


def reason(path: Path, kind: str) -> UserError:
    """Why a model file in the folder is left out, or refused because it would do harm to who loads it."""
    if kind == "safetensors":
        return _safetensors(path)
    if kind == "onnx":
        return _onnx(path)
    return _left_out()


def own(path: Path, head: bytes) -> UserError:
    """Why a model that MedML saved is not read from this folder."""
    found = OWN.match(head)
    if found is not None and int(found[1]) > FORMAT:
        return not_read("newer_format", "This model was saved by a newer MedML.", "Open it with that version.")
    try:
        weights = json.loads(head).get("weights", "")
    except ValueError:
        weights = None
    if not isinstance(weights, str) or Path(weights).name != weights:
        return not_read("unsafe_path", "This model names a file outside of its folder. It was not opened.", refuse=True)
    if not weights or not (path.parent / weights).is_file():
        return not_read("incomplete_artefact", "This model was not saved completely and is not listed.")
    return _left_out()


def _safetensors(path: Path) -> UserError:
    """The header is a length and JSON that gives each tensor's place; none may lie outside of the file."""
    damaged = not_read("damaged", "This model file promises more than it holds. It was not opened.", refuse=True)
    with open_regular(path) as file:
        size = file.seek(0, 2)
        file.seek(0)
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else size
        if length > min(size - 8, MOST_HEADER):
            return damaged
        try:
            header = json.loads(file.read(length))
            ends = [each["data_offsets"][1] for name, each in header.items() if name != "__metadata__"]
            return damaged if max(ends, default=0) > size - 8 - length else _left_out()
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError):
            return damaged


def _onnx(path: Path) -> UserError:
    """One whose numbers lie in other files could make whoever loads it read any file of the machine."""
    from google.protobuf.message import DecodeError  # late: it comes with onnx

    with open_regular(path) as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        return _left_out()
    import onnx

    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError):
        return not_read("damaged", "This model file is damaged. It was not opened.", refuse=True)
    outside = [each for each in model.graph.initializer if each.external_data]
    return not_read("unsafe_path", "This model takes its numbers from other files, which could be any. It was not "
                    "opened.", refuse=True) if outside else _left_out()


def _left_out() -> UserError:
    return not_read("model_file", "This file is a model, not a table. It was not opened.", "Bring weights in with "
                    "`python -m medml weights FILE`.")
