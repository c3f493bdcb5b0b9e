"""Finding images in a folder: by content, nothing followed or opened that is no file, stopped when asked."""

from __future__ import annotations

import os

import imagecodecs
import numpy as np
import pytest
from dicoms import slice_of, write
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from medml.data.images import find_images, read_header, read_pixels, stored_values
from medml.errors import Stopped, UserError
from medml.watch import Silent

RNG = np.random.default_rng(8)
GREY = RNG.integers(0, 256, (20, 20), dtype=np.uint8)


class Heard(Silent):
    """Keeps what it is told; asks to stop after so many words."""

    def __init__(self, words: int = 10 ** 9) -> None:
        self.fractions: list[float] = []
        self.words = words

    def say(self, stage: str, fraction: float, message: str = "") -> None:
        self.fractions.append(fraction)

    def stopping(self) -> bool:
        return len(self.fractions) >= self.words


@pytest.fixture
def many(tmp_path):
    """250 pictures in two folders."""
    for label in ("ill", "well"):
        (tmp_path / label).mkdir()
        for n in range(125):
            Image.fromarray(GREY + np.uint8(n)).save(tmp_path / label / f"{n:03}.png")
    return tmp_path


def test_progress_never_goes_back_and_a_stop_is_heard(many):
    heard = Heard()
    _, images = find_images(many, watch=heard)
    assert len(images) == 250 and [image.path for image in images] == sorted(image.path for image in images)
    assert heard.fractions == sorted(heard.fractions) and len(heard.fractions) > 1
    with pytest.raises(Stopped):
        find_images(many, watch=Heard(words=1))


def test_a_source_that_is_gone_is_said(tmp_path):
    with pytest.raises(UserError) as caught:
        find_images(tmp_path / "none")
    assert caught.value.code == "missing"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_links_loops_and_pipes_are_listed_and_never_opened(tmp_path, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    Image.fromarray(GREY).save(outside / "secret.png")
    Image.fromarray(GREY).save(tmp_path / "a.png")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "out").symlink_to(outside)
    (tmp_path / "b.png").symlink_to(outside / "secret.png")
    os.mkfifo(tmp_path / "c.png")
    entries, images = find_images(tmp_path)
    assert {entry.path: entry.reason_code for entry in entries} == {
        "a.png": None, "b.png": "link", "c.png": "special_file", "loop": "link", "out": "link"}
    assert [image.path for image in images] == ["a.png"]


@pytest.mark.parametrize("name", ["IM0001", "1.2.840.113619.2.55", "scan.dcm", "SCAN.IMA", "00000001"])
def test_dicom_is_found_by_its_content(name, tmp_path):
    path = write(tmp_path / name, slice_of(GREY))
    assert find_images(tmp_path)[1][0].notes == ()
    path.write_bytes(path.read_bytes()[132:])  # without its preamble
    (entry,), (image,) = find_images(tmp_path)
    assert entry.reason_code == "no_preamble" and image.kind == "dicom"
    np.testing.assert_array_equal(read_pixels(path), GREY)


def test_dicom_called_png_is_dicom(tmp_path):
    write(tmp_path / "a.png", slice_of(GREY))
    (entry,), (image,) = find_images(tmp_path)
    assert (entry.reason_code, image.kind) == ("wrong_extension", "dicom") and "a DICOM file" in entry.message


def compressed(values: np.ndarray, stream: bytes, syntax: str, **elements: object):
    data = slice_of(values, **elements)
    data.PixelData = encapsulate([stream])
    data["PixelData"].VR = "OB"
    data["PixelData"].is_undefined_length = True
    data.file_meta_syntax = UID(syntax)
    return data


def save(path, data) -> None:
    """Write a compressed data set, whose syntax is not among those that are written plainly."""
    from pydicom.dataset import FileMetaDataset
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = data.file_meta_syntax
    data.save_as(path, enforce_file_format=True)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"])
@pytest.mark.parametrize("kind", ["grey 8", "grey 12", "grey 16", "colour"])
def test_lossless_jpeg_gives_back_every_value(syntax, kind, tmp_path):
    shape, most, depth = {"grey 8": ((24, 30), 256, np.uint8), "grey 12": ((24, 30), 4096, np.uint16),
                          "grey 16": ((24, 30), 65536, np.uint16), "colour": ((24, 30, 3), 256, np.uint8)}[kind]
    values = RNG.integers(0, most, shape).astype(depth)
    bits = int(most - 1).bit_length()
    colours = {"colorspace": "RGB", "outcolorspace": "RGB"} if kind == "colour" else {}
    stream = imagecodecs.jpeg8_encode(values, lossless=True, bitspersample=bits, **colours)
    elements = {"BitsStored": bits, "HighBit": bits - 1}
    if kind == "colour":
        elements |= {"Rows": 24, "Columns": 30, "SamplesPerPixel": 3, "PlanarConfiguration": 0,
                     "PhotometricInterpretation": "RGB"}
    save(tmp_path / "a.dcm", compressed(values, stream, syntax, **elements))
    np.testing.assert_array_equal(stored_values(tmp_path / "a.dcm"), values)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202",
                                    "1.2.840.10008.1.2.4.203"])
def test_jpeg_2000_gives_back_every_value_high_throughput_too(syntax, tmp_path):
    values = RNG.integers(0, 4096, (24, 30)).astype(np.uint16)
    stream = imagecodecs.jpeg2k_encode(values, codecformat="j2k", reversible=True, level=0) if syntax.endswith("90") \
        else imagecodecs.htj2k_encode(values, reversible=True)
    save(tmp_path / "a.dcm", compressed(values, stream, syntax, BitsStored=12, HighBit=11))
    assert find_images(tmp_path)[0][0].action == "read"
    np.testing.assert_array_equal(stored_values(tmp_path / "a.dcm"), values)


def test_a_stream_of_another_size_than_its_header_never_reaches_a_decoder(tmp_path):
    values = RNG.integers(0, 256, (24, 30), dtype=np.uint8)
    big = imagecodecs.jpeg2k_encode(np.zeros((400, 400), np.uint8), codecformat="j2k")
    for syntax, stream in (("1.2.840.10008.1.2.4.50", imagecodecs.jpeg8_encode(np.zeros((400, 400), np.uint8))),
                           ("1.2.840.10008.1.2.4.90", big), ("1.2.840.10008.1.2.5", b"\xff" * 100)):
        save(tmp_path / "a.dcm", compressed(values, stream, syntax))
        (entry,), images = find_images(tmp_path)
        assert (entry.action, entry.reason_code, images) == ("skip", "damaged", [])


def test_a_transfer_syntax_without_a_decoder_is_named(tmp_path):
    save(tmp_path / "a.dcm", compressed(GREY, b"\0\0\0\x01g" + bytes(60), "1.2.840.10008.1.2.4.102"))  # MPEG-4
    header = read_header(tmp_path / "a.dcm", root=tmp_path)
    assert header.tags["TransferSyntaxUID"].endswith(".102")
    with pytest.raises(UserError) as caught:
        read_pixels(tmp_path / "a.dcm")
    assert caught.value.code == "unsupported_type"
