"""Models of pictures as one file: resized as Pillow does, to the grey; the same answers, in node too."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_export import web_folder
from test_pictures import QUICK, SIDE, bars, planned
from test_vision import GOOGLE

from medml import asking, export, exported, families, gallery, outside, train
from medml.__main__ import main
from medml.data.images.fit import fit as by_pillow
from medml.errors import UserError
from medml.export import pictures
from medml.export.ask import opened
from medml.export.graph import Graph
from medml.predict import predict_file
from medml.vision import seen, weights
from medml.vision.pixels import Pictures, Store


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(run of a small network, folder with its files, home)."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("made")
    films, y = bars(48)
    for at, (each, label) in enumerate(zip(films, y, strict=True)):
        place = folder / "films" / ("standing" if label else "lying")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(each).save(place / f"{1000 + at:06d}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDML_HOME", str(folder / "home"))
        profile, recipe, config = planned(folder / "films")
        config = config.model_copy(update={"params": config.params | QUICK,
                                           "split": config.split.model_copy(update={"folds": 2, "repeats": 1})})
        run = train.train(folder / "films", profile, recipe, config)
        (folder / "out").mkdir()
        assert main(["export", run, "--onnx", str(folder / "out" / "model.onnx")]) == 0
        yield run, folder / "out", folder / "home"


@pytest.fixture
def new(tmp_path):
    """Pictures of several sizes as PGM, like those of training, one much brighter and one much smaller; and the same
    ones as PNG in a folder of their own."""
    from PIL import Image

    rng = np.random.default_rng(5)
    for at, (height, width) in enumerate([(SIDE, SIDE), (61, 59), (90, 91), (SIDE, SIDE), (3, 17)]):
        film = Image.fromarray(bars(2, seed=at)[0][at % 2]).resize((width, height), Image.Resampling.NEAREST)
        picture = Image.fromarray(pictures.made_up(rng, 1, height, width, 1)[0, ..., 0]) if at == 3 else film
        for suffix in ("pgm", "png"):
            (tmp_path / suffix).mkdir(exist_ok=True)
            picture.save(tmp_path / suffix / f"{at}.{suffix}")
    return tmp_path


@pytest.mark.parametrize(("height", "width", "channels"), [(24, 24, 1), (48, 48, 3), (31, 49, 1), (12, 15, 1),
                                                            (200, 33, 1), (201, 100, 3), (200, 100, 1), (251, 125, 1),
                                                            (5, 300, 1), (24, 23, 3), (20, 9, 1)])
def test_the_file_brings_a_picture_to_size_exactly_as_pillow(height, width, channels):
    graph = Graph()
    pixels = graph.input("pixels", np.uint8, ["n", "height", "width", "channels"])
    graph.output("fitted", pictures.fit(graph, pixels, 24), np.float32, ["n", "channels", 24, 24])
    made = pictures.made_up(np.random.default_rng(1), 6, height, width, channels)
    said = opened(graph.finish({})).run(None, {"pixels": made})[0]
    natural = np.stack([by_pillow(each.squeeze(), 24, channels).reshape(24, 24, channels) for each in made])
    assert np.array_equal(said, natural.transpose(0, 3, 1, 2))


def test_a_network_goes_out_and_was_asked_about_two_hundred_pictures(made, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(made[2]))
    kept = export.record_of(gallery.open_run(made[0]))
    assert kept.passed and kept.parity.n_rows >= 200 and kept.parity.difference < 1e-5
    assert {each.name for each in made[1].iterdir()} == {"model.onnx", "schema.json", "run.py", "run.mjs"}
    said = next(each.what for each in gallery.open_run(made[0]).report.checks if each.id == "G2")
    assert said.startswith("On 204 made-up pictures the exported file and the model differed by less than 0.")
    assert export.g2(gallery.open_run(made[0])).what == said
    wrong = exported.differs(kept.parity.model_copy(update={"reasons_differ": 3}), "pictures")
    assert wrong.endswith("in 3 of 204 pictures.")


@pytest.mark.parametrize("with_what", ["python", "node"])
def test_the_programs_beside_it_say_what_medml_says(made, new, tmp_path, monkeypatch, with_what):
    run, out, at_home = made
    monkeypatch.setenv("MEDML_HOME", str(at_home))
    program = {"python": lambda: [sys.executable, out / "run.py"],
               "node": lambda: ["node", web_folder(tmp_path, out) / "run.mjs"]}[with_what]()
    paths = sorted((new / "pgm").iterdir())
    ran = subprocess.run([*program, *paths], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    here = predict_file(run, new / "png").sort("picture")
    said = list(csv.DictReader(io.StringIO(ran.stdout)))
    assert [row["abstained"] or None for row in said] == here["abstained"].to_list()
    assert [row["note"] for row in said] == here["note"].to_list()
    assert here["abstained"].to_list() == [None] * 3 + [seen.WORDS["grey"], seen.WORDS["small"]]
    for name in ("probability of lying", "probability of standing"):
        told = np.array([float(row[name] or "nan") for row in said])
        assert np.array_equal(np.isnan(told), here["abstained"].is_not_null())
        assert np.nanmax(np.abs(told - here[name].fill_null(np.nan).to_numpy())) < 1e-5
    (tmp_path / "film.jpg").write_bytes(b"\xff\xd8\xff\xe0 a JPEG")
    refused = subprocess.run([*program, tmp_path / "film.jpg"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2 and refused.stderr.startswith("film.jpg is no .pgm or .ppm of 8 bits")
    for arguments, words in (([], "Name pictures: "), ([tmp_path / "gone.pgm"], "gone.pgm cannot be read")):
        refused = subprocess.run([*program, *arguments], capture_output=True, text=True, check=False)
        assert (refused.returncode, refused.stdout) == (2, "") and refused.stderr.startswith(words)
        assert refused.stderr.count("\n") == 1


def test_a_file_that_is_silent_for_other_reasons_is_not_handed_out(made, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(made[2]))
    monkeypatch.setattr(pictures, "_facts", lambda graph, x, total: {"grey": graph.add("Mul", total, total)})
    with pytest.raises(UserError) as refused:
        export.package(made[0])
    assert refused.value.code == "export_differs" and "stay silent for other reasons" in refused.value.what


def test_what_is_kept_of_training_pictures_are_ranges_and_a_colour_among_greys_is_odd():
    rng = np.random.default_rng(2)
    grey = np.repeat(rng.integers(85, 95, (60, 1, 1, 1)) + rng.integers(0, 60, (60, 12, 12, 1)), 3, axis=3)
    known = seen.Seen.of(Pictures(Store.of(grey.astype(np.uint8)), np.arange(60)), np.arange(60))
    odd = np.repeat(grey[:4], 1, axis=0).astype(np.uint8)
    odd[1], odd[2] = grey[1] + 100, 110
    odd[3, ..., 0] = 2 * grey[3].mean().round() - grey[3, ..., 0]  # as bright and as harsh, and red where it was dark
    assert known.codes(odd).tolist() == [0, *(seen.CODES[each] for each in ("grey", "contrast", "colour"))]
    assert not known.codes(grey.astype(np.uint8)).any() and seen.facts(odd)[2].tolist() == [110.0, 0.0, 0.0]
    few = seen.Seen.of(Pictures(Store.of(grey.astype(np.uint8)), np.arange(60)), np.arange(60) // 6)
    assert few == seen.Seen()  # of ten patients no range is told


def test_a_frozen_network_with_real_weights_goes_out(medml_home):
    if not GOOGLE.exists():
        pytest.skip("../shared/weights_mobilenetv2_imagenet is not here")
    from test_vision import crosses_and_bars

    weights.bring(GOOGLE, "mobilenet_v2", scaling="bytes minus 128")
    family, data = families.registry.get("cnn_features"), crosses_and_bars(40, side=32)
    model, graph = family.fit(data, {"backbone": "mobilenet_v2"}, seed=0), Graph()
    pixels = graph.input("pixels", np.uint8, ["n", "height", "width", "channels"])
    graph.output("said", pictures.network(graph, family, model, pictures.fit(graph, pixels, 32)), np.float64, ["n", 2])
    said = opened(graph.finish({})).run(None, {"pixels": data.X.read()})[0]
    assert np.abs(said - family.predict(model, data.X)).max() < 1e-5


def test_a_network_that_learned_in_half_precision_answers_in_whole():
    from test_vision import crosses_and_bars

    family, data = families.registry.get("cnn"), crosses_and_bars(24)
    model = family.fit(data, {"backbone": "small", "start": "scratch", "epochs": 1, "batch": 8}, seed=0)
    model.shape["mixed"] = True
    graph = Graph()
    pixels = graph.input("pixels", np.uint8, ["n", "height", "width", "channels"])
    graph.output("said", pictures.network(graph, family, model, pictures.fit(graph, pixels, 16)), np.float64, ["n", 2])
    said = opened(graph.finish({})).run(None, {"pixels": data.X.read()})[0]
    assert np.abs(said - family.predict(model, data.X)).max() < 1e-6


def test_a_capsule_of_pictures_is_judged_elsewhere_and_its_result_comes_back(made, tmp_path, monkeypatch):
    import zipfile

    from PIL import Image

    run, _, at_home = made
    monkeypatch.setenv("MEDML_HOME", str(at_home))
    (tmp_path / "capsule.zip").write_bytes(export.capsule(export.package(run)))
    zipfile.ZipFile(tmp_path / "capsule.zip").extractall(tmp_path)
    assert 'patients.csv has a column "picture" with the names of' in (tmp_path / "README.txt").read_text()
    films, y = bars(40, seed=8)
    target = gallery.open_run(run).config.choice.target
    lines = [f"picture,{target}"]
    for at, (film, label) in enumerate(zip(films, y, strict=True)):
        Image.fromarray(film).save(tmp_path / f"{at}.pgm")
        lines.append(f"{at}.pgm,{'standing' if label else 'lying'}")
    (tmp_path / "films.csv").write_text("\n".join(lines))
    subprocess.run([sys.executable, "validate.py", "films.csv"], cwd=tmp_path, check=True, capture_output=True)
    found = export.take_back(run, tmp_path / "result.json")
    assert found.n_cases == 40 and found.n_events == 20 and 0 <= found.metrics["auroc"].low <= 1
    assert "internally validated only" not in gallery.open_run(run).report.stamps


def test_pictures_that_lie_in_no_sub_folders_elsewhere_are_to_be_sorted(made, tmp_path, monkeypatch):
    from PIL import Image

    run, _, at_home = made
    monkeypatch.setenv("MEDML_HOME", str(at_home))
    for at, film in enumerate(bars(4, seed=8)[0]):
        Image.fromarray(film).save(tmp_path / f"{at}.png")
    with pytest.raises(UserError, match="has no column “folder”") as told:
        outside.validate(run, tmp_path, draws=20)
    assert told.value.fix.startswith("What a picture shows is told by its sub-folder here: sort them so there too")


def test_new_pictures_are_answered_in_a_file_and_come_back_beside_where_the_model_looked(made, new, monkeypatch):
    from pages._ui_predict_many import answers_in

    monkeypatch.setenv("MEDML_HOME", str(made[2]))
    (new / "png" / "0.png").rename(new / "png" / "=0.png")
    out = asking.place_for(new / "png")
    found = asking.patients(made[0], new / "png", out, sheet=None, level=0.9, explain=False)
    said = answers_in(out)
    assert found == {"n": 5, "silent": 2, "unread": 0} and out == new / "png answers.csv"
    assert set(said) == {"=0.png", "1.png", "2.png"}
    drawn = asking.look_at_new(made[0], new / "png", said)
    size = gallery.open_run(made[0]).config.choice.pictures.size
    assert sorted(drawn["name"].tolist()) == sorted(said) and drawn["pairs"].shape == (3, size, 2 * size, 3)
    left, right = drawn["pairs"][..., :size, :].astype(int), drawn["pairs"][..., size:, :].astype(int)
    assert (left[..., 0] == left[..., 1]).all()  # a film is grey, and what spoke for its answer is laid over it in red
    assert (right[..., 0] > right[..., 2]).any()


def test_the_program_beside_names_a_file_of_a_sort_that_it_cannot_read(tmp_path):
    """A JPEG went through as an AttributeError."""
    program = Path(export.__file__).parent / "beside" / "run_pictures.py"
    (tmp_path / "run.py").write_bytes(program.read_bytes())
    (tmp_path / "schema.json").write_text('{"model": "model.onnx", "classes": ["a", "b"], "reasons": {}, "note": ""}')
    (tmp_path / "film.jpg").write_bytes(b"\xff\xd8\xff\xe0 a JPEG")
    code = f"import run, pathlib; run.pixels(pathlib.Path({str(tmp_path / 'film.jpg')!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("film.jpg is no .pgm or .ppm of 8 bits and no .npy.")
