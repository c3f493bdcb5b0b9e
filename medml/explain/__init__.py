"""Why a model says what it says: what is associated with its answers, what a simpler score would cost."""

from medml.explain.contributions import Contributions, Explainer, contributions

__all__ = ["Contributions", "Explainer", "contributions"]
