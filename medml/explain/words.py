"""Explanations in words: what is associated with an answer, never why it is so."""

from __future__ import annotations

import numpy as np

from medml.evaluate.words import apart
from medml.explain.contributions import Contributions
from medml.explain.found import BedsideScore, Costly, Without
from medml.explain.units import WORDS, Unit

ASSOCIATED = "Associated with the model's answer, never its cause."
BORDERS = "A value on a border counts in the lower range."
STRONG, SOME = 0.2, 0.05
WHY = {"late": "known too late", "costly": "costly", "burdensome": "a burden for the patient"}


def answer(found: Contributions, at: int = 0, output: int = 0) -> str:
    """The answer for one patient beside that for an average one, as probabilities where that can be said."""
    value, base = float(found.answers[at, output]), float(found.base[output])
    name = found.outputs[output]
    if found.unit == "outcome":
        return f"{name}: {value:.4g}; for an average patient {base:.4g}"
    p, p_base = (as_probability(found.unit, each) for each in (value, base))
    but = ""
    if found.unit == "log-ratio":
        shares, usual = _shares(found.answers[at]), _shares(found.base)
        p, p_base, but = shares[output], usual[output], _other_way(found, output, value - base, shares, usual)
    return f"Probability of “{name}”: {100 * p:.0f} %; for an average patient {100 * p_base:.0f} %{but}"


def _other_way(found: Contributions, output: int, added: float, shares: np.ndarray, usual: np.ndarray) -> str:
    """Why bars that raise a class end in a lower probability of it, or the other way round; "" where they do not: they
    are against the mean of all classes, and one of these may rise further."""
    if added * (shares[output] - usual[output]) >= 0:
        return ""
    if added < 0:
        return ". The bars lower it against the mean of all classes; the others are lowered further"
    most = int(np.argmax(shares - usual))
    return (f". The bars raise it against the mean of all classes; “{found.outputs[most]}” is raised further, to "
            f"{100 * shares[most]:.0f} %")


def in_steps(columns: list[str], added: np.ndarray) -> list[dict[str, str]]:
    """What each column does to one answer without its amount, the strongest first: direction, and a strength by its
    share of all that is added and taken away (a fifth and more: strong; a twentieth: some)."""
    whole = float(np.abs(added).sum()) or 1.0
    shares = np.abs(added) / whole
    return [{"column": columns[at], "direction": "raises" if added[at] > 0 else "lowers" if added[at] < 0 else "none",
             "strength": "strong" if shares[at] >= STRONG else "some" if shares[at] >= SOME else "little"}
            for at in np.argsort(-shares, kind="stable")]


def as_probability(unit: Unit, value: float) -> float:
    """A log-odds, or a probability that is one already, as a probability."""
    return float(1 / (1 + np.exp(-value))) if unit == "log-odds" else value


def _shares(ratios: np.ndarray) -> np.ndarray:
    """Log-ratios of all classes as their probabilities."""
    weights = np.exp(ratios - ratios.max())
    return weights / weights.sum()


def unit_in_words(unit: Unit, outcome: str) -> str:
    """"log-odds (natural logarithm)"; a number's own unit by its name."""
    return f"in the unit of “{outcome}”" if unit == "outcome" else WORDS[unit]


def marked(left_out: list[Costly]) -> str:
    """"lactate (known too late), ct (costly)"."""
    return ", ".join(f"{each.column} ({WHY[each.why]})" for each in left_out)


def of_without(found: Without, title: str) -> str:
    """What doing without them costs, in one sentence."""
    change = found.difference
    if change.value is None:
        return "There are too few cases to tell what doing without them costs."
    said = f"{title} {apart(change)}"
    if change.high < 0:
        return f"Doing without them costs: {said}."
    if change.low > 0:
        return f"The model is better without them: {said}."
    return f"Doing without them costs nothing that can be told from chance: {said}."


def of_score(found: BedsideScore) -> str:
    """What the score costs against the model, in one sentence."""
    change = found.difference["auroc"]
    if change.value is None:
        return "There are too few cases to compare the score with the model."
    said = f"its AUROC {apart(change)}"
    slope = found.figures.get("slope")
    if slope is not None and slope.value is not None:
        said += f"; its calibration slope is {slope.value:.2f} ({slope.between('.2f')})"
    if change.high < 0:
        return f"The score ranks patients worse than the model: {said}."
    if change.low > 0:
        return f"The score ranks patients better than the model: {said}."
    return f"The score ranks patients as well as the model does, as far as can be told: {said}."
