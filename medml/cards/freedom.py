"""The weakest penalty of a regression: how much of a weight it leaves."""

from __future__ import annotations

from medml.cards import registry
from medml.cards._bars import FREE, bars
from medml.cards.card import Card, Setting, number, share
from medml.cards.ink import svg

LIKENESS = 0.01  # share of its own knowledge that a column among others has, as drawn: predictors overlap


def draw(setting: Setting) -> str:
    held = knowledge(setting) * LIKENESS
    left = [held * abs(free) * setting.value / (1 + held * abs(free) * setting.value) for free in FREE]
    return svg(f"Ten weights as bars; the freest model keeps {share(sum(left) / len(left))} of them.",
               *bars(left, setting.tone))


def knowledge(setting: Setting) -> float:
    """Fisher information of a standardised column: n p (1 - p) for two classes, n for a number."""
    facts = setting.facts
    p = facts.n_events / facts.n_rows if facts.n_events else 0.5
    return facts.n_rows * (p * (1 - p) if facts.task != "regression" else 1.0)


def say(setting: Setting) -> str:
    known = knowledge(setting)
    left = known * setting.value / (1 + known * setting.value)  # of the estimate without a penalty, columns apart
    n_events = setting.facts.n_events
    events = "" if not n_events else f" with {n_events:,} events" if setting.facts.task == "binary" else \
        f", {n_events:,} of the rarest class,"
    kept = share(left) if left < 0.995 else "practically all"
    return (f"At {number(setting.value)} the freest model that may win keeps {kept} of the weight that "
            f"{setting.who}{events} would give a column by itself. Cross-validation often picks a stronger penalty.")


registry.add("freedom", Card(draw, say))
