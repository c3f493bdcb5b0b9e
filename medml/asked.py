"""What the options of a command ask for: table, choice, recipe and configuration, each option checked."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from medml import families, home
from medml.config import propose_config
from medml.data.images.beside import Labels
from medml.data.images.columns import PATIENT
from medml.data.images.table import window_of
from medml.data.images.tags import patient_tag
from medml.data.index import shown_from
from medml.errors import UserError
from medml.families import Param
from medml.profile import left_out, propose_choice
from medml.profile.choice import find, unusable
from medml.recipe import propose_recipe
from medml.roots import check_source, existing
from medml.types import Choice, Column, PicturePlan, Profile, Recipe, SelectionPlan, TableRef, TrainConfig


def picked(args: argparse.Namespace, profile: Profile) -> Choice:
    """Table, outcome, patient and columns that the command's options and MedML's proposals make together."""
    choice = with_plan(args, chosen(args, profile))
    if args.patient_tag is not None and choice.pictures is None:
        raise UserError(what="--patient-tag is for pictures in DICOM files, and this is a table.", code="no_pictures",
                        fix="Leave it out, and name a column with --patient.")
    return choice


def configured(args: argparse.Namespace, profile: Profile, choice: Choice) -> tuple[TrainConfig, Recipe]:
    """The configuration and the recipe for that choice."""
    found = profile.table(choice.table)
    profile_sha256 = home.sha256_of(profile)
    recipe = joining(args.merge, found.column(choice.target), propose_recipe(found, choice, profile_sha256))
    recipe = without(args.without, recipe)
    config = propose_config(found, choice, recipe, profile_sha256=profile_sha256, data_sha256=found.sha256,
                            family=family_named(args.family, choice), seed=args.seed, folds=args.folds, name=args.name,
                            select=args.select, anew=args.divide_anew)
    selection = config.selection.model_copy(update={"forced_in": args.force_in, "forced_out": args.force_out})
    return config.model_copy(update={"params": settings(args, config),
                                     "selection": SelectionPlan.model_validate(selection.model_dump())}), recipe


def chosen(args: argparse.Namespace, profile: Profile) -> Choice:
    """What the options pick, and for the rest what a scan proposes: its columns to leave out too, but for --keep."""
    table = chosen_table(args, profile)
    patient = PATIENT if args.patient is None and args.patient_tag is not None and has_patients(profile) \
        else args.patient

    def choose(names: list[str]) -> Choice:
        return propose_choice(profile, table=table, target=args.target, patient=patient, leave_out=names,
                              positive=args.positive)

    first = choose(args.drop)
    found = profile.table(first.table)
    for name in args.keep:
        refuse_keeping(find(found, name), args.drop)
    proposed = [each.column for each in left_out(found, first.target, first.patient)]
    return choose([*args.drop, *(name for name in proposed if name not in (*args.drop, *args.keep))])


def has_patients(profile: Profile) -> bool:
    """Whether there are pictures with a column of patients that came from a tag."""
    return any(each.ref.patient_tag is not None for each in profile.tables)


def refuse_keeping(column: Column, dropped: list[str]) -> None:
    """UserError where a column named by --keep is to be left out as well, or can predict nothing."""
    if column.name in dropped:
        raise UserError(what=f"{column.name} cannot be kept and left out at once.", code="keep_and_drop",
                        fix="Name it after --keep or after --drop.")
    if unusable(column):
        raise UserError(what=f"{column.name} cannot be used to predict: it is an identifier, or holds one value alone.",
                        fix="Leave --keep away. If it tells patients apart, name it after --patient.",
                        code="keep_unusable")


def without(names: list[str], recipe: Recipe) -> Recipe:
    """The recipe with these steps switched off; UserError lists the steps where one is not there."""
    there = [step.name for step in recipe.steps]
    for name in names:
        if name not in there:
            raise UserError(what=f"The cleanup of this table has no step “{name}”.",
                            fix=f"It has: {', '.join(there)}.", code="no_step")
    return recipe.model_copy(update={"steps": [step.model_copy(update={"on": step.on and step.name not in names})
                                               for step in recipe.steps]})


def joining(pairs: list[str], outcome: Column, recipe: Recipe) -> Recipe:
    """The recipe with the outcome's classes joined as --merge NAME=A,B says; UserError where they are not there."""
    if not pairs:
        return recipe
    there = [each.label for each in outcome.levels]
    groups = {name: members.split(",") for name, _, members in (pair.partition("=") for pair in pairs)}
    named = [member for members in groups.values() for member in members]
    if "join_classes" not in [step.name for step in recipe.steps]:
        raise UserError(what=f"{outcome.name} is not an outcome of several classes.", code="no_classes",
                        fix="Leave --merge away; --positive says which answer counts as yes.")
    alone = set(there) - set(named)
    if any(len(members) < 2 or name in alone for name, members in groups.items()) or not set(named) <= set(there) or \
            len(named) > len(set(named)) or len(alone) + len(groups) < 2:
        raise UserError(what=f"Classes of {outcome.name} cannot be joined like that.", code="no_such_class",
                        fix=f"Write --merge NAME=A,B with two or more of: {', '.join(there)}. Two must be left.")
    return recipe.model_copy(update={"steps": [
        step.model_copy(update={"params": {"classes": groups}}) if step.name == "join_classes" else step
        for step in recipe.steps]})


def chosen_table(args: argparse.Namespace, profile: Profile) -> TableRef | None:
    """The table that --table and --sheet name, or the only one; UserError lists them where it is not clear."""
    if args.table is None and len(profile.tables) < 2:
        return None
    if args.labels is not None:
        return labelled(args.labels, profile)
    if args.table is None and args.sheet is None and any(each.pictures for each in profile.tables):
        return None  # where pictures are many they are meant, and else the proposal says what to add
    found = [each.ref for each in profile.tables
             if args.table in (None, each.ref.path, each.ref.label) and args.sheet in (None, each.ref.sheet)]
    if len(found) == 1:
        return found[0]
    shown = found or [each.ref for each in profile.tables]
    listed = ", ".join(f'--table "{each.path}"' + (f' --sheet "{each.sheet}"' if each.sheet else "")
                       for each in shown[:5])
    what = f"There are {len(found)} tables that may be meant." if found else f"There is no table “{args.table}”."
    raise UserError(what=what, fix=f"Add one of: {listed}{', …' * (len(shown) > 5)}.", code="several_tables")


def told(args: argparse.Namespace, source: Path) -> Labels | None:
    """What --labels, --file-column and --patient-tag say of the pictures; UserError where one of them cannot be."""
    if args.labels is args.file_column is args.patient_tag is None:
        return None
    return Labels(None if args.labels is None else shown_from(source, check_source(existing(args.labels))),
                  args.file_column, None if args.patient_tag is None else patient_tag(args.patient_tag))


def refuse_unjoined(args: argparse.Namespace, profile: Profile) -> None:
    """UserError where --labels or --file-column were given and no picture is named by that table or column."""
    if (args.labels or args.file_column) and not any(
            each.pictures is not None and each.ref.path != "." and each.ref.key == args.file_column
            for each in profile.tables):
        raise UserError(what="That table or column names none of the pictures.", code="no_labels",
                        fix="It must hold file names, SOPInstanceUIDs or PatientIDs of the pictures in this folder (or "
                            "what --patient-tag names), or the StudyInstanceUID or accession number of their study.")


def labelled(labels: str, profile: Profile) -> TableRef:
    """The pictures as the table in that file labels them; UserError where the scan did not join the two."""
    named = existing(labels)
    for each in profile.tables:
        if each.pictures is not None and each.ref.path == shown_from(Path(profile.source), named):
            return each.ref
    raise UserError(what=f"“{Path(labels).name}” does not label the pictures.", code="no_labels",
                    fix="It needs a column that holds their file names, SOPInstanceUIDs or PatientIDs.")


def with_plan(args: argparse.Namespace, choice: Choice) -> Choice:
    """The choice with --size, --window and --frames; UserError where there are no pictures to bring to a size."""
    asked = {name: value for name in ("size", "window", "frames") if (value := getattr(args, name)) is not None}
    if not asked:
        return choice
    if choice.pictures is None:
        raise UserError(what=f"--{next(iter(asked))} is for pictures, and this is a table.", code="no_pictures",
                        fix="Leave it out, or name a folder of pictures.")
    try:
        plan = PicturePlan.model_validate(choice.pictures.model_dump() | asked)
    except ValidationError:
        raise UserError(what=f"Pictures cannot be brought to {args.size} pixels a side.", code="bad_size",
                        fix="Give a number from 16 to 1024.") from None
    window_of(plan.window)
    return choice.model_copy(update={"pictures": plan})


def family_named(name: str | None, choice: Choice) -> str | None:
    """The family of that name, for what is learned from; UserError lists what there is. None stays None."""
    there = families.seeing("columns" if choice.pictures is None else "pictures")
    if name is not None and name not in there:
        raise UserError(what=f"There is no family called “{name}”" +
                             (" for pictures." if choice.pictures and name in families.registry.names() else "."),
                        fix=f"Choose one of: {', '.join(sorted(there))}.", code="no_family")
    return name


def settings(args: argparse.Namespace, config: TrainConfig) -> dict[str, Any]:
    """--set key=value and --epochs N, checked against what the family declares."""
    family = families.registry.get(config.family)
    title, known = family.titled(config.choice.task), {param.name: param for param in family.params}
    given = dict(pair.split("=", 1) if "=" in pair else (pair, "") for pair in args.set)
    if args.epochs is not None:
        name = next((each for each in ("epochs", "trees", "rounds") if each in known), None)
        if name is None:
            raise UserError(what=f"“{title}” is fitted in one go and has no rounds to set.",
                            fix="Leave --epochs out, or choose --family mlp.", code="no_rounds")
        given[name] = str(args.epochs)
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise UserError(what=f"“{title}” has no setting “{unknown[0]}”.",
                        fix=f"It has: {', '.join(sorted(known)) or 'none'}.", code="no_setting")
    return config.params | {name: typed(known[name], text) for name, text in given.items()}


def typed(param: Param, text: str) -> Any:
    """The text of --set as the value that a parameter declares; UserError outside its range."""
    if param.kind == "choice":
        allowed, value = f"one of {', '.join(param.choices)}", text if text in param.choices else None
    elif param.kind == "switch":
        allowed, value = "on or off", {"on": True, "true": True, "off": False, "false": False}.get(text.lower())
    else:
        allowed, value = f"a number from {param.low:g} to {param.high:g}", number(text, whole=param.kind == "int")
        value = value if value is not None and param.low <= value <= param.high else None
    if value is None:
        raise UserError(what=f"{param.name}={text} cannot be used.", code="setting",
                        fix=f"{param.title} takes {allowed}.")
    return value


def number(text: str, *, whole: bool) -> float | int | None:
    try:
        return int(text) if whole else float(text)
    except ValueError:
        return None
