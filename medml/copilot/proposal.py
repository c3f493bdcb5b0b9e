"""A change that somebody may make by a click: one parameter of the chosen family, before and after. Nothing is done."""

from __future__ import annotations

import math
from typing import Any

from medml import families
from medml.copilot.facts import Setting, Snapshot
from medml.families import Param
from medml.value import Value

LONGEST_REASON = 200  # characters


class Proposal(Value):
    """One setting of a family, from what it is to what it might be, with the reason in words."""

    family: str
    parameter: str
    title: str
    before: Any
    after: Any
    reason: str
    zone: str = "usual"  # in which `after` lies


def propose(snapshot: Snapshot, parameter: str, value: Any, reason: str) -> Proposal | None:
    """A proposal for the family that was chosen; None where it has no such parameter, where the value is not one that
    it takes, or where nothing would change."""
    setting = snapshot.run.setting(parameter) if snapshot.run else None
    declared = declared_of(snapshot)
    if setting is None or parameter not in declared or not reason.strip():
        return None
    after = accepted(declared[parameter], value)
    if after is None or after == setting.value:
        return None
    return Proposal(family=snapshot.run.family, parameter=parameter, title=setting.title, before=setting.value,
                    after=after, reason=" ".join(reason.split())[:LONGEST_REASON],
                    zone=zone_of(declared[parameter], after, setting.borders))


def zone_of(declared: Param, value: object, borders: tuple[float, float] | None) -> str:
    """ "cautious", "usual" or "aggressive"; "usual" of what is no number."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return declared.zone(value, borders) if number else "usual"


def declared_of(snapshot: Snapshot) -> dict[str, Param]:
    """Parameters that the chosen family declares, by name."""
    return {each.name: each for each in families.registry.get(snapshot.run.family).params} if snapshot.run else {}


def accepted(declared: Param, value: Any) -> Any | None:
    """The value as that parameter takes it, else None: by the kind, bounds and choices that the family declares."""
    if declared.kind == "switch":
        return value if isinstance(value, bool) else None
    if declared.kind == "choice":
        return value if value in declared.choices else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    if declared.kind == "int":
        if value != int(value):
            return None
        value = int(value)
    low = -math.inf if declared.low is None else declared.low
    high = math.inf if declared.high is None else declared.high
    return value if low <= value <= high else None


def within(setting: Setting, value: float) -> float:
    """The value moved to the nearest bound of the setting."""
    low = value if setting.low is None else setting.low
    high = value if setting.high is None else setting.high
    return min(max(value, low), high)
