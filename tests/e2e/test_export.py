"""A model is taken out on the screen: written by the worker, downloaded, judged elsewhere, the result read back."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest
from playwright.sync_api import expect
from tables import clinic, planned, saved

from medml import gallery
from medml.train import train
from tests.e2e import steps

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_a_capsule_goes_out_and_its_result_comes_back(context, app, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDML_HOME", str(app.home))
    source = saved(clinic(200), tmp_path / "clinic")
    run = train(source, *planned(source))
    page = context.new_page()
    page.goto(f"{app.url}/evaluate?run={run}")
    steps.on_page(page, "Evaluate")
    page.get_by_role("button", name="Write the files").click()
    button = page.get_by_role("button", name="Capsule for another hospital")
    expect(button).to_be_visible(timeout=steps.LONG)
    steps.settled(page)
    said = page.locator("p.m-note").filter(has_text="the exported file and the model differed by less than 0.000001")
    expect(said).to_be_visible()
    for name, inside in (("Model file (ONNX)", "model.onnx"), ("Capsule for another hospital", "validate.py")):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=name).click()
        waiting.value.save_as(tmp_path / inside)
        assert inside in zipfile.ZipFile(tmp_path / inside).namelist()
    zipfile.ZipFile(tmp_path / "validate.py").extractall(tmp_path / "there")
    saved(clinic(120, seed=8), tmp_path / "there", "patients.csv")
    subprocess.run([sys.executable, "validate.py", "patients.csv", "--name", "Elsewhere"], check=True,
                   cwd=tmp_path / "there")
    page.get_by_text("A capsule came back").click()
    page.get_by_label("The file result.json that came back").fill(str(tmp_path / "there" / "result.json"))
    page.get_by_label("The file result.json that came back").press("Enter")
    steps.settled(page)
    page.get_by_role("button", name="Read it").click()
    expect(page.get_by_text("Elsewhere ·").first).to_be_visible()
    assert gallery.open_run(run).report.external[-1].source == "Elsewhere"


def test_a_model_goes_out_as_one_file_and_into_another_gallery(context, app, monkeypatch, tmp_path):
    monkeypatch.setenv("MEDML_HOME", str(app.home))
    run = train(source := saved(clinic(150, seed=3), tmp_path / "clinic"), *planned(source))
    page = context.new_page()
    page.goto(f"{app.url}/gallery")
    card = page.locator(f".st-key-m_card_run_{run}")
    card.get_by_role("button", name="More").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download as one file").click()
    waiting.value.save_as(tmp_path / "model.zip")
    gallery.delete(run)
    (tmp_path / "table.zip").write_bytes(b"PK no such thing")
    for name in ("table.zip", "model.zip"):
        page.goto(f"{app.url}/gallery")
        page.get_by_text("Bring in a model from another Gallery").click()
        page.get_by_label("File (.zip)").fill(str(tmp_path / name))
        page.get_by_label("File (.zip)").press("Enter")
        steps.settled(page)
        page.get_by_role("button", name="Bring it in").click()
        if name == "table.zip":
            expect(page.get_by_text("no model from a Gallery of MedML")).to_be_visible()
    steps.on_page(page, "Evaluate")
    expect(page.get_by_text("Brought in from a file").first).to_be_visible()
    assert gallery.is_there(run)
