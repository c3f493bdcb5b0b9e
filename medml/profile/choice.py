"""What to learn from which table: the proposals of a scan and the clinician's own picks, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from medml.data.images.columns import PICTURE
from medml.errors import UserError
from medml.profile.folder import no_table
from medml.profile.outcomes import MOST_CLASSES
from medml.profile.proposals import UNUSABLE
from medml.types import Choice, Column, PictureFacts, PicturePlan, Profile, Table, TableRef, Task

ABOVE_ZERO = ">0"
MANY_PICTURES = 20  # from here on pictures are what a folder is about: their table is proposed first
SMALLEST, THUMBNAIL, USUAL = 16, 64, 128  # pixels a side
SAYS_YES = {"yes", "y", "true", "t", "1", "positive", "pos", "present", "dead", "died", "die", "death", "deceased",
            "malignant", "m", "disease", "case", "sick", "ckd", "ja", "oui", "abnormal", "recurrence"}
SAYS_NO = {"no", "n", "false", "f", "0", "negative", "neg", "absent", "alive", "live", "survived", "benign", "healthy",
           "normal", "control", "notckd", "nein", "non"}


def propose_choice(profile: Profile, *, table: TableRef | str | None = None, target: str | None = None,
                   patient: str | None = None, leave_out: Sequence[str] = (), positive: str | None = None,
                   pictures: PicturePlan | None = None) -> Choice:
    """A complete, checked choice; whatever is not given is taken from the scan's proposals.

    table      a reference, a path or "path · sheet"; needed where the scan read several tables, unless the first of
               them is of many pictures
    patient    "" for "nobody comes back"; None takes the scan's proposal
    leave_out  besides these, identifiers and empty or constant columns are left out; columns that may give the outcome
               away are the clinician's decision and stay in unless they are listed here
    positive   which class counts as "yes": a label, or ">0" for any number above 0 (see Choice)
    pictures   how to bring pictures to one size, for a table of pictures: every other column is then left out
    raises     UserError where a column is gone, an outcome cannot be learned, or nothing tells what to take
    """
    chosen = choose_table(profile, table)
    outcome = find(chosen, target) if target else proposed_target(chosen)
    task = task_of(outcome)
    if positive is not None:
        check_positive(outcome, positive)
        task = "binary"
    elif task == "binary":
        positive = positive_class(outcome)
    person = proposed_patient(chosen, outcome.name) if patient is None else patient or None
    if person is not None:
        find(chosen, person)
    if outcome.name == PICTURE and chosen.pictures is not None:
        raise UserError(what="The pictures themselves cannot be the outcome.", code="not_an_outcome",
                        fix="Choose the column that says what they show.")
    out = [find(chosen, name).name for name in leave_out]
    if outcome.name in out or outcome.name == person:
        raise UserError(what=f"Column {outcome.name} cannot be the outcome and something else at once.",
                        fix="Choose another outcome, or take it off the other list.", code="target_twice")
    if chosen.pictures is not None:
        plan = pictures or propose_plan(chosen.pictures)
        alone = [each.name for each in chosen.columns if each.name not in (plan.column, outcome.name, person)]
        return Choice(table=chosen.ref, target=outcome.name, task=task, positive=positive, patient=person,
                      leave_out=alone, pictures=plan)
    out += [each.name for each in chosen.columns if unusable(each) and each.name not in (outcome.name, person, *out)]
    left = len(chosen.columns) - len(set(out) | {outcome.name, person} - {None})
    if left < 1:
        raise UserError(what="No column is left to predict with.", fix="Leave out fewer columns.", code="no_predictors")
    return Choice(table=chosen.ref, target=outcome.name, task=task, positive=positive, patient=person, leave_out=out)


def propose_plan(facts: PictureFacts) -> PicturePlan:
    """Thumbnails at their own size, everything else at one that a CPU learns from in minutes."""
    return PicturePlan(size=max(SMALLEST, facts.side[1]) if facts.side[2] <= THUMBNAIL else USUAL)


def task_of(column: Column) -> Task:
    """What kind of question an outcome asks: two classes, several classes, or a number.

    raises  UserError where a column cannot be an outcome: one value, free text, identifiers, dates, too many classes
    """
    refuse_outcome(column)
    if column.kind == "number":
        return "binary" if column.distinct == 2 else "regression"
    return "binary" if column.distinct == 2 or column.kind == "yes_no" else "multiclass"


def refuse_outcome(column: Column) -> None:
    if column.distinct == 0:
        raise UserError(what=f"Column {column.name} is empty, so there is nothing to learn.",
                        fix="Choose another outcome.", code="one_class")
    if column.distinct == 1 or column.kind == "yes_no" and len(column.levels) == 1 and not column.hidden_levels:
        value = f" {column.levels[0].label}" if column.levels else " one and the same value"
        every = "Every row has" if not column.missing else "Every row with a value has"
        raise UserError(what=f"{every} {column.name}{value}, so there is nothing to learn.",
                        fix="Choose another outcome, or add rows with the other result.", code="one_class")
    words = {"text": "free text", "identifier": "a name or number of its own for each row", "date": "dates"}
    if column.kind in words:
        raise UserError(what=f"Column {column.name} holds {words[column.kind]}, which cannot be predicted.",
                        fix="Choose an outcome with few values, or a number.", code="not_an_outcome")
    if column.kind == "category" and column.distinct > MOST_CLASSES:
        raise UserError(what=f"Column {column.name} has {column.distinct:,} different values, too many for an outcome.",
                        fix=f"Choose an outcome with at most {MOST_CLASSES} values, or group them in the file.",
                        code="too_many_classes")


def choose_table(profile: Profile, wanted: TableRef | str | None) -> Table:
    """The table meant; the only one, where none is named."""
    if not profile.tables:
        raise no_table(profile.files)
    if wanted is None:
        first = profile.tables[0]
        if len(profile.tables) > 1 and not is_about_pictures(profile):
            names = ", ".join(each.ref.label for each in profile.tables[:5])
            raise UserError(what=f"There are {len(profile.tables)} tables: {names}{', …' * (len(profile.tables) > 5)}.",
                            fix="Choose one of them.", code="several_tables")
        return first
    by_name = [each for each in profile.tables if wanted in (each.ref, each.ref.label)]
    by_path = [each for each in profile.tables if wanted == each.ref.path]  # a file may be two: a table, and labels
    if by_name or by_path:
        return (by_name or by_path)[0]
    label = wanted if isinstance(wanted, str) else wanted.label
    raise UserError(what=f"The scan read no table called {label}.", fix="Scan the folder again, or choose another.",
                    code="table_gone")


def is_about_pictures(profile: Profile) -> bool:
    """Whether many pictures make the first table the one that is meant, whatever other tables lie beside them."""
    first = profile.tables[0]
    return first.pictures is not None and first.rows >= MANY_PICTURES


def find(table: Table, name: str) -> Column:
    """The column of that name, or a UserError that names close ones."""
    try:
        return table.column(name)
    except KeyError:
        names = {each.name.lower(): each.name for each in table.columns}
        close = get_close_matches(name.strip().lower(), names, n=1, cutoff=0.8)
        fix = f"Did you mean {names[close[0]]}?" if close else "Choose one of the columns that the scan lists."
        raise UserError(what=f"Table {table.ref.label} has no column {name}.", fix=fix, code="column_gone") from None


def proposed_target(table: Table) -> Column:
    if not table.targets:
        alone = next((each for each in table.columns if any(s.code == "one_class" for s in each.suspicions)), None)
        if alone is not None:
            refuse_outcome(alone)
        raise UserError(what="No column looks like an outcome.", fix="Choose the column that you want to predict.",
                        code="no_target")
    return table.column(table.targets[0].column)


def proposed_patient(table: Table, target: str) -> str | None:
    return table.patient.column if table.patient is not None and table.patient.column != target else None


def unusable(column: Column) -> bool:
    """True for a column that can predict nothing: an identifier, or one value at most."""
    return column.kind in ("identifier", "empty") or any(each.code in UNUSABLE for each in column.suspicions)


def check_positive(column: Column, positive: str) -> None:
    """Refuse a class that the outcome does not have. Classes too small to name are not refused here."""
    labels = [each.label for each in column.levels]
    if positive == ABOVE_ZERO:
        graded = column.kind == "number" or all(is_number(each) for each in labels)
        if not graded or column.kind == "number" and column.low is not None and column.low > 0:
            raise UserError(what=f"\"Above 0\" needs an outcome of numbers, which {column.name} is not.",
                            fix="Choose one of its classes as \"yes\".", code="no_such_class")
        return
    if positive not in labels and not column.hidden_levels:
        raise UserError(what=f"Outcome {column.name} has no class {positive}.",
                        fix=f"Choose one of {', '.join(labels)}." if labels else "Choose another outcome.",
                        code="no_such_class")


def positive_class(column: Column) -> str | None:
    """The class that counts as "yes": the one that says so, else the rarer one; None where neither can be named."""
    return yes_class({each.label: each.n for each in column.levels})


def yes_class(counts: Mapping[str, int]) -> str | None:
    """Of {class: rows} the one whose name says yes, else the only one whose name does not say no, else the rarer one;
    None where the only one there says no."""
    for label in counts:
        if label.strip().lower() in SAYS_YES:
            return label
    rest = [label for label in counts if label.strip().lower() not in SAYS_NO]
    if len(rest) == 1:
        return rest[0]
    return min(counts, key=lambda label: (counts[label], label)) if len(counts) > 1 else None


def is_number(label: str) -> bool:
    try:
        float(label)
    except ValueError:
        return False
    return True
