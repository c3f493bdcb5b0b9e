"""Profile and choice -> a recipe, each step with its reason."""

from __future__ import annotations

from medml.types import SMALL_GROUP, Choice, Column, PictureFacts, Recipe, Step, Table

MOSTLY_MISSING = 0.95  # a column with a larger share of empty cells is left out; above 40 % a check asks about it
MANY_COPIES = 0.05  # share of rows equal to an earlier one above which they may be patients with coarse values
NEARLY_ALL = 0.9  # share of pictures of one modality above which the others are strays
HABIT = 0.1  # share of rows with too few fields above which it is how the file is written
UNUSABLE = {"identifier": "an identifier", "text": "free text", "date": "a raw date", "empty": "empty"}


def propose_recipe(table: Table, choice: Choice, profile_sha256: str) -> Recipe:
    """Every cleanup step in its order, with the settings that the scan suggests and a reason in figures.

    The order matters: copies are found in the rows as they stand in the file, codes for missing are emptied before
    numbers are read, and what learns (limits, fillings, rare categories) comes last, on clean cells.
    """
    if table.pictures is not None:
        return Recipe(profile_sha256=profile_sha256, steps=_for_pictures(table, table.pictures, choice))
    short = _short_rows(table)
    several = [_join_classes(table, choice), _rare_classes(table, choice)] if choice.task == "multiclass" else []
    return Recipe(profile_sha256=profile_sha256, steps=[
        *([short] if short else []), _duplicates(table, choice), _sentinels(table, choice),
        _text_numbers(table, choice), _target_missing(table, choice), *several, _drop_columns(table, choice),
        _cap(table, choice), _impute(table, choice), _merge(table, choice)])


def _for_pictures(table: Table, facts: PictureFacts, choice: Choice) -> list[Step]:
    """Pictures: only whole rows are left out; nothing is filled or capped, for no column is learned from."""
    several = [_join_classes(table, choice), _rare_classes(table, choice)] if choice.task == "multiclass" else []
    return [_picture_copies(facts), _odd_modality(facts), _damaged_pictures(facts), _target_missing(table, choice),
            *several]


def predictors(table: Table, choice: Choice) -> list[Column]:
    """Columns that may be learned from, before the recipe leaves any out."""
    out = {choice.target, choice.patient, *choice.leave_out}
    return [column for column in table.columns if column.name not in out]


def usable(table: Table, choice: Choice) -> list[Column]:
    """Those that are left when the step for unusable columns has been."""
    return [column for column in predictors(table, choice) if not unusable(column, table.rows)]


def unusable(column: Column, rows: int) -> str | None:
    """Why a model cannot learn from this column, in a few words; None if it can."""
    if column.kind in UNUSABLE:
        return UNUSABLE[column.kind]
    if rows and column.missing / rows > MOSTLY_MISSING:
        return f"{100 * column.missing / rows:.0f} % missing"
    codes = {suspicion.code for suspicion in column.suspicions}
    if "constant" in codes or column.distinct <= 1:
        return "one single value"
    return "an identifier" if "identifier" in codes else None


def _short_rows(table: Table) -> Step | None:
    """Where the file has such rows. Off where they are many and their values fit: it then leaves empty ends away."""
    said = next((each for column in table.columns for each in column.suspicions if each.code == "short_rows"), None)
    if said is None:
        return None
    n, shifted = int(said.figures["rows"]), int(said.figures["shifted"])
    first = f"{n:,} of {table.rows:,} rows have too few fields"
    if n > HABIT * table.rows and not shifted or n > table.rows / 2:
        return Step(name="short_rows", on=False, reason=f"{first}: so many that the file seems to leave empty cells at "
                                                        "the end of a row away. Check in the file that this is so.")
    why = "their values seem to stand in the wrong columns" if shifted else "nobody can tell which field is missing"
    return Step(name="short_rows", reason=f"{first}: {why}. Mend them in the file to use them.")


def _duplicates(table: Table, choice: Choice) -> Step:
    """On, unless many rows are equal and nothing tells whether they are one patient or several with coarse values."""
    share = table.duplicates / table.rows if table.rows else 0.0
    told_apart = choice.patient is not None or any(column.kind == "identifier" for column in table.columns)
    equal = f"{table.duplicates:,} of {table.rows:,} rows equal an earlier row"
    if share > MANY_COPIES and table.duplicates >= SMALL_GROUP and not told_apart:
        return Step(name="exact_duplicates", on=False, reason=(
            f"{equal} ({share:.0%}), and no column says which patient a row belongs to. They may be different patients "
            "with the same rounded values, so they are kept; equal rows stay on the same side of every split. Switch "
            "this on if the file holds copies by mistake."))
    reason = (f"{equal}; a copy on both sides of a split would let the model look up the answer." if table.duplicates
              else "No row equals an earlier one; the step stays on in case the file grows.")
    return Step(name="exact_duplicates", reason=reason)


def _sentinels(table: Table, choice: Choice) -> Step:
    found = {column.name: list(column.sentinels) for column in table.columns
             if column.sentinels and column.name not in choice.leave_out}
    emptied = {*found, *(column.name for column in table.columns if _holds_a_word(column))}
    reason = (f"{_columns(len(emptied))} with a code that stands for missing; read as a measurement it would mislead "
              "the model." if emptied else "The scan found no code that stands for missing.")
    return Step(name="sentinels", params={"columns": found}, reason=reason)


def _text_numbers(table: Table, choice: Choice) -> Step:
    numbers = [column for column in table.columns if column.kind == "number" and column.name not in choice.leave_out]
    commas = [column.name for column in numbers if "decimal_comma" in {each.code for each in column.suspicions}]
    return Step(name="text_numbers", params={"decimal_comma": commas} if commas else {},
                reason=f"{_columns(len(numbers))} with numbers; limits such as \"<5\", thousands, decimal commas and "
                       "units in their cells are read as numbers.")


def _picture_copies(facts: PictureFacts) -> Step:
    near = "" if not facts.near else (f" {facts.near:,} nearly equal an earlier one; these stay, on one side of "
                                      "every split unless they tie too many patients together.")
    torn = f" ({facts.copies_across:,} of them in another class)" if facts.copies_across else ""
    same = f"{facts.copies:,} of {facts.n:,} pictures equal an earlier one{torn}"
    if facts.own_split:
        return Step(name="picture_copies", on=False, reason=f"{same if facts.copies else 'No picture equals another'}. "
                    "The pictures came with a split of their own, which is never changed, so every one stays; a check "
                    "counts copies on both sides of it.")
    reason = (f"{same}; a copy on both sides of a split would let the model look up the answer. Those whose files are "
              "equal too are left out; the others stay on one side." if facts.copies else
              "No picture equals an earlier one; the step stays on in case the folder grows.")
    return Step(name="picture_copies", reason=reason + near)


def _odd_modality(facts: PictureFacts) -> Step:
    told = facts.by.get("modality", {})
    if not told:
        return Step(name="odd_modality", reason="These pictures do not say from what kind of machine they come.")
    if not facts.modalities:
        return Step(name="odd_modality", params={"share": NEARLY_ALL}, reason="Of so few patients the modalities are "
                    "not named. Where nearly all pictures are of one, the others are left out.")
    most, n = max(told.items(), key=lambda each: each[1])
    others = sum(told.values()) - n
    if most == "other" or n <= NEARLY_ALL * (n + others):
        return Step(name="odd_modality", on=False, reason="The pictures are of several modalities, none of them nearly "
                    "all. Ask whether they belong into one model.")
    reason = (f"{others:,} of {n + others:,} pictures are no {most}: a stray export rather than a finding." if others
              else f"All pictures that say it are {most}; the step stays on in case the folder grows.")
    return Step(name="odd_modality", params={"share": NEARLY_ALL}, reason=reason)


def _damaged_pictures(facts: PictureFacts) -> Step:
    reason = (f"{facts.damaged:,} of {facts.n:,} pictures could not be decoded." if facts.damaged else
              f"{facts.unread:,} cut off or damaged {'file is' if facts.unread == 1 else 'files are'} in no row; of "
              "the others every one that the scan looked at could be decoded." if facts.unread else
              "Every picture that the scan looked at could be decoded; one that cannot be read later is left out too.")
    return Step(name="damaged_pictures", reason=reason)


def _target_missing(table: Table, choice: Choice) -> Step:
    column = table.column(choice.target)
    missing = column.missing + words_among(column)
    reason = (f"{missing:,} of {table.rows:,} rows have no outcome; nothing can be learned from them." if missing else
              "Every row has an outcome.")
    return Step(name="target_missing", reason=reason)


def _join_classes(table: Table, choice: Choice) -> Step:
    return Step(name="join_classes", params={"classes": {}}, reason=(
        f"“{choice.target}” has {table.column(choice.target).distinct} classes. Join those that need not be told "
        "apart: fewer classes need fewer patients."))


def _rare_classes(table: Table, choice: Choice) -> Step:
    """By the scan's counts. Of hidden classes one or more has fewer than k rows: another may be hidden beside it."""
    column = table.column(choice.target)
    shown = [level.n for level in column.levels if level.n < SMALL_GROUP]
    if shown:
        those = f"{len(shown)} of its {column.distinct} classes {'has' if len(shown) == 1 else 'have'}"
        reason = f"{those} fewer than {SMALL_GROUP} rows ({sum(shown):,} of {table.rows:,} in all)"
    elif column.hidden_levels:
        reason = f"At least one of its {column.distinct} classes has fewer than {SMALL_GROUP} rows"
    else:
        return Step(name="rare_classes", reason="No class is rare; the step stays on in case other steps leave out "
                                                "many of its rows.")
    return Step(name="rare_classes", reason=reason + ": nothing can be learned from so few, and without this step the "
                                                     "training is refused.")


def _drop_columns(table: Table, choice: Choice) -> Step:
    why = {column.name: unusable(column, table.rows) for column in predictors(table, choice)}
    gone = {name: reason for name, reason in why.items() if reason}
    reason = ("; ".join(f"{name}: {short}" for name, short in gone.items()) + "." if gone
              else "Every column can be used.")
    return Step(name="drop_columns", params={"columns": list(gone)}, reason=reason)


def _cap(table: Table, choice: Choice) -> Step:
    n = sum(column.kind == "number" for column in usable(table, choice))
    return Step(name="cap_outliers", params={"fence": 3.0}, on=n > 0,
                reason=f"{_columns(n)} with numbers; a typing error far outside the usual range would steer the "
                       "model. The limits are learned from training rows only.")


def _impute(table: Table, choice: Choice) -> Step:
    holes = [column for column in usable(table, choice)
             if column.missing or column.sentinels or words_among(column)]
    reason = (f"{_columns(len(holes))} with missing cells; no row is lost because of them. Medians and most frequent "
              "categories are learned from training rows only." if holes else
              "No cell is missing in this table, but a later patient's may be.")
    return Step(name="impute", params={"category": "own", "indicator": True}, reason=reason)


def _merge(table: Table, choice: Choice) -> Step:
    rare = [column for column in usable(table, choice)
            if column.kind in ("category", "yes_no") and (column.hidden_levels or len(column.levels) > 30)]
    reason = (f"{_columns(len(rare))} with categories of fewer than 10 rows; nothing reliable can be learned from a "
              "handful of patients." if rare else "No category is rare in the whole table, but one may be in a fold.")
    return Step(name="merge_rare", params={"min_rows": 10, "max_levels": 30}, reason=reason)


def _holds_a_word(column: Column) -> bool:
    """Words for missing are emptied wherever they stand, in columns that are left out too."""
    from medml.data.values import MISSING_WORDS

    return any(each.strip().lower() in MISSING_WORDS for each in column.sentinels)


def words_among(column: Column) -> int:
    """Cells of a column of numbers or dates that are neither, and so count as missing."""
    return int(sum(each.figures.get("rows", 0) for each in column.suspicions if each.code == "mixed_types"))


def _columns(n: int) -> str:
    return f"{n:,} column" if n == 1 else f"{n:,} columns"
