"""No value of a patient in anything that MedML writes."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import io
import json
import lzma
import sqlite3
import tarfile
import zipfile
import zlib

import numpy as np
import pyarrow as pa
import pytest
from canaries import found_in, hits_in, planted, thresholds_of
from pyarrow import parquet
from tables import planned, saved

from medml import families, gallery, home, one_file, project
from medml.__main__ import main
from medml.pipeline import Pipeline
from medml.train import continue_run, train

SMALL = {"mlp": {"epochs": 8}, "forest": {"trees": 40}, "boosting": {"trees": 40}}
TASKS = {"binary": "outcome", "regression": "marker"}


def test_the_search_finds_what_is_planted(tmp_path):
    _, numbers = planted()
    np.savez_compressed(tmp_path / "a.npz", x=numbers[:3].astype(np.float32))
    (tmp_path / "b.txt").write_bytes(b"x" + "ZZNOTE".encode("utf-16-be"))
    (tmp_path / "c.bin").write_bytes(b"abc" + numbers[5].astype(">f8").tobytes())
    hidden = numbers[6].astype("<f8").tobytes() + b" ZZIDENT00001 " + bytes(20)
    (tmp_path / "d.json").write_text(json.dumps({"array": base64.b64encode(hidden).decode()}))
    for name, pack in (("e.gz", gzip.compress), ("f.bz2", bz2.compress), ("g.xz", lzma.compress), ("h", zlib.compress)):
        (tmp_path / name).write_bytes(pack(hidden))
    with zipfile.ZipFile(tmp_path / "i.zip", "w", zipfile.ZIP_DEFLATED) as outer:
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.json", "ZZRARE".encode("utf-32-le"))
        outer.writestr("inner.zip", inner.getvalue())
    with tarfile.open(tmp_path / "j.tar", "w") as archive:
        archive.add(tmp_path / "e.gz", "in.gz")
    (tmp_path / "k.pdf").write_bytes(a_pdf("Seen by ZZDOCTOR 5"))
    (tmp_path / "l.idx").write_bytes(b"seen|zznote7|talk")  # as an index for a search folds it
    (tmp_path / "m.json").write_text(json.dumps({"hex": hidden.hex()}))
    (tmp_path / "n.txt").write_text("a" + numbers[7].astype("<f8").tobytes().hex().upper() + "!")
    (tmp_path / "o.url").write_bytes(b"/x/a_" + base64.urlsafe_b64encode(b"\xfb\xff" + hidden).rstrip(b"="))
    (tmp_path / "p.zst").write_bytes(pa.compress(hidden, "zstd", asbytes=True))
    for number, codec in enumerate(("snappy", "zstd", "brotli")):
        parquet.write_table(pa.table({"x": numbers[number:number + 1], "words": ["ZZNOTE3 was here"]}),
                            tmp_path / f"q{number}.parquet", compression=codec, use_dictionary=False)
    (tmp_path / "hashes.json").write_text(json.dumps([hashlib.sha256(bytes([each])).hexdigest() for each in range(99)]))
    (tmp_path / "clean.bin").write_bytes(bytes(range(256)) * 40)
    found = found_in(tmp_path, numbers)
    assert {hit.split(":")[0].split("!")[0] for hit in found} == {
        "a.npz", "b.txt", "c.bin", "d.json", "e.gz", "f.bz2", "g.xz", "h", "i.zip", "j.tar", "k.pdf", "l.idx",
        "m.json", "n.txt", "o.url", "p.zst", "q0.parquet", "q1.parquet", "q2.parquet"}
    assert hits_in("memory", (tmp_path / "e.gz").read_bytes(), numbers)


def a_pdf(words: str) -> bytes:
    """One page, packed as our reports are."""
    from reportlab.pdfgen.canvas import Canvas

    content = io.BytesIO()
    page = Canvas(content, pageCompression=1)
    page.drawString(100, 100, words)
    page.save()
    return content.getvalue()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A function that trains a family on the planted table, once, in a home of its own: (home, run, table, numbers)."""
    made = {}

    def once(family: str):
        if family not in made:
            place = tmp_path_factory.mktemp(family)
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("MEDML_HOME", str(place / "home"))
                table, numbers = planted()
                source = saved(table, place)
                run = train(source, *planned(source, family=family, params=SMALL.get(family, {})), job="canary")
                if families.registry.get(family).round:
                    continue_run(run, 2, source=source)
                made[family] = place / "home", run, table, numbers
        return made[family]
    return once


@pytest.mark.parametrize("family", families.seeing("columns"))
def test_no_value_of_a_patient_in_a_run(trained, family):
    home_folder, _, _, numbers = trained(family)
    assert any(home_folder.rglob("state.json")) and found_in(home_folder, numbers) == []


def test_no_value_of_a_patient_when_a_number_is_predicted(tmp_path, medml_home):
    table, numbers = planted()
    source = saved(table.drop(columns="outcome"), tmp_path)
    train(source, *planned(source, target="marker", family="boosting"))
    assert found_in(medml_home, numbers) == []


def test_no_value_of_a_patient_from_the_command_line_and_the_project(tmp_path, medml_home, capfd):
    table, numbers = planted()
    source = saved(table, tmp_path / "clinic")
    out = tmp_path / "json"
    out.mkdir()
    assert main(["scan", str(source.parent), "--json", str(out / "scan.json")]) == 0
    assert main(["train", str(source.parent), "--target", "outcome", "--family", "logistic", "--folds", "3",
                 "--json", str(out / "train.json")]) == 0
    made = project.create(source)
    profile, recipe, config = planned(source)
    for value in (profile, config.choice, recipe, config):
        project.write(made.id, value)
    run = json.loads((out / "train.json").read_text())["run"]
    for command in (["export", run, "--onnx", f"{out}/model.onnx", "--capsule", f"{out}/capsule.zip"],
                    ["report", run, "--pdf", f"{out}/r.pdf", "--docx", f"{out}/r.docx", "--card", f"{out}/r.md"],
                    ["explain", run, "--json", f"{out}/explained.json"], ["jobs", "--json", f"{out}/jobs.json"],
                    ["ask", run, "Why is sensitivity low?", "--show-prompt", "--json", f"{out}/asked.json"],
                    ["backup", f"{out}/all.backup"]):
        assert main(command) == 0, command
    assert len(list(out.iterdir())) >= 12
    assert found_in(medml_home, numbers) == []
    assert found_in(out, numbers) == []
    printed = tmp_path / "printed"
    printed.mkdir()
    said = capfd.readouterr()
    (printed / "said.txt").write_text(said.out + said.err)
    assert found_in(printed, numbers) == []


def test_a_download_holds_no_private_part_and_no_path(tmp_path):
    table, numbers = planted()
    source = saved(table, tmp_path / "clinic")
    run = train(source, *planned(source))
    packed = tmp_path / "packed"
    packed.mkdir()
    content = one_file.pack(run)
    (packed / "run.zip").write_bytes(content)
    assert found_in(packed, numbers) == []
    assert b"private" not in content and str(tmp_path).encode() not in content


@pytest.mark.parametrize("family", ["forest", "boosting", "auto"])
def test_no_threshold_of_a_model_is_a_patients_own_value(trained, monkeypatch, family):
    home_folder, made, table, _ = trained(family)
    monkeypatch.setenv("MEDML_HOME", str(home_folder))
    run = gallery.open_run(made)
    pipe = Pipeline.load(run.checkpoint_folder / "final", family)
    thresholds = thresholds_of(pipe.fitted)
    unique = table[["age", "marker"]].to_numpy().ravel()
    values, counts = np.unique(unique, return_counts=True)
    assert len(thresholds) > 10
    assert not np.isin(thresholds.astype(np.float32), values[counts == 1].astype(np.float32)).any()


def test_databases_are_searched_with_their_journals(medml_home):
    """The search reads -wal files as they lie; a row that is only in the journal would be found."""
    database = sqlite3.connect(home.home() / "probe.db")
    database.execute("pragma journal_mode=wal")
    database.execute("create table t (x text)")
    database.execute("insert into t values ('ZZNOTE in the journal')")
    database.commit()
    assert any("ZZNOTE" in hit for hit in found_in(medml_home, np.array([1.2345678])))
    database.close()
