"""Settings of a family as cards: a slider with its three zones, a picture drawn from the value, and a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import streamlit as st

from medml.cards import Setting, alone, can_move, for_setting, rungs, segments
from medml.families import Facts, Family, Param
from medml.families.family import Zone
from pages._ui_plain import plain
from pages._ui_terms import draw, linked
from pages._ui_words import number

ACROSS = 2
SAFE = " =:/()[],;'{}*.@"  # what a data address may hold as it is
ORDER = ("cautious", "usual", "aggressive")


def form_key(project: str, family: str) -> str:
    """The key of a family's form. Another one once its values were changed elsewhere: in a field of the same key a
    browser goes on showing, and sending, what stood there before."""
    anew = st.session_state.get(f"m_anew_{project}_{family}", 0)
    return f"m_plan_{project}_{family}" + f"_{anew}" * bool(anew)


def draw_anew(project: str, family: str) -> None:
    """Have the form show what holds now, the next time that it is drawn."""
    st.session_state[f"m_anew_{project}_{family}"] = st.session_state.get(f"m_anew_{project}_{family}", 0) + 1


def cards(family: Family, params: list[Param], facts: Facts, values: Mapping[str, Any], *, key: str) -> dict[str, Any]:
    """Draw the cards of these parameters, in two columns; returns what stands in them now, by name.

    values  every setting of the family: what to start from, and what the sentences of other cards speak of
    """
    chosen, drawn = {}, []
    for at in range(0, len(params), ACROSS):
        for column, param in zip(st.columns(ACROSS, gap="medium"), params[at:at + ACROSS], strict=False):
            with column, st.container(key=f"m_card_param_{param.name}", height="stretch"):
                chosen[param.name] = _ask(param, family.usual(facts)[param.name], values[param.name],
                                          f"{key}_{param.name}")
                drawn.append((param, st.empty()))
    for param, place in drawn:  # only now: a sentence may speak of what stands in another card
        setting = Setting(family, param, chosen[param.name], facts, {**values, **chosen})
        draw(_picture(setting, f"{key}_{param.name}"), into=place)
    return chosen


def _ask(param: Param, usual: Any, value: Any, key: str) -> Any:
    if param.kind == "switch":
        return st.toggle(plain(param.title), bool(value), key=key, help=param.sentence)
    if param.kind == "choice":
        words = dict(zip(param.choices, param.words, strict=False))
        return st.selectbox(plain(param.title), param.choices, param.choices.index(value), key=key,
                            help=param.sentence, format_func=lambda each: words.get(each, each))
    return st.select_slider(plain(param.title), _offered(param, usual, value, key), value, key=key,
                            help=param.sentence, format_func=shown)


def _offered(param: Param, usual: Any, value: Any, key: str) -> list[float]:
    """What the slider offers, the same while it is drawn: it would else forget where it stands."""
    held = st.session_state.get(f"{key}_offered")
    if held is None or usual not in held or value not in held:
        held = st.session_state[f"{key}_offered"] = rungs(param, usual, value)
    return held


def shown(value: float) -> str:
    """A value as the slider says it."""
    return f"{value:.7f}".rstrip("0") if 0 < value < 1e-4 else number(value, 3)


def _picture(setting: Setting, key: str) -> str:
    """HTML under the slider: its zones, the picture and the sentence."""
    card = for_setting(setting)
    zones = zone_track(setting.param, setting.value, setting.usual, setting.borders,
                       st.session_state[f"{key}_offered"], setting.size) if setting.borders else ""
    says = f'<p class="m-card-says">{linked(card.say(setting), 400)}</p>'
    return f"{zones}{drawn(card.draw(setting))}{says}"


def drawn(picture: str, kind: str = "") -> str:
    """HTML of a picture of medml.cards, still where motion is not wanted. `st.html` lets SVG through as an image alone,
    and an image does not hear the page's colours or its wish for stillness: both come with it."""
    words = re.search(r'aria-label="([^"]*)"', picture).group(1)
    ways = (("still", False), ("moves", True)) if can_move(picture) else (("", False),)
    return "".join(f'<img class="m-draw {kind} {f"m-draw-{way}" if way else ""}" alt="{words}" '
                   f'src="data:image/svg+xml,{quote(alone(picture, moving=moving), safe=SAFE)}">'
                   for way, moving in ways)


def zone_track(param: Param, value: float, usual: float, borders: Zone, offered: list[float],
               size: str = "") -> str:
    """HTML: three lengths as long as the zones are on a slider of these values, the one in which the value lies
    filled.

    size  of the data that the usual value follows, in words
    """
    (low, high), zone = borders, param.zone(value, borders)
    order = ORDER if param.more_is == "aggressive" else ORDER[::-1]
    parts = "".join(f'<span class="m-zone-part{f" m-zone-{name}" if name == zone else ""}" '
                    f'style="flex-grow:{length:.3f}"></span>'
                    for name, length in zip(order, segments(offered, (low, high)), strict=True) if length)
    known = f"usual{f' for {size}' * bool(size)}: {shown(usual)}"
    between = f"({shown(low)} to {shown(high)})"
    names = " ".join(f'<span class="{f"m-zone-is m-zone-is-{name}" if name == zone else ""}">{name}</span>'
                     for name in order)
    return (f'<div class="m-zone-track" role="img" aria-label="{zone}; {known} {between}">{parts}</div>'
            f'<p class="m-zone-words"><span>{names}</span><span>{known} <span>{between}</span></span></p>')
