"""Archives and model files that mean harm are refused before a byte of them is used, wherever they are handed in."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tables import clinic, saved, trained_once

from medml import backup, gallery, one_file, seals
from medml.__main__ import main
from medml.data import find_tables, open_table
from medml.errors import UserError
from medml.pipeline import Pipeline
from medml.vision import weights

TABLE = ("id,age\n" + "".join(f"{n},{n + 40}\n" for n in range(30))).encode()
BOMB = 80_000_000  # bytes; about 80 kB packed


def link(name: str) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name)
    made.external_attr = (stat.S_IFLNK | 0o777) << 16
    return made


def archive(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as made:
        for name, inside in entries:
            made.writestr(name, inside)
    return content.getvalue()


def two_ends(content: bytes) -> bytes:
    """The same archive with two last records: one that says how much there is, which zipfile goes by, and behind it the
    usual one, that says one file."""
    n, size, offset = struct.unpack("<HLL", content[-12:-2])
    true = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, n, n, size, offset)
    where = struct.pack("<4sLQL", b"PK\6\7", 0, len(content) - 22, 1)
    return content[:-22] + true + where + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 46, offset, 0)


HARMFUL = {
    "climbs": (lambda: archive(("ok.csv", TABLE), ("../../out.csv", TABLE)), "unsafe_path"),
    "climbs by backslash": (lambda: archive(("..\\..\\out.csv", TABLE)), "unsafe_path"),
    "absolute": (lambda: archive(("/tmp/out.csv", TABLE)), "unsafe_path"),
    "drive": (lambda: archive(("C:\\out.csv", TABLE)), "unsafe_path"),
    "link": (lambda: archive((link("out.csv"), b"/etc/passwd")), "unsafe_path"),
    "bomb": (lambda: archive(("big.csv", bytes(BOMB))), "expands_too_much"),
    "nested": (lambda: archive(("inner.zip", archive(("a.csv", TABLE)))), "nested_archive"),
    "nested gz": (lambda: archive(("inner.csv.gz", gzip.compress(TABLE))), "nested_archive"),
    "many": (lambda: archive(*((f"{n}.csv", b"") for n in range(10_000))), "too_many_entries"),
    "many behind few": (lambda: two_ends(archive(*((f"{n}.csv", b"") for n in range(10_000)))), "too_many_entries"),
}


@pytest.fixture(scope="module")
def harmful() -> dict[str, bytes]:
    """Each archive, made once; the bomb is as small as it is said to be."""
    made = {name: make() for name, (make, _) in HARMFUL.items()}
    assert 70_000 < len(made["bomb"]) < 90_000
    return made


def tree(folder: Path) -> set[str]:
    return {each.relative_to(folder).as_posix() for each in folder.rglob("*")}


# ---- in the clinician's folder ----------------------------------------------------------------------------------

@pytest.mark.parametrize("name", HARMFUL)
def test_a_harmful_archive_in_the_folder_is_refused_and_the_table_beside_it_is_read(tmp_path, harmful, name):
    place = tmp_path / "clinic"
    place.mkdir()
    (place / "x.zip").write_bytes(harmful[name])
    (place / "fine.csv").write_bytes(TABLE)
    before = tree(tmp_path)
    entries, tables = find_tables(place)
    found = next(each for each in entries if each.path == "x.zip")
    assert (found.action, found.reason_code) == ("refuse", HARMFUL[name][1]) and found.message.endswith("not opened.")
    assert [each.ref.path for each in tables] == ["fine.csv"] and tree(tmp_path) == before


def test_no_byte_of_an_entry_is_read_of_what_is_refused_by_its_list(tmp_path, harmful, monkeypatch):
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    for name in set(HARMFUL) - {"nested", "nested gz"}:  # these are told by their first bytes
        (tmp_path / "x.zip").write_bytes(harmful[name])
        assert find_tables(tmp_path)[0][0].reason_code == HARMFUL[name][1]


def test_tables_in_an_archive_are_read_into_memory_as_sheets_of_a_workbook_are(tmp_path):
    (tmp_path / "x.zip").write_bytes(archive(("a.csv", TABLE), ("deep/b.csv", TABLE * 1), ("notes.md", b"hello there"),
                                             ("__MACOSX/._a.csv", b"x"), ("p.png", b"\x89PNG\r\n\x1a\n" + bytes(50))))
    before = tree(tmp_path)
    entries, tables = find_tables(tmp_path)
    assert [(each.ref.sheet, each.rows) for each in tables] == [("a.csv", 30), ("deep/b.csv", 30)]
    assert {each.sheet: each.reason_code for each in entries if each.action == "skip"} == {
        "notes.md": "not_a_table", None: "damaged"}
    again = open_table(tmp_path, tables[1].ref)
    assert again.frame().equals(tables[1].frame()) and tree(tmp_path) == before


def test_an_archive_that_lies_about_its_size_gives_no_more_than_it_said(tmp_path):
    content = bytearray(archive(("big.csv", b"a,b\n" + b"0,0\n" * 2_000_000)))
    place = content.rfind(b"PK\x01\x02") + 24  # the uncompressed size in the list of entries (APPNOTE 4.3.12)
    content[place: place + 4] = struct.pack("<L", 1000)
    (tmp_path / "x.zip").write_bytes(content)
    entries, tables = find_tables(tmp_path)
    assert not tables and entries[0].reason_code == "damaged"


@pytest.mark.parametrize("ending", ["csv.gz", "json.gz", "tsv.gz"])
def test_a_gz_of_a_gz_or_of_an_endless_table_is_bounded(tmp_path, ending):
    (tmp_path / f"twice.{ending}").write_bytes(gzip.compress(gzip.compress(TABLE)))
    (tmp_path / f"bomb.{ending}").write_bytes(gzip.compress(bytes(BOMB)))
    entries, tables = find_tables(tmp_path)
    assert not tables
    assert {each.path.split(".")[0]: (each.action, each.reason_code) for each in entries} == {
        "bomb": ("refuse", "expands_too_much"), "twice": ("skip", "wrong_extension")}


# ---- handed to restore, to a capsule's result, to weights -------------------------------------------------------

@pytest.fixture
def empty(tmp_path, monkeypatch) -> Path:
    """A home that holds nothing, and knows of no place beside it."""
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "in" / "fresh"))
    return tmp_path / "in" / "fresh"


def as_backup(content: bytes) -> bytes:
    """The same archive with a manifest that vouches for every entry."""
    with zipfile.ZipFile(io.BytesIO(content)) as inside:
        entries = [(each, inside.read(each)) for each in inside.infolist()]
    told = {"format": backup.FORMAT, "files": {each.filename: hashlib.sha256(held).hexdigest()
                                               for each, held in entries}}
    return archive(*entries, (backup.MANIFEST, json.dumps(told).encode()))


@pytest.mark.parametrize("name", ["climbs", "climbs by backslash", "absolute", "drive", "bomb"])
@pytest.mark.parametrize("vouched", [False, True])
def test_a_harmful_archive_is_no_backup_and_nothing_is_written(tmp_path, harmful, empty, name, vouched):
    (tmp_path / "x.backup").write_bytes(as_backup(harmful[name]) if vouched else harmful[name])
    with pytest.raises(UserError, match="no backup of MedML"):
        backup.restore(tmp_path / "x.backup")
    assert list(empty.iterdir()) == [] and not (tmp_path / "out.csv").exists() and not Path("/tmp/out.csv").exists()


def test_a_link_in_a_backup_becomes_a_plain_file(tmp_path, empty):
    (tmp_path / "x.backup").write_bytes(as_backup(archive((link("runs/out"), b"/etc/passwd"))))
    backup.restore(tmp_path / "x.backup")
    assert not (empty / "runs" / "out").is_symlink() and (empty / "runs" / "out").read_bytes() == b"/etc/passwd"


def test_a_bomb_in_place_of_the_list_of_a_backup_is_refused_by_its_size(tmp_path, empty):
    (tmp_path / "x.backup").write_bytes(archive((backup.MANIFEST, b"[" * BOMB)))
    with pytest.raises(UserError, match="no backup of MedML"):
        backup.restore(tmp_path / "x.backup")


class Payload:
    """A pickle that makes a folder when it is loaded; written by hand, opcode by opcode (protocol 0)."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark
        self.content = b"cos\nmkdir\n(V" + str(mark).encode("raw_unicode_escape") + b"\ntR."

    def ran(self) -> bool:
        return self.mark.exists()


def test_the_payload_works_where_nobody_looks(tmp_path):
    """The bait is real: what loads it without care runs it."""
    import pickle

    bait = Payload(tmp_path / "ran")
    pickle.loads(bait.content)  # noqa: S301
    assert bait.ran()


def as_torch(content: bytes) -> bytes:
    """A file of torch's, a zip with a pickle inside."""
    return archive(("archive/data.pkl", content), ("archive/version", b"3\n"), ("archive/byteorder", b"little"))


def lying(told: dict, *, length: int | None = None) -> bytes:
    """A safetensors file whose header says so."""
    header = json.dumps(told).encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + bytes(8)


def weights_of(mark: Path, name: str) -> tuple[str, bytes]:
    """(ending, content) of a file that is no weights."""
    big = {"dtype": "F32", "shape": [1_000_000_000], "data_offsets": [0, 4_000_000_000]}
    return {"pickle": ("pt", Payload(mark).content), "pickle in a zip": ("pth", as_torch(Payload(mark).content)),
            "bomb": ("pt", archive(("archive/data.pkl", bytes(BOMB)))),
            "too long": ("safetensors", lying({"w": big})), "no end": ("safetensors", lying({}, length=2**62)),
            "backwards": ("safetensors", lying({"w": big | {"shape": [1], "data_offsets": [8, 4]}})),
            "pickle by name": ("safetensors", Payload(mark).content)}[name]


@pytest.mark.parametrize("name", ["pickle", "pickle in a zip", "bomb", "too long", "no end", "backwards",
                                  "pickle by name"])
def test_weights_that_lie_or_run_are_refused_and_nothing_is_run(tmp_path, medml_home, name):
    ending, content = weights_of(tmp_path / "ran", name)
    (tmp_path / f"resnet18.{ending}").write_bytes(content)
    with pytest.raises(UserError, match="does not hold weights of resnet18"):
        weights.bring(tmp_path / f"resnet18.{ending}", "resnet18")
    assert not (tmp_path / "ran").exists() and list(weights.folder().iterdir()) == []


# ---- in the gallery ---------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """(home, run) of a finished training."""
    place = tmp_path_factory.mktemp("kept")
    with trained_once(place) as run:
        yield place / "home", run


@pytest.fixture
def run_of(kept, tmp_path, monkeypatch) -> Path:
    """A copy of the run's folder, to be spoiled, in a home of its own."""
    shutil.copytree(kept[0], tmp_path / "home")
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "runs" / kept[1]


def sealed_again(folder: Path) -> None:
    """Make every hash fit what lies there now, as somebody would who means harm."""
    at = folder / "checkpoints" / "0"
    (at / seals.LIST).unlink()
    chain = json.loads((folder / "chain.json").read_text())
    chain["checkpoints"][0]["files_sha256"] = seals.seal(at)
    (folder / "chain.json").write_text(json.dumps(chain))


def loaded(run: str) -> None:
    """What a prediction loads."""
    opened = gallery.open_run(run)
    Pipeline.load(opened.sealed("final"), opened.config.family)


def test_the_run_can_be_loaded_before_it_is_spoiled(run_of):
    sealed_again(run_of)
    loaded(run_of.name)


@pytest.mark.parametrize("name", ["../../../../secret.txt", "/etc/passwd", "C:\\secret", "..\\secret", "a/../../x"])
def test_a_card_that_names_a_file_outside_of_its_folder_is_damaged(run_of, tmp_path, name):
    (tmp_path / "home" / "secret.txt").write_text("secret")
    state = next(run_of.rglob("final/**/state.json"))
    body = json.loads(state.read_text())
    body.pop("sha256")
    body["files"][name] = hashlib.sha256(b"secret").hexdigest()
    whole = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    state.write_text(json.dumps(body | {"sha256": whole}))
    sealed_again(run_of)
    with pytest.raises(UserError, match="damaged") as refused:
        loaded(run_of.name)
    assert refused.value.detail == "a name that leads out of the folder"


@pytest.mark.parametrize("name", ["../../../../secret.txt", "/etc/passwd", "C:\\secret"])
def test_a_list_of_hashes_that_names_a_file_outside_is_damaged(tmp_path, name):
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(UserError, match="damaged") as refused:
        seals.compare(tmp_path, {"x": hashlib.sha256(b"x").hexdigest(), name: "0" * 64})
    assert refused.value.detail == "a name that leads out of the folder"


@pytest.mark.parametrize("name", ["pickle", "lying"])
def test_a_models_file_that_was_changed_for_another_is_not_loaded(run_of, tmp_path, name):
    bait = Payload(tmp_path / "ran")
    arrays = next(run_of.rglob("final/**/arrays.safetensors"))
    arrays.write_bytes(bait.content if name == "pickle" else weights_of(bait.mark, "too long")[1])
    for sealed in (False, True):  # the hashes tell; and where they were made to fit, the family's own
        if sealed:
            sealed_again(run_of)
        with pytest.raises(UserError, match="damaged"):
            loaded(run_of.name)
    assert not bait.ran()


@pytest.mark.parametrize(("file", "change"), [
    ("chain.json", {"current": "../../../x"}), ("manifest.json", {"unknown": 1}), ("label.json", {"name": 3}),
    ("config.json", {"family": "../../os"})])
def test_a_card_that_says_something_else_is_told_and_the_gallery_goes_on(run_of, file, change):
    path = run_of / file
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    listed = gallery.runs()
    assert [each.run for each in listed] == [run_of.name] and listed[0].unusable


@pytest.mark.parametrize("name", ["../x", "/etc", "..", ".hidden", "", "a/b", "C:\\x"])
def test_a_run_is_named_by_its_id_and_never_by_a_path(medml_home, name):
    for act in (gallery.open_run, one_file.pack, gallery.delete, gallery.revert):
        with pytest.raises(UserError):
            act(name)


@pytest.mark.parametrize("content", [b"[" * 200_000, b"\x1f\x8b" + bytes(100), archive(("result.json", b"{}")),
                                     b'{"id": "../../x"}', Payload(Path("ran")).content])
def test_a_result_of_a_capsule_that_is_none_is_refused(run_of, tmp_path, content):
    (tmp_path / "result.json").write_bytes(content)
    assert main(["export", run_of.name, "--result", str(tmp_path / "result.json")]) == 2
    assert not (run_of / "external").exists() and not Path("ran").exists()


# ---- model files in the clinician's folder ----------------------------------------------------------------------

def onnx_outside(where: str) -> bytes:
    """A model whose numbers lie in another file."""
    import onnx
    from onnx import helper, numpy_helper

    held = numpy_helper.from_array(np.zeros(4, np.float32), "w")
    held.ClearField("raw_data")
    held.data_location = onnx.TensorProto.EXTERNAL
    held.external_data.add(key="location", value=where)
    return helper.make_model(helper.make_graph([], "g", [], [], initializer=[held])).SerializeToString()


def test_model_files_in_the_folder_are_told_apart_and_never_loaded(tmp_path):
    bait, place = Payload(tmp_path / "ran"), tmp_path / "clinic"
    saved(clinic(40), place)
    for name, content in {"a.pkl": bait.content, "b.pt": as_torch(bait.content), "c.joblib": bait.content,
                          "d.safetensors": weights_of(bait.mark, "too long")[1],
                          "e.onnx": onnx_outside("../../../etc/passwd"), "f.onnx": b"\xff\xfe",
                          "g.json": b'{"format": "medml-1", "weights": "../../secret"}'}.items():
        (place / name).write_bytes(content)
    entries, tables = find_tables(place)
    assert {each.path[0]: (each.action, each.reason_code) for each in entries if each.path != "clinic.csv"} == {
        "a": ("skip", "model_file"), "b": ("skip", "model_file"), "c": ("skip", "model_file"),
        "d": ("refuse", "damaged"), "e": ("refuse", "unsafe_path"), "f": ("refuse", "damaged"),
        "g": ("refuse", "unsafe_path")}
    assert [each.ref.path for each in tables] == ["clinic.csv"] and not bait.ran()


def test_a_model_is_made_from_a_table_in_an_archive(tmp_path, medml_home, capsys):
    place, own = tmp_path / "clinic", saved(clinic(120), tmp_path / "own")
    place.mkdir()
    (place / "study.zip").write_bytes(archive(("deep/clinic.csv", own.read_bytes()), ("readme.md", b"About it")))
    assert main(["train", str(place), "--target", "outcome", "--family", "logistic", "--folds", "3"]) == 0
    run = gallery.open_run(gallery.runs()[0].run)
    assert run.config.choice.table.sheet == "deep/clinic.csv" and run.report.n_cases == 120
    assert tree(place) == {"study.zip"}
