"""`train`: the whole line in place."""

from __future__ import annotations

import argparse
from pathlib import Path

from medml import gallery
from medml.asked import configured, picked, refuse_unjoined, told
from medml.commands import Printed, _use, command
from medml.commands._json import run_as_json
from medml.commands._options import source
from medml.commands._places import check_json, save_json
from medml.commands._words import recipe_in_words, run_in_words
from medml.config import estimate
from medml.profile import by_reason, left_out, regrouped, scan
from medml.profile.choice import unusable
from medml.profile.pictures import mirrored
from medml.recipe import preview
from medml.roots import existing
from medml.sample import take
from medml.terminal import Bar
from medml.types import Profile, Recipe, TrainConfig
from medml.watch import Watch


def options(parser: argparse.ArgumentParser) -> None:
    """What `train` can be told."""
    source(parser)
    parser.add_argument("--table", metavar="PATH", help="which table of the folder, where it holds several")
    parser.add_argument("--target", "--label-column", required=True, metavar="COLUMN", help="what is to be predicted")
    parser.add_argument("--positive", metavar="VALUE",
                      help="the value that counts as yes; '>0' for any number above zero")
    parser.add_argument("--patient", metavar="COLUMN", help="what identifies a patient")
    parser.add_argument("--drop", action="append", default=[], metavar="COLUMN", help="leave a column out (repeatable)")
    parser.add_argument("--keep", action="append", default=[], metavar="COLUMN",
                        help="keep a column that MedML proposes to leave out (repeatable)")
    parser.add_argument("--without", action="append", default=[], metavar="STEP",
                        help="switch a step of the cleanup off, by the name that is printed (repeatable)")
    parser.add_argument("--merge", action="append", default=[], metavar="NAME=A,B",
                        help="count these classes of the outcome as one, under that name (repeatable)")
    parser.add_argument("--family", metavar="NAME", help="the safe choice where it is left out")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the family")
    parser.add_argument("--select", action="store_true", help="select predictors inside every fold")
    parser.add_argument("--force-in", action="append", default=[], metavar="COLUMN", help="always keep this predictor")
    parser.add_argument("--force-out", action="append", default=[], metavar="COLUMN", help="never keep this predictor")
    parser.add_argument("--epochs", type=int, metavar="N", help="rounds of training, or trees")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--folds", type=int, metavar="N")
    parser.add_argument("--divide-anew", action="store_true",
                        help="divide the patients, though the pictures came with a split of their own")
    parser.add_argument("--name", metavar="NAME", help="what to call the run")
    _use.options(parser)
    parser.add_argument("--open", action="store_true", help="open the held-out part at the end, and count the look")
    parser.add_argument("--size", type=int, metavar="PIXELS", help="side to which pictures are brought")
    parser.add_argument("--window", metavar="NAME|C,W", help="range of grey: lung, bone, soft tissue, brain, or 40,400")
    parser.add_argument("--frames", choices=("first", "middle", "all"), help="of files that hold several")


@command("train", "train and judge a model", options)
def do_train(args: argparse.Namespace) -> Printed:
    """The whole line in place: scan, propose, clean, train, evaluate."""
    from medml.copilot import give_way
    from medml.train import open_held_out, train

    source, bar = existing(args.source), Bar()
    check_json(args, source)
    profile, config, recipe = planned(args, source, bar)
    yield from proposals_in_words(source, profile, config, recipe)
    if bar.visible:
        bar.say("start", 0.0, estimate(profile.table(config.choice.table), config).sentence)
    bar = Bar()
    give_way(profile, recipe, config)
    run = train(source, profile, recipe, config, watch=bar)
    if args.open and config.split.scheme == "held_out":
        open_held_out(run, source=source)
    opened = gallery.open_run(run)
    save_json(args.json, run_as_json(opened), source)
    yield from run_in_words(opened)
    if args.open and config.split.scheme != "held_out":
        yield "No part was kept closed, so there was nothing to open: every case was judged by cross-validation."


def planned(args: argparse.Namespace, source: Path, watch: Watch) -> tuple[Profile, TrainConfig, Recipe]:
    """What the options ask for, once the folder was scanned. UserError for what the person can mend."""
    profile = scan(source, sheet=args.sheet, labels=told(args, source), watch=watch)
    refuse_unjoined(args, profile)
    choice = picked(args, profile)
    profile = regrouped(profile, choice, watch=watch)
    config, recipe = configured(args, profile, choice)
    return profile, _use.with_use(config, args, profile.table(config.choice.table)), recipe


def proposals_in_words(source: Path, profile: Profile, config: TrainConfig, recipe: Recipe) -> Printed:
    """Before the training begins: the columns that it leaves out, and the cleanup, each with its reason."""
    choice, table = config.choice, profile.table(config.choice.table)
    out = [each for each in left_out(table, choice.target, choice.patient) if each.column in choice.leave_out]
    for names, reason in by_reason(out):
        yield f"Left out: {names.removesuffix('.')}. {reason}"
    if any(not unusable(table.column(each.column)) for each in out):
        yield "--keep COLUMN keeps one that is known before the moment of prediction."
    against = mirrored(table.pictures, config.params.get("flip"))
    if against:
        yield f"{' '.join(against)} (--set flip=none)"
    held = take(source, table)
    effects = preview(held.frame, recipe, table, choice, short=held.short)
    yield from recipe_in_words(recipe, effects, counted_on=None if held.whole else held.rows)
    yield "--without STEP switches one off."
    yield ""
