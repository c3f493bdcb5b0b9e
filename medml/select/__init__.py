"""Which predictors a model is given. Runs inside a fold, on its training rows only (L8)."""

from medml.select.selection import Selected, select

__all__ = ["Selected", "select"]
