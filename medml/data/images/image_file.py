"""What is known of one image file: figures, an allow-list of tags, hashes; never a name, a date or free text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from medml.errors import UserError

MOST_PIXELS = 100_000_000  # of one frame; a mammogram has 14 million
MOST_FRAMES = 100_000
SMALLEST = 8  # pixels a side; below it a picture shows nothing


class Window(NamedTuple):
    """A range of grey to look at, in the units after the modality LUT (Hounsfield units in CT).

    centre, width  as WindowCenter and WindowWidth (DICOM PS3.3 C.11.2.1.2)
    function       LINEAR, LINEAR_EXACT or SIGMOID
    """

    centre: float
    width: float
    function: str = "LINEAR"


# Usual reading windows of CT (e.g. Radiopaedia, "Windowing (CT)"), in Hounsfield units.
WINDOWS = {"lung": Window(-600, 1500), "bone": Window(400, 1800), "soft tissue": Window(50, 400),
           "brain": Window(40, 80)}


class Unreadable(UserError):
    """A file that cannot be read, with its reason; `refuse` where it looks like an attack rather than an accident."""

    def __init__(self, code: str, message: str,
                 fix: str = "Take the file out of the folder, or export it again and scan again.", *,
                 refuse: bool = False) -> None:
        super().__init__(what=message, fix=fix, code=code, detail="refuse" if refuse else "skip")

    @property
    def action(self) -> str:
        return self.detail

    @classmethod
    def of(cls, error: UserError) -> Unreadable:
        """The same reason, from the code that opens files."""
        return cls(error.code or "damaged", error.what, error.fix, refuse=error.detail == "refuse")


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One readable image as its header tells it.

    path        relative to the source, "/" between folders
    kind        dicom, png, jpeg, tiff, gif or bmp
    rows, cols  of one frame as a person sees it (EXIF orientation honoured)
    bits        stored bits of one sample, 1-64;  channels  samples of a pixel as stored, 1-4
    photometric DICOM's words for DICOM; L, RGB, CMYK ... otherwise
    tags        DICOM keyword -> text, from the allow-list alone; shared by files that say the same, not to be changed
    patient     patient_key() of PatientID, uid uid_key() of SOPInstanceUID; None where absent
    study       keyed hash of StudyInstanceUID, accession of AccessionNumber: tables name studies by them; None likewise
    identifiers keywords of identifying tags that hold something, wherever they are nested; never their values
    truncated   the file is shorter than its header says
    notes       reason codes worth telling, most important first
    """

    path: str
    kind: str
    bytes: int
    rows: int
    cols: int
    frames: int = 1
    channels: int = 1
    bits: int = 8
    photometric: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    patient: str | None = None
    uid: str | None = None
    identifiers: tuple[str, ...] = ()
    truncated: bool = False
    notes: tuple[str, ...] = ()
    study: str | None = None
    accession: str | None = None


def check_size(rows: int, cols: int, frames: int = 1) -> None:
    """Refuse what would need absurd memory, before any is taken. Unreadable "too_many_pixels" or "damaged"."""
    if rows < 1 or cols < 1 or frames < 1:
        raise damaged("This picture has no size: its header is damaged.")
    if rows * cols > MOST_PIXELS or frames > MOST_FRAMES:
        raise Unreadable("too_many_pixels", f"This file claims {rows:,} x {cols:,} pixels"
                         + (f" in {frames:,} frames" if frames > 1 else "")
                         + f", more than the {MOST_PIXELS:,} a frame that MedML opens. It was not opened.", refuse=True)


def damaged(message: str = "This picture is damaged.") -> Unreadable:
    return Unreadable("damaged", message)


def cut_off() -> Unreadable:
    return damaged("This picture is cut off.")


def not_from_disk() -> Unreadable:
    return Unreadable("unreadable", "This file could not be read from its disk.")
