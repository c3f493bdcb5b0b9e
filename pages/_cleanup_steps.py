"""One card a cleanup step: switch, reason, effect in counts, settings; changes are kept at once and can be undone."""

from __future__ import annotations

from typing import Any

import streamlit as st

from medml import project as projects
from medml.steps import registry
from medml.steps import step as kinds
from medml.types import Choice, Effect, Recipe, Step, Table
from pages import _ui as ui
from pages._ui_belonging import locked

CHANGED = "m_step_changed"  # a setting was changed on the screen, and the page has not been drawn whole since
OF_LISTS = {"drop_columns": "Columns", "join_classes": "Classes"}  # steps with a list to choose from, and its heading


def history(project: str) -> list[Recipe]:
    """Earlier recipes of this session, oldest first."""
    return st.session_state.setdefault(f"m_recipes_{project}", [])


def remember(project: str, recipe: Recipe | None) -> None:
    """Keep a recipe to come back to; widgets are drawn afresh from the one that follows."""
    if recipe is not None:
        history(project).append(recipe)
        st.session_state["m_revision"] = st.session_state.get("m_revision", 0) + 1


def undo(project: str) -> None:
    """Take the last change back."""
    with ui.guard():
        projects.write(project, history(project).pop())
        st.session_state["m_revision"] = st.session_state.get("m_revision", 0) + 1


def change(project: str, name: str, **new: Any) -> None:
    """Keep the recipe with one step changed."""
    old = projects.recipe(project)
    made = [each.model_copy(update=new) if each.name == name else each for each in old.steps]
    remember(project, old)
    projects.write(project, old.model_copy(update={"steps": made}))


def card(project: str, step: Step, effect: Effect, table: Table, choice: Choice) -> None:
    """Draw one step. The style sheet sets its parts in columns: as columns of Streamlit's, ten cards are fifty parts
    more, and a fifth of what the page costs."""
    kind = registry.get(step.name)
    revision = st.session_state.get("m_revision", 0)
    with st.container(key=f"m_card_step_{step.name}_{'on' if step.on else 'off'}"):
        key = f"m_on_{project}_{step.name}_{revision}"
        st.toggle(ui.plain(kind.title), step.on, key=key, label_visibility="collapsed",
                  on_change=switch, args=(project, step.name, key), **ui.allowed("change"))
        ui.draw(f'<div class="m-step-row">{_words(kind, step)}{_counts(step, effect)}</div>')
        fields(project, kind, step, table, choice, revision)


def switch(project: str, name: str, key: str) -> None:
    """A step was switched on or off."""
    with ui.guard():
        change(project, name, on=bool(st.session_state[key]))


def changed() -> None:
    """A setting was changed: it is kept as its card is drawn, so nobody leaves before that."""
    st.session_state[CHANGED] = True


def _words(kind: kinds.Step, step: Step) -> str:
    learned = ui.chip("learned inside every fold", "teal") if kind.learns else ""
    return (f'<div class="m-step"><h2>{ui.linked(kind.title)}{learned}</h2>'
            f'<p class="m-step-why">{ui.linked(step.reason, 600)}</p>'
            f'<p class="m-note">{ui.linked(kind.sentence, 400)}</p></div>')


def _counts(step: Step, effect: Effect) -> str:
    """The effect: what changes and by how much, before and after."""
    if not step.on:
        return f'<div class="m-effect"><p class="m-effect-value m-none">Off</p>' \
               f'<p class="m-note">Would do: {ui.html(effect.sentence, 300)}</p></div>'
    lines = []
    if effect.rows_after != effect.rows_before:
        lines.append(f"{effect.rows_before:,} → {effect.rows_after:,} rows")
    if effect.columns_left_out:
        lines.append(f"{ui.count(len(effect.columns_left_out), 'column')} left out")
    if effect.cells_changed:
        lines.append(f"{ui.count(effect.cells_changed, 'cell')} changed")
    top = "".join(f'<p class="m-effect-value">{each}</p>' for each in lines)
    top = top or '<p class="m-effect-value m-none">No change</p>'
    return (f'<div class="m-effect">{top}'
            f'<p class="m-note">{ui.html(effect.sentence, 300)}</p></div>')


def fields(project: str, kind: kinds.Step, step: Step, table: Table, choice: Choice, revision: int) -> None:
    """The step's settings, folded away; a changed one is kept at once."""
    if step.name not in OF_LISTS and not kind.params:
        return
    with st.expander(OF_LISTS.get(step.name, "Settings")):
        key = f"{project}_{step.name}_{revision}"
        new = dict(step.params)
        if kind.params:
            new |= ui.form_from_params(kind.params, kind.filled(step.params), key=key, disabled=locked("change"),
                                        on_change=changed)
        if step.name == "drop_columns":
            names = [each.name for each in table.columns
                     if each.name not in (choice.target, choice.patient, *choice.leave_out)]
            new["columns"] = st.multiselect("Columns to leave out", names, format_func=ui.clean, key=f"m_drop_{key}",
                                            on_change=changed, default=[
                                                each for each in step.params.get("columns", []) if each in names])
        if step.name == "join_classes":
            new["classes"] = joined(table, choice, step.params.get("classes", {}), key)
        if new != dict(kind.filled(step.params)) and not locked("change"):
            change(project, step.name, params=new)
            if ui.pressed():  # a value typed and the button pressed at once
                ui.go("configure")
            st.rerun()


def joined(table: Table, choice: Choice, groups: dict[str, list[str]], key: str) -> dict[str, list[str]]:
    """Which classes of the outcome count as one, and what they are called together: every group there is and an empty
    one below, while two classes are free. Classes the scan hides are not named."""
    names = [each.label for each in table.column(choice.target).levels]
    made: dict[str, list[str]] = {}
    taken: list[str] = []
    for place, (name, members) in enumerate([*groups.items(), ("", [])]):
        free = [each for each in names if each not in taken]
        if len(free) < 2:
            break
        members, called = group(free, name, [each for each in members if each in free], f"{key}_{place}")
        taken += members
        if len(members) > 1:
            made[called] = members
    return made


def group(free: list[str], name: str, members: list[str], key: str) -> tuple[list[str], str]:
    """One group: its classes and its name."""
    left, right = st.columns(2, gap="large")
    with left:
        chosen = st.multiselect("Classes that count as one", free, members, key=f"m_join_{key}", format_func=ui.clean,
                                on_change=changed, placeholder="None")
    with right:
        called = st.text_input("Name of the joined class", name, key=f"m_called_{key}", max_chars=60, on_change=changed,
                               placeholder=" or ".join(chosen) or "What they are called together")
    return chosen, called.strip() or " or ".join(chosen)
