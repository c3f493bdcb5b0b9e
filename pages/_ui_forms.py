"""The form of a cleanup step, drawn from its parameters, each with its cautious, usual and aggressive zone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import streamlit as st

from medml.cards import rungs
from medml.families.family import Param
from pages._ui_cards import zone_track
from pages._ui_plain import plain
from pages._ui_terms import draw, linked
from pages._ui_words import number


def form_from_params(params: Iterable[Param], values: dict[str, Any], *, key: str = "param",
                     disabled: bool = False, on_change: Callable[[], None] | None = None) -> dict[str, Any]:
    """Draw every parameter in two columns and return what stands in the form now: {name: value}, all names.

    values     what to start from; a name that is missing starts at its default. Changing `key` starts afresh.
    on_change  called before the page is drawn where one was changed on the screen
    """
    chosen: dict[str, Any] = {}
    params = list(params)
    for at in range(0, len(params), 2):
        for column, param in zip(st.columns(2, gap="large"), params[at:at + 2], strict=False):
            with column:
                value = values.get(param.name, param.default)
                chosen[param.name] = _draw(param, value, f"{key}_{param.name}",
                                           {"disabled": disabled, "on_change": on_change})
    return chosen


def _draw(param: Param, value: Any, key: str, how: dict[str, Any]) -> Any:
    given = _WIDGETS[param.kind](param, value, key, how)
    draw(f'{track(param, given)}<p class="m-note">{linked(param.sentence, 300)}</p>')
    return given


def track(param: Param, given: Any) -> str:
    """HTML: the zone in which a number lies, as under the sliders of a model's settings; "" where there are none."""
    if param.zones is None or not isinstance(given, int | float):
        return ""
    return zone_track(param, given, param.default, param.zones, rungs(param, param.default, given))


def _switch(param: Param, value: Any, key: str, how: dict[str, Any]) -> bool:
    return st.toggle(plain(param.title), bool(value), key=key, **how)


def _choice(param: Param, value: Any, key: str, how: dict[str, Any]) -> str:
    place = param.choices.index(value) if value in param.choices else 0
    words = dict(zip(param.choices, param.words, strict=False))
    return st.selectbox(plain(param.title), param.choices, index=place, key=key, **how,
                        format_func=lambda each: words.get(each, each))


def _whole(param: Param, value: Any, key: str, how: dict[str, Any]) -> int:
    low, high = (None if each is None else int(each) for each in (param.low, param.high))
    return int(st.number_input(plain(param.title), low, high, int(value), step=1, key=key, **how))


def _real(param: Param, value: Any, key: str, how: dict[str, Any]) -> float:
    low, high = (None if each is None else float(each) for each in (param.low, param.high))
    step = 0.05 if low is None or high is None else 10.0 ** math.floor(math.log10((high - low) / 20))
    return float(st.number_input(plain(param.title), low, high, float(value), step=step, format="%g", key=key,
                                 **how))


def _log(param: Param, value: Any, key: str, how: dict[str, Any]) -> float:
    """A quantity over several powers of ten: steps of 1, 2 and 5."""
    low, high = float(param.low or 1e-6), float(param.high or 1.0)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = {step * 10.0**power for power in powers for step in (1, 2, 5)}
    offered = sorted({float(f"{each:.6g}") for each in steps if low <= each <= high} | {low, high, float(value)})
    return st.select_slider(plain(param.title), offered, float(value), key=key, **how,
                            format_func=lambda each: f"{each:g}" if each < 1e-4 else number(each, 3))


_WIDGETS = {"switch": _switch, "choice": _choice, "int": _whole, "float": _real, "log": _log}
