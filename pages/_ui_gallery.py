"""A run as a card, as a page of details, and two of them side by side."""

from __future__ import annotations

import streamlit as st

from medml import families, gallery
from medml.evaluate.words import title
from medml.gallery import Run, Summary
from pages import _ui as ui
from pages import _ui_stamps as stamps
from pages._ui_figures import figure
from pages._ui_metrics import cell

CURVES = {"roc": "ROC", "precision_recall": "Precision and recall", "calibration": "Calibration"}


def found(listed: list[Summary], words: str) -> list[Summary]:
    """Runs in whose name, notes, family, outcome, file or id every word occurs, whatever the case."""
    wanted = words.casefold().split()

    def text(each: Summary) -> str:
        parts = (each.name, each.notes, each.family, family_title(each.family), each.target, each.source_file, each.run)
        return " ".join(parts).casefold()

    return [each for each in listed if all(word in text(each) for word in wanted)]


def family_title(name: str) -> str:
    """A family's name on the screen; the stored name where it is not installed here."""
    return families.registry.get(name).title if name in families.registry.names() else name


def card(each: Summary) -> str:
    """HTML of a run's card: what it is, its headline figure with its interval, what must be said of it."""
    if each.unusable:
        return f'<p class="m-what">{ui.html(each.name, 80)}</p><p class="m-fix">{ui.html(each.unusable, 300)}</p>'
    facts = " · ".join([family_title(each.family), f"“{each.target}”", each.source_file])
    more = " · ".join([ui.count(each.n_patients, "patient"), ui.count(each.checkpoints, "checkpoint"),
                       ui.when(each.made)])
    notes = f'<p class="m-note m-lines">{ui.html(each.notes, 200)}</p>' if each.notes else ""
    return (f'<p class="m-what m-card-name">{ui.html(each.name, 80)}</p><p class="m-note">{ui.html(facts, 200)}</p>'
            f'<p class="m-note">{ui.html(more, 200)}</p>{figure(title(each.headline_name), each.headline, large=False)}'
            f'<p class="m-stamps">{stamps.chips(each.stamps)}</p>{notes}')


def details(run: Run) -> None:
    """Where a run comes from, how it was made, its checkpoints: names and hashes, no values."""
    made = run.manifest
    stamps.strip(run.report)
    facts = [("Family", family_title(run.config.family)), ("Outcome", made.target), ("File", made.source_file),
             ("Rows in the file", ui.count(made.n_rows)), ("Cases used", ui.count(made.n_cases)),
             ("Patients", ui.count(made.n_patients)), ("Data, SHA-256", made.data_sha256),
             ("Split, SHA-256", made.split_sha256), ("Measured on", run.report.measured_on),
             ("Seeds", ", ".join(f"{name} {value}" for name, value in made.seeds.items())),
             ("Made", f"{ui.when(made.made)}, in {ui.duration(made.seconds)}"), ("On", made.device),
             ("MedML", made.code_version)]
    left, right = st.columns(2, gap="medium")
    with left:
        ui.table(["What it was made from", ""], facts)
    with right:
        settings = list(run.config.params.items()) or [("Settings", "the usual ones")]
        steps = [(f"Cleanup: {step.name.replace('_', ' ')}", "on" if step.on else "off") for step in run.recipe.steps]
        ui.table(["How", ""], [*settings, ("Split by", run.config.split.by), ("Folds", run.config.split.folds),
                               ("Repeats", run.config.split.repeats), *steps])
    ui.table(["Checkpoint", "Rounds", "Made", title(gallery_headline(run))],
             [[f"{each.number}{' (now)' if each.number == run.chain.current else ''}", f"{each.rounds:,}",
               ui.when(each.made), cell(each.headline)] for each in run.chain.checkpoints], raw=(3,))


def gallery_headline(run: Run) -> str:
    """Which figure speaks for the run."""
    from medml.evaluate.words import HEADLINE

    return HEADLINE[run.report.task]


def side_by_side(left: str, right: str) -> None:
    """Figures with intervals, curves and what differs in the configuration."""
    a, b, both = gallery.open_run(left), gallery.open_run(right), gallery.compare(left, right)
    names = [a.label.name, b.label.name]
    if names[0] == names[1]:
        names = [f"{name} ({run})" for name, run in zip(names, (left, right), strict=True)]
    for name, run in zip(names, (a, b), strict=True):
        st.html(f'<p class="m-run"><strong>{ui.html(name, 120)}</strong> {stamps.chips(tuple(run.report.stamps))}</p>')
    if a.report.task != b.report.task or both["facts"]["data sha256"][0] != both["facts"]["data sha256"][1]:
        ui.say("caution", "These two were not judged on the same data and task.",
               "Do not read their difference as one model being better.")
    hidden = {*a.report.hidden, *b.report.hidden}
    ui.table(["Figure", *names], [[ui.html(title(name)), *map(cell, pair)] for name, pair in both["metrics"].items()
                                  if name not in hidden], raw=(0, 1, 2))
    ui.note("95 % intervals. Where they overlap widely, the two cannot be told apart on so few patients.")
    _curves(names, a, b)
    ui.section("What differs", "" if both["settings"] else "Nothing in their configuration.")
    if both["settings"]:
        ui.table(["Setting", *names], [[name, *map(_said, pair)] for name, pair in both["settings"].items()])
    ui.table(["Where from", *names], [[name.capitalize(), *map(_said, pair)] for name, pair in both["facts"].items()])


def _curves(names: list[str], a: Run, b: Run) -> None:
    from medml.plots import pairs

    shared = {which: (getattr(a.report, which), getattr(b.report, which)) for which in CURVES}
    shared = {which: pair for which, pair in shared.items() if None not in pair}
    for column, (which, pair) in zip(st.columns(max(1, len(shared)), gap="medium"), shared.items(), strict=False):
        with column, st.container(key=f"m_card_pair_{which}"):
            drawn = pairs.overlaid(which, dict(zip(names, pair, strict=True)), ink=ui.ink())
            ui.chart(drawn, f"{CURVES[which]}, with 95 % bands.", key=f"m_pair_{which}")


def _said(value: object) -> str:
    return "–" if value in (None, "") else str(value)
