"""A Snapshot as text for a model to read: what matters for the stage and the question first, within a budget."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from medml.copilot.facts import STAGES, ColumnFacts, Figure, GroupFacts, Setting, Snapshot, Stage
from medml.copilot.intents import intents
from medml.copilot.tokens import cut, most
from medml.families.family import plainly

LONGEST_LINE = 90  # tokens of one fact
ABOUT = {  # what each stage is about, when the question does not say
    "home": {"size"}, "scan": {"columns", "missing", "leak", "size"}, "preview": {"columns", "missing"},
    "cleanup": {"cleanup", "missing"}, "configure": {"settings", "size", "split"},
    "train": {"underfit", "overfit", "settings"}, "evaluate": {"trust", "calibration", "baseline"},
    "explain": {"explain", "columns", "groups"}, "predict": {"predict", "threshold", "calibration"}}


@dataclass(frozen=True, slots=True)
class Line:
    """One fact: how much it matters anyway, what it is about, and where it stands in the text."""

    section: int
    weight: float
    about: frozenset[str]
    text: str


def as_text(snapshot: Snapshot, stage: Stage, question: str, budget: int) -> str:
    """The facts, a line each, at most `budget` tokens as `tokens.most` counts them.

    raises  ValueError for a stage that does not exist or a budget under 60 tokens
    """
    if stage not in STAGES or budget < 60:
        raise ValueError(f"no stage {stage!r}, or a budget of {budget} tokens: too few")
    asked, said = intents(question) | set(), question.lower()
    wanted = asked or ABOUT[stage]
    queue = [(-_score(line, wanted, ABOUT[stage], said), place, line) for place, line in enumerate(_lines(snapshot))]
    heapq.heapify(queue)
    kept, left = [], budget - 20  # the last line says how many facts are not shown
    while queue:
        _, place, line = heapq.heappop(queue)
        text, cost = line.text, most(line.text) + 1
        if cost > LONGEST_LINE:
            text = cut(text, LONGEST_LINE)
            cost = most(text) + 1
        if cost > left:
            break
        kept.append((line.section, place, text))
        left -= cost
    rest = [f"({len(queue) + 1} more facts are not shown.)"] if queue else []
    return "\n".join([text for _, _, text in sorted(kept)] + rest)


def _score(line: Line, wanted: frozenset[str] | set[str], usual: set[str], said: str) -> float:
    named = any(len(part) > 2 and part.lower() in said for part in _names(line.text))
    return line.weight + 40 * bool(line.about & wanted) + 10 * bool(line.about & usual) + 80 * named


def _names(text: str) -> list[str]:
    return [part.split("›")[0] for part in text.split("‹")[1:]]


def quoted(name: str) -> str:
    """A name between marks that say: this is data."""
    return f"‹{name}›"


def _lines(s: Snapshot) -> Iterator[Line]:
    yield from _table(s)
    yield from _model(s)
    yield from _report(s)
    yield from (_column(each) for each in s.columns if each.role != "outcome")


def _line(section: int, weight: float, about: str, text: str) -> Line:
    return Line(section, weight, frozenset(about.split()), text)


def _table(s: Snapshot) -> Iterator[Line]:
    rows = "fewer than 10 rows" if s.rows is None else f"{s.rows:,} rows"
    counted = f", {s.cases:,} cases" if s.cases else ""
    counted += f", {s.patients:,} patients" if s.patients and s.patients != s.cases else ""
    yield _line(0, 200, "size", f"Stage: {s.stage}. {s.of.capitalize()}: {rows}{counted}, {len(s.columns)} columns, "
                                f"{len(s.predictors)} of them predictors.")
    if s.parameters and s.target:
        yield _line(0, 20, "size", f"A plain model of it would learn about {s.parameters} numbers (parameters).")
    if s.target:
        classes = "; ".join(f"‹{each.label}› {each.share}" for each in s.classes)
        yield _line(1, 190, "imbalance columns", f"Outcome ‹{s.target}› ({s.task}). Classes: {classes or 'a number'}.")
    if s.duplicates != "none":
        yield _line(2, 40, "cleanup", f"Exact copies of rows: {s.duplicates}.")
    yield _line(2, 35, "split size", f"Patients come back in several rows: {'yes' if s.repeats else 'no'}; column that "
                                     f"tells them apart: {quoted(s.patient) if s.patient else 'none chosen'}.")
    if s.unread != "none":
        yield _line(2, 30, "cleanup", f"Files of the folder that could not be read: {s.unread}.")
    off = [each.title for each in s.steps if not each.on]
    if s.steps:
        yield _line(2, 25, "cleanup missing", f"Cleanup: {', '.join(each.title for each in s.steps if each.on)}; "
                                              f"switched off: {', '.join(off) or 'none'}.")


def _model(s: Snapshot) -> Iterator[Line]:
    run, curve = s.run, s.curve
    if run:
        yield _line(3, 120, "settings split", f"Model: {run.title}, split by {run.by}, {run.folds} folds x "
                    f"{run.repeats} ({run.scheme.replace('_', ' ')}); configurations tried so far: {run.compared}.")
        yield from (_setting(each) for each in run.settings)
    if curve:
        yield _line(5, 60, "underfit overfit", f"Curve over {curve.rounds} rounds: {curve.shape}. Training loss "
                    f"{_or(curve.train_first)} to {_or(curve.train_last)}; unseen {_or(curve.unseen_first)} to "
                    f"{_or(curve.unseen_last)}, best {_or(curve.unseen_best)} at round {curve.best_round}.")


def _or(value: float | None) -> str:
    return "not known" if value is None else f"{value:g}"


def _setting(each: Setting) -> Line:
    bounds = "" if each.low is None or each.high is None else f", {plainly(each.low)} to {plainly(each.high)}"
    moved = 15 * (each.value != each.usual)
    return _line(4, 10 + moved, "settings underfit overfit", f"Setting {each.name} ({each.title}): "
                 f"{_value(each, each.value)}; usual here {_value(each, each.usual)}{bounds}.")


def _value(each: Setting, value: object) -> str:
    return each.zero if each.zero and value == 0 else plainly(value)


def in_words(each: Figure) -> str:
    """A figure with its interval: "AUROC 0.91 (0.87 to 0.95)"."""
    interval = "" if each.low is None or each.high is None else f" ({each.low:g} to {each.high:g})"
    return f"{each.title} {each.value:g}{interval}"


def _report(s: Snapshot) -> Iterator[Line]:
    report = s.report
    if report is None:
        return
    for each in report.figures:
        beside = "" if each.baseline is None else f"; {each.baseline_name}: {each.baseline:g}"
        about = f"trust baseline {each.name} {'specificity' if each.name == 'ppv' else ''}"
        yield _line(6, 100 if each.name == report.headline else 30, about, f"{in_words(each)}{beside}.")
    told = "; ".join(in_words(each) for each in report.calibration.values())
    if told:
        yield _line(7, 50, "calibration trust", f"{told}.")
    yield _line(7, 45, "threshold sensitivity specificity",
                f"Measured on {report.measured_on}. Threshold: {_or(report.threshold)}. Notes: "
                f"{'; '.join(report.stamps) or 'none'}.")
    if report.silent is not None:
        yield _line(7, 15, "predict", f"It would give no number for {100 * report.silent:.0f} % of these patients.")
    for each in report.checks:
        weight = {"block": 70, "warn": 55, "could_not_tell": 20, "info": 10}[each.verdict]
        yield _line(8, weight, f"trust {_ABOUT.get(each.id, '')}", f"Check {each.id} {each.title} "
                    f"[{each.verdict.replace('_', ' ')}]: {each.said} {each.fix}".rstrip())
    for each in report.groups:
        yield _line(9, 5, "groups", f"Group ‹{each.column}› = ‹{each.label}› ({each.share} of cases): {_in(each, s)}.")


def _in(group: GroupFacts, s: Snapshot) -> str:
    """How well the model does in a group: "AUROC 0.71 (0.62 to 0.8)"."""
    if group.value is None or s.main is None:
        return "not enough to say"
    return in_words(s.main.model_copy(update={"value": group.value, "low": group.low, "high": group.high}))


_ABOUT = {"L1": "split", "L2": "split", "L3": "cleanup leak", "L4": "leak columns", "L5": "columns",
          "L6": "leak columns", "L11": "leak", "L12": "leak", "L13": "leak", "L14": "leak", "N1": "size",
          "N2": "size imbalance", "N3": "size split", "N4": "imbalance size", "M1": "missing", "E1": "imbalance",
          "E3": "overfit", "E4": "calibration", "E5": "benefit", "E6": "threshold", "E7": "baseline", "E8": "overfit",
          "F1": "groups", "X1": "external", "P1": "predict"}


_PLAIN = {"yes_no": "yes or no", "sentinel_missing": "codes for missing", "mostly_missing": "often missing"}


def _column(each: ColumnFacts) -> Line:
    parts = [f"{_PLAIN.get(each.kind, each.kind)}, {each.role}"]
    if each.missing:
        parts.append("gaps in fewer than 10 rows" if each.missing == 0.5 else f"{each.missing:g} % missing")
    if each.low is not None:
        parts.append(f"mostly {each.low:g} to {each.high:g}")
    if each.median is not None:
        parts.append(f"median {each.median:g} {each.unit}".strip())
    parts += [_PLAIN.get(worry.code, worry.code.replace("_", " "))
              + (f" (AUROC {worry.auroc:g})" if worry.auroc else "")
              for worry in each.worries]
    if each.kept is not None:
        parts.append(f"kept in {100 * each.kept:.0f} % of the folds")
    heavy = max((30 if worry.severity != "note" else 12 for worry in each.worries), default=0)
    about = "columns missing explain" + (" leak" if heavy else "")
    return _line(10, heavy + min(each.missing, 60) / 4 + 5 * (each.role == "predictor"), about,
                 f"Column ‹{each.name}›: {'; '.join(parts)}.")
