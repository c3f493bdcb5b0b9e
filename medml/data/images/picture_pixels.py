"""The pixels of a PNG, JPEG, TIFF, GIF or BMP by Pillow: upright, without texts, as grey or RGB of 8 bits."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np

from medml.data.files import Material
from medml.data.images.grey import Grey, shown
from medml.data.images.image_file import Unreadable, Window
from medml.data.images.quiet import quiet

if TYPE_CHECKING:
    from PIL import Image

_FORMATS = {"png": "PNG", "jpeg": "JPEG", "tiff": "TIFF", "gif": "GIF", "bmp": "BMP"}
_PNG_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"eXIf", b"acTL", b"fcTL", b"fdAT"})
_DEEP = ("I", "F")  # first letters of modes with more than 8 bits
_WHITE_IS_ZERO = (262, 0)  # TIFF's PhotometricInterpretation


def picture_pixels(material: Material, kind: str, frame: int, window: Window | None) -> np.ndarray:
    """One frame as a person would see it, uint8 (rows, cols) or (rows, cols, 3). Raises whatever Pillow does.

    Transparent parts lie on black, as the ground of a medical image does. Grey of more than 8 bits and decimal numbers
    are spread from the lowest to the highest value of the frame, or by the window.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError
    with material.open() as file, quiet("PIL"):
        source = io.BytesIO(_without_texts(file.read())) if kind == "png" else file
        try:
            opened = Image.open(source, formats=[_FORMATS[kind]])
        except UnidentifiedImageError:
            raise Unreadable("unsupported_type", "This picture is written in a way that MedML does not read.") from None
        with opened as image:
            image.seek(frame)
            image.load()
            tag, zero = _WHITE_IS_ZERO
            inverted = kind == "tiff" and image.tag_v2.get(tag) == zero and image.mode[0] in _DEEP
            return _pixels(ImageOps.exif_transpose(image), inverted, window)


def _pixels(image: Image.Image, inverted: bool, window: Window | None) -> np.ndarray:
    if image.mode[0] in _DEEP:
        return shown(_native(np.asarray(image)), Grey(inverted=inverted), window)
    if image.mode in ("1", "L"):
        grey = np.asarray(image.convert("L"))
        return shown(grey, Grey(full_range=(0, 255)), window) if window else grey.copy()
    if image.mode in ("LA", "La"):
        return _on_black(np.asarray(image.convert("LA")))[..., 0]
    if image.mode in ("RGBA", "RGBa", "PA") or "transparency" in image.info:
        return _on_black(np.asarray(image.convert("RGBA")))
    return np.asarray(image.convert("RGB")).copy()


def _native(values: np.ndarray) -> np.ndarray:
    """In this machine's byte order; 16-bit grey, which Pillow may hold in 32 bits, in 16 again."""
    values = values.astype(values.dtype.newbyteorder("="))
    if values.dtype == np.int32 and values.size and values.min() >= 0 and values.max() <= 0xFFFF:
        return values.astype(np.uint16)
    return values


def _on_black(pixels: np.ndarray) -> np.ndarray:
    """Colours (or grey) times their opacity; the last channel is the opacity."""
    colours, opacity = pixels[..., :-1].astype(np.uint16), pixels[..., -1:].astype(np.uint16)
    return ((colours * opacity + 127) // 255).astype(np.uint8)


def _without_texts(content: bytes) -> bytes:
    """A PNG with nothing but its pixels: texts and profiles, which unpack to any size, never reach the decoder."""
    kept, at = [content[:8]], 8
    while at + 12 <= len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        if name in _PNG_KEPT:
            kept.append(content[at:at + 12 + length])
        at += 12 + length
    return b"".join(kept)
