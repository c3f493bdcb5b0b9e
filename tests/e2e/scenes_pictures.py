"""What the screenshots of pictures show: ultrasound films that were learned from, and slices of CT."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e import steps
from tests.e2e.scenes import SHARED, Shot, queued, scanned, wait_for

A_CLASS = 24
WEIGHTS = SHARED / "weights_mobilenetv2_imagenet" / "mobilenetv2_imagenet_torchvision.pt"


def show_where(page) -> None:
    """All answers with their heatmaps."""
    page.get_by_role("button", name="Show them").click()
    page.locator('[data-testid="stImage"] img').first.wait_for(timeout=120_000)


def show_examples(page) -> None:
    steps.choose_family(page, "Convolutional network")
    page.get_by_role("button", name="Show six examples").click()
    page.locator('[data-testid="stImage"] img').first.wait_for(timeout=120_000)


PICTURES = [
    Shot("scan_pictures", "scan?project={films}", ("films",)),
    Shot("scan_pictures_ct", "scan?project={ct}", ("ct",)),
    Shot("preview_pictures", "preview?project={films}", ("films",)),
    Shot("preview_pictures_ct", "preview?project={ct}", ("ct",)),
    Shot("cleanup_pictures", "cleanup?project={films}", ("films",)),
    Shot("configure_pictures", "configure?project={films}", ("films",)),
    Shot("configure_pictures_examples", "configure?project={ct}", ("ct",), acts=(show_examples,)),
    Shot("train_pictures", "train?project={films}&job={film_job}", ("films", "film_job")),
    Shot("evaluate_pictures", "evaluate?project={films}&run={film_run}", ("films", "film_run"), acts=(show_where,)),
    Shot("gallery_pictures", "gallery", ("film_run",)),
]


def prepare_pictures(place: Path) -> dict[str, str]:
    """A project on real films with two finished trainings, and one on slices of CT; nothing where ../shared is not."""
    source = SHARED / "data" / "busi_ultrasound" / "images"
    if not source.is_dir():
        return {}
    import worker
    from medml.vision import weights

    folder = place / "breast ultrasound"
    for name in ("benign", "malignant", "normal"):
        (folder / name).mkdir(parents=True)
        for each in sorted((source / name).iterdir())[:A_CLASS]:
            shutil.copy(each, folder / name / each.name)
    weights.bring(WEIGHTS, "mobilenet_v2", scaling="bytes minus 128")
    made = scanned(folder, "Breast ultrasound")
    jobs = [planned(made, "cnn_features", "Frozen network", {}),
            planned(made, "cnn", "Small network", {"backbone": "small", "start": "scratch", "epochs": 4})]
    wait_for(jobs)
    return {"films": made, "film_job": jobs[1], "film_run": worker.get(jobs[0]).result["run"],
            "ct": scanned(slices(place / "CT of the chest"), "CT of the chest")}


def planned(made: str, family: str, name: str, params: dict) -> str:
    """A training of that family by the worker."""
    from medml import home, project
    from medml.config import propose_config
    from medml.recipe import propose_recipe

    profile, choice = project.profile(made), project.choice(made)
    table, sha = profile.table(choice.table), home.sha256_of(profile)
    recipe = propose_recipe(table, choice, sha)
    config = propose_config(table, choice, recipe, profile_sha256=sha, data_sha256=table.sha256, family=family,
                            folds=3, name=name)
    config = config.model_copy(update={"params": config.params | params})
    project.write(made, recipe)
    project.write(made, config)
    return queued(made, recipe, config)


def slices(folder: Path, a_class: int = 12, side: int = 96) -> Path:
    """Made-up slices of CT in Hounsfield units, a patient each: air, two lungs, soft tissue, and in one class a round
    shadow."""
    import numpy as np

    from tests.dicoms import slice_of, write

    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:side, :side] / side - 0.5
    for name in ("clear", "shadow"):
        (folder / name).mkdir(parents=True)
        for at in range(a_class):
            hu = np.full((side, side), -1000.0)
            hu[(rows / 0.40) ** 2 + (columns / 0.47) ** 2 < 1] = 45
            for middle in (-0.22, 0.22):
                hu[(rows / 0.27) ** 2 + ((columns - middle) / 0.16) ** 2 < 1] = -820
            if name == "shadow":
                up, left = random.uniform(-0.12, 0.12), random.choice([-0.22, 0.22]) + random.uniform(-0.05, 0.05)
                hu[(rows - up) ** 2 + (columns - left) ** 2 < 0.05 ** 2] = 30
            stored = (hu + random.normal(0, 25, hu.shape) + 1024).clip(0, 4095).astype(np.uint16)
            write(folder / name / f"{at:02d}.dcm", slice_of(
                stored, PatientID=f"{name}-{at}", RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=40,
                WindowWidth=400))
    return folder
