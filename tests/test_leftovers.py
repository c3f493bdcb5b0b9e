"""What a kill left half written goes away a day later; what is young or of anybody else stays."""

from __future__ import annotations

import os
import time

from medml import home, leftovers


def old(path, hours: float = 30.0):
    os.utime(path, (time.time() - hours * 3600,) * 2)


def test_what_was_left_half_written_is_swept_up_a_day_later(medml_home, tmp_path):
    run, project = home.ensure(home.runs_folder() / "mlp-1"), home.ensure(home.projects_folder() / "p1")
    stays = [run / "chain.json", run / ".note", project / ".recipe.json.abcd.part",
             home.ensure(medml_home / "keys") / "k"]
    goes = [home.ensure(home.runs_folder() / ".mlp-2.part"), home.ensure(home.projects_folder() / ".p2.ab.gone"),
            home.ensure(run / "checkpoints" / ".job.part"), project / ".profile.json.abcd.part"]
    outside = tmp_path / ".mine.part"
    for each in [*stays, goes[-1], outside]:
        each.write_bytes(b"x")
    (project / "link").symlink_to(tmp_path)
    for each in [stays[0], stays[1], *goes, outside]:
        old(each)
    assert leftovers.sweep() == 4
    assert all(each.exists() for each in [*stays, outside]) and not any(each.exists() for each in goes)
