"""The learning rate of a network as steps down a valley: too small creeps, too large jumps from side to side."""

from __future__ import annotations

from medml.cards import registry
from medml.cards.card import Card, Setting, number, plural
from medml.cards.ink import HEIGHT, LEFT, RIGHT, TOP, WIDTH, dot, in_turn, line, svg

SHOWN = 9  # steps
START = -0.94  # of half the valley's width
STRIDE, BEND = 0.45, 0.7  # share of the way that a usual step goes; how a ratio of rates becomes a ratio of strides


def draw(setting: Setting) -> str:
    floor = [_at(place / 20 - 1) for place in range(41)]
    places = steps(setting.value / setting.usual)
    hops = [in_turn(number, line([_at(before), _at(after)], setting.tone, 1.5), dot(*_at(after), 4.5, setting.tone))
            for number, (before, after) in enumerate(zip(places, places[1:], strict=False), start=1)]
    return svg(f"Steps down a valley: {_gait(setting)}.", line(floor, "quiet"), dot(*_at(START), 4.5, "text"), *hops)


def steps(ratio: float) -> list[float]:
    """Places of a ball in the valley x * x, from START on, by gradient steps; the rims stop it.

    ratio  the rate by the usual one
    """
    places = [START]
    for _ in range(SHOWN):
        after = places[-1] * (1 - STRIDE * 2 * ratio**BEND / (1 + STRIDE))
        places.append(max(-1.0, min(1.0, after)))
    return places


def say(setting: Setting) -> str:
    facts, batch, epochs = setting.facts, int(setting.beside["batch"]), int(setting.beside["epochs"])
    each = facts.steps(batch)
    return (f"{_gait(setting).capitalize()}. With {setting.who} there are {plural(each, 'step')} a round and "
            f"{plural(each * epochs, 'step')} in all, each of {number(setting.value)}.")


def _gait(setting: Setting) -> str:
    if setting.zone == "aggressive":
        return "it jumps across and may never settle"
    if setting.zone == "cautious":
        return "it creeps and may not arrive in time"
    return "strides that arrive and settle"


def _at(place: float) -> tuple[float, float]:
    return WIDTH / 2 + place * (RIGHT - LEFT) / 2, HEIGHT - TOP - 4 - (HEIGHT - 2 * TOP - 4) * place * place


registry.add("valley", Card(draw, say))
