"""Figures one can believe: metrics, intervals, curves, baselines and the checks of RIGOUR.md -> Report."""

from medml.evaluate.baselines import prevalence as prevalence_baseline
from medml.evaluate.context import Context, FoldFacts, Rerun
from medml.evaluate.metrics import quick_figure, quick_loss
from medml.evaluate.report import evaluate, headline, headline_name, metrics_of

__all__ = ["Context", "FoldFacts", "Rerun", "evaluate", "headline", "headline_name", "metrics_of",
           "prevalence_baseline", "quick_figure", "quick_loss"]
