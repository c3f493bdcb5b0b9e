"""Leaks that are planted walk through the whole line and raise an alarm. The eight kinds: `python -m bench.leaks`; here
those that test_planted_leaks.py and test_pictures.py do not hold."""

import numpy as np
import pytest

from bench.leaks import PLANTS, alarms_on, cohort
from medml.profile import scan
from medml.profile.phrases import telling_phrases


@pytest.mark.parametrize("name", ["duplicated patients", "text giveaway", "near-duplicate images"])
def test_a_planted_leak_raises_its_alarm(name, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "home"))
    (tmp_path / "data").mkdir()
    assert alarms_on(PLANTS[name](tmp_path / "data"))


def test_a_clean_cohort_raises_none(tmp_path):
    table, rng = cohort(), np.random.default_rng(9)
    words = "seen today calm pale tired coughing walking resting eating asking sleeping reading".split()
    table.insert(3, "note", [" ".join(rng.choice(words, 9)) for _ in range(len(table))])
    table.to_csv(tmp_path / "cohort.csv", index=False)
    [found] = scan(tmp_path / "cohort.csv").tables
    assert found.targets[0].column == "outcome"
    assert not [each for column in found.columns for each in column.suspicions if each.severity in ("stop", "caution")]


def test_a_phrase_of_frequent_words_is_found_though_its_words_are_in_both_classes():
    """“not seen” in class 1 alone, “not” and “seen” in every text: only the pair tells."""
    texts = ["well seen and so not ill" if code == 0 else "not seen and so well ill" for code in [0, 1] * 40]
    y = np.array([0, 1] * 40)
    assert telling_phrases(texts, y, 2) > 0
    assert telling_phrases(texts, np.random.default_rng(0).permutation(y), 2) == 0
    assert telling_phrases([None, float("nan")] * 40, y, 2) == 0
