"""Questions of a screen that need slow libraries and whose answers hold pictures: a child answers through a pipe.

Pictures of patients are never stored, so they cannot come as the result of a job; and a page never loads torch. The
child ends with its answer; nothing of it is written.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from medml import egress, logs, rights
from medml.errors import UserError, apology, our_fault
from medml.roots import check_source

REFUSED = 2  # exit code where a person can mend it
READ_A_RUNS_FOLDER = ("judged", "look")  # questions that name no folder: the run's own pictures are read
PATIENCE = 300.0  # seconds; only an answer that never comes takes that long
ROOT = Path(__file__).resolve().parent.parent


def ask(question: str, **about: Any) -> dict[str, np.ndarray]:
    """Ask a child and wait for its answer, as arrays by name.

    question  "judged", "look" or "augmented", see medml.looking; "bring", see medml.vision.weights; "patient" or
              "look_new", see medml.asking; "explained", see medml.explain.asked; "written_down", see
              medml.copilot.speech
    about     its arguments, as JSON can hold them
    raises    UserError as the question itself does, or where no answer came
    """
    rights.require_answer(question, about, ready=lambda: _may_be_read(question, about))
    order = json.dumps({"question": question, "about": about}).encode()
    child = subprocess.Popen([sys.executable, "-m", "worker.aside"], cwd=ROOT, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        content, _ = child.communicate(order, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise UserError(what=f"No answer came within {PATIENCE / 60:.0f} minutes.",
                        fix="Try again when the machine is less busy. Nothing was changed.", code="too_long") from None
    finally:
        if child.returncode is None:
            _let_go(child)
    return opened(child.returncode, content)


def _may_be_read(question: str, about: dict[str, Any]) -> None:
    """The folder or file that the child will read: it reads for everybody, so whoever asks is held to the folders that
    they may use here. A drive that does not answer is told within seconds.

    raises  UserError where it is gone, outside of those folders, or does not answer
    """
    for name in ("file", "source"):
        if about.get(name):
            check_source(about[name])
    if question in READ_A_RUNS_FOLDER:
        from medml import gallery  # late: a worker and its children need it nowhere else

        check_source(gallery.open_run(about["run"]).source)


def _let_go(child: subprocess.Popen) -> None:
    """End it, and wait for that elsewhere: one that hangs on a dead drive ends when the drive does, if ever."""
    child.kill()
    threading.Thread(target=child.communicate, name="let-go", daemon=True).start()


def opened(status: int, content: bytes) -> dict[str, np.ndarray]:
    """What a child answered, as arrays by name; UserError where it refused, or failed."""
    if status == REFUSED:
        raise UserError(**json.loads(content))
    if status:
        raise UserError(what="The answer could not be made ready.", code="aside",
                        fix="Try again; the log in the folder of MedML says what was wrong. Nothing was changed.")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def answered(order: bytes) -> tuple[int, bytes]:
    """In the child: one order to (0, arrays), (REFUSED, what a person can mend) or (1, nothing)."""
    try:
        asked = json.loads(order)
        answer = io.BytesIO()
        np.savez(answer, **ANSWERS[asked["question"]](asked["about"]))
        return 0, answer.getvalue()
    except UserError as error:
        return REFUSED, json.dumps({"what": error.what, "fix": error.fix, "code": error.code}).encode()
    except Exception as error:  # noqa: BLE001 - the child's only guard: no traceback may quote a cell
        sys.stderr.write(apology(our_fault(error)))
        return 1, b""


def main() -> int:
    """In the child: one question from the input, its answer to the output."""
    logs.set_up("jobs")
    egress.install(process="answers")
    out, sys.stdout = sys.stdout.buffer, sys.stderr  # a library that prints must not spoil the answer
    status, content = answered(sys.stdin.buffer.read())
    out.write(content)
    out.flush()
    return status


def _judged(about: dict[str, Any]) -> dict[str, np.ndarray]:
    """Every answer of a run, by name of what an answer holds; "channels" and "hottest" beside them."""
    from medml import looking

    found = looking.judged(about["run"])
    return found.answers.arrays() | {"channels": np.array(found.channels), "hottest": np.array(found.hottest)}


def _look(about: dict[str, Any]) -> dict[str, np.ndarray]:
    """Some of these answers, with "pixels" and "heat"."""
    from medml import looking

    some = looking.Answers(**{name: np.array(values) for name, values in about["answers"].items()})
    found = looking.look(about["run"], some, channels=about["channels"], hottest=np.array(about["hottest"]))
    return found.answers.arrays() | {"pixels": found.pixels, "heat": found.heat}


def _augmented(about: dict[str, Any]) -> dict[str, np.ndarray]:
    from medml import looking
    from medml.types import PicturePlan, TableRef

    return {"pixels": looking.augmented(Path(about["source"]), TableRef(**about["table"]), PicturePlan(**about["plan"]),
                                        about["names"], about["changes"])}


def _bring(about: dict[str, Any]) -> dict[str, np.ndarray]:
    """Import weights; the answer is the hash of the file that was kept."""
    from medml.vision import weights

    kept = weights.bring(Path(about["file"]).expanduser(), about["backbone"], scaling=about["scaling"])
    return {"sha256": np.array([kept.sha256])}


def _patient(about: dict[str, Any]) -> dict[str, np.ndarray]:
    """The answer for one patient; {} of values: none, but the model is in memory then."""
    from medml import asking

    return asking.patient(about["run"], about["values"])


def _look_new(about: dict[str, Any]) -> dict[str, np.ndarray]:
    """Pictures that were answered, each beside where the model looked."""
    from medml import asking

    return asking.look_at_new(about["run"], Path(about["file"]), about["answers"])


def _explained(about: dict[str, Any]) -> dict[str, np.ndarray]:
    """What an explanation says of single patients; "part" names the function of medml.explain.asked."""
    from medml.explain import asked

    return asked.PARTS[about["part"]](about)


def _written_down(about: dict[str, Any]) -> dict[str, np.ndarray]:
    """A spoken question as text."""
    from medml.copilot import speech

    return speech.written_down_of(about)


def _guarded(about: dict[str, Any]) -> dict[str, np.ndarray]:
    """Whether this process is refused a connect off the machine: tried now, for medml.doctor."""
    return {"guarded": np.array([egress.installed() and egress.holds()])}


ANSWERS = {"guarded": _guarded, "judged": _judged, "look": _look, "augmented": _augmented, "bring": _bring,
           "patient": _patient, "look_new": _look_new, "explained": _explained, "written_down": _written_down}

if __name__ == "__main__":
    sys.exit(main())
