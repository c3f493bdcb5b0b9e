"""Before a training: a language model in the way of it gives its memory back; it is loaded anew when asked."""

from __future__ import annotations

from medml.copilot.chat import make_room
from medml.types import Profile, Recipe, TrainConfig


def give_way(profile: Profile, recipe: Recipe, config: TrainConfig) -> list[str]:
    """Unload what keeps this training from its memory, in the machine or on a graphics card; names of what was."""
    from medml import device, families
    from medml.config import estimate

    needed = estimate(profile.table(config.choice.table), config, recipe).bytes
    return make_room(needed, on_card=families.registry.get(config.family).on_card and device.graphics())
