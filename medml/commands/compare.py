"""`compare`: two runs side by side."""

from __future__ import annotations

import argparse

from medml import families, gallery
from medml.commands import Printed, command
from medml.commands._words import title
from medml.terminal import figure, table


def options(parser: argparse.ArgumentParser) -> None:
    """Two runs."""
    parser.add_argument("left")
    parser.add_argument("right")


@command("compare", "two runs side by side", options)
def do_compare(args: argparse.Namespace) -> Printed:
    """Two runs side by side: figures with intervals, and the settings that differ."""
    both = gallery.compare(args.left, args.right)
    rows = [(title(name), figure(a), figure(b)) for name, (a, b) in both.metrics.items()]
    rows += [(name, a, b) for name, (a, b) in both.facts.items()]
    rows += [(name, *(_in_words(name, each, run) for each, run in zip(pair, both.runs, strict=True)))
             for name, pair in both.settings.items()]
    rows.append(("note", *("; ".join(gallery.open_run(each).report.stamps) for each in (args.left, args.right))))
    warned = [f"[caution] {reason} A difference between their figures says nothing about which is better."
              for reason in both.reasons]
    return [table(rows, ["", args.left, args.right]), *warned, *([f"Note: {both.caution}"] if both.caution else []),
            *([] if both.reasons else _difference(args.left, args.right))]


def _in_words(key: str, value: object, run: gallery.Run) -> object:
    """A setting of `gallery.settings_of` as it is, a 0 that stands for something else as that."""
    known = families.registry.get(run.config.family).params if run.config.family in families.registry.names() else ()
    meant = (each.meaning(value, run.report.task) for each in known if key == f"parameter: {each.name}")
    return next(filter(None, meant), value)


def _difference(left: str, right: str) -> list[str]:
    """The paired difference on the cases that both judged, or why there is none."""
    from medml.paired import paired

    found = paired(left, right)
    beside = [f"{title(name)}, {left} minus {right}: {figure(each)}" for name, each in found.difference.items()]
    return [found.said(left, right), *beside]
