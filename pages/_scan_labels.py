"""Scan, for pictures: another table that says what they show, and the tag that tells patients apart."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from medml import project as projects
from medml.data.images.tags import PATIENT_TAGS
from medml.patience import READ, within
from medml.types import Profile, Table
from pages import _ui as ui

BY_ITSELF = "As MedML finds it"
Told = dict[str, str]  # what a scan is told, by name; see Labels in medml.data.images.beside


def ask(project: projects.Project, profile: Profile, table: Table, told: Told) -> Told | None:
    """The form, filled in with what the last scan was told; what the next one shall be told where it is sent off."""
    with st.expander("Labels in another table, patients by another tag"), ui.guard():
        ui.note("A table labels pictures where a column of it holds their file names, SOPInstanceUIDs or PatientIDs, "
                "or the StudyInstanceUID or accession number of their study. It may lie in another folder.")
        place = st.text_input("Folder of the table", str(Path(project.source).parent), key="m_labels_folder")
        names = _tables(project, profile, place, told)
        left, right = st.columns(2, gap="large")
        file = left.selectbox("Table that labels the pictures", names, names.index(told.get("file", BY_ITSELF)),
                              key="m_labels_file", format_func=lambda each: ui.clean(each, 90))
        tag = told.get("patient_tag", "PatientID")
        if table.pictures is not None and {"dicom", "other"} & set(table.pictures.by.get("kind", {})):
            tag = right.selectbox("Tag that tells patients apart", list(PATIENT_TAGS), list(PATIENT_TAGS).index(tag),
                                  key="m_labels_tag", help="What it holds is hashed as it is read.")
        if st.button("Scan again with these", icon=":material/refresh:", key="m_labels_go", **ui.allowed("scan")):
            return ({} if file == BY_ITSELF else {"file": file}) | ({} if tag == "PatientID" else {"patient_tag": tag})
    return None


def _tables(project: projects.Project, profile: Profile, place: str, told: Told) -> list[str]:
    """Tables that may label the pictures: those of the project's folder, then those of the folder that is named."""
    from medml.data.images.beside import tables_in_folder
    from medml.data.index import shown_from

    inside = [each.ref.path for each in profile.tables if each.pictures is None]
    found = within(READ, tables_in_folder, place) if place.strip() else []
    named = [shown_from(Path(project.source), each) for each in found]
    return list(dict.fromkeys([BY_ITSELF, *([told["file"]] if "file" in told else []), *inside, *named]))
