"""What is said of an image that is read all the same: a sentence for each reason code, most important first."""

from __future__ import annotations

from collections.abc import Iterable

WARNINGS = {
    "mixed_series": "Slices of different sizes lie in one folder: they are not one series.",
    "duplicate_images": "The same picture lies in this folder more than once.",
    "wrong_extension": "This file is {kind}, although its name ends in .{ending}. It was read as {kind}.",
    "burned_in_text": "This picture may have text burned into it. Check before using it.",
    "too_small": "This picture is smaller than 8 x 8 pixels.",
    "several_frames": "This file holds {frames:,} pictures. The first one is used unless you choose otherwise.",
    "invalid_value": "A number in the header of this file is not written as the standard asks; it was left out.",
    "no_preamble": "This DICOM file lacks its first 132 bytes. It was read all the same.",
    "identifiers": "The header of this file names a person, a place or a day. None of it was kept.",
    "identifier_in_name": "The name of this file holds a date. Names of files can tell who a patient is.",
    "text_chunk_dropped": "The text stored inside this picture was left out.",
    "exif": "Camera details (place, owner) were left out; the picture was turned upright.",
}
FACTS = {"exif_dropped": "Camera details (place, owner) were left out.",
         "16bit": "This picture has 16 bits a pixel; all of them are kept until the window is applied.",
         "float": "This picture holds decimal numbers; they were spread over the whole range of grey."}
WORDS = WARNINGS | FACTS
ORDER = {code: place for place, code in enumerate(WORDS)}
KINDS = {"dicom": "a DICOM file", "png": "a picture (PNG)", "jpeg": "a picture (JPEG)", "tiff": "a picture (TIFF)",
         "gif": "a picture (GIF)", "bmp": "a picture (BMP)"}


def in_order(codes: Iterable[str]) -> tuple[str, ...]:
    """Reason codes, the most important first."""
    return tuple(sorted(codes, key=ORDER.__getitem__))
