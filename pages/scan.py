"""Scan: look through the folder, then pick what to predict."""

from __future__ import annotations

import contextlib

import streamlit as st

import worker
from medml import project as projects
from medml.errors import UserError
from medml.types import Choice, Profile
from pages import _scan_choice as choice_card
from pages import _scan_labels as labels
from pages import _scan_tables as tables
from pages import _ui as ui
from pages import _ui_pictures as drawn

TITLE = "Scan"
ONWARD = "m_onward"  # the project whose choice waits for a count by patient
LEAD = ("MedML looks through your folder and keeps counts and ranges alone, never a patient's value. "
        "Check what it found, then say what to predict.")


def start(project: projects.Project, number: int, told: labels.Told, choice: Choice | None = None) -> None:
    """Queue a scan and show it at work; choice as for `queue`."""
    queue(project, number, told, choice)
    st.rerun()


def queue(project: projects.Project, number: int, told: labels.Told, choice: Choice | None = None) -> worker.Job:
    """Queue a scan; the id is the project's and the scan's number, so that a double click is one scan.

    choice  only count small groups again, by the patients that it names
    """
    again = {"choice": choice.model_dump(mode="json")} if choice else {}
    return worker.get(worker.enqueue("scan", {"project": project.id, "labels": told} | again, project=project.id,
                                     job_id=f"scan-{project.id}-{number}"))


def told_of(scans: list[worker.Job]) -> labels.Told:
    """What the last scan that ended well was told of pictures; the next one is told it again."""
    return next((each.payload.get("labels", {}) for each in scans if each.state == "done"), {})


def scans_of(project: projects.Project) -> list[worker.Job]:
    """The project's scans, newest first."""
    return [each for each in worker.jobs(project=project.id) if each.kind == "scan"]


def working(job: worker.Job) -> None:
    """A scan that waits or runs."""
    ui.job_bar(job.id, lambda _: st.rerun(), title="Counting groups by patient" if "choice" in job.payload else
               "Looking through the folder")
    ui.note("You may leave this page or close the browser; the scan goes on.")


def without_profile(project: projects.Project, scans: list[worker.Job]) -> None:
    """Nothing to show yet: start the first scan by itself, or say why the last one ended with nothing."""
    if not scans:
        working(queue(project, 1, {}))
        return
    last = scans[0]
    if last.state == "stopped":
        ui.say("note", "The scan was stopped before it was done.", "Scan again when you are ready.")
    else:
        error = last.error or {}
        ui.say("stop", error.get("what", "The scan could not be done."), error.get("fix", "Try again."))
    if ui.next_button("Scan again", key="m_again"):
        start(project, len(scans) + 1, told_of(scans))


def settle(project: projects.Project, choice: Choice, profile: Profile, scans: list[worker.Job]) -> None:
    """Keep the choice and go on; where nobody foresaw this patient column, small groups are counted by it first."""
    from medml.profile import is_foreseen

    projects.write(project.id, choice)
    if is_foreseen(profile, choice):
        ui.go("preview")
    st.session_state[ONWARD] = project.id
    start(project, len(scans) + 1, told_of(scans), choice)


def onward(project: projects.Project, scans: list[worker.Job]) -> None:
    """Go on where a count by patient has just ended well."""
    if st.session_state.pop(ONWARD, None) == project.id and scans[0].state == "done":
        ui.go("preview")


def leave() -> None:
    """Go on at once where the form still is as it was drawn: the page that is left need not be drawn once more.

    What cannot be kept is said by the page itself, which is then drawn and tries it once more.
    """
    with ui.guard(), contextlib.suppress(UserError):
        project = projects.get(ui.current("project") or "")
        scans, profile = scans_of(project), projects.profile(project.id)
        known = choice_card.as_drawn(project.id, profile) if profile else None
        if known is not None and known[1].target is not None and (not scans or scans[0].ended_for_good):
            settle(project, known[1].settled(profile, known[0]), profile, scans)


def results(project: projects.Project, profile: Profile, scans: list[worker.Job]) -> None:
    """What was found, and the choice to make."""
    onward(project, scans)
    if not profile.tables:
        from medml.profile.folder import no_table

        why = no_table(profile.files)
        ui.say("stop", why.what, why.fix)
        tables.warnings(profile, None)
        tables.files(profile)
        if ui.next_button("Scan again", key="m_again"):
            start(project, len(scans) + 1, told_of(scans))
        return
    if scans and scans[0].state == "failed":
        error = scans[0].error or {}
        ui.say("caution", f"The last scan ended early: {error.get('what', 'it could not be done.')}",
               f"{error.get('fix', 'Try again.')} What you see is from the scan before.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        tables.overview(profile)
        if st.button("Scan again", icon=":material/refresh:", key="m_again", **ui.allowed("scan")):
            start(project, len(scans) + 1, told_of(scans))
    table = choice_card.pick_table(profile, projects.choice(project.id))
    tables.warnings(profile, table)
    asked = choice_card.ask(project.id, profile, table, projects.choice(project.id))
    if ui.pressed() and asked.target is not None:
        settle(project, asked.settled(profile, table), profile, scans)
    if table.pictures is not None:
        if (told := labels.ask(project, profile, table, told_of(scans))) is not None:
            start(project, len(scans) + 1, told)
        drawn.facts(table)
    else:
        tables.suspicions(table)
        tables.columns(table)
    tables.files(profile)
    ui.next_button("Continue to preview", "preview", disabled=asked.target is None)


if ui.pressed():
    leave()
choice_card.changed()  # until it is drawn
with ui.page(TITLE, step="scan", lead=LEAD) as opened:
    done = scans_of(opened)
    if done and not done[0].ended_for_good:
        working(done[0])
    elif (known := projects.profile(opened.id)) is None:
        without_profile(opened, done)
    else:
        results(opened, known, done)
