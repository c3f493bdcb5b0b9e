"""What a model family is. One file in this folder is one family; see README.md, "Add a family"."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from medml.cases import FitData
from medml.families.facts import Facts
from medml.types import Task
from medml.watch import Rounds, no_rounds

Zone = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Param:
    """One setting of a family, from which its form is drawn.

    zero       what 0 stands for where it is not simply nothing: with classes, and where a number is predicted
    default    None where the usual value depends on the size of the data: `Family.usual` has it
    zones      the two borders (cautious | usual | aggressive), in the unit of the value; None for choices, and where
               they depend on the data: `Family.zones` has them
    sentence   what it does, in plain words, one sentence
    picture    how it is drawn: a plug-in of medml/cards; "" for a setting of a cleanup step
    more       seldom touched: under "more settings"
    """

    name: str
    title: str
    sentence: str
    default: Any
    low: float | None = None
    high: float | None = None
    kind: Literal["int", "float", "log", "choice", "switch"] = "int"
    choices: tuple[str, ...] = ()
    words: tuple[str, ...] = ()  # the choices as a screen calls them; their own names where it is empty
    zones: Zone | None = None
    more_is: Literal["aggressive", "cautious"] = "aggressive"
    picture: str = ""
    more: bool = False
    zero: tuple[str, str] | None = None

    def meaning(self, value: Any, task: Task) -> str:
        """What a 0 stands for with that kind of outcome; "" where a value is simply itself."""
        return self.zero[task == "regression"] if self.zero is not None and value == 0 else ""

    def said(self, value: Any, task: Task = "binary") -> str:
        """A value as a screen says it: "on", "0.00001", a choice in its words, what a 0 stands for."""
        return self.meaning(value, task) or dict(zip(self.choices, self.words, strict=False)).get(value, plainly(value))

    def zone(self, value: float, zones: Zone | None = None) -> Literal["cautious", "usual", "aggressive"]:
        """In which zone a value lies, by these borders or its own; "usual" where the parameter has none."""
        zones = zones or self.zones
        if zones is None:
            return "usual"
        low, high = zones
        if low <= value <= high:
            return "usual"
        beyond = value > high
        return "aggressive" if beyond == (self.more_is == "aggressive") else "cautious"


def plainly(value: object) -> str:
    """A setting's value without an exponent: "on", "0.00001", "5000"."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.10f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Cost:
    seconds: float  # one fit, this machine
    bytes: int


class Family:
    """A sort of model. Stateless: what was learned lives in the value that `fit` returns.

    Families get encoded matrices (no NaN, unscaled) and scale inside where they need it. They never see rows outside
    their fold; figures on other rows are asked for through `rounds`.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    sentence: ClassVar[str]
    sees: ClassVar[Literal["columns", "pictures"]] = "columns"  # FitData.X is a matrix, or vision.pixels.Pictures
    tasks: ClassVar[frozenset[Task]] = frozenset({"binary", "multiclass", "regression"})
    round: ClassVar[Literal["epoch", "trees"] | None] = None  # what "N more rounds" means; None: nothing to continue
    rounds_param: ClassVar[str | None] = None  # the parameter that says how many rounds a fit aims at
    on_card: ClassVar[bool] = False  # computed on a graphics card where there is one; one training at a time holds it
    params: ClassVar[tuple[Param, ...]] = ()

    def usual(self, facts: Facts) -> dict[str, Any]:
        """A value for every parameter, by the size of the data: rows, the side of a picture and the task alone, which
        the screen, the command line and the training count alike."""
        return {each.name: each.default for each in self.params}

    def zones(self, facts: Facts) -> dict[str, Zone]:
        """The borders (cautious | usual | aggressive) of every number, by the data; the usual value lies between."""
        return {each.name: each.zones for each in self.params if each.zones is not None}

    def titled(self, task: Task) -> str:
        """Its title, as it is called for this kind of outcome."""
        return self.title

    def cost(self, n_cases: int, n_columns: int, task: Task, params: dict[str, Any]) -> Cost:
        """Time and memory of one fit, before it starts."""
        raise NotImplementedError

    def fit(self, data: FitData, params: dict[str, Any], *, seed: int, rounds: Rounds = no_rounds,
            work: Path | None = None) -> Any:
        """Learn from `data`. Same seed, same numbers.

        work  a folder for this fit's own checkpoints, so that a killed fit goes on where it was (mlp); None: keep none
        """
        raise NotImplementedError

    def fit_to(self, fitted: Any | None, data: FitData, until: int, params: dict[str, Any], *, seed: int,
               rounds: Rounds = no_rounds, work: Path | None = None, since: int | None = None) -> Any:
        """`fit` in stretches, for families with a round: to `until` rounds in all, from `fitted` (which stays as it is)
        or nothing.

        So all folds learn side by side, and a stop keeps what every one of them has learned. The same stretches give
        the same numbers, whether or not `fitted` was saved and loaded in between; epochs and the trees of a forest
        also those of one `fit`, however they are cut.

        since  the rounds of a finished model from which these further ones set out: nothing then ends them early
        """
        raise NotImplementedError

    def weighed(self, fitted: Any) -> int | None:
        """From how many rows this fit worked out class weights or resampled, as it counted them itself (L9); None: it
        did neither."""
        return None

    def tired(self, fitted: Any, params: dict[str, Any]) -> bool:
        """Whether early stopping has ended a fit made by `fit_to`."""
        return False

    def ended(self, fitted: Any, since: int) -> bool:
        """Whether its loss has been no number since that round, so that going on now is of no use, whoever asks."""
        return False

    def happened(self, fitted: Any) -> dict[str, int]:
        """What came in the way of this fit, by its name in medml.mishaps: in which round."""
        return {}

    def rounds_done(self, fitted: Any) -> int:
        """Rounds in this model so far (0 where the family has none)."""
        return 0

    def predict(self, fitted: Any, X: np.ndarray) -> np.ndarray:
        """(n, p) encoded -> probabilities (n, n_classes) float64 summing to 1, or numbers (n,)."""
        raise NotImplementedError

    def save(self, fitted: Any, folder: Path) -> None:
        """Write the state (also what `more` needs) into an empty folder: safetensors, UBJ, JSON; no pickle."""
        raise NotImplementedError

    def load(self, folder: Path) -> Any:
        """Read what `save` wrote. UserError(code="damaged") if it cannot be trusted."""
        raise NotImplementedError

    def filled(self, params: dict[str, Any]) -> dict[str, Any]:
        """Defaults completed by `params`; ValueError on a name that the family does not have."""
        known = {each.name: each.default for each in self.params}
        unknown = set(params) - set(known)
        if unknown:
            raise ValueError(f"{self.name} has no {sorted(unknown)}; it has {sorted(known)}")
        return known | params

    def settled(self, params: dict[str, Any], n_cases: int, n_columns: int, task: Task) -> dict[str, Any]:
        """`filled`, with whatever is still None set by the size of the data."""
        chosen = {name: value for name, value in self.filled(params).items() if value is not None}
        return self.usual(Facts(n_cases, n_columns, task, pictures=self.sees == "pictures")) | chosen
