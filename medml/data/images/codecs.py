"""A decoder plug-in for pydicom: JPEG lossless and JPEG of 12 bits by imagecodecs (BSD-3), where pydicom has none.

Written to pydicom's interface of decoder plug-ins (pydicom.pixels.decoders, "Decoder plugins"); PS3.5 annex A.4.1-2.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.pixels.decoders.base import DecodeRunner

NAME = "medml"
_NEEDS = ("imagecodecs",)
_BASELINE, _EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
DECODER_DEPENDENCIES = dict.fromkeys((_EXTENDED, *_LOSSLESS), _NEEDS)


def is_available(uid: str) -> bool:
    """Whether frames of this transfer syntax can be decoded here."""
    return uid in DECODER_DEPENDENCIES and importlib.util.find_spec("imagecodecs") is not None


def decode_frame(stream: bytes, runner: DecodeRunner) -> bytes:
    """The pixels of one frame, rows one after the other, samples together; little endian, 8 or 16 bits a sample.

    raises  ValueError or RuntimeError where the stream is damaged
    """
    import imagecodecs
    pixels = _decode(imagecodecs, bytes(stream), runner)
    runner.set_option("bits_allocated", 8 * pixels.itemsize)
    if runner.samples_per_pixel > 1:
        runner.set_option("planar_configuration", 0)
    return pixels.tobytes()


def _decode(imagecodecs, stream: bytes, runner: DecodeRunner):
    if runner.transfer_syntax not in _LOSSLESS:
        return imagecodecs.jpeg8_decode(stream)
    if runner.samples_per_pixel == 1:
        return imagecodecs.ljpeg_decode(stream)
    return imagecodecs.jpeg8_decode(stream, colorspace="RGB", outcolorspace="RGB")  # as stored: no colours converted


def register() -> None:
    """Make the plug-in known to pydicom's decoders, once a process."""
    from pydicom.pixels import get_decoder
    for uid in DECODER_DEPENDENCIES:
        decoder = get_decoder(uid)
        if NAME not in decoder.available_plugins:
            decoder.add_plugin(NAME, (__name__, "decode_frame"))
