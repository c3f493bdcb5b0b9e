"""schema.json says how raw text becomes inputs: in Python and in JavaScript the same as MedML reads single cells."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess

import numpy as np
import polars as pl
import pytest

from medml.data.values import read_numbers
from medml.export.package import BESIDE
from medml.export.schema import NUMBER, text_rules, typed_column
from medml.recipe.reading import category_names, numbers, yes_no
from medml.types import Column, Level, Recipe, Step

RECIPE = Recipe(profile_sha256="0" * 64, steps=[
    Step(name="sentinels", reason="", params={"columns": {"x": ["-999", "88"]}}),
    Step(name="text_numbers", reason="", params={"decimal_comma": ["comma"]})])
NUMBERS = ["12", " 12.5 ", "-3", "+4.0", ".5", "5.", "1e3", "6.1E-2", "<5", "<= 0.3", ">1000", "≥7", "&lt;2", "−8",
           "1,234", "12,345.6", "1,23,456", "3,7", "0,25", "1.234,5", "1.234.567,8", "1 234", "1\u00a0234,5", "1'234.5",
           "10 mg", "10mg", "10 g", "abc", "", "?", "n/a", "nan", "inf", "1e999x", "12 34", "1-2", "5 %", "V57", "0x10",
           "1_000", "١٢"]
COMMAS = ["3,7", "1.234,5", "1234,5", "12", "1.5", "1.234.567", "0,001", "<3,5", "10,5 mg"]
DATES = ["2024-03-05", "2024/3/5", "05.03.2024", "25/12/2023", "5-3-2024", "5 Mar 2024", "March 5, 2024", "5-Mar-2024",
         "2024-03-05 10:20", "2024-03-05T10:20:30", "2024-02-31", "", "soon", "1969-12-31"]
NAMES = ["male", " Male ", "1.0", "1", "01", "2.50", "-3.0", "1.0.0", "", "?", "N/A", "unknown", "café", "constructor"]
YES = ["Yes", "y", "TRUE", "1", "1.0", "no", "N", "0", "absent", "maybe", "", "NA", "ja"]


def column(kind: str, name: str = "x", unit: str | None = None) -> Column:
    return Column(name=name, kind=kind, unit=unit, missing=0, distinct=5, levels=[Level(label="a", n=20)])


def by_python(entry: dict, texts: list[str], tmp_path) -> list:
    (tmp_path / "schema.json").write_text(json.dumps({"number": NUMBER}))
    shutil.copy(BESIDE / "cells.py", tmp_path / "cells.py")
    spec = importlib.util.spec_from_file_location("cells_beside_a_model", tmp_path / "cells.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [module.value(entry, text) for text in texts]


def by_node(entry: dict, texts: list[str], tmp_path) -> list:
    """The same function of run.mjs, without the model around it."""
    if shutil.which("node") is None:
        pytest.skip("node is not here")
    body = (BESIDE / "run.mjs").read_text()
    body = body[body.index("export function value"):body.index("export async")].replace("export function", "function")
    asked = f"const schema = {json.dumps({'number': NUMBER})}; {body}\nconst said = {json.dumps(texts)}.map(" \
            f"(text) => value({json.dumps(entry)}, text));\nconsole.log(JSON.stringify(said));"
    (tmp_path / "ask.mjs").write_text(asked)
    said = json.loads(subprocess.run(["node", tmp_path / "ask.mjs"], capture_output=True, text=True, check=True).stdout)
    return [np.nan if each is None else each for each in said]


def here(kind: str, texts: list[str], **more) -> list:
    """One cell after the other, as MedML reads it: nothing else in the column helps."""
    if kind == "number":
        read = [read_numbers(pl.Series([text]), **more) for text in texts]
        odd = [each.unit not in (None, "mg") for each in read]
        return [np.nan if not_ours or each.values[0] is None else each.values[0]
                for each, not_ours in zip(read, odd, strict=True)]
    if kind == "date":
        return [float(numbers(pl.Series([text]), "date")[0]) for text in texts]
    from medml.data.missing import present
    read = yes_no if kind == "yes_no" else category_names
    return [read(present(pl.Series([text])))[0] or "" for text in texts]


@pytest.mark.parametrize("ask", [by_python, by_node])
@pytest.mark.parametrize(("kind", "name", "texts", "more"), [
    ("number", "y", NUMBERS, {}), ("number", "comma", COMMAS, {"decimal_comma": True}), ("date", "y", DATES, {}),
    ("category", "y", NAMES, {}), ("yes_no", "y", YES, {})])
def test_cells_are_read_as_medml_reads_them(ask, kind, name, texts, more, tmp_path):
    said = ask(typed_column(column(kind, name, "mg" if kind == "number" else None), RECIPE), texts, tmp_path)
    wanted = here(kind, texts, **more)
    for text, mine, own in zip(texts, said, wanted, strict=True):
        assert mine == own or (mine != mine and own != own), (text, mine, own)


@pytest.mark.parametrize("ask", [by_python, by_node])
def test_codes_for_missing_are_missing_as_number_and_as_text(ask, tmp_path):
    said = ask(typed_column(column("number"), RECIPE), ["-999", "-999.0", "88", "87"], tmp_path)
    assert np.isnan(said[:3]).all() and said[3] == 87
    assert ask(text_rules(column("category"), RECIPE, yes_no=False), ["-999", "88", "87"], tmp_path) == ["", "", "87"]


def test_a_step_that_is_off_is_not_done_outside_either(tmp_path):
    off = Recipe(profile_sha256="0" * 64, steps=[each.model_copy(update={"on": False}) for each in RECIPE.steps])
    said = by_python(typed_column(column("number"), off), ["<5", "5", "-999"], tmp_path)
    assert np.isnan(said[0]) and said[1:] == [5, -999]
    assert by_python(typed_column(column("category"), off), ["?", "-999", ""], tmp_path) == ["?", "-999", ""]
