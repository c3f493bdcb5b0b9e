"""The values that a slider offers, and how its three zones lie on it."""

from __future__ import annotations

import math

from medml.families.family import Param, Zone

STEPS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)  # of a power of ten
WIDE = 40  # whole numbers above which a slider goes by ratio
FINE = 20  # steps of a share
NOTHING = 1e-4  # the least above nothing of a quantity that goes by ratio and may be 0


def rungs(param: Param, *values: float) -> list[float]:
    """What the slider of a number offers, in order; `values` (the usual and the present one) are always among it."""
    low, high = float(param.low or 0), float(param.high or 1)
    if param.kind == "float":
        made = [low + (high - low) * place / FINE for place in range(FINE + 1)]
        if low == 0 and high > FINE:  # degrees, not shares
            made = [float(each) for each in range(int(high) + 1)]
    elif param.kind == "int" and high - low <= WIDE:
        made = [float(each) for each in range(int(low), int(high) + 1)]
    else:
        made = _by_ratio(low, high)
    offered = sorted({float(f"{each:.6g}") for each in (*made, *values)})
    return [int(each) for each in offered if each == int(each)] if param.kind == "int" else offered


def _by_ratio(low: float, high: float) -> list[float]:
    start = low or NOTHING
    powers = range(math.floor(math.log10(start)), math.ceil(math.log10(high)) + 1)
    steps = {step * 10.0**power for power in powers for step in STEPS}
    return [low, *sorted(each for each in steps if start <= each <= high), high]


def segments(offered: list[float], zone: Zone) -> tuple[float, float, float]:
    """Shares of the slider's length below, in and above the usual zone; they add up to 1.

    A border lies half-way between the last value on one side and the first on the other.
    """
    gaps = max(1, len(offered) - 1)
    below = sum(1 for each in offered if each < zone[0])
    above = sum(1 for each in offered if each > zone[1])
    left = max(0.0, below - 0.5) / gaps
    right = max(0.0, above - 0.5) / gaps
    return left, 1.0 - left - right, right
