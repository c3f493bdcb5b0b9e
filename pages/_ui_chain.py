"""Going on with a run: more rounds, back to an earlier checkpoint, another family beside it, the part kept closed."""

from __future__ import annotations

import streamlit as st

import worker
from medml import families, gallery
from medml import project as projects
from medml.errors import UserError
from medml.evaluate.words import title
from medml.gallery import Run
from medml.store import GOING
from medml.types import Checkpoint, Report
from pages import _ui as ui
from pages import _ui_again as again
from pages._ui_metrics import cell, headline_name

USUAL = {"epoch": 20, "trees": 100}
NOUN = {"epoch": "round", "trees": "tree"}
NETWORK = "mlp"


def project_of(run: str) -> str | None:
    """The project that a run belongs to; None for one of the command line, or whose project was removed."""
    return projects.of_run(run)


def lost(run: Run) -> UserError | None:
    """Why the table of a run cannot be read again; None where it can."""
    project = project_of(run.run)
    try:
        projects.check_source(projects.get(project).source if project else run.source)
    except UserError as gone:
        return gone
    return None


def link_name(checkpoint: Checkpoint) -> str:
    """What a link of the chain is called: the first training, or the how-manieth time that it was gone on with."""
    return "First training" if checkpoint.number == 0 else f"Continued, {checkpoint.number}"


def chain(run: Run) -> None:
    """The checkpoints with their figures, and the way back to each of them; nothing for a run that cannot have two."""
    links = {each.number: each for each in run.chain.checkpoints}
    if len(links) == 1 and families.registry.get(run.config.family).round is None:
        return
    ui.section("Checkpoints", "Nothing is ever lost: each holds the final model, the folds' models and their figures.")
    rows = []
    for each in links.values():
        used = each.number == run.chain.current
        name = ui.Cell(f"{link_name(each)}{' ' + ui.chip('in use', 'teal') if used else ''}", each.number)
        rows.append([name, f"{each.rounds:,}", ui.Cell(ui.when(each.made), each.made),
                     cell(each.headline, strong=used)])
    ui.table(["Checkpoint", _across(run), "Made", headline_name(run.report)], rows, raw=(0, 3))
    others = [each for each in links if each != run.chain.current]
    if not others:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        before = run.checkpoint.parent
        start = others.index(before) if before in others else len(others) - 1
        wanted = st.selectbox("Checkpoint to go back to", others, index=start, width=240,
                              key=f"m_back_{run.run}_{run.chain.current}",
                              format_func=lambda number: link_name(links[number]))
        if st.button("Revert", icon=":material/undo:", key="m_revert", **ui.allowed("change")):
            gallery.revert(run.run, to=wanted)
            st.rerun()


def _across(run: Run) -> str:
    unit = families.registry.get(run.config.family).round
    return f"{NOUN[unit].capitalize()}s" if unit else "Rounds"


def at_work_on(run: str) -> worker.Job | None:
    """A training that still goes on with this very run, so that nobody takes its figures for the result."""
    return next((each for each in worker.jobs(GOING)
                 if each.kind == "continue" and each.payload.get("run") == run), None)


def go_on(run: Run, busy: worker.Job | None, gone: UserError | None) -> None:
    """More rounds where the family has any; else the offer of a network, in one click. The screen's primary button.

    busy, gone  as `at_work_on` and `lost` tell them
    """
    family = families.registry.get(run.config.family)
    if busy is not None:
        ui.section("It is being trained further")
        if ui.next_button("Watch the training", "train"):
            _show(busy.id, busy.project)
    elif gone is not None:
        if run.came_in_a_file:
            ui.say("note", "This model is trained further only where it was made: it came in a file, without its data.")
        else:
            ui.say("note", f"The folder that this run was made from is not there, or may not be read. {gone.what}",
                   "Put it back, or start a project on the folder where it lies now; this run stays as it is.")
        ui.next_button("Train more", disabled=True)
    elif family.round is None:
        ui.section("Nothing to continue", f"“{family.titled(run.report.task)}” is fitted in one go: more rounds would "
                   "change nothing. A network learns round by round, and can be continued and reverted.")
        if ui.next_button("Train a network to compare", "train", **ui.allowed("train")):
            compare_with_network(run)
    else:
        more_rounds(run, family.round)


def more_rounds(run: Run, unit: str) -> None:
    """How many more, and the button. It belongs to the checkpoint that is shown: one that is no longer in use, since
    another window went on meanwhile, is not continued by a late press."""
    noun, here = NOUN[unit], f"{run.run}_{run.chain.current}"
    ui.section(f"Train for more {noun}s", "It goes on in every fold from that fold's own state, and in the final "
               "model; a new checkpoint is added, and you can go back.")
    more = st.number_input(f"{noun.capitalize()}s", 1, 5_000, USUAL[unit], width=240, key=f"m_more_{here}")
    if ui.next_button(f"Train for {ui.count(int(more), f'more {noun}')}", "train", key=f"m_next_{here}",
                      **ui.allowed("train")):
        project = project_of(run.run)
        payload = {"run": run.run, "rounds": int(more), "project": project}
        _show(worker.enqueue("continue", payload, project=project,
                             job_id=again.id_of("more", run.run, run.chain.current)), project)


def compare_with_network(run: Run) -> None:
    """The same table, outcome, cleanup, folds and seed, with a network in the place of this family."""
    project = project_of(run.run) or _adopted(run)
    kind = families.registry.get(NETWORK).title.lower()
    config = run.config.model_copy(update={"family": NETWORK, "params": {},
                                           "name": f"{run.config.choice.target} by {kind}"})
    payload = {"project": project, "recipe": run.recipe.model_dump(mode="json"),
               "config": config.model_dump(mode="json")}
    _show(worker.enqueue("train", payload, project=project, job_id=again.id_of("network", run.run)), project)


def _show(job: str, project: str | None) -> None:
    if project is None:
        ui.forget("project")  # the Train page shows the jobs of the project that it is in
        ui.go("train", job=job)
    ui.go("train", project=project, job=job)


def _adopted(run: Run) -> str:
    """A project for a run that has none, with the settings that it was made by."""
    project = projects.create(run.profile.source, run.label.name).id
    for value in (run.profile, run.config.choice, run.recipe, run.config):
        projects.write(project, value)
    projects.add_run(project, run.run)
    return project


def held_out(run: Run) -> None:
    """The part kept closed: a button of its own, a count of every look, the figures once it is open (L10)."""
    if run.config.split.scheme != "held_out":
        return
    looks = run.report.looks
    ui.section("The part kept closed", looks_words(looks))
    if run.report.held_out:
        ui.figures([(title(name), metric) for name, metric in run.report.held_out.items()
                    if name not in run.report.hidden])
        kept_plan(run.report)
        return
    mine = f"m_look_{run.run}"
    job = _look_under_way(run.run) or st.session_state.get(mine)
    busy = job is not None and not worker.get(job).ended_for_good
    sure = st.checkbox("I have finished choosing: open it", key=f"m_sure_{run.run}_{run.chain.current}")
    asked = st.button("Open the part kept closed", icon=":material/lock_open:", key="m_open",
                      **ui.allowed("train", disabled=not sure or busy))
    if asked and not busy:  # a second click of the same intention finds the first one's job under way
        project = project_of(run.run)
        st.session_state[mine] = worker.enqueue("held_out", {"run": run.run, "project": project}, project=project)
        st.rerun()
    if job is not None:
        ui.followed(job, lambda ended: _looked(ended, mine))


def kept_plan(report: Report) -> None:
    """What the part was opened for, as it was written down before."""
    plan = report.plan
    if plan is None:
        return
    rule = f", “yes” from {plan.threshold:g} on" if plan.threshold is not None else ""
    ui.note(f"Planned before it was opened ({ui.when(report.plan_written)}): {plan.target} from "
            f"{ui.count(len(plan.predictors), 'column')}, judged by {title(plan.metric)}{rule}. Sealed as "
            f"{report.plan_sha256[:16]}.")


def _look_under_way(run: str) -> str | None:
    """A look at this run that has not ended, whichever window asked for it."""
    return next((each.id for each in worker.jobs(GOING) if each.kind == "held_out"
                 and each.payload.get("run") == run), None)


def _looked(job: worker.Job, mine: str) -> None:
    """Its end is shown once; after a stop or a failure the next click asks anew."""
    st.session_state.pop(mine, None)
    if job.state == "done":
        st.rerun()


def looks_words(looks: int) -> str:
    """What a number of looks makes of the part."""
    if looks == 0:
        return "Nobody has looked at it yet. Open it once, when every choice is made; each look is counted and printed."
    if looks == 1:
        return "Opened once. Its figures are an honest test as long as nothing is changed because of them."
    return f"Opened {looks} times: treat it as validation, no longer as a test."

