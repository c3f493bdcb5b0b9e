"""How many patients a model with so many parameters needs: Riley's criteria (BMJ 2020;368:m441).

Two classes: Riley, Stat Med 2019;38:1276. A number: Riley, Stat Med 2019;38:1262. Several classes: each class v. the
rest by the criteria for two classes, the largest counts (Pate, Stat Methods Med Res 2023;32:555 does it pair by pair,
which needs an R2 for every pair; one v. rest needs one for every class).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from medml.types import Task

SHRINKAGE = 0.9  # S: at most a tenth of the predictors' effects may be optimism
OPTIMISM = 0.05  # of R2
MARGIN = 0.05  # of the overall risk, either side
EXPECTED_SHARE = 0.15  # of the largest R2cs that is possible: what is assumed before there is a model


@dataclass(frozen=True, slots=True)
class Needed:
    """Patients that each criterion asks for; `n` is the largest. `r2` is Cox and Snell's (a number: adjusted R2)."""

    shrinkage: int
    optimism: int
    precision: int
    r2: float

    @property
    def n(self) -> int:
        return max(self.shrinkage, self.optimism, self.precision)


def max_r2cs(prevalence: float) -> float:
    """The largest Cox-Snell R2 that a model can have at that prevalence (0-1, neither end)."""
    log_likelihood = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)  # per case
    return 1 - math.exp(2 * log_likelihood)


def _from_shrinkage(parameters: float, r2: float, shrinkage: float) -> int:
    return math.ceil(parameters / ((shrinkage - 1) * math.log(1 - r2 / shrinkage)))


def needed_for_classes(parameters: float, prevalence: float, r2cs: float | None = None) -> Needed:
    """Riley's three criteria for two classes.

    parameters  candidates after encoding, >= 1;  prevalence 0-1, neither end
    r2cs        anticipated Cox-Snell R2; None or not above 0: 0.15 of the largest possible
    """
    largest = max_r2cs(prevalence)
    r2 = EXPECTED_SHARE * largest if r2cs is None or r2cs <= 0 else min(r2cs, 0.999 * largest)
    small_optimism = r2 / (r2 + OPTIMISM * largest)
    return Needed(shrinkage=_from_shrinkage(parameters, r2, SHRINKAGE),
                  optimism=_from_shrinkage(parameters, r2, small_optimism),
                  precision=math.ceil((1.96 / MARGIN) ** 2 * prevalence * (1 - prevalence)), r2=r2)


def needed_for_number(parameters: float, r2: float | None = None) -> Needed:
    """Riley's criteria for a number: shrinkage, optimism of R2, and the residual spread known within 10 %.

    r2  anticipated adjusted R2; None or not above 0: 0.15
    """
    expected = EXPECTED_SHARE if r2 is None or r2 <= 0 else min(r2, 0.99)
    low, high = int(parameters) + 3, 10_000_000
    while low < high:  # the shrinkage grows with n
        middle = (low + high) // 2
        if _shrinkage_of_number(middle, parameters, expected) >= SHRINKAGE:
            high = middle
        else:
            low = middle + 1
    return Needed(shrinkage=low, optimism=math.ceil(1 + parameters * (1 - expected) / OPTIMISM),
                  precision=math.ceil(234 + parameters), r2=expected)


def _shrinkage_of_number(n: int, parameters: float, r2: float) -> float:
    apparent = (r2 * (n - parameters - 1) + parameters) / (n - 1)
    return 1 + (parameters - 2) / (n * math.log(1 - apparent)) if 0 < apparent < 1 else 0.0


def needed(task: Task, parameters: float, *, shares: list[float] | None = None,
           r2: list[float | None] | float | None = None) -> Needed:
    """The largest need over the classes (or of the number).

    shares  share of every class among the cases (classes only);  r2 one a class (two classes: of the last), or None
    """
    if task == "regression":
        return needed_for_number(parameters, r2 if isinstance(r2, float) else None)
    shares = shares or []
    each = r2 if isinstance(r2, list) else [r2] * len(shares)
    chosen = [(shares[-1], each[-1])] if task == "binary" else list(zip(shares, each, strict=True))
    return max((needed_for_classes(parameters, share, one) for share, one in chosen if 0 < share < 1),
               key=lambda found: found.n)


def corrected_r2cs(y: np.ndarray, p: np.ndarray) -> float:
    """Cox-Snell R2 of out-of-fold probabilities, which is free of the optimism of the rows that were fitted.

    y (n,) 0/1, p (n,)  ->  1 - exp(-2/n (log L of the model - log L of the prevalence)); below 0: worse than nothing.
    Probabilities are recalibrated first (two parameters), so that a few extreme ones do not hide what is known. Where
    they tell the classes apart without an error no line can be fitted: all is explained that can be.
    """
    from medml.evaluate.calibration import logit, recalibration

    slope, intercept, _ = recalibration(y, p)
    if not np.isfinite(slope) and np.ptp(p) > 0 and 0 < y.sum() < len(y) and p[y == 1].min() >= p[y == 0].max():
        return max_r2cs(float(y.mean()))
    if not np.isfinite(slope) or slope <= 0:
        return 0.0
    fitted = np.clip(1 / (1 + np.exp(-(intercept + slope * logit(p)))), 1e-12, 1 - 1e-12)
    share = y.mean()
    gained = np.where(y == 1, np.log(fitted / share), np.log((1 - fitted) / (1 - share))).mean()
    return float(1 - np.exp(-2 * gained))


@dataclass(frozen=True, slots=True)
class Advice:
    """In words what so many patients are good for.

    most   predictors that this many patients can carry (0: none);   where  where the assumed R2 comes from
    """

    needed: Needed
    most: int
    sentence: str
    where: str



def r2cs_of_auroc(auroc: float, prevalence: float) -> float:
    """The Cox-Snell R2 that a model of that AUROC would have (Riley, Stat Med 2021;40:4230: binormal scores).

    auroc 0.5-1, prevalence 0-1, neither end. Worked out on a fixed grid of the two normal distributions, so that the
    same question has the same answer.
    """
    from scipy.stats import norm

    apart = math.sqrt(2) * float(norm.ppf(auroc))
    z = np.linspace(-8, 8 + apart, 20_001)
    with_outcome, without = prevalence * norm.pdf(z - apart), (1 - prevalence) * norm.pdf(z)
    both = with_outcome + without  # each share is divided by it, as 1 - p would be 0 where p is near 1
    step = z[1] - z[0]
    gained = float(((with_outcome * np.log(with_outcome / both / prevalence)
                     + without * np.log(without / both / (1 - prevalence))) * step).sum())
    return 1 - math.exp(-2 * gained)


def advice(n: int, n_events: int, parameters: float, *, auroc: float | None = None,
           r2cs: float | None = None) -> Advice:
    """What n patients with n_events are good for before there is a model (two classes).

    auroc, r2cs  that a published model reached, one of them; neither: 0.15 of the largest possible R2 is assumed
    """
    share = n_events / n
    r2, where = r2cs, "as published"
    if auroc is not None:
        r2, where = r2cs_of_auroc(auroc, share), f"as an AUROC of {auroc:g} has it"
    elif r2cs is None:
        where = "15 % of the largest possible, as nothing better is known"
    need = needed_for_classes(parameters, share, r2)
    return Advice(need, most_parameters(n, share, r2), _sentence(n, parameters, need, share, r2), where)


def most_parameters(n: int, share: float, r2: float | None = None) -> int:
    """The most parameters that n patients can carry by all three criteria; 0 where not even one."""
    low, high = 0, max(1, n)
    while low < high:  # the need grows with the parameters
        middle = (low + high + 1) // 2
        if needed_for_classes(middle, share, r2).n <= n:
            low = middle
        else:
            high = middle - 1
    return low


def _sentence(n: int, parameters: float, need: Needed, share: float, r2: float | None) -> str:
    have = f"You have {n:,} patients; {parameters:g} predictor{'s' if parameters != 1 else ''}"
    verb = "need" if parameters != 1 else "needs"
    if n >= need.n:
        return f"{have} {verb} {need.n:,}: that is enough."
    most = most_parameters(n, share, r2)
    if most < 1:
        return f"{have} {verb} {need.n:,}: too few even for one predictor, which needs " \
               f"{needed_for_classes(1, share, r2).n:,}."
    return f"{have} {verb} {need.n:,}: keep at most {most}."


def before_training(task: Task, n: int, parameters: int, counts: list[int],
                    published: float | None = None) -> tuple[str, bool]:
    """Whether n patients are enough for so many encoded columns, in one sentence, and whether they are.

    counts     cases per class, the class that counts as "yes" last for two; empty for a number or where it is not known
    published  what a published model of this outcome reached: AUROC (two classes) or R2 (a number); None: not known
    returns    "" where it cannot be told
    """
    total = sum(counts)
    if task == "binary" and len(counts) == 2 and 0 < counts[1] < total:
        found = advice(n, n * counts[1] / total, parameters, auroc=published)
        return found.sentence, n >= found.needed.n
    if task == "binary" or task == "multiclass" and (len(counts) < 2 or min(counts) < 1):
        return "", True
    need = needed(task, float(parameters), r2=published if task == "regression" else None,
                  shares=[each / total for each in counts] if task == "multiclass" else None)
    enough = n >= need.n
    return (f"You have {n:,} patients; {parameters:,} predictors need {need.n:,}"
            f"{': that is enough' if enough else ''}."), enough
