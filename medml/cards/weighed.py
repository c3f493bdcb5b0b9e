"""Class weights: how much a rare class counts beside a frequent one."""

from __future__ import annotations

from medml.cards import registry
from medml.cards.card import Card, Setting, share
from medml.cards.ink import FOOT, LEFT, RIGHT, TOP, box, floor, svg

HALF = (RIGHT - LEFT) / 2


def draw(setting: Setting) -> str:
    rare = _rare(setting)
    heights = [1.0, rare / max(rare, 1 - rare)]
    parts = [floor()]
    for place, high in enumerate(heights):
        x, tall = LEFT + HALF * place + HALF * 0.25, (FOOT - TOP) * 0.95
        if setting.value:
            parts.append(box(x, FOOT - tall, HALF * 0.5, tall, "accent", hollow=True))
        parts.append(box(x, FOOT - tall * high, HALF * 0.5, tall * high, "accent" if place else "quiet"))
    how = "raised to the same height" if setting.value else "as many as there are"
    return svg(f"Two bars, the frequent class and the rare one, {how}.", *parts)


def say(setting: Setting) -> str:
    facts = setting.facts
    if not facts.n_events:
        return (f"Off: each of {setting.who} counts the same." if not setting.value else
                f"On: classes count alike in {setting.who}, whatever their size.") + \
            (" A number has no classes, so it changes nothing." if facts.task == "regression" else "")
    rare = _rare(setting)
    cases = f"{facts.n_events:,} of {setting.who} ({share(rare)}) are the rarest class"
    if not setting.value:
        return f"{cases}, and count as much as they are. Probabilities are right as they come."
    how = f"each counts {facts.n_rows / (2 * facts.n_events):.2g} times" if facts.task == "binary" else \
        "together they count as much as any other class"
    return f"{cases}; {how} while learning, and probabilities are put right again."


def _rare(setting: Setting) -> float:
    facts = setting.facts
    return facts.n_events / facts.n_rows if facts.n_events else 0.5


registry.add("weighed", Card(draw, say))
