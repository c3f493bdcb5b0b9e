"""`explain`: which columns a run goes by, or what each adds to the answer for one patient."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from medml import gallery
from medml.commands import Printed, command
from medml.commands._options import run_and_source, source_of
from medml.commands._places import check_json, save_json
from medml.terminal import Bar, figure, table


def options(parser: argparse.ArgumentParser) -> None:
    """RUN, --row and what else can be asked of it."""
    run_and_source(parser)
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--row", type=int, metavar="N", help="one patient: a row of the table, from 1; printed "
                       "for you alone, --json keeps directions and strengths in words, because an amount gives a cell "
                       "away")
    asked.add_argument("--score", type=int, metavar="N", help="a bedside score of at most N predictors, and its cost")
    parser.add_argument("--of", metavar="CLASS", default="", help="with --score, of several classes: the one "
                        "that the points speak for, against all others")
    asked.add_argument("--without", action="append", default=[], metavar="COLUMN",
                       help="what doing without this predictor costs (repeatable)")


@command("explain", "which columns a run goes by, and by how much", options)
def do_explain(args: argparse.Namespace) -> Printed:
    """Means over patients are kept with the run; what is of one patient is printed and kept nowhere."""
    opened = gallery.open_run(args.run)
    source = source_of(args, opened)
    check_json(args, source)
    told, lines = _asked(args, opened, source)
    save_json(args.json, {"run": args.run, "stamps": opened.report.stamps} | told, source)
    return [*lines, *(f"Note: {stamp}." for stamp in opened.report.stamps)]


def _asked(args: argparse.Namespace, opened: gallery.Run, source: Path) -> tuple[dict[str, Any], list[str]]:
    if args.row is not None:
        return _one(opened, args.row, source)
    if args.score is not None:
        return _score(args, source)
    return _without(args, source) if args.without else _overall(args, source)


def _overall(args: argparse.Namespace, source: Path) -> tuple[dict[str, Any], list[str]]:
    from medml.explain.overall import overall
    from medml.explain.words import ASSOCIATED, unit_in_words

    value = overall(args.run, source, watch=Bar())
    lines = [f"Mean change of the answer over {value.n_cases:,} rows of {value.n_patients:,} patients, "
             f"{unit_in_words(value.unit, value.outputs[0])}; against {value.against}.", ASSOCIATED]
    for output in value.outputs:
        rows = [(each.column, figure(each.mean)) for each in value.of(output)]
        lines += ["", table(rows, ["column", f"mean change for {output}"])]
    return value.model_dump(mode="json"), lines


def _one(opened: gallery.Run, row: int, source: Path) -> tuple[dict[str, Any], list[str]]:
    """All of it is printed for the owner alone. The JSON is a file that may be sent on: it has which columns raise the
    answer and how strongly, in words; an amount and a weight of the model would give the cell away."""
    from medml.explain.patient import patient, waterfall
    from medml.explain.words import ASSOCIATED, answer, in_steps, unit_in_words
    from medml.privacy import round_3

    found = patient(opened.run, row, source)
    each = found.found
    lines = [f"Row {row:,}, {unit_in_words(each.unit, each.outputs[0])}; against {each.against}.", ASSOCIATED]
    for output in range(len(each.outputs)):
        bars = waterfall(each, found.cells, output=output, most=len(each.columns))
        lines += ["", f"{answer(each, output=output)}.",
                  table([(bar.column, bar.cell or "–", f"{bar.added:+.3f}") for bar in bars],
                        ["column", "here", "adds"])]
    told = {name: in_steps(each.columns, each.values[0, output]) for output, name in enumerate(each.outputs)}
    return {"row": row, "unit": each.unit, "against": each.against, "base": [round_3(one) for one in each.base],
            "answer": [round_3(one) for one in each.answers[0]], "outputs": each.outputs, "columns": told}, lines


def _score(args: argparse.Namespace, source: Path) -> tuple[dict[str, Any], list[str]]:
    from medml.evaluate.words import title
    from medml.explain.bedside import bedside
    from medml.explain.words import BORDERS, of_score

    value = bedside(args.run, source, most=args.score, of=args.of, watch=Bar())
    rows = [(rule.column, step.label, step.points) for rule in value.rules for step in rule.steps]
    beside = [(title(name), figure(value.figures.get(name)), figure(value.model.get(name))) for name in value.figures]
    lines = [table(rows, ["predictor", "value", "points"]), BORDERS, "",
             table([(each.points, f"{100 * each.predicted:.0f} %") for each in value.risks],
                   ["points in all", f"probability that {value.event}"]), "",
             table(beside, ["out of fold", "score", "model"]), "", of_score(value)]
    return value.model_dump(mode="json"), lines


def _without(args: argparse.Namespace, source: Path) -> tuple[dict[str, Any], list[str]]:
    from medml.evaluate.words import title
    from medml.explain.found import Costly
    from medml.explain.without import without
    from medml.explain.words import of_without

    value = without(args.run, [Costly(column=name, why="late") for name in args.without], source, watch=Bar())
    name = title(value.figure)
    lines = [f"{name} with all predictors: {figure(value.with_all)}; without {', '.join(args.without)}: "
             f"{figure(value.without)}.", of_without(value, name)]
    return value.model_dump(mode="json"), lines
