"""What is known of the data before a training, from which usual values and zones of settings follow. Counts alone."""

from __future__ import annotations

from dataclasses import dataclass

from medml.types import Task

ORDINARY = 20_000  # rows above which usual values leave those that were measured on clinical tables
MEASURED = 2_000  # rows up to which boosted trees hold nearly to what was measured on 100 to 800
FEW = 100  # events under which more freedom is caution thrown away
VALIDATION = 0.2  # share of the rows by which a network chooses its best round


@dataclass(frozen=True, slots=True)
class Facts:
    """n_rows      cases that the final model learns from
    n_columns   columns after encoding, about; of pictures, their side in pixels
    n_patients  0 where nobody counted: as many as rows
    n_events    cases of the rarest class; 0 where the outcome is a number or nobody counted
    graphics    whether a graphics card is at hand
    """

    n_rows: int
    n_columns: int
    task: Task
    pictures: bool = False
    n_patients: int = 0
    n_events: int = 0
    graphics: bool = False

    @property
    def patients(self) -> int:
        return self.n_patients or self.n_rows

    @property
    def large(self) -> bool:
        return self.n_rows >= ORDINARY

    @property
    def informative(self) -> int:
        """What the freedom of a model is measured by: events, or rows where they are not known (Riley 2019)."""
        return self.n_events or self.n_rows

    @property
    def learned(self) -> int:
        """Rows from which a network learns; by the rest it chooses its best round."""
        return max(1, round(self.n_rows * (1 - VALIDATION)))

    def scarcity(self, ordinary: int, power: float) -> float:
        """(ordinary / rows) ** power: above 1 where rows are fewer than ordinary."""
        return (ordinary / self.n_rows) ** power

    def steps(self, batch: int) -> int:
        """Steps in one round of a network, as medml.loop takes them: the last one may be short."""
        return -(-self.learned // max(1, batch))


def rounded(value: float) -> float:
    """To the one digit that counts: 0.0141 -> 0.01, 66.7 -> 70."""
    return float(f"{value:.1g}")
