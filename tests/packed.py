"""Files of runs as a Gallery gives them, and changed ones."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

from medml.one_file import pack

Files = dict[str, bytes]


def unzipped(content: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: Files) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in files.items():
            archive.writestr(name, each)
    return content.getvalue()


def changed(content: bytes, change: Callable[[Files], None]) -> bytes:
    """The same file with something done to what is in it."""
    files = unzipped(content)
    change(files)
    return zipped(files)


def twin(run: str) -> bytes:
    """That run's file, as of a run of another id."""
    other = f"{run[:-12]}{'0' * 12}"
    files = {name.replace(run, other, 1): each for name, each in unzipped(pack(run)).items()}
    manifest = json.loads(files[f"{other}/manifest.json"])
    return zipped(files | {f"{other}/manifest.json": json.dumps(manifest | {"run": other}).encode()})
