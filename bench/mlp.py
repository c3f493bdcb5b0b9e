"""What the loop of the house costs over a bare loop: the same network, checkpoints and progress rows on.

    python -m bench.mlp            median ratio of interleaved runs, for three sizes of table

The bare loop walks slices of a shuffled copy and does nothing else: no validation rows are judged, nothing is kept,
nobody is told. Ours fits `mlp` with a work folder (checkpoints) and progress written to the application's database as
the worker does, at most two rows a second. A DataLoader loop is timed beside them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MEDML_THREADS", "1")  # ours would use all cores above 20,000 rows

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch.nn import functional  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from medml import split, store  # noqa: E402
from medml.cases import FitData  # noqa: E402
from medml.families import registry  # noqa: E402
from medml.families._network import VALIDATION  # noqa: E402
from medml.types import Point  # noqa: E402
from worker.watch import JobWatch  # noqa: E402

MOST_POINTS = 60  # points of a curve, as the trainer draws it
SIZES = ((569, 30, 32), (5_000, 30, 128), (50_000, 30, 512))  # rows, columns, rows a step: the family's usual ones


def table(n: int, p: int) -> FitData:
    random = np.random.default_rng(0)
    X = random.normal(size=(n, p))
    y = (X[:, :5].sum(axis=1) + random.normal(size=n) > 0).astype(np.int64)
    names = [str(place) for place in range(p)]
    return FitData(X=X, y=y, patients=np.arange(n), task="binary", n_classes=2, names=names, origins=names)


def bare(data: FitData, epochs: int, batch: int, loader: bool = False) -> None:
    """Same network, same optimizer, same training rows; slices, or a DataLoader."""
    torch.manual_seed(0)
    mlp = registry.get("mlp")
    chosen = mlp.settled({}, *data.X.shape, "binary")
    train, _ = split.inner_holdout(data.y, data.patients, VALIDATION, 0, "binary")
    X, y = torch.from_numpy(data.X[train].astype(np.float32)), torch.from_numpy(data.y[train])
    X = (X - X.mean(0)) / X.std(0)
    model = mlp.build({**mlp.shape(data.X, None, chosen), "outputs": 2})
    optimizer = torch.optim.AdamW(model.parameters(), lr=chosen["rate"], weight_decay=chosen["decay"], fused=True)
    batches = DataLoader(TensorDataset(X, y), batch, shuffle=True) if loader else None
    for _ in range(epochs):
        for part_X, part_y in batches or _slices(X, y, batch):
            optimizer.zero_grad(set_to_none=True)
            functional.cross_entropy(model(part_X), part_y).backward()
            optimizer.step()


def _slices(X: torch.Tensor, y: torch.Tensor, batch: int):
    order = torch.randperm(len(X))
    X, y = X[order], y[order]
    for first in range(0, len(X), batch):
        yield X[first:first + batch], y[first:first + batch]


def ours(data: FitData, epochs: int, batch: int, watch: JobWatch) -> None:
    """The family as the trainer calls it, patience out of the way so that both walk the same number of epochs."""
    stride = max(1, epochs // MOST_POINTS)

    def rounds(done: int, total: int, train: float | None, predict, unit: str = "loss") -> bool:
        watch.say("train", done / total, f"Final model: round {done} of {total}")
        if done % stride == 0:
            watch.point(Point(round=done, fold=-1, train=train))
        return not watch.stopping()
    with tempfile.TemporaryDirectory() as work:
        registry.get("mlp").fit(data, {"epochs": epochs, "patience": 10 ** 9, "batch": batch}, seed=0, rounds=rounds,
                                work=Path(work))


def runs_of(data: FitData, epochs: int, batch: int, watch: JobWatch) -> dict[str, Callable[[], None]]:
    """What is taken in turns; the DataLoader walks a quarter of the epochs, for it is slow."""
    return {"bare": lambda: bare(data, epochs, batch), "ours": lambda: ours(data, epochs, batch, watch),
            "loader": lambda: bare(data, max(1, epochs // 4), batch, loader=True)}


def interleaved(runs: dict[str, Callable[[], None]], times: int) -> dict[str, list[float]]:
    """CPU seconds of each, taken in turns: what else the machine does touches all alike. The first turn warms up."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(times + 1):
        for name, run in runs.items():
            started = time.process_time()
            run()
            if turn:
                taken[name].append(time.process_time() - started)
    return taken


def ratio(taken: dict[str, list[float]], name: str) -> float:
    """Median of the turns' own ratios to the bare loop."""
    return statistics.median(mine / bare_ for mine, bare_ in zip(taken[name], taken["bare"], strict=True))


def watch_of_a_job() -> JobWatch:
    """A running job's watch, on a database of its own."""
    job = uuid.uuid4().hex
    store.submit(job, "train", "train", {})
    return JobWatch(job, store.claim("train", "bench", 3600.0).token, lambda: None)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.mlp", description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--rows", type=int, default=300_000, help="rows a run walks, over its epochs")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as home:
        os.environ["MEDML_HOME"] = home
        watch = watch_of_a_job()
        print(f"CPU seconds as a ratio to the bare loop, median of {asked.times} interleaved turns")
        for n, p, batch in SIZES:
            epochs = max(4, asked.rows // n)
            taken = interleaved(runs_of(table(n, p), epochs, batch, watch), asked.times)
            loader = ratio(taken, "loader") * epochs / max(1, epochs // 4)
            print(f"{n:>7,} x {p}, {epochs} epochs, {batch} rows a step: ours {ratio(taken, 'ours'):.3f}, "
                  f"DataLoader {loader:.2f}; bare {statistics.median(taken['bare']):.2f} s", flush=True)
        watch.close()


if __name__ == "__main__":
    main()
