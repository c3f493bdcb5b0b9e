"""Model families, found by themselves: `families.registry.get("mlp")`."""

from typing import Literal

from medml.families.facts import Facts
from medml.families.family import Cost, Family, Param
from medml.registry import Registry

registry: Registry[Family] = Registry("medml.families")

from medml.families._guard import loss  # noqa: E402 - its module looks at this package


def seeing(what: Literal["columns", "pictures"]) -> list[str]:
    """Names of the families that learn from a table's columns, or from pictures."""
    return [each.name for each in registry if each.sees == what]


__all__ = ["Cost", "Facts", "Family", "Param", "loss", "registry", "seeing"]
