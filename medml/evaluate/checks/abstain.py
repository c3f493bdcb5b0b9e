"""P1: whether the model keeps silent where it cannot know, and for how many patients that would be."""

from __future__ import annotations

from medml.evaluate.catalogue import found, many
from medml.evaluate.checks import Evidence, rule
from medml.types import SMALL_GROUP, Check

OFTEN = 0.20  # share of patients without an answer above which the model is of little use as it is
SAID = {"unseen": "a category that hardly anybody in training had", "missing": "a key predictor is missing",
        "outside": "a value far outside what was seen", "few": "an age band, sex or site of too few patients",
        "together": "values that are unusual together"}


@rule("P1")
def abstains(evidence: Evidence) -> Check:
    """Every judged patient by the rules of the fold that had not seen it; groups of under 10 patients are not told."""
    context = evidence.context
    tried = context.abstention
    if context.choice.pictures is not None:
        facts = context.table.pictures
        if facts is None or not facts.modalities:
            return found("P1", "warn", "These files do not say what kind of picture they are (modality), or those of "
                                       "too few patients do: this model answers any picture that can be decoded.",
                         "Give it no picture that was taken otherwise than those it was trained on.")
        return found("P1", "pass", "No answer is given for a picture that cannot be decoded, nor for a kind of picture "
                                   "(modality) that training did not show.")
    if not tried.n:
        return found("P1", "could_not_tell", "For whom this model would say nothing was not tried.")
    armed = {f"armed_{name}": n for name, n in tried.armed.items()}
    if not any(tried.armed.values()):
        return found("P1", "warn", "Too few patients were there to say what is unusual: this model answers anybody.",
                     "Use it for no patient who is unlike those it was trained on.", n=tried.n, **armed)
    share, figures = _share(tried.silent, tried.n)
    watched = many(sum(n > 0 for n in tried.armed.values()), "rule")
    what = (f"No answer would have been given for {share} of {many(tried.n, 'patient')} ({watched} armed)"
            if tried.silent else
            f"Each of {many(tried.n, 'patient')} would have been given an answer ({watched} armed)")
    often = [name for name, n in tried.by_why.items() if n >= SMALL_GROUP]
    if often:
        worst = sorted(often, key=lambda name: -tried.by_why[name])
        what += ": " + "; ".join(SAID[name] + _of(tried.by_why[name], tried.silent, tried.n) for name in worst[:3])
    if tried.silent > OFTEN * tried.n and tried.silent >= SMALL_GROUP:
        return found("P1", "warn", f"{what}. That is often.", _fix(tried.by_why), n=tried.n, **figures, **armed)
    return found("P1", "pass", f"{what}.", n=tried.n, **figures, **armed)


def _of(one: int, silent: int, n: int) -> str:
    """A reason's share in brackets; none where it would tell of under 10 who were silent for other reasons alone, or
    who were answered."""
    return "" if any(0 < whole - one < SMALL_GROUP for whole in (silent, n)) else f" ({one / n:.0%})"


def _share(silent: int, n: int) -> tuple[str, dict[str, float]]:
    """In words and as a figure; a group of under 10 patients, silent or answered, as at most 10."""
    if 0 < silent < SMALL_GROUP:
        return f"fewer than {SMALL_GROUP}", {"share_at_most": SMALL_GROUP / n}
    if 0 < n - silent < SMALL_GROUP:
        return f"more than {n - SMALL_GROUP:,}", {"share_at_least": 1 - SMALL_GROUP / n}
    return f"{silent:,} ({silent / n:.0%})", {"share": silent / n}


def _fix(by_why: dict[str, int]) -> str:
    worst = max(by_why, key=lambda name: by_why[name])
    if worst == "missing":
        return "Leave out the predictors that will often be missing, or see that they are recorded, and train again."
    return "Add patients like those left without an answer, or say in the report for whom it is meant."
