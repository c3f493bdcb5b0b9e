"""CLAIM 2024 (Tejani et al., Radiology: Artificial Intelligence 2024;6:e240300) for pictures: numbers theirs, wording
ours."""

from __future__ import annotations

from medml import gallery
from medml.report import tripod
from medml.report import wording as w
from medml.report.checklist import Answer, Item, ask, say
from medml.types import PictureFacts


def _facts(run: gallery.Run) -> PictureFacts:
    found = w.table_of(run).pictures
    if found is None:
        raise ValueError("CLAIM is for runs that learned from pictures")
    return found


def _as_of_tripod(number: str) -> Item:
    return next(each for each in tripod.ITEMS if each.number == number)


def _same(number: str, part: str, tripod_number: str) -> Item:
    """An item that asks what an item of TRIPOD+AI asks."""
    other = _as_of_tripod(tripod_number)
    return Item(number, part, other.topic, other.answer)


def _prepared(run: gallery.Run) -> str:
    plan = run.config.choice.pictures
    side, window = plan.size if plan else 0, plan.window if plan else None
    done = ["Modality and VOI transformations of DICOM applied, MONOCHROME1 inverted"] * (
        "dicom" in _facts(run).by.get("kind", {}))
    said = "; ".join([*done, *[f"window {window}"] * bool(window), f"brought to {side} x {side} pixels"])
    return (f"{said[:1].upper()}{said[1:]}. "
            + "; ".join(f"{words}: {reason.rstrip('.')}" for words, reason in w.cleaning(run)) + ".")


def _subsets(run: gallery.Run) -> str:
    facts = _facts(run)
    in_no_row = f" ({facts.unread:,} of them before a row was counted)" if facts.unread else ""
    return (f"{facts.damaged + facts.unread:,} pictures could not be decoded{in_no_row}, "
            f"{facts.copies:,} equal an earlier one. "
            f"{tripod.flow(run)}")


def _identity(run: gallery.Run) -> str:
    facts = _facts(run)
    tags = f"Tags that identify a person were found ({len(facts.identifiers)} sorts); the value of none was kept." \
        if facts.identifiers else "No tag that identifies a person was found."
    text = "" if facts.text_like is None else f" Writing at the borders was suspected in {facts.text_like:,} pictures."
    hashed = " PatientID was hashed as it was read." if "dicom" in facts.by.get("kind", {}) else ""
    return f"{tags}{hashed}{text}"


def _acquired(run: gallery.Run) -> str:
    return w.acquired(_facts(run)) or "Not told by the files."


def _software(run: gallery.Run) -> str:
    used = ", ".join(f"{name} {run.manifest.packages[name]}" for name in ("torch", "torchvision", "pydicom")
                     if name in run.manifest.packages)
    return f"MedML {run.manifest.code_version}; {used}; fitted on {run.manifest.device}."


def _heatmaps(run: gallery.Run) -> Answer:
    found = w.check(run, "G3")
    if found is None or found.verdict == "could_not_tell":
        return Answer("needs_you", "Heatmaps were not tested against shuffled weights. How was the model's reasoning "
                                   "looked at?")
    return Answer("done" if found.verdict == "pass" else "violated", found.what)


def _robust(run: gallery.Run) -> Answer:
    found = w.check(run, "L14")
    if found is None or found.verdict == "could_not_tell":
        told = "" if found is None else f"{found.what} "
        return Answer("needs_you", f"{told}How was robustness looked at?")
    return Answer("violated" if found.verdict in ("warn", "block") else "done", found.what)


def _external(run: gallery.Run) -> Answer:
    if not w.elsewhere(run):
        return Answer("violated", "Not judged on data from elsewhere: internally validated only (X1).")
    places = "; ".join(f"“{each.source}”, {each.n_cases:,} cases" for each in w.elsewhere(run))
    return Answer("done", f"Judged on {places}.")


ITEMS: tuple[Item, ...] = (
    _same("1", "Title", "1"), _same("2", "Abstract", "2"), _same("3", "Introduction", "3a"),
    _same("4", "Introduction", "4"),
    Item("5", "Study design", "Prospective or retrospective", ask("Were the pictures collected for this study?")),
    Item("6", "Study design", "Goal of the study", say(tripod.objectives)),
    _same("7", "Data", "5a"), _same("8", "Data", "6b"),
    Item("9", "Data", "Preparation of the pictures", say(_prepared, "L7")),
    Item("10", "Data", "Which of the data were used", say(_subsets, "M3")),
    Item("11", "Data", "De-identification", say(_identity)),
    Item("12", "Data", "Missing data", say(w.missing, "M1", "M2")),
    Item("13", "Data", "How the pictures were taken", say(_acquired, then_ask="Which protocol was used?")),
    Item("14", "Reference standard", "Definition", ask("What tells the truth about each picture?")),
    Item("15", "Reference standard", "Why this one", ask("Why was this reference standard chosen?")),
    Item("16", "Reference standard", "Who annotated", ask("Who annotated the pictures, with which experience?")),
    Item("17", "Reference standard", "Annotation of the test part", ask(
        "Was the part that judged annotated in another way than the rest?")),
    Item("18", "Reference standard", "Agreement of annotators", ask("How well did annotators agree?")),
    _same("19", "Partitions", "12a"),
    Item("20", "Partitions", "Level at which parts are disjoint", say(w.division, "L1", "L2", "L3")),
    _same("21", "Partitions", "10"),
    Item("22", "Model", "Description", say(lambda run: f"{w.sort_of_model(run)}; {w.settings(run)}.")),
    Item("23", "Model", "Software", say(_software)),
    Item("24", "Model", "Initial parameters", say(lambda run: f"Settings: {w.settings(run)}; seed {run.config.seed}.")),
    _same("25", "Training", "12c"),
    Item("26", "Training", "How the final model was chosen", say(tripod.model, "E3")),
    Item("27", "Training", "Ensembles", say(lambda run: f"{w.sort_of_model(run).capitalize()} alone.")),
    _same("28", "Evaluation", "12e"),
    Item("29", "Evaluation", "Uncertainty", say(tripod.measures, "E2")),
    Item("30", "Evaluation", "Robustness and shortcuts", _robust),
    Item("31", "Evaluation", "Explainability", _heatmaps),
    Item("32", "Evaluation", "Internal validation", say(w.division, "L2", "L10")),
    Item("33", "Evaluation", "External validation", _external),
    _same("34", "Evaluation", "18d"), _same("35", "Results", "20a"), _same("36", "Results", "20b"),
    _same("37", "Results", "23a"), _same("38", "Results", "23a"),
    Item("39", "Results", "Failures", ask(
        "Look at the surest wrong answers on the Evaluate screen: what do they have in common?")),
    _same("40", "Discussion", "26"), _same("41", "Discussion", "25"), _same("42", "Other", "18c"),
    _same("43", "Other", "18f"), _same("44", "Other", "18a"),
)
