"""What each command of `python -m medml` does: the same functions as the screens and the worker, run in place."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from medml import gallery, home, room
from medml.asked import configured, existing, refuse_unjoined, told
from medml.config import estimate
from medml.errors import UserError
from medml.evaluate import baselines, headline
from medml.evaluate.words import METRICS
from medml.profile import for_owner, scan, scan_listed
from medml.terminal import Bar, figure, table
from medml.types import Column, PictureFacts, Profile, Report

Printed = list[str]


def do_scan(args: argparse.Namespace) -> Printed:
    """Profile a folder or a file; structure and aggregates alone."""
    source = existing(args.source)
    _check_json(args, source)
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
        lines += [f"Proposed outcome: {t.column} ({t.reason})" for t in found.targets[:1]]
        lines += [f"Patient column: {found.patient.column} ({found.patient.reason})"] if found.patient else []
        lines += [""]
    other = [entry for entry in known if entry.action not in ("read", "ignore")]
    return lines + [f"{entry.path}: {entry.message or entry.reason_code}" for entry in other]


def pictures_in_words(facts: PictureFacts) -> Printed:
    """What a scan knows of pictures: counts of files by kind, then what to look at."""
    by = [f"{name}: {', '.join(f'{what} {n:,}' for what, n in list(counts.items())[:6])}"
          for name, counts in facts.by.items()]
    near = "could not tell" if facts.near is None else f"{facts.near:,} ({facts.near_across:,} in another class)"
    text = "could not tell" if facts.text_like is None else f"{facts.text_like:,}"
    named = ", ".join(f"{tag} {n:,}" for tag, n in list(facts.identifiers.items())[:8])
    return [f"Shorter side {facts.side[0]:,} to {facts.side[2]:,} pixels · " + " · ".join(by),
            f"Cannot be decoded: {facts.damaged:,}. Equal to an earlier one: {facts.copies:,} "
            f"({facts.copies_across:,} in another class), nearly equal: {near}.",
            f"Burned-in text declared: {facts.burned_in:,}, writing at the borders: {text}.",
            *([f"Tags that identify a person, in how many files: {named}"] if named else []),
            *(["They came with a split of their own, which is kept."] if facts.own_split else [])]


def _check_json(args: argparse.Namespace, source: Path) -> None:
    """Refuse a place for --json before the work, not after it."""
    if args.json is not None:
        output(args.json, source)


def _column_row(column: Column) -> tuple[str, ...]:
    about = "" if column.distinct_is_exact else "about "
    return (column.name, column.kind.replace("_", "/"), f"{column.missing:,}", f"{about}{column.distinct:,}",
            "; ".join(each.what for each in column.suspicions))


def do_train(args: argparse.Namespace) -> Printed:
    """The whole line in place: scan, propose, clean, train, evaluate."""
    from medml.train import open_held_out, train

    source, bar = existing(args.source), Bar()
    _check_json(args, source)
    profile = scan(source, sheet=args.sheet, labels=told(args, source), watch=bar)
    refuse_unjoined(args, profile)
    config, recipe = configured(args, source, profile)
    if bar.visible:
        bar.say("start", 0.0, estimate(profile.table(config.choice.table), config).sentence)
    bar = Bar()
    run = train(source, profile, recipe, config, watch=bar)
    if args.open and config.split.scheme == "held_out":
        open_held_out(run, source=source)
    opened = gallery.open_run(run)
    save_json(args.json, run_as_json(opened), source)
    return run_in_words(opened)


def do_continue(args: argparse.Namespace) -> Printed:
    """Train a finished run for N rounds more, in every fold and in the final model."""
    from medml.train import continue_run

    source = existing(args.source) if args.source else None
    checkpoint = continue_run(args.run, args.epochs, source=source, watch=Bar())
    opened = gallery.open_run(args.run)
    save_json(args.json, run_as_json(opened))
    return [f"Checkpoint {checkpoint.number}: {checkpoint.rounds:,} rounds in all.", *run_in_words(opened)]


def do_revert(args: argparse.Namespace) -> Printed:
    """Go back to an earlier checkpoint: model, folds and figures."""
    checkpoint = gallery.revert(args.run, args.to)
    return [f"{args.run} stands at checkpoint {checkpoint.number} again ({checkpoint.rounds:,} rounds). "
            "The later ones are still there."]


def do_open(args: argparse.Namespace) -> Printed:
    """Open the part that was kept closed; every look is counted."""
    from medml.train import open_held_out

    open_held_out(args.run, source=existing(args.source) if args.source else None, watch=Bar())
    opened = gallery.open_run(args.run)
    save_json(args.json, run_as_json(opened))
    return [f"Held-out part, opened {opened.report.looks} time(s):",
            *(f"  {title(name)}: {figure(metric)}" for name, metric in opened.report.held_out.items())]


def do_runs(args: argparse.Namespace) -> Printed:
    """Every run of the gallery, newest first."""
    found = gallery.runs()
    rows = [(each.run, each.name, each.unusable or f"{title(each.headline_name)} {figure(each.headline)}",
             each.target, each.source_file, each.made[:16].replace("T", " ")) for each in found]
    return [table(rows, ["run", "name", "result", "outcome", "file", "made (UTC)"])] if rows else \
        ["No run yet. `python -m medml train SOURCE --target COLUMN` makes one."]


def do_show(args: argparse.Namespace) -> Printed:
    """One run with its figures and checks."""
    opened = gallery.open_run(args.run)
    save_json(args.json, run_as_json(opened))
    return run_in_words(opened)


def do_compare(args: argparse.Namespace) -> Printed:
    """Two runs side by side: figures with intervals, and the settings that differ."""
    both = gallery.compare(args.left, args.right)
    rows = [(title(name), figure(a), figure(b)) for name, (a, b) in both["metrics"].items()]
    rows += [(name, a, b) for part in ("facts", "settings") for name, (a, b) in both[part].items()]
    reasons = gallery.why_not_comparable(gallery.open_run(args.left), gallery.open_run(args.right))
    warned = [f"[caution] {reason} A difference between their figures says nothing about which is better."
              for reason in reasons]
    return [table(rows, ["", args.left, args.right]), *warned]


def do_predict(args: argparse.Namespace) -> Printed:
    """Predict a file of patients; abstains, with the reason, where it should not answer."""
    from medml.predict import predict_file

    file = existing(args.file)
    out = output(args.out, file)
    answers = predict_file(args.run, file, sheet=args.sheet)
    save(out, answers.write_csv().encode())
    abstained = int(answers["abstained"].is_not_null().sum())
    report = gallery.open_run(args.run).report
    said = [] if report.threshold is None else \
        [f"“{report.positive}” is predicted from a probability of {report.threshold:g} on."]
    return [f"{len(answers):,} rows written to {args.out}; no answer for {abstained:,} of them (column “abstained” "
            "says why).", *said, *(f"Note: {stamp}." for stamp in report.stamps)]


def do_delete(args: argparse.Namespace) -> Printed:
    """Remove a run for good, once a person has said so: on the terminal, or by --yes in a script."""
    names = {each.run: each.name for each in gallery.runs()}
    asked = args.run in names and not args.yes
    if asked and not agreed(f"Delete “{names[args.run]}” ({args.run}) for good? It cannot be brought back."):
        return [f"{args.run} was not deleted."]
    gallery.delete(args.run)
    return [f"{args.run} was deleted. The clinician's own files were not touched."]


def do_demo(args: argparse.Namespace) -> Printed:
    """The whole line on the example table, with everything as MedML proposes it."""
    from medml.example import example_source

    return do_train(argparse.Namespace(
        source=str(example_source()), sheet=None, table=None, target="diagnosis", positive=None, patient=None, drop=[],
        family=None, set=[], select=False, force_in=[], force_out=[], epochs=None, seed=0, folds=None,
        name="Example", json=None, open=False, labels=None, file_column=None, patient_tag=None, size=None,
        window=None, frames=None))


def do_weights(args: argparse.Namespace) -> Printed:
    """Pretrained weights on this machine; a file that is named is checked and imported first."""
    from medml.vision import weights

    if args.file is not None:
        path = existing(args.file)
        weights.bring(path, args.backbone or path.stem.split("-")[0], scaling=args.scaling)
    rows = [(each.backbone, each.path.name, each.sha256[:16]) for each in weights.available()]
    return [table(rows, ["network", "file", "sha256 begins"])] if rows else [
        "No pretrained weights are on this machine. Networks begin from nothing, which takes more pictures and time.",
        f"Import a file with `python -m medml weights FILE`, or put it into {weights.folder()}."]


def do_jobs(args: argparse.Namespace) -> Printed:
    """What runs, what waits, what is done."""
    from medml import store

    rows = [(job.id[:12], job.kind, job.state, job.error["what"] if job.error else job.message,
             time.strftime("%Y-%m-%d %H:%M", time.gmtime(job.made))) for job in store.jobs()]
    return [table(rows, ["job", "kind", "state", "what", "made (UTC)"])] if rows else ["No job yet."]


def agreed(question: str) -> bool:
    """Ask on the terminal; UserError where there is nobody to answer."""
    if not sys.stdin.isatty():
        raise UserError(what="There is nobody at a terminal to ask whether that may be done, so nothing was done.",
                        fix="Add --yes if it may.", code="not_asked")
    sys.stderr.write(f"{question} Type yes to go on: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("yes", "y")


def title(name: str) -> str:
    """A metric's name in words."""
    return METRICS[name].title if name in METRICS else name


def profile_as_json(profile: Profile) -> dict[str, Any]:
    """What the Scan screen reads; `target` repeats `targets` under the name that scripts expect."""
    whole = profile.model_dump(mode="json")
    for found in whole["tables"]:
        found |= {"path": found["ref"]["path"], "sheet": found["ref"]["sheet"], "target": found["targets"]}
    return whole


def run_as_json(run: gallery.Run) -> dict[str, Any]:
    """What the Evaluate screen reads, with the figures that scripts ask for on top."""
    report, manifest, plan = run.report, run.manifest, run.config.split
    return {"run": run.run, "name": run.label.name, "task": report.task, "family": run.config.family,
            "target": run.config.choice.target, "checkpoint": run.chain.current,
            "split": {"by": plan.by, "scheme": plan.scheme, "folds": plan.folds, "repeats": plan.repeats,
                      "n_train": manifest.n_train, "n_test": manifest.n_test},
            "seconds": manifest.seconds, **report.model_dump(mode="json"),
            "chain": run.chain.model_dump(mode="json"), "manifest": manifest.model_dump(mode="json"),
            "config": run.config.model_dump(mode="json"), "recipe": run.recipe.model_dump(mode="json"),
            "history": [point.model_dump(mode="json") for point in run.history]}


def run_in_words(run: gallery.Run) -> Printed:
    """A run as it is printed: figures with intervals beside the baselines, then what a reviewer would ask."""
    report, main = run.report, headline(run.report)
    shown = [name for name in report.metrics if name not in report.hidden]
    beside = {name: row for name, row in report.baselines.items() if not baselines.is_its_own(run.config.family, name)}
    rows = [(title(name), *(figure(each.get(name)) for each in (report.metrics, *beside.values()))) for name in shown]
    return [f"Run {run.run} · {run.label.name}",
            f"{title(main)}: {figure(report.metrics[main])}, n = {report.n_cases:,}",
            f"Measured on {report.measured_on}; {counted_in_words(report)}", "",
            table(rows, ["", "this model", *(baselines.title(name, of_pictures=run.config.choice.pictures is not None)
                                             for name in beside)]), "",
            *in_question(report), *(f"Note: {stamp}." for stamp in report.stamps)]


def counted_in_words(report: Report) -> str:
    """Who was left out on the way, and what the figures at a threshold mean."""
    left = [f"{step.n_removed:,} left out as “{step.what.lower()}”" for step in report.flow if step.n_removed]
    said = ", ".join(left) if left else "no row was left out"
    if report.threshold is None:
        return f"{said}."
    return f"{said}. “{report.positive}” is said from a probability of {report.threshold:g} on."


def in_question(report: Report) -> Printed:
    """The checks that did not pass, worst first, each with the one thing to do."""
    order = {"block": 0, "warn": 1, "could_not_tell": 2}
    asked = sorted((check for check in report.checks if check.verdict in order), key=lambda each: order[each.verdict])
    passed = sum(check.verdict in ("pass", "info") for check in report.checks)
    return [f"[{check.verdict.replace('_', ' ')}] {check.id} {check.what} {check.fix}" for check in asked] + \
        [f"{passed} of {len(report.checks)} checks passed."]


def output(path: str, source: Path) -> Path:
    """Where a result may be written: not over what it is made from, and not into a folder that is not there."""
    place = Path(path).expanduser().resolve()
    if place == source or (source.is_dir() and place.exists() and source in place.parents):
        raise UserError(what=f"“{place.name}” is one of your own files: writing there would destroy it.",
                        fix="Give the result another name or another folder. Nothing was written.", code="own_file")
    if not place.parent.is_dir():
        raise UserError(what=f"There is no folder “{place.parent}” to write “{place.name}” into.",
                        fix="Make the folder first, or choose another. Nothing was written.", code="no_folder")
    return place


def save(place: Path, content: bytes) -> None:
    """Write a result whole or not at all; a full disk or a missing right in one sentence."""
    try:
        home.write_bytes(place, content, mode=0o644)
    except PermissionError as refused:
        raise UserError(what=f"You may not write into “{place.parent}”.", fix="Choose another folder.",
                        code="no_permission") from refused
    except OSError as error:
        raise (room.no_room() if room.is_full(error) else error) from error


def save_json(path: str | None, content: dict[str, Any], source: Path | None = None) -> None:
    """Write --json FILE; NaN and infinity never get in. source: what was read, which is never written over."""
    if path is not None:
        save(output(path, source or home.home()), json.dumps(content, indent=2, allow_nan=False).encode())
