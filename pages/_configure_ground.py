"""What a configuration is made on. Not in the page: that is run at every click, and would make the class anew."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from medml import home
from medml import project as projects
from medml.config import propose_config
from medml.recipe import propose_recipe
from medml.types import Choice, Profile, Recipe, Table, TrainConfig
from pages import _ui as ui
from pages._ui_belonging import keep


@dataclass(frozen=True, slots=True)
class Ground:
    """What a configuration is made on."""

    project: projects.Project
    profile: Profile
    choice: Choice
    recipe: Recipe

    @property
    def table(self) -> Table:
        return self.profile.table(self.choice.table)

    def proposed(self, family: str, *, anew: bool = False) -> TrainConfig:
        return propose_config(self.table, self.choice, self.recipe, family=family, data_sha256=self.table.sha256,
                              profile_sha256=home.sha256_of(self.profile), anew=anew)


def ground_of(project: projects.Project) -> Ground | None:
    """None, with the way out on the screen, where a stage before is missing."""
    profile, choice, recipe = (projects.read(project.id, name) for name in ("profile", "choice", "recipe"))
    if profile is None or choice is None:
        ui.empty("There is nothing to configure yet.", "Scan the folder and choose what to predict first.")
        st.page_link("scan.py", label="Go to Scan", icon=":material/arrow_back:")
        return None
    if recipe is None:
        recipe = propose_recipe(profile.table(choice.table), choice, home.sha256_of(profile))
        keep(project.id, recipe)
    return Ground(project, profile, choice, recipe)
