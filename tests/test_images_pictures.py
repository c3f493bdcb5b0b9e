"""PNG, JPEG, TIFF, GIF and BMP: every kind of pixels, EXIF, texts, copies, masks, what is cut off and what lies."""

from __future__ import annotations

import logging
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from medml.data.images import Unreadable, Window, exact_duplicates, find_images, read_header, read_pixels

RNG = np.random.default_rng(5)
GREY = RNG.integers(0, 256, (40, 56), dtype=np.uint8)
RGB = RNG.integers(0, 256, (40, 56, 3), dtype=np.uint8)
DEEP = (RNG.integers(0, 4096, (40, 56)) * 16).astype(np.uint16)
UPRIGHT = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: np.transpose,
           6: lambda a: np.rot90(a, -1), 7: lambda a: a[::-1, ::-1].T, 8: np.rot90}  # Exif 2.32, Orientation


def spread(values: np.ndarray) -> np.ndarray:
    """From the lowest to the highest value, by hand."""
    low, high = float(values.min()), float(values.max())
    return np.rint((values - low) / (high - low) * 255).astype(np.uint8)


@pytest.mark.parametrize("ending", ["png", "tif", "bmp", "gif"])
def test_grey_is_read_exactly(ending, tmp_path):
    path = tmp_path / f"a.{ending}"
    Image.fromarray(GREY).save(path)
    pixels = read_pixels(path)
    np.testing.assert_array_equal(pixels if pixels.ndim == 2 else pixels[..., 0], GREY)
    header = read_header(path, root=tmp_path)
    assert (header.rows, header.cols, header.frames, header.truncated, header.path) == (40, 56, 1, False, path.name)


@pytest.mark.parametrize("ending", ["png", "tif", "bmp"])
def test_colours_are_read_exactly(ending, tmp_path):
    path = tmp_path / f"a.{ending}"
    Image.fromarray(RGB).save(path)
    np.testing.assert_array_equal(read_pixels(path), RGB)
    assert read_header(path, root=tmp_path).channels == 3


def test_jpeg_equals_pillows_own_decoding(tmp_path):
    for name, picture in (("grey.jpg", GREY), ("rgb.jpg", RGB)):
        Image.fromarray(picture).save(tmp_path / name)
        np.testing.assert_array_equal(read_pixels(tmp_path / name), np.asarray(Image.open(tmp_path / name)))


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_sixteen_bits_keep_their_range(compression, tmp_path):
    for ending in ("png", "tif"):
        path = tmp_path / f"a.{ending}"
        Image.fromarray(DEEP).save(path, **({"compression": compression} if ending == "tif" else {}))
        np.testing.assert_array_equal(read_pixels(path), spread(DEEP.astype(float)))
        assert read_header(path, root=tmp_path).bits == 16
        windowed = read_pixels(path, window=Window(30000, 20000, "LINEAR_EXACT"))
        wanted = np.clip((DEEP.astype(float) - 20000) / 20000, 0, 1)
        np.testing.assert_array_equal(windowed, np.rint(wanted * 255))


def test_big_endian_tiff_is_read_and_an_unknown_kind_is_named(tmp_path):
    def tiff(photometric: int, values: np.ndarray) -> bytes:
        rows, cols = values.shape
        tags = [(256, 4, cols), (257, 4, rows), (258, 3, 16 << 16), (259, 3, 1 << 16), (262, 3, photometric << 16),
                (273, 4, 8), (277, 3, 1 << 16), (278, 4, rows), (279, 4, values.nbytes)]
        body = values.astype(">u2").tobytes()
        return (b"MM\0*" + struct.pack(">I", 8 + len(body)) + body + struct.pack(">H", len(tags))
                + b"".join(struct.pack(">HHII", tag, kind, 1, value) for tag, kind, value in tags) + bytes(4))

    (tmp_path / "a.tif").write_bytes(tiff(1, DEEP))
    (tmp_path / "b.tif").write_bytes(tiff(0, DEEP))
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.tif"), spread(DEEP.astype(float)))
    with pytest.raises(Unreadable) as caught:  # 16 bits with white as 0: Pillow has no such mode
        read_pixels(tmp_path / "b.tif")
    assert caught.value.code == "unsupported_type"


def test_decimal_numbers_with_white_as_zero_are_turned_round(tmp_path):
    values = np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8)
    Image.fromarray(values).save(tmp_path / "a.tif", tiffinfo={262: 0})
    pixels = read_pixels(tmp_path / "a.tif")
    assert pixels[0, 0] == 255 and pixels[-1, -1] == 0


def test_decimal_numbers_that_are_none_count_as_zero(tmp_path):
    values = np.linspace(-1, 1, 64, dtype=np.float32).reshape(8, 8)
    values[3, 3] = np.nan
    Image.fromarray(values).save(tmp_path / "a.tif")
    pixels = read_pixels(tmp_path / "a.tif")
    assert pixels[0, 0] == 0 and pixels[-1, -1] == 255 and pixels[3, 3] == 128


def test_transparent_parts_lie_on_black_and_palettes_become_colours(tmp_path):
    alpha = np.dstack([RGB, np.zeros(RGB.shape[:2], np.uint8)])
    alpha[:20, :, 3] = 255
    Image.fromarray(alpha).save(tmp_path / "a.png")
    Image.fromarray(RGB).quantize(16).save(tmp_path / "p.png")
    Image.fromarray(np.dstack([GREY, alpha[..., 3]])).save(tmp_path / "la.png")
    wanted = RGB.copy()
    wanted[20:] = 0
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.png"), wanted)
    palette = np.asarray(Image.open(tmp_path / "p.png").convert("RGB"))
    np.testing.assert_array_equal(read_pixels(tmp_path / "p.png"), palette)
    np.testing.assert_array_equal(read_pixels(tmp_path / "la.png"), np.where(alpha[..., 3] > 0, GREY, 0))


def test_cmyk_becomes_rgb(tmp_path):
    Image.fromarray(RGB).convert("CMYK").save(tmp_path / "a.jpg")
    assert read_header(tmp_path / "a.jpg", root=tmp_path).photometric == "CMYK"
    assert read_pixels(tmp_path / "a.jpg").shape == (40, 56, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "tif", "png"])
def test_pictures_stand_upright(orientation, ending, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    path, exif = tmp_path / f"a.{ending}", Image.Exif()
    exif[0x0112] = orientation
    exif[0x9C9D] = "ZZCANARY owner".encode("utf-16-le")
    Image.fromarray(GREY).save(path, exif=exif)
    stored = np.asarray(Image.open(path)) if ending == "jpg" else GREY
    wanted = UPRIGHT[orientation](stored)
    caplog.clear()  # of Pillow's own words while the picture was made
    np.testing.assert_array_equal(read_pixels(path), wanted)
    header = read_header(path, root=tmp_path)
    assert (header.rows, header.cols) == wanted.shape
    told = "exif" if orientation > 1 else "exif_dropped"
    assert header.notes == ((told,) if ending != "tif" or orientation > 1 else ())
    assert "ZZCANARY" not in repr(header) + caplog.text and not caplog.records


def test_texts_and_profiles_never_reach_the_decoder(tmp_path):
    texts = PngInfo()
    texts.add_text("Patient", "ZZCANARY " * 5_000_000, zip=True)  # 45 MB in 0.05 MB
    Image.fromarray(GREY).save(tmp_path / "a.png", pnginfo=texts)
    entries, images = find_images(tmp_path)
    assert images[0].notes == ("text_chunk_dropped",)
    assert "ZZCANARY" not in entries[0].model_dump_json() + repr(images)
    np.testing.assert_array_equal(read_pixels(tmp_path / "a.png"), GREY)


def test_a_png_that_claims_too_much_is_refused_before_it_is_opened(tmp_path):
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks))
    (entry,), images = find_images(tmp_path)
    assert (entry.action, entry.reason_code, images) == ("refuse", "too_many_pixels", [])
    with pytest.raises(Unreadable, match="60,000 x 60,000"):
        read_pixels(tmp_path / "a.png")


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "bmp", "gif"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.98])
def test_a_picture_cut_off_anywhere_is_never_read_in_part(ending, share, tmp_path):
    path = tmp_path / f"a.{ending}"
    Image.fromarray(RNG.integers(0, 256, (120, 120), dtype=np.uint8)).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:max(12, int(share * len(whole)))])
    (entry,), images = find_images(tmp_path)
    assert (entry.action, entry.reason_code, images) == ("skip", "damaged", [])
    with pytest.raises(Unreadable):
        read_pixels(path)


def test_pages_are_told_apart(tmp_path):
    pages = [Image.fromarray(np.full((20, 20), grey, np.uint8)) for grey in (10, 20, 30)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert read_header(tmp_path / "a.tif", root=tmp_path).frames == 3
    assert [int(read_pixels(tmp_path / "a.tif", frame=frame)[0, 0]) for frame in range(3)] == [10, 20, 30]
    with pytest.raises(ValueError, match="no frame 3"):
        read_pixels(tmp_path / "a.tif", frame=3)


def test_tiff_pages_in_a_circle_end(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.tif")
    content = bytearray((tmp_path / "a.tif").read_bytes())
    at = struct.unpack_from("<I", content, 4)[0]
    n = struct.unpack_from("<H", content, at)[0]
    struct.pack_into("<I", content, at + 2 + 12 * n, at)
    (tmp_path / "a.tif").write_bytes(content)
    (entry,), _ = find_images(tmp_path)
    assert entry.reason_code == "damaged"


def test_pages_and_parts_without_end_end(tmp_path):
    """Directories that overlap, segments and chunks of nothing: bounded by count, not by the size of the file."""
    n = 60_000
    overlapping = struct.pack("<H", 2000) * n
    (tmp_path / "a.tif").write_bytes(b"II*\0" + struct.pack("<I", 8) + overlapping)
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8" + b"\xff\xfe\0\x02" * 200_000 + b"\xff\xd9")
    empty = struct.pack(">I4sI", 0, b"juNK", zlib.crc32(b"juNK"))
    (tmp_path / "c.png").write_bytes(b"\x89PNG\r\n\x1a\n" + empty * 200_000)
    entries, images = find_images(tmp_path)
    assert [entry.reason_code for entry in entries] == ["damaged"] * 3 and not images


def test_copies_are_found_whatever_their_names(tmp_path):
    for name, picture in (("a.png", GREY), ("b.png", RGB), ("c.png", GREY), ("d.bmp", GREY), ("e.bmp", GREY + 1),
                          ("f.bmp", GREY)):
        Image.fromarray(picture).save(tmp_path / name)
    _, images = find_images(tmp_path)
    assert exact_duplicates(tmp_path, images) == [[0, 2], [3, 5]]
    noted = {image.path for image in images if "duplicate_images" in image.notes}
    assert noted == {"a.png", "c.png", "d.bmp", "f.bmp"}


def test_a_mask_is_no_picture_of_its_own(tmp_path):
    for name, picture in (("benign (1).png", GREY), ("benign (1)_mask.png", RGB), ("benign (1)_mask_1.png", GREY // 2),
                          ("mask.png", GREY // 3), ("other.png", GREY // 4), ("other_mask.png", GREY[:9])):
        Image.fromarray(picture).save(tmp_path / name)
    entries, images = find_images(tmp_path)
    said = {entry.path: entry.reason_code for entry in entries}
    assert {image.path for image in images} == {"benign (1).png", "mask.png"}
    assert said["benign (1)_mask.png"] == said["benign (1)_mask_1.png"] == "mask"
    assert said["other.png"] == said["other_mask.png"] == "mask_size"


def test_other_files_beside_the_pictures_are_ignored(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    (tmp_path / "labels.csv").write_text("file,label\na.png,1\n")
    (tmp_path / "notes.docx").write_bytes(b"PK\x03\x04 no picture")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    entries, images = find_images(tmp_path)
    assert {entry.path: entry.action for entry in entries} == {
        "a.png": "read", "labels.csv": "ignore", "notes.docx": "ignore", "link.png": "skip"}
    assert [image.path for image in images] == ["a.png"]


def test_files_that_begin_alike_are_told_apart_at_their_end(tmp_path):
    for name, last in (("a", 1), ("b", 1), ("c", 2), ("d", 2), ("e", 2), ("f", 3)):
        picture = np.zeros((300, 300), np.uint8)  # the same first 8 KB in a BMP, which begins with its last row
        picture[0, :] = last
        Image.fromarray(picture).save(tmp_path / f"{name}.bmp")
    images = find_images(tmp_path)[1]
    assert exact_duplicates(tmp_path, images) == [[0, 1], [2, 3, 4]]
    assert exact_duplicates(tmp_path, images[1:3]) == [] and exact_duplicates(tmp_path, images[:2]) == [[0, 1]]
