"""What to do next at each stage: one rule a stage, always with a figure and a name of this work."""

from __future__ import annotations

from medml.copilot.adviser import Advice, rule
from medml.copilot.adviser.columns import questioned
from medml.copilot.adviser.words import bold, outcome
from medml.copilot.facts import Snapshot


def _table(s: Snapshot) -> str:
    return "fewer than 10 rows" if s.rows is None else f"{s.rows:,} rows"


@rule("at_home", about="next", at="home", weight=10)
def at_home(s: Snapshot) -> Advice | None:
    """A project was chosen."""
    if not s.columns:
        return None
    return Advice(f"This project has {_table(s)} and {len(s.columns)} columns, {bold(s.columns[0].name)} the first.",
                  "open it and look at what the scan found")


@rule("at_scan", about="next", at="scan", weight=12)
def at_scan(s: Snapshot) -> Advice | None:
    """Pick an outcome."""
    if not s.columns:
        return None
    asking = len(questioned(s))
    picked = f"{bold(s.target)} is picked as the outcome" if s.target else \
        f"no outcome is picked yet; the columns begin with {bold(s.columns[0].name)}"
    then = "answer these questions, then look at the Preview" if asking else "look at the Preview"
    return Advice(f"{_table(s).capitalize()}, {len(s.columns)} columns, {asking or 'none'} of them with a question; "
                  f"{picked}.", then if s.target else "pick the outcome to predict")


@rule("at_preview", about="next", at="preview", weight=12)
def at_preview(s: Snapshot) -> Advice | None:
    """Look at a sample."""
    if not s.columns:
        return None
    return Advice(f"{len(s.predictors)} columns would be used to predict {outcome(s)} in {_table(s)}.",
                  "look whether the sample shows what you expect, then go on to Cleanup")


@rule("at_cleanup", about="next cleanup", at="cleanup", weight=12)
def at_cleanup(s: Snapshot) -> Advice | None:
    """Read the steps."""
    if not s.steps:
        return None
    on = sum(each.on for each in s.steps)
    return Advice(f"{on} of {len(s.steps)} cleanup steps are on before {outcome(s)} is learned; whatever they learn, "
                  "they learn from **training rows alone**.", "read why each step is proposed, then go on to Configure")


@rule("at_configure", about="next settings", at="configure", weight=12)
def at_configure(s: Snapshot) -> Advice | None:
    """Choose a family."""
    if s.run is None:
        return None
    return Advice(f"The {bold(s.run.title)} would be trained in {s.run.folds} folds x {s.run.repeats} on "
                  f"{s.cases or 0:,} cases of {outcome(s)}.", "start the training; usual settings are a good first try")


@rule("at_train", about="next underfit", at="train", weight=12)
def at_train(s: Snapshot) -> Advice | None:
    """Wait, or go on."""
    if s.run is None:
        return None
    rounds = f"{s.curve.rounds} rounds are recorded" if s.curve else "no round is recorded yet"
    return Advice(f"The {bold(s.run.title)} for {outcome(s)} learns from {s.cases or 0:,} cases; {rounds}.",
                  "go on to Evaluate once it has ended; the browser may be closed meanwhile")


@rule("at_evaluate", about="next trust", at="evaluate", weight=12)
def at_evaluate(s: Snapshot) -> Advice | None:
    """Work through the checks that ask for something (all_passed: none does)."""
    asking = sum(each.verdict in ("block", "warn") for each in s.report.checks) if s.report else 0
    if not asking:
        return None
    asks = "1 asks" if asking == 1 else f"{asking} ask"
    return Advice(f"{s.report.passed} checks of the model for {outcome(s)} are in order, {asks} for a look.",
                  "work through the Checks screen, the stops first")


@rule("at_explain", about="next explain", at="explain", weight=20)
def at_explain(s: Snapshot) -> Advice | None:
    """See what the model goes by."""
    if s.run is None or not s.predictors:
        return None
    return Advice(f"The {bold(s.run.title)} goes by {len(s.predictors)} columns, {bold(s.predictors[0].name)} among "
                  "them; "
                  "what goes with an answer is **no cause** of it.", "ask whether the strongest columns make sense "
                                                                     "to you")


@rule("at_predict", about="next predict", at="predict", weight=12)
def at_predict(s: Snapshot) -> Advice | None:
    """Use with care."""
    main = s.main
    if main is None:
        return None
    return Advice(f"The model for {outcome(s)} has {main.title} {main.value:g} on patients it had not seen; what is "
                  "typed here is stored nowhere.", "read the reasons and the open answers beside the number")
