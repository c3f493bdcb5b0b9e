"""A run as a document: what a reader needs to believe it or not, in the order in which a reviewer asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from medml import gallery
from medml.evaluate import headline
from medml.evaluate.catalogue import counted as counted_rows
from medml.evaluate.catalogue import doubts, from_elsewhere, in_words_stated, many, too_few, unread
from medml.evaluate.checks.usefulness import classes_in_words
from medml.evaluate.words import checks_counted, of_one_class, times, title
from medml.report import claim, sets, tripod
from medml.report import wording as w
from medml.report.charts import drawing
from medml.report.checklist import IN_WORDS, Item, counted, filled
from medml.report.document import Block, Document, Heading, Rows, Words
from medml.terminal import figure as bare
from medml.types import Column, External, Report, Subgroup

VERDICTS = {"pass": "passed", "warn": "caution", "block": "stop", "could_not_tell": "could not tell", "info": "noted"}
WORST_FIRST = ("block", "warn", "could_not_tell", "info", "pass")
MOST_PREDICTORS = 60


def document_of(run: gallery.Run) -> Document:
    """The report of a run at its current checkpoint."""
    blocks = [*_summary(run), *_data(run), *_model(run), *_performance(run), *_use(run), *_groups(run.report),
              *_elsewhere(run.report), *_checks(run.report), *_lists(run), *_made(run)]
    return Document(title=run.label.name, made=run.manifest.made, blocks=tuple(blocks),
                    subtitle=f"Run {run.run}, checkpoint {run.chain.current}, made {run.manifest.made[:10]} with MedML "
                             f"{run.manifest.code_version}")


def _summary(run: gallery.Run) -> Iterator[Block]:
    if run.report.stamps:
        yield Words(". ".join(each[:1].upper() + each[1:] for each in run.report.stamps) + ".", "stamp")
    yield Heading("In short", 1)
    yield Words(w.aim(run))
    yield Words(w.result(run))
    asked = [each for each in run.report.checks if each.verdict in ("warn", "block")]
    untold = sum(each.verdict == "could_not_tell" for each in run.report.checks)
    ask, silent = "asks" if len(asked) == 1 else "ask", f"; {many(untold, 'check')} could not tell" if untold else ""
    yield Words(f"{checks_counted(run.report)}; {len(asked)} {ask} for a look{silent}.")
    if run.report.happened:
        yield Words(" ".join(run.report.happened))
    if run.label.notes:
        yield Words(f"Notes: {run.label.notes}")


def _data(run: gallery.Run) -> Iterator[Block]:
    yield Heading("Data", 1)
    yield Words(f"“{run.manifest.source_file}”, {run.manifest.n_rows:,} rows. SHA-256 {run.manifest.data_sha256}.")
    if w.flow(run):
        yield Heading("Flow of cases")
        yield Rows(("Step", "Before", "Left out", "After"), tuple(
            (each.what, f"{each.n_before:,}", f"{each.n_removed:,}", f"{each.n_after:,}") for each in w.flow(run)),
            (0.55, 0.15, 0.15, 0.15))
    columns = w.predictors(run)
    if columns:
        yield Heading("Predictors")
        yield Rows(("Name", "Kind", "5th to 95th percentile, or most frequent", "Missing"), tuple(
            (each.name, each.kind.replace("_", "/"), _spread(each), w.share_missing(run, each.name))
            for each in columns[:MOST_PREDICTORS]), (0.3, 0.12, 0.44, 0.14))
        if len(columns) > MOST_PREDICTORS:
            yield Words(f"… and {len(columns) - MOST_PREDICTORS:,} more.", "quiet")
    yield Words(w.missing(run))
    yield Words(w.left_out(run), "quiet")


def _spread(column: Column) -> str:
    if column.kind == "number" and column.low is not None and column.high is not None:
        unit = f" {column.unit}" if column.unit else ""
        return f"{column.low:g} to {column.high:g}{unit}" + (" and over" if column.high_is_open else "")
    return ", ".join(f"{each.label} ({each.n:,})" for each in column.levels[:4]) or "not shown"


def _model(run: gallery.Run) -> Iterator[Block]:
    yield Heading("Model", 1)
    yield Words(f"{w.sort_of_model(run).capitalize()}. Settings: {w.settings(run)}.")
    yield Words(w.division(run))
    yield Words(w.learned_inside(run))
    steps = w.cleaning(run)
    if steps:
        yield Heading("Cleanup")
        yield Rows(("Step", "Why"), tuple(steps), (0.3, 0.7))
    if run.report.selection:
        yield Heading("How often each predictor was kept")
        yield Rows(("Predictor", "Kept in", "By hand"), tuple(
            (each.column, f"{each.frequency:.0%} of the parts", {"in": "always kept", "out": "never kept", "": ""}[
                each.forced]) for each in run.report.selection[:MOST_PREDICTORS]), (0.5, 0.25, 0.25))
    if run.report.selection_note:
        yield Words(run.report.selection_note)


def _performance(run: gallery.Run) -> Iterator[Block]:
    report, beside = run.report, w.beside(run)
    yield Heading("Performance", 1)
    yield Words(f"Measured on {report.measured_on}. Intervals are 95 %, patients resampled. "
                f"{of_one_class(report)}".rstrip())
    head = ("", "This model", *beside)
    yield Rows(head, tuple((title(name), *(bare(each.get(name))
                                           for each in (report.metrics, *beside.values())))
                           for name in w.shown_metrics(run)), _even(len(head)))
    if report.held_out:
        yield Heading(f"Part that was kept closed, opened {times(report.looks)}")
        if report.plan is not None:
            yield Words(w.plan(report))
        yield Rows(("", "This model"), tuple((title(name), w.figure(report.held_out.get(name)))
                                            for name in w.shown_metrics(run)))
    chart = drawing(report)
    if chart is not None:
        yield chart


def _even(n: int, first: float = 0.24) -> tuple[float, ...]:
    """Widths: the names, and the rest in equal parts."""
    return (first, *((1 - first) / (n - 1) for _ in range(n - 1)))


def _use(run: gallery.Run) -> Iterator[Block]:
    report = run.report
    if report.calibration_line:
        yield Heading("Calibration")
        yield _line(report)
    if report.calibration_of_classes:
        yield Rows(("Each class against the rest", title("slope"), title("intercept")), tuple(
            (label, w.figure(line["slope"]), w.figure(line["intercept"]))
            for label, line in report.calibration_of_classes.items()), (0.34, 0.33, 0.33))
    if w.put_right(run):
        yield Words(w.put_right(run))
    if report.confusion:
        yield Heading("Decisions")
        if report.threshold is not None:
            yield Words(f"“{report.positive}” is said from a probability of {report.threshold:g} on. "
                        f"{report.threshold_reason}")
        yield Rows(("True class", *(f"said “{each}”" for each in report.classes)), tuple(
            (name, *(f"{n:,}" for n in row)) for name, row in zip(report.classes, report.confusion, strict=True)))
    if report.net_benefit is not None:
        yield Words(w.gain(report.net_benefit))
    if report.score_in_use is not None:
        score = report.score_in_use
        yield Words(f"Beside the score in use ({score.formula}): {score.said} Difference in AUROC "
                    f"{w.figure(score.auroc_difference)}.")
    if report.conformal is not None:
        yield Heading("Sets that hold the truth")
        yield sets.rows(report)


def _line(report: Report) -> Rows:
    """Calibration as it is, and as it would be put right where that helps."""
    line, found = report.calibration_line, report.recalibration
    if found is None or found.method == "none":
        return Rows(("", "As it is"), tuple((title(name), w.figure(each)) for name, each in line.items()), (0.34, 0.66))
    return Rows(("", "As it is", "Recalibrated"), tuple(
        (title(name), w.figure(each), w.figure(found.after[name]) if name in found.after else "-")
        for name, each in line.items()), (0.34, 0.33, 0.33))


def _groups(report: Report) -> Iterator[Block]:
    if report.subgroups:
        yield Heading("Subgroups", 1)
        yield _of_groups(report.subgroups, report)


def _of_groups(groups: Sequence[Subgroup], report: Report) -> Rows:
    return Rows(("Group", "Cases", title(headline(report)), "Calibration slope"), tuple(map(w.of_group, groups)),
                (0.3, 0.12, 0.33, 0.25))


def _elsewhere(report: Report) -> Iterator[Block]:
    for each in report.external:
        where = "from elsewhere" if from_elsewhere(each) else \
            "from elsewhere, too little to count" if too_few(each) else "that was not shown to be from elsewhere"
        yield Heading(f"On data {where}: {each.source}", 1)
        yield Words(_external_in_words(each))
        own, theirs = report.metrics | report.calibration_line, each.metrics | each.calibration_line
        yield Rows(("", "Here", "Elsewhere" if from_elsewhere(each) else "There"), tuple(
            (title(name), w.figure(own.get(name)), w.figure(metric))
            for name, metric in theirs.items() if name not in report.hidden), (0.3, 0.35, 0.35))
        if each.calibration_of_classes:
            yield Words(classes_in_words(each.calibration_of_classes))
        if each.net_benefit is not None:
            yield Words(w.gain(each.net_benefit))
        if each.subgroups:
            yield _of_groups(each.subgroups, report)


def _external_in_words(each: External) -> str:
    events = "" if each.n_events is None else f", {each.n_events:,} with the outcome"
    absent = f" {unread(each)}." if each.absent else ""
    doubted = doubts(each)
    doubt = f" It is not sure that these are other patients: {'; '.join(doubted)}." if doubted else ""
    stated = f" {in_words_stated(each)}" if doubted and each.stated else ""
    left, copies = counted_rows(each, "n_left_out") or "none", counted_rows(each, "n_copies")
    equal = copies and f" {copies[:1].upper()}{copies[1:]} equal a row of the table that the model was made from."
    return (f"{each.n_cases:,} cases of {each.n_patients:,} patients{events}; {left} left out.{absent}{equal}{doubt}"
            f"{stated}")


def _checks(report: Report) -> Iterator[Block]:
    yield Heading("Checks", 1)
    ordered = sorted(report.checks, key=lambda each: WORST_FIRST.index(each.verdict))
    yield Rows(("Check", "Verdict", "What was found, and what to do"), tuple(
        (f"{each.id} {each.title}", VERDICTS[each.verdict], f"{each.what} {each.fix}".strip()) for each in ordered),
        (0.24, 0.12, 0.64))


def _lists(run: gallery.Run) -> Iterator[Block]:
    yield from _checklist("TRIPOD+AI checklist", "BMJ 2024;385:e078378", tripod.ITEMS, run)
    if run.config.choice.pictures is not None:
        yield from _checklist("CLAIM checklist for imaging", "Radiol Artif Intell 2024;6:e240300", claim.ITEMS, run)


def _checklist(name: str, source: str, items: Sequence[Item], run: gallery.Run) -> Iterator[Block]:
    answers = filled(items, run)
    yield Heading(name, 1)
    yield Words("; ".join(f"{n} {IN_WORDS[status]}" for status, n in counted(answers).items())
                + f". Item numbers of {source}; the wording is ours.", "quiet")
    yield Rows(("Item", "Topic", "Status", "Text, question or figure"), tuple(
        (item.number, f"{item.part}: {item.topic}", IN_WORDS[answer.status], answer.text) for item, answer in answers),
        (0.07, 0.25, 0.12, 0.56))


def _made(run: gallery.Run) -> Iterator[Block]:
    manifest = run.manifest
    yield Heading("How it was made", 1)
    rows = [("Code", manifest.code_version), ("Seed", f"{run.config.seed}"), ("Fitted on", manifest.device),
            ("Division (SHA-256)", manifest.split_sha256), ("Table (SHA-256)", manifest.data_sha256),
            ("Versions", ", ".join(f"{name} {number}" for name, number in sorted(manifest.packages.items())))]
    yield Rows(("", ""), tuple(rows), (0.25, 0.75))
    yield Words("Groups of fewer than 10 patients are not named; ranges are 5th to 95th percentiles. No value of a "
                "single patient is in this file.", "quiet")
