"""The images of a folder: every file looked at by its content, every reason given. Headers alone are read here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from medml import home
from medml.data.images import folder_notes
from medml.data.images.header import CLAIMS, Looked, look_at
from medml.data.images.image_file import ImageFile, Unreadable, cut_off, not_from_disk
from medml.data.images.words import KINDS, WARNINGS, WORDS
from medml.data.kinds import ending
from medml.data.walk import Found, not_opened, walk
from medml.errors import Stopped, UserError
from medml.roots import existing
from medml.types import FileEntry
from medml.watch import Silent, Watch

log = logging.getLogger(__name__)


def patient_key(value: str) -> str:
    """The name of a patient that means nothing without this installation's key, as in ImageFile.patient."""
    return home.keyed_hash("patient", value.strip())


def uid_key(value: str) -> str:
    """The same of a SOPInstanceUID, as in ImageFile.uid."""
    return home.keyed_hash("uid", value.strip())


def read_header(path: Path, *, root: Path, hashed: Callable[..., str] | None = None) -> ImageFile:
    """The header of one image file.

    root    the folder that the path is told relative to
    hashed  home.hasher(), for who reads many: the key is then read once
    raises  Unreadable with a code of the reasons above; never anything else for what is in the file
    """
    shown = path.relative_to(root).as_posix()
    return _look(shown, path, hashed or home.hasher(), "PatientID").image


def find_images(source: Path, *, watch: Watch | None = None, patient_tag: str = "PatientID"
                ) -> tuple[list[FileEntry], list[ImageFile]]:
    """Every file under a folder (or one file) with what became of it, and the images among them that can be read.

    DICOM is found by content, with or without an extension; a DICOMDIR is never followed; what is cut off, damaged or
    dangerous is listed with its reason. Both lists are in the order of names.

    patient_tag  of DICOM: what says whose a picture is, of PATIENT_TAGS
    raises       UserError if the source is gone; Stopped if the watch asks to stop; never for a bad file
    """
    watch = watch or Silent()
    everything = list(walk(existing(source)))
    left_out: dict[str, FileEntry] = {}
    looked: list[Looked] = []
    hashed = home.hasher()
    for n, found in enumerate(everything):
        if n % 100 == 0:
            _report(watch, n, len(everything))
        each = _find(found, hashed, patient_tag)
        if isinstance(each, FileEntry):
            left_out[each.path] = each
        else:
            looked.append(each)
    images, compared = folder_notes.compare(looked)
    entries = left_out | {image.path: entry_of(image) for image in images} | {each.path: each for each in compared}
    return [entries[found.path] for found in everything], images


def _find(found: Found, hashed: Callable[..., str], patient_tag: str) -> Looked | FileEntry:
    """One readable image, or why it is none."""
    if found.what != "file":
        return not_opened(found)
    try:
        each = _look(found.path, found.full, hashed, patient_tag)
        if each.image.truncated:
            raise cut_off()
        return each
    except Unreadable as error:
        return _refusal(found, error)


def _look(shown: str, path: Path, hashed: Callable[..., str], patient_tag: str) -> Looked:
    try:
        return look_at(shown, path, hashed, patient_tag)
    except UserError as error:
        raise error if isinstance(error, Unreadable) else Unreadable.of(error) from None
    except OSError as error:  # the disk, the network share: this file only
        log.warning("a file could not be read: %s", type(error).__name__)
        raise not_from_disk() from None


def _report(watch: Watch, n: int, total: int) -> None:
    if watch.stopping():
        raise Stopped
    watch.say("looking", n / max(total, 1), f"{n:,} of {total:,} files")


def entry_of(image: ImageFile) -> FileEntry:
    """The line of one readable image in the list of files, with the first of its notes in words."""
    if not image.notes:
        return FileEntry(path=image.path, kind=image.kind, action="read", bytes=image.bytes)
    code = image.notes[0]
    words = WORDS[code]
    if "{" in words:
        words = words.format(kind=KINDS[image.kind], ending=ending(image.path), frames=image.frames)
    return FileEntry(path=image.path, kind=image.kind, action="read_with_warning" if code in WARNINGS else "read",
                     reason_code=code, message=words, bytes=image.bytes)


def _refusal(found: Found, error: Unreadable) -> FileEntry:
    known = ending(found.path) in CLAIMS
    action = "ignore" if error.code in ("not_an_image", "dicomdir") and not known else error.action
    return FileEntry(path=found.path, kind=ending(found.path) or "file", bytes=found.bytes, action=action,
                     reason_code=error.code, message=error.what)
