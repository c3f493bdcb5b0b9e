"""A file of patients, or a folder of pictures, on Predict: a job writes the answers beside the person's own data."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import streamlit as st

import worker
from medml import asking, rights
from medml.answers import cells_said, silent_said, unread_said
from medml.errors import UserError
from medml.gallery import Run
from pages import _ui as ui
from pages import _ui_again as again
from pages import _ui_chain as chain
from pages import _ui_predict as forms
from pages import _ui_stamps as stamps

A_PAGE, ACROSS = 6, 3
PAGE = "m_predict_looked_page"


def many(run: Run) -> None:
    """Where the file lies and where the answers go; then the job at work, or what became of it."""
    pictures = run.config.choice.pictures is not None
    wanted = forms.file_form(of_pictures=pictures, explains=not pictures)
    if wanted is not None:
        for each in (forms.TABLE, PAGE):
            st.session_state.pop(each, None)
        with ui.guard():
            ask(run, wanted)
    job = st.session_state.get(forms.TABLE)
    if job is not None:
        ui.followed(job, lambda _: None, "Answering")
        ended = worker.get(job)
        if ended.state == "done":
            answered(run, ended)
    stamps.strip(run.report)


def ask(run: Run, wanted: dict[str, Any]) -> None:
    """Hand in the job. UserError where the file is not there, or its answers would be written over something."""
    out = asking.place_for(wanted["file"], wanted["out"])
    project = chain.project_of(run.run)
    payload = wanted | {"run": run.run, "out": str(out), "project": project}
    st.session_state[forms.TABLE] = worker.enqueue("predict", payload, project=project, job_id=again.id_of(
        "predict", run.chain.current, *payload.values()))


def answered(run: Run, job: worker.Job) -> None:
    """How many have an answer, where they were written, and for pictures where the model looked."""
    found, pictures = job.result or {}, run.config.choice.pictures is not None
    out = Path(found["out"])
    ui.section(out.name)
    n, silent = int(found["n"]), int(found["silent"])
    ui.tiles([("pictures" if pictures else "rows", n), ("answered", n - silent), ("without an answer", silent)])
    if not out.is_file():
        ui.note("The answers have been moved or removed since; MedML keeps no copy.")
        return
    st.download_button("Download the answers", rights.taken(run.run, out.read_bytes, "answers"), out.name, "text/csv",
                       icon=":material/download:", on_click="ignore", key="m_predict_download")
    ui.note(f"Written to {out}; MedML keeps no copy. The column “abstained” says why "
            "a row has no answer.")
    if found.get("unread"):
        ui.say("caution", cells_said(int(found["unread"])), "Put them right in a copy of the file, and ask again.")
    if pictures:
        with ui.guard():
            for each in filter(None, (unread_in(out), silent_in(out))):
                ui.say("caution", each)
            if n > silent:
                head, rows = firsts(out)
                ui.table(head, rows, fixed=True, caption=f"The first {A_PAGE} answers." if n - silent > A_PAGE else "")
        if n > silent:
            st.fragment(looked)(run, Path(job.payload["file"]), out)


def looked(run: Run, file: Path, out: Path) -> None:
    """New pictures, each beside what spoke for its answer; asked for by a button, in this window's memory alone."""
    with ui.guard():
        ui.section("Where the model looked", "Each picture, and beside it in red what spoke for its answer. It shows "
                   "where, never why.")
        g3 = next((each for each in run.report.checks if each.id == "G3"), None)
        if g3 is not None:
            ui.say("caution" if g3.verdict == "warn" else "note", g3.what, g3.fix)
        said = answers_in(out)
        page = st.session_state.get(PAGE)
        if not said or page is None:
            if said and st.button("Show them", icon=":material/image_search:", key="m_predict_look"):
                turn(0)
                st.rerun(scope="fragment")
            return
        some = dict(list(said.items())[page * A_PAGE:(page + 1) * A_PAGE])
        head, rows = firsts(out, len(said))
        with st.spinner("Drawing where the model looked"):
            drawn = worker.ask("look_new", run=run.run, file=str(file), answers=some)
        pairs(drawn, {name: " ".join(said[:2 if "Probability" in head else 1]) for name, *said in rows})
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.button("Back", icon=":material/chevron_left:", key="m_predict_back", disabled=page == 0, on_click=turn,
                      args=(page - 1,))
            st.button("Next", icon=":material/chevron_right:", key="m_predict_next_page", on_click=turn,
                      args=(page + 1,), disabled=(page + 1) * A_PAGE >= len(said))


def turn(page: int) -> None:
    """Which pictures are shown."""
    st.session_state[PAGE] = page


def answers_in(out: Path) -> dict[str, str]:
    """Name of the picture -> its answer, of those that have one, as the file of answers has them."""
    return {name: given(row["predicted"]) for name, row in _rows(out) if not row["abstained"]}


def firsts(out: Path, most: int = A_PAGE) -> tuple[list[str], list[list[str]]]:
    """The first answers as a table, with all that the file of answers says of them: a picture's class alone would be
    taken for a finding."""
    rows = [(name, row) for name, row in _rows(out) if not row["abstained"]][:most]
    shown = [(name, _belief(row)) for name, row in rows]
    columns = list(shown[0][1]) if shown else []
    return ["Picture", *columns], [[name, *(said[column] for column in columns)] for name, said in shown]


def _belief(row: dict[str, str]) -> dict[str, str]:
    """An answer and how sure it is, by the titles of a table: its probability, its set or interval, how often such
    answers were right."""
    answer = given(row["predicted"])
    share = row.get(f"probability of {answer}")
    said = {"Answer": answer, "Probability": ui.percent(float(share))} if share else {"Answer": _short(answer)}
    for column, cell in row.items():
        if column.startswith("set at "):
            said[f"Set at {column.removeprefix('set at ').replace('%', ' %')}"] = given(cell)
        elif column.startswith("interval low at "):
            level = column.removeprefix("interval low at ")
            said[f"Interval at {level.replace('%', ' %')}"] = f"{_short(cell)} to " \
                                                              f"{_short(row[f'interval high at {level}'])}"
    return said | {"How often right": row.get("how often right", "")}


def _short(cell: str) -> str:
    """A number to three digits; anything else as it is."""
    try:
        return f"{float(cell):.3g}"
    except ValueError:
        return cell


def unread_in(out: Path) -> str:
    """Which pictures could not be read, by the file of answers; "" where all could."""
    rows = _rows(out)
    return unread_said([name for name, _ in rows], [row["abstained"] for _, row in rows])


def silent_in(out: Path) -> str:
    """Why pictures that could be read have no answer, by the file of answers; "" where all have one."""
    return silent_said([row["abstained"] for _, row in _rows(out)])


def _rows(out: Path) -> list[tuple[str, dict[str, str]]]:
    """Name and row of each picture. UserError where somebody changed the file's columns; [] where it is gone."""
    try:
        with out.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError:
        return []
    first = next(iter(rows[0]), "") if rows else ""
    if any("predicted" not in row or "abstained" not in row for row in rows):
        raise UserError(what=f"“{out.name}” was changed since the answers were written.",
                        fix="Ask for the answers again, under another name.", code="changed")
    return [(given(row[first]), row) for row in rows]


def given(name: str) -> str:
    """A name as the folder or the model has it, without the apostrophe that keeps a spreadsheet from working it out."""
    return name[1:] if name[:1] == "'" and name[1:2] in tuple("=+-@\t\r") else name


def pairs(drawn: dict[str, Any], said: dict[str, str]) -> None:
    """Pictures with their heatmaps beside them, three a row, the answer under each."""
    for first in range(0, len(drawn["pairs"]), ACROSS):
        for at, column in enumerate(st.columns(ACROSS, gap="medium"), start=first):
            if at < len(drawn["pairs"]):
                name = str(drawn["name"][at])
                column.image(drawn["pairs"][at], width="stretch", alt=f"Picture {at + 1} beside where the model looked")
                column.html(f'<p class="m-note">{ui.html(name, 60)}<br><strong>{ui.html(said[name], 60)}</strong></p>')
