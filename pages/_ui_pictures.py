"""Pictures on the screens: what the scan knows of them, thumbnails, how they are brought to one size.

Pixels live in this session's memory alone and go when it does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from medml import project as projects
from medml.patience import READ, within
from medml.types import Choice, PictureFacts, PicturePlan, Table
from pages import _ui as ui

if TYPE_CHECKING:
    import polars as pl

KEPT = "m_pictures"  # what this session holds of pictures, by what it was made from
ACROSS, A_CLASS, DRAWN = 6, 6, 18  # side by side; shown of a class; decoded of a class
MOST_KEPT = 8
MOST_CLASSES, GREYS = 8, 4_000  # classes that are drawn; grey values of each
SIDE = "\x1fside"  # the name of no column
SIDES = (28, 64, 96, 128, 160, 224, 320)
WINDOWS = {"As the file says": None, "Lung": "lung", "Bone": "bone", "Soft tissue": "soft tissue", "Brain": "brain"}
FRAMES = {"The first frame": "first", "The middle frame": "middle", "Every frame, each as a case": "all"}
NAMES = {"photometric": "Colour", "bits": "Bits a pixel", "kind": "Sort of file", "size": "Pixels",
         "transfer syntax": "How it is packed"}
MEANS = {"MONOCHROME1": "inverted grey", "MONOCHROME2": "grey", "L": "grey", "RGB": "colour", "dicom": "DICOM",
         "png": "PNG", "jpeg": "JPEG", "tiff": "TIFF", "gif": "GIF", "bmp": "BMP"}


def facts(table: Table) -> None:
    """What the scan knows of the pictures of a folder: counts, copies, names in tags, writing in the pictures."""
    known = table.pictures
    if known is None:
        return
    ui.section("The pictures", "From their headers and a first look at their pixels; the files stay as they are.")
    with st.container(key="m_card_pictures"):
        ui.tiles([("pixels on the shorter side", _side(known)),
                  ("could not be decoded", f"{known.damaged + known.unread:,}"),
                  ("exact copies", f"{known.copies:,}"),
                  ("nearly alike", "not told" if known.near is None else f"{known.near:,}")])
        ui.table(("What", "Found"), [(NAMES.get(name, name.capitalize()), _counted(counts))
                                     for name, counts in known.by.items() if counts], fixed=True)
    for severity, what, fix in told(known):
        ui.say(severity, what, fix)


def _counted(counts: dict[str, int]) -> str:
    """What was found, with how often; codes of the standard as words, those that mean the same together."""
    found: dict[str, int] = {}
    for what, n in counts.items():
        found[MEANS.get(what, what)] = found.get(MEANS.get(what, what), 0) + n
    return ", ".join(f"{what} ({n:,})" for what, n in found.items())


def _side(known: PictureFacts) -> str:
    low, middle, high = known.side
    return f"{middle:,}" if low == high else f"{middle:,} ({low:,} to {high:,})"


def told(known: PictureFacts) -> list[tuple[Any, str, str]]:
    """What a reviewer would ask about these pictures: (severity, what, what to do)."""
    from medml.profile.pictures import often_written, untold

    said: list[tuple[Any, str, str]] = []
    if known.copies_across or known.near_across:
        n = known.copies_across + (known.near_across or 0)
        said.append(("caution", f"{ui.count(n, 'picture')} also {'lies' if n == 1 else 'lie'} in another class.",
                     "One of the two labels is wrong: look at them before training."))
    if known.identifiers:
        most = max(known.identifiers.values())
        names = ", ".join(list(known.identifiers)[:4])
        said.append(("caution", f"Tags that identify a person are filled in ({names}; up to {most:,} files).",
                     "MedML keeps none of them. Remove them before you pass the files on."))
    written = known.burned_in + (known.text_like or 0)
    if written:
        them = "it" if written == 1 else "them"
        said.append(("caution", f"About {ui.count(written, 'picture')} may have writing in {them}.",
                     "A name in a picture is a name; and a model may read it. Look at them, and crop if need be."))
    often = often_written(known)
    if often and not written:
        said.append(("note", f"{ui.count(sum(often.values()), 'picture')} ({', '.join(often)}) may have the patient's "
                     "name in them: such machines often write it there.",
                     "None was found at the borders. Look at a few before you pass them on." if known.text_like == 0
                     else "MedML could not look for it. Look at them before you pass them on."))
    if known.near:
        look = "looks" if known.near == 1 else "look"
        said.append(("note", f"{ui.count(known.near, 'picture')} {look} nearly like another one.",
                     "They are kept on the same side of every split, unless they tie too many patients together: the "
                     "checks count those that are not."))
    unknown = untold(known)
    return said + ([("note", *unknown)] if unknown else [])


def thumbnails(project: projects.Project, table: Table, choice: Choice) -> None:
    """A few pictures of each class, with a slider for the range of grey; in memory alone."""
    ui.looked(project.id)
    plan = (choice.pictures or PicturePlan()).model_copy(update={"size": 160})
    ui.section("Pictures of each class", "Drawn at random. Move the range of grey to see more; files are not touched.")
    window = None
    if any(each in ("CT", "other") for each in (table.pictures.by.get("modality", {}) if table.pictures else {})):
        name = st.segmented_control("Range of grey", list(WINDOWS), default=next(iter(WINDOWS)), key="m_window")
        window = WINDOWS.get(name or "")
    low, high = st.slider("Darkest and brightest", 0, 255, (0, 255), key="m_levels")
    drawn = kept((project.id, table.sha256, "thumbnails", window),
                 lambda: within(READ, _samples, project, table, choice,
                                plan.model_copy(update={"window": window})))
    for name, pixels in drawn.items():
        ui.heading(name)
        row(levels(pixels[:A_CLASS], low, high), [f"{name}, picture {n + 1}" for n in range(len(pixels))])
    ui.section("How they differ", "A model may learn the size of a class's pictures, or how bright they are, instead "
               "of what they show.")
    sides = kept((project.id, table.sha256, "sides"), lambda: within(READ, _sides, project, table, choice))
    shades = dict(zip(drawn, ui.ink().series, strict=False))
    ui.legend(shades, f"Pictures by {ui.clean(choice.target, 40)}")
    sizes, greys = st.columns(2, gap="medium")
    with sizes:
        _spread("Shorter side, pixels", sides, shades, "All pictures.")
    with greys:
        _spread("Grey, from dark to bright", _greys(drawn), shades, "Of up to 18 pictures of each class.")


def _spread(title: str, values: dict[str, np.ndarray], shades: dict[str, str], words: str) -> None:
    """One picture of how numbers are spread, by class; each colour adds up to 100 %."""
    from medml.plots import dressed
    from medml.plots.distributions import spread, spread_of_numbers

    numbers = np.concatenate(list(values.values()) or [np.empty(0)])
    groups = np.concatenate([np.full(len(each), name, dtype=object) for name, each in values.items()] or [np.empty(0)])
    found = spread_of_numbers(numbers, groups)
    if found is None:
        return
    with st.container(key=f"m_card_spread_{title[:5].strip().lower()}", height="stretch"):
        st.html(f'<p class="m-chart-title">{ui.html(title, 60)}</p>')
        if np.ptp(numbers) == 0:
            ui.note(f"{words} Each has {numbers[0]:,.0f}.")
            return
        ink = ui.ink()
        ui.chart(dressed(spread(found, ink=ink, colours=shades), ink), words, key=f"m_chart_{title[:5]}",
                 about=f"{title}: how it is spread in each class.")


def _sides(project: projects.Project, table: Table, choice: Choice) -> dict[str, np.ndarray]:
    """Class -> the shorter side of each of its pictures."""
    import polars as pl

    from medml.data import open_table

    source = open_table(Path(project.source), table.ref)
    sides = pl.Series(SIDE, [min(each.rows, each.cols) for each in source.images], dtype=pl.Float64)
    frame = source.frame([choice.target]).with_columns(sides).drop_nulls()  # an archive has no column of sizes
    return {name: some[SIDE].to_numpy() for name, some in _by_class(frame, choice).items()}


def _by_class(frame: pl.DataFrame, choice: Choice) -> dict[str, pl.DataFrame]:
    """The rows of each class, of the first few; an outcome that is a number has none: its pictures stand together."""
    if choice.task == "regression":
        return {"All pictures": frame}
    names = sorted(frame[choice.target].unique().to_list(), key=str)[:MOST_CLASSES]
    return {str(name): frame.filter(frame[choice.target] == name) for name in names}


def _greys(drawn: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Class -> some grey values of its pictures, equally many a class."""
    draw = np.random.default_rng(0)
    return {name: draw.choice(pixels.mean(axis=3).ravel(), GREYS) for name, pixels in drawn.items()}


def levels(pixels: np.ndarray, low: int, high: int) -> np.ndarray:
    """uint8 pictures with grey stretched from [low, high] to 0-255."""
    stretched = (pixels.astype(np.float32) - low) * (255.0 / max(1, high - low))
    return np.clip(stretched, 0, 255).astype(np.uint8)


def _samples(project: projects.Project, table: Table, choice: Choice, plan: PicturePlan) -> dict[str, np.ndarray]:
    """Class -> some of its pictures (n, side, side, channels)."""
    from medml.data import open_table
    from medml.data.images.image_file import Unreadable

    opened = open_table(Path(project.source), table.ref)
    frame = opened.frame([plan.column, choice.target]).drop_nulls()
    draw, found = np.random.default_rng(0), {}
    for name, rows in _by_class(frame, choice).items():
        of_class = rows[plan.column].to_list()
        some = [of_class[at] for at in draw.permutation(len(of_class))[:DRAWN]]
        pixels = [each for _, each in opened.decode(some, plan) if not isinstance(each, Unreadable)]
        if pixels:
            found[name] = np.stack(pixels)
    return found


def row(pixels: np.ndarray, words: Sequence[str]) -> None:
    """Pictures side by side; words  what each is, for who cannot see it"""
    for first in range(0, len(pixels), ACROSS):
        for at, column in enumerate(st.columns(ACROSS, gap="small"), start=first):
            if at < len(pixels):
                shown = pixels[at].squeeze()
                column.image(shown, width="stretch", alt=words[at])


def kept(name: tuple, make: Callable[[], Any]) -> Any:
    """What this session made before under this name; one set of pictures a name, the last few of them."""
    held = st.session_state.setdefault(KEPT, {})
    found = held.pop(name) if name in held else make()
    held[name] = found  # last in the row: the first one goes, which was not looked at for longest
    while len(held) > MOST_KEPT:
        held.pop(next(iter(held)))
    return found


def is_kept(name: tuple) -> bool:
    """Whether this session has made it already."""
    return name in st.session_state.get(KEPT, {})


def ask_plan(table: Table, plan: PicturePlan, key: str) -> PicturePlan:
    """How pictures are brought to one size and one range of grey; what this folder does not need is not asked."""
    ui.section("Pictures", "Brought to one size once, before training. Larger shows more and takes longer.")
    known = table.pictures
    sides = sorted({*SIDES, plan.size})
    size = st.select_slider("Pixels a side", sides, plan.size, key=f"{key}_side")
    window, frames = plan.window, plan.frames
    if known is not None and {"CT", "other"} & set(known.by.get("modality", {})):  # few patients' CT is not named
        names = list(WINDOWS) + ([plan.window] if plan.window and plan.window not in WINDOWS.values() else [])
        now = next((name for name, value in WINDOWS.items() if value == plan.window), plan.window)
        picked = st.selectbox("Range of grey", names, names.index(now), key=f"{key}_window")
        window = WINDOWS.get(picked, picked)
    if known is not None and known.frames > 1:
        now = next(name for name, value in FRAMES.items() if value == plan.frames)
        frames = FRAMES[st.selectbox("Files of several frames", list(FRAMES), list(FRAMES).index(now),
                                     key=f"{key}_frames")]
    return plan.model_copy(update={"size": int(size), "window": window, "frames": frames})
