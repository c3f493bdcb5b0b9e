"""`scan`: structure and aggregates of a folder or a file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from medml.asked import refuse_unjoined, told
from medml.commands import Printed, command
from medml.commands._json import profile_as_json
from medml.commands._options import source as options
from medml.commands._places import check_json, save_json
from medml.profile import by_reason, for_owner, left_out, scan_listed
from medml.profile.folder import JOIN, in_common, no_table
from medml.profile.outcomes import balance
from medml.profile.pictures import often_written, untold
from medml.roots import existing
from medml.terminal import Bar, table
from medml.types import Column, FileEntry, PictureFacts, Table

MOST_NAMED = 5  # files of which the same is said

@command("scan", "look at a folder or a file: structure and aggregates only", options)
def do_scan(args: argparse.Namespace) -> Printed:
    """Profile a folder or a file; structure and aggregates alone."""
    source = existing(args.source)
    check_json(args, source)
    profile, named = scan_listed(source, sheet=args.sheet, labels=told(args, source), watch=Bar())
    refuse_unjoined(args, profile)
    known = for_owner(named, profile.files)
    save_json(args.json, profile_as_json(profile) | {"files": [each.model_dump(mode="json") for each in known]}, source)
    lines = []
    for found in profile.tables:
        lines += [f"{found.ref.label}: {found.rows:,} rows, {len(found.columns)} columns, "
                  f"{found.duplicates:,} duplicate rows"]
        lines += [table([_column_row(column) for column in found.columns[:60]],
                        ["column", "kind", "missing", "distinct", "look at"])]
        lines += pictures_in_words(found.pictures) if found.pictures else []
        lines += [each for t in found.targets[:1] for each in (f"Proposed outcome: {t.column} ({t.reason})",
                                                               f"  {balance(found.column(t.column))}") if each.strip()]
        lines += [f"Patient column: {found.patient.column} ({found.patient.reason})"] if found.patient else []
        lines += proposed_out(found)
        lines += [""]
    if shared := in_common(profile):
        lines += [f"Note: {shared} {JOIN}", ""]
    return lines + of_files([entry for entry in known if entry.action not in ("read", "ignore")]) + \
        ([] if profile.tables else [(why := no_table(profile.files)).what, why.fix])


def of_files(entries: Sequence[FileEntry]) -> Printed:
    """What must be said of files; of many of which the same is said the first few are named. --json has them all."""
    alike: dict[str, list[str]] = {}
    for entry in entries:
        alike.setdefault(entry.message or entry.reason_code or "", []).append(entry.path)
    many = {said: f"{', '.join(paths[:MOST_NAMED])} and {len(paths) - MOST_NAMED:,} more: {said}"
            for said, paths in alike.items() if len(paths) > MOST_NAMED}
    return [f"{path}: {said}" for said, paths in alike.items() if said not in many for path in paths] + [*many.values()]


def proposed_out(found: Table) -> Printed:
    """The columns that a training leaves out unless a person keeps them, with the reasons."""
    out = left_out(found, found.targets[0].column if found.targets else None,
                   found.patient.column if found.patient else None)
    return ["Proposed to leave out:", *(f"  {names}: {reason}" for names, reason in by_reason(out))] if out else []


def pictures_in_words(facts: PictureFacts) -> Printed:
    """What a scan knows of pictures: counts of files by kind, then what to look at."""
    by = [f"{name}: {', '.join(f'{what} {n:,}' for what, n in list(counts.items())[:6])}"
          for name, counts in facts.by.items()]
    near = "could not tell" if facts.near is None else f"{facts.near:,} ({facts.near_across:,} in another class)"
    text = "could not tell" if facts.text_like is None else f"{facts.text_like:,}"
    often = ", ".join(f"{what} {n:,}" for what, n in often_written(facts).items())
    named = ", ".join(f"{tag} {n:,}" for tag, n in list(facts.identifiers.items())[:8])
    return [f"Shorter side {facts.side[0]:,} to {facts.side[2]:,} pixels · " + " · ".join(by),
            f"Cannot be decoded: {facts.damaged + facts.unread:,}. Equal to an earlier one: {facts.copies:,} "
            f"({facts.copies_across:,} in another class), nearly equal: {near}.",
            f"Burned-in text declared: {facts.burned_in:,}, writing at the borders: {text}.",
            *([" ".join(untold(facts))] if untold(facts) else []),
            *([f"Of machines that often write into their pictures: {often}"] if often else []),
            *([f"Tags that identify a person, in how many files: {named}"] if named else []),
            *(["They came with a split of their own, which is kept."] if facts.own_split else [])]


def _column_row(column: Column) -> tuple[str, ...]:
    about = "" if column.distinct_is_exact else "about "
    return (column.name, column.kind.replace("_", "/"), f"{column.missing:,}", f"{about}{column.distinct:,}",
            "; ".join(each.what for each in column.suspicions))
