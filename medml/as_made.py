"""The settings that a run was made with, those that nobody set too: whatever learns further, or learns again to be
compared with a run, learns by these and not by what is usual today.
"""

from __future__ import annotations

from medml.types import Manifest, TrainConfig

EARLIER = {  # what was usual, whatever the size of the data, for runs made before their manifest kept their settings
    "boosting": {"rate": 0.05, "rows": 0.7, "columns": 0.6}, "logistic": {"penalties": 12, "weakest": 100.0},
    "mlp": {"width": 64, "dropout": 0.2, "rate": 0.001, "decay": 0.01},
    "cnn": {"patience": 8, "decay": 0.01, "dropout": 0.2, "turn": 7.0, "shift": 0.06, "light": 0.15},
}


def config_as_made(manifest: Manifest, config: TrainConfig) -> TrainConfig:
    """The run's configuration with every setting as it was used. What a run of before did not keep and EARLIER does not
    name follows the size of the data, as it did then."""
    used = manifest.settings or EARLIER.get(config.family, {})
    return config.model_copy(update={"params": used | config.params})
