"""What came in the way of a training that went on all the same, recognised, and told in the words of its report."""

from __future__ import annotations

import re
from collections.abc import Sequence

from medml.errors import UserError

NO_NUMBER, CARD_GONE = "no_number", "card_gone"  # names under which a network keeps the epoch of it
HALVINGS = 2  # times that a training is started again with half as many rows a step
_MEMORY = re.compile(r"DefaultCPUAllocator|out\sof\smemory|CUBLAS_STATUS_ALLOC_FAILED|bad_alloc")
_CARD = re.compile(r"CUDA(\sdriver)?\serror|cuDNN\serror|CUBLAS_STATUS_|CUFFT_|MPS\sbackend")


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether Python, NumPy, torch (on the processor or a graphics card) or XGBoost says that the memory is used up.

    torch says so on the processor by a plain RuntimeError, so its words are looked at: they hold no data.
    """
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError | ValueError) and _MEMORY.search(str(error)) is not None


def card_is_gone(error: BaseException) -> bool:
    """Whether a graphics card failed, was taken away or reset (torch.AcceleratorError, or its words in older
    versions): nothing in its memory can be read from then on."""
    if ran_out_of_memory(error) or not isinstance(error, RuntimeError):
        return False
    return type(error).__name__ == "AcceleratorError" or _CARD.search(str(error)) is not None


def nothing_learned() -> UserError:
    """The loss was no number before there was anything to keep."""
    return UserError(what="The loss was no number from the first round on, so nothing could be learned.",
                     fix="Choose a smaller learning rate on the Configure page, and look on the Preview page for "
                     "columns with extremely large numbers; then train again.", code="no_number")


def out_of_memory(halved: int) -> dict[str, str]:
    """How a job is told that failed for want of memory, after so many tries with half as many rows a step."""
    tried = {0: "", 1: " Half as many rows a step did not help.", 2: " Half and a quarter as many rows a step did not "
             "help."}[halved]
    return {"what": f"This needed more memory than the machine has free.{tried}", "reference": "",
            "fix": "Close other programs, leave out columns or choose a smaller family, then start again."}


def half_the_rows(unit: str, batch: int, halved: int) -> str:
    """ "The memory ran out, so the steps were made of half as many rows: 16." unit  "rows" or "pictures" """
    share = "half" if halved == 1 else "a quarter"
    return f"The memory ran out, so each step was made with {share} as many {unit} as planned: {batch}."


def in_words(fits: Sequence[dict[str, int]]) -> list[str]:
    """What happened to the models of a training (folds and the final one), a sentence each.

    fits  for every model, the epoch of each thing that happened to it, by name
    """
    found = []
    for name, sentence in _SENTENCES.items():
        epochs = [each[name] for each in fits if each.get(name)]
        where = f" in {len(epochs)} of {len(fits)} models" if len(fits) > 1 else ""
        if epochs:
            found.append(sentence.format(where=where, first=min(epochs)))
    return found


_SENTENCES = {
    NO_NUMBER: "The loss was no number any more from round {first} on{where}; learning stopped there, and the best "
               "round before is kept.",
    CARD_GONE: "The graphics card failed in round {first}{where}; the processor went on from the last checkpoint.",
}
