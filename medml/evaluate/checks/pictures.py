"""L14 and G3: whether a model of pictures could do without what they show, and whether its heatmap means anything."""

from __future__ import annotations

from medml.evaluate.catalogue import FEW, found, named
from medml.evaluate.checks import Evidence, rule
from medml.evaluate.shortcuts import controls
from medml.types import Check, Metric
from medml.vision.names import ALIKE

ALONE = 0.65  # AUROC of tags or file size above which they tell the outcome
MARGIN = 0.02  # by which the model must beat a control's upper limit
OUTSIDE = ("tags", "file size")


@rule("L14")
def no_shortcut(evidence: Evidence) -> Check:
    """Tiny models on tags, on the file's size, on the borders and on an 8 x 8 thumbnail, on the model's own folds."""
    cases = evidence.context.cases
    if evidence.context.choice.pictures is None:
        return found("L14", "pass", "This model learns from a table: there is no picture to take a shortcut around.")
    if cases.task == "regression":
        return found("L14", "could_not_tell", "The outcome is a number; shortcuts are looked for where there are "
                                              "classes.")
    if len(cases.y) < FEW:
        return found("L14", "could_not_tell", f"Only {len(cases.y)} pictures to look for a shortcut in.")
    alone = controls(cases, evidence.context.folds, seed=evidence.seed)
    told = {name: each for name, each in alone.items() if each.value is not None}
    figures = {name.replace(" ", "_"): each.value for name, each in told.items()}
    telling = [name for name in OUTSIDE if name in told and told[name].value > ALONE]
    outside = [name for name in telling if told[name].low > 0.5]
    model = _headline(evidence)
    inside = [name for name in ("borders", "thumbnail") if name in told and told[name].low > 0.5
              and model is not None and model <= told[name].high + MARGIN]
    shown = ", ".join(f"{name} {each.value:.2f} ({each.between('.2f')})" for name, each in told.items())
    if outside:
        return found("L14", "warn", f"{named(outside).capitalize()} alone tell{'s' if len(outside) == 1 else ''} the "
                     f"outcome without looking at the picture (AUROC: {shown}).",
                     "Ask how the classes were collected: export all pictures in one way, with one program and one "
                     "setting, or do not trust this model on new patients.", **figures)
    if inside:
        better = "hardly" if model > max(told[name].value for name in inside) else "no"
        return found("L14", "warn", f"The model is {better} better than what {named(inside)} alone tell"
                     f"{'s' if len(inside) == 1 else ''} (AUROC: {shown}; the model {model:.2f}).",
                     "Look at the heatmaps: crop borders and marks, or collect pictures that differ in the disease "
                     "alone.", **figures)
    if telling:
        return found("L14", "could_not_tell", f"{named(telling).capitalize()} alone may tell the outcome, but so few "
                     f"pictures cannot show it (AUROC: {shown}).", **figures)
    return found("L14", "pass", f"No shortcut was found. What could be known without looking closely (AUROC): {shown}.",
                 **figures)


@rule("G3")
def heatmap_depends_on_the_model(evidence: Evidence) -> Check:
    """Mean rank correlation of the heatmaps with those of the same network with its weights shuffled."""
    if evidence.context.choice.pictures is None:
        return found("G3", "pass", "This model learns from a table: it has no heatmap.")
    alike, scales = evidence.context.heatmaps
    hottest = {f"hottest_{code}": each for code, each in enumerate(scales)}  # by which those of new pictures are drawn
    if alike is None:
        whose = "this model's shuffled weights" if any(scales) else "this model"
        return found("G3", "could_not_tell", f"The heatmaps of {whose} are flat, so nothing could be compared.",
                     **hottest)
    if alike > ALIKE:
        return found("G3", "warn", f"The heatmaps hardly change when the model's weights are shuffled (rank "
                     f"correlation {alike:.2f}): they mean nothing.", "Do not show or use the heatmaps of this model.",
                     alike=alike, **hottest)
    return found("G3", "pass", f"The heatmaps change when the model's weights are shuffled (rank correlation "
                               f"{alike:.2f}).", alike=alike, **hottest)


def _headline(evidence: Evidence) -> float | None:
    figure: Metric | None = evidence.report.metrics.get("auroc")
    return None if figure is None else figure.value
