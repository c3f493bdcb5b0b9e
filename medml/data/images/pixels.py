"""The pixels of one image as a person would see them, whatever its kind."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from medml.data.files import Material
from medml.data.images import codecs
from medml.data.images.dicom_pixels import dicom_pixels, stored_values
from medml.data.images.elements import HEAD
from medml.data.images.entry import entry
from medml.data.images.fit import fit
from medml.data.images.image_file import ImageFile, Unreadable, Window, cut_off, damaged, not_from_disk
from medml.data.images.of_kind import header_of
from medml.data.images.picture_pixels import picture_pixels
from medml.drive import is_lost
from medml.errors import UserError

# What pydicom, Pillow and the codecs raise for what is wrong with a file, as tried on damaged ones.
_FOREIGN = (ArithmeticError, AssertionError, AttributeError, BufferError, EOFError, LookupError,
            NotImplementedError, OSError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error, zlib.error)


def read_pixels(path: Path, *, frame: int = 0, window: Window | None = None) -> np.ndarray:
    """One frame: modality LUT, then VOI LUT or window (PS3.3 C.11), MONOCHROME1 inverted, colours in RGB, upright.

    frame   from 0
    window  in the units after the modality LUT, instead of the one in the file; colours have none
    returns uint8, (rows, cols) or (rows, cols, 3)
    raises  Unreadable; ValueError where the file has no such frame or the window no sensible width
    """
    material = Material(path)
    image = _header(material, path.name)
    if not 0 <= frame < image.frames:
        raise ValueError(f"This file has {image.frames} frames, numbered from 0; there is no frame {frame}.")
    if window is not None and window.width < 1:
        raise ValueError(f"A window needs a width of at least 1, not {window.width}.")
    return _decoded(material, image, frame, window)[0]


def decode(request: dict) -> np.ndarray:
    """What a child process answers: the pixels of one frame, fitted; see decode_all for what is asked.

    raises  Unreadable
    """
    path, frame, window = Path(request["path"]), request["frame"], request["window"]
    material = Material(path) if request.get("inside") is None else entry(path, request["inside"])
    image = _header(material, path.name, request["kind"])
    if frame >= image.frames:
        raise damaged("This file has changed since it was scanned.")
    window = Window(*window) if window else None
    pixels, aspect = _decoded(material, image, frame, window)
    return fit(pixels, request["size"], request["channels"], aspect)


def load_decoder(kind: str) -> None:
    """Import what files of a kind need, so that reading the first one takes no longer than the next."""
    if kind == "dicom":
        codecs.register()
    from PIL import Image
    Image.preinit()


def _header(material: Material, name: str, kind: str | None = None) -> ImageFile:
    """What must be known before a decoder sees the file; identifiers are not even hashed."""
    try:
        with material.open() as file:
            head = file.read(HEAD)
            size = file.seek(0, 2)
            if kind is None:
                from medml.data.images.header import kind_of  # loads what reads tables: not in a child
                kind = kind_of(head, name)
            image = header_of(name, kind, file, head, size, lambda *_: "")
    except UserError as error:
        raise error if isinstance(error, Unreadable) else Unreadable.of(error) from None
    except OSError:
        raise not_from_disk() from None
    if image.truncated:
        raise cut_off()
    return image


def _decoded(material: Material, image: ImageFile, frame: int, window: Window | None) -> tuple[np.ndarray, float]:
    """The pixels of one frame, and how high one is by its width."""
    try:
        if image.kind == "dicom":
            return dicom_pixels(material, frame, window)
        return picture_pixels(material, image.kind, frame, window), 1.0
    except UserError as error:
        raise error if isinstance(error, Unreadable) else Unreadable.of(error) from None
    except MemoryError:
        raise Unreadable("too_large", "This picture needs more memory than one picture may have.") from None
    except _FOREIGN as error:
        if is_lost(error):
            raise not_from_disk() from None
        raise Unreadable("damaged", "The pixels of this picture could not be decoded.") from None


__all__ = ["read_pixels", "stored_values"]
