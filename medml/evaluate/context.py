"""What an evaluation must know besides the predictions: how they came about. In memory only; a Report keeps figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from medml.cases import Cases, Fold, Predictions
from medml.saved_split import SavedSplit
from medml.types import Choice, FlowStep, Recipe, SelectionScore, Table, TrainConfig


@dataclass(frozen=True, slots=True)
class FoldFacts:
    """From how many rows each fitted step of one fold learned, as the step itself counted them (L7, L8, L9).

    n_train, n_test   rows on either side of the split
    rows_sha256       which rows the steps were given, as the table handed to them says itself
    cleaner_rows      rows that the cleaner was fitted on;  encoder_rows  the same for the encoder
    selector_rows     rows that the selection of columns saw; None where nothing was selected
    resampled_rows    rows from which the fitted model worked out class weights or resampled; None where it did not
    """

    repeat: int
    number: int
    n_train: int
    n_test: int
    cleaner_rows: int
    encoder_rows: int
    rows_sha256: str = ""
    selector_rows: int | None = None
    resampled_rows: int | None = None


@dataclass(frozen=True, slots=True)
class Rerun:
    """What came of making one fold a second time from what was saved (G1).

    difference  the largest of all predictions, in probability or in standard deviations of a number; None: not tried
    n           predictions compared;   why  why it was not tried, as the rest of a sentence
    device      on what it was fitted: "cpu", or an accelerator, whose sums may come in another order each time
    """

    difference: float | None = None
    n: int = 0
    why: str = "this evaluation did not ask for it"
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class Abstention:
    """For whom the model would have said nothing, by what each fold's training rows had shown (P1).

    n       patients judged; 0: not tried;   silent  those of them with a row that would get no answer
    by_why  the same for each reason (code of medml.abstain.WORDS);   armed  how many columns each reason watches
    """

    n: int = 0
    silent: int = 0
    by_why: Mapping[str, int] = field(default_factory=dict)
    armed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that the checks of RIGOUR.md look at.

    folds             the folds that the predictions come from; one fold under a validation part. Positions into `cases`
    n_parameters      candidate parameters after encoding and before any selection, mean over folds
    flow              boxes of the flow diagram; empty: those of `cases`
    held_out          positions into `cases` of the part that stays closed (scheme "held_out"), else None or empty
    saved             the split as it was saved, read back from its file (L2, L7); None: it was not
    looks             how often the held-out part has been opened
    others            out-of-fold predictions of the other configurations that were compared, same folds (E3)
    selection         how often each column was kept over the folds; selection_note says by what means
    data_sha256       of the file that was read;   code_version .. threads  the manifest's data (G1)
    rerun             what came of making one fold a second time (G1)
    abstention        for whom the model would have said nothing (P1)
    heatmaps          rank correlation of heatmaps with those of shuffled weights (G3; None: not told), and their scales
    """

    table: Table
    choice: Choice
    recipe: Recipe
    config: TrainConfig
    cases: Cases
    folds: Sequence[Fold]
    fold_facts: Sequence[FoldFacts]
    n_parameters: float
    flow: Sequence[FlowStep] = ()
    held_out: np.ndarray | None = None
    saved: SavedSplit | None = None
    looks: int = 0
    others: Mapping[str, Predictions] = field(default_factory=dict)
    selection: Sequence[SelectionScore] = ()
    selection_note: str = ""
    data_sha256: str = ""
    split_sha256: str = ""
    code_version: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    seeds: Mapping[str, int] = field(default_factory=dict)
    threads: int = 0
    rerun: Rerun = Rerun()
    heatmaps: tuple[float | None, tuple[float, ...]] = (None, ())
    abstention: Abstention = Abstention()

    @property
    def boxes(self) -> list[FlowStep]:
        """The flow diagram."""
        return list(self.flow or self.cases.flow)

    @property
    def closed(self) -> np.ndarray:
        """Positions of the part that stays closed; empty where there is none."""
        return np.empty(0, dtype=np.int64) if self.held_out is None else np.asarray(self.held_out, dtype=np.int64)

    @property
    def open_cases(self) -> Cases:
        """The cases that are not of the closed part: a check that looks at outcomes looks at no others (L10)."""
        return self.cases.take(self.development) if self.closed.size else self.cases

    @property
    def development(self) -> np.ndarray:
        """Positions that may be learned from."""
        return np.setdiff1d(np.arange(len(self.cases.y)), self.closed)
