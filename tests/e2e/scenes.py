"""What the screenshots show: projects in a fresh home, and where each page stands. Pages add their shots here."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SHARED = Path(__file__).resolve().parents[3] / "shared"
OWN = Path(__file__).resolve().parents[1] / "data"
HEART = Path("heart_cleveland", "heart_cleveland.csv")


@dataclass(frozen=True)
class Shot:
    """One page to photograph.

    name     of the picture, its page first ("scan_hard");   address  with {names} of ids, as prepare() returns them
    needs    names of ids without which it is left out;      acts     what to do on the page first
    """

    name: str
    address: str
    needs: tuple[str, ...] = ()
    acts: tuple[Callable, ...] = field(default=())


def open_folders(page) -> None:
    page.get_by_role("button", name="Browse folders").click()


def open_settings(page) -> None:
    page.get_by_text("Settings", exact=True).first.click()


SHOTS: list[Shot] = [
    Shot("home_folders", "", acts=(open_folders,)),
    Shot("home", ""),
    Shot("scan", "scan?project={heart}", ("heart",)),
    Shot("scan_example", "scan?project={example}", ("example",)),
    Shot("scan_hard", "scan?project={hard}", ("hard",)),
    Shot("scan_none", "scan"),
    Shot("preview", "preview?project={heart}", ("heart",)),
    Shot("preview_example", "preview?project={example}", ("example",)),
    Shot("cleanup", "cleanup?project={heart}", ("heart",)),
    Shot("cleanup_example", "cleanup?project={example}", ("example",), acts=(open_settings,)),
    Shot("configure", "configure?project={models}", ("models",)),
    Shot("train", "train?project={models}&job={job}", ("models", "job")),
    Shot("evaluate", "evaluate?project={models}&run={best}", ("models", "best")),
    Shot("evaluate_network", "evaluate?project={models}&run={network}", ("models", "network")),
    Shot("gallery", "gallery", ("best",)),
    Shot("jobs", "jobs", ("job",)),
]
SECOND_HALF = {"configure", "train", "evaluate", "gallery", "jobs"}


def heart_table() -> Path:
    """The shared copy of the heart table, else the one beside the tests."""
    return next(each / HEART for each in (SHARED / "data", OWN) if (each / HEART).is_file())


def prepare(home: Path, wanted: list[str]) -> dict[str, str]:
    """Fill a home with projects at different stages; returns ids by name."""
    os.environ["MEDML_HOME"] = str(home)
    from medml.example import example_source

    ids = {"example": scanned(example_source(), "Breast biopsies (example)")}
    folder = home.parent / "heart study"
    folder.mkdir(exist_ok=True)
    shutil.copy(heart_table(), folder)
    ids["heart"] = scanned(folder, "Heart study, Cleveland", target="num", positive=">0")
    if not wanted or SECOND_HALF & set(wanted):
        ids |= trained(folder, "Heart study, models")
    if (SHARED / "corpus").is_dir():
        ids["hard"] = scanned(SHARED / "corpus" / "tabular", "Tables from six wards", choose=False)
    return ids


def trained(folder: Path, name: str) -> dict[str, str]:
    """A project with two finished trainings by the worker, `auto` and a network, and one that waits for tonight."""
    import worker
    from medml import home as places
    from medml import project
    from medml.config import propose_config
    from medml.recipe import propose_recipe

    made = scanned(folder, name, target="num", positive=">0")
    profile, choice = project.profile(made), project.choice(made)
    table, sha = profile.table(choice.table), places.sha256_of(profile)
    recipe = propose_recipe(table, choice, sha)
    best, network = (propose_config(table, choice, recipe, profile_sha256=sha, data_sha256=table.sha256, family=family,
                                    name=title) for family, title in (("auto", "Heart disease, best of several"),
                                                                      ("mlp", "Heart disease by neural network")))
    for value in (recipe, best):
        project.write(made, value)
    jobs = [worker.enqueue("train", {"project": made, "recipe": recipe.model_dump(mode="json"),
                                     "config": config.model_dump(mode="json")}, project=made)
            for config in (best, network)]
    wait_for(jobs)
    worker.enqueue("train", {"project": made}, project=made, not_before=worker.tonight(20))
    runs = [worker.get(each).result["run"] for each in jobs]
    return {"models": made, "job": jobs[1], "best": runs[0], "network": runs[1]}


def wait_for(jobs: list[str], seconds: float = 900) -> None:
    """Until all have ended; the first that failed says why."""
    import worker

    until = time.monotonic() + seconds
    while not all(worker.get(each).ended_for_good for each in jobs):
        if time.monotonic() > until:
            raise TimeoutError("the trainings for the pictures did not end")
        time.sleep(0.5)
    failed = [worker.get(each).error for each in jobs if worker.get(each).state != "done"]
    if failed:
        raise RuntimeError(f"a training for the pictures did not end well: {failed[0]}")


def scanned(source: Path, name: str, *, choose: bool = True, **choice) -> str:
    """A project with its profile and, where wanted, its choice, as the scan's job and the Scan page leave them."""
    from medml import profile, project

    made = project.create(source, name)
    found = profile.scan(source)
    project.write(made.id, found)
    if choose:
        project.write(made.id, profile.propose_choice(found, **choice))
    return made.id
