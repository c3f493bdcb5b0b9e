"""What a run is, in sentences that a reader of a paper expects; none holds more than its Report and Profile do."""

from __future__ import annotations

from medml import families, gallery, righted, steps, terminal
from medml.evaluate import baselines, headline
from medml.evaluate.catalogue import from_elsewhere, many, named
from medml.evaluate.words import METRICS, of_held_out, times, title
from medml.recipe.target import ABOVE_ZERO
from medml.types import Check, Column, External, FlowStep, Metric, NetBenefit, PictureFacts, Report, Subgroup, Table

LEARNED = {"epoch": "Rounds that the final model went through", "trees": "Trees of the final model"}


def figure(metric: Metric | None, digits: int = 3) -> str:
    """A figure with its 95 % interval, which a reader of running text must be told is one."""
    return terminal.figure(metric, digits, before="95 % CI ")


def table_of(run: gallery.Run) -> Table:
    """What the scan knew of the table that was learned from."""
    return run.profile.table(run.config.choice.table)


def predictors(run: gallery.Run) -> list[Column]:
    """The columns that the model was offered; none for pictures."""
    choice = run.config.choice
    if choice.pictures is not None:
        return []
    without = {choice.target, choice.patient, *choice.leave_out, *_cleaned_away(run)}
    return [each for each in table_of(run).columns if each.name not in without and each.kind not in (
        "identifier", "text", "empty", "picture")]


def _cleaned_away(run: gallery.Run) -> list[str]:
    """Columns that the cleanup left out: raw dates, free text, one single value."""
    return [name for step in run.recipe.steps if step.on and step.name == "drop_columns"
            for name in step.params.get("columns", [])]


def outcome(run: gallery.Run) -> str:
    """“died” is yes; “grade” is above 0; which class of “type”; the value of “stay”."""
    name, report = run.config.choice.target, run.report
    if report.task == "regression":
        return f"the value of “{name}”"
    if report.task == "multiclass":
        return f"which of {len(report.classes)} classes of “{name}” a case belongs to"
    yes = "above 0" if report.positive == ABOVE_ZERO else f"“{report.positive}”"
    return f"whether “{name}” is {yes}"


def sort_of_model(run: gallery.Run) -> str:
    """The family's title, as in a sentence."""
    name = families.registry.get(run.config.family).titled(run.report.task)
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


def aim(run: gallery.Run) -> str:
    """What the model says, from what, learned from whom."""
    report, given = run.report, predictors(run)
    source = "pictures" if run.config.choice.pictures is not None else many(len(given), "predictor")
    them = "them" if report.n_cases == report.n_patients else "the cases"
    events = f" ({report.n_events:,} of {them} with the outcome)" if report.n_events is not None else ""
    judged = f"{many(report.n_cases, 'case')} of {many(report.n_patients, 'patient')}{events}"
    apart = "" if run.manifest.n_train == report.n_cases else \
        f"{many(run.manifest.n_train, 'case')}, of which a part judged it: "
    return (f"The model ({sort_of_model(run)}) estimates {outcome(run)} from {source}. It was made from "
            f"{apart}{judged} in “{run.manifest.source_file}”.")


def put_right(run: gallery.Run) -> str:
    """That answers go through a map which the figures do not; "" where they are as the model has them."""
    points = righted.steps_of(run)
    return "" if points is None else (
        f"Every answer is given with its {righted.said(run.report, points)}, and “{run.report.positive}” is said from "
        f"{righted.report_of(run).threshold:.3g} on; the figures here are of the model as it is.")


def gain(found: NetBenefit) -> str:
    """What acting by the model brings, in one sentence."""
    return ("Net benefit beyond the better of treating everybody and nobody, mean over probabilities from "
            f"{found.low:g} to {found.high:g}: {figure(found.gain, 4)} ({found.range_reason}).")


def of_group(each: Subgroup) -> tuple[str, str, str, str]:
    """A group's name, size, headline figure and calibration slope."""
    told = figure(each.figure) if each.enough else "not enough to say"
    return (f"{column_of(each)}: {each.label}", f"{each.n:,}", told,
            figure(each.slope) if each.enough and each.slope else "-")


def column_of(each: Subgroup) -> str:
    """The column that makes a group, marked where it was picked when the figures had been seen."""
    return f"{each.column} (picked after training)" if each.picked_after else each.column


def elsewhere(run: gallery.Run) -> list[External]:
    """Validations on other patients: those that end "internally validated only"."""
    return [each for each in run.report.external if from_elsewhere(each)]


def plan(report: Report) -> str:
    """What the part kept closed was opened for, and that this was written down before."""
    found = report.plan
    what = f"“{found.target}”" + (f" is “{found.positive}”" if found.positive else "")
    at = f", at a threshold of {found.threshold:.3g}" if found.threshold is not None else ""
    return (f"Opened by a plan that was written down before, on {report.plan_written[:10]} (SHA-256 "
            f"{report.plan_sha256}): {what}, from {many(len(found.predictors), 'predictor')}, judged by "
            f"{title(found.metric)}{at}.")


def result(run: gallery.Run) -> str:
    """The headline figure with its interval and what it was measured on, and that of the part kept closed."""
    name = headline(run.report)
    said = f"{title(name)} was {figure(run.report.metrics.get(name))}, measured on {run.report.measured_on}."
    return f"{said} {held_out(run)}".rstrip()


def held_out(run: gallery.Run) -> str:
    """The headline figure of the part that was kept closed; "" where none was opened."""
    return of_held_out(run.report, headline(run.report), figure)


def flow(run: gallery.Run) -> list[FlowStep]:
    """Every row that left, and where; at the end those that were kept closed."""
    steps, n = list(run.report.flow), run.manifest.n_test
    if steps and n and run.config.split.scheme == "held_out" and steps[-1].n_after >= n:
        last = steps[-1].n_after
        steps.append(FlowStep(what="Kept closed, to judge the model once", n_before=last, n_removed=n,
                              n_after=last - n))
    return steps


def division(run: gallery.Run) -> str:
    """How training and judging were kept apart."""
    plan = run.config.split
    by = "by patient: no patient is on both sides" if plan.by == "patient" else \
        "by row, each taken for another patient"
    anew = f", {times(plan.repeats)} with other divisions" if plan.repeats > 1 else ""
    said = f"Cases were divided {by}. " + (
        "The validation part that came with the data was kept as it was." if plan.folds == 1 else
        f"Figures come from cross-validation in {plan.folds} parts{anew}: each case was judged by a model that had "
        "not seen it.")
    if plan.scheme == "held_out":
        looks = run.report.looks
        said += f" A part of {run.manifest.n_test:,} cases was kept closed; it was " \
                f"{f'opened {times(looks)}' if looks else 'not opened yet'}."
    return said


def cleaning(run: gallery.Run) -> list[tuple[str, str]]:
    """(step, why) of every cleanup step that was on."""
    return [(steps.registry.get(each.name).title, each.reason) for each in run.recipe.steps if each.on]


def learned_inside(run: gallery.Run) -> str:
    """Where whatever learns from data did so."""
    if run.config.choice.pictures is not None:
        return "The model learned from the training cases of each part alone."
    return ("Everything that learns from data (filling of missing values, capping, merging of rare categories, encoding"
            + (", selection of predictors" if run.config.selection.on else "") +
            ", the model itself) learned from the training cases of each part alone.")


def acquired(facts: PictureFacts) -> str:
    """What the files say of how the pictures were taken, each with how often."""
    return "; ".join(f"{name}: {', '.join(f'{what} {n:,}' for what, n in list(counts.items())[:5])}"
                     for name, counts in facts.by.items())


def missing(run: gallery.Run) -> str:
    """How much is missing, where most, and what became of it."""
    gaps = run.report.missing  # of a share of 0.0 a few cases lack it
    if not gaps:
        return "No predictor had a missing value."
    worst = sorted(gaps.items(), key=lambda each: -each[1])[:5]
    listed = ", ".join(f"“{name}” {f'{share:.0%}' if share >= 0.005 else 'under 1%'}" for name, share in worst)
    how = [each.reason for each in run.recipe.steps if each.on and each.name == "impute"]
    return (f"{many(len(gaps), 'predictor')} had missing values (most: {listed}). "
            + (how[0] if how else "No case was dropped for it."))


def share_missing(run: gallery.Run, name: str) -> str:
    """How many of the cases lack a predictor, as a share."""
    share = run.report.missing.get(name)
    return "0.0%" if share is None else f"{share:.1%}" if share >= 0.0005 else "under 0.1%"


def settings(run: gallery.Run) -> str:
    """The parameters of the model as they were used, by the names that its screen uses; of a run made before they were
    kept, those that somebody set."""
    used = run.manifest.settings | run.config.params
    known = families.registry.get(run.config.family).params
    said = [f"{each.title}: {each.said(used[each.name], run.report.task)}" for each in known
            if each.name in used] or ["the usual ones"]
    done = LEARNED.get(families.registry.get(run.config.family).round)
    return "; ".join([*said, f"{done}: {run.checkpoint.rounds:,}"] if done else said)


def beside(run: gallery.Run) -> dict[str, dict[str, Metric]]:
    """Baselines by the words that a reader knows, the model's own kind left out."""
    pictures = run.config.choice.pictures is not None
    return {baselines.title(name, task=run.report.task, of_pictures=pictures): row
            for name, row in run.report.baselines.items()
            if not baselines.is_its_own(run.config.family, name)}


def check(run: gallery.Run, number: str) -> Check | None:
    """The check of that id, where this run has it."""
    return next((each for each in run.report.checks if each.id == number), None)


def shown_metrics(run: gallery.Run) -> list[str]:
    """Names of the figures that may be shown (E1 hides accuracy where the outcome is rare)."""
    return [name for name in run.report.metrics if name not in run.report.hidden and name in METRICS]


def left_out(run: gallery.Run) -> str:
    """Columns that were not used, by name."""
    names = list(dict.fromkeys([*run.config.choice.leave_out, *_cleaned_away(run)]))
    return f"Not used: {named(names, most=12)}." if names else "No column was left out by hand or by proposal."
