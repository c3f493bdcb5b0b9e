"""Exported models beside the models: `python -m bench.export [tables] [pictures] [--sets NAME,...]`.

tables    parity (largest difference of a probability, goal < 1e-4) on made-up rows and all rows of each set, and the
          median time of one row in this process (goal < 0.1 ms), for every family: in the blocks of a hundred calls
          in which nothing else disturbed the machine (bench.undisturbed), and in all blocks
pictures  the same for networks, and one picture's time beside the bare network's (goal at most 1.2 x)

Models are fitted on all rows of a set, without cross-validation: nothing here is about how good they are.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from bench.undisturbed import Yardstick

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
NETWORKS = (("small", 28), ("mobilenet_v3_small", 224), ("mobilenet_v2", 224), ("resnet18", 224))


class Source(NamedTuple):
    target: str
    positive: str | None = None
    leave_out: tuple[str, ...] = ()


SETS = {
    "heart_cleveland": Source("num", ">0"), "pima_diabetes": Source("Outcome", "1"),
    "hepatitis_uci": Source("Class"), "breast_cancer_wdbc": Source("diagnosis", "M"),
    "heart_failure_records": Source("DEATH_EVENT", "1", ("time",)),
    "thyroid_cancer_recurrence": Source("Reccured"), "maternal_health_risk": Source("RiskLevel"),
    "cardiotocography": Source("NSP"), "dermatology": Source("class"), "hypothyroid": Source("Class"),
    "chronic_kidney_disease": Source("classification"),
}


def tables(wanted: list[str]) -> None:
    """One line a set and family."""
    print(f"{'set':26} {'family':9} {'columns':>7} {'rows':>6} {'difference':>10} {'silences':>8} {'one row':>9} "
          f"{'disturbed':>9} {'blocks':>9} {'file':>9}")
    worst, slowest, yardstick = 0.0, 0.0, Yardstick()
    for name in wanted:
        for family, found, taken, size, columns in of_set(name, yardstick):
            worst, slowest = max(worst, found.difference), np.maximum(slowest, taken.undisturbed)
            print(f"{name:26} {family:9} {columns:7} {found.n_rows + found.n_own:6,} {found.difference:10.1e} "
                  f"{found.reasons_differ:8} {1e6 * taken.undisturbed:6.0f} us {1e6 * taken.all:6.0f} us "
                  f"{taken.counted:3} of {taken.blocks:3} {size / 1e3:6,.0f} kB", flush=True)
    print(f"largest difference {worst:.1e} (goal < 1e-4); slowest single row {1e3 * slowest:.3f} ms (goal < 0.1 ms); "
          f"fastest reading of the yardstick {1e6 * yardstick.fastest:.1f} us")


def of_set(name: str, yardstick: Yardstick):
    """(family, parity, time of one row, bytes, input columns) of every family on one set."""
    from medml import families
    from medml.export import parity
    from medml.export.ask import feed_of, opened
    from medml.export.write import onnx_of

    predictor_of, cases = prepared(name)
    for family in families.seeing("columns"):
        predictor = predictor_of(family)
        content = onnx_of(predictor)
        found = parity.of_columns(predictor, content, cases.X)
        kinds = predictor.pipeline.matrix.cleaner.kinds
        session, one = opened(content), feed_of(cases.X.iloc[[0]], kinds)
        taken = yardstick.time(lambda s=session, o=one: s.run(["probabilities", "reasons"], o))
        yield family, found, taken, len(content), len(kinds)


def prepared(name: str) -> tuple[Any, Any]:
    """family -> a Predictor fitted on all rows of a set; and its cases."""
    from medml import data, families, home
    from medml.pipeline import Pipeline, prepare
    from medml.predict import Predictor
    from medml.profile import propose_choice, scan
    from medml.recipe import prepare as cleaned
    from medml.recipe import propose_recipe
    from medml.types import SelectionPlan
    from medml.watch import Silent

    asked, source = SETS[name], SHARED / "data" / name / f"{name}.csv"
    profile = scan(source)
    choice = propose_choice(profile, target=asked.target, positive=asked.positive, leave_out=asked.leave_out)
    table = profile.table(choice.table)
    recipe = propose_recipe(table, choice, home.sha256_of(profile))
    opened = data.open_table(source, choice.table)
    cases, _ = cleaned(opened.frame(), recipe, table, choice, short=opened.short)
    config = SimpleNamespace(choice=choice, selection=SelectionPlan(), family="")
    made = prepare(cases, np.arange(len(cases.y)), recipe, config, seed=0, watch=Silent())
    report = SimpleNamespace(task=cases.task, classes=cases.classes, threshold=None, stamps=[])

    def of(family: str) -> Predictor:
        kind = families.registry.get(family)
        fitted = kind.fit(made.data, {}, seed=0)
        run = SimpleNamespace(run="bench", report=report, recipe=recipe, chain=SimpleNamespace(current=0),
                              config=SimpleNamespace(choice=choice, family=family))
        return Predictor(Pipeline(made.matrix, kind, fitted), run, table, list(cases.X.columns[:1]))
    return of, cases


def pictures(_: list[str]) -> None:
    """One line a network: a picture of the network's size, uint8 in, probabilities out."""
    import torch

    from medml.export import pictures as written
    from medml.export.ask import opened
    from medml.export.graph import Graph
    from medml.vision.classifier import Classifier

    torch.set_num_threads(1)
    print(f"{'network':20} {'side':>5} {'exported':>10} {'bare, onnxruntime':>18} {'bare, torch':>12}  ratio  "
          "difference")
    for name, side in NETWORKS:
        torch.manual_seed(0)
        model = Classifier(name, 2).eval()
        graph = Graph()
        pixels = graph.input("pixels", np.uint8, ["n", "height", "width", "channels"])
        scaled = written.scaled(graph, written.fit(graph, pixels, side), np.full(3, 127.0), np.full(3, 60.0))
        graph.output("said", graph.embed(written.traced(model, side), scaled), np.float32, ["n", 2])
        picture = written.made_up(np.random.default_rng(0), 1, side, side, 1)
        fed = ((torch.from_numpy(picture).permute(0, 3, 1, 2).float() - 127) / 60).expand(-1, 3, -1, -1).contiguous()
        plain = fed.numpy()
        whole, bare = opened(graph.finish({})), opened(written.traced(model, side).SerializeToString())
        turns = 200 if side < 100 else 30
        ours, alone, by_torch = beside([lambda w=whole, p=picture: w.run(None, {"pixels": p})[0],
                                        lambda b=bare, f=plain: b.run(None, {"x": f})[0],
                                        lambda m=model, f=fed: asked(m, f)], turns)
        apart = float(np.abs(whole.run(None, {"pixels": picture})[0] - asked(model, fed).numpy()).max())
        print(f"{name:20} {side:5} {1e3 * ours:7.2f} ms {1e3 * alone:15.2f} ms {1e3 * by_torch:9.2f} ms "
              f"{ours / alone:6.2f}  {apart:.1e}", flush=True)


def asked(model: Any, fed: Any) -> Any:
    """The bare network's scores."""
    import torch

    with torch.inference_mode():
        return model(fed)


def beside(works: list[Any], turns: int) -> list[float]:
    """Median seconds of each, turn by turn beside each other, so that a busy machine is as busy for all."""
    taken: list[list[float]] = [[] for _ in works]
    for turn in range(turns + 10):
        for place, work in enumerate(works):
            started = time.perf_counter()
            work()
            if turn >= 10:
                taken[place].append(time.perf_counter() - started)
    return [statistics.median(each) for each in taken]


def main() -> None:
    parts = {"tables": tables, "pictures": pictures}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", help=" or ".join(parts))
    parser.add_argument("--sets", default=",".join(SETS))
    args = parser.parse_args()
    import os

    with tempfile.TemporaryDirectory() as folder:
        os.environ["MEDML_HOME"] = folder
        for part in args.part or parts:
            parts[part](args.sets.split(","))


if __name__ == "__main__":
    main()
