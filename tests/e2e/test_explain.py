"""The Explain page in a real browser with the real worker: from a trained model to a decision kept in the recipe."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from medml import gallery, project
from medml import home as places
from medml.config import propose_config
from medml.explain import found
from medml.recipe import propose_recipe
from medml.train import train
from medml.types import SplitPlan
from tests.e2e import steps
from tests.e2e.axe import serious
from tests.e2e.scenes import scanned

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def model(app, heart, monkeypatch) -> tuple[str, str]:
    """(project, run) of a regression on the heart table, as the worker would leave them."""
    monkeypatch.setenv("MEDML_HOME", str(app.home))
    made = scanned(heart, "To be explained", target="num", positive=">0")
    profile, choice = project.profile(made), project.choice(made)
    table, sha = profile.table(choice.table), places.sha256_of(profile)
    recipe = propose_recipe(table, choice, sha)
    config = propose_config(table, choice, recipe, profile_sha256=sha, data_sha256=table.sha256, family="logistic",
                            name="Heart disease by regression")
    plan = SplitPlan(by=config.split.by, scheme="cross_validation", folds=3)
    config = config.model_copy(update={"split": plan})
    for value in (recipe, config):
        project.write(made, value)
    run = train(heart, profile, recipe, config)
    project.add_run(made, run)
    return made, run


def mark(screen, label: str, name: str) -> None:
    """Choose one of a list of several."""
    steps.pick(screen, label, name)
    screen.keyboard.press("Escape")
    steps.settled(screen)


def test_a_model_is_explained_and_cases_are_looked_at_again(screen, app, model):
    made, run = model
    screen.goto(f"{app.url}/explain?project={made}&run={run}")
    steps.on_page(screen, "Explain")
    screen.get_by_role("button", name="Explain this model").click()
    expect(screen.locator(".st-key-m_card_weights")).to_contain_text("with its 95 % interval", timeout=steps.LONG)
    expect(screen.get_by_role("button", name="Back to the figures")).to_be_visible()
    screen.get_by_role("button", name="Show patient by patient").click()
    expect(screen.locator(".st-key-m_card_swarm")).to_contain_text("200 patients", timeout=steps.LONG)
    screen.get_by_role("button", name="Explain this patient").click()
    expect(screen.locator(".st-key-m_card_one")).to_contain_text(
        re.compile(r"Probability of “above 0”: \d+ %; for an average patient \d+ %"), timeout=steps.LONG)
    for_the_bedside(screen, run)
    look_again(screen, made)


def for_the_bedside(screen, run: str) -> None:
    """What doing without two predictors costs, and a score; both are kept beside the run."""
    mark(screen, "Known too late", "thal")
    mark(screen, "Costly", "ca")
    screen.get_by_role("button", name="What would leaving them out cost?").click()
    cost = screen.locator(".st-key-m_card_without")
    expect(cost).to_contain_text("Left out: thal (known too late), ca (costly)", timeout=steps.LONG)
    value = found.read(gallery.open_run(run), found.Without)
    expect(cost).to_contain_text(f"{value.difference.value:.3f}")
    screen.get_by_role("button", name="Make the score").click()
    expect(screen.locator(".st-key-m_card_nomogram")).to_be_visible(timeout=steps.LONG)
    expect(screen.locator(".st-key-m_card_score")).to_contain_text("AUROC")
    assert serious(screen) == []


def look_again(screen, made: str) -> None:
    """One label is changed: the first step of the recipe, and the page on which it stands."""
    screen.get_by_role("button", name="Show the cases").click()
    expect(screen.get_by_role("columnheader", name="The model says")).to_be_visible(timeout=steps.LONG)
    steps.settled(screen)
    expect(screen.get_by_role("button", name="Keep these decisions")).to_be_disabled()
    first = screen.get_by_role("row").filter(has=screen.get_by_role("cell", name=re.compile("% above 0"))).first
    row = first.get_by_role("cell").first.inner_text()
    mark(screen, "Labelled wrongly", f"Row {row}")
    screen.get_by_role("button", name="Keep these decisions").click()
    steps.on_page(screen, "Cleanup")
    expect(screen.get_by_text("1 relabelled, 0 left out")).to_be_visible()
    step = project.recipe(made).steps[0]
    assert step.name == "second_look" and list(step.params["relabel"].values()) == [""]
