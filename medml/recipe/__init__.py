"""The cleanup of a table: proposed with reasons, previewed in counts, the learning part fitted inside every fold."""

from medml.recipe.cleaner import Cleaner
from medml.recipe.prepare import prepare, prepare_predictors, preview
from medml.recipe.propose import propose_recipe

__all__ = ["Cleaner", "prepare", "prepare_predictors", "preview", "propose_recipe"]
