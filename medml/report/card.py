"""A model card (Mitchell et al., FAT* 2019) in Markdown: one page that travels with the model."""

from __future__ import annotations

import re

from medml import gallery
from medml.evaluate.words import HEADLINE, times, title
from medml.report import sets
from medml.report import wording as w
from medml.report.checklist import Item
from medml.report.tripod import ITEMS

ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)\S+|\S+@\S+\.\S+", re.IGNORECASE)  # a link without any mark of one
SPECIAL = str.maketrans({each: f"\\{each}" for each in "\\`*_{}[]<>#|"})
USE = ("3a", "3b", "27b")  # what a person must say about use


def as_card(run: gallery.Run) -> str:
    """The run at its current checkpoint as Markdown; names of columns are escaped, so none becomes a link or HTML."""
    report = run.report
    head, columns = ["this model"], [report.metrics]
    if report.held_out:
        head, columns = [*head, f"part kept closed, opened {times(report.looks)}"], [*columns, report.held_out]
    table = [["", *head], *([plain(title(name)), *(w.figure(each.get(name)) for each in columns)]
                            for name in w.shown_metrics(run))]
    figures = [f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in table]
    figures.insert(1, "|---" * len(table[0]) + "|")
    asked = [f"- **{each.id} {plain(each.title)}**: {plain(each.what)} {plain(each.fix)}".rstrip()
             for each in report.checks if each.verdict in ("warn", "block")]
    groups = [f"| {plain(name)} | {n} | {figure} |" for name, n, figure, _ in map(w.of_group, report.subgroups)]
    parts = [f"# {plain(run.label.name)}", *(f"> **{plain(each[:1].upper() + each[1:])}.**" for each in report.stamps),
             "## What it is", plain(w.aim(run)), "## Intended use", *_questions(),
             "## Data", plain(f"“{run.manifest.source_file}”. {w.missing(run)} {w.left_out(run)}"),
             "## How it was judged", plain(w.division(run)), "\n".join(figures),
             *([plain(w.put_right(run))] if w.put_right(run) else []),
             *([plain(sets.line(report))] if sets.line(report) else []),
             *(["## On other patients", "\n".join(_elsewhere(run))] if w.elsewhere(run) else []),
             *(["## Groups", "\n".join(["| group | cases | figure |", "|---|---|---|", *groups])] if groups else []),
             "## Where to be careful", "\n".join(asked) or "No check asks for a look.",
             "## How it was made", plain(f"{w.sort_of_model(run)}; settings: {w.settings(run)}; seed "
                                         f"{run.config.seed}; run {run.run}, checkpoint {run.chain.current}; "
                                         f"MedML {run.manifest.code_version}.")]
    return "\n\n".join(parts) + "\n"


def _elsewhere(run: gallery.Run) -> list[str]:
    """A line for each judgement on data from elsewhere."""
    name = HEADLINE[run.report.task]
    return [f"- {plain(f'“{each.source}”, {each.n_cases:,} cases of {each.n_patients:,} patients: {title(name)} ')}"
            f"{w.figure(each.metrics.get(name))}" for each in w.elsewhere(run)]


def _questions() -> list[str]:
    by_number: dict[str, Item] = {each.number: each for each in ITEMS}
    return [f"- *To be filled in:* {by_number[number].topic}." for number in USE]


def plain(text: str) -> str:
    """Text that Markdown shows as it is; addresses as code, which no reader makes a link of."""
    said, done = [], 0
    line = text.replace("\n", " ")
    for each in ADDRESS.finditer(line):
        said += [line[done:each.start()].translate(SPECIAL), f"`{each[0].replace('`', '')}`"]
        done = each.end()
    return "".join([*said, line[done:].translate(SPECIAL)])


