"""A run and its figures in words, as several commands print them."""

from __future__ import annotations

from medml import gallery
from medml.commands import Printed
from medml.evaluate import baselines, headline
from medml.evaluate.words import METRICS, checks_counted, of_held_out, of_one_class, times
from medml.steps import registry as steps
from medml.terminal import figure, table
from medml.types import Effect, Recipe, Report


def run_in_words(run: gallery.Run) -> Printed:
    """A run as it is printed: figures with intervals beside the baselines, then what a reviewer would ask."""
    report, main = run.report, headline(run.report)
    shown = [name for name in report.metrics if name not in report.hidden]
    beside = {name: row for name, row in report.baselines.items() if not baselines.is_its_own(run.config.family, name)}
    closed = {f"part kept closed, opened {times(report.looks)}": report.held_out} if report.held_out else {}
    columns = (report.metrics, *closed.values(), *beside.values())
    rows = [(title(name), *(figure(each.get(name)) for each in columns)) for name in shown]
    pictures = run.config.choice.pictures is not None
    return [f"Run {run.run} · {run.label.name}",
            f"{title(main)}: {figure(report.metrics[main])}, n = {report.n_cases:,}",
            f"Measured on {report.measured_on}; {counted_in_words(report)}",
            *filter(None, [of_held_out(report, main, figure)]), "",
            table(rows, ["", "this model", *closed, *(baselines.title(name, task=report.task, of_pictures=pictures)
                                             for name in beside)]), "",
            *in_question(report), *(f"Note: {stamp}." for stamp in report.stamps),
            *(f"Note: {each}" for each in report.happened)]


def counted_in_words(report: Report) -> str:
    """Who was left out on the way, and what the figures at a threshold mean."""
    left = [f"{step.n_removed:,} left out as “{step.what.lower()}”" for step in report.flow if step.n_removed]
    said = ", ".join(left) if left else "no row was left out"
    if report.threshold is None:
        return f"{said}. {of_one_class(report)}".rstrip()
    return f"{said}. “{report.positive}” is said from a probability of {report.threshold:g} on."


def in_question(report: Report) -> Printed:
    """The checks that did not pass, worst first, each with the one thing to do."""
    order = {"block": 0, "warn": 1, "could_not_tell": 2}
    asked = sorted((check for check in report.checks if check.verdict in order), key=lambda each: order[each.verdict])
    return [f"[{check.verdict.replace('_', ' ')}] {check.id} {check.what} {check.fix}" for check in asked] + \
        [f"{checks_counted(report)}."]


def title(name: str) -> str:
    """A metric's name in words."""
    return METRICS[name].title if name in METRICS else name


def recipe_in_words(recipe: Recipe, effects: list[Effect], *, counted_on: int | None = None) -> Printed:
    """Every cleanup step: its name as --without takes it, why, and what it does to these rows.

    counted_on  rows that were looked at, where they are not all
    """
    yield "Cleanup" + (f" (counted on the first {counted_on:,} rows):" if counted_on else ":")
    for step, effect in zip(recipe.steps, effects, strict=True):
        done = f" {effect.sentence}" if effect.sentence != step.reason else ""
        off = "" if step.on else f" Off. It would do:{done or ' nothing.'}"
        yield f"  {step.name} · {steps.get(step.name).title}: {step.reason}{off or done}"
