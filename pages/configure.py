"""Configure: which family, judged how, with which columns and settings; what that will take; start."""

from __future__ import annotations

import streamlit as st

import worker
from medml import families
from medml import project as projects
from medml.config import comes_divided, n_patients, some_may_fall_away, usual_family
from medml.overrides import Seen
from medml.recipe.propose import predictors
from medml.types import TrainConfig
from pages import _ui as ui
from pages import _ui_again as again
from pages import _ui_networks as networks
from pages import _ui_plan as plan
from pages import _ui_selection as columns_card
from pages import _ui_use_plan as use_plan
from pages._configure_ground import Ground, ground_of
from pages._configure_settings import Examples, settings
from pages._ui_morning import before_queueing
from pages._ui_night import USUAL
from pages._ui_pictures import ask_plan
from pages._ui_size import size_card

TITLE = "Configure"
LEAD = "How the model learns, and how it is judged. Everything is set to what usually works: you can start at once."


def ask(on: Ground, known: TrainConfig | None) -> TrainConfig:
    """Draw the form but for the family's own settings, and return the configuration that stands in it now."""
    plan.task_card(on.table, on.choice, on.recipe)
    key = f"m_plan_{on.project.id}"
    use_plan.enough(on.table, on.choice, on.recipe, f"{key}_use")
    usual = usual_family(on.choice, on.table)
    family = plan.pick_family(on.choice, known.family if known else usual, usual, f"{key}_family")
    base = known if known is not None and known.family == family.name else on.proposed(family.name)
    if known is not None:  # what was set for another family holds for this one too
        base = base.model_copy(update={"split": known.split, "selection": known.selection, "seed": known.seed,
                                       "use": known.use})
    name = st.text_input("Name of the model", base.name, key=f"{key}_{family.name}_name", max_chars=120)
    other = on.proposed(family.name, anew=base.split.given).split if comes_divided(on.table, on.choice) else None
    split = plan.ask_split(base.split, f"{key}_split", n_patients(on.table, on.choice, on.recipe), other,
                           at_most=some_may_fall_away(on.table, on.choice))
    base = base.model_copy(update={"use": use_plan.ask_use(on.table, on.choice, base.use, f"{key}_use")})
    base = base.model_copy(update={"name": name.strip() or base.name, "split": split})
    if on.choice.pictures is not None:
        ready = ask_plan(on.table, base.choice.pictures or on.choice.pictures, f"{key}_pictures")
        size_card(on.project, on.table, on.choice.target, ready)
        networks.pretrained(family)
        return base.model_copy(update={"choice": on.choice.model_copy(update={"pictures": ready})})
    seen = Seen(on.table.sha256, on.choice.target)
    chosen = columns_card.ask_selection(base.selection, [each.name for each in predictors(on.table, on.choice)], seen,
                                        f"{key}_select")
    return base.model_copy(update={"selection": chosen})


def examples_of(on: Ground, config: TrainConfig) -> Examples | None:
    """What draws pictures as a network is shown them; None for a table."""
    plan_ = config.choice.pictures
    if plan_ is None:
        return None
    return lambda params: networks.examples(on.project, on.table, on.choice.target, plan_, params)


def start(project: projects.Project, config: TrainConfig, seconds: float, at: float | None = None) -> None:
    """Keep the configuration and queue the training, for now or a later moment; a double click is one training."""
    projects.write(project.id, config)
    ui.go("train", job=again.training(project.id, seconds, at or 0.0))


with ui.page(TITLE, step="configure", lead=LEAD) as opened:
    standing = ground_of(opened)
    if standing is not None:
        asked = ask(standing, projects.config(opened.id))
        settled = settings(opened, families.registry.get(asked.family), standing.table, standing.recipe, asked,
                           examples_of(standing, asked))
        later: list[float] = []
        if settled is not None:
            before_queueing(settled[1], worker.tonight(USUAL.hour, USUAL.minute))
        if settled is not None and ui.next_button("Start now", "train",
                                                  beside=lambda: later.extend(ui.ask_night("m_night"))):
            start(opened, *settled)
        if later and settled is not None:
            start(opened, *settled, later[0])
