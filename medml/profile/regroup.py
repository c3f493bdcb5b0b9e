"""Small groups counted once more, by the patients of a column that nobody foresaw would be picked as the patient's."""

from __future__ import annotations

from pathlib import Path

from medml.data import open_table
from medml.profile.proposals import who_may_come_back
from medml.profile.scan import scan_table
from medml.types import Choice, Profile
from medml.watch import Watch


def is_foreseen(profile: Profile, choice: Choice) -> bool:
    """Whether small groups are hidden by the patients of the column that was picked, or nobody comes back."""
    table = profile.table(choice.table)
    by = {*table.grouped_by, *who_may_come_back(table.columns, table.patient, profile.k)}
    return choice.patient is None or table.pictures is not None or choice.patient in by


def regrouped(profile: Profile, choice: Choice, *, watch: Watch | None = None) -> Profile:
    """The profile as it may be stored with this choice: where the pick was not foreseen its table is read again.

    raises  UserError where the file is gone or can no longer be read; Stopped when the watch asks for it
    """
    if is_foreseen(profile, choice):
        return profile
    source = open_table(Path(profile.source), choice.table)
    table = scan_table(source, watch=watch, k=profile.k, patient=choice.patient)
    return profile.model_copy(update={"tables": [table if each.ref == choice.table else each
                                                 for each in profile.tables]})
