"""Grey as the standard says: windows by hand and against pydicom, LUTs, functional groups, padding, colours."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from dicoms import slice_of, write
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, convert_color_space

from medml.data.images import WINDOWS, Unreadable, Window, read_pixels, stored_values
from medml.data.images.grey import Grey, Lut, apply_window, shown

RNG = np.random.default_rng(2)
CT = RNG.integers(0, 4096, (24, 30), dtype=np.uint16)
HU = {"RescaleSlope": "1", "RescaleIntercept": "-1024"}


def by_pydicom(path, **replaced) -> np.ndarray:
    """Modality LUT, VOI LUT or window by pydicom, brought to 0-255."""
    data = pydicom.dcmread(path)
    for keyword, value in replaced.items():
        setattr(data, keyword, value)
    units = apply_modality_lut(data.pixel_array, data)
    grey = apply_voi_lut(units, data)
    slope, intercept = float(data.get("RescaleSlope", 1)), float(data.get("RescaleIntercept", 0))
    low, high = intercept, (2 ** data.BitsStored - 1) * slope + intercept
    if data.PixelRepresentation:
        low, high = (-(2 ** (data.BitsStored - 1)) * slope + intercept,
                     (2 ** (data.BitsStored - 1) - 1) * slope + intercept)
    if "VOILUTSequence" in data:
        low, high = 0, 2 ** data.VOILUTSequence[0].LUTDescriptor[2] - 1
    return np.rint((grey - low) / (high - low) * 255)


@pytest.mark.filterwarnings("ignore:overflow encountered in exp")  # pydicom's sigmoid
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID", None])
@pytest.mark.parametrize("centre_and_width", [(40, 400), (-600, 1500), (500.5, 1), (0, 2)])
def test_windows_equal_pydicoms(function, centre_and_width, tmp_path):
    centre, width = centre_and_width
    path = write(tmp_path / "a.dcm", slice_of(CT, **HU, WindowCenter=[centre, 7], WindowWidth=[width, 9],
                                              VOILUTFunction=function or "LINEAR"))
    np.testing.assert_allclose(read_pixels(path).astype(int), by_pydicom(path), atol=1)


def test_signed_values_and_slopes_equal_pydicoms(tmp_path):
    values = RNG.integers(-2000, 2000, (24, 30), dtype=np.int16)
    for syntax in ("explicit", "implicit", "big endian", "deflated"):
        path = write(tmp_path / syntax, slice_of(values, RescaleSlope="2.5", RescaleIntercept="-100", WindowCenter="10",
                                                 WindowWidth="900"), syntax)
        np.testing.assert_allclose(read_pixels(path).astype(int), by_pydicom(path), atol=1)
        np.testing.assert_array_equal(stored_values(path), values)


def test_linear_window_at_its_corners_by_hand():
    values = np.array([-1000, -160.5, -160, 39.5, 239, 239.5, 3000])
    # c = 40, w = 400: black up to 40 - 0.5 - 399/2 = -160, white from 40 - 0.5 + 399/2 = 239 on (PS3.3 C.11.2.1.2.1)
    np.testing.assert_allclose(apply_window(values, Window(40, 400)), [0, 0, 0, 0.5, 1, 1, 1], atol=1e-12)
    exact = apply_window(np.array([-160, 40, 240]), Window(40, 400, "LINEAR_EXACT"))
    np.testing.assert_allclose(exact, [0, 0.5, 1], atol=1e-12)
    assert apply_window(np.array([40.0]), Window(40, 400, "SIGMOID"))[0] == pytest.approx(0.5)
    np.testing.assert_allclose(apply_window(np.array([1e9, -1e9]), Window(0, 1, "SIGMOID")), [1, 0], atol=1e-12)
    with pytest.raises(ValueError, match="at least 1"):
        apply_window(values, Window(40, 0.5))


@pytest.mark.parametrize("name", WINDOWS)
def test_presets_come_before_the_window_of_the_file(name, tmp_path):
    path = write(tmp_path / "a.dcm", slice_of(CT, **HU, WindowCenter="1", WindowWidth="2"))
    wanted = by_pydicom(path, WindowCenter=WINDOWS[name].centre, WindowWidth=WINDOWS[name].width)
    np.testing.assert_allclose(read_pixels(path, window=WINDOWS[name]).astype(int), wanted, atol=1)


def lut(first: int, bits: int, entries: list[int], *, as_words: str = "") -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries), first, bits])
    if as_words:
        item.add_new("LUTData", "OW", np.array(entries, f"{as_words}u2").tobytes())
    else:
        item.add_new("LUTData", "US", entries)
    return item


def test_voi_luts_equal_pydicoms(tmp_path):
    entries = [int(4095 * (each / 4095) ** 2) for each in range(4096)]
    for syntax, words in (("explicit", ""), ("implicit", "<"), ("deflated", "<"), ("big endian", ">")):
        path = write(tmp_path / syntax, slice_of(CT, VOILUTSequence=[lut(0, 12, entries, as_words=words)],
                                                 WindowCenter="3", WindowWidth="9"), syntax)
        np.testing.assert_allclose(read_pixels(path).astype(int), np.rint(np.array(entries)[CT] / 4095 * 255), atol=1)
        np.testing.assert_allclose(read_pixels(path).astype(int), by_pydicom(path), atol=1)


def test_short_luts_repeat_their_last_entry(tmp_path):
    """By hand: pydicom 3.0.2 counts places in a table of 8 bits in 8 bits, so that they start again after 255."""
    entries = [int(255 * (each / 255) ** 2) for each in range(256)]
    path = write(tmp_path / "a.dcm", slice_of(CT, VOILUTSequence=[lut(1000, 8, entries)]))
    places = np.clip(CT.astype(int) - 1000, 0, 255)
    np.testing.assert_array_equal(read_pixels(path), np.array(entries)[places])


def test_modality_luts_come_first(tmp_path):
    modality = lut(0, 16, [each * 16 % 65536 for each in range(4096)])
    modality.ModalityLUTType = "US"
    path = write(tmp_path / "a.dcm", slice_of(CT, ModalityLUTSequence=[modality], WindowCenter="30000",
                                              WindowWidth="20000"))
    wanted = np.rint(apply_window(CT * 16.0, Window(30000, 20000)) * 255)
    np.testing.assert_array_equal(read_pixels(path), wanted)


def test_real_voi_lut_equals_pydicoms(clinical):
    path = clinical / "dicom" / "vlut_04.dcm"
    np.testing.assert_allclose(read_pixels(path).astype(int), by_pydicom(path), atol=1)


def test_lut_repeats_its_ends():
    table = Lut(10, 8, np.array([5, 100, 255]))
    np.testing.assert_array_equal(table.apply(np.array([-9, 10, 11, 12, 99])), [5, 5, 100, 255, 255])


def test_monochrome1_is_turned_round(tmp_path):
    elements = HU | {"WindowCenter": "40", "WindowWidth": "400"}
    one = read_pixels(write(tmp_path / "1.dcm", slice_of(CT, PhotometricInterpretation="MONOCHROME1", **elements)))
    two = read_pixels(write(tmp_path / "2.dcm", slice_of(CT, **elements)))
    np.testing.assert_allclose(one.astype(int) + two, 255, atol=1)


def test_without_a_window_the_range_of_tissue_is_shown(tmp_path):
    values = CT.clip(1000, 3000)
    values[:5] = 0
    path = write(tmp_path / "a.dcm", slice_of(values, PixelPaddingValue=0))
    pixels = read_pixels(path)
    inside = values[5:].astype(float)
    wanted = np.rint((inside - inside.min()) / (inside.max() - inside.min()) * 255)
    np.testing.assert_array_equal(pixels[5:], wanted)
    assert (pixels[:5] == 0).all()


def test_a_range_of_padding_is_no_tissue(tmp_path):
    values = CT.clip(1000, 3000)
    values[:5], values[5:8] = 0, 40
    path = write(tmp_path / "a.dcm", slice_of(values, PixelPaddingValue=0, PixelPaddingRangeLimit=50))
    inside = values[8:].astype(float)
    wanted = np.rint((inside - inside.min()) / (inside.max() - inside.min()) * 255)
    np.testing.assert_array_equal(read_pixels(path)[8:], wanted)


def test_eight_bits_without_a_window_are_shown_as_they_are(tmp_path):
    values = RNG.integers(20, 90, (24, 30), dtype=np.uint8)
    np.testing.assert_array_equal(read_pixels(write(tmp_path / "a.dcm", slice_of(values))), values)
    flat = np.full((24, 30), 7, np.uint16)
    assert not read_pixels(write(tmp_path / "b.dcm", slice_of(flat))).any()


def test_frames_have_their_own_window_and_slope(tmp_path):
    """Enhanced multi-frame: groups of the frame before shared groups before the top level (PS3.3 C.7.6.16)."""
    frames = RNG.integers(0, 4096, (3, 24, 30), dtype=np.uint16)

    def group(name: str, **elements: object) -> pydicom.Dataset:
        inner, outer = pydicom.Dataset(), pydicom.Dataset()
        for keyword, value in elements.items():
            setattr(inner, keyword, value)
        setattr(outer, name, [inner])
        return outer

    each = [group("FrameVOILUTSequence", WindowCenter=str(place * 500 + 500), WindowWidth="800") for place in range(3)]
    shared = group("PixelValueTransformationSequence", RescaleSlope="2", RescaleIntercept="-50")
    path = write(tmp_path / "a.dcm", slice_of(frames, NumberOfFrames=3, SharedFunctionalGroupsSequence=[shared],
                                              PerFrameFunctionalGroupsSequence=each))
    for place in range(3):
        wanted = apply_window(frames[place] * 2.0 - 50, Window(place * 500 + 500, 800))
        np.testing.assert_array_equal(read_pixels(path, frame=place), np.rint(wanted * 255))


def test_palettes_equal_pydicoms(clinical):
    path = clinical / "dicom" / "examples_palette.dcm"
    data = pydicom.dcmread(path)
    wanted = apply_color_lut(data.pixel_array, data)
    np.testing.assert_array_equal(read_pixels(path), wanted >> 8 if wanted.dtype.itemsize > 1 else wanted)


@pytest.mark.parametrize(("syntax", "words"), [("explicit", "<"), ("implicit", "<"), ("big endian", ">")])
def test_made_palettes_are_looked_up_in_any_byte_order(syntax, words, tmp_path):
    tables = RNG.integers(0, 256, (3, 256)).astype(np.uint16)
    places = RNG.integers(0, 256, (24, 30), dtype=np.uint8)
    data = slice_of(places, PhotometricInterpretation="PALETTE COLOR")
    for name, table in zip(("Red", "Green", "Blue"), tables, strict=True):
        data.add_new(f"{name}PaletteColorLookupTableDescriptor", "US", [256, 0, 16])
        data.add_new(f"{name}PaletteColorLookupTableData", "OW", (table * 257).astype(f"{words}u2").tobytes())
    pixels = read_pixels(write(tmp_path / "a.dcm", data, syntax))
    np.testing.assert_array_equal(pixels, np.moveaxis(tables[:, places], 0, -1))


def test_ybr_becomes_rgb_and_deep_colours_eight_bits(tmp_path):
    colours = RNG.integers(0, 256, (24, 30, 3), dtype=np.uint8)
    ybr = convert_color_space(colours, "RGB", "YBR_FULL")
    elements = {"Rows": 24, "Columns": 30, "SamplesPerPixel": 3, "PlanarConfiguration": 0}
    path = write(tmp_path / "a.dcm", slice_of(ybr, **elements, PhotometricInterpretation="YBR_FULL"))
    np.testing.assert_allclose(read_pixels(path).astype(int), colours.astype(int), atol=2)
    deep = RNG.integers(0, 4096, (24, 30, 3), dtype=np.uint16)
    path = write(tmp_path / "b.dcm", slice_of(deep, **elements, PhotometricInterpretation="RGB", BitsStored=12,
                                              HighBit=11))
    np.testing.assert_array_equal(read_pixels(path), deep >> 4)


def test_numbers_that_make_no_sense_are_passed_over(tmp_path):
    plain = read_pixels(write(tmp_path / "a.dcm", slice_of(CT)))
    for elements in ({"WindowCenter": "40", "WindowWidth": "0"}, {"WindowCenter": "40"}, {"RescaleSlope": "0"},
                     {"WindowCenter": "", "WindowWidth": ""}):
        np.testing.assert_array_equal(read_pixels(write(tmp_path / "b.dcm", slice_of(CT, **elements))), plain)


def test_wide_and_decimal_values_use_the_formula_itself():
    values = np.array([[0, 70_000], [35_000, 140_000]], np.uint32)
    np.testing.assert_array_equal(shown(values, Grey()), np.rint(values / 140_000 * 255))
    decimals = np.array([[0.0, np.nan], [0.5, 1.0]], np.float32)
    np.testing.assert_array_equal(shown(decimals, Grey()), [[0, 0], [128, 255]])


def test_a_frame_or_a_window_that_does_not_exist_is_the_programs_fault(tmp_path):
    path = write(tmp_path / "a.dcm", slice_of(CT))
    with pytest.raises(ValueError, match="no frame 1"):
        read_pixels(path, frame=1)
    with pytest.raises(ValueError, match="at least 1"):
        read_pixels(path, window=Window(40, 0))
    with pytest.raises(Unreadable) as caught:
        read_pixels(tmp_path / "none.dcm")
    assert caught.value.code == "gone"
