"""Who is signed in, in the corner of the bar: role, groups, one's own password, signing out. Nothing on a laptop."""

from __future__ import annotations

import streamlit as st

from medml import rights
from pages import _ward as ward
from pages._ui_plain import html, plain

PASSWORD = '<p class="m-person"><a href="/password" target="_self">Change the password</a></p>'
LONGEST = 24  # characters of a name in the bar


def menu() -> None:
    """A button with the name; what is behind it."""
    if not rights.of_many():
        return
    person = rights.current()
    shown = person.name if len(person.name) <= LONGEST else f"{person.name[:LONGEST - 1]}…"
    with st.popover(plain(shown), icon=":material/account_circle:", type="tertiary", key="m_person",
                    help="Who is signed in"):
        groups = f"<br>In {html(', '.join(person.teams), 200)}" if person.teams else ""
        st.html(f'<p class="m-what">{html(person.name, 80)}</p><p class="m-note">{html(person.role.capitalize())}: '
                f'{html(rights.ROLE_WORDS[person.role])}{groups}</p>'
                f'{"" if person.by_hospital else PASSWORD}')
        if ward.opens("audit"):
            st.page_link("audit.py", label="Audit log", icon=":material/history:")
        if ward.opens("accounts"):
            st.page_link("accounts.py", label="Accounts", icon=":material/group:")
        st.button("Sign out", icon=":material/logout:", key="m_sign_out", on_click=ward.sign_out)
