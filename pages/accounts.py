"""Accounts: who may sign in where the app is served to others. For administrators; a laptop has none."""

from __future__ import annotations

import time

import streamlit as st

from medml import accounts, rights
from medml.store.accounts import Account
from pages import _ui as ui
from pages._ui_belonging import tell_locked

TITLE = "Accounts"
LEAD = "Who may sign in, as what, and in which groups. Every change here is in the audit log."
SAID = "m_once"  # a one-time password, until it was shown
OTHERS = "hospital’s service"


def listed(everybody: list[Account]) -> None:
    """A line an account."""
    rows = [(each.name, each.role.capitalize(), ", ".join(each.teams) or "–", _by(each),
             ui.Cell(ui.html(time.strftime("%Y-%m-%d", time.localtime(each.made))), each.made)) for each in everybody]
    ui.table(["Name", "Role", "Groups", "Signs in by", "Since"], rows, raw=(4,))


def _by(each: Account) -> str:
    if each.password is None:
        return OTHERS
    if each.once is None:
        return "password"
    return "one-time password, too old" if each.once < time.time() else "one-time password"


def told() -> None:
    """The one-time password that was just made: shown in this window, once."""
    known = st.session_state.pop(SAID, None)
    if known is not None:
        name, password = known
        with st.container(key="m_card_once"):
            ui.say("note", f"The one-time password of “{ui.clean(name, 64)}” is below.", "Tell it to nobody else. It "
                   "holds for 24 hours and is changed at the first sign-in; it is shown this once and kept nowhere.")
            st.code(password, language=None)


def groups_of(text: str) -> list[str]:
    """Names of groups, separated by commas."""
    return [each.strip() for each in text.split(",") if each.strip()]


def change(everybody: list[Account]) -> None:
    """Role, groups, a new password, the end of one account."""
    ui.section("Change an account", "Whoever is changed is signed out and signs in again.")
    name = st.selectbox("Account", [each.name for each in everybody], key="m_account", format_func=ui.clean)
    one = next(each for each in everybody if each.name == name)
    with st.container(key="m_card_account"):
        left, right = st.columns(2, gap="large")
        role = left.selectbox("Role", rights.ROLES, rights.ROLES.index(one.role), key=f"m_role_{one.id}",
                              format_func=lambda each: f"{each.capitalize()}: {rights.ROLE_WORDS[each]}")
        teams = groups_of(right.text_input("Groups, separated by commas", ", ".join(one.teams), key=f"m_teams_{one.id}",
                                           max_chars=400))
        with st.container(horizontal=True, gap="small"):
            if st.button("Save role and groups", key="m_account_save", icon=":material/check:",
                         disabled=(role, sorted(teams)) == (one.role, sorted(one.teams))):
                save(one, role, teams)
            if st.button("Give a one-time password", key="m_account_reset", icon=":material/password:",
                         disabled=one.password is None,
                         help="The hospital’s service keeps this password." if one.password is None else None):
                st.session_state[SAID] = (one.name, accounts.reset(one.name))
                st.rerun()
        sure = st.checkbox("Yes, remove this account", key=f"m_sure_{one.id}")
        if st.button("Remove", key="m_account_remove", icon=":material/delete:", disabled=not sure):
            accounts.remove(one.name)
            st.rerun()


def save(one: Account, role: str, teams: list[str]) -> None:
    """Keep what has changed."""
    if sorted(teams) != sorted(one.teams):
        accounts.set_teams(one.name, teams)
    if role != one.role:
        accounts.set_role(one.name, role)
    st.rerun()


def new() -> None:
    """The form of one more account, and the button that makes it."""
    ui.section("A new account", "It begins with a one-time password, which is shown once.")
    with st.container(key="m_card_new_account"):
        left, middle, right = st.columns(3, gap="large")
        name = left.text_input("Name", key="m_new_name", max_chars=64, placeholder="Ada Lovelace")
        role = middle.selectbox("Role of the new account", rights.ROLES, 1, key="m_new_role",
                                format_func=str.capitalize)
        teams = right.text_input("Groups of the new account", key="m_new_teams", max_chars=400,
                                 placeholder="cardiology, study 12")
    if ui.next_button("Add the account"):
        password = accounts.one_time()
        made = accounts.add(name, role, password, teams=groups_of(teams), once=True)
        st.session_state[SAID] = (made.name, password)
        for field in ("m_new_name", "m_new_teams"):
            del st.session_state[field]
        st.rerun()


with ui.page(TITLE, project_required=False, lead=LEAD):
    if not rights.of_many():
        ui.empty("Nobody signs in on this machine.", "MedML answers its owner alone here. Accounts are for an app that "
                 "is served to others, as deploy/README.md describes.")
    elif not tell_locked("accounts"):
        told()
        listed(accounts.everybody())
        change(accounts.everybody())
        new()
