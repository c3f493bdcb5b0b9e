"""The kind of a forest's tree: cuts at random places between patients, or at the best place for these patients."""

from __future__ import annotations

from medml.cards import registry
from medml.cards.card import Card, Setting
from medml.cards.ink import FOOT, LEFT, RIGHT, TOP, between, dot, floor, line, svg

PLACES = (0.06, 0.13, 0.17, 0.26, 0.33, 0.38, 0.45, 0.52, 0.58, 0.63, 0.71, 0.78, 0.86, 0.93)
WITH = (0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1)  # which of them have the outcome
AT_RANDOM = (0.21, 0.41, 0.48, 0.6, 0.67)
BEST = (0.6, 0.605, 0.485)
DIFFERENT = 0.632  # share of different rows when as many are drawn with replacement: 1 - 1 / e


def draw(setting: Setting) -> str:
    free = _free(setting)
    cuts = [line([(between(LEFT, RIGHT, at), TOP), (between(LEFT, RIGHT, at), FOOT)], setting.tone, 2, dashed=free)
            for at in (AT_RANDOM if free else BEST)]
    patients = [dot(between(LEFT, RIGHT, at), 74 if not has else 38, 5, "text" if has else "quiet", hollow=not has)
                for at, has in zip(PLACES, WITH, strict=True)]
    words = "cuts at random places" if free else "cuts at the best place"
    return svg(f"Patients with and without the outcome along one column, and {words}.", floor(), *cuts, *patients)


def say(setting: Setting) -> str:
    n = setting.facts.n_rows
    if _free(setting):
        return f"Every tree sees all {setting.who} and draws its cuts at random: smoother, and hard to fool by chance."
    return (f"Every tree draws {n:,} rows anew, about {round(DIFFERENT * n):,} different ones of {setting.who}, and "
            "cuts where these part best: sharper, and easier to fool.")


def _free(setting: Setting) -> bool:
    return setting.value == setting.param.choices[0]


registry.add("cuts", Card(draw, say))
