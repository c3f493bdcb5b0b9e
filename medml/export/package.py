"""A model file with what lies beside it: schema.json and programs that show how it is used; none that fails G2."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medml import exported, gallery, home
from medml.errors import UserError
from medml.export import parity, record, schema
from medml.export.write import onnx_of
from medml.pipeline import Matrix
from medml.predict import Predictor
from medml.watch import Silent, Watch

if TYPE_CHECKING:
    import pandas as pd

BESIDE = Path(__file__).parent / "beside"
OWN_ROWS = 2_000  # of the clinician's table, compared in memory
MODEL, SCHEMA = "model.onnx", "schema.json"


@dataclass(frozen=True, slots=True)
class Package:
    """A model that may be handed out: the file, its schema and the programs that show how it is used."""

    run: gallery.Run
    model: bytes
    schema: dict[str, Any]
    record: exported.ExportRecord

    def files(self, model_name: str = MODEL) -> dict[str, bytes]:
        """Name -> content of all that is handed out."""
        sort = "" if self.run.config.choice.pictures is None else "_pictures"
        described = json.dumps(self.schema | {"model": model_name}, indent=1, ensure_ascii=False, allow_nan=False)
        programs = {"run.py": f"run{sort}.py", "run.mjs": f"run{sort}.mjs"} | ({} if sort else {"cells.py": "cells.py"})
        return {model_name: self.model, SCHEMA: described.encode()} | {
            name: (BESIDE / file).read_bytes() for name, file in programs.items()}


def package(run: str, *, watch: Watch | None = None) -> Package:
    """Write a run's current model as ONNX, compare it with the model (G2) and describe it.

    The rows compared are made up, and those of the clinician's own table where it still lies where it was; in memory.
    raises  UserError where the run may not be used, its family or a step has no form in ONNX, the file differs, or
             whether answers are put right was changed meanwhile
    """
    watch = watch or Silent()
    watch.say("export", 0.05, "Writing the model file")
    predictor = Predictor.of(run)
    content = onnx_of(predictor)
    watch.say("export", 0.3, "Comparing it with the model")
    of_columns = isinstance(predictor.pipeline.matrix, Matrix)
    if of_columns:
        found = parity.of_columns(predictor, content, own_rows(predictor))
    else:
        from medml.export import pictures

        found = pictures.parity_of(predictor, content, watch)
    sha256 = hashlib.sha256(content).hexdigest()
    kept = record.keep(predictor, found, content, sha256 if found.holds else "")
    if not found.holds:
        raise UserError(what=exported.differs(found, exported.asked_about(predictor.run.config)), code="export_differs",
                        fix="Use the model inside MedML; no file was written. Please report this fault.")
    described = schema.schema_of(predictor, schema.columns_of(predictor) if of_columns else [],
                                 found.model_dump(mode="json"), sha256)
    if not of_columns:
        described |= {"pixels": pictures.pixels_of(predictor)}
    watch.say("export", 1.0, "The file says what the model says")
    return Package(predictor.run, content, described, kept)


def own_rows(predictor: Predictor) -> pd.DataFrame | None:
    """Rows of the table that the run was made from, as in Cases.X, in memory; None where it is not there any more or
    cannot be read as it was."""
    from medml import data
    from medml.recipe import prepare_predictors

    run = predictor.run
    try:
        frame = data.open_table(run.source, run.config.choice.table).frame()
        return prepare_predictors(frame.head(OWN_ROWS), run.recipe, predictor.table, run.config.choice)
    except UserError:  # it is gone, or changed since: made-up rows are compared all the same
        return None


def as_zip(files: dict[str, bytes]) -> bytes:
    """One zip with these files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in files.items():
            archive.writestr(name, each)
    return content.getvalue()


def write_beside(found: Package, place: Path) -> list[Path]:
    """Write the model to `place` and the other files into its folder; UserError where one of those names is taken by a
    file that no export wrote. Nothing is written then."""
    files = {place.parent / name: content for name, content in found.files(place.name).items()}
    taken = [path.name for path in files if path != place and path.exists() and not _ours(path)]
    if taken:
        raise UserError(what=f"In that folder lies another file called “{taken[0]}”.", code="taken",
                        fix="Choose an empty folder for the model: schema.json and programs go beside it.")
    for path, content in files.items():
        home.write_bytes(path, content, mode=0o644)
    return list(files)


def _ours(path: Path) -> bool:
    start = path.read_bytes()[:4000]
    return b"model.onnx" in start or b"model_sha256" in start
