"""For the bedside: what doing without predictors costs, and a score of whole points with its nomogram."""

from __future__ import annotations

import streamlit as st

from medml.explain.found import BedsideScore, Without, read
from medml.gallery import Run
from pages import _ui as ui
from pages import _ui_explain_jobs as jobs

MARKS = {"late": "Known too late", "costly": "Costly", "burdensome": "A burden for the patient"}


def without(run: Run) -> None:
    """Mark predictors, train once more without them, see the difference."""
    ui.section("Will you have these values at the bedside?", "Mark what comes too late, costs much or is hard on the "
               "patient. The same folds are then trained without it.")
    names = predictors(run)
    marked: list[dict[str, str]] = []
    for column, (why, words) in zip(st.columns(3, gap="medium"), MARKS.items(), strict=True):
        free = [name for name in names if name not in {each["column"] for each in marked}]
        chosen = column.multiselect(words, free, key=f"m_mark_{why}_{run.run}", format_func=ui.clean,
                                    placeholder="None")
        marked += [{"column": name, "why": why} for name in chosen]
    job = jobs.latest(run, "without")
    jobs.bar(job)
    busy = job is not None and not job.ended_for_good
    if st.button("What would leaving them out cost?", key="m_without", icon=":material/content_cut:",
                 **ui.allowed("train", disabled=busy or not 0 < len(marked) < len(names))):
        jobs.ask(run, "without", left_out=marked)
    value = read(run, Without)
    if value is not None:
        cost(value)


def predictors(run: Run) -> list[str]:
    """The columns that this model was given."""
    from medml.recipe.prepare import predictor_kinds

    config = run.config
    return list(predictor_kinds(run.recipe, run.profile.table(config.choice.table), config.choice))


def cost(value: Without) -> None:
    """The answer of the last such training."""
    from medml.evaluate.words import title
    from medml.explain.words import marked, of_without

    name = title(value.figure)
    with st.container(key="m_card_without"):
        st.html(f'<p class="m-what">{ui.html(of_without(value, name), 300)}</p>'
                f'<p class="m-note">Left out: {ui.html(marked(value.left_out), 400)}</p>')
        ui.figures([(f"{name} with all", value.with_all), (f"{name} without them", value.without),
                    ("Difference", value.difference)])


def score(run: Run) -> None:
    """An integer score, what it costs, and its nomogram; of several classes for the one that is chosen."""
    ui.section("A score for the bedside", "A few predictors, whole points, no computer. It is learned anew in every "
               "fold, so what it costs is measured on patients that it had not seen.")
    if run.report.task == "regression":
        ui.note("A score gives points for an outcome of classes; this one is a number. To have one, add a column that "
                "says whether the number is beyond what matters at the bedside, and train on that column.")
        return
    left, middle, right = st.columns([1, 1, 2], gap="medium", vertical_alignment="bottom")
    several = run.report.task == "multiclass"
    of = middle.selectbox("Points for", run.report.classes, key=f"m_score_of_{run.run}",
                          format_func=ui.clean) if several else ""
    most = left.number_input("Predictors at most", 2, 10, 5, key=f"m_most_{run.run}")
    job = jobs.latest(run, "score")
    busy = job is not None and not job.ended_for_good
    value = read(run, BedsideScore)
    label = "Make the score" if value is None else "Make it anew"
    if (right if several else middle).button(label, key="m_score", icon=":material/calculate:",
                                           **ui.allowed("explain", disabled=busy)):
        jobs.ask(run, "score", most=int(most), of=of)
    jobs.bar(job)
    if value is not None:
        shown(value)


def shown(value: BedsideScore) -> None:
    """Its points and its cost beside each other, the nomogram under them."""
    from medml.evaluate.words import title
    from medml.explain.words import BORDERS, of_score
    from medml.plots.explain_score import nomogram
    from pages._ui_metrics import cell

    if value.of:
        ui.note(f"The points speak for “{value.of}” against all other classes; the model beside is asked the same.")
    left, right = st.columns([2, 3], gap="medium")
    with left:
        rows = [(rule.column if at == 0 else "", step.label, f"{step.points:+d}" if step.points else "0")
                for rule in value.rules for at, step in enumerate(rule.steps)]
        ui.table(["Predictor", "Value", "Points"], rows, right=[2], fixed=True)
        ui.note(BORDERS)
    with right:
        with st.container(key="m_card_score"):
            st.html(f'<p class="m-what">{ui.html(of_score(value), 300)}</p>')
        ui.table(["Out of fold", "Score", "Model"],
                 [(ui.html(title(name)), cell(figure), cell(value.model.get(name)))
                  for name, figure in value.figures.items()], raw=[0, 1, 2])
    risks(value)
    if value.rules:
        with st.container(key="m_card_nomogram"):
            ui.chart(nomogram(value, ink=ui.ink()), "Read each predictor's points off the ruler on top, add them up, "
                     "and read the probability at the bottom.", key="m_nomogram")


def risks(value: BedsideScore) -> None:
    """What so many points stand for, in three tables side by side."""
    ui.note(f"The probability that {value.event}, by the points in all:")
    long = -(-len(value.risks) // 3)
    for at, column in enumerate(st.columns(3, gap="medium")):
        part = value.risks[at * long:(at + 1) * long]
        if part:
            with column:
                ui.table(["Points in all", "Probability"],
                         [(str(each.points), ui.percent(each.predicted)) for each in part], right=[1], fixed=True)
