"""Every act of the line under strace, in a network namespace without routes: `python -m medml.doctor.sealed FOLDER`.

Nothing here can reach another machine; what is counted is who tries to (see `medml.doctor.prove`).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

STRACE = ("strace", "-f", "-qq", "--seccomp-bpf", "-s", "0",  # no byte of what is sent is written down
          "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-e", "signal=none")
CONTROL = "import socket; out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); out.connect(('192.0.2.1', 80))"
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 600.0  # seconds for one act
IDLE = "1"  # seconds after which a worker with nothing to do ends


def traced(arguments: list[str], trace: Path) -> list[str]:
    """A command line under strace, all of its descendants too; what is seen goes to the file `trace`."""
    return [*STRACE, "-o", str(trace), "--", *arguments]


def loopback_up() -> None:
    """Let the namespace's own loopback work; it is down in a fresh one (netdevice(7), SIOCSIFFLAGS)."""
    import fcntl
    import socket
    import struct

    up, set_flags = 1, 0x8914
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_one:
        fcntl.ioctl(any_one, set_flags, struct.pack("16sh14x", b"lo", up))


def routes() -> list[str]:
    """The ways out of this namespace, besides loopback: [] where it is sealed (/proc/net/route, route6)."""
    found = Path("/proc/net/route").read_text().splitlines()[1:]
    with contextlib.suppress(FileNotFoundError):  # a system without IPv6
        found += Path("/proc/net/ipv6_route").read_text().splitlines()
    return [each for each in found if each.split()[0] != "lo" and each.split()[-1] != "lo"]


def main(folder: Path) -> int:
    """Do every act; one line of JSON each: its name, its exit code, its seconds."""
    loopback_up()
    if routes():
        return 3
    for name, code, seconds in acts(folder):
        sys.stdout.write(json.dumps({"name": name, "code": code, "seconds": round(seconds, 1)}) + "\n")
        sys.stdout.flush()
    return 0


def acts(folder: Path):
    """The whole line on the example table, act by act: (name, exit code, seconds)."""
    from medml.doctor.scene import apart
    from medml.example import example_source

    own = apart(folder / "home") | {"MEDML_IDLE": IDLE}
    for name in os.environ.keys() - own.keys():
        del os.environ[name]
    os.environ |= own
    data = shutil.copytree(example_source(), folder / "data")
    yield _act(folder, "control", [sys.executable, "-c", CONTROL])
    made = folder / "train.json"
    yield _act(folder, "scan", _medml("scan", str(data)))
    yield _act(folder, "train", _medml("train", str(data), "--target", "diagnosis", "--family", "boosting", "--folds",
                                       "3", "--json", str(made)))
    run = json.loads(made.read_text())["run"]
    table = next(data.iterdir())
    yield _act(folder, "predict", _medml("predict", run, str(table), "--out", str(folder / "answers.csv")))
    yield _act(folder, "explain", _medml("explain", run))
    yield _act(folder, "export", _medml("export", run, "--onnx", str(folder / "model.onnx")))
    yield _act(folder, "report", _medml("report", run, "--pdf", str(folder / "r.pdf"), "--docx", str(folder / "r.docx"),
                                        "--card", str(folder / "r.md")))
    yield _act(folder, "ask", _medml("ask", run, "Why is sensitivity low?"))
    yield _act(folder, "enqueue", _medml("enqueue", "train", str(data), "--target", "diagnosis", "--family", "logistic",
                                         "--folds", "3"))
    yield _worker(folder)
    yield _app(folder)


def _medml(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "medml", *arguments]


def _act(folder: Path, name: str, arguments: list[str]) -> tuple[str, int, float]:
    begun = time.monotonic()
    with (folder / f"{name}.said").open("wb") as said:
        code = subprocess.run(traced(arguments, folder / f"{name}.trace"), cwd=ROOT, stdout=said, stderr=said,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False).returncode
    return name, code, time.monotonic() - begun


def _worker(folder: Path) -> tuple[str, int, float]:
    """The worker until it has nothing to do; it fails where the training in its queue was not done."""
    from medml import store

    name, code, seconds = _act(folder, "worker", [sys.executable, "-m", "worker"])
    return name, code or int(not all(each.state == "done" for each in store.jobs())), seconds


def _app(folder: Path) -> tuple[str, int, float]:
    """The app until it answers and has drawn every screen, the run that was made open, then its end and that of the
    worker which it started."""
    import urllib.request

    begun, port = time.monotonic(), 8599  # nobody else is in this namespace
    address = f"http://127.0.0.1:{port}/"
    with (folder / "app.said").open("wb") as said:
        app = subprocess.Popen(traced([sys.executable, "-m", "streamlit", "run", "streamlit_app.py",
                                       "--server.address", "127.0.0.1", "--server.port", str(port)],
                                      folder / "app.trace"), cwd=ROOT, stdout=said, stderr=said)
    answered = False
    while not answered and app.poll() is None and time.monotonic() < begun + PATIENCE:
        time.sleep(0.2)
        with contextlib.suppress(OSError):
            answered = urllib.request.urlopen(address, timeout=10).status == 200
    code = _every_screen(folder, address.rstrip("/")) if answered else 1
    end_of(app.pid)
    app.wait(PATIENCE)
    return "app", code, time.monotonic() - begun


def _every_screen(folder: Path, address: str) -> int:
    """Ask for each as a browser does; who asks stands for a person, so only who draws is watched."""
    from medml import gallery, project

    ids = [project.all_projects()[0].id, gallery.runs()[0].run]
    with (folder / "screens.said").open("wb") as said:
        return subprocess.run([sys.executable, "-m", "pages._proof", address, *ids], cwd=ROOT, stdout=said, stderr=said,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE, check=False).returncode


def end_of(strace: int) -> None:
    """Let what strace started end in good order; strace itself ends with the last of its descendants."""
    import psutil

    for each in psutil.Process(strace).children():
        with contextlib.suppress(psutil.Error):
            each.terminate()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
