"""Small tables made in place, with a signal that is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medml import home
from medml.config import propose_config
from medml.profile import propose_choice, scan
from medml.recipe import propose_recipe
from medml.types import Profile, Recipe, SplitPlan, TrainConfig


def clinic(n: int = 160, *, seed: int = 0, visits: int = 1, shuffled: bool = False) -> pd.DataFrame:
    """Patients with age, pressure and two categories; the outcome depends on age and pressure. `visits` rows each."""
    rng = np.random.default_rng(seed)
    n_patients = n // visits
    age, pressure = rng.normal(60, 12, n_patients), rng.normal(130, 18, n_patients)
    risk = 1 / (1 + np.exp(-(0.09 * (age - 60) + 0.05 * (pressure - 130))))
    sick = (rng.random(n_patients) < risk).astype(int)
    table = pd.DataFrame({
        "patient_id": [f"P{place:05d}" for place in range(n_patients)], "age": age.round(1),
        "pressure": pressure.round(0), "sex": rng.choice(["female", "male"], n_patients),
        "ward": rng.choice(["north", "south", "east"], n_patients), "outcome": sick})
    table = table.loc[table.index.repeat(visits)].reset_index(drop=True)
    table["pressure"] += rng.normal(0, 3, len(table)).round(1)
    table.loc[rng.random(len(table)) < 0.08, "pressure"] = np.nan
    if shuffled:
        table["outcome"] = rng.permutation(table["outcome"].to_numpy())
    return table


def saved(table: pd.DataFrame, folder: Path, name: str = "clinic.csv") -> Path:
    """The table as a CSV in a folder of its own; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / name, index=False)
    return folder / name


@contextmanager
def trained_once(place: Path, table: pd.DataFrame | None = None, **plan) -> Iterator[str]:
    """A run on that table (else 160 patients) under `place`/own, in a home under `place`, for a module's tests."""
    from medml.train import train

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(place / "home"))
        source = saved(clinic() if table is None else table, place / "own")
        yield train(source, *planned(source, **plan))


def planned(source: Path, *, target: str = "outcome", family: str = "logistic", params: dict | None = None,
            split: SplitPlan | None = None, select: bool = False, seed: int = 0,
            **choice) -> tuple[Profile, Recipe, TrainConfig]:
    """Everything that `train` needs, as MedML would propose it, with 3 folds unless told otherwise."""
    profile = scan(source)
    chosen = propose_choice(profile, target=target, **choice)
    table = profile.table(chosen.table)
    sha = home.sha256_of(profile)
    recipe = propose_recipe(table, chosen, sha)
    config = propose_config(table, chosen, recipe, profile_sha256=sha, data_sha256=table.sha256, family=family,
                            seed=seed, folds=3, select=select)
    plan = split or config.split.model_copy(update={"folds": 3, "repeats": 1})
    return profile, recipe, config.model_copy(update={"params": config.params | (params or {}), "split": plan})
