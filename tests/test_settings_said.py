"""A setting whose 0 stands for something else is told as what it stands for, wherever a person reads it."""

from __future__ import annotations

import pytest
from tables import clinic, planned, saved

from medml import copilot, families, gallery
from medml.__main__ import main
from medml.report import wording
from medml.train import train
from medml.types import SplitPlan
from pages._ui_settings import setting

ONE = SplitPlan(by="row", scheme="held_out", folds=2, repeats=1)
OF = {"binary": "the square root of their number", "regression": "all of them"}


@pytest.mark.parametrize(("task", "target"), [("binary", "outcome"), ("regression", "pressure")])
def test_the_report_a_screen_a_terminal_and_the_copilot_say_how_many_columns_a_cut_looks_at(task, target, tmp_path,
                                                                                            capsys):
    source = saved(clinic(80), tmp_path)
    usual, half = (train(source, *planned(source, target=target, family="forest", split=ONE,
                                          params={"trees": 50, "columns": each})) for each in (0.0, 0.5))
    run = gallery.open_run(usual)
    assert f"Share of columns a cut: {OF[task]}" in wording.settings(run)
    assert "Share of columns a cut: 0.5" in wording.settings(gallery.open_run(half))
    assert setting("parameter: columns", 0.0, ["forest"], task) == ("Share of columns a cut", OF[task])
    assert setting("parameter: columns", 0.5, ["boosting", "forest"], task)[1] == "0.5"
    assert main(["compare", usual, half]) == 0 and OF[task] in capsys.readouterr().out
    told = copilot.as_text(copilot.snapshot_of_run(usual, "evaluate"), "evaluate", "What do the settings mean?", 9_000)
    assert f"Share of columns a cut): {OF[task]}; usual here {OF[task]}" in told


def test_the_form_says_for_each_kind_of_outcome_what_0_takes():
    sentence = next(each for each in families.registry.get("forest").params if each.name == "columns").sentence
    assert all(each in sentence for each in OF.values())
