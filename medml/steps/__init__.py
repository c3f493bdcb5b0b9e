"""Cleanup steps, found by themselves: `steps.registry.get("impute")`. One file in this folder is one step."""

from medml.registry import Registry
from medml.steps.step import About, Fixed, Learned, Step

registry: Registry[Step] = Registry("medml.steps")

__all__ = ["About", "Fixed", "Learned", "Step", "registry"]
