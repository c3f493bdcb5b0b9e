"""Model families, found by themselves: `families.registry.get("mlp")`."""

from medml.families.family import Cost, Family, Param
from medml.registry import Registry

registry: Registry[Family] = Registry("medml.families")

__all__ = ["Cost", "Family", "Param", "registry"]
