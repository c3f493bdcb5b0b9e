"""Use a finished run on new patients; say nothing, and why, where a number could not be trusted (P1)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medml import answers, data, gallery, righted
from medml.abstain import in_words, key_columns, whys
from medml.errors import Stopped, UserError
from medml.pipeline import Pipeline
from medml.recipe import prepare_predictors
from medml.recipe.prepare import predictor_kinds
from medml.steps.step import NUMERIC
from medml.types import PICTURES, Choice, FileEntry, Kind, PicturePlan, Report, Table, TableRef
from medml.watch import Silent, Watch

A_PIECE, A_PIECE_EXPLAINED, A_PIECE_OF_PICTURES = 20_000, 500, 256  # rows answered between two words of how far it is

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from medml.data.source import TableSource
    from medml.vision.pixels import Store


@dataclass(frozen=True, slots=True)
class Asked:
    """New rows as they stand in a file, in its order.

    X       as Cases.X;   short  positions of rows with too few fields: any value may be that of another column
    unread  position of a row -> its columns with a cell that is no number (or date) and counts as not recorded
    """

    frame: pl.DataFrame
    X: pd.DataFrame
    short: list[int]
    unread: dict[int, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Predictor:
    """A run ready to answer.

    key    columns without which no answer is given
    steps  the map that answers go through, see medml.righted; None: they are as the model gives them
    """

    pipeline: Pipeline
    run: gallery.Run
    table: Table
    key: list[str]
    steps: righted.Steps | None = None

    @classmethod
    def of(cls, run: str) -> Predictor:
        """Load a run's current checkpoint."""
        opened = gallery.open_run(run)
        blocked = [check for check in opened.report.checks if check.verdict == "block" and check.id != "G2"]
        if blocked:
            raise UserError(what=f"This model must not be used: {blocked[0].what}", fix=blocked[0].fix, code="blocked")
        moved = json.loads(opened.sealed("keys.json").read_text())
        return cls(Pipeline.load(opened.sealed("final"), opened.config.family), opened,
                   opened.profile.table(opened.config.choice.table),
                   key_columns(moved, opened.report.task, opened.report.missing), righted.steps_of(opened))

    @property
    def report(self) -> Report:
        """The run's report as answers are read by it."""
        return righted.as_told(self.run.report, self.steps)

    @property
    def read_by_model(self) -> set[str]:
        """The columns of the table that the model reads: what selection dropped is not among them."""
        matrix = self.pipeline.matrix
        return {matrix.cleaner.origin_of(name) for name in matrix.columns}

    @property
    def looked_at(self) -> set[str]:
        """Those, and the columns by which a patient is seen to be unlike those of training."""
        return self.read_by_model | self.pipeline.matrix.cleaner.watched

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """(n, n_classes) probabilities as they are told, or (n,) numbers."""
        return righted.put_right(self.pipeline.predict(X), self.steps)

    def read(self, path: Path, sheet: str | None = None) -> Asked:
        """A file of new rows. UserError if it cannot be read or lacks a predictor that anything looks at."""
        opened, choice = _opened(Path(path), sheet), self.run.config.choice
        kinds = predictor_kinds(self.run.recipe, self.table, choice)
        frame = _with_empty(opened.frame(), kinds.keys() - self.looked_at)
        X = prepare_predictors(frame, self.run.recipe, self.table, choice, unread=kinds.keys() - self.read_by_model)
        return Asked(frame, X, [int(row) for row in opened.short], lost_cells(frame, X, kinds))

    def of_one(self, values: dict[str, str | float]) -> Asked:
        """One patient: numbers as such (a comma or a point is no question then), dates as ISO texts, categories by the
        names that training had; what is not named is missing."""
        import polars as pl

        kinds = predictor_kinds(self.run.recipe, self.table, self.run.config.choice)
        frame = pl.DataFrame([_cell(name, kind, values.get(name)) for name, kind in kinds.items()])
        return Asked(frame, prepare_predictors(frame, self.run.recipe, self.table, self.run.config.choice), [])

    def explained(self, X: pd.DataFrame, p: np.ndarray, reasons: list[str]) -> list[str]:
        """For each row what goes with its answer, in words; "" where it gets none."""
        said = [""] * len(X)
        told = [row for row, why in enumerate(reasons) if not why]
        if told:
            parts, about, _ = self.parts(X.iloc[told], p[told])
            for row, named, answer in zip(told, parts, about, strict=True):
                said[row] = answers.reasons_said(named, answer if self.run.report.task == "regression" else
                                                 f"probability of {answer}")
        return said

    def parts(self, X: pd.DataFrame, p: np.ndarray) -> tuple[list[list[tuple[str, float]]], list[str], str]:
        """For each row what the columns that matter most add to its answer, and what that answer is about; the unit."""
        from medml.explain import Explainer
        from medml.explain.contributions import outputs_of

        outputs, report = outputs_of(self.run), self.run.report
        explainer = Explainer.around(self.pipeline, outputs, None, task=report.task, seed=self.run.config.seed)
        about = [outputs[place] for place in p.argmax(axis=1)] if report.task == "multiclass" else outputs * len(X)
        found = explainer(X)
        return answers.named(found, p), about, found.unit

    def reasons(self, asked: Asked) -> list[str]:
        """For each row why it gets no answer; "" where it gets one. Names columns, never what is in them."""
        reasons = [in_words(why) for why in whys(self.pipeline.matrix.cleaner, asked.X, self.key)]
        for row in asked.short:
            reasons[row] = "the row has too few fields"
        return reasons


def _with_empty(frame: pl.DataFrame, names: Collection[str]) -> pl.DataFrame:
    """The rows with an empty column for each of these that they lack."""
    import polars as pl

    return frame.with_columns(pl.lit(None, dtype=pl.String).alias(each) for each in sorted(names)
                              if each not in frame.columns)


def _cell(name: str, kind: Kind, value: str | float | None) -> pl.Series:
    import polars as pl

    if kind == "number":
        return pl.Series(name, [None if value is None else float(value)], dtype=pl.Float64)
    if kind == "date":
        return pl.Series(name, [None if value is None else date.fromisoformat(value)], dtype=pl.Date)
    return pl.Series(name, [value], dtype=pl.String)


def predict_file(run: str, path: Path, *, sheet: str | None = None, level: float = answers.LEVEL,
                 explain: bool = False, watch: Watch | None = None) -> pl.DataFrame:
    """Answers for every row of a file, in its order; for pictures every picture of a folder, or one.

    level    of the sets: 0.80, 0.90 or 0.95;   explain  name what goes with each answer (tables alone)
    returns  identifying columns as given (else the row number, from 1); "probability of X" a class, or "predicted" a
             number; "predicted" class (two classes: at the run's threshold); the set or interval; how often such
             answers were right; "abstained" with the reason, else null; "note" with what must be said of the run
             and of cells that could not be read
    raises   UserError if the file cannot be read or lacks a predictor; Stopped if stopped
    """
    predictor, watch = Predictor.of(run), watch or Silent()
    choice = predictor.run.config.choice
    watch.say("read", 0.02, "Reading the file")
    if choice.pictures is not None:
        return _predict_pictures(predictor, Path(path), choice.pictures, level, watch)
    asked = predictor.read(path, sheet)
    watch.say("predict", 0.1, f"Looking for what training did not show in {len(asked.X):,} rows")
    reasons = predictor.reasons(asked)
    p, named = [], []
    for rows in _pieces(len(asked.X), A_PIECE_EXPLAINED if explain else A_PIECE, watch):
        p.append(predictor.predict(asked.X.iloc[rows]))
        named += predictor.explained(asked.X.iloc[rows], p[-1], reasons[rows]) if explain else []
    return _told(_identifying(asked.frame, predictor.table, choice, asked.X), predictor, np.concatenate(p), reasons,
                 level, named if explain else None, asked.unread)


def lost_cells(frame: pl.DataFrame, X: pd.DataFrame, kinds: dict[str, Kind]) -> dict[int, list[str]]:
    """Position of a row -> its columns where a word stands that is no number (or date) and stands for no gap either.

    frame  the rows as they stand in the file;   X  as they were read;   kinds  of the predictors
    """
    import polars as pl

    from medml.data.missing import present

    lost: dict[int, list[str]] = {}
    for name, kind in kinds.items():
        if kind not in NUMERIC or frame[name].dtype != pl.String:
            continue
        word = (present(frame[name]).is_not_null() & frame[name].cast(pl.Float64, strict=False).is_null()).to_numpy()
        for row in np.flatnonzero(word & np.isnan(X[name].to_numpy(dtype=float))):
            lost.setdefault(int(row), []).append(name)
    return lost


def _pieces(n: int, size: int, watch: Watch) -> Iterator[slice]:
    """The rows in pieces, one at least, telling how far it is before each; Stopped if somebody asked to stop."""
    for first in range(0, max(n, 1), size):
        if watch.stopping():
            raise Stopped
        watch.say("predict", 0.2 + 0.75 * first / max(n, 1), f"{first:,} of {n:,} asked about")
        yield slice(first, min(n, first + size))
    watch.say("predict", 0.97, f"{n:,} asked about")


def _predict_pictures(predictor: Predictor, path: Path, plan: PicturePlan, level: float,
                      watch: Watch) -> pl.DataFrame:
    """Answers for every picture under a folder (or one file), named as in it; none for what cannot be read, or for
    a modality that training did not show. Those whose headers tell that they cannot be read come last."""
    import pandas as pd
    import polars as pl

    from medml import pictures

    entries, found = data.find_tables(path)
    tables = [each for each in found if each.ref.sheet == PICTURES]
    unread = _unread(entries)
    if len(tables) > 1:
        raise UserError(what=f"“{path.name}” holds several sets of pictures: beside one another, or in archives.",
                        fix="Choose one of them: a folder without archives, or one archive.", code="several")
    if not tables:
        why = f" {next(iter(unread.values()))}" if unread else ""
        raise UserError(what=f"There is no picture in “{path.name}” that can be read.{why}", code="no_pictures",
                        fix="Choose a picture, or a folder of pictures, like those trained on.")
    table = tables[0]
    frame = table.frame([name for name in table.columns if name != "content"])
    if plan.frames == "all":
        frame = table.each_frame(frame)
    names = frame[plan.column].to_list()
    reasons = _strange(predictor, table, names)
    n_classes = len(predictor.run.report.classes)
    p = np.zeros((len(names), n_classes) if n_classes else len(names))
    for piece in _pieces(len(names), A_PIECE_OF_PICTURES, watch):
        store, places, failed = pictures.decoded(names[piece], table, plan)
        for place in failed:
            reasons[piece.start + place] = f"{answers.UNREAD} (its pixels cannot be decoded)"
        for place, why in zip(places, _unlike(predictor, store), strict=True):
            reasons[piece.start + place] = reasons[piece.start + place] or why
        if len(places):
            p[piece.start + places] = predictor.predict(pd.DataFrame({plan.column: pictures.cells_of(store)}))
    for shown, why in unread.items():
        names.append(shown.removeprefix(table.listed("")))
        reasons.append(f"{answers.UNREAD} ({why[:1].lower()}{why[1:].rstrip('.')})")
    p = np.concatenate([p, np.zeros((len(unread), *p.shape[1:]))])
    return _told([pl.Series(plan.column, names)], predictor, p, reasons, level)


def _unread(entries: Sequence[FileEntry]) -> dict[str, str]:
    """What the list of files calls each picture that cannot be read, and why; not what stands for others (outlines of
    a region, the index of a disc)."""
    from medml.data.images.beside import is_picture

    return {each.path: each.message or "" for each in entries if each.action in ("skip", "refuse") and is_picture(each)
            and each.reason_code != "dicomdir"}


def _strange(predictor: Predictor, table: TableSource, names: list[str]) -> list[str]:
    """For each picture "", or that its modality was not among those of training, or that it is far too small."""
    from medml.vision import seen

    facts = predictor.table.pictures
    least = 0 if facts is None else seen.least_side(facts.side)
    small = {each.path for each in table.images if min(each.rows, each.cols) < least}
    known = facts.modalities if facts is not None else set()
    modality = {each.path: each.tags.get("Modality") for each in table.images}
    found = [modality.get(name.rpartition("#")[0] or name, modality.get(name)) for name in names]
    said = ["a kind of picture that training did not show" if known and each and each not in known else ""
            for each in found]
    return [why or (seen.WORDS["small"] if name in small or name.rpartition("#")[0] in small else "")
            for why, name in zip(said, names, strict=True)]


def _unlike(predictor: Predictor, store: Store) -> list[str]:
    """For each picture of a store "", or in what it lies far outside the pictures of training."""
    from medml.vision.seen import WORDS

    matrix = predictor.pipeline.matrix
    if matrix.seen is None:
        return [""] * len(store)
    words = ["", *WORDS.values()]
    return [words[code] for code in matrix.seen.codes(store.pixels)] if len(store) else []


def _told(columns: list[pl.Series], predictor: Predictor, p: np.ndarray, reasons: list[str], level: float,
          named: list[str] | None = None, unread: dict[int, list[str]] | None = None) -> pl.DataFrame:
    """Answers beside the columns that say whose they are; null, and the reason, where there is one to be silent."""
    import polars as pl

    report, silent = predictor.report, np.array([bool(reason) for reason in reasons])
    found = _numbers(report, p) | _sets(report, p, level) | {"how often right": _calibration(report, p)}
    found |= {} if named is None else {"reasons": named}
    for name, values in found.items():
        columns.append(pl.Series(name, values).to_frame().select(
            pl.when(pl.lit(pl.Series(~silent))).then(pl.col(name)).alias(name)).to_series())
    columns.append(pl.Series("abstained", [reason or None for reason in reasons], dtype=pl.String))
    notes = [*report.stamps, *filter(None, [righted.said(report, predictor.steps)])]
    lost = {row: [f"{name}: {answers.NOT_READ}" for name in names] for row, names in (unread or {}).items()}
    columns.append(pl.Series("note", ["; ".join([*notes, *lost.get(row, [])]) for row in range(len(p))],
                             dtype=pl.String))
    return pl.DataFrame(_distinct_names(columns))


def _numbers(report: Report, p: np.ndarray) -> dict[str, list]:
    shown = {} if report.task == "regression" else \
        {f"probability of {name}": p[:, place].tolist() for place, name in enumerate(report.classes)}
    return shown | {"predicted": answers.predicted(report, p)}


def _sets(report: Report, p: np.ndarray, level: float) -> dict[str, list]:
    """The set at that level, or both ends of the interval; nothing where the run kept none."""
    found = answers.level_of(report, level)
    if found is None:
        return {}
    if report.task != "regression":
        return {f"set at {level:.0%}": [" or ".join(names) for names in answers.left_open(report, p, level)]}
    reach = np.inf if found.width is None else found.width
    return {f"interval low at {level:.0%}": (p - reach).tolist(), f"interval high at {level:.0%}": (p + reach).tolist()}


def _calibration(report: Report, p: np.ndarray) -> list[str]:
    """One statement a row, worked out once for equal answers to 3 digits."""
    if report.task == "regression":
        return [answers.calibration_said(report, p[0])] * len(p) if len(p) else []
    rounded, place = np.unique(np.round(p, 3), axis=0, return_inverse=True)
    said = [answers.calibration_said(report, each) for each in rounded]
    return [said[at] for at in place.ravel()]


def _opened(path: Path, sheet: str | None) -> TableSource:
    entries, tables = data.find_tables(path, sheet=sheet)
    if not tables:
        said = entries[0].message if entries and entries[0].message else "No table was found in it."
        raise UserError(what=f"“{path.name}” could not be read. {said}", fix="Choose a table like the one trained on.",
                        code="not_a_table")
    if len(tables) > 1:
        raise UserError(what=f"“{path.name}” holds {len(tables)} tables.",
                        fix="Name one of them as the sheet, or give one file: "
                            + ", ".join(each.ref.sheet or each.ref.path for each in tables[:5]) + ".",
                        typed="--sheet NAME", code="several_tables")
    return data.open_table(path, TableRef(path=tables[0].ref.path, sheet=tables[0].ref.sheet))


def _identifying(frame: pl.DataFrame, table: Table, choice: Choice, X: pd.DataFrame) -> list[pl.Series]:
    import polars as pl

    names = [column.name for column in table.columns
             if (column.name == choice.patient or column.kind == "identifier") and column.name in frame.columns
             and column.name not in X.columns]
    return [frame[name] for name in names] or [pl.Series("row", range(1, frame.height + 1))]


def _distinct_names(columns: list[pl.Series]) -> list[pl.Series]:
    """A file may itself have a column called "predicted": ours are then numbered."""
    seen: set[str] = set()
    for place, column in enumerate(columns):
        name = column.name
        while name in seen:
            name += " (MedML)"
        seen.add(name)
        columns[place] = column.alias(name)
    return columns
