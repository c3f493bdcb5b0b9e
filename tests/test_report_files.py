"""PDF, Word and card of a run: read back by other libraries, drawn to pixels, free of patients' values."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace

import docx
import numpy as np
import pypdfium2
import pytest
from canaries import TEXTS, found_in, planted
from streamlit.testing.v1 import AppTest
from tables import clinic, planned, saved

from medml import gallery, report
from medml.__main__ import main
from medml.errors import UserError
from medml.report import checklist, claim, content, tripod, wording
from medml.report.card import plain
from medml.report.document import Document, Heading, Rows, Words
from medml.report.pdf import as_pdf
from medml.train import train
from medml.types import Check, External, Metric, PictureFacts, PicturePlan, Plan

NAME = "Ward <b>3</b> & [click](http://x) “α ≥ 2”"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of 120 made-up patients, under a name full of markup."""
    folder, patch = tmp_path_factory.mktemp("report"), pytest.MonkeyPatch()
    patch.setenv("MEDML_HOME", str(folder / "home"))
    source = saved(clinic(120), folder)
    made = train(source, *planned(source, family="logistic"))
    gallery.rename(made, name=NAME)
    yield gallery.open_run(made)
    patch.undo()


def pages(pdf: bytes) -> list[str]:
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf)]


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_reader_finds_headline_checks_and_checklist_in_the_pdf(run):
    text = words(" ".join(pages(report.as_pdf(run))))
    auroc = run.report.metrics["auroc"]
    assert f"AUROC was {auroc.value:.3f} (95 % CI {auroc.low:.3f} to {auroc.high:.3f})" in text
    assert "Internally validated only" in text and "TRIPOD+AI checklist" in text
    assert "Penalties tried: 12; Weakest penalty: 100" in text  # which nobody set
    assert all(each.id in text for each in run.report.checks)
    assert NAME in text  # markup in a name is shown, not obeyed


def test_settings_of_a_run_that_kept_none_are_those_that_somebody_set(run):
    older = replace(run, manifest=run.manifest.model_copy(update={"settings": {}}))
    assert wording.settings(older) == "the usual ones"
    config = run.config.model_copy(update={"params": {"weakest": 0.00001}})
    assert wording.settings(replace(older, config=config)) == "Weakest penalty: 0.00001"
    assert wording.settings(replace(run, config=config)) == "Penalties tried: 12; Weakest penalty: 0.00001"


def test_every_page_has_ink_inside_its_margins_and_none_outside(run):
    for page in pypdfium2.PdfDocument(report.as_pdf(run)):
        grey = np.asarray(page.render(scale=1.0).to_pil().convert("L"))
        inked = np.argwhere(grey < 200)
        assert len(inked) > 500
        top, left = inked.min(axis=0)
        bottom, right = inked.max(axis=0)
        assert left >= 50 and right <= grey.shape[1] - 50
        assert top >= 40 and bottom <= grey.shape[0] - 20


def test_the_same_run_gives_the_same_pdf_byte_for_byte(run):
    assert report.as_pdf(run) == report.as_pdf(run)


def test_a_long_word_is_broken_inside_its_column():
    table = Rows(("name", "value"), (("x" * 300, "y" * 300),), (0.3, 0.7))
    [page] = pypdfium2.PdfDocument(as_pdf(Document("t", "s", "2026-01-01T00:00:00+00:00", (table,))))
    inked = np.argwhere(np.asarray(page.render(scale=1.0).to_pil().convert("L")) < 200)
    assert inked[:, 1].max() <= page.get_width() - 50


def test_word_finds_headings_tables_and_a_described_picture(run):
    file = report.as_docx(run)
    opened = docx.Document(io.BytesIO(file))
    headings = [each.text for each in opened.paragraphs if each.style.name.startswith(("Heading", "Title"))]
    assert headings[0] == NAME and "Performance" in headings and "TRIPOD+AI checklist" in headings
    cells = {cell.text for table in opened.tables for row in table.rows for cell in row.cells}
    assert {f"{each.id} {each.title}" for each in run.report.checks} <= cells
    [picture] = opened.inline_shapes
    assert "Calibration" in picture._inline.docPr.get("descr")
    assert opened.core_properties.author == "MedML"
    assert opened.core_properties.created.isoformat()[:19] == run.manifest.made[:19]


def test_no_figure_leaves_without_its_interval(run):
    """E2: wherever a metric stands, its interval or "could not tell" stands with it."""
    [table] = [each for each in content.document_of(run).blocks if isinstance(each, Rows) and each.head[:2] == (
        "", "This model") and "AUROC" in [row[0] for row in each.rows]]
    for _, *figures in table.rows:
        told = r"-?\d\.\d{3} \((.+ to .+|no interval: .+)\)|could not tell"
        assert all(re.fullmatch(told, each) for each in figures), figures
    for line in report.as_card(run).splitlines():
        if re.search(r"\b0\.\d{3}\b", line):
            assert "95 % CI" in line or "said from a probability" in line or line.startswith("- **"), line


@pytest.mark.parametrize("check", ["E2", "E7"])
def test_without_intervals_or_a_baseline_no_report_is_written(run, check):
    """RIGOUR.md: these two block the report; any other warns in it."""
    stopped = [each.model_copy(update={"verdict": "block", "what": "No baseline.", "fix": "Train again."})
               if each.id == check else each for each in run.report.checks]
    changed = replace(run, report=run.report.model_copy(update={"checks": stopped}))
    for write in (report.as_pdf, report.as_docx, report.as_card):
        with pytest.raises(UserError, match="No report of this model can be written: No baseline."):
            write(changed)
    assert report.blocked(changed).id == check and report.blocked(run) is None


def test_the_screen_says_why_no_report_is_written_and_offers_none(run, monkeypatch):
    def drawn(run: str, stopped: bool) -> None:
        from dataclasses import replace

        from medml import gallery
        from pages import _ui_report

        opened = gallery.open_run(run)
        checks = [each.model_copy(update={"verdict": "block", "what": "It lacks one.", "fix": "Train again."})
                  if each.id == "E7" and stopped else each for each in opened.report.checks]
        _ui_report.buttons(replace(opened, report=opened.report.model_copy(update={"checks": checks})))
    monkeypatch.setenv("MEDML_HOME", str(run.folder.parents[1]))
    offered = {stopped: AppTest.from_function(drawn, args=(run.run, stopped), default_timeout=60).run()
               for stopped in (False, True)}
    assert not any(each.exception for each in offered.values())
    assert {stopped: len(each.get("download_button")) for stopped, each in offered.items()} == {False: 3, True: 0}
    assert "No report can be written: It lacks one." in "".join(each.body for each in offered[True].html)


def test_what_a_rare_outcome_hides_is_hidden_of_the_closed_part_too(run):
    """E1: accuracy flatters a rare outcome wherever it stands."""
    opened = replace(run, report=run.report.model_copy(update={
        "hidden": ["accuracy"], "held_out": dict(run.report.metrics), "looks": 1}))
    tables = [each for each in content.document_of(opened).blocks if isinstance(each, Rows) and each.head[1:2] == (
        "This model",)]
    assert len(tables) == 2 and all("AUROC" in (names := [row[0] for row in each.rows]) and "Accuracy" not in names
                                    for each in tables)


def test_a_part_that_was_opened_names_the_plan_written_down_before(run):
    plan = Plan(run=run.run, checkpoint=0, target="outcome", positive="1", predictors=["age", "sex"], family="logistic",
                metric="auroc", threshold=0.4, rule="Youden", config_sha256="c")
    report = run.report.model_copy(update={"held_out": dict(run.report.metrics), "looks": 2, "plan": plan,
                                           "plan_sha256": "ab" * 32, "plan_written": "2026-11-23T09:30:00+00:00"})
    blocks = content.document_of(replace(run, report=report)).blocks
    assert "Part that was kept closed, opened twice" in {each.text for each in blocks if isinstance(each, Heading)}
    said = next(each.text for each in blocks if isinstance(each, Words) and "written down" in each.text)
    assert said == (f"Opened by a plan that was written down before, on 2026-11-23 (SHA-256 {'ab' * 32}): “outcome” is "
                    "“1”, from 2 predictors, judged by AUROC, at a threshold of 0.4.")


def test_several_classes_have_a_line_each_beside_the_calibration(run):
    line = {"slope": Metric(value=0.9, low=0.7, high=1.1, n=90),
            "intercept": Metric(value=None, low=None, high=None, n=90)}
    opened = replace(run, report=run.report.model_copy(update={"calibration_of_classes": {"stage 3": line}}))
    table, = (each for each in content.document_of(opened).blocks
              if isinstance(each, Rows) and each.head[0] == "Each class against the rest")
    assert table.rows == (("stage 3", "0.900 (95 % CI 0.700 to 1.100)", "could not tell"),)


def test_classes_are_judged_against_the_rest_on_data_from_elsewhere_too(run):
    figure = Metric(value=0.71, low=0.64, high=0.78, n=90)
    timid = {"slope": Metric(value=1.9, low=1.4, high=2.4, n=90),
             "intercept": Metric(value=0.1, low=-0.2, high=0.4, n=90)}
    there = External(id="a", made="2026-01-01T00:00:00+00:00", checkpoint=0, source="north.csv", data_sha256="0" * 64,
                     n_cases=90, n_patients=90, metrics={"auroc": figure}, calibration_of_classes={"stage 3": timid})
    opened = replace(run, report=run.report.model_copy(update={"external": [there]}))
    assert any("“stage 3” against the rest: predictions are too timid" in each.text
               for each in content.document_of(opened).blocks if isinstance(each, Words))


def test_the_calibration_elsewhere_stands_beside_the_runs_own(run):
    figure, slope = Metric(value=0.71, low=0.64, high=0.78, n=90), Metric(value=0.62, low=0.41, high=0.83, n=90)
    there = External(id="a", made="2026-01-01T00:00:00+00:00", checkpoint=0, source="north.csv", data_sha256="0" * 64,
                     n_cases=90, n_patients=90, metrics={"auroc": figure}, calibration_line={"slope": slope},
                     n_copies=0)
    opened = replace(run, report=run.report.model_copy(update={"external": [there]}))
    table, = (each for each in content.document_of(opened).blocks
              if isinstance(each, Rows) and "Elsewhere" in each.head)
    own = wording.figure(run.report.calibration_line["slope"])
    assert table.rows[-1] == ("Calibration slope", own, "0.620 (95 % CI 0.410 to 0.830)")


def test_the_card_shows_markup_as_it_is(run):
    card = report.as_card(run)
    assert card.startswith("# Ward \\<b\\>3\\</b\\> & \\[click\\](`http://x)` “α ≥ 2”\n")
    assert "<b>" not in card and "](http" not in card
    assert plain("see www.x.org/a_b or a@b.de, *not* x@y") == "see `www.x.org/a_b` or `a@b.de,` \\*not\\* x@y"
    assert "://" not in re.sub("`[^`]*`", "", card)


def test_tripod_has_every_item_of_the_guideline_in_order():
    """27 items with the parts of the published table (BMJ 2024;385:e078378): 52 lines."""
    parts = {"3": "abc", "5": "ab", "6": "abc", "8": "abc", "9": "abc", "12": "abcdefg", "18": "abcdef", "20": "abc",
             "23": "ab", "27": "abc"}
    wanted = [f"{number}{part}" for number in map(str, range(1, 28)) for part in parts.get(number, " ")]
    assert [each.number for each in tripod.ITEMS] == [each.strip() for each in wanted]
    assert [each.number for each in claim.ITEMS] == [str(number) for number in range(1, 45)]


def test_an_item_is_done_asked_or_violated_as_the_run_stands(run):
    answers = {item.number: answer for item, answer in checklist.filled(tripod.ITEMS, run)}
    assert answers["17"].status == "needs_you" and answers["17"].text.endswith("?")
    assert all("?" in each.text or "Add" in each.text or each.text.endswith(")") for each in answers.values()
               if each.status == "needs_you")
    assert "cross-validation in" in answers["12a"].text
    assert answers["24"].status in ("done", "does_not_apply")
    assert sum(checklist.counted(checklist.filled(tripod.ITEMS, run)).values()) == len(tripod.ITEMS)


def judged(run: gallery.Run, number: str, verdict: str) -> gallery.Run:
    """The run as if one check had come out like that."""
    made_up = Check(id=number, title="t", verdict=verdict, what="430 patients where 1,205 are needed.", fix="Add more.")
    others = [each for each in run.report.checks if each.id != number]
    return gallery.Run(**{name: getattr(run, name) for name in ("run", "folder", "manifest", "profile", "recipe",
                                                                "config", "chain", "label", "history")},
                       report=run.report.model_copy(update={"checks": [*others, made_up]}))


def test_a_check_that_warns_makes_its_item_violated_with_the_figure(run):
    def size(changed: gallery.Run) -> checklist.Answer:
        return next(answer for item, answer in checklist.filled(tripod.ITEMS, changed) if item.number == "10")

    clean = judged(judged(judged(run, "N1", "pass"), "N2", "pass"), "N3", "pass")
    assert size(clean).status == "done"
    assert size(judged(clean, "N1", "warn")) == checklist.Answer(
        "violated", "430 patients where 1,205 are needed. Add more. (N1)")


def test_a_violated_item_still_has_the_figures_and_the_question_that_it_is_about(run):
    def item(number: str, changed: gallery.Run) -> checklist.Answer:
        return next(answer for one, answer in checklist.filled(tripod.ITEMS, changed) if one.number == number)

    performance = item("23a", judged(run, "E4", "warn"))
    assert performance.status == "violated" and "1,205 are needed. Add more. (E4)" in performance.text
    assert f"AUROC {wording.figure(run.report.metrics['auroc'])}" in performance.text
    sources = item("5a", judged(run, "L6", "warn"))
    assert sources.status == "violated" and "(L6)" in sources.text and sources.text.endswith("your patients?")
    assert item("13", judged(run, "L9", "warn")).text.count("430 patients") == 1  # said once


def test_a_violated_item_counts_the_columns_that_its_check_names_without_a_figure(run):
    bare = Check(id="M4", title="t", verdict="warn", what="“age” looks like a number that was cut into groups.",
                 fix="Put it back.", figures={"columns": 1, "by_name": 1})
    others = [each for each in run.report.checks if each.id != "M4"]
    changed = replace(run, report=run.report.model_copy(update={"checks": [*others, bare]}))
    entered = next(answer for one, answer in checklist.filled(tripod.ITEMS, changed) if one.number == "12b")
    assert entered.status == "violated" and entered.text.startswith(
        "“age” looks like a number that was cut into groups. Put it back. (M4: 1 column)")


@pytest.mark.parametrize(("check", "item"), [("L9", "13"), ("F1", "14"), ("L10", "12a"), ("N4", "10")])
def test_an_item_whose_own_check_warns_is_never_said_to_be_done(run, check, item):
    clean = judged(run, check, "pass")
    for each in ("N1", "N2", "N3"):
        clean = judged(clean, each, "pass")
    by_verdict = {verdict: next(answer.status for one, answer in checklist.filled(tripod.ITEMS, judged(
        clean, check, verdict)) if one.number == item) for verdict in ("pass", "warn", "could_not_tell")}
    assert by_verdict == {"pass": "done", "warn": "violated", "could_not_tell": "needs_you"}


def test_a_shortcut_that_could_not_be_looked_for_asks_the_person(run):
    robust = next(each for each in claim.ITEMS if each.number == "30")
    assert {verdict: robust.answer(judged(run, "L14", verdict)).status for verdict in ("pass", "warn", "could_not_tell")
            } == {"pass": "done", "warn": "violated", "could_not_tell": "needs_you"}


def test_copies_of_its_own_rows_are_no_external_validation(run):
    figure = Metric(value=0.7, low=0.6, high=0.8, n=90)
    found = External(id="", made="", checkpoint=0, source="b.csv", data_sha256="", n_cases=90, n_patients=90,
                     metrics={"auroc": figure})
    said = {}
    for copies in (90, 0):
        other = run.report.model_copy(update={"external": [found.model_copy(update={"n_copies": copies})]})
        filled = checklist.filled(tripod.ITEMS, replace(run, report=other))
        said[copies] = " ".join(answer.text for item, answer in filled if item.number in ("1", "4", "16", "20c"))
        line = "- “b.csv”, 90 cases of 90 patients: AUROC 0.700 (95 % CI 0.600 to 0.800)"
        assert (line in report.as_card(replace(run, report=other))) == (copies == 0)
    assert "external" not in said[90] and "elsewhere" not in said[90]
    assert "external validation" in said[0] and "Judged also on 1 set(s)" in said[0]


def test_a_model_is_made_from_more_than_the_part_that_judged_it(run):
    whole = replace(run, manifest=run.manifest.model_copy(update={"n_train": 600}))
    assert "It was made from 600 cases, of which a part judged it: 120 cases of" in wording.aim(whole)
    assert "made from 120 cases of 120 patients" in wording.aim(run)


def test_a_column_that_the_cleanup_leaves_out_is_no_predictor_and_is_named(run):
    """A date of birth and the like: the checks count without them, and so does the report."""
    recipe = run.recipe.model_copy(update={"steps": [each.model_copy(update={"params": {"columns": ["age"]}})
                                                     if each.name == "drop_columns" else each
                                                     for each in run.recipe.steps]})
    without = replace(run, recipe=recipe)
    assert "age" in [each.name for each in wording.predictors(run)]
    assert "age" not in [each.name for each in wording.predictors(without)]
    assert "“age”" in wording.left_out(without) and "“age”" not in wording.left_out(run)
    off = recipe.model_copy(update={"steps": [each.model_copy(update={"on": each.name != "drop_columns"})
                                              for each in recipe.steps]})
    assert "age" in [each.name for each in wording.predictors(replace(run, recipe=off))]


def test_a_unit_that_the_name_ends_in_is_said_once(run):
    columns = [each.model_copy(update={"name": "CRP (mg/l)", "unit": "mg/l"}) if each.name == "age" else each
               for each in wording.table_of(run).columns]
    table = wording.table_of(run).model_copy(update={"columns": columns})
    said = tripod._predictors(replace(run, profile=run.profile.model_copy(update={"tables": [table]})))
    assert "CRP (mg/l)" in said and "(mg/l) (mg/l)" not in said


def test_a_check_that_could_not_tell_asks_the_person(run):
    answers = {item.number: answer for item, answer in checklist.filled(tripod.ITEMS, judged(run, "L1",
                                                                                             "could_not_tell"))}
    assert answers["12a"].status == "needs_you" and answers["12a"].text.endswith("Add more. (L1)")


def test_claim_is_filled_for_pictures_alone(run):
    assert not [each for each in content.document_of(run).blocks if isinstance(each, Heading) and "CLAIM" in each.text]
    table = run.profile.tables[0].model_copy(update={"pictures": PictureFacts(
        n=120, by={"modality": {"CR": 120}}, identifiers={"PatientName": 120}, text_like=3)})
    choice = run.config.choice.model_copy(update={"pictures": PicturePlan(size=64)})
    of_pictures = gallery.Run(
        run=run.run, folder=run.folder, manifest=run.manifest, recipe=run.recipe, chain=run.chain, label=run.label,
        history=run.history, report=run.report, profile=run.profile.model_copy(update={"tables": [table]}),
        config=run.config.model_copy(update={"choice": choice}))
    answers = {item.number: answer for item, answer in checklist.filled(claim.ITEMS, of_pictures)}
    assert "modality: CR 120" in answers["13"].text and answers["9"].text.startswith("Brought to 64 x 64 pixels.")
    table.pictures.by["kind"] = {"dicom": 120}
    of_dicom = {item.number: answer for item, answer in checklist.filled(claim.ITEMS, of_pictures)}
    assert of_dicom["9"].text.startswith("Modality and VOI transformations of DICOM applied, MONOCHROME1 inverted; "
                                         "brought to 64 x 64 pixels.")
    assert "3 pictures" in answers["11"].text
    assert answers["33"].status == "violated"
    assert "CLAIM checklist for imaging" in words(" ".join(pages(report.as_pdf(of_pictures))))


def test_no_canary_of_the_table_is_in_what_leaves(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(tmp_path / "home"))
    table, numbers = planted(140)
    source = saved(table, tmp_path)
    made = gallery.open_run(train(source, *planned(source, family="logistic")))
    away = tmp_path / "away"
    away.mkdir()
    pdf = report.as_pdf(made)
    (away / "text.txt").write_text("\n".join(pages(pdf)))
    (away / "r.docx").write_bytes(report.as_docx(made))
    (away / "r.md").write_text(report.as_card(made))
    assert not found_in(away, numbers)
    assert zipfile.is_zipfile(away / "r.docx") and not any(each in (away / "text.txt").read_text() for each in TEXTS)


def test_every_task_has_a_report(run):
    """Several classes and a number have neither threshold nor decision curve, and say what they have."""
    number = run.report.model_copy(update={
        "task": "regression", "classes": [], "positive": None, "n_events": None, "threshold": None, "confusion": [],
        "roc": None, "precision_recall": None, "calibration": None, "net_benefit": None, "recalibration": None,
        "metrics": {"r2": Metric(value=0.41, low=0.3, high=0.5, n=120)}, "baselines": {}, "subgroups": []})
    changed = gallery.Run(run=run.run, folder=run.folder, manifest=run.manifest, profile=run.profile, recipe=run.recipe,
                          config=run.config, chain=run.chain, label=run.label, history=run.history, report=number)
    text = words(" ".join(pages(report.as_pdf(changed))))
    assert "The model (linear regression) estimates" in text
    assert "R² was 0.410 (95 % CI 0.300 to 0.500)" in text and "the value of “outcome”" in text


def test_a_table_refuses_rows_of_another_width():
    with pytest.raises(ValueError, match="2 columns"):
        Rows(("a", "b"), (("1",),))
    assert Words("x").sort == "plain"


def test_the_command_writes_what_is_asked_for_and_nothing_else(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(run.folder.parents[1]))
    assert main(["report", run.run]) == 2
    assert "--pdf FILE" in capsys.readouterr().err
    assert main(["report", run.run, "--pdf", str(tmp_path / "a.pdf"), "--card", str(tmp_path / "a.md")]) == 0
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.md", "a.pdf"]
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert main(["report", run.run, "--docx", str(tmp_path / "gone" / "a.docx")]) == 2
