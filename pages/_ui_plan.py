"""Configure, in words: what is learned from what, which family, and how the result will be judged."""

from __future__ import annotations

from typing import Any

import streamlit as st

from medml import families
from medml.cards import folds
from medml.config import n_patients, n_rows, some_may_fall_away
from medml.families import Family
from medml.recipe.propose import predictors
from medml.recipe.target import ABOVE_ZERO
from medml.types import Choice, Recipe, SplitPlan, Table
from pages import _ui as ui
from pages._ui_cards import drawn

GIVEN = ("The data came divided into parts. MedML keeps that division as it is: it learns from the part for training, "
         "decides on the one for choosing where there are three, and leaves the last closed until you open it, once.")
DIVISIONS = {True: "As the data came", False: "Let MedML divide the patients"}
SCHEMES = {"cross_validation": "Cross-validation", "held_out": "Keep a part closed"}


def task_card(table: Table, choice: Choice, recipe: Recipe) -> None:
    """What is learned from what, in one sentence, with the counts behind it."""
    rows, patients = n_rows(table, choice, recipe), n_patients(table, choice, recipe)
    known = "patients at most" if some_may_fall_away(table, choice) else "patients"
    ui.section("What the model learns", task_sentence(table, choice))
    if choice.pictures is not None:
        ui.tiles([("pictures", rows), (known, patients)])
        return
    left = left_by_cleanup(table, choice, recipe)
    ui.tiles([("rows with an outcome", rows), (known, patients),
              ("columns to learn from", len(predictors(table, choice)) - left),
              ("columns left out", len(choice.leave_out) + left)])


def left_by_cleanup(table: Table, choice: Choice, recipe: Recipe) -> int:
    """How many predictors the cleanup takes away, as its page counts them."""
    names = {each.name for each in predictors(table, choice)}
    return sum(len(names.intersection(step.params.get("columns", []))) for step in recipe.steps
               if step.on and step.name == "drop_columns")


def task_sentence(table: Table, choice: Choice) -> str:
    """ "Two classes: ..." for the task of a choice; names are as the clinician's file has them."""
    if choice.pictures is not None and choice.task == "binary" and choice.positive:
        return f"MedML learns from pictures how likely it is that one of a new patient shows {answer(choice.positive)}."
    name = f"“{choice.target}”"
    if choice.task == "regression":
        return f"A number: MedML learns to predict {name} for a patient that it has not seen."
    if choice.task == "multiclass":
        column = table.column(choice.target)
        labels = ", ".join(level.label for level in column.levels) or "the classes"
        more = " and rarer ones" if column.levels and column.hidden_levels else ""
        return f"Several classes: MedML learns to tell {labels}{more} apart, as {name} names them."
    if choice.positive is None:  # the scan may name neither of so few patients
        return f"Two classes: MedML learns to tell the two answers of {name} apart for a patient that it has not seen."
    yes = answer(choice.positive)
    return f"Two classes: MedML learns how likely it is that {name} is {yes} for a patient that it has not seen."


def answer(label: str | None) -> str:
    """How a class is called in a sentence: what the file says, in quotes, or "above 0" for grades taken together."""
    return "above 0" if label == ABOVE_ZERO else f"“{label}”" if label else "“yes”"


def offered(choice: Choice, first: str) -> list[Family]:
    """Families that can do this task on what was chosen, a table or its pictures; the proposed one first."""
    names = families.seeing("columns" if choice.pictures is None else "pictures")
    able = [each for each in map(families.registry.get, names) if choice.task in each.tasks]
    return sorted(able, key=lambda each: (each.name != first, names.index(each.name)))


def pick_family(choice: Choice, chosen: str, first: str, key: str) -> Family:
    """A card for each family with its plain sentence; returns the chosen one.

    chosen  the one that stands in the configuration;   first  the one that is proposed
    """
    ui.section("Family", "How the model thinks. The first one is the safe choice here.")
    able = {each.name: each for each in offered(choice, first)}
    names = list(able)
    with st.container(key="m_families"):
        picked = st.radio("Family", names, index=names.index(chosen) if chosen in able else 0, key=key,
                          format_func=lambda name: able[name].titled(choice.task),
                          captions=[f"{each.sentence} {round_words(each)}" for each in able.values()],
                          label_visibility="collapsed", width="stretch")
    ui.draw(f'<p class="m-note">What it is: {ui.term(able[picked].titled(choice.task))}.</p>')
    for name, library in families.registry.missing.items():
        ui.note(f"{name.capitalize()} needs {library}, which is not installed here.")
    return able[picked]


def round_words(family: Family) -> str:
    """Whether it can be trained further, in a few words."""
    return {"epoch": "Can be trained for more rounds.", "trees": "Trees can be added later.",
            None: "Nothing to continue afterwards."}[family.round]


def ask_split(plan: SplitPlan, key: str, n: int, other: SplitPlan | None = None, *,
              at_most: bool = False) -> SplitPlan:
    """The split in words, and a fold-out to change it; by patient or by row is never asked, it follows the data.

    other    for data that came divided: the proposal for the other way, MedML's division or the data's own
    at_most  whether some of the n have no outcome and fall away
    """
    ui.section("How it is judged", "Always on patients that the model has not seen.")
    with st.container(key="m_card_split"):
        words, chosen = st.empty(), plan
        if other is not None or not plan.given:
            with st.expander("Change how it is judged"):
                if other is not None and _ask_own(plan.given, key) != plan.given:
                    chosen = other
                chosen = chosen if chosen.given else _ask_folds(chosen, key)
        if chosen.given:
            ui.draw(f'<p class="m-what">{GIVEN}</p>', into=words)
        else:
            ui.draw(f'<div class="m-beside">{drawn(folds.draw(chosen))}'
                    f'<p class="m-what">{ui.linked(split_words(chosen, n, at_most), 600)}</p></div>', into=words)
    return chosen


def _ask_own(given: bool, key: str) -> bool:
    """Whether the data's own division is kept."""
    kept = st.radio("Division", list(DIVISIONS), index=list(DIVISIONS).index(given), horizontal=True,
                    format_func=DIVISIONS.get, key=f"{key}_own")
    ui.note("Figures on another division cannot be compared with those that others published on this one.")
    return kept


def _ask_folds(plan: SplitPlan, key: str) -> SplitPlan:
    """Which way, how many folds, how much stays closed."""
    scheme = st.radio("Way", list(SCHEMES), index=list(SCHEMES).index(plan.scheme), horizontal=True,
                      format_func=SCHEMES.get, key=f"{key}_scheme")
    left, right = st.columns(2, gap="large")
    changes: dict[str, Any] = {"scheme": scheme}
    with left:
        changes["folds"] = int(st.number_input("Folds", 2, 20, plan.folds, key=f"{key}_folds",
                                                help=ui.explained("fold")))
    with right:
        if scheme == "held_out":
            share = st.slider("Share kept closed", 5, 50, round(100 * plan.test_fraction), 5, format="%d %%",
                              key=f"{key}_share", help=ui.explained("held-out part"))
            changes["test_fraction"] = share / 100
        else:
            changes["repeats"] = int(st.number_input("Repeats", 1, 20, plan.repeats, key=f"{key}_repeats",
                                                      help=ui.explained("repeats")))
    return plan.model_copy(update=changes)


def split_words(plan: SplitPlan, n: int, at_most: bool = False) -> str:
    """How many are trained on, how many are judged on, and that nobody is on both sides."""
    who = "patients" if plan.by == "patient" else "rows"
    both = ("Patients come more than once here, so all rows of a patient stay on one side."
            if plan.by == "patient" else "Each row counts as a patient of its own, so rows are divided.")
    if plan.scheme == "held_out":
        closed = round(n * plan.test_fraction)
        kept = f"Of the {who} with an outcome, at most {n:,}, about {closed:,} are" if at_most else \
            f"{closed:,} of {n:,} {who} are"
        return (f"{kept} kept closed until you open them, once. The rest is divided into "
                f"{plan.folds} parts, each judged by a model that was trained on the others. {both}")
    times = "" if plan.repeats == 1 else f", {plan.repeats} times over with other divisions"
    all_ = f"The {who} with an outcome, at most {n:,}," if at_most else f"The {n:,} {who}"
    return (f"{all_} are divided into {plan.folds} parts{times}. Each part is judged by a model that was "
            f"trained on the others; the final model learns from all of them. {both}")
