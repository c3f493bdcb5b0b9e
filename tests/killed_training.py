"""Two trainings on pictures, one with its pixels in a file and one in memory, that stand still in the middle of an
epoch, once a round was reported, until they are killed: a child of test_pixels_left. Its argument is the folder of
pictures; it prints a line once both stand.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from medml import device, home, pictures, profile, train
from medml.config import propose_config
from medml.recipe import propose_recipe
from medml.types import PicturePlan
from medml.vision import pixels, stream
from medml.watch import Silent

SIDE = 24
PARAMS = {"backbone": "small", "start": "scratch", "epochs": 50, "patience": 50, "batch": 8, "turn": 0.0,
          "shift": 0.0, "light": 0.1}


class Counting(Silent):
    """Knows whether a round has been reported, and says when the training stands."""

    def __init__(self) -> None:
        self.reported, self.stands = False, threading.Event()

    def point(self, point) -> None:
        self.reported |= point.round >= 1


class StandsStill(stream.Stream):
    """Hands out the first batch of an epoch; once a round was reported the second one never comes."""

    watch: Counting

    def __getitem__(self, which):
        if self.watch.reported and self.changes is not None and isinstance(which, slice) and which.start:
            self.watch.stands.set()
            threading.Event().wait()
        return super().__getitem__(which)


def ended(failed: threading.ExceptHookArgs) -> None:
    """A training that fails ends the child, for nobody would wait in vain."""
    sys.excepthook(failed.exc_type, failed.exc_value, failed.exc_traceback)
    os._exit(1)


def main() -> None:
    threading.excepthook = ended
    device.give_up()  # a graphics card is held by one training at a time
    source, made = Path(sys.argv[1]), []
    found = profile.scan(source)
    choice = profile.propose_choice(found, pictures=PicturePlan(size=SIDE))
    table, sha = found.table(choice.table), home.sha256_of(found)
    recipe = propose_recipe(table, choice, sha)
    config = propose_config(table, choice, recipe, profile_sha256=sha, data_sha256=table.sha256, family="cnn",
                            params=PARAMS, folds=2)

    class Noted(pixels.Store):
        def __init__(self, *shape, **more) -> None:
            super().__init__(*shape, **more)
            made.append(self.in_memory)

    stream.Stream, pictures.Store = StandsStill, Noted
    for number, share in enumerate((0.0, pixels.SHARE), start=1):
        pixels.SHARE, StandsStill.watch = share, Counting()
        threading.Thread(target=train.train, args=(source, found, recipe, config), daemon=True,
                         kwargs={"watch": StandsStill.watch, "job": f"job-0000000{number}"}).start()
        StandsStill.watch.stands.wait()
    sys.stdout.write(f"{made}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
