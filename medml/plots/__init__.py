"""Charts as values: each function takes aggregates and an `Ink` and returns an Altair chart; nothing is shown here."""

from medml.plots.theme import DARK, INKS, LIGHT, SCREEN, Ink, config, dressed

__all__ = ["DARK", "INKS", "LIGHT", "SCREEN", "Ink", "config", "dressed"]
