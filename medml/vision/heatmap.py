"""Where a network looks: Grad-CAM (Selvaraju 2017, by captum), on one scale for all pictures with the same answer.

A map scaled to its own picture makes every picture look hot somewhere; so the scale comes from the set (`hottest`).
Each answer has its own: what speaks for a rare class is weaker than what speaks for a common one, and would stay cold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from medml.vision.stream import Stream

if TYPE_CHECKING:
    from medml.pipeline import Pipeline
    from medml.vision.classifier import Classifier
    from medml.vision.pixels import Pictures

HOT = 99.0  # percentile of all fields of all maps that is drawn as the hottest
SANITY = 24  # pictures on which a run's maps are judged, and by which they are scaled, all answers together
FEWEST = 6  # pictures by which the maps of one answer are scaled, however rare it is
AT_ONCE = 8


def answered(pipe: Pipeline, pictures: Pictures, answer: np.ndarray) -> np.ndarray:
    """(n, h', w') float32, what spoke for each picture's answer: a code of a class, (n,); of a number, for more."""
    return maps(pipe.family.network(pipe.fitted), pipe.family.stream(pipe.fitted, pictures), outputs_of(pipe, answer))


def outputs_of(pipe: Pipeline, answer: np.ndarray) -> np.ndarray:
    """(n,) which score of its network stands for each answer: a class that it never saw has none."""
    labels = pipe.fitted.labels
    return np.zeros(len(answer), np.int64) if labels is None else labels.encode(answer)


def maps(model: Classifier, pictures: Stream, output: int | np.ndarray) -> np.ndarray:
    """(n, h', w') float32, what speaks for score `output` (one of each picture, or (n,)) in each field of the last
    feature map; never negative."""
    import torch
    from captum.attr import LayerGradCam

    cam = LayerGradCam(_forward(model), model.body)
    parts, targets = [], torch.from_numpy(np.broadcast_to(output, len(pictures)).copy())
    for first in range(0, len(pictures), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        found = cam.attribute(pictures[some], target=targets[some], relu_attributions=True)
        parts.append(found[:, 0].detach().float().cpu().numpy())
    model.zero_grad(set_to_none=True)
    return np.concatenate(parts)


def _forward(model: Classifier) -> Any:
    """The model with every parameter open to gradients, in float32: half digits are too coarse for a map."""
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    model.mixed = False
    return model.eval()


def hottest(found: np.ndarray) -> float:
    """The value that is drawn as the hottest: the 99th percentile over all fields of a set of maps; 0 for none."""
    return float(np.percentile(found, HOT)) if found.size else 0.0


def sampled(p: np.ndarray, answer: np.ndarray) -> list[np.ndarray]:
    """Places of the pictures by whose maps those of each class are scaled; one list for a number, (n, 1).

    They are spread evenly from the likeliest to the least likely of those with that answer; where fewer than FEWEST
    have it, the next likeliest stand in, so that no picture alone becomes its own scale.

    p  (n, n_classes);   answer  (n,) codes
    """
    spread, found = max(FEWEST, SANITY // p.shape[1]), []
    for code in range(p.shape[1]):
        n = max(FEWEST, int((answer == code).sum())) if p.shape[1] > 1 else len(p)
        order = np.lexsort((-p[:, code], answer != code))[:n]
        found.append(order[np.unique(np.linspace(0, len(order) - 1, spread).astype(int))] if len(order) else order)
    return found


def scaled(found: np.ndarray, hot: float | np.ndarray, height: int, width: int) -> np.ndarray:
    """(n, height, width) float32 in 0-1, bilinear.

    hot  the value that is drawn as the hottest, of the set or (n,) of each picture's answer; 0: nothing is
    """
    import torch
    from torch.nn import functional

    hot = np.broadcast_to(np.asarray(hot, np.float32), len(found))[:, None, None]
    share = np.clip(np.divide(found, hot, out=np.zeros_like(found), where=hot > 0), 0.0, 1.0)
    grown = functional.interpolate(torch.from_numpy(share.astype(np.float32))[:, None], (height, width),
                                   mode="bilinear", align_corners=False)
    return grown[:, 0].numpy()


def sanity(model: Classifier, pictures: Stream, output: int | np.ndarray, *, seed: int = 0) -> float | None:
    """Mean rank correlation between the maps and those of the same network with its weights shuffled (G3).

    Near 0: the maps come from what was learned. Near 1: from the picture alone, and they mean nothing (Adebayo 2018,
    "Sanity checks for saliency maps"). None where the maps are flat, so that nothing can be told.
    """
    import copy

    import torch

    some = pictures[torch.arange(min(len(pictures), SANITY))]
    output = np.broadcast_to(output, len(pictures))[:len(some)]
    mine, other = maps(model, some, output), copy.deepcopy(model)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in other.parameters():
            flat = parameter.flatten()
            parameter.copy_(flat[torch.randperm(len(flat), generator=draw)].reshape(parameter.shape))
    return _rank_correlation(mine, maps(other, some, output))


def _rank_correlation(a: np.ndarray, b: np.ndarray) -> float | None:
    """Mean over pictures of Spearman's correlation of two sets of maps; None where none varies in both."""
    from scipy.stats import rankdata

    found = []
    for left, right in zip(a.reshape(len(a), -1), b.reshape(len(b), -1), strict=True):
        if np.ptp(left) > 0 and np.ptp(right) > 0:
            found.append(float(np.corrcoef(rankdata(left), rankdata(right))[0, 1]))
    return float(np.mean(found)) if found else None
