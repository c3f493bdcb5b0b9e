"""Folder -> Profile: every table is read once, in pieces, and only aggregates are kept."""

from __future__ import annotations

import datetime as dt
import logging
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from medml.data import find_tables
from medml.data.images import Unreadable
from medml.data.images.beside import Labels
from medml.data.images.table import ImageTable
from medml.data.source import TableSource
from medml.data.values import present
from medml.errors import Stopped, UserError
from medml.profile import listing, outcomes, pictures, proposals
from medml.profile.choice import MANY_PICTURES, is_number
from medml.profile.columns import Seen, describe, levels
from medml.profile.evidence import gather
from medml.profile.names import outcome_weight
from medml.profile.notes import with_notes
from medml.profile.patients import Group, hide_small_groups
from medml.profile.suspicions import counted, note
from medml.profile.tally import Ready, TableTally
from medml.types import SMALL_GROUP, Column, FileEntry, Level, Profile, Proposal, Suspicion, Table
from medml.value import PICTURES
from medml.watch import Part, Silent, Watch

if TYPE_CHECKING:
    import polars as pl

log = logging.getLogger(__name__)
BATCH_ROWS = 100_000
BATCH_BYTES = 16 << 20  # of the file: rows of long texts come in smaller batches
BESIDE = 2  # columns described at once
PARSED_AT_ONCE = 4 << 20  # bytes; Polars takes 16 MiB, which costs 200 MiB more at its peak and is no faster


def scan(source: Path, *, sheet: str | None = None, watch: Watch | None = None, k: int = SMALL_GROUP,
         labels: Labels | None = None) -> Profile:
    """Profile every table under a folder, or one file.

    sheet    only this sheet of workbooks
    k        groups of patients below this size are hidden in the profile
    labels   which table says what pictures show, where a person said so
    returns  files (each with what became of it; pictures by folder and reason, for their names may name patients) and
             tables; a file that cannot be read never stops the scan
    raises   UserError if there is nothing at `source`; Stopped when the watch asks for it before all tables are read
    """
    return scan_listed(source, sheet=sheet, watch=watch, k=k, labels=labels)[0]


def scan_listed(source: Path, *, sheet: str | None = None, watch: Watch | None = None, k: int = SMALL_GROUP,
                labels: Labels | None = None) -> tuple[Profile, list[FileEntry]]:
    """As `scan`, beside the entry of every file by name, for the owner's own screen: pictures too."""
    watch = watch or Silent()
    source = Path(source)
    os.environ.setdefault("POLARS_CSV_CHUNK_SIZE", str(PARSED_AT_ONCE))
    files, sources = find_tables(source, watch=Part(watch, 0.0, 0.1), sheet=sheet, labels=labels)
    of_pictures = any(isinstance(each, ImageTable) for each in sources)
    tables, broken = _read_all(sources, Part(watch, 0.1, 0.3 if of_pictures else 1.0), k)
    files = [_unread(each, broken.get((each.path, each.sheet))) for each in files]
    tables, unreadable = _look_at_pictures(sources, tables, Part(watch, 0.3, 1.0))
    tables = [pictures.with_unread(each, files) for each in tables]
    named = listing.undecodable(files, unreadable)
    tables = sorted(tables, key=lambda each: each.pictures is None or each.rows < MANY_PICTURES)  # these come first
    watch.say("done", 1.0, f"{counted(len(tables), 'table', 'tables')} read, "
                           f"{counted(len(files), 'file', 'files')} seen.")
    made = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return Profile(source=str(source.resolve()), made=made, k=k, tables=tables,
                   files=listing.summarised(named, tables, sources)), named


def _read_all(sources: list[TableSource], watch: Watch, k: int
              ) -> tuple[list[Table], dict[tuple[str, str | None], UserError]]:
    """Every table that can be read to its end, and why the others cannot."""
    total = sum(max(each.entry.bytes, 1) for each in sources)
    tables, done, broken = [], 0, {}
    for each in sources:
        size = max(each.entry.bytes, 1)
        try:
            tables.append(scan_table(each, watch=Part(watch, done / total, (done + size) / total), k=k))
        except UserError as error:
            broken[each.ref.path, each.ref.sheet] = error
        done += size
    return tables, broken


def _look_at_pictures(sources: list[TableSource], tables: list[Table], watch: Watch
                      ) -> tuple[list[Table], dict[str, Unreadable]]:
    """The second pass, over pixels; told to stop, it leaves what it has not seen unknown."""
    found, unreadable = [], {}
    by_ref = {each.ref: each for each in sources if isinstance(each, ImageTable)}
    for table in tables:
        source = by_ref.get(table.ref)
        if source is not None and not watch.stopping():
            table, broken = pictures.look(table, source, watch)
            unreadable |= broken
        found.append(table)
    return found, unreadable


def scan_table(source: TableSource, *, watch: Watch | None = None, k: int = SMALL_GROUP,
               patient: str | None = None) -> Table:
    """Profile one table in one pass; memory does not grow with its rows.

    patient  the column that a clinician picked: small groups are hidden by its patients too
    raises  UserError if the file is gone or damaged, Stopped when the watch asks for it
    """
    watch = watch or Silent()
    with ThreadPoolExecutor(1) as aside:  # hashing leaves Python's lock: it runs beside the parsing
        sha256 = aside.submit(source.sha256)
        try:
            tally = _read(source, watch)
        except BaseException:
            source.let_go()  # on a slow drive the rest of the hash would take minutes
            raise
        digest = sha256.result()
    if tally is None:
        columns = [Column(name=name, kind="empty", missing=0, distinct=0) for name in source.columns]
        return Table(ref=source.ref, sha256=digest, rows=0, columns=columns, duplicates=0)
    watch.say("looking closer", 0.95, source.ref.label)
    with ThreadPoolExecutor(1) as aside:  # sorting does too
        table = _assemble(source, tally, aside.submit(tally.duplicates), digest, k, patient)
    return pictures.with_pictures(table, source, k) if isinstance(source, ImageTable) else table


def _read(source: TableSource, watch: Watch) -> TableTally | None:
    tally = None
    bytes_a_row = source.entry.bytes / source.rows if source.rows and source.kind != PICTURES else 0.0
    waiting: deque[tuple[pl.DataFrame, Future[Ready | None]]] = deque()
    with ThreadPoolExecutor(1) as aside:  # the next batch is hashed while this one is counted
        for batch in source.batches(int(min(BATCH_ROWS, max(BATCH_BYTES / max(bytes_a_row, 1.0), 1.0)))):
            if watch.stopping():
                raise Stopped
            if tally is None:
                tally = TableTally(batch.schema, source.rows)
            waiting.append((batch, aside.submit(tally.ready, batch)))
            if len(waiting) > 1:
                _add(tally, *waiting.popleft(), source, watch)
        while waiting:
            _add(tally, *waiting.popleft(), source, watch)
    return tally


def _add(tally: TableTally, batch: pl.DataFrame, ready: Future[Ready | None], source: TableSource,
         watch: Watch) -> None:
    tally.add(batch, ready.result())
    seen = tally.rows / source.rows if source.rows else 1 - 1 / (1 + tally.rows / 1e6)
    watch.say("reading", 0.95 * min(seen, 1.0), f"{source.ref.label}: {tally.rows:,} rows")


def _assemble(source: TableSource, tally: TableTally, duplicates: Future[int], digest: str, k: int,
              picked: str | None) -> Table:
    sample = tally.sample.frame()
    whole = tally.sample.is_whole
    scale = rating_scale(tally)
    with ThreadPoolExecutor(BESIDE) as beside:  # most of it is Polars' and numpy's work, which leaves Python's lock
        seen = list(beside.map(lambda each: describe(gather(each, tally.rows, sample[each.name], whole),
                                                     sorted(each.words), k, rated=each.name in scale),
                               tally.columns.values()))
    targets = outcomes.propose_targets([each.column for each in seen], tally.rows)
    columns = [_finish(each, found, targets, k) for each, found in zip(seen, _suspicions(seen, targets), strict=True)]
    columns = with_notes(columns, source.notes, source.units)
    patient = proposals.propose_patient(columns, tally.rows_per_value)
    repeats = None
    if patient is not None:
        known = tally.rows - tally.columns[patient.column].missing
        repeats = proposals.count_repeats(patient.column, tally.rows_per_value[patient.column], known)
    whole_outcome = _counted_whole(targets, columns)
    grouped_by = proposals.who_may_come_back(columns, patient, k)  # the clinician may pick another one, unasked
    grouped_by += [picked] if picked in tally.columns and picked not in grouped_by else []
    for name in grouped_by:
        columns = hide_small_groups(columns, seen, Group.of(present(sample[name]), k), whole_outcome)
    leave_out = proposals.propose_leave_out(columns, targets[0].column if targets else None,
                                            patient.column if patient else None)
    return Table(ref=source.ref, sha256=digest, rows=tally.rows, columns=columns, duplicates=duplicates.result(),
                 repeats=repeats, targets=targets, patient=patient, grouped_by=grouped_by, leave_out=leave_out)


def _counted_whole(targets: list[Proposal], columns: list[Column]) -> list[str]:
    """The likeliest outcome where its classes are codes: patients per class are no small group (see `_finish`)."""
    names = [each.column for each in targets[:1]]
    return [each.name for each in columns if each.name in names and not each.hidden_levels and (
        each.kind == "yes_no" or all(is_number(level.label) for level in each.levels))]


def _suspicions(seen: list[Seen], targets: list[Proposal]) -> list[list[Suspicion]]:
    """What gives the likeliest outcome away, a list a column."""
    if not targets:
        return [[] for _ in seen]
    found = outcomes.suspect_leaks(seen, targets[0].column)
    return [found.get(each.column.name, []) for each in seen]


def _finish(seen: Seen, found: list[Suspicion], targets: list[Proposal], k: int) -> Column:
    """A column with what was found about it beside the others; classes of the likeliest outcome are all counted.

    Patients per class are no small group (DESIGN.md): hidden classes are shown where their labels are mere codes.
    """
    column = seen.column
    update: dict[str, object] = {}
    if targets and targets[0].column == column.name:
        every = sorted(levels(seen.evidence, seen.reading), key=lambda each: (-each[1], each[0]))
        if column.hidden_levels and (column.kind == "yes_no" or seen.reading.numbers is not None):
            update = {"levels": [Level(label=label, n=n) for label, n in every], "hidden_levels": 0, "hidden_rows": 0}
        told = outcomes.rare_classes([n for _, n in every], k)
        found = [*found, told] if told is not None else found
        if is_graded(every):
            found = [*found, note(
                "graded_outcome", f"It has {len(every)} grades, from 0 up.", "Learn to tell the grades apart, or ask "
                "only whether it is above 0.")]
    order = ("stop", "caution", "note")
    update["suspicions"] = sorted([*column.suspicions, *found], key=lambda each: order.index(each.severity))
    return column.model_copy(update=update)


def is_graded(every: list[tuple[str, int]]) -> bool:
    """True for at least three classes that are the whole numbers from 0 up."""
    labels = sorted(label for label, _ in every)
    return len(labels) >= 3 and labels == sorted(str(number) for number in range(len(labels)))


def rating_scale(tally: TableTally) -> set[str]:
    """Columns that share one short scale (0-3) with at least four others: grades, which are numbers."""
    scales: dict[frozenset[float], list[str]] = {}
    for name, each in list(tally.columns.items())[:-1]:  # the last column is often the outcome
        few = each.counts is not None and 3 <= len(each.counts) <= 11
        if few and each.dtype.is_numeric() and not outcome_weight(name):
            scales.setdefault(frozenset(float(value) for value in each.counts), []).append(name)
    joined: set[str] = set()
    for scale in scales:
        alike = [name for other, found in scales.items() if other <= scale and min(scale) == 0 for name in found]
        if len(alike) >= 5 and max(scale) == len(scale) - 1:
            joined.update(alike)
    return joined


def _unread(entry: FileEntry, error: UserError | None) -> FileEntry:
    if error is None:
        return entry
    return entry.model_copy(update={"action": "skip", "reason_code": error.code or "unreadable", "message": error.what,
                                    "rows": None, "cols": None})
