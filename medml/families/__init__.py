"""Model families, found by themselves: `families.registry.get("mlp")`."""

from medml.families.family import Cost, Family, Param
from medml.registry import Registry

registry: Registry[Family] = Registry("medml.families")

from medml.families._guard import loss  # noqa: E402 - its module looks at this package

__all__ = ["Cost", "Family", "Param", "loss", "registry"]
