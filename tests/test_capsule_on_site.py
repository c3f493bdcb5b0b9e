"""What a capsule says to whoever runs it: what came of it, what to recode, and why a small site is not judged."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from tables import clinic, saved, trained_once

from medml.__main__ import main


@pytest.fixture(scope="module")
def capsule(tmp_path_factory):
    """The folder of an unpacked capsule."""
    folder = tmp_path_factory.mktemp("site")
    with trained_once(folder, clinic(200)) as run:
        assert main(["export", run, "--capsule", str(folder / "capsule.zip")]) == 0
    with zipfile.ZipFile(folder / "capsule.zip") as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def ran(capsule, table: pd.DataFrame, folder: Path) -> subprocess.CompletedProcess:
    """validate.py on a table of the other hospital, in a folder of its own."""
    saved(table, folder, "patients.csv")
    return subprocess.run([sys.executable, capsule / "validate.py", folder / "patients.csv"], capture_output=True,
                          text=True, check=False, cwd=folder)


def test_too_few_patients_are_not_judged_and_it_is_said_how_many_are_needed(capsule, tmp_path):
    few = ran(capsule, clinic(25, seed=2), tmp_path / "few")
    assert few.returncode and "too few patients" in few.stderr and not (tmp_path / "few" / "result.json").exists()
    one_class = clinic(150, seed=2).sort_values("outcome", ignore_index=True)
    one_class["outcome"] = (one_class.index >= 145).astype(int)
    rare = ran(capsule, one_class, tmp_path / "rare")
    assert rare.returncode and not (tmp_path / "rare" / "result.json").exists()
    assert "150 patients, 5 of them with the outcome “1”" in rare.stderr
    assert "at least 30 patients, and 10 of each outcome" in rare.stderr and "Nothing was written" in rare.stderr
    assert "Collect more patients" in rare.stderr


def test_what_came_of_it_is_said_with_what_to_do_next(capsule, tmp_path):
    done = ran(capsule, clinic(150, seed=9), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "result.json was written: figures of 150 rows of 150 patients" in done.stdout
    assert "Open it in any editor" in done.stdout and "send it back" in done.stdout
    assert "recode" not in done.stdout.lower()   # nothing is to be


def test_values_that_the_model_never_saw_are_named_where_ten_patients_have_them(capsule, tmp_path):
    odd = clinic(160, seed=9).astype({"pressure": object, "outcome": object})
    odd["pressure"] = odd["pressure"].where(odd["pressure"].notna(), None)
    odd.loc[:39, "ward"], odd.loc[40:44, "ward"] = "Nord", "ZZRARE"
    odd.loc[100:119, "pressure"], odd.loc[120, "pressure"] = "high", "NA"
    odd.loc[150:, "outcome"] = "ZZILL"
    odd["age"] = odd["age"] * 12   # in months
    said = ran(capsule, odd, tmp_path)
    assert said.returncode == 0, said.stderr
    assert "ward: 40 rows hold “Nord”, which too few patients of the training had, or none" in said.stdout
    assert "ward: fewer than 10 rows hold other values" in said.stdout and "ZZRARE" not in said.stdout + said.stderr
    assert "pressure: 20 rows hold what cannot be read as a number" in said.stdout
    assert "age: its median here" in said.stdout and "Is it in the same unit?" in said.stdout
    assert "outcome: 10 rows hold “ZZILL”, which is none of the outcomes that the model knows (0, 1)" in said.stdout
    assert "Recode" in said.stdout


def test_zeros_and_ones_of_a_yes_no_column_are_known(tmp_path):
    """They are read as no and yes; "the model knows 0, 1" was said of a table that held just these."""
    def with_disease(n: int, seed: int) -> pd.DataFrame:
        made = clinic(n, seed=seed)
        return made.assign(diabetes=(made.index % 4 == 0).astype(int), smoker=["Ja" if n % 3 else "Nein" for n in
                                                                               range(len(made))])

    with trained_once(tmp_path, with_disease(200, 1)) as run:
        assert main(["export", run, "--capsule", str(tmp_path / "capsule.zip")]) == 0
    with zipfile.ZipFile(tmp_path / "capsule.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    done = ran(tmp_path / "unpacked", with_disease(160, 9), tmp_path / "there")
    assert done.returncode == 0, done.stderr
    assert "diabetes" not in done.stdout and "smoker" not in done.stdout
    shares = {each: json.loads((tmp_path / "there" / "result.json").read_text())["columns"][each]["shares"]
              for each in ("diabetes", "smoker")}
    assert shares == {"diabetes": {"no": 0.75, "yes": 0.25}, "smoker": {"no": 0.34, "yes": 0.66}}


def test_who_judges_a_model_elsewhere_is_told_of_the_column_of_patients(capsule):
    said, schema = (capsule / "README.txt").read_text(), json.loads((capsule / "schema.json").read_text())
    assert f'"{schema["patient"]}", which tells patients apart,' in said and "{" not in said
