"""No word on a screen without an entry in the glossary, and none that means nothing to a doctor."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from medml import families, words
from medml.evaluate.words import METRICS
from medml.words.jargon import FIELD, NEVER, explained
from pages import _ui_metrics as metrics
from pages import _ui_terms as terms
from tests.spoken import calls, spoken

ABBREVIATION = re.compile(r"(?<![\w/.<{-])(?:[A-Z]{2,}[A-Z0-9+]*|[A-Z][a-z]+[A-Z]\w+)(?![\w(=])")
EVERYDAY = {"MedML", "PDF", "PNG", "JPEG", "TIFF", "GIF", "BMP", "CSV", "HTML", "XML", "SVG", "WebP", "NIfTI", "RAR",
            "NumPy", "HDF5", "SPSS", "JSON", "OpenDocument", "UTF", "CT", "SOFA", "CPU", "NVIDIA", "ID", "IDs", "OK",
            "NaN", "MR", "MRI", "US", "ECG", "CURB", "BMJ", "PowerPoint", "AM", "PM", "UTC", "RR", "DIV", "URL", "USB",
            "SSD", "HH", "MM", "kB", "MB", "GB"}  # files, wards
DICOM = {"DICOMDIR", "PatientID", "PatientIDs", "SOPInstanceUID", "SOPInstanceUIDs", "StudyInstanceUID", "LUT", "VOI",
         "MONOCHROME1", "MONOCHROME2", "PS3", "PALETTE", "COLOR", "ImageNet"}  # tags, clauses
PLACES = {"FILE", "SOURCE", "COLUMN", "STEP", "NAME", "RUN", "FOLDER", "PIXELS", "TAG", "ROLE"}  # of the command line


def test_the_words_of_every_room_are_read():
    """The net itself: what pages, checks, steps, families and the command line say is in it."""
    assert len(spoken()) > 1500
    rooms = {each.place.rsplit("/", 1)[0] for each in spoken()}
    assert {"pages", "medml/evaluate/checks", "medml/steps", "medml/families", "medml/commands", "medml/report",
            "worker/jobs"} <= rooms
    assert any("Cross-validation" in each.text or "cross-validation" in each.text for each in spoken())


def test_no_screen_says_a_programmers_word():
    assert [str(each) for each in spoken() if NEVER.search(each.text)] == []


TYPED = ("medml/commands/", "medml/asked.py", "medml/doctor/", "medml/export/capsule.py", "worker/awake.py")  # shells


def test_no_screen_tells_a_person_to_add_an_option_of_the_command_line():
    """A whole command to type (`python -m medml ...`) is one for who looks after the machine."""
    option = re.compile(r"(?<=[\s(\"“])--[a-z]")
    said = [each for each in spoken() if not each.place.startswith(TYPED) and "python -m medml" not in each.text]
    assert len(said) > 1000 and [str(each) for each in said if option.search(each.text)] == []


PRESSED = {"button", "popover", "download_button", "checkbox", "toggle", "page_link", "link_button"}


def test_whatever_can_be_pressed_has_a_name_that_a_screen_reader_says():
    """Of an icon alone it says the icon's name in the font: "more_horiz"."""
    nameless = [f"{file.name}:{call.lineno}" for file in sorted(Path(metrics.__file__).parent.glob("*.py"))
                for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in PRESSED
                and call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value == ""]
    assert nameless == []


def test_every_word_of_the_field_on_a_screen_has_an_entry():
    assert [(found.group(), str(each)) for each in spoken() for found in FIELD.finditer(each.text)
            if not explained(each.text, found)] == []


def test_every_abbreviation_on_a_screen_has_an_entry_or_is_an_everyday_one():
    known = EVERYDAY | DICOM | PLACES
    assert [(found.group(), str(each)) for each in spoken() for found in ABBREVIATION.finditer(each.text)
            if found.group() not in known and not explained(each.text, found)] == []


def test_every_term_that_a_page_asks_for_has_an_entry():
    assert len(calls()) > 3
    assert [each for each in calls() if words.find(each[0]) is None] == []


@pytest.mark.parametrize("shown", [*(each.title for each in METRICS.values()), *metrics.BASELINES.values(),
                                   *(families.registry.get(each).title for each in families.registry.names())])
def test_what_is_stored_under_a_name_is_shown_under_one_with_an_entry(shown):
    """Figures, baselines and families reach a screen from a report, not from a sentence."""
    if shown.startswith("Guess"):
        return  # "Guess: the mean" is plain
    assert words.find(shown) or list(words.named_in(shown)), shown


@pytest.mark.parametrize(("text", "wrong"), [
    ("The tensor was null.", NEVER), ("Better after 80 epochs", NEVER), ("An invalid value", NEVER),
    ("by its kappa and skewness", FIELD), ("the GAN of the model", ABBREVIATION), ("with LightGBM", ABBREVIATION)])
def test_the_nets_catch_what_they_are_for(text, wrong):
    found = wrong.search(text)
    assert found and not explained(text, found)


def test_no_class_of_the_library_is_named_on_a_screen():
    from tests.spoken import ROOT

    plain = {"Check", "Choice", "Column", "Cost", "Device", "Figure", "Form", "Job", "Level", "Listing", "Metric",
             "Pictures", "Plan", "Point", "Profile", "Recipe", "Report", "Run", "Scale", "Scores", "Shot", "Split",
             "Step", "Table", "Term", "Word"}
    names = {node.name for room in ("medml", "worker") for path in (ROOT / room).rglob("*.py")
             for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ClassDef)}
    compound = {each for each in names if re.search(r"[a-z][A-Z]", each)} - plain
    assert len(compound) > 20
    net = re.compile(rf"\b(?:{'|'.join(sorted(compound))})\b")
    assert [str(each) for each in spoken() if net.search(each.text)] == []


def test_an_empty_cell_of_a_table_is_never_a_programmers_none():
    """Streamlit writes None into the empty cells of a table unless it is told what to write."""
    from tests.spoken import ROOT

    tables = [node for path in sorted((ROOT / "pages").glob("*.py")) for node in
              ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
              and ast.unparse(node.func) in ("st.dataframe", "st.data_editor")]
    assert tables and all("placeholder" in [each.arg for each in node.keywords] for node in tables)


# ---- how a term is drawn -----------------------------------------------------------------------------------------

def test_a_term_in_a_sentence_opens_its_entry_behind_it():
    drawn = terms.with_entries(f"<p>{terms.linked('Net benefit at every threshold, and net benefit again.')}</p>")
    opens = re.findall(r'popovertarget="([^"]+)"', drawn)
    cards = re.findall(r'<div popover id="([^"]+)"', drawn)
    assert sorted(opens) == sorted(cards) and len(set(cards)) == 2  # each term once
    assert words.entry("net benefit").meaning in drawn
    assert drawn.index("</p>") < drawn.index("<div popover")  # the sentence stays whole for who reads or copies it


def test_the_same_words_in_two_places_never_share_an_entry_and_keep_it_when_drawn_again():
    here, there = (terms.with_entries(f"<h2>{terms.term('fold', 'Folds')}</h2>{more}") for more in ("", "x"))
    ids = [re.search(r'id="([^"]+)"', each).group(1) for each in (here, there)]
    assert ids[0] != ids[1]
    assert terms.with_entries(f"<h2>{terms.term('fold', 'Folds')}</h2>") == here


def test_a_persons_text_with_a_term_in_it_stays_text():
    drawn = terms.linked("<img src=x> AUROC \u202e& more", 100)
    assert "<img" not in drawn and "&lt;img src=x&gt; " in drawn and "\u202e" not in drawn
    assert drawn.count("<button") == 1 and drawn.endswith("&amp; more")


def test_a_picture_is_a_mask_without_a_quote_that_would_end_it():
    drawn = terms.picture(words.entry("AUROC"))
    style = re.search(r'style="([^"]*)"', drawn).group(1)
    assert style.startswith("--picture:url('data:image/svg+xml,") and style.count("'") == 2 and "<" not in style


def test_help_of_a_widget_names_its_terms():
    assert terms.explained("fold").startswith("**fold**: One of the equal parts")
    with pytest.raises(KeyError):
        terms.explained("eigenvalue")
