"""Judge a finished run on another folder: the same columns, named as they are there, other patients.

Nothing is learned from them: the cleaning, the model and the threshold are those of the run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medml import data, external, gallery, pictures, rights, same_source
from medml import recipe as cleaning
from medml.cases import Cases, Predictions
from medml.data.images.columns import CONTENT, FOLDER
from medml.errors import UserError
from medml.evaluate import clinical, delong, score_in_use
from medml.evaluate.catalogue import hide_small_counts
from medml.evaluate.figures import Figures, classes_told, figures_of, table_of
from medml.evaluate.formula import columns_of
from medml.evaluate.intervals import DRAWS
from medml.evaluate.scored import score
from medml.evaluate.subgroups import subgroup_columns, subgroups_of
from medml.pipeline import Pipeline
from medml.recipe.prepare import predictor_kinds
from medml.recipe.reading import category_names, yes_no
from medml.recipe.target import ABOVE_ZERO
from medml.steps.second_look import of_any_table
from medml.types import PICTURES, SMALL_GROUP, Choice, External, ScoreInUse, TableRef
from medml.watch import Part, Silent, Watch

if TYPE_CHECKING:
    import polars as pl

    from medml.data.source import TableSource
    from medml.gallery import Run


SORTED = "What a picture shows is told by its sub-folder here: sort them so there too, or lay a table beside them. "


@dataclass(frozen=True, slots=True)
class Theirs:
    """The other table as the run reads it.

    contents  (n,) of pictures, what the pixels of each hash to;   ids  identifiers of its patients, None: it has none
    own_folder  whether it lies in the folder that the run was made from
    """

    cases: Cases
    sha256: str
    n_left_out: int
    contents: np.ndarray | None = None
    ids: np.ndarray | None = None
    own_folder: bool = False


def validate(run: str, source: Path, *, renamed: Mapping[str, str] | None = None, sheet: str | None = None,
             stated: bool = False, by: str = "", watch: Watch | None = None, draws: int = DRAWS) -> External:
    """Measure the current checkpoint on another folder or file and keep the figures with the run.

    renamed  {their column: ours};   stated  somebody says that these are other patients (`catalogue.doubts` asks)
    by       who says so, where it is not who acts here
    raises   UserError if no table there has the columns, if it is the table that the run was made from or holds rows
             that the run keeps closed, or if its outcome cannot be judged (one class alone ...)
    """
    watch = watch or Silent()
    opened = gallery.open_run(run)
    watch.say("read", 0.0, "Reading the other table")
    theirs = read(opened, Path(source), dict(renamed or {}), sheet, watch)
    watch.say("read", 0.3, "Comparing it with the run's own table")
    near = same_source.compare(opened, theirs.cases, theirs.ids, theirs.contents, watch=Part(watch, 0.3, 0.4))
    same_source.refuse_closed(near, len(theirs.cases.y))
    watch.say("evaluate", 0.4, f"Predicting {len(theirs.cases.y):,} rows from elsewhere")
    p = Pipeline.load(opened.sealed("final"), opened.config.family).predict(theirs.cases.X)
    watch.say("evaluate", 0.5, "Measuring")
    found = figures(opened, theirs, p, Path(source).name, dict(renamed or {}), draws=draws)
    said = {"stated": stated, "stated_by": by or rights.in_words()} if stated else {}
    whole = found.model_copy(update=_shared(near) | said | {
        "own_folder": theirs.own_folder, "absent": _unread(theirs.cases)})
    kept = external.add(run, hide_small_counts(whole))
    watch.say("done", 1.0, "Finished")
    return kept


# ---- reading ---------------------------------------------------------------------------------------------------

def read(opened: Run, source: Path, renamed: dict[str, str], sheet: str | None, watch: Watch) -> Theirs:
    """The rows of the other table as Cases, coded as the run's own outcome is."""
    choice, table = opened.config.choice, opened.profile.table(opened.config.choice.table)
    wanted = [choice.target, *predictor_kinds(opened.recipe, table, choice)]
    found = _table(source, wanted, renamed, sheet, choice)
    sha256 = found.sha256()
    if sha256 == opened.config.data_sha256:
        raise UserError(what="This is the very table that the model was made from.", code="own_table",
                        fix="Choose data of other patients, best of another place or a later time.")
    frame = found.frame()
    if choice.pictures is not None and choice.pictures.frames == "all":
        frame = found.each_frame(frame)
    frame = _named_as_ours(frame, renamed)
    before = frame.height
    known = _with_known_outcome(frame, opened)
    _refuse_unjudged(known, opened)
    choice = choice.model_copy(update={"patient": choice.patient if choice.patient in known.columns else None,
                                       "positive": opened.report.positive})
    groups = [name for name in subgroup_columns(table, opened.config) if name in known.columns]
    scored = columns_of(opened.config.use.score, opened_columns(opened))
    aside = list(dict.fromkeys([*groups, *(scored if set(scored) <= set(known.columns) else [])]))
    short = found.short if known.height == before else np.empty(0, np.int64)  # places in the table as it was read
    cases, _ = cleaning.prepare(known, of_any_table(opened.recipe), table, choice, short=short, aside=aside)
    cases = _coded_alike(replace(cases, subgroups=tuple(groups)), opened.report.classes)
    ids = same_source.identifiers(known, choice.patient)
    contents = None
    if choice.pictures is not None:
        cases = pictures.with_pixels(cases, known, found, choice, watch=watch)
        contents = known[CONTENT].to_numpy()[cases.rows]
    return Theirs(cases, sha256, before - len(cases.y), contents, ids, _in_own_folder(source, opened))


def _named_as_ours(frame: pl.DataFrame, renamed: dict[str, str]) -> pl.DataFrame:
    """Their columns by our names; one that has such a name by chance gives way to the one that was said to be it."""
    taken = set(renamed.values()) - set(renamed)
    return frame.drop([name for name in frame.columns if name in taken]).rename(renamed)


def _unread(cases: Cases) -> list[str]:
    """Predictors without one value: empty there, or written in a way that the run's own cleaning cannot read."""
    return [str(name) for name in cases.X.columns if cases.X[name].isna().all()]


def _in_own_folder(source: Path, opened: Run) -> bool:
    """Whether it lies beside, or under, the table that the run was made from."""
    try:
        own = opened.source
    except UserError:  # it came in a file: nobody here knows
        return False
    own = (own / opened.config.choice.table.path if os.path.isdir(own) else own).parent.resolve()
    return source.exists() and (source.resolve() == own or source.resolve().is_relative_to(own))


def _shared(near: same_source.Nearness | None) -> dict[str, object]:
    return {} if near is None else {"n_copies": near.n_copies, "n_same_patients": near.n_same_patients,
                                    "told_apart": near.told_apart}


def _table(source: Path, wanted: list[str], renamed: dict[str, str], sheet: str | None, choice: Choice) -> TableSource:
    """The one table of the folder that has every column; UserError names what the best of them lacks."""
    entries, tables = data.find_tables(source, sheet=sheet)
    if choice.pictures is not None:
        tables = [each for each in tables if each.ref.sheet == PICTURES]
    if not tables:
        said = next((each.message for each in entries if each.message), "No table was found in it.")
        raise UserError(what=f"“{source.name}” could not be read. {said}", code="not_a_table",
                        fix="Choose a table like the one trained on.")
    lacking = {at: _lacking(each, wanted, renamed) for at, each in enumerate(tables)}
    best = min(lacking, key=lambda at: len(lacking[at]))
    unknown = [name for name in renamed if name not in tables[best].columns]
    if unknown:
        raise UserError(what=f"“{tables[best].ref.label}” has no column “{unknown[0]}”.", code="bad_map",
                        fix="Write the name as it stands there; nothing was judged.")
    if lacking[best]:
        names, more = ", ".join(f"“{each}”" for each in lacking[best][:5]), len(lacking[best]) > 5
        raise UserError(what=f"“{tables[best].ref.label}” has no column {names}{' and others' if more else ''}.",
                        fix=f"{SORTED if choice.pictures is not None and FOLDER in lacking[best] else ''}If it is "
                            f"called otherwise there, say so: “their name = {lacking[best][0]}”.",
                        typed=f'--map "their name={lacking[best][0]}"', code="column_gone")
    whole = [at for at, each in lacking.items() if not each]
    if len(whole) > 1:
        raise UserError(what=f"{len(whole)} tables there have these columns.", code="several_tables",
                        fix="Name one of them: " + ", ".join(f"“{tables[at].ref.label}”" for at in whole[:5]) + ".")
    if choice.pictures is not None:
        return tables[best]
    return data.open_table(source, TableRef(path=tables[best].ref.path, sheet=tables[best].ref.sheet))


def _lacking(table: TableSource, wanted: list[str], renamed: dict[str, str]) -> list[str]:
    there = {renamed.get(name, name) for name in table.columns}
    return [name for name in wanted if name not in there]


def _with_known_outcome(frame: pl.DataFrame, opened: Run) -> pl.DataFrame:
    """Rows whose outcome the run knows: none without one, and none with a class that it never learned."""
    import polars as pl

    report, target = opened.report, opened.config.choice.target
    if report.task == "regression" or report.positive == ABOVE_ZERO:
        read = frame[target].cast(pl.String, strict=False).str.strip_chars().cast(pl.Float64, strict=False)
        return frame.filter(read.is_not_null() & read.is_finite().fill_null(False))
    column = frame[target]
    labels = yes_no(column) if {"yes", "no"} >= set(report.classes) else category_names(column)
    if report.task == "binary" and report.classes[0].startswith("not "):
        return frame.filter(labels.is_not_null())
    return frame.filter(labels.is_in(report.classes).fill_null(False))


def _refuse_unjudged(known: pl.DataFrame, opened: Run) -> None:
    """No figure can be told of no row, nor of rows of one class."""
    target, report = opened.config.choice.target, opened.report
    number = report.task == "regression" or report.positive == ABOVE_ZERO
    if not known.height:
        raise UserError(what=f"No row there has a number in “{target}”." if number else
                        f"No row there has an outcome that the model knows: {', '.join(report.classes)}.",
                        fix=f"See how “{target}” is written there, and write it as in the run's own table.",
                        code="no_outcome")
    if not number and known[target].n_unique() < 2:
        raise UserError(what="Every row there has the same outcome, so no figure can say how the model does.",
                        fix="Choose data that holds more than one class.", code="one_class")


def _coded_alike(cases: Cases, classes: list[str]) -> Cases:
    """The same cases with the run's own codes of classes."""
    if cases.task == "regression" or cases.classes == classes:
        return cases
    place = {name: at for at, name in enumerate(classes)}
    if cases.task == "binary":  # the positive class is last on both sides; the other may be named by what is there
        return replace(cases, classes=classes)
    return replace(cases, classes=classes, y=np.array([place[name] for name in cases.classes], np.int64)[cases.y])


# ---- measuring -------------------------------------------------------------------------------------------------

def figures(opened: Run, theirs: Theirs, p: np.ndarray, source: str, renamed: dict[str, str], *,
            draws: int) -> External:
    """Everything that is kept of one validation: aggregates, at the run's own threshold."""
    cases, report, seed = theirs.cases, opened.report, opened.config.seed
    told = Predictions(y=cases.y, p=p[None], patients=cases.patients, task=cases.task, classes=cases.classes,
                       train=np.full(1, np.nan))
    scored = score(told, threshold=report.threshold, seed=seed)
    where = None if report.net_benefit is None else (report.net_benefit.low, report.net_benefit.high,
                                                     "as for the run itself")
    measured = figures_of(scored, seed=seed, draws=draws, benefit=where and where[:2])
    binary = cases.task == "binary"
    may_count = binary and min(len(np.unique(cases.patients[cases.y == each])) for each in (0, 1)) >= SMALL_GROUP
    return External(
        id="", made=datetime.now(UTC).isoformat(timespec="seconds"), checkpoint=opened.chain.current, source=source,
        data_sha256=theirs.sha256, renamed=renamed, n_cases=len(cases.y), n_patients=scored.n_patients,
        n_events=int((cases.y == 1).sum()) if may_count else None, n_left_out=theirs.n_left_out,
        threshold=report.threshold, metrics=table_of(measured, scored),
        auroc_delong=delong.interval(cases.y, p[:, 1]) if binary and scored.n_patients == len(cases.y) else None,
        calibration_line=measured.line(len(cases.y)), **_curves(measured, where, cases),
        calibration_of_classes=measured.class_lines(len(cases.y), classes_told(scored, cases.classes)),
        score_in_use=_beside_score(opened, cases, p, measured, where, draws=draws) if binary else None,
        subgroups=subgroups_of(cases, scored, seed=seed, draws=draws))


def _beside_score(opened: Run, cases: Cases, p: np.ndarray, measured: Figures, where: tuple[float, float, str] | None,
                  *, draws: int) -> ScoreInUse | None:
    """The score in use today on their patients, where they have its columns and the run's own table is still there: it
    says which risk a score stands for, and whether a low one is the bad one. The difference in AUROC is DeLong's where
    nobody comes twice."""
    text, seed = opened.config.use.score, opened.config.seed
    if not text or where is None or cases.aside is None or not set(columns_of(text, opened_columns(opened))) <= set(
            cases.aside.columns):
        return None
    own = _own(opened)
    if own is None:
        return None
    told = score_in_use.carried_over(own, cases, text)
    theirs = figures_of(score(told, threshold=0.5, seed=seed), seed=seed, draws=draws, with_curves=False,
                        benefit=where[:2])
    found = score_in_use.compared(text, score_in_use.values_of(cases, text), measured, theirs, len(cases.y))
    if len(np.unique(cases.patients)) < len(cases.y) or min(np.bincount(cases.y, minlength=2)) < 2:
        return found
    difference, _ = delong.difference(cases.y, p[:, 1], told.p[0, :, 1])
    return found.model_copy(update={"auroc": delong.interval(cases.y, told.p[0, :, 1]), "auroc_difference": difference,
                                    "said": score_in_use.in_words(difference, found.benefit_difference)})


def _own(opened: Run) -> Cases | None:
    """The rows that the run learned from; None where its table is gone or has changed."""
    from medml import train

    try:
        ground = train.prepare_ground(opened.source, opened.profile, opened.recipe, opened.config,
                                      watch=Silent())
    except UserError:
        return None
    return ground.cases.take(ground.development)


def opened_columns(opened: Run) -> list[str]:
    """Names of the columns of the run's own table."""
    return [each.name for each in opened.profile.table(opened.config.choice.table).columns]


def _curves(measured: Figures, where: tuple[float, float, str] | None, cases: Cases) -> dict[str, object]:
    if cases.task == "regression":
        return {}
    return {"roc": measured.curve("roc", "sensitivity"), "calibration": measured.curve("calibration", "observed"),
            "net_benefit": clinical.net_benefit(measured, where, len(cases.y), None) if where else None}

