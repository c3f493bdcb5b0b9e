"""What a card is: how a setting is drawn, and what is said of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from medml.families.facts import Facts
from medml.families.family import Family, Param, Zone


@dataclass(frozen=True, slots=True)
class Setting:
    """One parameter as it stands in the form.

    beside  every setting of the family as it stands now, by name: sentences speak of each other's consequences
    """

    family: Family
    param: Param
    value: Any
    facts: Facts
    beside: Mapping[str, Any]

    @property
    def usual(self) -> Any:
        return self.family.usual(self.facts)[self.param.name]

    @property
    def borders(self) -> Zone | None:
        return self.family.zones(self.facts).get(self.param.name)

    @property
    def zone(self) -> Literal["cautious", "usual", "aggressive"]:
        return self.param.zone(self.value, self.borders)

    @property
    def reach(self) -> float:
        """Where the value lies: 0 at the usual one, -1 and 1 at the borders of its zone, by ratio where it can be."""
        low, high = self.borders
        if self.value == self.usual:
            return 0.0
        border = high if self.value > self.usual else low
        sign = 1.0 if self.value > self.usual else -1.0
        if min(self.value, self.usual, border) > 0 and border != self.usual:
            return sign * abs(math.log(self.value / self.usual) / math.log(border / self.usual))
        return sign * abs(self.value - self.usual) / (abs(border - self.usual) or abs(self.usual) or 1.0)

    @property
    def tone(self) -> Literal["accent", "amber"]:
        """The colour of what is drawn: that of caution in the aggressive zone."""
        return "amber" if self.zone == "aggressive" else "accent"

    @property
    def who(self) -> str:
        """ "303 patients", "1,200 rows of 303 patients", "500 pictures"."""
        facts = self.facts
        if facts.pictures:
            return f"{facts.n_rows:,} pictures"
        if facts.patients == facts.n_rows:
            return f"{facts.n_rows:,} patients"
        return f"{facts.n_rows:,} rows of {facts.patients:,} patients"

    @property
    def size(self) -> str:
        """What the usual value follows: "303 patients", "1,200 rows", "500 pictures"."""
        return f"{self.facts.n_rows:,} {self.thing}"

    @property
    def thing(self) -> str:
        """What is counted: "pictures", "patients" or "rows"."""
        return self.who.split(" ")[1]


@dataclass(frozen=True, slots=True)
class Card:
    """draw  setting -> SVG with role and words for those who do not see it
    say   setting -> one or two sentences that change with the value and with the data
    """

    draw: Callable[[Setting], str]
    say: Callable[[Setting], str]


def for_setting(setting: Setting) -> Card:
    """The card of a setting's parameter; ValueError where its family names none."""
    from medml.cards import registry

    return registry.get(setting.param.picture)


def plural(n: int, one: str) -> str:
    """ "1 step", "1,200 steps"."""
    return f"{n:,} {one}{'' if n == 1 else 's'}"


def number(value: float) -> str:
    """Two digits that count, and no exponent: "0.00001", "1.6", "1,805"."""
    return f"{value:,.0f}" if value >= 10 else f"{float(f'{value:.2g}'):.10f}".rstrip("0").rstrip(".")


def share(fraction: float) -> str:
    """A share in per cent, with a digit where it is small."""
    return f"{100 * fraction:.0f} %" if fraction >= 0.1 or fraction == 0 else f"{100 * fraction:.2g} %"
