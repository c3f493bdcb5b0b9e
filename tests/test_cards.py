"""Every setting of every family is a card: a picture and a sentence that follow the value and the data."""

from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medml import cards, families
from medml.cards import folds, ink, side
from medml.families import Facts
from medml.types import SplitPlan
from pages import _ui_cards

EVERY = [(family.name, param.name) for family in families.registry for param in family.params]
TABLE = Facts(303, 20, "binary", n_patients=303, n_events=139)
LARGER = Facts(5_000, 60, "binary", n_patients=4_000, n_events=700)
PICTURES = Facts(500, 128, "binary", pictures=True, n_events=150)
MORE_PICTURES = Facts(6_000, 64, "binary", pictures=True, n_events=900)


def setting(name: str, param_name: str, value: object = None, facts: Facts | None = None) -> cards.Setting:
    """As it would stand in the form: everything else at its usual value."""
    family = families.registry.get(name)
    facts = facts or (PICTURES if family.sees == "pictures" else TABLE)
    param = next(each for each in family.params if each.name == param_name)
    beside = family.usual(facts)
    value = beside[param_name] if value is None else value
    return cards.Setting(family, param, value, facts, beside | {param_name: value})


def values_of(name: str, param_name: str) -> list:
    """Values from one end to the other."""
    at = setting(name, param_name)
    if at.param.kind == "choice":
        return list(at.param.choices)
    return [False, True] if at.param.kind == "switch" else sorted({at.param.low, at.usual, at.param.high})


@pytest.mark.parametrize(("name", "param"), EVERY)
def test_every_setting_has_a_card_with_a_picture_and_a_sentence(name, param):
    at = setting(name, param)
    card = cards.for_setting(at)
    drawn = ET.fromstring(cards.alone(card.draw(at)))
    assert drawn.get("role") == "img" and len(drawn.get("aria-label")) > 10
    assert card.say(at).endswith(".") and len(card.say(at)) < 260


@pytest.mark.parametrize(("name", "param"), EVERY)
def test_picture_and_sentence_change_with_the_value(name, param):
    shown = [(cards.for_setting(each).draw(each), cards.for_setting(each).say(each))
             for each in (setting(name, param, value) for value in values_of(name, param))]
    assert len(shown) > 1
    assert len({picture for picture, _ in shown}) == len({words for _, words in shown}) == len(shown)


@pytest.mark.parametrize(("name", "param"), EVERY)
def test_the_sentence_changes_with_the_data(name, param):
    of_pictures = families.registry.get(name).sees == "pictures"
    facts = (PICTURES, MORE_PICTURES) if of_pictures else (TABLE, LARGER)
    for value in values_of(name, param):
        few, many = (cards.for_setting(each).say(each) for each in
                     (setting(name, param, value, of) for of in facts))
        assert few != many


@pytest.mark.parametrize(("name", "param"), EVERY)
def test_a_picture_is_drawn_in_colours_of_the_page_alone_and_asks_for_nothing(name, param):
    for value in values_of(name, param):
        at = setting(name, param, value)
        picture = cards.for_setting(at).draw(at)
        assert picture.count("http") == picture.count('xmlns="http://www.w3.org/2000/svg"') == 1
        used = set(re.findall(r"var\(--chart-([a-z]+), currentColor\)", picture))
        assert used <= set(ink.COLOURS + ink.GROUND) and used & set(ink.COLOURS)
        assert not re.search(r"#[0-9a-fA-F]{3}|rgb|href|url\(|<image|<script|<text", picture)
        assert "nan" not in picture and len(picture) < 60_000


def test_what_is_drawn_can_be_told_from_the_card_in_both_themes():
    from medml.plots.theme import INKS

    for theme in INKS.values():
        for name in ink.COLOURS:
            assert contrast(getattr(theme, name), theme.card) >= 4.5, name


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, 1.4.3."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@settings(max_examples=60)
@given(st.integers(20, 2_000_000), st.integers(1, 3_000), st.sampled_from(["binary", "multiclass", "regression"]),
       st.floats(0.001, 0.5), st.floats(0.2, 1.0), st.booleans())
def test_zones_are_in_order_and_the_usual_value_lies_in_the_usual_one(rows, columns, task, rare, patients, graphics):
    events = 0 if task == "regression" else max(1, int(rows * rare))
    table = Facts(rows, columns, task, n_patients=max(1, int(rows * patients)), n_events=events, graphics=graphics)
    for family in families.registry:
        facts = dataclasses.replace(table, pictures=True, n_columns=16 + columns % 1_009) \
            if family.sees == "pictures" else table
        usual, zones = family.usual(facts), family.zones(facts)
        for param in family.params:
            if param.kind in ("choice", "switch"):
                continue
            low, high = zones[param.name]
            assert param.low <= low < high <= param.high, (family.name, param.name)
            assert low <= usual[param.name] <= high, (family.name, param.name)
            assert usual == family.usual(dataclasses.replace(  # a training knows its rows alone, and must choose alike
                facts, n_patients=0, n_events=0, graphics=not graphics, n_columns=facts.n_columns
                if facts.pictures else columns + 7)), family.name
            at = cards.Setting(family, param, usual[param.name], facts, usual)
            assert at.zone == "usual" and at.reach == 0
            assert cards.for_setting(at).draw(at) and cards.for_setting(at).say(at)


def test_every_usual_number_follows_the_size_of_the_data_or_says_why_not():
    by_another_way = {
        ("forest", "columns"): "square root of their number",  # 0 stands for it: what a cut sees follows the columns
        ("cnn", "rate"): "goes by the network",  # which follows the side of the pictures and the weights that are here
    }
    still = {}
    for family in families.registry:
        few, many = (family.usual(Facts(n, 64, "binary", pictures=family.sees == "pictures")) for n in (300, 200_000))
        still |= {(family.name, each.name): each.sentence for each in family.params
                  if each.kind not in ("choice", "switch") and few[each.name] == many[each.name]}
    assert set(still) == set(by_another_way)
    assert all(why in still[each] for each, why in by_another_way.items())


def test_tables_and_films_of_ordinary_size_keep_the_values_that_were_measured_on_them():
    """The sets of bench.auto (100 to 800 rows), and of bench.pneumonia (4,708 films; it names four settings)."""
    for n in (99, 124, 614, 5_000):
        facts = Facts(n, 20, "binary")
        assert families.registry.get("logistic").usual(facts) == {"penalties": 12, "weakest": 100.0}
        assert families.registry.get("auto").usual(facts)["trees"] == 500
    films = families.registry.get("cnn").usual(Facts(4_708, 28, "binary", pictures=True))
    assert films == {"epochs": 30, "backbone": "small", "start": "pretrained", "patience": 8, "rate": 0.001,
                     "decay": 0.01, "dropout": 0.2, "batch": 64, "turn": 7.0, "shift": 0.06, "light": 0.15,
                     "flip": "none", "class_weights": False}


@pytest.mark.parametrize(("name", "param"), [
    each for each in EVERY if setting(*each).param.kind not in ("choice", "switch")])
def test_a_slider_reaches_from_end_to_end_and_holds_what_stands_in_the_form(name, param):
    at = setting(name, param)
    odd = at.param.low + (at.param.high - at.param.low) * 0.137
    odd = round(odd) if at.param.kind == "int" else float(f"{odd:.6g}")
    offered = cards.rungs(at.param, at.usual, odd)
    assert offered == sorted(set(offered)) and {at.usual, odd} <= set(offered) and len(offered) <= 60
    assert offered[0] == at.param.low and offered[-1] == at.param.high
    parts = cards.segments(offered, at.borders)
    assert sum(parts) == pytest.approx(1) and min(parts) >= 0 and parts[1] > 0


def test_the_batch_card_counts_the_steps_that_the_loop_takes():
    facts = Facts(303, 20, "binary")
    assert facts.steps(32) == 8  # 242 rows learn, 61 judge the rounds: 7 steps of 32 and one of 18
    assert "32 at a time means 8 steps a round" in cards.for_setting(setting("mlp", "batch", 32)).say(
        setting("mlp", "batch", 32))


def test_a_small_rate_creeps_and_a_large_one_jumps_from_rim_to_rim():
    from medml.cards.valley import START, steps

    assert steps(0.01)[-1] < START * 0.7  # hardly any way
    assert abs(steps(1)[-1]) < 0.02
    assert {-1.0, 1.0} <= set(steps(100))


def test_a_picture_by_itself_has_the_colours_of_both_themes_and_moves_only_where_it_is_asked_to():
    at = setting("mlp", "rate")
    still, moving = (cards.alone(cards.for_setting(at).draw(at), moving=each) for each in (False, True))
    assert cards.can_move(still) and "animation" in moving and "animation" not in still
    assert "light-dark(#0F5E5C,#5BBDB3)" in still and ET.fromstring(moving) is not None


def test_a_picture_that_moves_has_a_still_one_beside_it_with_the_same_words():
    moving, still = (_ui_cards.drawn(cards.for_setting(setting("mlp", name)).draw(setting("mlp", name)))
                     for name in ("rate", "batch"))
    assert "m-draw-still" in moving and "m-draw-moves" in moving and moving.count("<img") == 2
    assert still.count("<img") == still.count('alt="A grid of dots for 242 patients') == 1
    assert "<svg" not in moving + still and "#" not in moving + still  # a bare # would end the address


def test_a_picture_moves_only_where_the_reader_asked_for_no_stillness():
    """Browsers do not tell an image what its reader wants; the page's own style has to."""
    style = (Path(_ui_cards.__file__).parent / "static" / "look_6_cards.css").read_text(encoding="utf-8")
    asked = re.search(r"@media \(prefers-reduced-motion: no-preference\) \{(.*)\}", style)
    assert ".m-draw-moves { display: block; }" in asked[1] and ".m-draw-still { display: none; }" in asked[1]
    always = style.replace(asked[0], "")
    assert ".m-draw-moves { display: none; }" in always and ".m-draw-still" not in always


def test_the_track_fills_the_zone_in_which_a_value_lies_and_names_the_usual_one():
    for value, zone in ((8, "usual"), (32, "usual"), (8_192, "cautious")):
        at = setting("mlp", "batch", value)
        track = _ui_cards.zone_track(at.param, value, at.usual, at.borders, cards.rungs(at.param, at.usual, value),
                                     at.size)
        assert f'aria-label="{zone}; usual for 303 patients: 32 (8 to 64)"' in track
        assert track.count(f"m-zone-{zone}") == 1
    low = setting("mlp", "decay", 0.0)
    assert "m-zone-aggressive" in _ui_cards.zone_track(low.param, 0.0, low.usual, low.borders,
                                                          cards.rungs(low.param, low.usual))


def test_a_thumbnail_shows_every_pixel_and_the_sentence_what_is_lost():
    picture = np.arange(28 * 28).astype(np.uint8).reshape(28, 28, 1)
    large = side.pixelated(picture)
    assert large.shape == (28 * 11, 28 * 11) and (large[::11, ::11] == picture[..., 0]).all()
    assert "about 3.6 x 3.6 of yours" in side.say(28, 500, 100)
    assert "nothing new" in side.say(224, 500, 100)
    assert len({side.say(size, n, 400) for size in (28, 128) for n in (48, 500)}) == 4


def test_the_strips_of_a_split_show_each_part_judged_once_and_what_stays_closed():
    crossed = folds.draw(SplitPlan(by="row", scheme="cross_validation", folds=5))
    assert crossed.count(f'fill="{ink.ink("accent")}"') == 5 and "amber" not in crossed
    closed = folds.draw(SplitPlan(by="row", scheme="held_out", folds=3, test_fraction=0.25))
    assert closed.count(f'fill="{ink.ink("accent")}"') == 3 and "25 % kept closed" in closed
