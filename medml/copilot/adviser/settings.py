"""Rules on how a model is trained: settings, split, and what the live curve says."""

from __future__ import annotations

from medml.copilot.adviser import Advice, rule
from medml.copilot.adviser.words import bold, less
from medml.copilot.facts import CurveFacts, RunFacts, Setting, Shape, Snapshot
from medml.copilot.proposal import propose, within

HUNGRY = {"mlp": 500, "cnn": 1_000}  # cases below which simpler families did as well (FACTS.md, tables)
RATE = ("rate",)


def _moved(s: Snapshot, zone: str) -> list[Setting]:
    return [each for each in (s.run.settings if s.run else []) if each.zone == zone and each.value != each.usual]


@rule("bold_setting", about="settings overfit", at="configure train", weight=50)
def bold_setting(s: Snapshot) -> Advice | None:
    """A setting in its aggressive zone."""
    found = _moved(s, "aggressive")
    if not found:
        return None
    each = found[0]
    return Advice(f"{bold(each.title)} of the {bold(s.run.title)} is {each.value:g}, an aggressive value; with this "
                  f"table {each.usual:g} is usual.", f"set {bold(each.title)} back to {each.usual:g}",
                  propose(s, each.name, each.usual, f"{each.value:g} is aggressive for so few cases"))


@rule("timid_setting", about="settings underfit", at="configure train", weight=32)
def timid_setting(s: Snapshot) -> Advice | None:
    """A setting in its cautious zone."""
    found = _moved(s, "cautious")
    if not found:
        return None
    each = found[0]
    return Advice(f"{bold(each.title)} of the {bold(s.run.title)} is {each.value:g}, a cautious value; "
                  f"{each.usual:g} is "
                  "usual. The model may miss what is there.", f"try {bold(each.title)} at {each.usual:g} too",
                  propose(s, each.name, each.usual, f"{each.value:g} is cautious and may learn too little"))


@rule("hungry_family", about="settings size overfit", at="configure", weight=46)
def hungry_family(s: Snapshot) -> Advice | None:
    """A network on few cases."""
    enough = HUNGRY.get(s.run.family) if s.run else None
    if enough is None or s.cases is None or s.cases >= enough:
        return None
    beside = "a pretrained network that stays frozen" if s.of == "pictures" else \
        "the best of several or logistic regression"
    return Advice(f"A {bold(s.run.title)} learns from {s.cases:,} cases here; below about {enough:,} simpler families "
                  "do as well and are steadier.", f"train {beside} beside it and compare")


@rule("rows_split", about="split trust", at="configure train", weight=85)
def rows_split(s: Snapshot) -> Advice | None:
    """Split by row although patients come back (L1)."""
    if s.run is None or s.run.by == "patient" or not s.repeats:
        return None
    return Advice(f"Patients come back in the {s.rows or 0:,} rows, and the {bold(s.run.title)} is split **by row**: "
                  "the same person would stand on both sides.", "choose the patient column on the Scan screen")


@rule("small_test", about="split size", at="configure evaluate", weight=40)
def small_test(s: Snapshot) -> Advice | None:
    """A held-out part of few cases (N3)."""
    if s.run is None or s.run.scheme != "held_out" or s.cases is None or s.cases >= 800:
        return None
    return Advice(f"One part of {s.cases:,} cases is held out to judge the {bold(s.run.title)}: too few for a narrow "
                  "interval. **Cross-validation** judges every case once.", "choose cross-validation")


@rule("one_division", about="split trust", at="configure", weight=22)
def one_division(s: Snapshot) -> Advice | None:
    """One division into folds is partly luck."""
    if s.run is None or s.run.scheme != "cross_validation" or s.run.repeats > 1 or (s.cases or 999) >= 500:
        return None
    return Advice(f"The {s.cases:,} cases are divided once into {s.run.folds} folds for the {bold(s.run.title)}; "
                  "another division would give another figure.", "repeat the folds at least twice")


@rule("many_tried", about="overfit trust", at="configure evaluate", weight=47)
def many_tried(s: Snapshot) -> Advice | None:
    """The winner's curse (E3)."""
    if s.run is None or s.run.compared < 4:
        return None
    return Advice(f"{s.run.compared} configurations were tried on this outcome, the {bold(s.run.title)} among them: "
                  "the best of many looks better than it is (**winner's curse**).",
                  "decide for one by reason, and report how many were tried")


def _learning(s: Snapshot, shape: Shape) -> tuple[RunFacts | None, CurveFacts | None]:
    """Run and curve where the curve has that shape over rounds that somebody may set: the points of a regression are
    penalties, the one with the least inner loss is kept."""
    fits = s.run is not None and s.run.rounds_setting is not None and s.curve is not None and s.curve.shape == shape
    return (s.run, s.curve) if fits else (None, None)


@rule("over_learning", about="overfit underfit trust", at="train evaluate", weight=58)
def over_learning(s: Snapshot) -> Advice | None:
    """The unseen loss rises again."""
    run, curve = _learning(s, "over-learning")
    if run is None or run.family == "forest":  # trees that vote do not learn by heart by being many
        return None
    if run.setting("patience") is not None:
        return Advice(f"The loss of the {bold(run.title)} on unseen patients was lowest at round {curve.best_round} of "
                      f"{curve.rounds} ({curve.unseen_best:g}, in the end {curve.unseen_last:g}): then it began to "
                      "learn **by heart**. Its best round by its own trial is the one that is kept.",
                      "leave the rounds as they are; choose more cautious settings if training and unseen loss lie "
                      "far apart")
    setting = run.setting(run.rounds_setting)
    proposal = setting and propose(s, setting.name, int(within(setting, max(1, curve.best_round))),
                                   f"the loss on unseen patients was lowest at round {curve.best_round}")
    return Advice(f"The loss of the {bold(run.title)} on unseen patients was lowest at round {curve.best_round} of "
                  f"{curve.rounds} ({curve.unseen_best:g}, in the end {curve.unseen_last:g}): after that it learned "
                  "its own patients **by heart**.",
                  f"try about {curve.best_round} rounds or more cautious settings; that counts as one more "
                  "configuration tried", proposal)


@rule("still_improving", about="underfit next", at="train evaluate", weight=66)
def still_improving(s: Snapshot) -> Advice | None:
    """The unseen loss is still falling."""
    run, curve = _learning(s, "still improving")
    if run is None:
        return None
    setting = run.setting(run.rounds_setting)
    proposal = setting and propose(s, setting.name, int(within(setting, max(setting.value, curve.rounds) * 3 // 2)),
                                   f"the curve is still falling at round {curve.rounds}")
    return Advice(f"The loss of the {bold(run.title)} on unseen patients is {curve.unseen_last:g} at round "
                  f"{curve.rounds} and **still falling**.", "train for more rounds from the last checkpoint", proposal)


@rule("never_learned", about="underfit trust", at="train evaluate", weight=70)
def never_learned(s: Snapshot) -> Advice | None:
    """The loss never fell."""
    run, curve = _learning(s, "never learned")
    if run is None:
        return None
    rate = run.setting("rate")
    proposal = rate and propose(s, rate.name, within(rate, rate.usual if rate.value != rate.usual else rate.value * 3),
                                "the loss hardly fell at all")
    return Advice(f"The loss of the {bold(run.title)} on unseen patients went from {curve.unseen_first:g} to "
                  f"{curve.unseen_best:g} in {curve.rounds} rounds: it has learned next to **nothing**.",
                  "try a larger learning rate, or ask whether the columns can tell this outcome", proposal)


@rule("not_by_heart", about="overfit", at="train evaluate", weight=21)
def not_by_heart(s: Snapshot) -> Advice | None:
    """Nothing speaks for learning by heart (E8), or it cannot be told yet."""
    if s.run is None or over_learning(s) is not None or far_apart(s) is not None:
        return None
    if s.report is None:
        return Advice(f"Whether the {bold(s.run.title)} learns its patients **by heart** is told when it is judged on "
                      f"unseen ones, in {s.run.folds} folds.", "look at Evaluate once the training has ended")
    if s.main is None or not s.report.passed or s.report.check("E8") is not None:
        return None
    return Advice(f"The {bold(s.run.title)} does about as well on unseen patients ({s.main.title} {s.main.value:g}) as "
                  "on its own: check E8 (**optimism**) is in order.", "read the other checks too")


@rule("level_curve", about="underfit overfit", at="train", weight=20)
def level_curve(s: Snapshot) -> Advice | None:
    """Nothing more to win."""
    run, curve = _learning(s, "level")
    if run is None:
        return None
    return Advice(f"The loss of the {bold(run.title)} on unseen patients hardly moves any more: {curve.unseen_last:g} "
                  f"after {curve.rounds} rounds, so more of them would bring little.", "go on to Evaluate")


@rule("far_apart", about="overfit", at="train evaluate", weight=36)
def far_apart(s: Snapshot) -> Advice | None:
    """Training loss far below the unseen one."""
    curve, run = s.curve, s.run
    if run is None or run.family == "forest" or curve is None or not curve.train_last or not curve.unseen_last or \
            curve.unseen_last < 1.5 * curve.train_last:
        return None
    return Advice(f"The loss of the {bold(run.title)} is {curve.train_last:g} on its own patients and "
                  f"{curve.unseen_last:g} on unseen ones: it knows its own too well.",
                  f"choose more cautious settings, or {less(s)}")
