"""Text burned into borders: seen where it is written, on made pictures and on real ones that a person looked at."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from medml.data.images import read_pixels, text_on_borders
from medml.data.images.borders import LIKELY

WITH_TEXT = ["WG04_VL1_J2KR.dcm", "examples_rgb_color.dcm", "examples_jpeg2k.dcm", "OBXXXX1A.dcm",
             "examples_palette.dcm", "JPGLosslessP14SV1_1s_1f_8b.dcm"]  # seen by eye, SOURCE.md
WITHOUT = ["WG04_CT1_RLE.dcm", "693_J2KR.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm", "WG04_RG1_J2KI.dcm",
           "WG04_XA1_RLE.dcm", "JPEG-LL.dcm", "tcia_1.dcm", "emri_small.dcm"]


def body(side: int = 512) -> np.ndarray:
    """Something like anatomy: soft shapes, an edge, speckle."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:side, :side] / side
    shapes = 120 * np.exp(-((x - 0.5) ** 2 + (y - 0.5) ** 2) * 9) + 40 * np.sin(14 * x) * np.sin(11 * y)
    return np.clip(shapes + 30 + rng.normal(0, 12, (side, side)), 0, 255).astype(np.uint8)


def written(image: np.ndarray, words: str, place: tuple[int, int], *, size: int = 18, grey: int = 250) -> np.ndarray:
    picture = Image.fromarray(image)
    ImageDraw.Draw(picture).text(place, words, fill=grey, font=ImageFont.load_default(size))
    return np.asarray(picture)


@pytest.mark.parametrize(("place", "size"), [((10, 8), 18), ((300, 8), 14), ((10, 480), 24), ((330, 470), 16)])
def test_words_in_a_corner_are_seen(place, size):
    image = body()
    assert text_on_borders(image) < 0.1
    assert text_on_borders(written(image, "SMITH JANE 1950", place, size=size)) >= LIKELY


def test_dark_words_on_bright_ground_are_seen():
    assert text_on_borders(written(255 - body(), "SMITH JANE 1950", (12, 470), grey=5)) >= LIKELY


def test_words_on_a_large_film_are_seen():
    large = np.asarray(Image.fromarray(body()).resize((2400, 2400)))
    assert text_on_borders(written(large, "SMITH JANE 1950", (40, 40), size=60)) >= LIKELY


def test_more_words_score_higher():
    said = ("ANNA", "ANNA JONES", "ANNA JONES 12.3.1950")
    scores = [text_on_borders(written(body(), words, (10, 8))) for words in said]
    assert scores == sorted(scores) and 0 < scores[0] < scores[2] <= 1


def test_words_in_the_middle_are_not_on_the_border():
    assert text_on_borders(written(body(), "NODULE HERE", (190, 250))) < 0.1


@pytest.mark.parametrize("name", ["noise", "checks", "grid", "flat", "black", "one letter", "small"])
def test_what_is_no_text_is_not_taken_for_it(name):
    rng = np.random.default_rng(0)
    grid = np.full((512, 512), 40, np.uint8)
    grid[::32] = grid[:, ::32] = 230
    pictures = {"noise": rng.integers(0, 256, (512, 512), dtype=np.uint8),
                "checks": (np.indices((512, 512)).sum(0) // 8 % 2 * 255).astype(np.uint8), "grid": grid,
                "flat": np.full((300, 400), 128, np.uint8), "black": np.zeros((300, 400, 3), np.uint8),
                "one letter": written(body(), "L", (12, 12), size=30),
                "small": written(body(40), "SMITH", (1, 1), size=9)}
    assert text_on_borders(pictures[name]) < LIKELY


@pytest.mark.parametrize("name", WITH_TEXT)
def test_real_pictures_with_burned_in_text_are_seen(name, clinical):
    assert text_on_borders(read_pixels(clinical / "dicom" / name)) >= LIKELY


@pytest.mark.parametrize("name", WITHOUT)
def test_real_pictures_without_text_are_left_in_peace(name, clinical):
    assert text_on_borders(read_pixels(clinical / "dicom" / name)) < LIKELY
