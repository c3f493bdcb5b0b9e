"""Who may read MedML's files, whether they can be written for good, and that no file can run anything."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from medml import drive as drives
from medml import home
from medml import room as rooms
from medml.doctor import Finding, found, look
from medml.doctor.scene import PATIENCE, ROOT, Scene, apart

PLENTY = 10.0  # GB


@look("Files")
def modes(scene: Scene) -> Iterator[Finding]:
    """MedML's folder and what must be its owner's alone: private parts, keys, databases, logs."""
    how = "The mode of each file."
    if os.name != "posix":
        yield found("amber", "Rights on files", "This system keeps rights in lists that MedML does not read.",
                    f"See that {scene.home} is in your own user folder.", how=how)
        return
    tops = dict.fromkeys([scene.home, home.state()])  # where several machines share the first, this one's own
    open_ones = [each for top in tops for each in guarded(top) if stat.S_IMODE(each.lstat().st_mode) & 0o077]
    if open_ones:
        first = next(open_ones[0].relative_to(top) for top in tops if top in open_ones[0].parents)
        yield found("red", "Rights on files", f"{len(open_ones):,} of MedML's own files or folders can be read by "
                    f"other accounts, the first is {first}.", f"chmod -R go-rwx {' '.join(map(str, tops))}", how=how)
    else:
        yield found("green", "Rights on files", "Runs, keys, databases and logs can be read by your account alone.",
                    how=how)


def guarded(top: Path) -> Iterator[Path]:
    """Every folder and database in MedML's own folder, which itself may be seen: nothing but a README lies open in it;
    and every file under keys, logs and any private folder."""
    yield from (each for each in sorted(top.iterdir()) if each.is_dir() or ".db" in each.name)
    for folder in (top / "keys", top / "logs", *top.glob("runs/*/private"), *top.glob("runs/*/checkpoints/*/private")):
        if folder.is_dir():
            yield from (each for each in folder.rglob("*") if each.is_file())


@look("Files")
def drive(scene: Scene) -> Iterator[Finding]:
    """SQLite's locks cannot be relied on over a network."""
    kind, how = drives.network_type(home.state()), "The system's table of mounted drives."
    if kind is None:
        yield found("green", "Drive of MedML's folder", "It is a disk of this machine.", how=how)
    else:
        yield found("red", "Drive of MedML's folder", f"It is a network drive ({kind}), on which databases come to "
                    "harm.", "Set MEDML_HOME to a folder on a disk of this machine.", how=how)


@look("Files")
def keys(scene: Scene) -> Iterator[Finding]:
    """Every key has its whole length; a red line says which has not."""
    for name in ("secret", "audit"):
        if home.has_secret(name):
            home.secret(name)
    yield found("green", "Keys", "What cases and the audit log are known again by is whole.",
                how="Length of the files.")


@look("Files")
def room(scene: Scene) -> Iterator[Finding]:
    """Enough for new work, and for a large training."""
    free, how = shutil.disk_usage(scene.home).free / 1e9, "Asked of the file system."
    little = rooms.little_room()
    if little is not None:
        yield found("red", "Room on the disk", little.what, little.fix, how=how)
    elif free < PLENTY:
        yield found("amber", "Room on the disk", f"{free:,.1f} GB are free.", "A large training may need more.",
                    how=how)
    else:
        yield found("green", "Room on the disk", f"{free:,.0f} GB are free.", how=how)


@look("Files")
def writing(scene: Scene) -> Iterator[Finding]:
    """A file is written through to the disk as every file of MedML is (fsync, rename), and read again."""
    place, content = scene.home / f".doctor-{secrets.token_hex(4)}", secrets.token_bytes(1 << 16)
    how, begun = "A file of 64 kB was written with fsync, read again and deleted.", time.perf_counter()
    try:
        home.write_bytes(place, content)
        same = place.read_bytes() == content
    finally:
        place.unlink(missing_ok=True)
    took = 1000 * (time.perf_counter() - begun)
    if same:
        yield found("green", "Writing for good", f"It took {took:,.0f} ms and came back as it was.", how=how)
    else:
        yield found("red", "Writing for good", "What was read is not what was written.", "Have the disk checked; set "
                    "MEDML_HOME to another one.", how=how)


@look("Files", slow=True)
def no_pickle(scene: Scene) -> Iterator[Finding]:
    """A file that would run a program when it is loaded carelessly is offered as a model's weights, in a home of its
    own; it must be refused, and the program must not have run."""
    how = "A file that makes another one when it is loaded without care was offered to `medml weights`."
    with tempfile.TemporaryDirectory() as folder:
        place, mark = Path(folder) / "resnet18.pt", Path(folder) / "ran"
        place.write_bytes(b"cos\nmkdir\n(V" + str(mark).encode("raw_unicode_escape") + b"\ntR.")  # protocol 0, by hand
        done = subprocess.run([sys.executable, "-m", "medml", "weights", str(place)], cwd=ROOT, capture_output=True,
                              timeout=PATIENCE, check=False, env=apart(Path(folder) / "home"))
        ran = mark.exists()
    if ran or done.returncode != 2:
        yield found("red", "Model files that run programs", "One was run." if ran else "One was not refused.",
                    "Load no model file that you did not make; tell whoever looks after MedML.", how=how)
    else:
        yield found("green", "Model files that run programs", "One was offered, refused, and did not run.", how=how)
