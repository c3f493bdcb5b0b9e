"""No value of a patient is in what an explanation keeps, however it is asked for."""

from __future__ import annotations

import numpy as np
from canaries import found_in, planted
from tables import planned, saved

from medml import gallery, home, one_file, project
from medml.__main__ import main
from medml.explain import asked
from medml.explain.bedside import bedside
from medml.explain.found import Costly
from medml.explain.overall import overall
from medml.explain.second_look import decided, doubts
from medml.explain.without import without
from medml.train import train


def test_nothing_that_is_kept_holds_a_cell(tmp_path, medml_home):
    table, numbers = planted()
    source = saved(table, tmp_path / "data")
    made = project.create(source, "Canaries")
    profile, recipe, config = planned(source, family="mlp", params={"epochs": 5})
    run = train(source, profile, recipe, config)
    overall(run, source)
    about = {"run": run, "source": str(source), "output": 0, "row": 5, "left": run, "right": run,
             "names": ("One", "Another"), "column": "marker"}
    shown = {name: part(about) for name, part in asked.PARTS.items()}
    bedside(run, source)
    without(run, [Costly(column="marker", why="late")], source)
    cells = [each for each in np.ravel(shown["again"]["cells"]).tolist() if each[:1].isdigit()]
    assert any(float(each) in numbers for each in cells)  # a person sees them
    found = doubts(run, source)
    for value in (profile, recipe, config):
        project.write(made.id, value)
    project.write(made.id, decided(recipe, {str(found.key[0]): ""}, [str(found.key[1])], run))
    out = tmp_path / "out"
    out.mkdir()
    assert main(["explain", run, "--row", "5", "--json", str(out / "one.json")]) == 0
    (out / "run.zip").write_bytes(one_file.pack(run))
    assert len(list((gallery.open_run(run).folder / "explained").iterdir())) == 3
    assert found_in(home.home(), numbers) == [] and found_in(out, numbers) == []
