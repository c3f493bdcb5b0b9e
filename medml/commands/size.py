"""`size`: how many patients a model would need, before there is one."""

from __future__ import annotations

import argparse

from medml.commands import Printed, command
from medml.errors import UserError
from medml.evaluate.sample_size import advice, max_r2cs


def options(parser: argparse.ArgumentParser) -> None:
    """What is known before training."""
    parser.add_argument("--events", type=int, required=True, metavar="N", help="patients with the outcome")
    parser.add_argument("--rows", type=int, required=True, metavar="N", help="patients altogether")
    parser.add_argument("--parameters", type=int, required=True, metavar="N",
                        help="predictors, each category but one of a column counted")
    known = parser.add_mutually_exclusive_group()
    known.add_argument("--auroc", type=float, metavar="VALUE",
                       help="what a published model of this outcome reached, where you know it (0.5-1)")
    known.add_argument("--r2", type=float, metavar="VALUE", help="or its R² of Cox and Snell, where that was published")


@command("size", "how many patients so many predictors need (Riley's criteria)", options)
def do_size(args: argparse.Namespace) -> Printed:
    """Riley's three criteria in words."""
    if not 0 < args.events < args.rows:
        raise UserError(what=f"{args.events:,} of {args.rows:,} patients cannot have the outcome here.",
                        fix="There must be some with the outcome and some without.", code="no_events")
    if args.parameters < 1:
        raise UserError(what="A model needs at least one predictor.", fix="Give --parameters 1 or more.",
                        code="no_parameters")
    if args.auroc is not None and not 0.5 < args.auroc < 1:
        raise UserError(what=f"An AUROC of {args.auroc:g} cannot be used.", fix="Give a value between 0.5 and 1.",
                        code="bad_auroc")
    largest = max_r2cs(args.events / args.rows)
    if args.r2 is not None and not 0 < args.r2 < largest:
        raise UserError(what=f"An R² of {args.r2:g} cannot be used.", code="bad_r2",
                        fix=f"With so many events R² (Cox and Snell) lies between 0 and {largest:.3f}.")
    found = advice(args.rows, args.events, args.parameters, auroc=args.auroc, r2cs=args.r2)
    yield found.sentence
    yield f"  so that effects are not overstated (shrinkage of at least 0.9): {found.needed.shrinkage:,}"
    yield f"  so that the fit does not look better than it is (optimism of at most 0.05): {found.needed.optimism:,}"
    yield f"  so that the overall risk is known within 5 points: {found.needed.precision:,}"
    yield f"  {args.events / args.parameters:.1f} events for each predictor; R² (Cox and Snell) taken as " \
          f"{found.needed.r2:.3f}, {found.where}."
