"""Figures that a model makes up are found; those that were read pass, however they are rounded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ollama_server import Ollama
from snapshots import check, classes, column, curve, figure, group, made, report, run
from test_copilot_adviser import CASES

from medml.copilot.adviser import advise
from medml.copilot.chat import Settings
from medml.copilot.invented import bare, figures, invented
from medml.copilot.knowledge.terms import meaning_of
from medml.copilot.prompting import prompt
from medml.copilot.talk import answer, ask
from medml.copilot.told import as_text

QUESTION = "Why is sensitivity low?"
WORK = made(run=run(moved={"rate": (0.05, "aggressive")}), curve=curve("still improving"), classes=classes(32.0),
            columns=[column("age", low=35.0, high=68.0, median=55.5), column("t4 score 2", missing=12.0),
                     column("disease", role="outcome", kind="yes_no")],
            report=report(figures=[figure("auroc", 0.846, baseline=0.79, baseline_name="Logistic regression"),
                                   figure("sensitivity", 0.614), figure("specificity", 0.903)],
                          threshold=0.41, groups=[group("female", 0.71)], checks=[check("E4", slope=0.74)]))


def found(said: str, of=WORK, *more: str) -> list[str]:
    return invented(said, [as_text(of, "evaluate", QUESTION, 3000), QUESTION, *more], of)


@pytest.mark.parametrize("said", [
    "- **AUROC** is 0.85 (0.806 to 0.886).", "- AUROC is 0.8, logistic regression 0.79.", "- AUROC is 85 %.",
    "- AUROC is about 0.85, with a 95 % interval of 0.81 to 0.89.", "- It ranks 85 of 100 pairs rightly.",
    "- It ranks 846 in 1,000 pairs rightly.", "- About 60 % of the sick are found.",
    "- Found are 61 in 100, missed 39.", "- Sensitivity is 61.4 percent.", "- Sensitivity is sixty-one percent.",
    "- 32 % have it, 68 % do not.", "- 303 patients, about 300.", "- About 97 of 303 patients have it.",
    "- 32 % of 303 are 97 patients.", "- AUROC 0.846 against 0.79: a gain of 0.056.",
    "- It is 6 % above: 0.846 and 0.79.", "- The slope 0.74 is below 1.", "- 0.5 is chance.",
    "- The learning rate is 0.05, an aggressive value.", "- 3 columns, 2 of them predictors, and 4 reasons.",
    "- See L11, E4 and [2] of the 2nd part.", "- **t4 score 2** misses 12 % of its values.",
    "- The ages lie mostly between 35 and 68, median 55.5.", "- The unseen loss was lowest at round 40 of 60 (0.5).",
    "- The threshold is 0.41.", "- Of 100 with it, 39 are missed.", "- Cross-validation in 5 folds.",
    "Next step: set the learning rate to 0.01.", "Next step: train for 120 rounds.",
    "Next step: lower the **learning rate** from 0.05 to 0.001."])
def test_what_was_read_may_be_said_in_the_usual_ways(said):
    assert found(said) == []


@pytest.mark.parametrize(("said", "of_it"), [
    ("- AUROC is **0.97**.", ["0.97"]), ("- AUROC is 0.8463.", ["0.8463"]), ("- AUROC is 0,93.", ["0,93"]),
    ("- Sensitivity is 78 %.", ["78 %"]), ("- Sensitivity is 78percent.", ["78percent"]),
    ("- Sensitivity is seventy-eight per cent.", ["78 per cent"]), ("- Of 100 patients, 77 are found.", ["77"]),
    ("- About 500 patients.", ["500"]), ("- 2,040 patients.", ["2,040"]), ("- 7 patients died.", ["7"]),
    ("- It is 12x better.", ["12"]), ("- It is 3 times better.", ["3"]), ("- p = 1e-4.", ["1e-4"]),
    ("- AUROC is .97.", [".97"]), ("- AUROC is 0.846 and was 0.912.", ["0.912"]), ("- It is 100 % right.", ["100 %"]),
    ("- AUROC is 1.0.", ["1.0"]), ("- AUROC is 0.5.", []), ("- Half of them, 50 %, are a coin's toss.", []),
    ("- 95 % are found.", ["95 %"]), ("- The 95 % interval is 0.90 to 0.99.", ["0.99"]),
    ("- The learning rate is 0.017.", ["0.017"]), ("- Set the learning rate to 700.", ["700"]),
    ("- Use the learning rate as it is, for on these patients this model reaches 0.77.", ["0.77"]),
    ("- The median of t4 score 2 is 71.25.", ["71.25"]), ("- 13 columns.", ["13"])])
def test_what_was_made_up_is_found(said, of_it):
    assert found(said) == of_it


def test_a_figure_may_come_from_a_passage_or_the_question():
    assert found("- Lactate above 2.25 counts [1].") == ["2.25"]
    assert found("- Lactate above 2.25 counts [1].", WORK, "[1] Guideline: lactate above 2.25 counts.") == []


def test_a_number_in_a_name_is_no_figure():
    of = made(columns=[column("ldl 97"), column("disease", role="outcome")])
    assert invented("- **ldl 97** is one.", [as_text(of, "scan", "", 500)], of) == []
    assert invented("- AUROC is 97.", [as_text(of, "scan", "", 500)], of) == ["97"]


SHARES = st.integers(1, 999).map(lambda each: each / 1000)


@settings(max_examples=60, deadline=None)
@given(value=SHARES, way=st.sampled_from(["{:.3f}", "{:.2f}", "{:.1%}", "{:.0%}", "rest"]))
def test_a_true_figure_passes_however_it_is_rounded(value, way):
    of = made(report=report(figures=[figure("auroc", value)]))
    said = f"{100 * (1 - value):.1f} %" if way == "rest" else way.format(value)
    assert invented(f"- It is {said}.", [as_text(of, "evaluate", "", 900)], of) == []


@settings(max_examples=60, deadline=None)
@given(value=SHARES, off=st.sampled_from([-0.2, -0.07, -0.004, 0.004, 0.07, 0.2]))
def test_a_figure_that_is_off_is_found(value, off):
    told = round(value + off, 3)
    wrong = 0 < told < 1 and min(abs(told - near) for near in (0.0, 0.5, 1.0, value, 1 - value)) > 0.0035
    if wrong:
        s = made(classes=[], report=report(figures=[figure("auroc", value).model_copy(
            update={"low": None, "high": None})]))
        assert invented(f"- It is {told:.3f}.", [f"AUROC {value:g}"], s) == [f"{told:.3f}"]


@pytest.mark.parametrize("rule", CASES)
def test_the_adviser_never_raises_a_false_alarm(rule):
    for s in CASES[rule]:
        for stage, question in (("evaluate", "What should I do next?"), ("configure", "Which settings?"),
                                ("scan", "What is calibration?"), ("evaluate", QUESTION)):
            means = meaning_of(question)
            read = [as_text(s, stage, question, 50_000), question, *([means.text] if means else [])]
            assert invented(advise(s, stage, question).text, read, s) == []


def test_a_figure_is_read_as_it_is_written():
    read = {each.said: (each.value, each.step, each.pct) for each in figures(bare(
        "1,234 and 0.50, 12 %, 3e-4, ninety percent, 2nd, L11, 0,123 and 1\u202f000"))}
    assert read == {"1,234": (1234, 1, False), "0.50": (0.5, 0.01, False), "12 %": (12, 1, True),
                    "3e-4": (3e-4, 1e-4, False), "90 percent": (90, 1, True), "0,123": (0.123, 0.001, False),
                    "1\u202f000": (1000, 1, False)}


MADE_UP = "- **Sensitivity** is 0.93, so few are missed.\nNext step: read on."


def asked(*answers: str):
    with Ollama(*answers) as server:
        said = answer(ask(WORK, "evaluate", QUESTION, settings=Settings(host=server.url, silence=10.0)))
        return said, server.bodies("/api/chat")


def test_an_answer_with_a_made_up_figure_is_asked_for_once_more():
    said, sent = asked(MADE_UP, "- **Sensitivity** is 0.61.\nNext step: read on.")
    assert said.tier == "model" and "0.61" in said.text and len(sent) == 2
    assert "does not hold these figures: 0.93." in sent[1]["messages"][-1]["content"]


def test_the_adviser_answers_where_the_second_try_makes_up_figures_too():
    said, sent = asked(MADE_UP)
    assert said.tier == "adviser" and len(sent) == 2
    assert said.why == "The model's answer held figures that stand nowhere in this work."


def test_what_a_model_was_told_about_the_form_holds_no_figure_to_lean_on():
    """The rules say "2 to 8 bullets": that is no figure of this work."""
    read = prompt(WORK, "evaluate", QUESTION)
    assert invented("- 8 patients.", [each.content for each in read.messages[1:]], WORK) == ["8"]
