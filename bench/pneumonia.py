"""PneumoniaMNIST with its own split: `python -m bench.pneumonia` trains, then reads the test part once a seed.

The configuration is bench/pneumonia.json, committed before the test part is opened; its hash, and whether git has it as
it stands, are printed first. Early stopping and the threshold are chosen on the data's own validation part. Published
on the same split (MedMNIST v2, Sci Data 2023;10:41): AUC / accuracy of ResNet-18 at 28 pixels 0.944 / 0.854, of
ResNet-50 at 224 0.962 / 0.884, of AutoKeras 0.947 / 0.878, of Google AutoML Vision 0.991 / 0.946.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONFIGURATION = HERE / "pneumonia.json"
SHARED = HERE.parent.parent / "shared" / "data"
SHOWN = ("auroc", "accuracy", "sensitivity", "specificity")


def committed() -> str:
    """The hash of the configuration, and whether git has it as it stands."""
    found = subprocess.run(["git", "status", "--porcelain", "--", CONFIGURATION.name], cwd=HERE, capture_output=True,
                           text=True, check=False)
    told = "not committed as it stands" if found.returncode or found.stdout.strip() else "committed"
    return f"{hashlib.sha256(CONFIGURATION.read_bytes()).hexdigest()} ({told})"


def trained(source: Path, asked: dict, seed: int) -> str:
    """One run by the whole line, from the file to the gallery; the test part stays closed."""
    from medml import home, profile, train
    from medml.config import propose_config
    from medml.recipe import propose_recipe
    from medml.types import PicturePlan

    found = profile.scan(source)
    table = found.tables[0]
    choice = profile.propose_choice(found, pictures=PicturePlan(size=asked["size"]))
    sha = home.sha256_of(found)
    recipe = propose_recipe(table, choice, sha)
    config = propose_config(table, choice, recipe, profile_sha256=sha, data_sha256=table.sha256, family=asked["family"],
                            params=asked["params"], seed=seed)
    return train.train(source, found, recipe, config)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pneumonia", description=__doc__.splitlines()[0])
    parser.add_argument("--validation-only", action="store_true", help="do not open the test part")
    given = parser.parse_args()
    asked = json.loads(CONFIGURATION.read_text())
    print(f"configuration {committed()}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MEDML_HOME"] = folder
        from medml import gallery, train

        areas, began = [], time.monotonic()
        for seed in asked["seeds"]:
            started = time.monotonic()
            run = trained(SHARED / asked["data"], asked, seed)
            inside = gallery.open_run(run).report.metrics["auroc"]
            line = f"seed {seed}: {time.monotonic() - started:.0f} s, validation AUROC {inside.value:.3f}"
            if not given.validation_only:
                figures = train.open_held_out(run)
                areas.append(figures["auroc"].value)
                line += "; test " + ", ".join(f"{name} {figures[name].value:.3f} [{figures[name].low:.3f}, "
                                              f"{figures[name].high:.3f}]" for name in SHOWN)
            print(line, flush=True)
        whole = time.monotonic() - began
        print(f"{len(asked['seeds'])} seeds in {whole:.0f} s" + (
            f"; mean test AUROC {statistics.mean(areas):.4f} (goal 0.95)" if areas else ""))


if __name__ == "__main__":
    main()
