"""The pixels of one frame of a DICOM file: decoded by pydicom, shown as the standard says (PS3.3 C.11, C.7.6.3)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from medml.data.files import Material
from medml.data.images import codecs
from medml.data.images.dicom_header import BIG_ENDIAN, EXPLICIT, IMPLICIT, NATIVE, DicomSource
from medml.data.images.elements import HEAD, Odd
from medml.data.images.grey import Grey, Lut, shown
from medml.data.images.image_file import Unreadable, Window, damaged
from medml.data.images.quiet import quiet
from medml.data.images.tags import PIXELS

if TYPE_CHECKING:
    from pydicom import Dataset

_FOR_PIXELS = (
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit",
    "ExtendedOffsetTable", "ExtendedOffsetTableLengths", "ModalityLUTSequence", "VOILUTSequence", "WindowCenter",
    "WindowWidth", "VOILUTFunction", "RescaleSlope", "RescaleIntercept", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing",
    "PixelAspectRatio", "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData", "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData", "SegmentedBluePaletteColorLookupTableData")
MOST_OBLONG = 20.0  # times as high as wide, or as wide as high: beyond it the header is wrong
SQUARE = 0.005  # what spacings written with few digits differ by
_FUNCTIONS = frozenset({"LINEAR", "LINEAR_EXACT", "SIGMOID"})


def dicom_pixels(material: Material, frame: int, window: Window | None) -> tuple[np.ndarray, float]:
    """One frame as a person would see it, uint8 (rows, cols) or (rows, cols, 3), and height by width of its pixels.

    Raises whatever its decoder does.
    """
    with quiet("pydicom"):
        stored, data, photometric, order = _decode(material, frame)
        aspect = _aspect(data, frame)
        if photometric == "PALETTE COLOR":
            return _palette(stored, data), aspect
        if stored.ndim == 3:
            return _colour(stored, photometric, int(data.get("BitsStored", 8))), aspect
        return shown(stored, _grey(data, frame, order, photometric, stored.dtype.kind == "f"), window), aspect


def stored_values(path: Path, frame: int = 0) -> np.ndarray:
    """The values of one frame as they are stored, equal to pydicom's own pixel_array (YBR turned into RGB).

    returns  (rows, cols) or (rows, cols, samples), of the stored type
    """
    with quiet("pydicom"):
        return _decode(Material(path), frame)[0]


def _decode(material: Material, frame: int) -> tuple[np.ndarray, Dataset, str, str]:
    """(stored values, the elements in front of them, photometric interpretation after decoding, byte order)."""
    from pydicom.pixels import get_decoder
    from pydicom.pixels.utils import as_pixel_options
    codecs.register()
    with material.open() as file:
        opened, data = _read(file, material.size())
        tag, at, _, vr = opened.elements.pixels
        native = EXPLICIT if opened.explicit else IMPLICIT
        syntax = BIG_ENDIAN if opened.order == ">" else native if opened.syntax in NATIVE else opened.syntax
        try:
            decoder = get_decoder(syntax)
        except NotImplementedError:
            raise Unreadable("unsupported_type", "The pixels of this DICOM file are compressed in a way that MedML "
                             "does not read.") from None
        options = as_pixel_options(data, pixel_keyword=PIXELS[tag], pixel_vr=vr.decode() or "OW")
        if frame >= options["number_of_frames"]:
            raise ValueError(f"This file has {options['number_of_frames']} frames; there is no frame {frame}.")
        opened.source.seek(at)
        stored, about = decoder.as_array(opened.source, index=frame, **options)
    return stored, data, str(about.get("photometric_interpretation", "")), opened.order


def _read(file: Any, size: int) -> tuple[DicomSource, Dataset]:
    """The opened file and what is needed of its header. The walk has been through it, so nothing is nested too deep."""
    from pydicom.filereader import read_dataset
    from pydicom.tag import Tag
    opened = DicomSource(file, file.read(HEAD), size)
    try:
        end = opened.elements.walk(opened.at, explicit=opened.explicit, order=opened.order)
    except Odd:
        raise damaged() from None
    if opened.elements.pixels is None:
        raise Unreadable("no_pixels", "This DICOM file holds no picture.")
    opened.source.seek(opened.at)
    header = io.BytesIO(opened.source.read(end - opened.at))
    return opened, read_dataset(header, not opened.explicit, opened.order == "<",
                                specific_tags=[Tag(keyword) for keyword in _FOR_PIXELS])


def _colour(stored: np.ndarray, photometric: str, bits: int) -> np.ndarray:
    if photometric.startswith("YBR_FULL"):
        from pydicom.pixels import convert_color_space
        stored = convert_color_space(stored, photometric, "RGB")
    elif photometric.startswith("YBR_PARTIAL"):
        raise Unreadable("unsupported_type", "The colours of this DICOM file are of a kind that MedML does not read.")
    if stored.dtype.itemsize > 1:
        stored = stored >> max(bits - 8, 0)
    return np.ascontiguousarray(stored[..., :3]).astype(np.uint8)


def _palette(stored: np.ndarray, data: Dataset) -> np.ndarray:
    """Colours by the palette (PS3.3 C.7.6.3.1.5-6); tables of 16 bits are shown by their upper 8."""
    from pydicom.pixels import apply_color_lut
    colours = apply_color_lut(stored, data)
    if colours.dtype.itemsize > 1:
        colours = colours >> 8 if colours.max() > 255 else colours
    return colours.astype(np.uint8)


def _aspect(data: Dataset, frame: int) -> float:
    """Height of a pixel by its width (PS3.3 10.7.1.3, C.7.6.3.1.7): by its spacing in the patient, on the detector, or
    as a ratio; 1 where none makes sense."""
    measured = _group(data, frame, "PixelMeasuresSequence")
    for where, keyword in ((measured, "PixelSpacing"), (data, "ImagerPixelSpacing"),
                           (data, "NominalScannedPixelSpacing"), (data, "PixelAspectRatio")):
        height, width = _pair(where, keyword)
        if height > 0 and width > 0 and 1 / MOST_OBLONG <= height / width <= MOST_OBLONG:
            return 1.0 if abs(height / width - 1) < SQUARE else height / width
    return 1.0


def _pair(where: Dataset, keyword: str) -> tuple[float, float]:
    """The two numbers of an element; (0, 0) where it holds something else."""
    try:
        first, second = where.get(keyword)
        return float(first), float(second)
    except (TypeError, ValueError):
        return 0.0, 0.0


def _grey(data: Dataset, frame: int, order: str, photometric: str, is_float: bool) -> Grey:
    """How the file asks for this frame to be shown; per-frame and shared groups come before the top level."""
    rescale = _group(data, frame, "PixelValueTransformationSequence")
    look = _group(data, frame, "FrameVOILUTSequence")
    slope, intercept = (_number(rescale.get(keyword)) for keyword in ("RescaleSlope", "RescaleIntercept"))
    bits = int(data.get("BitsStored") or 0)
    signed = int(data.get("PixelRepresentation") or 0)
    return Grey(
        slope=slope or 1.0, intercept=intercept or 0.0, modality=_lut(data.get("ModalityLUTSequence"), order),
        window=_window(look, is_float), voi=_lut(look.get("VOILUTSequence"), order),
        inverted=photometric == "MONOCHROME1", padding=_padding(data),
        full_range=(0, 2 ** bits - 1) if 1 <= bits <= 8 and not signed else None)


def _padding(data: Dataset) -> tuple[float, float] | None:
    """The lowest and the highest stored value that is no tissue (PS3.3 C.7.5.1.1.2)."""
    one, other = (_number(data.get(keyword)) for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"))
    if one is None:
        return None
    return min(one, other if other is not None else one), max(one, other if other is not None else one)


def _group(data: Dataset, frame: int, name: str) -> Dataset:
    """The functional group of this frame (PS3.3 C.7.6.16.1.1), else the data set itself."""
    for groups, place in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        items = data.get(groups)
        if items and place < len(items) and items[place].get(name):
            return items[place].get(name)[0]
    return data


def _window(look: Dataset, is_float: bool) -> Window | None:
    """The first window that makes sense; None where there is none. LINEAR is meant for whole numbers alone."""
    centre, width = _number(look.get("WindowCenter")), _number(look.get("WindowWidth"))
    function = str(look.get("VOILUTFunction") or "LINEAR")
    function = function if function in _FUNCTIONS else "LINEAR"
    if is_float and function == "LINEAR":
        function = "LINEAR_EXACT"
    if centre is None or width is None or width <= 0 or width < 1 and function == "LINEAR":
        return None
    return Window(centre, width, function)


def _number(value: Any) -> float | None:
    """The first number of an element; None where it holds none or one that is not written as the standard asks."""
    several = hasattr(value, "__getitem__") and not isinstance(value, str)
    try:
        number = float(value[0] if several else value)
    except (IndexError, TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _lut(sequence: Any, order: str) -> Lut | None:
    """The first LUT of a sequence; None where there is none."""
    if not sequence:
        return None
    n, first, bits = (int(each) for each in sequence[0].LUTDescriptor)
    content = sequence[0].LUTData
    n = n or 65536
    if isinstance(content, bytes):
        entries = np.frombuffer(content, f"{order}u2" if len(content) >= 2 * n else "u1")
    else:
        entries = np.atleast_1d(np.asarray(content, dtype=np.int64)) & 0xFFFF
    return Lut(first, bits, entries[:n]) if len(entries) else None
