"""What learns again beside a run learns by the settings of its day."""

from __future__ import annotations

from tables import clinic, planned, saved

from medml import families, gallery
from medml.as_made import EARLIER, config_as_made
from medml.train import train


def test_a_run_keeps_every_setting_and_what_somebody_set_comes_first(tmp_path):
    source = saved(clinic(120), tmp_path)
    opened = gallery.open_run(train(source, *planned(source, family="mlp", params={"epochs": 5})))
    assert opened.manifest.settings.keys() == {each.name for each in families.registry.get("mlp").params}
    of_its_day = opened.manifest.model_copy(update={"settings": opened.manifest.settings | {"width": 99}})
    assert config_as_made(of_its_day, opened.config).params == of_its_day.settings | {"epochs": 5}
    none_kept = opened.manifest.model_copy(update={"settings": {}})
    assert config_as_made(none_kept, opened.config).params == EARLIER["mlp"] | {"epochs": 5}


def test_settings_of_before_are_settings_of_their_family_within_its_bounds():
    for name, values in EARLIER.items():
        known = {each.name: each for each in families.registry.get(name).params}
        assert all(known[each].low <= value <= known[each].high for each, value in values.items())
