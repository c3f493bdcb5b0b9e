"""A project: a folder under home()/projects with the line's JSON files while a clinician works on one source.

project.json says what it is; profile, choice, recipe and config are one file each; runs.json names the models made.
The clinician's own folder is read and never written to.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Container, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from medml import home, inherited, rights, store
from medml.errors import UserError
from medml.example import example_source
from medml.room import writing
from medml.roots import allowed_roots, browse, check_source, first_folder
from medml.types import Choice, Profile, Recipe, TrainConfig, Value

Stage = Literal["scan", "preview", "cleanup", "configure", "train", "evaluate"]
__all__ = [
    "FILES", "STAGES", "Project", "Stage", "add_run", "all_projects", "allowed_roots", "browse", "check_source",
    "choice", "config", "create", "delete", "example_source", "first_folder", "folder", "get", "ids", "name_of",
    "of_run", "profile", "read", "recipe", "rename", "runs_of", "stage_of", "write",
]
STAGES: tuple[Stage, ...] = ("scan", "preview", "cleanup", "configure", "train", "evaluate")
CHANGES = {"profile": "change scan", "choice": "change outcome or columns", "recipe": "change cleanup",
           "config": "change training settings"}  # as the audit log calls them
FILES: dict[str, type[BaseModel]] = {"profile": Profile, "choice": Choice, "recipe": Recipe, "config": TrainConfig}


class Card(Value):
    """project.json."""

    version: Literal[1] = 1
    id: str
    name: str
    source: str  # absolute path
    made: str  # ISO time, UTC


class Project(Value):
    """A project as the Home screen shows it."""

    id: str
    name: str
    source: str
    made: str
    stage: Stage
    n_models: int  # made in it and still in the gallery
    last_activity: float  # seconds since 1970, UTC


# ---- projects --------------------------------------------------------------------------------------------------

def create(source: str | Path, name: str | None = None, *, team: str = "") -> Project:
    """Start a project on a folder or file. UserError if it is not there, not readable or outside what is allowed.

    team  a group of one's own, all of whom see it; "": one's own alone
    """
    rights.require("create")
    place, team = check_source(source), rights.team_of_own(team)
    made = datetime.now(UTC).isoformat(timespec="seconds")
    card = Card(id=f"p{secrets.token_hex(6)}", name=(name or "").strip() or place.stem or str(place),
                source=str(place), made=made)
    rights.note("create", "project", card.id)
    with writing():
        home.write_model(home.ensure(home.projects_folder() / card.id) / "project.json", card)
    rights.own("project", card.id, team)
    return get(card.id)


def all_projects() -> list[Project]:
    """Every project that one may see, the one worked on last first; a damaged one is left out (its files stay)."""
    found, seen = [], rights.seen("project")
    for place in home.projects_folder().iterdir():
        if not seen(place.name):
            continue
        try:
            found.append(_describe(home.read_model(place / "project.json", Card)))
        except (OSError, ValidationError):
            continue
    return sorted(found, key=lambda each: -each.last_activity)


def ids() -> set[str]:
    """Of every project that one may see: `all_projects` also looks how far each is."""
    seen = rights.seen("project")
    return {each.parent.name for each in home.projects_folder().glob("*/project.json") if seen(each.parent.name)}


def get(project: str) -> Project:
    """UserError if it is gone."""
    return _describe(_card(project))


def name_of(project: str) -> str:
    """Its name alone, for a line of a list: `get` also looks how far it is, at thrice the work. UserError if it is
    gone."""
    return _card(project).name


def rename(project: str, name: str) -> Project:
    """Give it another name; UserError if the name is empty."""
    if not name.strip():
        raise UserError(what="The name is empty.", fix="Type a name.")
    rights.require("change", "project", project)
    rights.note_on_the_ward("rename", "project", project)
    home.write_model(folder(project) / "project.json", _card(project).model_copy(update={"name": name.strip()}))
    return get(project)


def delete(project: str) -> None:
    """Remove the project's own files; its runs stay in the gallery, the source is untouched, its jobs are stopped."""
    place = folder(project)
    rights.require("delete", "project", project)
    for each in store.jobs(project=project, state=store.GOING):
        store.ask_stop(each.id)
    gone = place.with_name(f".{place.name}.{secrets.token_hex(4)}.gone")
    place.rename(gone)  # at once for everybody, whatever happens while the files go
    shutil.rmtree(gone, ignore_errors=True)
    store.forget_owner(project)
    rights.disown("project", project)


def folder(project: str) -> Path:
    """Where its files lie. UserError if there is no such project, or it is not one's own to see; ids, never paths, are
    accepted."""
    place = home.projects_folder() / project
    if not (project.isalnum() and (place / "project.json").is_file() and rights.sees("project", project)):
        raise rights.gone("project")
    return place


def _card(project: str) -> Card:
    try:
        return home.read_model(folder(project) / "project.json", Card)
    except ValidationError as damaged:
        raise UserError(what="The file that describes this project is damaged.", code="damaged",
                        fix="Start a new project on the same folder; the runs are still in the gallery.") from damaged


def _describe(card: Card) -> Project:
    """How far a project is that one may see: whoever has its card was asked."""
    with os.scandir(home.projects_folder() / card.id) as listed:
        times = {each.name: each.stat().st_mtime for each in listed if each.name.endswith(".json")}
    n_models = len(list(inherited.runs(card.id))) if "runs.json" in times else 0
    return Project(id=card.id, name=card.name, source=card.source, made=card.made, n_models=n_models,
                   stage=_stage(card.id, times, n_models), last_activity=max(times.values(), default=time.time()))


def stage_of(project: str) -> Stage:
    """Where the clinician stands: the furthest stage that has something to show."""
    place = home.projects_folder() / project
    return _stage(project, os.listdir(place) if place.is_dir() else (), len(runs_of(project)))


def _stage(project: str, files: Container[str], n_models: int) -> Stage:
    if n_models:
        return "evaluate"
    if "config.json" in files:
        return "train" if store.has(project, "train") else "configure"
    if "recipe.json" in files:
        return "cleanup"
    return "preview" if "choice.json" in files else "scan"


# ---- the line's files ------------------------------------------------------------------------------------------

def read(project: str, name: Literal["profile", "choice", "recipe", "config"]) -> BaseModel | None:
    """One value of the line, or None where that stage has not been reached (or its file is damaged)."""
    return _read(folder(project), name)


def _read(place: Path, name: str) -> BaseModel | None:
    """The same from its folder, for whoever has asked whose it is."""
    try:
        return home.read_model(place / f"{name}.json", FILES[name])
    except (FileNotFoundError, ValidationError):
        return None


def profile(project: str) -> Profile | None:
    return read(project, "profile")


def choice(project: str) -> Choice | None:
    return read(project, "choice")


def recipe(project: str) -> Recipe | None:
    return read(project, "recipe")


def config(project: str) -> TrainConfig | None:
    return read(project, "config")


def write(project: str, value: Profile | Choice | Recipe | TrainConfig) -> None:
    """Keep one value of the line; what was made from an older one of another content goes away.

    A changed recipe keeps the configuration and renews the hash in it: the same settings on the new recipe.
    """
    name = next(each for each, kind in FILES.items() if isinstance(value, kind))
    place = folder(project)
    rights.require("change", "project", project)
    if _read(place, name) == value:
        return
    rights.note_on_the_ward(CHANGES[name], "project", project)
    later: dict[Path, bytes | None] = {place / f"{each}.json": None for each in _undone_by(place, value)}
    settings = _read(place, "config") if name == "recipe" else None
    if settings is not None:
        renewed = settings.model_copy(update={"recipe_sha256": home.sha256_of(value)})
        later[place / "config.json"] = renewed.model_dump_json(indent=2).encode()
    with writing():
        home.write_first(place / f"{name}.json", value.model_dump_json(indent=2).encode(), later)


def _undone_by(place: Path, value: BaseModel) -> Iterator[str]:
    if isinstance(value, Profile):
        old = _read(place, "choice")
        if old is not None and not _still_there(old, value):
            yield "choice"
    if isinstance(value, Profile | Choice):
        yield from ("recipe", "config")


def _still_there(old: Choice, new: Profile) -> bool:
    try:
        names = {each.name for each in new.table(old.table).columns}
    except KeyError:
        return False
    return {old.target, *old.leave_out, *filter(None, [old.patient])} <= names


def runs_of(project: str) -> list[str]:
    """Ids of the models made in this project that are still in the gallery, oldest first."""
    if not rights.sees("project", project):
        return []
    return list(inherited.runs(project))


def of_run(run: str) -> str | None:
    """The project that made a run, of those that one may see; None for one of the command line, or whose project was
    removed."""
    return next((each for each in ids() if run in inherited.runs(each)), None)


def add_run(project: str, run: str) -> None:
    """Note that this project made that run; it belongs to whom the project belongs."""
    rights.require("change", "project", project)
    rights.inherit(run, project)
    with store.only_one("runs", wait=30.0, everywhere=True) as free:  # two trainings may end at once
        if not free:
            raise store.locked()
        listed = runs_of(project)
        if run not in listed:
            home.write_model(folder(project) / "runs.json", inherited.RunList(runs=[*listed, run]))
