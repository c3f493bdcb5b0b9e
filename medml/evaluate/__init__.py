"""Figures one can believe: metrics, intervals, curves, baselines and the checks of RIGOUR.md -> Report."""

from medml.evaluate.context import Context, FoldFacts
from medml.evaluate.metrics import quick_figure
from medml.evaluate.report import evaluate, headline, headline_name

__all__ = ["Context", "FoldFacts", "evaluate", "headline", "headline_name", "quick_figure"]
