"""What the screenshots show: projects in a fresh home, and where each page stands. Pages add their shots here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SHARED = Path(__file__).resolve().parents[3] / "shared"


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
]


def prepare(home: Path, wanted: list[str]) -> dict[str, str]:
    """Fill a home with projects at different stages; returns ids by name."""
    os.environ["MEDML_HOME"] = str(home)
    from medml.example import example_source

    ids = {"example": scanned(example_source(), "Breast biopsies (example)")}
    if (SHARED / "data").is_dir():
        folder = home.parent / "heart study"
        folder.mkdir(exist_ok=True)
        shutil.copy(SHARED / "data" / "heart_cleveland" / "heart_cleveland.csv", folder)
        ids["heart"] = scanned(folder, "Heart study, Cleveland", target="num", positive=">0")
    if (SHARED / "corpus").is_dir():
        ids["hard"] = scanned(SHARED / "corpus" / "tabular", "Tables from six wards", choose=False)
    return ids


def scanned(source: Path, name: str, *, choose: bool = True, **choice) -> str:
    """A project with its profile and, where wanted, its choice, as the scan's job and the Scan page leave them."""
    from medml import profile, project

    made = project.create(source, name)
    found = profile.scan(source)
    project.write(made.id, found)
    if choose:
        project.write(made.id, profile.propose_choice(found, **choice))
    return made.id
