"""The effects of a recipe, counted again where little of it has changed."""

from __future__ import annotations

import polars as pl
from made import choice_of, table_of

from medml.recipe import preview, propose_recipe


def test_a_preview_that_goes_on_from_the_last_one_counts_the_same():
    n = 60
    frame = pl.DataFrame({"n": [str(i % 9) for i in range(n - 1)] + ["900"], "m": ["1", "2", "?", None, "<3"] * 12,
                          "c": ["a"] * 50 + ["b"] * 10, "who": [str(i // 2) for i in range(n)],
                          "y": ["0", "1", "1", None, "0", "1"] * 10})
    table = table_of(frame, {"m": "number", "n": "number", "c": "category"})
    recipe, known = propose_recipe(table, choice_of("y"), "0" * 64), {}
    switched = [[each.model_copy(update={"on": (each.name == name) != each.on}) for each in recipe.steps]
                for name in ["", *(each.name for each in recipe.steps), ""]]
    set_otherwise = [each.model_copy(update={"params": {"columns": ["n"]}}) if each.name == "drop_columns" else each
                     for each in recipe.steps]
    for steps in [*switched, set_otherwise]:
        for choice in (choice_of("y"), choice_of("y", patient="who")):
            now = recipe.model_copy(update={"steps": steps})
            assert preview(frame, now, table, choice, known=known) == preview(frame, now, table, choice)
