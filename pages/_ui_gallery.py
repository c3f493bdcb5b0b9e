"""A run as a card, as a page of details, and two of them side by side."""

from __future__ import annotations

import numpy as np
import streamlit as st

import worker
from medml import gallery
from medml.evaluate.words import HEADLINE, meaning, title
from medml.gallery import Run, Summary
from medml.types import Metric
from pages import _ui as ui
from pages import _ui_settings as said
from pages import _ui_stamps as stamps
from pages._ui_chain import link_name
from pages._ui_figures import figure
from pages._ui_metrics import cell, provenance
from pages._ui_pictures import kept
from pages._ui_settings import family_title

CURVES = {"roc": "ROC", "precision_recall": "Precision and recall", "calibration": "Calibration"}

DEVICES = {"cpu": "the processor (CPU)", "cuda": "an NVIDIA graphics card", "mps": "Apple's graphics processor"}
FACTS = {"cases": "Cases", "patients": "Patients", "file": "File", "data sha256": "Fingerprint of the data",
         "measured on": "Measured on"}


def found(listed: list[Summary], words: str) -> list[Summary]:
    """Runs in whose name, notes, family, outcome, file or id every word occurs, whatever the case."""
    wanted = words.casefold().split()

    def text(each: Summary) -> str:
        parts = (each.name, each.notes, each.family, family_title(each.family, each.task), each.target,
                 each.source_file, each.run)
        return " ".join(parts).casefold()

    return [each for each in listed if all(word in text(each) for word in wanted)]


def card(each: Summary) -> str:
    """HTML of a run's card: what it is, its headline figure with its interval, what must be said of it."""
    if each.unusable:
        return f'<p class="m-what">{ui.html(each.name, 80)}</p><p class="m-fix">{ui.html(each.unusable, 300)}</p>'
    facts = " · ".join([family_title(each.family, each.task), f"“{each.target}”", each.source_file])
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
    facts = [("Family", family_title(run.config.family, run.report.task)), ("Outcome", made.target),
             ("File", made.source_file), ("Rows in the file", ui.count(made.n_rows)),
             ("Cases used", ui.count(made.n_cases)), ("Patients", ui.count(made.n_patients)),
             ("Measured on", run.report.measured_on),
             ("Made", f"{ui.when(made.made)}, in {ui.duration(made.seconds)}"),
             ("Computed by", DEVICES.get(made.device, made.device)), ("Version of MedML", made.code_version),
             ("Fingerprint of the data (SHA-256)", made.data_sha256),
             ("Fingerprint of the split (SHA-256)", made.split_sha256)]
    how = [said.setting(key, value, [run.config.family], run.report.task)
           for key, value in gallery.settings_of(run).items() if key not in ("family", "target")]
    left, right = st.columns(2, gap="medium")
    with left:
        ui.table(["What it was made from", ""], facts, fixed=True)
    with right:
        ui.table(["How it was made", ""], how, fixed=True)
    headline = HEADLINE[run.report.task]
    ui.table(["Checkpoint", "Rounds", "Made", title(headline)],
             [[link_name(each) + (", in use" if each.number == run.chain.current else ""),
               ui.count(each.rounds or None), ui.Cell(ui.when(each.made), each.made), cell(each.headline)]
              for each in run.chain.checkpoints], raw=(3,))


def side_by_side(left: str, right: str) -> None:
    """Figures with intervals, curves and what differs in the configuration; apart where they cannot be compared."""
    both = gallery.compare(left, right)
    a, b = both.runs
    names = [a.label.name, b.label.name]
    if names[0] == names[1]:
        names = [f"{name} ({run})" for name, run in zip(names, (left, right), strict=True)]
    if both.reasons:
        ui.say("caution", f"These two cannot be compared. {' '.join(both.reasons)}",
               "Each is shown by itself. To compare, train both on the same table and the same outcome.")
        apart(names, (a, b))
    else:
        together(names, both)
    ui.section("What differs", "" if both.settings else "Nothing in their configuration.")
    if both.settings:
        kinds = [a.config.family, b.config.family]
        rows = [(said.setting(key, one, kinds, a.report.task), said.setting(key, other, kinds, b.report.task))
                for key, (one, other) in both.settings.items()]
        ui.table(["Setting", *names], [[one[0], one[1], other[1]] for one, other in rows])
    ui.table(["Where from", *names], [[FACTS[name], *map(_short, pair)] for name, pair in both.facts.items()],
             fixed=True)


def apart(names: list[str], runs: tuple[Run, Run]) -> None:
    """Two cards, each with its own figure: nothing invites to take one from the other."""
    for column, name, run in zip(st.columns(2, gap="medium"), names, runs, strict=True):
        headline = HEADLINE[run.report.task]
        with column, st.container(key=f"m_card_apart_{run.run}", height="stretch"):
            ui.draw(f'<p class="m-what">{ui.html(name, 120)}</p><p class="m-stamps">'
                    f'{stamps.chips(tuple(run.report.stamps))}</p>')
            ui.number_with_interval(title(headline), run.report.metrics.get(headline), help=meaning(headline))
            ui.note(provenance(run.report))


def together(names: list[str], both: gallery.Comparison) -> None:
    """The same question asked twice: figures in one table, curves on each other."""
    a, b = both.runs
    for name, run in zip(names, both.runs, strict=True):
        ui.draw(f'<p class="m-run"><strong>{ui.html(name, 120)}</strong> {stamps.chips(tuple(run.report.stamps))}</p>')
    if both.caution:
        ui.say("note", both.caution)
    ui.table(["Figure", *names], [[ui.linked(title(name)), *map(cell, pair)] for name, pair in both.metrics.items()],
             raw=range(3))
    difference(names, a, b)
    _curves(names, a, b)


def difference(names: list[str], a: Run, b: Run) -> None:
    """Whether one of them is better: the paired difference on the cases that both judged, from the clinician's own
    folder, in memory."""
    found = None
    with ui.guard(), st.spinner("Comparing them patient by patient"):
        which = ("paired", a.run, a.chain.current, b.run, b.chain.current)
        found = kept(which, lambda: worker.ask("explained", part="paired", left=a.run, right=b.run, names=names))
    if found is None:
        return
    if str(found["why_not"]):
        ui.say("note", str(found["said"]), "Each has its own 95 % interval above; two that overlap may still differ.")
        return
    with st.container(key="m_card_paired"):
        st.html(f'<p class="m-what">{ui.html(str(found["said"]), 300)}</p>')
        ui.figures([(f"{title(name)}: the first minus the second", paired_figure(found, at))
                    for at, name in enumerate(found["figure"].tolist())])
        ui.note("Paired: both were asked about the same patients, so this says more than two intervals that overlap.")


def paired_figure(found: dict[str, np.ndarray], at: int) -> Metric:
    """One difference with its interval."""
    value, low, high = (None if np.isnan(found[name][at]) else float(found[name][at])
                        for name in ("value", "low", "high"))
    return Metric(value=value, low=low, high=high, n=int(found["n"]))


def _curves(names: list[str], a: Run, b: Run) -> None:
    from medml.plots import pairs

    shared = {which: (getattr(a.report, which), getattr(b.report, which)) for which in CURVES}
    shared = {which: pair for which, pair in shared.items() if None not in pair}
    ui.legend(pairs.shades(names, ui.ink()))
    for column, (which, pair) in zip(st.columns(max(1, len(shared)), gap="medium"), shared.items(), strict=False):
        with column, st.container(key=f"m_card_pair_{which}", height="stretch"):
            drawn = pairs.overlaid(which, dict(zip(names, pair, strict=True)), ink=ui.ink())
            ui.chart(drawn, f"{CURVES[which]}, with 95 % bands.", key=f"m_pair_{which}")


def _short(value: object) -> str:
    """A fact; of a fingerprint its beginning, which is enough to see whether two are the same."""
    if isinstance(value, int):
        return ui.count(value)
    words = "–" if value in (None, "") else str(value)
    return f"{words[:12]}…" if len(words) == 64 and " " not in words else words
