"""Options of `train` that say how the model will be used: threshold, score in use, groups."""

from __future__ import annotations

import argparse

from pydantic import ValidationError

from medml.errors import UserError
from medml.evaluate import formula
from medml.types import Table, TrainConfig, UsePlan


def options(parser: argparse.ArgumentParser) -> None:
    """--threshold, --score, --range and --group."""
    parser.add_argument("--threshold", metavar="RULE", help="who is called yes: youden (as it is), sensitivity=0.9 "
                        "(find at least so many), or cost=5 (one miss weighs as much as 5 false alarms)")
    parser.add_argument("--score", metavar="FORMULA", default="", help="the score in use today, to compare with: a "
                        "column, or a formula of columns such as '\"SOFA score\" + 2 * (lactate > 4)'")
    parser.add_argument("--range", metavar="LOW,HIGH", help="risks between which one would act, such as 0.05,0.2")
    parser.add_argument("--group", action="append", default=[], metavar="COLUMN",
                        help="show the figures by this column too, besides sex, age and site (repeatable)")


def with_use(config: TrainConfig, args: argparse.Namespace, table: Table) -> TrainConfig:
    """The configuration with what these options say; UserError for one that cannot be."""
    there = [each.name for each in table.columns]
    formula.columns_of(args.score, there)
    gone = [name for name in args.group if name not in there]
    if gone:
        raise UserError(what=f"There is no column “{gone[0]}” to group by.", code="no_column",
                        fix="Check the spelling; `scan` lists the columns.")
    try:
        plan = UsePlan(score=args.score.strip(), subgroups=args.group, **_rule(args.threshold), **_range(args.range))
    except (ValidationError, ValueError):
        raise UserError(what="--threshold or --range cannot be read.", code="bad_use",
                        fix="Write --threshold youden, sensitivity=0.9 or cost=5, and --range 0.05,0.2.") from None
    return config.model_copy(update={"use": plan})


def _rule(text: str | None) -> dict[str, object]:
    if text is None:
        return {}
    name, _, value = text.partition("=")
    return {"rule": name} | ({name: float(value)} if value else {})


def _range(text: str | None) -> dict[str, float]:
    if text is None:
        return {}
    low, high = (float(each) for each in text.split(","))
    if low > high:
        raise ValueError(f"{low} > {high}")
    return {"low": low, "high": high}
