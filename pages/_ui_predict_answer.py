"""The answer for one patient, with all that must be said of it: never a bare number."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from medml import answers, righted
from medml.gallery import Run
from medml.types import Report
from pages import _ui as ui
from pages import _ui_stamps as stamps
from pages._ui_plan import answer as class_words

LEVELS = (0.80, 0.90, 0.95)
MOST_CLASSES = 6
UNITS = {"log-odds": "log-odds", "log-ratio": "log of the probability against the other classes",
         "probability": "probability", "outcome": "the outcome's own unit"}


def shown(run: Run, found: dict[str, np.ndarray] | None) -> None:
    """The card beside the form: empty, silent with its reason, or an answer."""
    if found is None:
        ui.empty("No answer yet.", "Fill in what is known and press Predict. An empty field counts as not recorded.")
    elif str(found["why"]):
        silent(str(found["why"]))
    else:
        steps = righted.steps_of(run)
        report = righted.as_told(run.report, steps)
        number(run, report, found["p"])
        if steps is not None:
            ui.note(f"{righted.said(report, steps).capitalize()}, as was switched on on Evaluate.")
        st.fragment(open_answers)(report, found["p"])
        went_by(run, found, put_right=steps is not None)
    stamps.strip(run.report)


def silent(why: str) -> None:
    """No number, and why."""
    ui.say("caution", "No answer for this patient.", "The model has no ground to stand on here:")
    st.html("".join(f'<p class="m-why">{ui.html(each, 300)}</p>' for each in why.split("; ")))


def number(run: Run, report: Report, p: np.ndarray) -> None:
    """The probability (or number) large, what is said of it, and how often that was right.

    report  as answers are read by it (medml.righted)
    """
    if report.task == "regression":
        _large(run.config.choice.target, ui.number(float(p), 4), "")
    elif report.task == "binary":
        cut = 0.5 if report.threshold is None else report.threshold
        called = answers.predicted(report, p[None])[0]
        _large(f"Probability that {run.config.choice.target} is {class_words(report.positive)}", percent(float(p[1])),
               f"Called {class_words(called)}; the line is at {percent(cut)}.")
    else:
        _classes(report, p)
    ui.note(answers.calibration_said(report, p))


def percent(share: float) -> str:
    """27 %, and a digit more at either end."""
    return f"{100 * share:.0f} %" if 0.01 <= share <= 0.99 else f"{100 * share:.1f} %"


def _large(label: str, value: str, under: str) -> None:
    st.html(f'<div class="m-figure m-figure-large"><p class="m-figure-label">{ui.html(label, 160)}</p>'
            f'<p class="m-figure-value">{ui.html(value)}</p><p class="m-figure-help">{ui.html(under, 200)}</p></div>')


def _classes(report: Report, p: np.ndarray) -> None:
    order = np.argsort(-p, kind="stable")[:MOST_CLASSES]
    best = report.classes[int(order[0])]
    _large(f"Most likely: {class_words(best)}", percent(float(p[order[0]])), "")
    st.html(bars([(class_words(report.classes[int(place)]), float(p[place]), percent(float(p[place])))
                  for place in order], signed=False))


def open_answers(report: Report, p: np.ndarray) -> None:
    """What cannot be ruled out at a level that the person picks."""
    with ui.guard():
        if report.conformal is None:
            ui.note("This model was trained before sets of answers were kept; train again to have them.")
            return
        level = st.segmented_control("Answers that stay open at", LEVELS, default=0.90, format_func=percent,
                                     key="m_predict_level", required=True, help=ui.explained("conformal set"))
        words = answers.set_said(report, p, level)
        names = answers.left_open(report, p[None], level) if report.task != "regression" else None
        if names is None:
            said = f'<strong>{ui.html(words or "Too few patients to say", 120)}</strong>'
        else:
            said = "".join(ui.chip(class_words(each), "teal" if len(names[0]) == 1 else "quiet") for each in names[0])
            said += '<span class="m-quiet"> this answer alone</span>' if len(names[0]) == 1 else \
                '<span class="m-quiet"> cannot be told apart here</span>'
        st.html(f'<p class="m-set">{said}</p>')
        ui.note(" ".join(filter(None, [answers.apart_said(report, p, level), answers.level_said(report, level)])))


def went_by(run: Run, found: dict[str, Any], *, put_right: bool) -> None:
    """The columns that matter most for this answer, as bars to either side; put_right: the answer is no longer the
    number that they add up to."""
    if "columns" not in found or not len(found["columns"]):
        return
    report = run.report
    place = 1 if report.task == "binary" else int(np.argmax(found["p"]))
    about, ways = ((class_words(report.classes[place]), "amber speaks for it, teal against") if report.classes else
                   ("this number", "amber raises it, teal lowers it"))
    parts = [(str(name), float(value), f"{value:+.2f}" if abs(value) >= 0.005 else f"{value:+.2g}") for name, value in
             zip(found["columns"], found["adds"], strict=True)]
    st.html(f'<p class="m-figure-label m-parts-label">Associated with {ui.html(about, 60)} for this patient</p>'
            f'{bars(parts, signed=True)}')
    before = " of the model's own probability, before it is put right" if put_right else ""
    ui.note(f"In {UNITS.get(str(found['unit']), str(found['unit']))}{before}; {ways}. "
            "Associated, never its cause.")


def bars(parts: list[tuple[str, float, str]], *, signed: bool) -> str:
    """HTML of names with a bar each as long as its value, its words beside it; signed: amber raises, teal lowers, as
    on Explain."""
    tones = ("raises", "lowers") if signed else ("share", "share")
    most = max((abs(value) for _, value, _ in parts), default=1.0) or 1.0
    rows = "".join(
        f'<div class="m-part"><span class="m-part-name">{ui.html(name, 60)}</span><span class="m-part-track">'
        f'<span class="m-part-bar m-part-{tones[value < 0]}" style="width:{100 * abs(value) / most:.0f}%"></span>'
        f'</span><span class="m-part-value">{ui.html(words)}</span></div>' for name, value, words in parts)
    return f'<div class="m-parts">{rows}</div>'
