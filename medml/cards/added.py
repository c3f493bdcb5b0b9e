"""Trees of boosting, added one after the other: the curves of rounds, counted in trees."""

from __future__ import annotations

from medml.cards import registry
from medml.cards.card import Card, Setting, number, plural
from medml.cards.rounds import curves


def draw(setting: Setting) -> str:
    return curves(setting, "With every tree the loss on training rows goes on falling")


def say(setting: Setting) -> str:
    trees, depth = int(setting.value), int(setting.beside["depth"])
    rules = trees * 2**depth
    a_patient = rules / setting.facts.n_rows
    return (f"{plural(trees, 'tree')} of {plural(depth, 'question')} in a row hold up to {rules:,} rules, "
            f"{number(a_patient)} for each of {setting.who}.")


registry.add("added", Card(draw, say))
