"""A run's live curves in a few figures, and in a word what they look like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from medml.copilot.facts import CurveFacts, Shape
from medml.types import Point

FEWEST = 4  # points of a curve below which its shape is unknown
WORSE = 0.02  # share of the loss by which the end may lie above the best round
STILL = 0.01  # share of the loss won in the last fifth that counts as improving
LEARNED = 0.01  # share of the first loss that must be won at all


def curve_facts(history: Sequence[Point]) -> CurveFacts | None:
    """Mean loss over folds by round, on training rows and on unseen ones; None where no round was recorded.

    Rounds that fewer than half of the folds reached are left out: folds that went on longest would speak for all.
    """
    losses = [each for each in history if each.unit == "loss" and each.fold >= 0]
    by_round: dict[int, list[Point]] = defaultdict(list)
    for each in losses:
        by_round[each.round].append(each)
    most = max((len(each) for each in by_round.values()), default=0)
    rounds = [number for number in sorted(by_round) if 2 * len(by_round[number]) >= most]
    train = {number: _mean([each.train for each in by_round[number]]) for number in rounds}
    unseen = {number: value for number in rounds
              if (value := _mean([each.out_of_fold for each in by_round[number]])) is not None}
    if not rounds:
        return None
    best = min(unseen, key=lambda each: unseen[each], default=rounds[-1])
    told = list(unseen.values())
    return CurveFacts(rounds=rounds[-1], best_round=best, train_first=train[rounds[0]], train_last=train[rounds[-1]],
                      unseen_first=told[0] if told else None, unseen_best=unseen.get(best),
                      unseen_last=told[-1] if told else None, shape=_shape(unseen, best))


def _mean(values: list[float | None]) -> float | None:
    known = [each for each in values if each is not None]
    return round(sum(known) / len(known), 4) if known else None


def _shape(unseen: dict[int, float], best: int) -> Shape:
    """What the loss on unseen rows does in the end, where lower is better."""
    if len(unseen) < FEWEST:
        return "unknown"
    rounds = list(unseen)
    first, last, lowest = unseen[rounds[0]], unseen[rounds[-1]], unseen[best]
    scale = abs(lowest) or 1.0
    if last > lowest + WORSE * scale and best < rounds[-1]:
        return "over-learning"
    if first - lowest < LEARNED * scale:
        return "never learned"
    start = unseen[rounds[-max(2, len(rounds) // 5)]]
    return "still improving" if start - last > STILL * scale else "level"
