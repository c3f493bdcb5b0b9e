"""What a scan keeps of the pictures of a folder: counts of files. Headers first, pixels where nobody stops it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from medml.data.images import alike
from medml.data.images.borders import LIKELY, text_on_borders
from medml.data.images.columns import CONTENT, PATIENT, PICTURE, SPLIT, TAGS, own_parts, syntax_name
from medml.data.images.image_file import ImageFile, Unreadable
from medml.data.images.table import ImageTable
from medml.data.images.twins import Looks, across
from medml.data.kinds import PICTURE_ENDINGS
from medml.errors import Stopped
from medml.profile.suspicions import note
from medml.types import Column, FileEntry, Kind, PictureFacts, Proposal, Table
from medml.watch import Watch

OTHER = "other"
IDENTIFIERS = (CONTENT, PATIENT)
OWN = (*TAGS.values(), "kind", "frames", "width", "height", "bytes")
GIVES_AWAY = ("leak", "single_outcome", "outcome_proxy")
ALONE = "A model of pictures learns from the pixels alone."
LEAST_SIDE = 48  # pixels a side below which writing cannot be told
CHEST = ("CHEST", "THORAX", "LUNG")
# Modalities whose machines often write the patient's name into the picture (PS3.3 C.7.3.1.1.1): ultrasound, endoscopy,
# microscopy, photographs, scanned documents, and what is captured from a screen.
OFTEN_WRITTEN = ("US", "IVUS", "ES", "GM", "XC", "DOC", "SC", "OT")
_FACTS: dict[str, Callable[[ImageFile], str | None]] = {
    "modality": lambda each: each.tags.get("Modality"), "manufacturer": lambda each: each.tags.get("Manufacturer"),
    "transfer syntax": lambda each: syntax_name(each.tags.get("TransferSyntaxUID")),
    "photometric": lambda each: each.photometric, "bits": lambda each: str(each.bits),
    "kind": lambda each: each.kind, "size": lambda each: f"{each.cols} x {each.rows}"}


def with_pictures(table: Table, source: ImageTable, k: int) -> Table:
    """The table of pictures with what their headers tell, and nothing proposed but outcome and patient.

    table  as any other table was scanned: the names of files, their hashes and the keys of patients lose what a scan
           keeps of other columns
    """
    columns = [_column(each, source.key) for each in table.columns]
    targets = [each for each in table.targets if each.column != SPLIT or not _is_divided(source, None)]
    target = targets[0].column if targets else None
    patient = table.patient
    kept = {PICTURE, target, patient.column if patient else None}
    leave_out = [Proposal(column=each.name, reason=ALONE) for each in columns if each.name not in kept]
    return table.model_copy(update={"columns": columns, "leave_out": leave_out, "targets": targets,
                                    "pictures": facts_of(source.images, k, own_split=_is_divided(source, target))})


def _is_divided(source: ImageTable, target: str | None) -> bool:
    """Whether the pictures came with a split to judge by. Those that a label table does not speak of do not count, nor
    those without the outcome `target`: a part to judge on may have been published without its labels."""
    if SPLIT not in source.columns:
        return False
    told = source.frame([SPLIT] if target in (None, SPLIT) else [SPLIT, target]).drop_nulls()
    return own_parts(told[SPLIT].to_list()) is not None


def facts_of(images: Sequence[ImageFile], k: int, *, own_split: bool) -> PictureFacts:
    """What the headers of pictures tell, in counts."""
    owners = [each.patient or f"\x1f{place}" for place, each in enumerate(images)]
    by = {name: counted([get(each) for each in images], owners, k) for name, get in _FACTS.items()}
    named: Counter[str] = Counter(tag for each in images for tag in each.identifiers)
    shown = [each.tags.get("BodyPartExamined", "").upper() for each in images]
    chest = sum(any(word in part for word in CHEST) for part in shown)
    return PictureFacts(
        n=len(images), by={name: counts for name, counts in by.items() if counts},
        side=_spread([min(each.rows, each.cols) for each in images], k),
        frames=max(_spread([each.frames for each in images], k)[2], 1 + any(each.frames > 1 for each in images)),
        small=sum(min(each.rows, each.cols) < alike.SIDE for each in images),
        identifiers=dict(named.most_common()),
        burned_in=sum(each.tags.get("BurnedInAnnotation") == "YES" for each in images),
        chest=chest > len(images) / 2, own_split=own_split)


def often_written(facts: PictureFacts) -> dict[str, int]:
    """{modality: files} of those whose machines often write into their pictures; {} where there are none."""
    return {what: n for what, n in facts.by.get("modality", {}).items() if what in OFTEN_WRITTEN}


def untold(facts: PictureFacts) -> tuple[str, str] | None:
    """Why near copies of these pictures, or of some, could not be looked for, and what to do; None where they were."""
    if facts.small:
        some = "these pictures" if facts.small == facts.n else f"{facts.small:,} of {facts.n:,} pictures"
        return (f"Near copies of {some} cannot be told: their shorter side has fewer than {alike.SIDE} pixels.",
                "Pictures that are equal pixel by pixel were counted. If you have larger files, scan those instead.")
    if facts.near is None and facts.side[2] >= alike.SIDE:
        return "Near copies were not counted: the look at the pixels was ended early.", "Scan again and let it finish."
    return None


def mirrored(facts: PictureFacts | None, flip: str | None) -> tuple[str, str] | None:
    """What to say where chest films are to be mirrored, and what to do; None where all is well.

    flip  the family's setting of that name; None where it has none
    """
    if facts is None or not facts.chest or flip in (None, "none"):
        return None
    return ("These are chest films, and they are to be mirrored: the heart would lie on the wrong side.",
            "Set “Mirrored” to none.")


def counted(values: Sequence[str | None], owners: Sequence[str], k: int) -> dict[str, int]:
    """{value: files}, most frequent first; those of fewer than k files or k patients together as "other".

    {} where no file has a value
    """
    rows = Counter(value for value in values if value)
    patients: defaultdict[str, set[str]] = defaultdict(set)
    for value, owner in zip(values, owners, strict=True):
        if value:
            patients[value].add(owner)
    named = {value: n for value, n in rows.most_common() if len(patients[value]) >= k}
    rest = sum(rows.values()) - sum(named.values())
    return named | ({OTHER: rest} if rest else {})


def look(table: Table, source: ImageTable, watch: Watch) -> tuple[Table, dict[str, Unreadable]]:
    """The table with what its pixels tell, and the pictures that could not be decoded, by name.

    Told to stop, it counts what it has seen; near pictures and writing then stay unknown.
    """
    looks, broken, text, whole = Looks(source.rows), {}, [], True
    try:
        for row, pixels in source.whole(watch):
            if isinstance(pixels, Unreadable):
                broken[source.listed(source.images[row].path)] = pixels
            else:
                looks.add(row, pixels)
                text += [text_on_borders(pixels) >= LIKELY] if min(pixels.shape) >= LEAST_SIDE else []
    except Stopped:
        whole = False
    twins = looks.twins()
    classes = _classes(table, source)
    told = whole and twins.told
    facts = table.pictures.model_copy(update={
        "damaged": len(broken), "copies": int(twins.copy.sum()), "copies_across": across(twins, twins.copy, classes),
        "near": int(twins.near.sum()) if told else None,
        "near_across": across(twins, twins.near, classes) if told else None,
        "text_like": sum(text) if whole and text else None})
    return table.model_copy(update={"pictures": facts}), broken


def with_unread(table: Table, files: Sequence[FileEntry]) -> Table:
    """The table of pictures with how many files their headers showed to be damaged: they are no rows of it."""
    if table.pictures is None:
        return table
    n = sum(each.action == "skip" and each.reason_code == "damaged" and each.kind in PICTURE_ENDINGS for each in files)
    return table.model_copy(update={"pictures": table.pictures.model_copy(update={"unread": n})})


def _classes(table: Table, source: ImageTable) -> list[str | None]:
    """The likeliest outcome of every picture, or None for all where nothing looks like one."""
    if not table.targets:
        return [None] * source.rows
    return [None if value is None else str(value) for value in source.frame([table.targets[0].column]).to_series()]


def _column(column: Column, key: str | None) -> Column:
    """A column of pictures as it may be stored: no name of a file, no hash, no key of a patient.

    key  the column of a label table that names files, pictures or patients

    Of what the headers say only that remark stays which a reviewer would make: that it gives the outcome away.
    """
    if column.name in OWN:
        kept = [each for each in column.suspicions if each.code in GIVES_AWAY]
        return column.model_copy(update={"suspicions": kept})
    names = (*IDENTIFIERS, key)
    kind: Kind | None = "picture" if column.name == PICTURE else "identifier" if column.name in names else None
    if kind is None:
        return column
    told = [note("identifier", "It names persons.", "It is never used to predict. Choose it as the patient column.")
            ] if column.name == PATIENT else []
    return column.model_copy(update={"kind": kind, "suspicions": told, "levels": [], "hidden_levels": 0,
                                     "hidden_rows": 0, "low": None, "median": None, "high": None})


def _spread(values: Sequence[int], k: int) -> tuple[int, int, int]:
    """5th percentile, median and 95th percentile; the median thrice where few files would show as extremes."""
    quantiles = (0.05, 0.5, 0.95) if len(values) >= 2 * k else (0.5, 0.5, 0.5)
    low, middle, high = np.quantile(np.asarray(values), quantiles, method="inverted_cdf")
    return int(low), int(middle), int(high)
