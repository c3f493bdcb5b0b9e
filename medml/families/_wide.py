"""Logistic regression with a ridge penalty where there are many coefficients: turned into the directions in which the
rows spread, and scaled there, so that a few dozen steps of L-BFGS reach what takes hundreds on the columns as they are.

A penalty on the sum of squared weights does not see the turn, so the weights found are those of the columns.
"""

from __future__ import annotations

import numpy as np

NO_SPREAD = 1e-12  # share of the greatest variance below which a direction is none: rounding
MOST_STEPS = 500
TOLERANCE = 1e-7  # of the gradient, a row


def turned(Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows in the space that they span: Z @ back (n, r), r <= min(n, p), and `back` (p, r) with orthonormal columns.

    The columns of Z @ back are orthogonal: they are the principal components. Where columns are many it is n x n that
    is decomposed, else p x p.
    """
    few_rows = len(Z) < Z.shape[1]
    values, vectors = np.linalg.eigh(Z @ Z.T if few_rows else Z.T @ Z)
    kept = values > NO_SPREAD * values[-1]
    back = Z.T @ vectors[:, kept] / np.sqrt(values[kept]) if few_rows else vectors[:, kept]
    return Z @ back, back


class Descent:
    """Weights of the same rows under one penalty after another, each begun where the one before ended.

    Z        (n, p) standardised columns
    codes    (n,) int, 0 .. n_classes - 1, each there at least once; two classes have one vector of weights, more have
             one each, as in scikit-learn
    """

    def __init__(self, Z: np.ndarray, codes: np.ndarray, n_classes: int) -> None:
        self._rows, self._back = turned(Z)  # (n, r), (p, r)
        self._spread = np.append((self._rows ** 2).sum(axis=0), float(len(Z)))[:, None]  # (r + 1, 1), the offset last
        self._held = np.append(np.ones(self._rows.shape[1]), 0.0)[:, None]  # the offset is not penalised
        self._codes, self._n = codes, n_classes
        self._hit = np.eye(n_classes)[codes]  # (n, n_classes)
        self._free = 1 if n_classes == 2 else n_classes
        self._last = np.zeros((self._rows.shape[1] + 1, self._free))

    def solve(self, strength: float) -> tuple[np.ndarray, np.ndarray]:
        """Weights (p, n_classes) and offsets (n_classes,) that make strength * log-loss + |weights|^2 / 2 least.

        Variables are scaled by the curvature that is there at the start (Boehning 1992 bounds it everywhere).
        """
        from scipy.optimize import minimize

        p = self._shares(self._last)
        curvature = strength * max(float((p * (1 - p)).mean()), 1e-6) * self._spread + self._held
        size = 1 / np.sqrt(curvature)
        found = minimize(self._loss, (self._last / size).ravel(), args=(size, strength), jac=True, method="L-BFGS-B",
                         options={"maxiter": MOST_STEPS, "maxcor": 20, "ftol": 1e-14,
                                  "gtol": TOLERANCE * len(self._rows) * min(strength, 1.0)})
        self._last = found.x.reshape(-1, self._free) * size
        free = self._back @ self._last[:-1]
        weights, offset = np.zeros((len(free), self._n)), np.zeros(self._n)
        weights[:, -self._free:], offset[-self._free:] = free, self._last[-1]
        return weights, offset

    def _loss(self, scaled: np.ndarray, size: np.ndarray, strength: float) -> tuple[float, np.ndarray]:
        """What is made least, and its gradient, by the scaled variables ((r + 1) * free,)."""
        found = scaled.reshape(-1, self._free) * size
        scores = self._scores(found)
        top = scores.max(axis=1, keepdims=True)
        shares = np.exp(scores - top)
        sums = shares.sum(axis=1, keepdims=True)
        missed = (np.log(sums) + top).sum() - (scores * self._hit).sum()
        off = (shares / sums - self._hit)[:, -self._free:]  # (n, free)
        slope = strength * np.vstack([self._rows.T @ off, off.sum(axis=0)]) + self._held * found
        return strength * missed + 0.5 * float((self._held * found ** 2).sum()), (slope * size).ravel()

    def _scores(self, found: np.ndarray) -> np.ndarray:
        free = self._rows @ found[:-1] + found[-1]
        return free if self._free == self._n else np.column_stack([np.zeros(len(free)), free])

    def _shares(self, found: np.ndarray) -> np.ndarray:
        """(n, n_classes) probabilities."""
        scores = self._scores(found)
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)
