"""The settings of the family on Configure, and what they will take: one fragment, so that a slider moves them alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from medml import project as projects
from medml import rivals
from medml.config import estimate, facts_of, usual_params
from medml.families import Family
from medml.types import Recipe, Table, TrainConfig
from pages import _ui as ui
from pages._ui_belonging import keep
from pages._ui_cards import cards, form_key

Examples = Callable[[dict[str, Any]], None]


@st.fragment
def settings(project: projects.Project, family: Family, table: Table, recipe: Recipe, base: TrainConfig,
             examples: Examples | None) -> tuple[TrainConfig, float] | None:
    """Draw cards, examples and needs; write the configuration. Returns it with the seconds it will take, None where
    something went wrong, which stands on the screen then.

    base      all that was set above
    examples  draws pictures as these settings change them
    """
    with ui.guard():
        params, seed = _ask(project, family, table, recipe, base)
        config = base.model_copy(update={"params": params, "seed": seed})
        if examples is not None:
            examples(usual_params(table, base, recipe) | params)
        seconds = _needs(table, config, recipe)
        keep(project.id, config)
        return config, seconds
    return None


def _ask(project: projects.Project, family: Family, table: Table, recipe: Recipe,
         base: TrainConfig) -> tuple[dict[str, Any], int]:
    """The family's own parameters, and the seed; only what differs from the usual for this table is kept."""
    usual, facts = usual_params(table, base, recipe), facts_of(table, base, recipe)
    key = form_key(project.id, family.name)
    values = usual | base.params
    ui.section("Settings", "All are set to what is usual for data of this size. Leave them alone unless you have a "
               "reason.")
    given = cards(family, [each for each in family.params if not each.more], facts, values, key=key)
    with st.expander("More settings"):
        rest = [each for each in family.params if each.more]
        given |= cards(family, rest, facts, values | given, key=key)
        seed = st.number_input("Seed", 0, 2**31 - 1, base.seed, key=f"{key}_seed",
                               help="The same seed gives the same numbers again.")
    return {name: value for name, value in given.items() if value != usual[name]}, int(seed)


def _needs(table: Table, config: TrainConfig, recipe: Recipe) -> float:
    """What the training will take, before it starts; returns the seconds."""
    ui.section("What it will take", "Measured on this machine a moment ago.")
    ahead = estimate(table, config, recipe)
    rows = [("of time", ui.duration(ahead.seconds)), ("of memory", ui.size(ahead.bytes))]
    if config.selection.on:
        rows.insert(1, ("of it to choose columns", ui.duration(ahead.seconds_selection)))
    with st.container(key="m_card_needs"):
        ui.tiles(rows)
        tried = rivals.configurations(config.data_sha256, config.choice.target)
        if tried:
            ui.note(f"This will be configuration {tried + 1} on this table and this outcome. The best of several looks "
                    "better than it is; the report counts them.")
    return ahead.seconds
