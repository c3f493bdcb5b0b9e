"""Small runs to be explained, made once a module in a home of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tables import clinic, planned, saved

from medml.train import train


def ward_table(n: int = 240) -> pd.DataFrame:
    """`clinic` with a blood value that tells nothing, a rare ward and a coded number of vessels."""
    rng = np.random.default_rng(3)
    table = clinic(n)
    table["lactate"] = rng.gamma(2.0, 1.1234567, n)
    table["vessels"] = rng.integers(0, 4, n)
    table.loc[:5, "ward"] = "attic"
    return table


def runs(folder: Path, **families: dict) -> tuple[Path, dict[str, str], Path]:
    """(source, {family: run}, home) of `ward_table`, each family with the parameters given."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(folder / "home"))
        source = saved(ward_table(), folder / "data")
        made = {name: train(source, *planned(source, family=name, params=params))
                for name, params in families.items()}
    return source, made, folder / "home"
