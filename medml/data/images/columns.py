"""What the headers, the names and the folders of pictures say, as the columns of a table with a row a picture."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import polars as pl

from medml.data.images.image_file import ImageFile

PICTURE, FOLDER, PATIENT, CONTENT, MODALITY, SPLIT = "picture", "folder", "patient", "content", "modality", "split"
MOST_CLASSES = 20  # sub-folders of one level that may be classes
FEWEST_STEMS = 5  # beginnings of names below which they are no patients
SHARE_OF_STEMS = 0.8  # of all names that must be built that way
# Studies, series and pictures that are numbered ("ST000001/SE000002"): a level of such folders is no class.
_NUMBERED = re.compile(r"(?:st|stu|study|se|ser|srs|series|scan|exam|ses|session|visit|acq|im|img|image)[-_ .]?\d+",
                       re.I)
TRAIN, VALIDATION, TEST = "train", "val", "test"
SPLITS = {"train": TRAIN, "training": TRAIN, "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION,
          "dev": VALIDATION, "test": TEST, "testing": TEST, "holdout": TEST}  # how parts of a split are called

# Allow-listed tags that may be columns, in plain words; what is told by a column of its own is not among them.
TAGS = {"Modality": MODALITY, "Manufacturer": "manufacturer", "BodyPartExamined": "body part",
        "ViewPosition": "view position", "ImageLaterality": "laterality", "PresentationIntentType": "presentation",
        "PhotometricInterpretation": "photometric", "BitsStored": "bits", "TransferSyntaxUID": "transfer syntax",
        "BurnedInAnnotation": "burned in", "LossyImageCompression": "lossy", "SliceThickness": "slice thickness",
        "KVP": "tube voltage", "PixelSpacing": "pixel spacing", "ImagerPixelSpacing": "detector spacing",
        "WindowCenter": "window centre", "WindowWidth": "window width", "RescaleSlope": "slope",
        "RescaleIntercept": "intercept"}

# "00001303_001", "person12_virus_3", "IM-0115-0001", "17_left": a beginning that ends in digits, then which picture of
# it. "benign (12)" and "benign_12" number the pictures of a class: they have no second part.
_STEM = re.compile(r"((?:[A-Za-z]{1,12}[-_ ]?)?\d{1,16})[-_ .](?:.*\d|(?i:left|right|l|r|od|os))")
_DAY = re.compile(r"(?:19|20)\d{2}[-_]?(?:0[1-9]|1[0-2])[-_]?(?:0[1-9]|[12]\d|3[01])")


def columns_of(images: Sequence[ImageFile]) -> pl.DataFrame:
    """A row a picture, in the given order; the patient as a key that only this installation can make.

    returns  picture, tags that vary, kind, frames, width, height, bytes, patient (where known), split and folder
             (where the sub-folders are such)
    """
    columns = {PICTURE: pl.Series([each.path for each in images], dtype=pl.String)} | _tags(images)
    columns["kind"] = pl.Series([each.kind for each in images], dtype=pl.String)
    for name, values in (("frames", [each.frames for each in images]), ("width", [each.cols for each in images]),
                         ("height", [each.rows for each in images]), ("bytes", [each.bytes for each in images])):
        columns[name] = pl.Series(values, dtype=pl.Int64)
    patients = patients_of(images)
    if any(patients):
        columns[PATIENT] = pl.Series(patients, dtype=pl.String)
    return pl.DataFrame(columns | folders_of([each.path for each in images], patients))


def _tags(images: Sequence[ImageFile]) -> dict[str, pl.Series]:
    """Allow-listed tags of which the pictures hold different values, null where one has none."""
    found = {}
    for keyword, name in TAGS.items():
        values = [each.tags.get(keyword) or None for each in images]
        if keyword == "TransferSyntaxUID":
            values = [syntax_name(value) for value in values]
        if len(set(values)) > 1:
            found[name] = pl.Series(values, dtype=pl.String)
    return found


def syntax_name(uid: str | None) -> str | None:
    """A transfer syntax in the standard's words (PS3.6 table A-1)."""
    if not uid:
        return None
    from pydicom.uid import UID

    return UID(uid).name


def patients_of(images: Sequence[ImageFile]) -> list[str | None]:
    """Whose each picture is: by PatientID; where no picture has one, by the beginning that names of files share."""
    if any(each.patient for each in images):
        return [each.patient for each in images]
    return stems_of([each.path for each in images])


def stems_of(paths: Sequence[str]) -> list[str | None]:
    """Keys of the patients that the names of files tell ("00012345_003.png"), else None for all of them.

    Nearly all names must be built that way, and their beginnings must be neither few (a class) nor days.
    """
    from medml.data.images.index import patient_key

    matched = [_STEM.fullmatch(PurePosixPath(path).stem) for path in paths]
    stems = [found[1] if found and not _DAY.fullmatch(found[1]) else None for found in matched]
    known = Counter(stem for stem in stems if stem is not None)
    if len(known) < FEWEST_STEMS or sum(known.values()) < SHARE_OF_STEMS * len(paths):
        return [None] * len(paths)
    keys = {stem: patient_key(stem) for stem in known}
    return [keys.get(stem) if stem is not None else None for stem in stems]


def folders_of(paths: Sequence[str], patients: Sequence[str | None]) -> dict[str, pl.Series]:
    """Levels of sub-folders that every picture lies below and that take 2-20 values: a split, and classes.

    Where several levels could be classes the one that comes back under different parents is taken (site/class), else
    the uppermost. A level with a folder a patient is none, nor one of numbered studies or series.
    """
    parts = [PurePosixPath(path).parts[:-1] for path in paths]
    found: dict[str, pl.Series] = {}
    levels = []
    for depth in range(min((len(each) for each in parts), default=0)):
        values = [each[depth] for each in parts]
        kinds = set(values)
        if kinds <= {name for name in kinds if name.lower() in SPLITS} and len(kinds) > 1 and SPLIT not in found:
            found[SPLIT] = pl.Series(values, dtype=pl.String)
        elif 2 <= len(kinds) <= MOST_CLASSES and len(kinds) < len(values) and not _one_each(values, patients) \
                and not all(map(_NUMBERED.fullmatch, kinds)):
            levels.append((_comes_back(parts, depth), -depth, values))
    if levels:
        found[FOLDER] = pl.Series(max(levels, key=lambda each: each[:2])[2], dtype=pl.String)
    return found


def own_parts(values: Sequence[Any]) -> list[str] | None:
    """TRAIN, VALIDATION or TEST for every picture, by the column "split"; None where that is no division to judge by: a
    value that names no part, or nothing to learn from or to be judged on.

    Of two parts the one that is not for training is what others were judged on, however it is called: it is TEST.
    """
    parts = [SPLITS.get(str(each).strip().lower()) for each in values]
    there = set(parts)
    if None in there or TRAIN not in there or len(there) < 2:
        return None
    return [TEST if each == VALIDATION else each for each in parts] if TEST not in there else parts


def _one_each(values: Sequence[str], patients: Sequence[str | None]) -> bool:
    """Whether the folders are patients: as many as there are, one in each."""
    inside: defaultdict[str, set[str | None]] = defaultdict(set)
    for value, patient in zip(values, patients, strict=True):
        inside[value].add(patient)
    return None not in set(patients) and all(len(each) == 1 for each in inside.values()) \
        and len(set(patients)) == len(inside)


def _comes_back(parts: Sequence[tuple[str, ...]], depth: int) -> bool:
    """Whether folders of one name lie under different parents."""
    if not depth:
        return False
    parents: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for each in parts:
        parents[each[depth]].add(each[:depth])
    return sum(len(each) > 1 for each in parents.values()) >= 2
