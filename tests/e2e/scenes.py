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


def open_details(page) -> None:
    page.get_by_role("button", name="Details").last.click()


def compare_two(page) -> None:
    """The first training and the network beside it."""
    pick_and_compare(page, "Heart disease, best of several", "Heart disease by neural network")


def compare_others(page) -> None:
    """Two that answer different questions."""
    pick_and_compare(page, "Heart disease, best of several", "Grades told apart")


def pick_and_compare(page, *names: str) -> None:
    for name in names:
        page.locator('[class*="st-key-m_card_run_"]').filter(has_text=name).get_by_role("button", name="Pick").click()
    page.get_by_role("button", name="Compare the two").click()


def fill_in_patient(page, age: str = "54") -> None:
    """A patient of the heart table, and what the model says of them."""
    for name, value in {"age": age, "trestbps": "130", "chol": "246", "thalach": "150", "oldpeak": "1.2"}.items():
        page.get_by_label(name, exact=True).fill(value)
    for name, value in {"cp": "4", "slope": "2", "ca": "0", "thal": "3", "exang": "yes"}.items():
        page.get_by_label(name, exact=True).click()
        page.get_by_role("option", name=value, exact=True).click()
    page.get_by_role("button", name="Predict", exact=True).click()
    page.get_by_text("Internally validated only").wait_for()
    page.locator(".m-set, .m-why").first.wait_for(timeout=60_000)


def fill_in_young(page) -> None:
    """A patient of an age at which few were seen."""
    fill_in_patient(page, "31")


def explain_model(page) -> None:
    """Explained as a whole, where that has not been done for an earlier picture."""
    if page.get_by_role("button", name="Explain this model").count():
        page.get_by_role("button", name="Explain this model").click()
        page.locator(".st-key-m_card_weights").wait_for(timeout=300_000)
    page.get_by_role("button", name="Explain this patient").click()
    page.locator(".st-key-m_card_one").wait_for(timeout=300_000)


def make_score(page) -> None:
    if page.get_by_role("button", name="Make the score").count():
        page.get_by_role("button", name="Make the score").click()
        page.locator(".st-key-m_card_nomogram").wait_for(timeout=300_000)


def open_copilot(page) -> None:
    page.get_by_role("button", name="Co-pilot", exact=True).click()
    page.locator(".st-key-m_copilot .m-answer").last.wait_for()


def see_what_was_read(page) -> None:
    """Under the last answer, as far up as it goes."""
    unfolded = page.locator(".st-key-m_copilot").get_by_text("What did it read?").last
    unfolded.click()
    unfolded.evaluate("each => each.scrollIntoView({block: 'start'})")


def see_changes(page) -> None:
    page.locator(".st-key-m_copilot").get_by_text("set by a click").first.evaluate(
        "each => each.scrollIntoView({block: 'center'})")


def see_settings(page) -> None:
    """What was found of the app, unfolded."""
    page.get_by_text("The app:").click()


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
    Shot("configure_copilot", "configure?project={asked}", ("asked",), acts=(open_copilot,)),
    Shot("configure_copilot_changes", "configure?project={asked}", ("asked",), acts=(open_copilot, see_changes)),
    Shot("configure_copilot_read", "configure?project={asked}", ("asked",), acts=(open_copilot, see_what_was_read)),
    Shot("train", "train?project={models}&job={job}", ("models", "job")),
    Shot("evaluate", "evaluate?project={models}&run={best}", ("models", "best")),
    Shot("evaluate_network", "evaluate?project={models}&run={network}", ("models", "network")),
    Shot("evaluate_regression", "evaluate?project={models}&run={plain}", ("models", "plain")),
    Shot("train_failed", "train?project={models}&job={failed}", ("models", "failed")),
    Shot("explain", "explain?project={models}&run={plain}", ("models", "plain"), acts=(explain_model, make_score)),
    Shot("checks", "checks?project={models}&run={plain}", ("models", "plain")),
    Shot("gallery", "gallery", ("best",)),
    Shot("gallery_details", "gallery", ("best",), acts=(open_details,)),
    Shot("gallery_compare", "gallery", ("best",), acts=(compare_two,)),
    Shot("gallery_apart", "gallery", ("other",), acts=(compare_others,)),
    Shot("predict", "predict?run={plain}", ("plain",), acts=(fill_in_patient,)),
    Shot("predict_silent", "predict?run={plain}", ("plain",), acts=(fill_in_young,)),
    Shot("predict_none", "predict?run={other}", ("other",)),
    Shot("jobs", "jobs", ("job",)),
    Shot("privacy", "privacy", acts=(see_settings,)),
    Shot("words", "words"),
    Shot("audit", "audit"),
    Shot("accounts", "accounts"),
]
SECOND_HALF = {"configure", "train", "evaluate", "explain", "checks", "gallery", "predict", "jobs"}


def heart_table() -> Path:
    """The shared copy of the heart table, else the one beside the tests."""
    return next(each / HEART for each in (SHARED / "data", OWN) if (each / HEART).is_file())


def prepare(home: Path, wanted: list[str]) -> dict[str, str]:
    """Fill a home with projects at different stages; returns ids by name."""
    os.environ["MEDML_HOME"] = str(home)
    from medml.example import example_source
    from tests.e2e.scenes_pictures import prepare_pictures

    if wanted == ["pictures"]:
        return prepare_pictures(home.parent)
    ids = {"example": scanned(example_source(), "Breast biopsies (example)")}
    folder = home.parent / "heart study"
    folder.mkdir(exist_ok=True)
    shutil.copy(heart_table(), folder)
    ids["heart"] = scanned(folder, "Heart study, Cleveland", target="num", positive=">0")
    ids["asked"] = asked_about(folder, "Heart study, asked about")
    if not wanted or SECOND_HALF & set(wanted):
        ids |= trained(folder, "Heart study, models")
    if (SHARED / "corpus").is_dir():
        ids["hard"] = scanned(SHARED / "corpus" / "tabular", "Tables from six wards", choose=False)
    return ids | (prepare_pictures(home.parent) if not wanted else {})


def trained(folder: Path, name: str) -> dict[str, str]:
    """A project with finished trainings by the worker (`auto`, a network, a regression, one of another outcome), one
    that failed and one that waits for tonight."""
    import worker
    from medml import project

    made = scanned(folder, name, target="num", positive=">0")
    apart = project.choice(made).model_copy(update={"positive": None, "task": "multiclass"})
    plans = [planned(made, "auto", "Heart disease, best of several"),
             planned(made, "mlp", "Heart disease by neural network"),
             planned(made, "logistic", "Heart disease by regression"),
             planned(made, "logistic", "Grades told apart", apart)]
    for value in plans[0]:
        project.write(made, value)
    jobs = [queued(made, *each) for each in plans]
    stale = plans[1][1].model_copy(update={"profile_sha256": "0" * 64})
    failed = queued(made, plans[1][0], stale)
    wait_for(jobs)
    wait_for([failed], may_fail=True)
    worker.enqueue("train", {"project": made}, project=made, not_before=worker.tonight(20))
    runs = [worker.get(each).result["run"] for each in jobs]
    return {"models": made, "job": jobs[1], "best": runs[0], "network": runs[1], "plain": runs[2], "other": runs[3],
            "failed": failed}


def asked_about(folder: Path, name: str) -> str:
    """A project of which the co-pilot was asked, with two changes made by a click and one that waits for it."""
    from medml import copilot, project
    from pages._copilot_change import apply

    made = scanned(folder, name, target="num", positive=">0")
    for value in planned(made, "mlp"):
        project.write(made, value)
    for question in ("Set the rounds to 80", "Which of these settings matter most?", "Set the learning rate to 0.003",
                     "What should I do next?", "Set dropout to 0.4"):
        seen = copilot.snapshot_of_project(made, "configure")
        asking = copilot.ask(seen, "configure", question, passages=copilot.look_up(question, seen, settings=None),
                             use_model=False)
        answer = whole(asking)
        copilot.remember(made, "configure", question, answer)
        if answer.proposal is not None and "dropout" not in question:
            apply(answer.proposal, made)
    return made


def whole(asking):
    """The answer at the end of a co-pilot's asking."""
    while True:
        try:
            next(asking)
        except StopIteration as end:
            return end.value


def planned(made: str, family: str, title: str | None = None, choice=None) -> tuple:
    """Recipe and configuration as they are proposed for a project."""
    from medml import home as places
    from medml import project
    from medml.config import propose_config
    from medml.recipe import propose_recipe

    profile, choice = project.profile(made), choice or project.choice(made)
    table, sha = profile.table(choice.table), places.sha256_of(profile)
    recipe = propose_recipe(table, choice, sha)
    return recipe, propose_config(table, choice, recipe, profile_sha256=sha, data_sha256=table.sha256, family=family,
                                  name=title)


def queued(project: str, recipe, config) -> str:
    """A training handed to the worker."""
    import worker

    return worker.enqueue("train", {"project": project, "recipe": recipe.model_dump(mode="json"),
                                    "config": config.model_dump(mode="json")}, project=project)


def wait_for(jobs: list[str], seconds: float = 900, *, may_fail: bool = False) -> None:
    """Until all have ended; the first that failed says why, unless it may."""
    import worker

    until = time.monotonic() + seconds
    while not all(worker.get(each).ended_for_good for each in jobs):
        if time.monotonic() > until:
            raise TimeoutError("the trainings for the pictures did not end")
        time.sleep(0.5)
    failed = [worker.get(each).error for each in jobs if worker.get(each).state != "done"]
    if failed and not may_fail:
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
