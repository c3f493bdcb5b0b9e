"""Who speaks in the vote of `auto`: three voices, and a fourth always, never or where it helps."""

from __future__ import annotations

from medml.cards import registry
from medml.cards.card import Card, Setting
from medml.cards.ink import LEFT, RIGHT, box, dot, line, svg
from medml.families._inner import n_folds

ANSWER = (RIGHT - 18, 56)
SEATS = [(LEFT + 40, 18), (LEFT + 40, 43), (LEFT + 40, 69), (LEFT + 40, 94)]


def draw(setting: Setting) -> str:
    by_comparison, always, _ = setting.param.choices
    parts = []
    for number, (x, y) in enumerate(SEATS):
        fourth = number == len(SEATS) - 1
        open_ = fourth and setting.value != always
        if not fourth or setting.value in (by_comparison, always):
            parts.append(line([(x + 10, y), ANSWER], "quiet", 1.5, dashed=open_))
        parts.append(box(x - 26, y - 8, 36, 16, "accent" if not fourth or always == setting.value else "quiet",
                         hollow=open_, round_=8))
    fourth = {by_comparison: "that may join", always: "that speaks too"}.get(setting.value, "that stays out")
    return svg(f"Three voices, a fourth {fourth}, and their common answer.", *parts, dot(*ANSWER, 12, "text"))


def say(setting: Setting) -> str:
    by_comparison, always, _ = setting.param.choices
    parts = n_folds(setting.facts.n_rows)
    times = f"{parts} inner {'part' if parts == 1 else 'parts'} of {setting.who}"
    if setting.value == by_comparison:
        return f"A random forest joins only where it lowers the loss in {times}, on rows that it had not seen."
    if setting.value == always:
        return f"A random forest always speaks with the other three; its weight still comes from {times}."
    return f"Three voices; their weights come from {times}. A little quicker."


registry.add("voices", Card(draw, say))
