"""Cleanup: the proposed steps, each with its reason and its effect in counts; switch, settings, undo."""

from __future__ import annotations

import streamlit as st

from medml import home
from medml import project as projects
from medml.sample import Sample
from medml.types import Choice, Effect, Profile, Recipe
from pages import _cleanup_steps as steps
from pages import _sample as held_here
from pages import _ui as ui
from pages._ui_belonging import keep

TITLE = "Cleanup"
LEAD = "What MedML would do to the table before learning, and why. Your file is not changed."
COUNTED = 16  # recipes of which a session knows the counts


def recipe_of(project: projects.Project, profile: Profile, choice: Choice) -> Recipe:
    """The recipe in hand; a first visit keeps the proposed one."""
    kept = projects.recipe(project.id)
    return kept if kept is not None else fresh(project, profile, choice)


def fresh(project: projects.Project, profile: Profile, choice: Choice) -> Recipe:
    """The proposed recipe, kept."""
    from medml.recipe import propose_recipe

    made = propose_recipe(profile.table(choice.table), choice, home.sha256_of(profile))
    keep(project.id, made)
    return made


def effects_of(held: Sample, recipe: Recipe, choice: Choice) -> list[Effect]:
    """What each step would do to these rows; counted once for a recipe and a table, so that to switch back is free."""
    from medml.recipe import preview

    key = (held.table.sha256, held.table.ref.label, home.sha256_of(recipe), home.sha256_of(choice))
    known = st.session_state.setdefault("m_effects", {})
    if key not in known:
        known[key] = preview(held.frame, recipe, held.table, choice, short=held.short,
                             known=held_here.kept(("cleanup",), dict))
    for oldest in list(known)[:-COUNTED]:
        del known[oldest]
    return known[key]


def summary(held: Sample, recipe: Recipe, effects: list[Effect], choice: Choice) -> None:
    """Before and after, in counts."""
    on = [effect for step, effect in zip(recipe.steps, effects, strict=True) if step.on]
    before = held.rows
    after = before - sum(each.rows_before - each.rows_after for each in on)
    if choice.pictures is not None:
        ui.tiles([("pictures", step_words(before, after))])
        return
    left_out = {name for each in on for name in each.columns_left_out}
    asked = {choice.target, choice.patient, *choice.leave_out}
    columns = [each.name for each in held.columns if each.name not in asked]
    left = sum(name not in left_out for name in columns)
    ui.tiles([("rows", step_words(before, after)), ("columns to learn from", step_words(len(columns), left)),
              ("changes to cells", sum(each.cells_changed for each in on))])
    if not held.whole:
        ui.note(f"Counted on the first {held.rows:,} of {held.table.rows:,} rows; the training cleans all of them.")


def step_words(before: int, after: int) -> str:
    """"575 → 569", or the one number where nothing changes."""
    return f"{before:,} → {after:,}" if after != before else f"{after:,}"


def tools(project: projects.Project, profile: Profile, choice: Choice) -> None:
    """Undo the last change, or take the proposal again."""
    past = steps.history(project.id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Undo", icon=":material/undo:", key="m_undo", on_click=steps.undo, args=(project.id,),
                  **ui.allowed("change", disabled=not past))
        if st.button("Back to the proposal", icon=":material/restart_alt:", key="m_reset",
                     **ui.allowed("change", disabled=not past)):
            steps.remember(project.id, projects.recipe(project.id))
            fresh(project, profile, choice)
            st.rerun()


onward = None if st.session_state.get(steps.CHANGED) else "configure"
with ui.page(TITLE, step="cleanup", lead=LEAD, onward=onward) as opened:
    known = held_here.needed(opened)
    if known is not None:
        found, chosen = known
        recipe = recipe_of(opened, found, chosen)
        taken = held_here.sample(opened, found, chosen)
        done = effects_of(taken, recipe, chosen)
        summary(taken, recipe, done, chosen)
        ui.say("note", "Whatever a step learns (limits, medians, frequent categories), it learns from training rows "
               "only, inside every fold.", "The counts here are for the whole table, so that you can judge them.")
        tools(opened, found, chosen)
        for step, effect in zip(recipe.steps, done, strict=True):
            steps.card(opened.id, step, effect, found.table(chosen.table), chosen)
        st.session_state.pop(steps.CHANGED, None)
        if ui.next_button("Continue to configure", "configure"):  # what was changed just before is kept above
            ui.go("configure")
