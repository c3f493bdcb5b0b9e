"""Rules on the table as a whole: how many patients, how rare the outcome, who comes back."""

from __future__ import annotations

from medml.copilot.adviser import Advice, rule
from medml.copilot.adviser.words import bold, events, outcome, rarest
from medml.copilot.facts import Snapshot

FEW_ROWS, RARE, VERY_FEW_EVENTS, FEW_EVENTS = 200, 20, 10, 20  # rows; percent (E1); events per parameter (N2)


@rule("few_rows", about="size trust", at="home scan configure", weight=50)
def few_rows(s: Snapshot) -> Advice | None:
    """Too few rows to say much."""
    if s.is_empty or (s.rows is not None and s.rows >= FEW_ROWS):
        return None
    rows = "fewer than 10 rows" if s.rows is None else f"{s.rows} rows"
    return Advice(f"The table has {rows} for {outcome(s)}: every figure will have a **wide interval**.",
                  "use a simple family with cautious settings, and look at the intervals before the figures")


@rule("events_before", about="size imbalance", at="scan configure", weight=65)
def events_before(s: Snapshot) -> Advice | None:
    """Events per parameter before training (N2)."""
    n = events(s)
    if n is None or not s.parameters or s.report is not None or n / s.parameters >= FEW_EVENTS:
        return None
    each = n / s.parameters
    judged = "too few" if each < VERY_FEW_EVENTS else "few"
    return Advice(f"The rarest class of {outcome(s)} has about {n} cases for {s.parameters} parameters: {each:.1f} "
                  f"**events per parameter**, which is {judged} (20 are comfortable).",
                  f"leave out columns that nobody expects to matter for {outcome(s)}")


@rule("enough", about="size", at="home scan configure", weight=17)
def enough(s: Snapshot) -> Advice | None:
    """Neither few rows nor few events per parameter (N1, N2), as far as that can be told."""
    if not s.columns or few_rows(s) is not None or events_before(s) is not None:
        return None
    return _enough_before(s) if s.report is None else _enough_after(s)


def _enough_before(s: Snapshot) -> Advice:
    if s.of == "pictures":
        return Advice(f"There are {s.rows or 0:,} pictures for {outcome(s)}. A network of pictures has **no count of "
                      "predictors** to set against them: the intervals of a first training say what they can show.",
                      "train once with the usual settings, and read the intervals before the figures")
    n, then = events(s), "see on the Configure screen how many patients such a model needs"
    if n is None or not s.parameters:
        return Advice(f"The table has {s.rows or 0:,} rows for {outcome(s)}. Whether that is enough depends on how "
                      "rare the outcome is and how many columns are used.", then)
    return Advice(f"The rarest class of {outcome(s)} has about {n:,} cases for {s.parameters} parameters: "
                  f"{n / s.parameters:.1f} **events per parameter**; 20 are comfortable.", then)


def _enough_after(s: Snapshot) -> Advice | None:
    if any(s.report.check(each) for each in ("N1", "N2")):
        return None
    return Advice(f"The model for {outcome(s)} learned from {s.cases or 0:,} cases, and no check on their number (N1, "
                  "N2) asks for anything.", "read the intervals beside the figures all the same")


@rule("imbalance", about="imbalance sensitivity", at="scan configure evaluate", weight=55)
def imbalance(s: Snapshot) -> Advice | None:
    """A rare outcome makes accuracy useless (E1)."""
    least = rarest(s)
    if least is None or least[1] >= RARE:
        return None
    share, rest = (f"{least[1]:g} %", f"{100 - least[1]:g} %") if least[1] else ("under 1 %", "over 99 %")
    if s.task == "multiclass":
        return Advice(f"“{least[0]}” makes up {share} of {outcome(s)}: a model that never says it is hardly less "
                      "accurate, so **accuracy says little** of it.",
                      f"{_once(s)}read the table of true and called classes, and balanced accuracy in place of "
                      "accuracy")
    return Advice(f"“{least[0]}” makes up {share} of {outcome(s)}. A model that always says the other answer is "
                  f"right in {rest} of cases, so **accuracy says nothing** here.",
                  f"{_once(s)}read sensitivity, the positive predictive value and AUPRC in place of accuracy")


def _once(s: Snapshot) -> str:
    """Before there is a model there is nothing to read."""
    return "" if s.report else "once a model is trained, "


@rule("untold_class", about="imbalance size", at="scan configure", weight=70)
def untold_class(s: Snapshot) -> Advice | None:
    """A class of fewer than ten cases (N4)."""
    tiny = [each for each in s.classes if each.share.startswith("fewer than")]
    if not tiny:
        return None
    return Advice(f"{len(tiny)} of {len(s.classes)} classes of {outcome(s)} have fewer than {s.k} cases "
                  f"(“{tiny[0].label}”): nothing can be learned or judged about them.",
                  "join the class with a neighbouring one, or leave its rows out, on the Cleanup screen")


@rule("many_classes", about="imbalance size", at="scan configure", weight=30)
def many_classes(s: Snapshot) -> Advice | None:
    """Many classes share the same few patients."""
    if s.task != "multiclass" or len(s.classes) < 6:
        return None
    return Advice(f"{outcome(s)} has {len(s.classes)} classes; each is learned from its own share of the patients.",
                  f"join classes of {outcome(s)} that are treated alike, if there are any")


@rule("copies", about="cleanup size", at="scan cleanup", weight=38)
def copies(s: Snapshot) -> Advice | None:
    """Equal rows (L3)."""
    if s.duplicates == "none":
        return None
    return Advice(f"Exact copies of rows: {s.duplicates} of {s.rows or 0:,} in the table of {outcome(s)}. A copy on "
                  "both sides of a split makes a model look better than it is.",
                  "leave the step “Exact copies” switched on, and ask how the copies came about")


@rule("come_back", about="split trust", at="scan configure", weight=48)
def come_back(s: Snapshot) -> Advice | None:
    """Patients with several rows (L1)."""
    if not s.repeats or s.patient is None or not s.patients:
        return None
    return Advice(f"Patients come back: {s.patients:,} patients in {s.rows or 0:,} rows, told apart by "
                  f"{bold(s.patient)}. All rows of one patient stay on the same side of every split.",
                  f"check that {bold(s.patient)} is one number a person, not one a visit")


@rule("nobody_told_apart", about="split", at="scan configure", weight=42)
def nobody_told_apart(s: Snapshot) -> Advice | None:
    """No patient column."""
    if s.patient is not None or s.target is None or s.of == "pictures":
        return None
    return Advice(f"No column tells patients apart, so each of {s.rows or 0:,} rows counts as a patient of its own for "
                  f"{outcome(s)}.", "name the column that identifies a patient if anybody can have two rows")


@rule("unread", about="cleanup", at="home scan", weight=33)
def unread(s: Snapshot) -> Advice | None:
    """Files that were refused."""
    if s.unread in ("none", ""):
        return None
    return Advice(f"Files that could not be read: {s.unread}; they hold nothing that {outcome(s)} is learned from.",
                  "open the list of files on the Scan screen: each says why")


@rule("switched_off", about="cleanup missing", at="cleanup configure", weight=44)
def switched_off(s: Snapshot) -> Advice | None:
    """Cleanup steps that were switched off."""
    off = [each for each in s.steps if not each.on]
    if not off:
        return None
    shown = ", ".join(bold(each.title) for each in off[:3])
    return Advice(f"{len(off)} of {len(s.steps)} cleanup steps are switched off: {shown}.",
                  f"switch {bold(off[0].title)} on again unless there is a reason that you would print")
