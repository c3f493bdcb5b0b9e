"""The one place where the checks of RIGOUR.md are named: all ids with their titles, in the order they are shown."""

from __future__ import annotations

from collections.abc import Sequence

from medml.measured import Check, External, Metric, Verdict
from medml.types import SMALL_GROUP

TITLES: dict[str, str] = {
    "L1": "Split by patient", "L2": "No patient on both sides", "L3": "No copies across the split",
    "L4": "No single column gives the answer away", "L5": "No identifier among the predictors",
    "L6": "Nothing that is known only afterwards", "L7": "Cleaning learned inside the fold",
    "L8": "Selection inside the fold", "L9": "Resampling inside the fold", "L10": "The held-out part stays closed",
    "L11": "Not too good to be true", "L12": "Shuffled labels teach nothing", "L13": "No phrase gives the label away",
    "L14": "No shortcut around the picture", "N1": "Enough patients for so many parameters",
    "N2": "Events per parameter", "N3": "Enough patients to judge by", "N4": "Enough cases of every class",
    "M1": "Missing values", "M2": "No patient dropped unseen", "M3": "The flow of patients adds up",
    "M4": "No number cut in two", "E1": "Rare outcome", "E2": "An interval beside every figure",
    "E3": "Winner's curse", "E4": "Calibration", "E5": "Net benefit", "E6": "Where the threshold comes from",
    "E7": "Compared with plain baselines", "E8": "Optimism", "F1": "Subgroups", "X1": "Data from elsewhere",
    "P1": "Abstains where it cannot know", "G1": "Can be made again", "G2": "Exported model gives the same answers",
    "G3": "The heatmap depends on the model"}
VERDICTS: dict[Verdict, str] = {"block": "Stop", "warn": "Look at this", "could_not_tell": "Could not tell",
                                "info": "To know", "pass": "In order"}  # the most pressing first
INTERNAL = "internally validated only"  # the stamp of a run that was judged on its own data alone (X1)
COPIES = 0.05  # share of rows that equal the run's own, above which data is not from elsewhere
ALIKE = 0.6  # upper limit of the AUROC of telling two tables apart, under which they may be parts of one
STATE = ("If they are patients of another place or a later time, judge them again and say so (“I know that these are "
         "other patients”).")
FEW = 30  # cases below which a check says "could not tell" instead of guessing


def found(check: str, verdict: Verdict, what: str, fix: str = "", **figures: float) -> Check:
    """What one check found: a plain sentence with figures, and the one thing to do about it.

    raises  ValueError where something is wrong and no action is named (a programming error)
    """
    if verdict in ("warn", "block") and not fix:
        raise ValueError(f"{check} says {verdict} and must say what to do")
    return Check(id=check, title=TITLES[check], verdict=verdict, what=what, fix=fix,
                 figures={name: round(float(value), 6) for name, value in figures.items()})


def looks_check(looks: int, *, kept_closed: bool = True, plan_changed: bool = False) -> Check:
    """L10: how often the held-out part has been opened, all runs on the same split together.

    plan_changed  what it was opened for is not what was written down before
    """
    if plan_changed:
        return found("L10", "warn", "The plan that the held-out part was opened for was changed after it had been "
                                    "written down.", "Judge the final model on new patients.", looks=looks)
    if not kept_closed:
        return found("L10", "pass", "No part was held out: every case was judged by a model that had not seen it "
                                    "(cross-validation).", looks=looks)
    if looks == 0:
        return found("L10", "pass", "The held-out part is closed: nobody has looked at it yet.", looks=0)
    if looks == 1:
        return found("L10", "pass", "The held-out part was opened once.", looks=1)
    return found("L10", "warn", f"The held-out part was opened {looks} times: treat it as validation.",
                 "Report that it was opened more than once, and judge the final model on new patients.", looks=looks)


def external_check(validations: Sequence[External]) -> Check:
    """X1: whether the model was judged on data that it does not come from, at its current checkpoint."""
    if not validations:
        return found("X1", "info", "Judged on its own data alone, and on none from elsewhere yet.", n=0)
    stated = {each.data_sha256 for each in validations if each.stated}  # an answer to what was asked of it before
    validations = [each for each in validations if each.stated or each.data_sha256 not in stated]
    copies = counted(validations[-1], "n_copies")
    if copies:
        return found("X1", "warn", f"{copies[:1].upper()}{copies[1:]} of the outside data equal a row that the model "
                                   "was made from.", "Leave these rows out, or validate on other patients.",
                     n=len(validations), copies=validations[-1].n_copies or 0)
    doubted = doubts(validations[-1])
    if doubted and not validations[-1].stated:
        return found("X1", "warn", f"It is not sure that the outside data is of other patients: {'; '.join(doubted)}.",
                     STATE, n=len(validations))
    told = [each for each in validations if _says_enough(each)]
    few = [each for each in validations if _headline_of(each) is not None]
    if few and not told:
        patients = many(few[-1].n_patients, "patient")
        return found("X1", "could_not_tell", f"Judged on data from elsewhere, but on {patients} alone: too few to say "
                                             "how the model does there.", f"Judge it on {FEW} patients or more.",
                     n=len(validations), cases=few[-1].n_cases)
    if not told:
        return found("X1", "could_not_tell", "Judged on data from elsewhere, on too few cases to tell a figure.",
                     n=len(validations))
    newest, figure = told[-1], _headline_of(told[-1])
    said = f": {figure.value:.3f} ({figure.between()})"
    if doubts(newest):
        said += f"; that these are other patients is the word of {whose_word(newest)}, MedML is in doubt"
    if newest.n_copies is None:
        said += "; nobody could compare its rows with the run's own"
    n = max(1, sum(map(from_elsewhere, validations)))
    return found("X1", "pass", f"Judged on data from elsewhere {many(n, 'time')}; the last one on "
                               f"{many(newest.n_cases, 'case')}{said}.", n=n, cases=newest.n_cases)


def from_elsewhere(validation: External) -> bool:
    """Whether a validation says how the model does on other patients: its headline figure could be told of 30 or more,
    at most 1 row in 20 equals one of the run's own (in small tables a few do by chance), and nothing else speaks for
    the same source, or somebody has stated that these are other patients."""
    return _says_enough(validation) and not _mostly_copies(validation) and (
        validation.stated or not doubts(validation))


def too_few(validation: External) -> bool:
    """Whether nothing but its size keeps a validation from counting as one on other patients."""
    return not _says_enough(validation) and not _mostly_copies(validation) and (
        validation.stated or not doubts(validation))


def stamp_of(validations: Sequence[External]) -> str | None:
    """What is said of a run wherever it is shown: INTERNAL; nothing, where one validation is of other patients without
    a doubt; and where somebody's word alone says so, whose it is."""
    good = [each for each in validations if from_elsewhere(each)]
    if not good:
        return INTERNAL
    return None if any(not doubts(each) for each in good) else \
        f"on other patients by the word of {whose_word(good[-1])}, which MedML could not confirm"


def whose_word(validation: External) -> str:
    """Who stated that these are other patients, and when."""
    return f"{validation.stated_by or 'somebody'} on {validation.made[:10]}"


def in_words_stated(validation: External) -> str:
    """The sentence beside the doubts that a statement answers."""
    return (f"That these are other patients is the word of {whose_word(validation)}; it stands wherever this run is "
            "shown.")


def left_out(validation: External) -> str:
    """How many of its rows were not judged, and which."""
    return (f"{counted(validation, 'n_left_out')} there, without an outcome that the model knows, or taken away by "
            "the run's own cleaning (copies of other rows, pictures that cannot be read)")


def unread(validation: External) -> str:
    """What must be said of predictors that nothing there could be read in; "" where each told something."""
    if not validation.absent:
        return ""
    one = len(validation.absent) == 1
    return f"Nothing could be read in the {'column' if one else 'columns'} {named(validation.absent)} there: " \
           f"{'it' if one else 'they'} counted as missing in every row"


def doubts(validation: External) -> list[str]:
    """What speaks for the same patients as the run's own, or for a part of the same table; each without a full stop."""
    said = []
    if validation.n_copies is None and validation.found_by == "folder":
        said.append("its rows could not be compared with the run's own, whose table is gone or has changed: copies, or "
                    "rows kept closed, would not be noticed")
    if _over_a_twentieth(validation, "n_same_patients", validation.n_patients):
        said.append(f"{counted(validation, 'n_same_patients', '')} of its {many(validation.n_patients, 'patient')} "
                    "have an identifier that the run's own table has too")
    if validation.own_folder:
        said.append("it lies in the folder of the run's own table")
    apart = validation.told_apart
    if apart is not None and apart.high is not None and apart.high < ALIKE:
        said.append(f"its cases can hardly be told from the run's own (AUROC {apart.value:.2f}, "
                    f"{apart.between('.2f')}), as if both were parts of one table")
    return said


def counted(validation: External, name: str, one: str = "row") -> str:
    """"12 rows"; "fewer than 10 rows" where there are some and so few that they may not be counted; "" for none."""
    n = getattr(validation, name) or 0
    several = f" {one}s" if one else ""
    if name in validation.under_ten:
        return f"fewer than {SMALL_GROUP}{several}"
    return "" if not n else many(n, one) if one else f"{n:,}"


def hide_small_counts(validation: External) -> External:
    """The validation as it may be kept: counts of rows or patients under 10 stand as 0, and are said to be few."""
    of = {"n_left_out": None, "n_copies": validation.n_cases, "n_same_patients": validation.n_patients}
    few = [name for name in of if 0 < (getattr(validation, name) or 0) < SMALL_GROUP]
    much = [name for name in few if of[name] is not None and getattr(validation, name) > COPIES * of[name]]
    return validation.model_copy(update=dict.fromkeys(few, 0) | {"under_ten": few, "over_a_twentieth": much})


def _over_a_twentieth(validation: External, name: str, of: int) -> bool:
    return name in validation.over_a_twentieth or (getattr(validation, name) or 0) > COPIES * of


def _mostly_copies(validation: External) -> bool:
    return _over_a_twentieth(validation, "n_copies", validation.n_cases)


def _says_enough(validation: External) -> bool:
    return _headline_of(validation) is not None and validation.n_patients >= FEW


def _headline_of(validation: External) -> Metric | None:
    both = [validation.metrics.get("auroc"), validation.metrics.get("r2")]
    return next((each for each in both if each is not None and each.value is not None), None)


def many(n: int, one: str, several: str | None = None) -> str:
    """"1 column", "3 columns", "1,204 cases"."""
    return f"{n:,} {one if n == 1 else several or one + 's'}"


def named(names: list[str], most: int = 5) -> str:
    """The first few names in quotation marks, and how many more there are."""
    shown = ", ".join(f"“{name}”" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
