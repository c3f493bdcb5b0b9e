"""How far the numbers of the training rows reach, so that a row far outside can be told apart from any of them."""

from __future__ import annotations

import numpy as np

from medml.privacy import round_3
from medml.steps.cap_outliers import fences
from medml.steps.patients import FEWEST, by_patient

FENCE = 3.0  # Tukey's outer fence, whatever is set for the step: what is far outside is no matter of cleaning


def reach(values: np.ndarray, patients: np.ndarray | None) -> list[float] | None:
    """[low, high] beyond which a value lies far outside what was seen; None where that cannot be said.

    The limits of the cleanup step "Extreme values" at its default, each moved outwards by the width of the 5-95 %
    range; where it has none (counts that are mostly 0, yes/no codes), the 1st and 99th percentile, moved by three such
    widths (of the 1-99 % range where the other has none), so that a third stent beside ones is no mistake. Both ends
    have 3 significant digits. At most 1 % of the training patients lie beyond an end.

    values    (n,) float64 as recorded, NaN where missing;   patients  (n,) codes, None: every row is a patient
    None      fewer than 20 patients have a value, or 98 in 100 have the very same one
    """
    lowest, _, highest = by_patient(values, patients)
    if len(lowest) < FEWEST:
        return None
    rarest, low = np.quantile(lowest, [0.01, 0.05])
    high, last = np.quantile(highest, [0.95, 0.99])
    width = high - low if high > low else last - rarest
    if not 0 < width < np.inf:
        return None
    inner = fences(values, FENCE, patients) or (rarest - 2 * width, last + 2 * width)
    return [round_3(inner[0] - width), round_3(inner[1] + width)]
