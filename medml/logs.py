"""One logging set-up for app, worker, jobs and command line: files in home()/logs, turned over at 2 MB, no values.

A record of our own code is written as it is: our code never puts a cell into one. A record of somebody else's may
quote a value ("could not convert 'Jane'"), so of those only the place in the code and the type of error are kept.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
import threading
import traceback
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

from medml.home import log_folder, no_right, refuse_anothers

OURS = ("medml", "worker", "pages", "streamlit_app", "__main__")
NO_RIGHT = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR, errno.EISDIR)
LARGEST, KEPT = 2_000_000, 5  # bytes a file; old files
LINE = "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"
_record = logging.getLogRecordFactory()


def set_up(role: str, level: int = logging.INFO) -> Path:
    """Let this process write to home()/logs/<role>.log from here on; returns that file.

    role    app, worker, jobs or command. Several processes may share one file.
    raises  UserError where MedML's folder cannot be written to, or is another account's: no process begins there
    """
    try:
        refuse_anothers()
        path = log_folder() / f"{role}.log"
        handler = Turning(path, encoding="utf-8")
    except OSError as refused:
        raise (no_right(refused) if refused.errno in NO_RIGHT else refused) from refused
    logging.setLogRecordFactory(_without_values)
    handler.setFormatter(logging.Formatter(LINE))
    root = logging.getLogger()
    for each in list(root.handlers):
        if isinstance(each, Turning):
            root.removeHandler(each)
            each.close()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for each in OURS:
        logging.getLogger(each).setLevel(level)
    logging.raiseExceptions = False  # a full disk must not stop the work, nor print a record to a terminal
    sys.excepthook = _unforeseen
    threading.excepthook = lambda given: _unforeseen(given.exc_type, given.exc_value, given.exc_traceback)
    return path


def places(error: BaseException | None) -> str:
    """An error as its type and the places in the code that it passed, innermost first; never its message."""
    if error is None:
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at " + " < ".join(
        f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames[-8:]))


def _without_values(*given: Any, **more: Any) -> logging.LogRecord:
    """A record without traceback text; of foreign code also without its message."""
    record = _record(*given, **more)
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    if record.name.split(".")[0] not in OURS:
        record.msg, record.args = f"(message withheld, {record.filename}:{record.lineno})", ()
    if error is not None:
        record.msg, record.args = f"{record.getMessage()} {places(error)}", ()
    record.exc_info = record.exc_text = record.stack_info = None
    return record


def _unforeseen(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """Instead of a traceback on the terminal, whose last line may quote a cell."""
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("medml").critical("unforeseen: %s", places(error))


class Turning(WatchedFileHandler):
    """Appends; turns the file over when it is large. Whoever shares the file follows: it is opened again when moved."""

    def __init__(self, path: Path, **more: Any) -> None:
        super().__init__(path, **more)
        self.path = path
        with contextlib.suppress(OSError):
            path.chmod(0o600)

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):  # a full disk
            self._turn()
            super().emit(record)

    def _turn(self) -> None:
        if not self.path.exists() or self.path.stat().st_size < LARGEST:
            return
        if os.name != "posix" and self.stream:
            self.stream.close()  # Windows moves no open file
            self.stream = None
        for number in range(KEPT - 1, 0, -1):
            older = self.path.with_suffix(f".log.{number}")
            if older.exists():
                os.replace(older, self.path.with_suffix(f".log.{number + 1}"))
        os.replace(self.path, self.path.with_suffix(".log.1"))
