"""Whether the file says what the model says (G2): asked about hundreds of rows before anybody is handed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medml import righted
from medml.abstain import whys
from medml.export.ask import Said, ask, feed_of, opened
from medml.export.silence import CODES
from medml.exported import FEWEST, Parity
from medml.steps.step import NUMERIC

if TYPE_CHECKING:
    import pandas as pd

    from medml.predict import Predictor

ROWS = 2 * FEWEST  # made up
MISSING, UNSEEN = 0.1, 0.05  # shares of cells
NO_NUMBER = 1e9  # a difference that no limit lets pass
STRANGE = "a text that nobody was trained on"


def of_columns(predictor: Predictor, content: bytes, own: pd.DataFrame | None = None) -> Parity:
    """Compare the file with the model on made-up rows and, where they are given, on the clinician's own.

    own  rows as in Cases.X, in memory only
    """
    import pandas as pd

    matrix = predictor.pipeline.matrix
    made = made_up(predictor)
    X = made if own is None or not len(own) else pd.concat([made, own[made.columns]], ignore_index=True)
    session = opened(content)
    said, natural = ask(session, feed_of(X, matrix.cleaner.kinds)), predictor.pipeline.predict(X)
    right = righted.put_right(natural, predictor.steps)
    told = np.where(np.isnan(said.told), right.reshape(said.told.shape), said.told)   # silences are compared below
    one_by_one = [ask(session, feed_of(X.iloc[[row]], matrix.cleaner.kinds)) for row in range(0, len(X), 20)]
    alone = np.concatenate([each.computed for each in one_by_one])
    return Parity(n_rows=len(made), n_own=len(X) - len(made), n_missing=int(X.isna().to_numpy().sum()),
                  n_unseen=sum(map(len, matrix.cleaner.unseen(X))),
                  difference=max(apart(said.computed, natural, usual_range(predictor)),
                                 apart(alone, natural[::20], usual_range(predictor)),
                                 apart(told, right, usual_range(predictor))),
                  reasons_differ=int((_codes(said) != codes_of(predictor, X)).any(axis=1).sum()))


def apart(said: np.ndarray, natural: np.ndarray, unit: float) -> float:
    """The largest difference between answers (n, classes) or (n, 1) and those of the model; NO_NUMBER where one
    of them is none."""
    gaps = np.abs(said - natural.reshape(said.shape)) / unit
    return float(gaps.max()) if np.isfinite(gaps).all() else NO_NUMBER


def usual_range(predictor: Predictor) -> float:
    """1 for probabilities; for a number, from its 5th to its 95th percentile."""
    if predictor.run.report.task != "regression":
        return 1.0
    target = predictor.table.column(predictor.run.config.choice.target)
    if target.low is None or target.high is None or not target.high > target.low:
        return 1.0
    return target.high - target.low


def made_up(predictor: Predictor, n: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """Rows as in Cases.X, drawn from ranges and categories of the profile and a way beyond, with cells missing and
    categories that training never saw."""
    import pandas as pd

    rng, cleaner = np.random.default_rng(seed), predictor.pipeline.matrix.cleaner
    columns = {name: _numbers(predictor, name, n, rng) if kind in NUMERIC else
               _texts(cleaner.known.get(name, []), n, rng) for name, kind in cleaner.kinds.items()}
    return pd.DataFrame(columns, index=pd.RangeIndex(n))


def _numbers(predictor: Predictor, name: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Half of them rounded as people write them, which is where thresholds lie."""
    column = predictor.table.column(name)
    low, high = (0.0, 1.0) if column.low is None or column.high is None else (column.low, column.high)
    width = (high - low) or max(1.0, abs(high))
    values = rng.uniform(low - 0.3 * width, high + 0.3 * width, n)
    step = 10.0 ** np.floor(np.log10(width) - 1)
    values = np.where(rng.random(n) < 0.5, np.round(values / step) * step, values)
    far = rng.random(n) < UNSEEN / len(predictor.pipeline.matrix.cleaner.kinds)  # so that most rows have an answer
    return np.where(rng.random(n) < MISSING, np.nan, np.where(far, high + 50 * width, values))


def _texts(known: list[str], n: int, rng: np.random.Generator) -> np.ndarray:
    texts = np.empty(n, dtype=object)
    texts[:] = rng.choice(known, n) if known else STRANGE
    drawn = rng.random(n)
    texts[drawn < MISSING + UNSEEN] = STRANGE
    texts[drawn < MISSING] = None
    return texts


def codes_of(predictor: Predictor, X: pd.DataFrame) -> np.ndarray:
    """(n, columns) int32: what medml.abstain says of these rows, in the codes of the file."""
    cleaner = predictor.pipeline.matrix.cleaner
    place = {name: at for at, name in enumerate(cleaner.kinds)}
    codes = np.zeros((len(X), len(place)), dtype=np.int32)
    for row, why in enumerate(whys(cleaner, X, predictor.key)):
        for word, names in why.items():
            codes[row, [place[name] for name in names]] = CODES[word]
    return codes


def _codes(said: Said) -> np.ndarray:
    """The codes; -1 where an answer is told although there is a reason against it, or none although there is none."""
    told = np.where(said.reasons.any(axis=1)[:, None], np.isnan(said.told), np.isfinite(said.told)).all(axis=1)
    return np.where(told[:, None], said.reasons, -1)
