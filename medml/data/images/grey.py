"""From stored values to the grey that a person sees: modality LUT, VOI LUT or window (DICOM PS3.3 C.11.1, C.11.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medml.data.images.image_file import Window

_WHITE = 255.0


@dataclass(frozen=True)
class Lut:
    """A look-up table (PS3.3 C.11.1.1): entry 0 is the output of `first` and all below; the last one of all above."""

    first: int
    bits: int
    entries: np.ndarray  # (n,)

    def apply(self, values: np.ndarray) -> np.ndarray:
        place = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1).astype(np.intp)
        return self.entries[place].astype(np.float64)


@dataclass(frozen=True)
class Grey:
    """How one frame is shown.

    slope, intercept, modality  the modality transformation; the LUT wins where there is one
    window, voi   what the file asks for; the LUT wins where there is one
    inverted      MONOCHROME1: the lowest value is white
    padding       (lowest, highest) stored value that is no tissue, left out when a range is looked for
    full_range    stored values of 8 bits or fewer are shown as they are: (lowest, highest) of their kind
    """

    slope: float = 1.0
    intercept: float = 0.0
    modality: Lut | None = None
    window: Window | None = None
    voi: Lut | None = None
    inverted: bool = False
    padding: tuple[float, float] | None = None
    full_range: tuple[int, int] | None = None


def apply_window(values: np.ndarray, window: Window) -> np.ndarray:
    """Map values to 0-1 (PS3.3 C.11.2.1.2 and C.11.2.1.3); outside of the window is clipped, never wrapped.

    values  float array, any shape, in the units of the window
    raises  ValueError where the width is not sensible: < 1 for LINEAR, <= 0 otherwise
    """
    centre, width, function = window
    if width < 1 and function == "LINEAR" or width <= 0:
        raise ValueError(f"A window needs a width of at least 1, not {width}.")
    if function == "SIGMOID":
        return 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700)))
    if function == "LINEAR_EXACT":
        return np.clip((values - centre) / width + 0.5, 0, 1)
    if width == 1:
        return (values > centre - 0.5).astype(np.float64)
    return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)


def shown(stored: np.ndarray, grey: Grey, window: Window | None = None) -> np.ndarray:
    """One frame as uint8, white 255, of the same shape.

    stored  (rows, cols), any integer or float type
    window  instead of what the file asks for
    """
    if stored.dtype.kind == "f" or stored.dtype.itemsize > 2:
        return _mapped(np.nan_to_num(stored.astype(np.float64)), stored, grey, window)
    low, high = int(stored.min()), int(stored.max())
    table = _mapped(np.arange(low, high + 1, dtype=np.float64), stored, grey, window)
    return table[stored.astype(np.int32) - low]  # a table of at most 65,536 entries instead of a formula a pixel


def _mapped(values: np.ndarray, stored: np.ndarray, grey: Grey, window: Window | None) -> np.ndarray:
    """The grey of stored values; `stored` is the frame where a range must be looked for."""
    units = _modality(values, grey)
    if window is None and grey.voi is not None:
        share = grey.voi.apply(units) / max(2.0 ** grey.voi.bits - 1, float(grey.voi.entries.max()), 1)
    elif window or grey.window:
        share = apply_window(units, window or grey.window)
    else:
        low, high = _modality(_range(stored, grey), grey)
        share = np.clip((units - min(low, high)) / (abs(high - low) or 1), 0, 1)
    if grey.inverted:
        share = 1 - share
    return np.rint(share * _WHITE).astype(np.uint8)


def _modality(values: np.ndarray, grey: Grey) -> np.ndarray:
    return grey.modality.apply(values) if grey.modality else values * grey.slope + grey.intercept


def _range(stored: np.ndarray, grey: Grey) -> np.ndarray:
    """The lowest and the highest stored value to show: those of the kind for 8 bits, else those of the frame."""
    if grey.full_range:
        return np.array(grey.full_range, dtype=np.float64)
    tissue = stored
    if grey.padding is not None:
        low, high = grey.padding
        tissue = stored[(stored < low) | (stored > high)]
    if stored.dtype.kind == "f":
        tissue = tissue[np.isfinite(tissue)]
    if not tissue.size:
        return np.zeros(2)
    return np.array([tissue.min(), tissue.max()], dtype=np.float64)
