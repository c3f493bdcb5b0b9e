"""Pictures, backbones, weights and the two families that learn from pictures."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from medml import families, room
from medml.cases import FitData
from medml.errors import UserError
from medml.vision import backbones, heatmap, precision, weights
from medml.vision.augment import Changes, changed
from medml.vision.names import ALIKE
from medml.vision.pixels import Picture, Pictures, Store
from medml.vision.shim import torchvision
from tests.conftest import SHARED

GOOGLE = SHARED / "weights_mobilenetv2_imagenet" / "mobilenetv2_imagenet_torchvision.pt"
QUICK = {"epochs": 6, "patience": 6, "backbone": "small", "batch": 8, "turn": 0.0, "shift": 0.0}


def crosses_and_bars(n: int = 60, side: int = 16, seed: int = 0, task: str = "binary") -> FitData:
    """Bright bars lie in class 0 and stand in class 1; a number is the brightness of the bar."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 60, (n, side, side)).astype(np.uint8)
    y, light = random.integers(0, 2, n), random.integers(100, 250, n)
    for at in range(n):
        place = random.integers(2, side - 4)
        bar = (slice(place, place + 3), slice(None)) if y[at] == 0 else (slice(None), slice(place, place + 3))
        pixels[at][bar] = light[at]
    return FitData(X=Pictures(Store.of(pixels), np.arange(n)), y=light.astype(float) if task == "regression" else y,
                   patients=np.arange(n), task=task, n_classes=0 if task == "regression" else 2, names=[], origins=[])


@pytest.fixture
def google(medml_home):
    """Real ImageNet weights of mobilenet_v2, imported as a person would."""
    if not GOOGLE.exists():
        pytest.skip("../shared/weights_mobilenetv2_imagenet is not here")
    return weights.bring(GOOGLE, "mobilenet_v2", scaling="bytes minus 128")


# ---- pictures ------------------------------------------------------------------------------------------------------

def test_pixels_that_do_not_fit_the_memory_lie_in_a_file_without_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = Store(10, 8, 8, 1, free=100)
    store.pixels[:] = 77
    assert not store.in_memory and Store(10, 8, 8, 1, free=10_000).in_memory
    assert list(tmp_path.iterdir()) == [] and store.pixels.sum() == 77 * 640


@pytest.mark.parametrize("asked_for", [True, False])
def test_pixels_for_which_the_disk_has_no_room_are_refused_before_any_is_decoded(tmp_path, monkeypatch, asked_for):
    def full(*_):
        raise OSError(errno.ENOSPC, "no room")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    if not asked_for:
        monkeypatch.delattr(os, "posix_fallocate")
        monkeypatch.setattr(os, "write", full)
    with pytest.raises(UserError, match=r"take 2\.0 GB.*disk of temporary files") as refused:
        Store(2000, 1000, 1000, 1, free=100)
    assert not room.is_full(refused.value)  # nobody waits for a disk that is only too small


def test_room_is_taken_where_the_system_cannot_be_asked_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("medml.vision.pixels.CHUNK", 100)
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    store = Store(10, 8, 8, 1, free=100)
    assert store.pixels.shape == (10, 8, 8, 1) and not store.pixels.any()


def test_a_thumbnail_is_the_mean_of_its_fields():
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 24, 3)).astype(np.uint8)
    by_hand = pixels.mean(axis=3).reshape(3, 8, 4, 8, 3).mean(axis=(2, 4)).reshape(3, 64) / 255
    found = Pictures(Store.of(pixels), np.array([2, 0])).thumbnails(8)
    assert np.allclose(found, by_hand[[2, 0]], atol=1e-6)


def test_a_thumbnail_of_a_smaller_picture_repeats_its_pixels():
    found = Pictures(Store.of(np.full((1, 5, 5), 51, np.uint8)), np.array([0])).thumbnails(8)
    assert np.allclose(found, 0.2)


def test_pictures_of_two_stores_are_not_mixed():
    cells = [Picture(Store.of(np.zeros((1, 4, 4), np.uint8)), 0) for _ in range(2)]
    with pytest.raises(ValueError, match="several stores"):
        Pictures.of(cells)
    assert str(cells[0]) == "picture"


# ---- backbones and weights -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", list(backbones.BACKBONES))
def test_every_backbone_has_the_feature_maps_that_it_declares_also_with_its_norms_counted_in(name):
    torch.manual_seed(0)
    body, picture = backbones.get(name).make().eval(), torch.randn(2, 3, 64, 64)
    norms = [part for part in body.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    for norm in norms:
        torch.nn.init.uniform_(norm.running_mean, -0.2, 0.2)
        torch.nn.init.uniform_(norm.running_var, 0.5, 2.0)
    with torch.no_grad():
        before = body(picture)
        after = backbones.fold_norms(body)(picture)
    assert before.shape[:2] == (2, backbones.get(name).width)
    left = sum(isinstance(part, torch.nn.BatchNorm2d) for part in body.modules())
    assert left < len(norms) and torch.allclose(after, before, rtol=1e-3, atol=1e-4 * float(before.abs().max()))


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet18", "densenet121"])
def test_a_state_as_torchvision_saves_it_gives_its_own_features(name):
    torch.manual_seed(0)
    whole = getattr(torchvision().models, name)(weights=None).eval()
    body = backbones.get(name).make().eval()
    body.load_state_dict(backbones.body_state(name, whole.state_dict()))
    picture = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        pooled = body(picture).mean(dim=(2, 3))
        head = whole.fc if hasattr(whole, "fc") else whole.classifier
        assert torch.allclose(head(pooled), whole(picture), atol=1e-5)


def test_weights_of_another_network_are_refused_and_nothing_is_kept(tmp_path):
    from safetensors.torch import save_file
    save_file({"a": torch.zeros(3)}, tmp_path / "resnet18.safetensors")
    with pytest.raises(UserError, match="does not hold weights of resnet18"):
        weights.bring(tmp_path / "resnet18.safetensors", "resnet18")
    assert weights.available() == []


@pytest.mark.parametrize(("stem", "name"), [("mobilenetv2_imagenet_torchvision", "mobilenet_v2"),
                                            ("resnet18-f37072fd", "resnet18"), ("densenet121", "densenet121")])
def test_the_name_of_a_file_says_for_which_network_its_weights_are(stem, name):
    from medml.commands.weights import meant

    assert meant(stem) == name
    with pytest.raises(UserError, match="does not say for which network"):
        meant("best")


def test_a_file_that_would_run_something_is_refused(tmp_path):
    import pickle

    class Runs:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "it ran"),)
    (tmp_path / "resnet18.pt").write_bytes(pickle.dumps(Runs(), protocol=2))
    with pytest.raises(UserError, match="does not hold weights"):
        weights.bring(tmp_path / "resnet18.pt", "resnet18")
    assert not (tmp_path / "it ran").exists()


def test_imported_weights_keep_their_scaling_and_their_numbers(google):
    found = weights.find("mobilenet_v2")
    assert found == google and found.mean == pytest.approx([0.50196] * 3, abs=1e-5)
    theirs = torch.load(GOOGLE, weights_only=True)["features.18.1.running_mean"]
    assert torch.equal(weights.body(found)["18.1.running_mean"], theirs)


def test_the_hash_that_is_shown_is_that_of_the_file_a_person_has(google, capsys):
    from medml.__main__ import main

    known = hashlib.sha256(GOOGLE.read_bytes()).hexdigest()
    assert google.brought_sha256 == known != google.sha256
    assert main(["weights", str(GOOGLE), "--scaling", "bytes minus 128"]) == 0
    said = capsys.readouterr().out
    assert known in said and "mobilenet_v2.safetensors" in said
    shutil.copy(GOOGLE, google.path)  # another file in its place: what is told beside it is not of this one
    assert google.brought_sha256 == google.sha256


def test_a_file_put_there_by_hand_under_torchvisions_name_is_found(google):
    shutil.copy(GOOGLE, weights.folder() / "mobilenet_v2-b0353104.pth")
    for each in ("mobilenet_v2.safetensors", "mobilenet_v2.json"):
        (weights.folder() / each).unlink()
    assert weights.find("mobilenet_v2").mean == weights.IMAGENET[0]


def test_half_precision_is_chosen_where_a_trial_says_it_is_faster_and_the_trial_is_remembered(
        medml_home, tmp_path, monkeypatch):
    half, tried = [0.8], []

    def seconds(make, side, device):
        tried.append(side)
        return 1.0, half[0]
    monkeypatch.setattr(precision, "_seconds", seconds)
    monkeypatch.setenv("MEDML_STATE", str(tmp_path / "of this machine"))  # several machines share one home
    assert precision.mixed("small", None, 28, torch.device("cpu")) is True
    half[0] = 0.9  # within what a trial may be off
    assert precision.mixed("small", None, 64, torch.device("cpu")) is False
    assert precision.mixed("small", None, 28, torch.device("cpu")) is True  # as before: equal runs compute alike
    assert tried == [28, 64]
    monkeypatch.setenv("MEDML_STATE", str(tmp_path / "of another machine"))
    assert precision.mixed("small", None, 28, torch.device("cpu")) is False


def test_the_trial_steps_a_real_network_in_both_precisions_and_draws_no_random_number():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    make = lambda: families.registry.get("cnn").build({"backbone": "small", "dropout": 0.1, "outputs": 2,  # noqa: E731
                                                       "mixed": False})
    assert all(each > 0 for each in precision._seconds(make, 16, torch.device("cpu")))
    assert torch.equal(torch.rand(3), wanted)


def test_one_slow_moment_of_the_machine_decides_on_no_precision(monkeypatch):
    steps = {False: iter([9.0, 1.0, 5.0, *[1.0] * 60]), True: iter([9.0, 3.0, 1.0, *[4.0] * 60])}  # busy now and then
    monkeypatch.setattr(precision, "_step", lambda model, pictures, *, on: next(steps[on]))
    assert precision._seconds(torch.nn.Identity, 8, torch.device("cpu")) == (1.0, 1.0)


# ---- augmentation --------------------------------------------------------------------------------------------------

def test_changes_draw_from_the_seed_and_stay_within_grey():
    pictures = torch.rand(10, 1, 20, 20, generator=torch.Generator().manual_seed(1)) * 255
    torch.manual_seed(3)
    first = changed(pictures, Changes())
    torch.manual_seed(3)
    again = changed(pictures, Changes())
    assert torch.equal(first, again) and not torch.equal(first, pictures)
    assert first.min() >= 0 and first.max() <= 255 and first.shape == pictures.shape


def test_nothing_is_mirrored_unless_it_is_asked_for():
    pictures = torch.zeros(64, 1, 8, 8)
    pictures[..., 0] = 255.0
    torch.manual_seed(0)
    kept = changed(pictures, Changes(turn=0, shift=0, zoom=0.1, light=0.0, flip="none"))
    assert (kept[..., :2].sum(dim=(1, 2, 3)) > kept[..., -2:].sum(dim=(1, 2, 3))).all()
    mirrored = changed(pictures, Changes(turn=0, shift=0, zoom=0, light=0.0, flip="left-right"))
    assert (mirrored[..., -1] == 255).any() and (mirrored[..., 0] == 255).any()


# ---- families ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_network_learns_where_the_bar_lies_and_how_bright_it_is(task):
    data, fresh = crosses_and_bars(task=task), crosses_and_bars(seed=1, task=task)
    cnn = families.registry.get("cnn")
    fitted = cnn.fit(data, QUICK | {"epochs": 12, "patience": 12, "light": 0.0}, seed=0)
    p = cnn.predict(fitted, fresh.X)
    if task == "binary":
        assert p.shape == (60, 2) and np.mean((p[:, 1] > 0.5) == fresh.y) > 0.9
    else:
        assert np.corrcoef(p, fresh.y)[0, 1] > 0.7


def test_a_saved_network_says_the_same_and_goes_on_to_the_same_numbers(tmp_path):
    data, cnn = crosses_and_bars(40), families.registry.get("cnn")
    fitted = cnn.fit(data, QUICK | {"epochs": 2}, seed=3)
    cnn.save(fitted, tmp_path)
    loaded = cnn.load(tmp_path)
    assert np.array_equal(cnn.predict(fitted, data.X), cnn.predict(loaded, data.X))
    onward = [cnn.fit_to(each, data, 4, QUICK, seed=3, since=2) for each in (fitted, loaded)]
    assert cnn.rounds_done(onward[0]) == 4
    assert np.array_equal(*(cnn.predict(each, data.X) for each in onward))
    whole = cnn.fit_to(cnn.fit_to(None, data, 1, QUICK, seed=3), data, 2, QUICK, seed=3)
    assert np.array_equal(cnn.predict(whole, data.X), cnn.predict(fitted, data.X))


def test_one_seed_gives_one_network_and_a_stop_is_heard(tmp_path):
    data, cnn, seen = crosses_and_bars(40), families.registry.get("cnn"), []

    def stop(done, total, train, predict, unit="loss"):
        seen.append((done, total, train, predict(data.X).shape))
        return done < 2
    first = cnn.fit(data, QUICK, seed=5, rounds=stop)
    assert [each[0] for each in seen] == [1, 2] and seen[0][3] == (40, 2) and cnn.rounds_done(first) == 2
    again = cnn.fit(data, QUICK, seed=5, rounds=stop)
    assert np.array_equal(cnn.predict(first, data.X), cnn.predict(again, data.X))


def test_a_frozen_network_learns_its_head_and_needs_its_weights_again(google, tmp_path):
    data, frozen = crosses_and_bars(40, side=64), families.registry.get("cnn_features")
    fitted = frozen.fit(data, {}, seed=0)
    frozen.save(fitted, tmp_path)
    p = frozen.predict(frozen.load(tmp_path), data.X)
    assert np.array_equal(p, frozen.predict(fitted, data.X)) and np.mean((p[:, 1] > 0.5) == data.y) > 0.9
    (weights.folder() / "mobilenet_v2.safetensors").unlink()
    with pytest.raises(UserError, match="no pretrained weights of MobileNet V2"):
        frozen.predict(fitted, data.X)


def test_without_weights_the_screen_is_told_what_to_do():
    with pytest.raises(UserError, match="no pretrained weights") as told:
        families.registry.get("cnn_features").fit(crosses_and_bars(), {}, seed=0)
    assert "Import a file of weights" in told.value.fix


def test_families_of_pictures_are_listed_apart_without_loading_torch():
    assert set(families.seeing("pictures")) == {"cnn", "cnn_features"}
    assert not set(families.seeing("columns")) & {"cnn", "cnn_features"}
    code = ("import sys, json; from medml import families; "
            "[families.registry.get(each).cost(300, 128, 'binary', {}) for each in families.seeing('pictures')]; "
            "print(json.dumps([each for each in ('torch', 'torchvision', 'sklearn') if each in sys.modules]))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          cwd=Path(__file__).resolve().parents[1])
    assert json.loads(done.stdout) == []


# ---- where it looks --------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def looker():
    """A small network that has learned to tell lying bars from standing ones."""
    data, cnn = crosses_and_bars(80, side=24), families.registry.get("cnn")
    return data, cnn, cnn.fit(data, QUICK | {"epochs": 10, "patience": 10, "light": 0.0}, seed=0)


def test_a_map_follows_the_bar_and_changes_when_the_weights_are_shuffled(looker):
    data, cnn, fitted = looker
    ones = data.X[np.flatnonzero(data.y == 1)]
    found = heatmap.maps(cnn.network(fitted), cnn.stream(fitted, ones), 1)
    grown = heatmap.scaled(found, heatmap.hottest(found), 24, 24)
    assert grown.shape == (len(ones), 24, 24) and grown.min() >= 0 and grown.max() <= 1
    bright = ones.read()[..., 0] > 90
    assert grown[bright].mean() > 1.5 * grown[~bright].mean()
    alike = heatmap.sanity(cnn.network(fitted), cnn.stream(fitted, data.X), 1)
    assert alike is not None and alike < ALIKE


def test_a_map_that_comes_from_the_picture_alone_is_found_out(looker):
    """A network whose weights are all alike: shuffling changes nothing, and so its maps mean nothing."""
    data, cnn, fitted = looker
    model = cnn.network(fitted)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(parameter.abs().mean() + 0.01)
    assert heatmap.sanity(model, cnn.stream(fitted, data.X), 0) > 0.99


def test_maps_of_a_set_share_one_scale():
    found = np.array([[[1.0, 0.0]], [[10.0, 0.0]]], np.float32)
    grown = heatmap.scaled(found, 10.0, 1, 2)
    assert grown[0, 0, 0] == pytest.approx(0.1) and grown[1, 0, 0] == pytest.approx(1.0)


def test_each_answer_has_a_scale_of_its_own_and_none_is_not_divided_by():
    found = np.array([[[1.0, 0.0]], [[10.0, 0.0]], [[0.0, 0.0]]], np.float32)
    grown = heatmap.scaled(found, np.array([1.0, 10.0, 0.0]), 1, 2)
    assert grown[:, 0, 0].tolist() == [1.0, 1.0, 0.0]


def test_maps_of_a_rare_answer_are_scaled_by_several_pictures():
    p = np.random.default_rng(0).dirichlet([8, 4, 0.3], 200)
    answer = np.where(np.arange(200) < 2, 2, p[:, :2].argmax(axis=1))
    p[:2] = [0.05, 0.05, 0.9]
    common, _, rare = heatmap.sampled(p, answer)
    assert set(answer[common]) == {0} and len(common) == heatmap.SANITY // 3
    assert len(rare) == heatmap.FEWEST and {0, 1} <= set(rare.tolist())
    assert p[rare, 2].min() >= np.sort(p[:, 2])[-heatmap.FEWEST]  # the likeliest stand in
    assert [len(each) for each in heatmap.sampled(np.ones((40, 1)), np.zeros(40))] == [heatmap.SANITY]


def test_the_frozen_network_as_one_piece_gives_the_scores_of_its_parts(google):
    data, frozen = crosses_and_bars(40, side=64), families.registry.get("cnn_features")
    fitted = frozen.fit(data, {}, seed=0)
    with torch.no_grad():
        scores = frozen.network(fitted)(frozen.stream(fitted, data.X)[0:40]).double()
    assert np.allclose(torch.softmax(scores, 1).numpy(), frozen.predict(fitted, data.X), atol=1e-4)


def test_every_answer_of_a_frozen_network_has_a_heatmap(google):
    """Of two classes the head keeps all weights with the second, and what all pictures have is more than what tells
    them apart: by either alone the maps of one answer were empty."""
    data, frozen = crosses_and_bars(40, side=64), families.registry.get("cnn_features")
    fitted = frozen.fit(data, {}, seed=0)
    assert not fitted.head.weights[:, 0].any()
    answer = frozen.predict(fitted, data.X).argmax(axis=1)
    found = heatmap.maps(frozen.network(fitted), frozen.stream(fitted, data.X), answer)
    warm = found.reshape(len(found), -1).max(axis=1) > 0
    assert set(answer) == {0, 1} and warm.all()
