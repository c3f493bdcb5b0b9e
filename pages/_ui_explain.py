"""What a model goes by, drawn: means kept with the run; single patients from the clinician's folder, in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

import worker
from medml.explain.found import Overall
from medml.gallery import Run
from pages import _ui as ui
from pages import _ui_explain_jobs as jobs
from pages._ui_pictures import is_kept, kept


def overall(value: Overall) -> None:
    """Columns by weight beside how one of them works by its value."""
    from medml.explain.words import as_probability, unit_in_words
    from medml.plots import explain as drawn

    unit, output = unit_in_words(value.unit, value.outputs[0]), _output(value)
    left, right = st.columns(2, gap="medium")
    with left, st.container(key="m_card_weights", height="stretch"):
        ui.chart(drawn.weights(value.of(output), _short(value), ink=ui.ink()),
                 f"Mean change of the answer by each column, {unit}, with its 95 % interval over "
                 f"{ui.count(value.n_patients, 'patient')}.", key="m_weights")
    with right, st.container(key="m_card_dependence", height="stretch"):
        by_value(value, output)
    base = value.base[value.outputs.index(output)]
    of_two = value.unit in ("log-odds", "probability")
    said = ui.percent(as_probability(value.unit, base)) if of_two else ui.number(base)
    ui.note(f"The bars start from the answer for an average patient, {said}; average stands for {value.against}. "
            "Columns that go together share what they add, and each alone may look weaker than it is.")


def _output(value: Overall) -> str:
    """Of several classes the one that is asked about."""
    if len(value.outputs) == 1:
        return value.outputs[0]
    return st.selectbox("What speaks for", value.outputs, key=f"m_output_{value.run}", format_func=ui.clean)


def _short(value: Overall) -> str:
    return ui.clean(value.outputs[0], 40) if value.unit == "outcome" else value.unit


def _axis(run: Run, unit: str) -> str:
    return ui.clean(run.config.choice.target, 40) if unit == "outcome" else unit


def by_value(value: Overall, output: str) -> None:
    """One column: what it adds by its value."""
    from medml.plots import explain as drawn

    there = {each.column: each for each in value.dependence if each.output == output}
    column = st.selectbox("By the value of", list(there), key=f"m_dependence_{value.run}_{output}",
                          format_func=ui.clean)
    one = there[column]
    if not one.bins:
        ui.note("Its values are shared by fewer than 10 patients each, so nothing is shown.")
        return
    hidden = (" Groups of fewer than 10 patients are not shown, nor one from which their size could be told."
              ) if one.hidden else ""
    ui.chart(drawn.dependence(one, _short(value), ink=ui.ink()),
             f"What it adds to the answer, by its value, with 95 % intervals.{hidden}", key="m_dependence",
             about=f"{ui.clean(column, 48)}.")


def each_patient(run: Run, value: Overall) -> None:
    """The swarm; asked for by a button, kept in this session's memory."""
    from medml.plots import explain as drawn

    with ui.guard():
        output = value.outputs.index(st.session_state.get(f"m_output_{value.run}", value.outputs[0]))
        name = (run.run, run.chain.current, "swarm", output)
        if not is_kept(name) and not st.button("Show patient by patient", key="m_swarm",
                                               icon=":material/scatter_plot:"):
            return
        with st.spinner("Asking about each patient"):
            found = kept(name, lambda: ask(run, "swarm", output=output))
        with st.container(key="m_card_swarm"):
            ui.chart(drawn.swarm(found["column"].tolist(), found["added"], found["rank"], _short(value), ink=ui.ink()),
                     f"A dot is one of {ui.count(len(found['added']), 'patient')}: to the right it raises the answer. "
                     "Deeper is a higher value; amber has no order. Drawn from your folder, kept nowhere.",
                     key="m_swarm_chart")


def one_patient(run: Run) -> None:
    """A waterfall for one row of the clinician's own table."""
    from medml.explain.patient import Bar
    from medml.plots import explain as drawn

    with ui.guard():
        ui.section("One patient", "What each column adds to the answer for one row of your own table.")
        row, chosen = _row(run)
        if chosen is None:
            return
        name = (run.run, run.chain.current, "one", row, chosen)
        with st.spinner("Asking about this patient"):
            found = kept(name, lambda: ask(run, "one", row=row, output=chosen))
        bars = [Bar(*each) for each in zip(found["column"].tolist(), found["cell"].tolist(), found["start"].tolist(),
                                           found["end"].tolist(), strict=True)]
        with st.container(key="m_card_one"):
            st.html(f'<p class="m-what">{ui.html(str(found["said"]), 200)}</p>')
            ui.chart(drawn.waterfall(bars, bars[0].start, _axis(run, str(found["unit"])), ink=ui.ink()),
                     f"From the answer for an average patient (dashes) to that for row {row:,}; average "
                     f"stands for {found['against']}.", key="m_one")


def _row(run: Run) -> tuple[int, int | None]:
    """The row that is asked about and the place of the class; None before the button was pressed."""
    left, middle, right = st.columns([1, 1, 2], gap="medium", vertical_alignment="bottom")
    row = int(left.number_input("Row of the table", 1, max(1, run.manifest.n_rows), 1, key=f"m_row_{run.run}",
                                help="Counted from 1; the header is not counted."))
    output, classes = 0, run.report.classes
    if len(classes) > 2:
        output = middle.selectbox("What speaks for", range(len(classes)), key=f"m_one_output_{run.run}",
                                  format_func=lambda each: ui.clean(classes[each], 40))
    asked = f"m_one_asked_{run.run}_{run.chain.current}"
    if (right if len(classes) > 2 else middle).button("Explain this patient", key="m_one_ask",
                                                      icon=":material/person_search:"):
        st.session_state[asked] = True
    return row, output if st.session_state.get(asked) else None


def ask(run: Run, part: str, **about: Any) -> dict[str, np.ndarray]:
    """Single patients, from a child through a pipe."""
    return worker.ask("explained", part=part, run=run.run, source=str(jobs.source_of(run)), **about)
