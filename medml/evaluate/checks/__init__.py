"""The checks of RIGOUR.md: one function a check, found by itself under its id, in any file of this folder.

    @rule("L2")
    def no_shared_patient(evidence: Evidence) -> Check: ...
"""

from __future__ import annotations

from collections.abc import Callable

from medml.evaluate.catalogue import TITLES, looks_check
from medml.evaluate.evidence import Evidence
from medml.registry import Registry
from medml.types import Check
from medml.watch import breathe

Rule = Callable[[Evidence], Check]
registry: Registry[Rule] = Registry("medml.evaluate.checks")


def rule(check: str) -> Callable[[Rule], Rule]:
    """Register a function as the check of that id; ValueError for an id that RIGOUR.md does not have."""
    if check not in TITLES:
        raise ValueError(f"RIGOUR.md has no check {check!r}; it has {', '.join(TITLES)}")

    def register(function: Rule) -> Rule:
        return registry.add(check, function)
    return register


def run_checks(evidence: Evidence) -> list[Check]:
    """Every check that exists, in the order of RIGOUR.md."""
    there = set(registry.names())
    found = []
    for check in TITLES:
        if check in there:
            breathe()
            found.append(registry.get(check)(evidence))
    return found


__all__ = ["Evidence", "looks_check", "registry", "rule", "run_checks"]
