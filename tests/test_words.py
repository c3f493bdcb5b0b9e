"""The glossary: two sentences an entry, no word in two places, pictures that follow the theme."""

from __future__ import annotations

import re
from collections import Counter
from xml.etree import ElementTree

import pytest

from medml import words
from medml.evaluate.words import METRICS
from medml.words import jargon


def test_an_entry_is_two_whole_sentences_of_a_length_that_is_read():
    sentences = [each for term in words.TERMS.values() for each in (term.meaning, term.example)]
    assert len(set(sentences)) == 2 * len(words.TERMS) > 200
    for each in sentences:
        assert each[-1] in ".”?" and not re.search(r"[.?!] [A-Z]", each), each
        assert 15 < len(each) < 240, each


def test_no_word_leads_to_two_entries():
    told = Counter(word.lower() for term in words.TERMS.values() for word in {term.name, *term.also})
    assert [word for word, times in told.items() if times > 1] == []
    assert len(words.TERMS) == sum(len(entries) for entries in words.TOPICS.values())


def test_a_picture_is_whole_and_takes_its_colour_from_the_text_around_it():
    pictures = {name: ElementTree.fromstring(term.picture) for name, term in words.TERMS.items() if term.picture}
    assert len(pictures) > 50
    for name, drawn in pictures.items():
        colours = {each.get(how) for each in drawn.iter() for how in ("fill", "stroke") if each.get(how)}
        assert drawn.get("viewBox") == "0 0 160 72" and len(list(drawn)) > 1, name
        assert colours <= {"none", "currentColor"}, name
        places = [float(each) for shape in drawn for how in ("cx", "cy", "x", "y", "d") for each in
                  re.findall(r"-?\d+\.?\d*", shape.get(how, ""))]
        assert places and all(0 <= each <= 160 for each in places), name


def test_every_figure_that_can_be_measured_has_an_entry_with_the_words_of_its_table():
    for metric in METRICS.values():
        assert words.entry(metric.title).meaning == metric.meaning


@pytest.mark.parametrize(("word", "name"), [("c-statistic", "AUROC"), (" auc ", "AUROC"), ("Folds", "fold"),
                                            ("overfitting", "over-learning"), ("vault", "held-out part")])
def test_an_entry_is_found_by_other_words_for_the_same_thing(word, name):
    assert words.find(word).name == name


def test_a_word_without_an_entry_is_refused_where_a_screen_uses_it():
    assert words.find("eigenvalue") is None
    with pytest.raises(KeyError, match="no entry 'eigenvalue'"):
        words.entry("eigenvalue")


@pytest.mark.parametrize(("text", "found"), [
    ("The calibration slope was 0.6.", ["Calibration slope"]),  # and not "calibration" within it
    ("Net benefit, by cross-validation.", ["net benefit", "cross-validation"]),
    ("An event of the class in the windows of a run", []),  # everyday words are linked only where a screen says so
    ("A leaky, unthresholded afterglow", []), ("", [])])
def test_terms_are_found_in_a_sentence_as_whole_words(text, found):
    assert [term.name for _, _, term in words.named_in(text)] == found


def test_a_search_names_the_entry_itself_before_those_that_only_speak_of_it():
    found = [each.name for each in words.search(words.TERMS.values(), "calibration slope")]
    assert found[0] == "Calibration slope" and "Accuracy" not in found
    spoken = [each.name for each in words.search(words.TERMS.values(), "troponin")]
    assert "ROC curve" in spoken and "missing marker" in spoken
    assert len(words.search(words.TERMS.values(), " ")) == len(words.TERMS)
    assert words.search(words.TERMS.values(), "zebra") == []


@pytest.mark.parametrize(("said", "left"), [
    ("The **softmax** of each kernel, and Gradient descent.", ["softmax", "kernel", "Gradient"]),
    ("AUROC, the calibration slope and logistic regression.", []),  # each opens its entry
    ("A fatal posterior infarct: odds ratio 2.1, p-value 0.03, a latent infection.", []),
    ("the epochs", ["epochs"])])
def test_a_word_of_an_answer_that_nobody_explains_is_found_and_what_doctors_say_is_not(said, left):
    assert jargon.unexplained(said.replace("*", "")) == left
