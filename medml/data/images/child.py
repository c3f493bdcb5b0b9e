"""Decode images on request, alone as a child process: foreign files meet C decoders here and nowhere else.

A request is one line of JSON on standard input; an answer is a header, a line of JSON and raw pixels on standard
output. The process ends itself where a file takes more memory, processor time or time than it may, and at end of input.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import struct
import sys
import types
from pathlib import Path

HEADER = struct.Struct("<II")  # bytes of JSON, bytes of pixels
_ROOT = Path(__file__).resolve().parents[3]


def main() -> None:
    """Answer until standard input ends. Arguments: bytes of memory, seconds of processor time, seconds."""
    memory, seconds, longest = (int(each) for each in sys.argv[1:4])
    _limit_memory(memory)
    answers = os.fdopen(os.dup(1), "wb")
    quiet = open(os.devnull, "w")  # noqa: SIM115 - lives as long as this process
    os.dup2(quiet.fileno(), 1)  # a library that prints must not speak in between
    _bare_packages()
    from medml import egress
    from medml.data.images import pixels
    egress.install(process="pictures")
    for line in sys.stdin.buffer:
        request = json.loads(line)
        pixels.load_decoder(request["kind"])  # no file's time is spent on it
        _limit_time(seconds)
        faulthandler.dump_traceback_later(longest, exit=True, file=quiet)
        told, content = _answer(pixels, request)
        faulthandler.cancel_dump_traceback_later()
        said = json.dumps(told).encode()
        answers.write(HEADER.pack(len(said), len(content)) + said)
        answers.write(content)
        answers.flush()


def _answer(pixels, request: dict) -> tuple[dict, memoryview | bytes]:
    try:
        found = pixels.decode(request)
    except pixels.Unreadable as error:
        return {"code": error.code, "what": error.what, "fix": error.fix, "refuse": error.action == "refuse"}, b""
    return {"shape": found.shape}, found.tobytes()


def _bare_packages() -> None:
    """Make our packages known without running their doors, which load what only tables need."""
    sys.path.append(str(_ROOT))
    for name in ("medml", "medml.data", "medml.data.images"):
        package = types.ModuleType(name)
        package.__path__ = [str(_ROOT.joinpath(*name.split(".")))]
        sys.modules[name] = package


def _limit_memory(most: int) -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):  # Windows and macOS: the parent watches
        import resource
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the picture
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _limit_time(seconds: int) -> None:
    """So many seconds of processor time from now on; past them the system ends this process."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource
        used = resource.getrusage(resource.RUSAGE_SELF)
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, hard))


if __name__ == "__main__":
    main()
