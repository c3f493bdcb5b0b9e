"""Planted leaks against the alarms: `python -m bench.leaks [NAME ...]`.

Eight tables and picture folders are made, each with one leak of another kind; each walks the whole line (scan,
proposals, training, checks) with everything kept in that MedML would let a person keep. An alarm counts where the scan
marked the planted column, where the training was refused, or where the check that is meant for it warned or stopped.
Then the clean sets of ../shared/data, where no alarm may stop anything; warnings on them are listed, for a person to
judge.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from medml.errors import UserError

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
ALARMS = ("L1", "L2", "L3", "L4", "L5", "L6", "L11", "L13", "L14")
CLEAN = {"heart_cleveland": "num", "pima_diabetes": "Outcome", "breast_cancer_wdbc": "diagnosis",
         "hepatitis_uci": "Class"}
REFUSALS = ("repeated_patients",)  # codes of a UserError that stops a leak before there is a model
SIDE = 64  # pixels: from here on near copies can be told


@dataclass(frozen=True)
class Planted:
    """A folder or file with one leak: the outcome, the column that leaks (None: it is no column), the checks for it."""

    source: Path
    target: str
    column: str | None
    checks: tuple[str, ...]
    by_row: bool = False  # a person insists that nobody comes back


def cohort(n: int = 200, seed: int = 0) -> pd.DataFrame:
    """Patients with an outcome that age and pressure tell moderately well (AUROC about 0.8)."""
    rng = np.random.default_rng(seed)
    age, pressure = rng.normal(62, 11, n), rng.normal(135, 20, n)
    sick = rng.random(n) < 1 / (1 + np.exp(-(0.09 * (age - 62) + 0.03 * (pressure - 135))))
    return pd.DataFrame({"age": age.round(1), "pressure": pressure.round(0), "sex": rng.choice(["f", "m"], n),
                         "outcome": sick.astype(int)})


def _saved(table: pd.DataFrame, folder: Path) -> Path:
    table.to_csv(folder / "cohort.csv", index=False)
    return folder / "cohort.csv"


def single_column(folder: Path) -> Planted:
    """A code that is given out with the diagnosis."""
    table = cohort()
    table.insert(2, "pathway", np.where(table["outcome"] == 1, "B", "A"))
    return Planted(_saved(table, folder), "outcome", "pathway", ("L4", "L6"))


def date_after(folder: Path) -> Planted:
    """A date that exists for those alone who had the outcome, and lies after it."""
    table, rng = cohort(), np.random.default_rng(1)
    admitted = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, len(table)), unit="D")
    table.insert(0, "admission_date", admitted.strftime("%Y-%m-%d"))
    died = (admitted + pd.to_timedelta(rng.integers(3, 90, len(table)), unit="D")).strftime("%Y-%m-%d")
    table.insert(3, "date_of_death", np.where(table["outcome"] == 1, died, ""))
    return Planted(_saved(table, folder), "outcome", "date_of_death", ("L4", "L6"))


def patients_twice(folder: Path) -> Planted:
    """Three visits a patient, in a table that a person wants to have split by row."""
    table = cohort(80).loc[lambda each: each.index.repeat(3)].reset_index(drop=True)
    table.insert(0, "patient_id", [f"P{place // 3:04d}" for place in range(len(table))])
    table["pressure"] += np.random.default_rng(2).normal(0, 2, len(table)).round(1)
    return Planted(_saved(table, folder), "outcome", None, ("L1",), by_row=True)


def noisy_copy(folder: Path) -> Planted:
    """The outcome itself with noise, under the name of a laboratory value."""
    table = cohort()
    table.insert(2, "troponin", (table["outcome"] * 4 + np.random.default_rng(3).normal(10, 0.6, len(table))).round(2))
    return Planted(_saved(table, folder), "outcome", "troponin", ("L4",))


def order_of_rows(folder: Path) -> Planted:
    """A running number in a table that was sorted by the outcome."""
    table = cohort().sort_values("outcome").reset_index(drop=True)
    table.insert(0, "entry", np.arange(len(table)) * 3 + 1001)
    return Planted(_saved(table, folder), "outcome", "entry", ("L5",))


def template(folder: Path) -> Planted:
    """Notes that were written from one template a class."""
    table, rng = cohort(), np.random.default_rng(4)
    said = {0: "unremarkable course and discharged home", 1: "deteriorated overnight and moved to the ward"}
    table.insert(3, "note", [f"Seen on day {rng.integers(1, 300)}, {said[each]}, weight {rng.integers(45, 120)} kg and "
                             f"pulse {rng.integers(50, 120)} noted" for each in table["outcome"]])
    return Planted(_saved(table, folder), "outcome", "note", ("L13",))


def machine(folder: Path) -> Planted:
    """The sick were X-rayed on one make of machine, the others on another; the pixels are noise."""
    from tests.made_pictures import dicom

    for place in range(60):
        sick = place % 2 == 1
        dicom(folder / ("sick" if sick else "well") / f"{place}.dcm", place, side=SIDE, PatientID=f"P{place}",
              Manufacturer="North" if sick else "South")
    return Planted(folder, "folder", None, ("L14",))


def near_copies(folder: Path) -> Planted:
    """Pictures of the training part stand again, a little brighter, in the test part that came with the data."""
    from scipy.ndimage import zoom

    rng = np.random.default_rng(5)
    parts = {}
    pictures = np.stack([zoom(rng.integers(0, 220, (8, 8)).astype(float), SIDE / 8, order=1) for _ in range(140)])
    labels = rng.permutation(np.arange(140) % 2)
    for name, places in (("train", slice(0, 80)), ("val", slice(80, 110)), ("test", slice(110, 140))):
        parts[f"{name}_images"], parts[f"{name}_labels"] = pictures[places].astype(np.uint8), labels[places, None]
    parts["test_images"][:15] = np.clip(parts["train_images"][:15].astype(int) + 6, 0, 255).astype(np.uint8)
    parts["test_labels"][:15] = parts["train_labels"][:15]
    np.savez(folder / "set.npz", **parts)
    return Planted(folder / "set.npz", "label", None, ("L3",))


PLANTS: dict[str, Callable[[Path], Planted]] = {
    "single column": single_column, "post-outcome date": date_after, "duplicated patients": patients_twice,
    "target copied with noise": noisy_copy, "id order": order_of_rows, "text giveaway": template,
    "image tag": machine, "near-duplicate images": near_copies}


def alarms_on(plant: Planted) -> list[str]:
    """What rang: "scan" and the ids of the checks meant for it; [] where the leak went through."""
    from medml import gallery
    from medml.profile import scan

    profile = scan(plant.source)
    marked = [each for each in profile.tables[0].columns if each.name == plant.column and (
        each.kind == "identifier" or any(found.severity in ("stop", "caution") for found in each.suspicions))]
    try:
        run = gallery.open_run(trained(plant, profile))
    except UserError as refused:
        return ["scan"] * bool(marked) + ["refused"] * (refused.code in REFUSALS)
    rang = [each.id for each in run.report.checks if each.id in plant.checks and each.verdict in ("warn", "block")]
    return ["scan"] * bool(marked) + rang


def trained(plant: Planted, profile: object, *, family: str | None = None) -> str:
    """A run on everything that may be kept, by the plainest family."""
    from medml import home
    from medml.config import propose_config
    from medml.profile import propose_choice
    from medml.recipe import propose_recipe
    from medml.train import train

    choice = propose_choice(profile, target=plant.target, patient="" if plant.by_row else None)
    table, sha = profile.table(choice.table), home.sha256_of(profile)
    recipe = propose_recipe(table, choice, sha)
    pictures = choice.pictures is not None
    config = propose_config(table, choice, recipe, profile_sha256=sha, data_sha256=table.sha256,
                            family=family or ("cnn" if pictures else "logistic"))
    if pictures:
        config = config.model_copy(update={"params": config.params | {"epochs": 1, "backbone": "small"}})
    if plant.by_row:
        config = config.model_copy(update={"split": config.split.model_copy(update={"by": "row"})})
    return train(plant.source, profile, recipe, config)


def planted(names: list[str]) -> int:
    """Walk the plants; returns how many rang."""
    rung = 0
    for name in names:
        with tempfile.TemporaryDirectory() as place:
            os.environ["MEDML_HOME"] = str(Path(place) / "home")
            (Path(place) / "data").mkdir()
            rang = alarms_on(PLANTS[name](Path(place) / "data"))
        rung += bool(rang)
        print(f"{name:26} {'alarm: ' + ', '.join(rang) if rang else 'WENT THROUGH'}", flush=True)
    print(f"{rung} of {len(names)} planted leaks raised an alarm")
    return rung


def clean() -> int:
    """Walk the clean sets; returns how many false stops there were."""
    from medml import gallery
    from medml.profile import scan

    stops = 0
    for name, target in CLEAN.items():
        folder = SHARED / name
        [source] = [each for each in folder.glob("*.csv")]
        with tempfile.TemporaryDirectory() as place:
            os.environ["MEDML_HOME"] = place
            profile = scan(source)
            checks = gallery.open_run(trained(Planted(source, target, None, ()), profile)).report.checks
        asked = [each for each in checks if each.id in ALARMS and each.verdict in ("warn", "block")]
        stops += sum(each.verdict == "block" for each in asked)
        print(f"{name:26} {'; '.join(f'{each.id} {each.verdict}: {each.what}' for each in asked) or 'quiet'}",
              flush=True)
    print(f"{stops} false stops on {len(CLEAN)} clean sets")
    return stops


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("names", nargs="*", help=f"some of: {', '.join(PLANTS)}")
    names = asked.parse_args().names
    rung = planted(names or list(PLANTS))
    stops = clean() if not names and SHARED.is_dir() else 0
    return int(rung < len(names or PLANTS) or stops > 0)


if __name__ == "__main__":
    sys.exit(main())
