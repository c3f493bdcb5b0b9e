"""What training on pictures costs beside the plain way: `python -m bench.pictures [cache] [loop] [features]`.

cache     an epoch read from the cache of decoded pictures, against decoding the PNGs with PIL in every epoch
loop      an epoch of our loop, against the bare steps of the same network on the same pixels
features  a frozen network with a head, folder to report, against fine-tuning the same backbone for 10 epochs, on
          busi_ultrasound with the shared weights; and malignant v. the rest (BreastMNIST is published at 0.90-0.92)
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import tempfile
import time
from pathlib import Path

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
WEIGHTS = SHARED / "weights_mobilenetv2_imagenet" / "mobilenetv2_imagenet_torchvision.pt"
TURNS = 5
TUNED_EPOCHS = 10


def cache() -> None:
    """Pictures a second: 1,000 grey PNGs of 256 x 256, at 224."""
    import numpy as np
    from PIL import Image

    from medml.vision.pixels import Pictures, Store

    random = np.random.default_rng(0)
    files = []
    for _ in range(1_000):
        smooth = Image.fromarray(random.integers(0, 255, (16, 16), np.uint8)).resize((256, 256))
        file = io.BytesIO()
        smooth.save(file, "PNG")
        files.append(file.getvalue())
    store = Store(len(files), 224, 224, 1)
    for at, each in enumerate(files):
        store.pixels[at] = np.asarray(Image.open(io.BytesIO(each)).resize((224, 224)))[..., None]
    pictures = Pictures(store, np.arange(len(files)))
    ours, theirs = [], []
    for turn in range(TURNS):
        order = np.random.default_rng(turn).permutation(len(files))
        started = time.perf_counter()
        for first in range(0, len(order), 32):
            pictures[order[first:first + 32]].read()
        ours.append(time.perf_counter() - started)
        started = time.perf_counter()
        for at in order:
            np.asarray(Image.open(io.BytesIO(files[at])).resize((224, 224)))
        theirs.append(time.perf_counter() - started)
    ratio = statistics.median(other / mine for mine, other in zip(ours, theirs, strict=True))
    print(f"cache: {len(files) / statistics.median(ours):,.0f} pictures a second, decoding every time "
          f"{len(files) / statistics.median(theirs):,.0f}: {ratio:.1f} x (goal 5 x)")


def loop() -> None:
    """One epoch of the family, validation left out of the count, against the same steps and nothing else."""
    import numpy as np
    import torch
    from torch.nn import functional

    from medml import loop as house
    from medml.families import registry
    from medml.families._network import plan_of
    from medml.vision.pixels import Pictures, Store

    random = np.random.default_rng(0)
    pictures = Pictures(Store.of(random.integers(0, 255, (256, 64, 64), np.uint8)), np.arange(256))
    labels = torch.from_numpy(random.integers(0, 2, 256))
    cnn = registry.get("cnn")
    chosen = cnn.settled({"backbone": "small", "batch": 32}, 256, 64, "binary")
    shape = {"backbone": "small", "height": 64, "width": 64, "dropout": 0.2, "outputs": 2, "mixed": False,
             "pretrained": None, "changes": {"turn": 0.0, "shift": 0.0, "zoom": 0.0, "light": 0.0, "flip": "none"}}
    from medml.families._guard import Labels
    from medml.families._network import Network, Scaling

    y = labels.numpy()
    network = Network(shape, Scaling.of(np.full(3, 120.0), np.full(3, 60.0), y, Labels(np.arange(2), 2), False),
                      Labels(np.arange(2), 2), 0, {}, {})
    on = torch.device("cpu")

    def ours() -> None:
        stream = cnn.inputs(network, pictures, on, learning=True)
        few = cnn.inputs(network, pictures[:2], on)
        session = house.start(cnn.build(shape), plan_of(chosen, 1, None))
        house.run(session, house.Slices(stream, labels, few, labels[:2]), plan_of(chosen, 1, None),
                  train_loss=functional.cross_entropy, val_loss=functional.cross_entropy, ask=lambda X: X)

    def bare() -> None:
        model = cnn.build(shape)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
        ready = (torch.from_numpy(pictures.read()).permute(0, 3, 1, 2).float() - 120) / 60
        ready = ready.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        for first in range(0, 256, 32):
            optimizer.zero_grad(set_to_none=True)
            functional.cross_entropy(model(ready[first:first + 32]), labels[first:first + 32]).backward()
            optimizer.step()
    taken: dict[str, list[float]] = {"ours": [], "bare": []}
    for turn in range(TURNS + 1):
        for name, work in (("ours", ours), ("bare", bare)):
            started = time.process_time()
            work()
            if turn:
                taken[name].append(time.process_time() - started)
    ratio = statistics.median(mine / other for mine, other in zip(taken["ours"], taken["bare"], strict=True))
    print(f"loop: {ratio:.3f} x the bare steps in CPU seconds (goal 1.10 x)")


def features() -> None:
    """Both from the folder to the report, cross-validated, by the same line."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MEDML_HOME"] = folder
        from medml.vision import weights

        weights.bring(WEIGHTS, "mobilenet_v2", scaling="bytes minus 128")
        frozen, tuned = whole("cnn_features", {}), whole("cnn", {"backbone": "mobilenet_v2", "epochs": TUNED_EPOCHS,
                                                                 "patience": TUNED_EPOCHS})
        print(f"features: {tuned[0] / frozen[0]:.1f} x faster than fine-tuning for {TUNED_EPOCHS} epochs (goal 10 x): "
              f"{frozen[0]:.0f} s, {tuned[0]:.0f} s")
        for name, (_, figure) in (("frozen", frozen), ("fine-tuned", tuned)):
            print(f"  {name}: AUROC {figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]")
        _, figure = whole("cnn_features", {}, positive="malignant")
        print(f"  malignant v. the rest, frozen: AUROC {figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]")


def whole(family: str, params: dict, positive: str | None = None) -> tuple:
    """Seconds from the folder to the report, and its AUROC."""
    from medml import gallery, home, profile, train
    from medml.config import propose_config
    from medml.recipe import propose_recipe

    started, source = time.monotonic(), SHARED / "data" / "busi_ultrasound"
    found = profile.scan(source)
    choice = profile.propose_choice(found, target="label", positive=positive)
    table, sha = found.table(choice.table), home.sha256_of(found)
    recipe = propose_recipe(table, choice, sha)
    config = propose_config(table, choice, recipe, profile_sha256=sha, data_sha256=table.sha256, family=family,
                            params=params, folds=3)  # both on the same folds
    run = train.train(source, found, recipe, config)
    return time.monotonic() - started, gallery.open_run(run).report.metrics["auroc"]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.pictures", description=__doc__.splitlines()[0])
    parts = {"cache": cache, "loop": loop, "features": features}
    parser.add_argument("part", nargs="*", choices=[*parts, []], default=list(parts))
    for each in parser.parse_args().part:
        parts[each]()


if __name__ == "__main__":
    main()
