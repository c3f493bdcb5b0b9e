"""What --json writes: what the screens read."""

from __future__ import annotations

from typing import Any

from medml import gallery
from medml.steps.second_look import to_take_away
from medml.types import Profile


def profile_as_json(profile: Profile) -> dict[str, Any]:
    """What the Scan screen reads; `target` repeats `targets` under the name that scripts expect."""
    whole = profile.model_dump(mode="json")
    for found in whole["tables"]:
        found |= {"path": found["ref"]["path"], "sheet": found["ref"]["sheet"], "target": found["targets"]}
    return whole


def run_as_json(run: gallery.Run) -> dict[str, Any]:
    """What the Evaluate screen reads, with the figures that scripts ask for on top."""
    report, manifest, plan = run.report, run.manifest, run.config.split
    return {"run": run.run, "name": run.label.name, "task": report.task, "family": run.config.family,
            "target": run.config.choice.target, "checkpoint": run.chain.current,
            "split": {"by": plan.by, "scheme": plan.scheme, "folds": plan.folds, "repeats": plan.repeats,
                      "n_train": manifest.n_train, "n_test": manifest.n_test},
            "seconds": manifest.seconds, **report.model_dump(mode="json"),
            "chain": run.chain.model_dump(mode="json"), "manifest": manifest.model_dump(mode="json"),
            "config": run.config.model_dump(mode="json"), "recipe": to_take_away(run.recipe).model_dump(mode="json"),
            "history": [point.model_dump(mode="json") for point in run.history]}
