"""Networks for pictures on Configure: pretrained weights that are here, and pictures as a network sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

import worker
from medml import project as projects
from medml.families import Family
from medml.patience import READ, within
from medml.profile.pictures import mirrored
from medml.types import PicturePlan, Table
from medml.vision import weights
from medml.vision.names import BACKBONES, SMALL
from pages import _ui as ui
from pages import _ui_pictures as drawn
from pages._ui_belonging import locked

EXAMPLES = 6
FED = {"As for ImageNet (usual)": "imagenet", "From -1 to 1": "minus one to one", "Bytes minus 128": "bytes minus 128"}


def pretrained(family: Family) -> None:
    """What is here, what it costs to have none, and a way to bring a file."""
    here = weights.available()
    if here:
        ui.note("Pretrained weights on this machine: " + "; ".join(
            f"{BACKBONES[each.backbone]} ({_hash(each)})" for each in here) + ".")
    else:
        what = "This family cannot be used without them." if family.name == "cnn_features" else \
            "The network begins from nothing: it needs more pictures, more rounds, and often ends lower."
        ui.say("note", f"There are no pretrained weights on this machine. {what}",
               "Ask an administrator to bring one. MedML downloads nothing." if locked("settings") else
               "Bring a file below if you have one. MedML downloads nothing.")
    if locked("settings"):
        return  # weights are everybody's: an administrator brings them
    with st.expander("Bring pretrained weights from a file"):
        path = st.text_input("File (.pth, .pt or .safetensors)", key="m_weights_file")
        left, right = st.columns(2, gap="large")
        names = [name for name in BACKBONES if name != SMALL]
        backbone = left.selectbox("Network", names, key="m_weights_name", format_func=BACKBONES.get)
        fed = right.selectbox("How its makers fed it", list(FED), key="m_weights_fed")
        if st.button("Check and import", key="m_weights_go", disabled=not path.strip()):
            with st.spinner("Checking the file"):
                worker.ask("bring", file=str(projects.check_source(path)), backbone=backbone, scaling=FED[fed])
            st.rerun()


def _hash(each: weights.Weights) -> str:
    known = st.session_state.setdefault("m_weights_known", {})
    mark = (str(each.path), each.path.stat().st_mtime_ns)
    if mark not in known:
        known[mark] = each.brought_sha256
    return f"sha256 {known[mark][:12]}"


def examples(project: projects.Project, table: Table, target: str, plan: PicturePlan, params: dict[str, Any]) -> None:
    """Six training pictures beside what a network would be shown of them, with the changes that stand in the form."""
    if "turn" not in params:
        return
    changes = {"turn": params["turn"], "shift": params["shift"], "zoom": params["shift"] * 1.5,
               "light": params["light"], "flip": params["flip"]}
    name = (project.id, table.sha256, "examples", plan.size, plan.window, tuple(changes.items()))
    ui.heading("As the network sees them", "Training pictures are changed a little each time; at judging they are not.")
    against = mirrored(table.pictures, changes["flip"])
    if against:
        ui.say("caution", *against)
    if not drawn.is_kept(name):
        if st.button("Show six examples", icon=":material/auto_awesome_motion:", key="m_examples"):
            with st.spinner("Changing six pictures"):
                drawn.kept(name, lambda: _changed(project, table, target, plan, changes))
            st.rerun()  # without the button
        return
    pixels = drawn.kept(name, lambda: _changed(project, table, target, plan, changes))
    drawn.row(pixels, [f"Altered picture {n + 1}" for n in range(len(pixels))])


def _changed(project: projects.Project, table: Table, target: str, plan: PicturePlan,
             changes: dict[str, Any]) -> np.ndarray:
    from medml.data import open_table

    ui.looked(project.id)
    frame = within(READ, lambda: open_table(Path(project.source), table.ref).frame([plan.column, target]).drop_nulls())
    names = frame[plan.column].to_list()
    some = [names[at] for at in np.random.default_rng(1).permutation(len(names))[:EXAMPLES]]
    return worker.ask("augmented", source=project.source, table=table.ref.model_dump(), plan=plan.model_dump(),
                      names=some, changes=changes)["pixels"]
