"""Decode the images of a folder in child processes, in order, as far ahead as memory allows."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from medml.data.images.children import Children, Limits
from medml.data.images.image_file import ImageFile, Unreadable, Window
from medml.errors import Stopped
from medml.watch import Silent, Watch

Frames = Literal["first", "middle", "all"]
_AHEAD = 4  # pictures a child that may wait for their turn
_NO_LIMITS_OF_ITS_OWN = Limits()


def decode_all(source: Path, files: Sequence[ImageFile], *, size: int | None, window: Window | None = None,
               channels: Literal[1, 3] = 1, frames: Frames = "first", watch: Watch | None = None,
               limits: Limits = _NO_LIMITS_OF_ITS_OWN, children: int | None = None, inside: bool = False
               ) -> Iterator[tuple[int, np.ndarray | Unreadable]]:
    """The pixels of images that find_images found, as a person would see them.

    source    the folder (or the one file) that was searched;   inside  it is a zip archive that holds the files
    size      side in pixels of the result, proportions kept on black (see fit); None for each image's own size
    window    for grey images, instead of the file's own
    frames    which frame of a file that holds several; "all" gives one result a frame, in order
    children  how many processes; as many as there are processors where not given
    returns   (place in `files`, uint8 array (rows, cols) or (rows, cols, 3), or why there is none), in order
    raises    Stopped if the watch asks to stop; children are gone once the iterator is closed or at its end
    """
    watch = watch or Silent()
    wanted = [(place, frame) for place, image in enumerate(files) for frame in _frames(image, frames)]
    n = max(1, min(children or _processors(), len(wanted)))
    pool, pending = Children(n, limits), deque[tuple[int, Future]]()
    look = {"size": size, "channels": channels, "window": list(window) if window else None}
    requests = ((place, _request(source, files[place], frame, inside) | look) for place, frame in wanted)
    try:
        with ThreadPoolExecutor(n, thread_name_prefix="decode") as threads:
            try:
                for done in range(len(wanted)):
                    while len(pending) < _AHEAD * n and (following := next(requests, None)):
                        pending.append((following[0], threads.submit(pool.ask, following[1])))
                    if watch.stopping():
                        raise Stopped
                    place, answer = pending.popleft()
                    watch.say("decoding", done / len(wanted), f"{place + 1:,} of {len(files):,} images")
                    yield place, answer.result()
            finally:
                for _, answer in pending:
                    answer.cancel()
                pool.stop()  # so that no thread waits for an answer that nobody wants
    finally:
        pool.close()


def _frames(image: ImageFile, frames: Frames) -> Sequence[int]:
    if frames == "all":
        return range(image.frames)
    return (image.frames // 2 if frames == "middle" else 0,)


def _request(source: Path, image: ImageFile, frame: int, inside: bool) -> dict:
    """What a child is asked. ValueError where a path leads out of the source (it never comes from find_images)."""
    parts = PurePosixPath(image.path).parts
    if ".." in parts or PurePosixPath(image.path).is_absolute():
        raise ValueError("A path of an image leads out of its folder.")
    path = Path(source).joinpath(*parts) if Path(source).is_dir() else Path(source)
    return {"path": str(path), "kind": image.kind, "frame": frame, "inside": image.path if inside else None}


def _processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
