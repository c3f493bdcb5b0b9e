"""Before training: whether the patients are enough, and how the model will be used. Written down before any figure."""

from __future__ import annotations

import streamlit as st

from medml.config import class_counts, encoded_columns, n_patients
from medml.errors import UserError
from medml.evaluate import formula
from medml.evaluate.sample_size import before_training
from medml.evaluate.subgroups import usual_columns
from medml.types import Choice, Recipe, Table, UsePlan
from pages import _ui as ui
from pages._ui_use import RULES

PUBLISHED = {"binary": "AUROC of a published model of this outcome", "regression": "R² of a published model of it"}


def enough(table: Table, choice: Choice, recipe: Recipe, key: str) -> None:
    """Riley's criteria in one sentence, for what stands in the recipe now and what `ask_use` was told."""
    if choice.pictures is not None:
        return
    counts, known = class_counts(table, choice, recipe), st.session_state.get(f"{key}_published")
    said, fine = before_training(choice.task, n_patients(table, choice, recipe),
                                 encoded_columns(table, choice, recipe), counts, known)
    if said:
        ui.say("note" if fine else "caution", said,
               "" if fine else "Each category of a column counts as a predictor. Leave out columns that experts do not "
                               "expect to matter, or train to see: the result says where it is exploratory.")


def _ask_published(choice: Choice, key: str) -> None:
    """What a published model reached: it says how many patients are enough, and is kept nowhere."""
    if choice.task in PUBLISHED and choice.pictures is None:
        least = 0.51 if choice.task == "binary" else 0.01
        st.number_input(PUBLISHED[choice.task], least, 0.99, None, 0.01, key=f"{key}_published",
                        placeholder="Not known", help="The number of patients that are needed is then worked "
                        "out from it, in place of the usual guess (15 % of what is possible).")


def ask_use(table: Table, choice: Choice, plan: UsePlan, key: str) -> UsePlan:
    """Threshold, score in use, range and groups; each has a usual answer."""
    ui.section("How it will be used", "Decided now, before any figure is seen: then nobody can say that the figures "
               "decided it.")
    changes: dict[str, object] = {}
    with st.expander("Threshold, your present score, groups"):
        if choice.task == "binary":
            changes |= _ask_threshold(plan, key)
            changes["score"] = _ask_score(table, plan, key)
        _ask_published(choice, key)
        usual = usual_columns(table)
        pickable = [each.name for each in table.columns if each.kind in ("number", "category", "yes_no")
                    and each.name not in (choice.target, choice.patient, *usual)]
        changes["subgroups"] = st.multiselect("Show the figures by these columns too", pickable,
                                              [each for each in plan.subgroups if each in pickable],
                                              key=f"{key}_groups", placeholder="None")
        if usual:
            ui.note(f"By {', '.join(usual)} they are shown anyway.")
    return plan.model_copy(update=changes)


def _ask_threshold(plan: UsePlan, key: str) -> dict[str, object]:
    left, right = st.columns([3, 2], gap="large", vertical_alignment="bottom")
    with left:
        rule = st.segmented_control("Who is called “yes”", list(RULES), default=plan.rule, required=True,
                                    format_func=RULES.get, key=f"{key}_rule")
    changes: dict[str, object] = {"rule": rule}
    with right:
        if rule == "sensitivity":
            changes["sensitivity"] = st.number_input("Per cent of those with the outcome", 50, 100,
                                                     round(100 * plan.sensitivity), 1, key=f"{key}_wanted") / 100
        elif rule == "cost":
            changes["cost"] = st.number_input("False alarms that weigh as much as one miss", 0.1, 1000.0, plan.cost,
                                              0.5, format="%g", key=f"{key}_cost")
    stated = st.toggle("State the risks between which one would act", plan.low is not None, key=f"{key}_stated",
                       help="Net benefit is compared there. Otherwise from half the share of cases to twice that.")
    low, high = 100 * (plan.low or 0.1), 100 * (plan.high or 0.4)
    if not stated:
        return changes | {"low": None, "high": None}
    low, high = st.slider("Risks between which one would act, per cent", 1, 99, (round(low), round(high)),
                          key=f"{key}_range")
    return changes | {"low": low / 100, "high": high / 100}


def _ask_score(table: Table, plan: UsePlan, key: str) -> str:
    """The score in use today; one that cannot be read is not taken, and says why."""
    text = st.text_input("The score that you use today, as a column or a formula of columns", plan.score,
                         key=f"{key}_score", max_chars=formula.LONGEST, placeholder="None", help=formula.HELP)
    try:
        formula.columns_of(text, [each.name for each in table.columns])
    except UserError as wrong:
        ui.say("caution", wrong.what, wrong.fix)
        return ""
    return text.strip()
