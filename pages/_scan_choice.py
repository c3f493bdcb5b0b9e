"""What the clinician picks after a scan: table, outcome, patient, columns to leave out. Proposals and their reasons."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from medml.types import Choice, Column, Profile, Proposal, Table
from pages import _ui as ui

DRAWN = "m_choice_drawn"  # what the form on the screen was drawn with; nothing where one of its answers has changed
NOBODY = "Every row is another patient"
ABOVE_ZERO = ">0"


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands in the form now."""

    target: str | None
    positive: str | None
    patient: str | None
    leave_out: list[str]

    def settled(self, profile: Profile, table: Table) -> Choice:
        """The choice as the next stages read it. UserError where nothing could be learned from it."""
        from medml.profile import propose_choice

        return propose_choice(profile, table=table.ref, target=self.target, patient=self.patient or "",
                              leave_out=tuple(self.leave_out), positive=self.positive)


def pick_table(profile: Profile, old: Choice | None) -> Table:
    """The one table, or the one chosen of several."""
    from medml.profile.folder import JOIN, in_common

    if len(profile.tables) == 1:
        return profile.tables[0]
    before = next((at for at, each in enumerate(profile.tables) if old and each.ref == old.table),
                  likely_table(profile))
    with st.container(key="m_card_table"):
        ui.heading("Which table?", f"{len(profile.tables):,} tables were read. One model learns from one of them.")
        if shared := in_common(profile):
            ui.say("note", shared, JOIN)
        at = st.selectbox("Table", range(len(profile.tables)), before, label_visibility="collapsed", key="m_table",
                          on_change=changed, format_func=lambda each: _table_words(profile.tables[each]))
    return profile.tables[at]


def changed() -> None:
    """An answer was changed on the screen: what stands in the form is known once it is drawn again."""
    st.session_state.pop(DRAWN, None)


def as_drawn(project: str, profile: Profile) -> tuple[Table, Asked] | None:
    """What stands in the form of this project and scan without drawing it, where nothing was changed since."""
    drawn = st.session_state.get(DRAWN)
    if drawn is None or drawn[:2] != (project, profile.made):
        return None
    return next(((each, drawn[3]) for each in profile.tables if each.ref == drawn[2]), None)


def likely_table(profile: Profile) -> int:
    """The place of the table to propose: many pictures come first, as on the command line, else the largest with an
    outcome."""
    from medml.profile.choice import is_about_pictures

    if is_about_pictures(profile):
        return 0
    return max(range(len(profile.tables)), key=lambda at: (bool(profile.tables[at].targets), profile.tables[at].rows))


def _table_words(table: Table) -> str:
    return f"{ui.clean(table.ref.label, 90)}  ({ui.count(table.rows, 'row')}, {ui.count(len(table.columns), 'column')})"


def ask(project: str, profile: Profile, table: Table, old: Choice | None) -> Asked:
    """The card with the three questions, filled in with what was chosen before, else with what MedML proposes."""
    kept = old if old is not None and old.table == table.ref else None
    mark = f"{profile.made}_{table.ref.label}"  # another scan or table starts the form afresh
    with st.container(key="m_card_choice"):
        ui.heading("What should the model learn?", "MedML has filled in what it would choose. Change what is wrong.")
        left, right = st.columns(2, gap="large")
        with left:
            target = _target(table, kept, mark)
            positive = _positive(table, target, kept, mark)
        with right:
            patient = _patient(table, target, kept, mark)
        if table.pictures is not None:
            leave_out: list[str] = []
            ui.note("A model of pictures learns from the pixels alone; nothing else in the table is shown to it.")
        else:
            leave_out = _leave_out(table, [target, patient], kept, mark)
    asked = Asked(target, positive, patient, leave_out)
    st.session_state[DRAWN] = project, profile.made, table.ref, asked
    return asked


def _target(table: Table, kept: Choice | None, mark: str) -> str | None:
    from medml.profile.outcomes import balance

    proposed = [each.column for each in table.targets]
    others = [each.name for each in table.columns if each.name not in proposed and each.kind not in ("empty", "text")]
    names = proposed + others
    first = kept.target if kept else (proposed[0] if proposed else None)
    chosen = st.selectbox("Outcome to predict", names, names.index(first) if first in names else None,
                          placeholder="Choose a column", key=f"m_target_{mark}", format_func=ui.clean,
                          on_change=changed)
    _reason(table.targets, chosen, "Chosen by you.")
    if chosen is not None and (shares := balance(table.column(chosen))):
        ui.note(shares.replace(" %", "\u00a0%") + ".")
    return chosen


def _positive(table: Table, target: str | None, kept: Choice | None, mark: str) -> str | None:
    """Which answer counts as the event; of grades from 0 up, whether they are told apart or asked to be above 0."""
    if target is None:
        return None
    column = table.column(target)
    readings = _readings(column)
    if len(readings) < 2:
        return kept.positive if kept and kept.target == target else None
    likely = kept.positive if kept and kept.target == target else _likely(table, column)
    names = list(readings)
    return st.selectbox("Which answer is the event?" if column.distinct == 2 else "What counts as the outcome?", names,
                        names.index(likely) if likely in names else 0, key=f"m_positive_{mark}_{target}",
                        on_change=changed, format_func=readings.get,
                        help="Sensitivity is the share of the events that the model finds.")


def _readings(column: Column) -> dict[str | None, str]:
    """The ways in which an outcome can be asked: {positive of Choice: words}."""
    labels = [each.label for each in column.levels]
    if column.distinct == 2 and len(labels) == 2:
        return {each: ui.clean(each) for each in labels}
    graded = any(each.code == "graded_outcome" for each in column.suspicions)
    if not graded:
        return {}
    apart = "The number itself" if column.kind == "number" else f"Each of its {column.distinct:,} grades"
    return {ABOVE_ZERO: "Yes or no: anything above 0 is yes", None: apart}


def _likely(table: Table, column: Column) -> str | None:
    """The reading that is offered first; the numbers of an archive of arrays are codes of classes, no grades."""
    from medml.profile.choice import positive_class

    if column.distinct == 2:
        return positive_class(column)
    return None if table.pictures is not None and "npz" in table.pictures.by.get("kind", {}) else ABOVE_ZERO


def _patient(table: Table, target: str | None, kept: Choice | None, mark: str) -> str | None:
    names = [NOBODY, *(each.name for each in table.columns if each.name != target)]
    first = (kept.patient if kept else table.patient.column if table.patient else None) or NOBODY
    chosen = st.selectbox("Column that says which patient a row belongs to", names,
                          names.index(first) if first in names else 0, key=f"m_patient_{mark}", format_func=ui.clean,
                          on_change=changed)
    if chosen == NOBODY:
        ui.note("Rows are split at random. If a patient can come twice, choose the column that says so.")
        return None
    _reason([table.patient] if table.patient else [], chosen, "No patient is ever on both sides of a split.")
    return chosen


def _leave_out(table: Table, taken: list[str | None], kept: Choice | None, mark: str) -> list[str]:
    from medml.profile import by_reason, left_out

    proposed = left_out(table, *taken)
    why = [each.column for each in proposed]
    names = [each.name for each in table.columns if each.name not in taken]
    first = kept.leave_out if kept and kept.target == taken[0] else why
    chosen = st.multiselect("Columns to leave out", names, [each for each in first if each in names],
                            key=f"m_out_{mark}_{'_'.join(map(str, taken))}", format_func=ui.clean, on_change=changed,
                            placeholder="None: the model may use every column")
    rows = by_reason([each for each in proposed if each.column in chosen])
    if rows:
        ui.reasons(rows)
    return chosen


def _reason(proposals: list[Proposal], chosen: str | None, otherwise: str) -> None:
    found = next((each.reason for each in proposals if each.column == chosen), None)
    ui.note(f"Proposed: {found}" if found else otherwise if chosen else "")
