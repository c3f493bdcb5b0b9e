"""Accounts: rules for passwords, one answer for every failed sign-in, locks that grow, sessions that end."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from medml import __main__ as line
from medml import accounts, audit, passwords, rights, store
from medml.errors import UserError
from pages import _ward

ROUTER = Path(__file__).resolve().parents[1] / "pages" / "_router.py"
GOOD = "four unrelated brown words"


@pytest.fixture
def quick(monkeypatch):
    """argon2id with the least memory: what is tried here is not its strength."""
    from argon2 import PasswordHasher

    of_nobody = passwords._of_nobody
    of_nobody.cache_clear()
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: weak)
    yield weak
    of_nobody.cache_clear()


@pytest.fixture
def ada(quick):
    return accounts.add("Ada Lovelace", "clinician", GOOD, teams=["cardiology"])


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand: clock[0] seconds since 1970."""
    now = [1_800_000_000.0]
    monkeypatch.setattr(accounts.time, "time", lambda: now[0])
    return now


def test_passwords_are_kept_as_argon2id_by_the_settings_of_rfc_9106():
    kept = passwords.hashed(GOOD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$") and passwords.fits(GOOD, kept)
    assert not passwords.fits(GOOD + "s", kept) and not passwords.is_outdated(kept)


@pytest.mark.parametrize(("password", "said"), [
    ("short", "fewer than 12"), ("x" * 201, "more than 200"), ("aaaaaaaaaaaaaa", "hardly any different"),
    ("my name is ada lovelace", "holds the name")])
def test_a_password_that_breaks_a_rule_is_refused_in_words(quick, password, said):
    with pytest.raises(UserError, match=said):
        accounts.add("Ada Lovelace", "clinician", password)
    assert accounts.everybody() == []


def test_a_password_typed_on_another_system_is_the_same_one(ada):
    accounts.set_password(ada.name, "Größenordnung zwölf"[:14] + "e\u0301clair")
    assert accounts.sign_in(ada.name, "Größenordnung zwölf"[:14] + "éclair", place="here")


@pytest.mark.parametrize("name", ["", " ", "a/b", "../x", "a\nb", "<b>", "owner of this machine", "x" * 65, "-a"])
def test_a_name_that_could_be_something_else_is_refused(quick, name):
    with pytest.raises(UserError, match="no name for an account"):
        accounts.add(name, "viewer", GOOD)


def test_a_name_is_taken_whatever_its_case(ada):
    with pytest.raises(UserError, match="already"):
        accounts.add("ADA lovelace", "viewer", GOOD)


def test_who_signs_in_is_known_by_the_token_alone_and_the_database_holds_only_its_hash(ada):
    token, person = accounts.sign_in("ada lovelace", GOOD, place="10.0.0.7")
    assert (person.id, person.name, person.role, person.teams) == (ada.id, ada.name, "clinician", ("cardiology",))
    assert accounts.of_token(token).id == ada.id
    assert all(accounts.of_token(each) is None for each in (None, "", token[:-1], token.upper()))
    whole = b"".join(each.read_bytes() for each in store.path().parent.glob("medml.db*"))
    assert token.encode() not in whole and GOOD.encode() not in whole


def test_the_token_before_ends_when_a_new_one_begins(ada):
    first, _ = accounts.sign_in(ada.name, GOOD, place="here")
    second, _ = accounts.sign_in(ada.name, GOOD, place="here", in_place_of=first)
    assert accounts.of_token(first) is None and accounts.of_token(second) is not None and first != second


def test_a_session_ends_after_half_an_hour_without_a_touch_and_after_twelve_hours_with_them(ada, clock):
    token, _ = accounts.sign_in(ada.name, GOOD, place="here")
    for _ in range(24):
        clock[0] += 29 * 60
        assert accounts.of_token(token) is not None
        accounts.touch(token)
    clock[0] += 29 * 60  # twelve hours and five minutes
    assert accounts.of_token(token) is None
    token, _ = accounts.sign_in(ada.name, GOOD, place="here")
    clock[0] += 31 * 60
    accounts.touch(token)  # too late: what has ended is not brought back
    assert accounts.of_token(token) is None


def test_a_clock_that_was_set_back_ends_sessions(ada, clock):
    token, _ = accounts.sign_in(ada.name, GOOD, place="here")
    clock[0] -= 7200
    assert accounts.of_token(token) is None


@pytest.mark.parametrize("act", [
    lambda: accounts.set_role("Ada Lovelace", "viewer"), lambda: accounts.set_teams("Ada Lovelace", []),
    lambda: accounts.set_password("Ada Lovelace", GOOD + " more"), lambda: accounts.remove("Ada Lovelace")])
def test_every_session_ends_when_an_account_changes(ada, act):
    both = [accounts.sign_in(ada.name, GOOD, place="here")[0] for _ in range(2)]
    act()
    assert [accounts.of_token(each) for each in both] == [None, None]


@pytest.mark.parametrize("act", [lambda: accounts.set_password("Ada Lovelace", GOOD + " more"),
                                 lambda: accounts.reset("Ada Lovelace"), lambda: accounts.remove("Ada Lovelace")])
def test_a_password_that_was_taken_away_while_it_was_looked_at_signs_nobody_in(ada, monkeypatch, act):
    fits = passwords.fits

    def just_then(password, known):
        found = fits(password, known)
        act()
        return found
    monkeypatch.setattr(passwords, "fits", just_then)
    with pytest.raises(UserError, match="do not fit"):
        accounts.sign_in(ada.name, GOOD, place="here")
    with store.connect() as db:
        assert db.execute("SELECT count(*) FROM sessions").fetchone()[0] == 0
    assert [(each.act, each.outcome) for each in audit.entries() if each.act == "sign in"] == [("sign in", "failed")]


def test_a_password_that_is_hashed_anew_at_sign_in_signs_in(ada, monkeypatch):
    monkeypatch.setattr(passwords, "is_outdated", lambda known: True)
    token, person = accounts.sign_in(ada.name, GOOD, place="here")
    assert accounts.of_token(token).id == person.id == ada.id


def test_ones_own_password_ends_every_session_and_begins_one(ada):
    mine, elsewhere = (accounts.sign_in(ada.name, GOOD, place="here")[0] for _ in range(2))
    with pytest.raises(UserError, match="until now is another"):
        accounts.change_password(mine, "not this one at all", GOOD + " more", place="here")
    fresh = accounts.change_password(mine, GOOD, GOOD + " more", place="here")
    assert accounts.of_token(mine) is accounts.of_token(elsewhere) is None
    assert accounts.of_token(fresh).id == ada.id
    assert accounts.sign_in(ada.name, GOOD + " more", place="here")


def refused(name: str, password: str) -> tuple[str, str]:
    with pytest.raises(UserError) as error:
        accounts.sign_in(name, password, place="here")
    return error.value.what, error.value.fix


def test_a_failure_says_the_same_and_costs_the_same_whoever_it_is(ada, quick, monkeypatch, clock):
    asked = []
    kept = passwords._of_nobody()
    monkeypatch.setattr(passwords, "_of_nobody", lambda: kept)
    verify = type(quick).verify
    monkeypatch.setattr(type(quick), "verify", lambda self, known, given: asked.append(known) or
                        verify(self, known, given))
    said = {refused("Ada Lovelace", "wrong wrong wrong"), refused("Nobody Here", GOOD)}
    for _ in range(5):
        refused("Ada Lovelace", "wrong wrong wrong")
    said.add(refused("Ada Lovelace", GOOD))  # locked: even the right one
    assert len(said) == 1
    assert len(asked) == 8, "every try costs one argon2id"
    assert asked[1].split("$")[:4] == asked[0].split("$")[:4], "by the same settings"


def test_five_failures_lock_for_a_time_that_grows(ada, clock):
    for _ in range(5):
        refused(ada.name, "wrong wrong wrong")
    for seconds in (30, 60, 120, 240, 480, 900, 900):
        refused(ada.name, GOOD)
        clock[0] += seconds - 1
        refused(ada.name, GOOD)
        clock[0] += 2
        refused(ada.name, "wrong wrong wrong")  # the lock is over: this one counts
    clock[0] += 901
    assert accounts.sign_in(ada.name, GOOD, place="here")
    refused(ada.name, "wrong wrong wrong")
    assert accounts.sign_in(ada.name, GOOD, place="here"), "counting began anew"


def test_one_password_tried_on_many_names_locks_the_address_for_strangers_alone(ada, clock):
    accounts.add("Bea", "clinician", GOOD)
    assert accounts.sign_in(ada.name, GOOD, place="10.0.0.7")
    for number in range(20):
        with pytest.raises(UserError):
            accounts.sign_in(f"name {number}", "one guess for all of them", place="10.0.0.7")
    with pytest.raises(UserError, match="do not fit") as locked:
        accounts.sign_in("Bea", GOOD, place="10.0.0.7")
    assert locked.value.what == refused("Nobody", GOOD)[0]
    assert accounts.sign_in(ada.name, GOOD, place="10.0.0.7"), "who is known there goes on"
    assert accounts.sign_in("Bea", GOOD, place="10.0.0.8"), "and so does everybody elsewhere"
    clock[0] += 6
    assert accounts.sign_in("Bea", GOOD, place="10.0.0.7"), "it ends by itself"
    with pytest.raises(UserError):
        accounts.sign_in("Eve", "one guess for all of them", place="10.0.0.7")
    accounts.add("Cid", "viewer", GOOD)
    clock[0] += 6
    with pytest.raises(UserError):
        accounts.sign_in("Cid", GOOD, place="10.0.0.7")  # and comes back for longer
    clock[0] += accounts.QUIET
    refused("Nobody", GOOD)
    assert accounts.sign_in("Cid", GOOD, place="10.0.0.7"), "a quiet quarter of an hour is a new beginning"


@pytest.mark.parametrize(("one", "other", "same"), [
    ("10.0.0.7", "10.0.0.8", False), ("2001:db8::1", "2001:db8::ffff:1", True),
    ("2001:db8::1", "2001:db8:0:1::1", False), ("::ffff:10.0.0.7", "10.0.0.7", True)])
def test_an_address_is_counted_by_its_machine_and_kept_as_a_keyed_hash(one, other, same):
    assert (accounts._place(one) == accounts._place(other)) is same and one not in accounts._place(one)


@pytest.mark.parametrize("place", ["127.0.0.1", "::1", "this machine", "unknown", "::ffff:127.0.0.1"])
def test_this_machine_is_locked_for_nobody(place):
    assert accounts._place(place) == ""


def test_a_name_typed_in_vain_is_kept_as_a_keyed_hash_alone(ada):
    refused("my password by mistake", "x")
    whole = b"".join(each.read_bytes() for each in store.path().parent.glob("medml.db*"))
    assert b"my password by mistake" not in whole
    assert audit.entries()[-1].name == "a name that nobody has"


def command(monkeypatch, *arguments: str, typed: str = "") -> tuple[int, str, str]:
    out, error = io.StringIO(), io.StringIO()
    for name, stream in (("stdin", io.StringIO(typed)), ("stdout", out), ("stderr", error)):
        monkeypatch.setattr(line.sys, name, stream)
    return line.main(arguments), out.getvalue(), error.getvalue()


def test_the_command_line_keeps_accounts_and_every_act_is_in_the_log(quick, monkeypatch):
    assert command(monkeypatch, "accounts", "add", "Ada", "--role", "clinician", "--group", "cardiology",
                   typed=GOOD + "\n")[0] == 0
    assert accounts.sign_in("ada", GOOD, place="here")[1].teams == ("cardiology",)
    for more in (("role", "Ada", "viewer"), ("groups", "Ada", "surgery", "intensive care")):
        assert command(monkeypatch, "accounts", *more)[0] == 0
    assert command(monkeypatch, "accounts", "password", "Ada", typed=GOOD + " x\n")[0] == 0
    listed = json.loads(command(monkeypatch, "accounts", "list", "--json")[1])
    assert [(each["name"], each["role"], each["groups"]) for each in listed] == [
        ("Ada", "viewer", ["intensive care", "surgery"])]
    code, _, said = command(monkeypatch, "accounts", "remove", "Ada")
    assert code == 2 and "Add --yes" in said
    assert command(monkeypatch, "accounts", "remove", "Ada", "--yes")[0] == 0
    assert "There are no accounts" in command(monkeypatch, "accounts", "list")[1]
    assert [each.act for each in audit.entries()] == [
        "add “Ada” as clinician in cardiology", "sign in", "make “Ada” viewer",
        "put “Ada” in intensive care, surgery", "set a password for “Ada”", "remove “Ada”"]
    assert {each.name for each in audit.entries() if each.sort == "account" and each.act != "sign in"} == {
        rights.OWNER.name}
    assert "6 entries, all as they were written" in command(monkeypatch, "audit", "verify")[1]
    assert command(monkeypatch, "audit", "show", "--last", "2")[1].count("\n") == 4


def test_the_log_calls_no_change_of_an_account_done_that_was_refused(quick):
    accounts.add("Root", "administrator", GOOD)
    accounts.add("Ada", "viewer", GOOD)
    for act in (lambda: accounts.add("Ada", "administrator", GOOD), lambda: accounts.remove("Root"),
                lambda: accounts.set_role("Root", "viewer")):
        with pytest.raises(UserError):
            act()
    assert [(each.act, each.outcome) for each in audit.entries()[2:]] == [
        ("add “Ada” as administrator", "refused"), ("remove “Root”", "refused"), ("make “Root” viewer", "refused")]
    assert [(each.name, each.role) for each in accounts.everybody()] == [("Ada", "viewer"), ("Root", "administrator")]


def test_a_password_is_never_an_argument(monkeypatch):
    with pytest.raises(SystemExit):
        command(monkeypatch, "accounts", "add", "Ada", "--role", "viewer", "--password", GOOD)


def test_a_log_that_was_changed_is_exit_code_2(quick, monkeypatch):
    rights.note("train", "project", "p1")
    audit.head_file().unlink()
    code, _, said = command(monkeypatch, "audit", "verify")
    assert code == 2 and "not as it was written" in said


def test_the_last_administrator_with_a_password_stays():
    accounts.add("Ada", "administrator", GOOD)
    accounts.add("Ben", "clinician", GOOD)
    accounts.add("Cleo", "administrator", None, subject="of the hospital's service")
    for act in (lambda: accounts.remove("Ada"), lambda: accounts.set_role("Ada", "clinician")):
        with pytest.raises(UserError) as refused:
            act()
        assert refused.value.code == "last_administrator"
    assert accounts.get("Ada").role == "administrator"
    accounts.add("Dora", "administrator", GOOD)
    accounts.set_role("Ada", "viewer")
    accounts.remove("Ada")
    assert [each.name for each in accounts.everybody()] == ["Ben", "Cleo", "Dora"]


# ---- one-time passwords, and the screen of administrators --------------------------------------------------------

def test_a_one_time_password_holds_for_a_day_until_it_is_changed(ada, clock):
    before = accounts.sign_in(ada.name, GOOD, place="here")[0]
    once = accounts.reset(ada.name)
    assert re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", once) and accounts.of_token(before) is None
    refused(ada.name, GOOD)
    token, person = accounts.sign_in(ada.name, once, place="here")
    assert person.once and accounts.of_token(token).once
    fresh = accounts.change_password(token, once, GOOD + " more", place="here")
    assert not accounts.of_token(fresh).once and accounts.get(ada.name).once is None
    refused(ada.name, once)
    again = accounts.reset(ada.name)
    clock[0] += accounts.ONCE + 1
    refused(ada.name, again)
    assert once not in str(audit.entries()) and again not in str(audit.entries())


def test_who_signs_in_elsewhere_gets_no_password_here(quick):
    accounts.add("Eve", "viewer", None, subject="eve@hospital")
    with pytest.raises(UserError, match="hospital's own service"):
        accounts.reset("Eve")


@pytest.fixture
def screen(ada, monkeypatch):
    """A function that draws the screen for an administrator, or for somebody of another role."""
    accounts.add("Root", "administrator", GOOD)

    def draw(role: str = "administrator") -> AppTest:
        person = rights.Person(accounts.get("Root").id, "Root", role)
        monkeypatch.setattr(rights, "_who", lambda: person)
        monkeypatch.setattr(_ward, "who", lambda: person)
        page = AppTest.from_file(str(ROUTER), default_timeout=60).run()
        page.switch_page("accounts.py").run()
        assert not page.exception
        return page
    return draw


def text_of(page: AppTest) -> str:
    return " ".join(each.proto.body for each in page.get("html")) + " ".join(each.value for each in page.code)


def test_an_administrator_makes_an_account_whose_password_is_shown_once(screen):
    page = screen()
    page.text_input(key="m_new_name").input("Björn").run()
    page.selectbox(key="m_new_role").select("viewer")
    page.text_input(key="m_new_teams").input("surgery, study 12")
    page.button(key="m_next").click().run()
    made, once = accounts.get("Björn"), page.code[0].value
    assert (made.role, made.teams) == ("viewer", ("study 12", "surgery"))
    assert accounts.sign_in("Björn", once, place="here")[1].once
    assert "Björn" in text_of(page) and once not in text_of(page.run())
    assert audit.entries()[-2].act == "add “Björn” as viewer in study 12, surgery"
    assert audit.entries()[-2].thing == made.id


def test_role_groups_password_and_end_of_an_account_are_an_administrators(screen, ada):
    page = screen()
    page.selectbox(key=f"m_role_{ada.id}").select("viewer").run()
    page.text_input(key=f"m_teams_{ada.id}").input("surgery").run()
    page.button(key="m_account_save").click().run()
    assert (accounts.get(ada.name).role, accounts.get(ada.name).teams) == ("viewer", ("surgery",))
    page.button(key="m_account_reset").click().run()
    assert accounts.sign_in(ada.name, page.code[0].value, place="here")[1].once
    page.checkbox(key=f"m_sure_{ada.id}").check().run()
    page.button(key="m_account_remove").click().run()
    assert [each.name for each in accounts.everybody()] == ["Root"]
    mine = accounts.get("Root").id
    page.checkbox(key=f"m_sure_{mine}").check().run()
    done = [(each.name, each.act, each.thing) for each in audit.entries() if each.name == "Root"]
    assert [(name, thing) for name, _, thing in done[-4:]] == [("Root", ada.id)] * 4
    assert [act for _, act, _ in done[-4:]] == [f"put “{ada.name}” in surgery", f"make “{ada.name}” viewer",
                                                f"give “{ada.name}” a one-time password", f"remove “{ada.name}”"]


def test_the_last_administrator_stays_on_the_screen_too(screen, ada):
    page = screen()
    page.selectbox(key="m_account").select("Root").run()
    page.checkbox(key=f"m_sure_{accounts.get('Root').id}").check().run()
    page.button(key="m_account_remove").click().run()
    assert "last administrator" in text_of(page) and accounts.get("Root").role == "administrator"


def test_nobody_else_sees_the_accounts_and_a_laptop_has_none(screen, ada, monkeypatch):
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        screen("clinician")
    monkeypatch.setattr(rights, "_who", None)
    said = text_of(AppTest.from_file(str(ROUTER), default_timeout=60).run().switch_page("accounts.py").run())
    assert "Nobody signs in on this machine" in said and ada.name not in said
