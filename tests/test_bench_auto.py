"""The peers of `auto` start as scripts in an environment of their own; here in ours, on a small table."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from bench import auto


def test_a_peer_that_is_run_as_a_script_answers_every_fold(tmp_path):
    chance = np.random.default_rng(0)
    frame = pd.DataFrame({"age": chance.normal(60, 10, 60), "outcome": np.arange(60) % 2})
    folder = tmp_path / "sets" / "small"
    folder.mkdir(parents=True)
    frame.to_csv(folder / "small.csv", index=False)
    (folder / "folds.json").write_text(json.dumps([(np.arange(60) // 2 % 2).tolist()]))
    auto.run_peer(Path(sys.executable), tmp_path, "logistic", 1)
    found = [json.loads((tmp_path / "results/logistic/small" / f"0-{fold}.json").read_text()) for fold in (0, 1)]
    assert [len(each["p"]) for each in found] == [30, 30]
    assert all(0 < p < 1 for each in found for p in each["p"])
