"""Signing in by the hospital's own service: an OpenID Connect provider on this machine and the served app."""

from __future__ import annotations

import html
import re
import time
import urllib.request
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from medml import accounts, audit, hospital
from medml.errors import UserError
from medml.rights import ROLES
from tests.e2e import served as serving
from tests.oidc_provider import CLIENT, SECRET, provider
from tests.ward import Client, ward_served

ROLES_SAID = "groups:medml-viewers=viewer,groups:medml-clinicians=clinician,groups:medml-admins=administrator"
CLAIMS = {"iss": "https://sso.example", "sub": "u1", "name": "Ada Lovelace"}


@pytest.fixture
def by_groups(monkeypatch):
    monkeypatch.setenv(hospital.ROLES_BY, ROLES_SAID)
    monkeypatch.setenv(hospital.TEAMS_BY, "groups:cardio=cardiology,department:C3=heart study")


def come(**claims):
    return hospital.sign_in(CLAIMS | {"iat": time.time()} | claims, place="10.0.0.1")


@pytest.mark.parametrize(("groups", "role"), [
    (["medml-viewers"], "viewer"), (["medml-viewers", "medml-clinicians", "x"], "clinician"),
    ("medml-admins", "administrator")])
def test_the_highest_role_that_the_token_gives_holds(by_groups, groups, role):
    assert come(groups=groups)[1].role == role


@pytest.mark.parametrize(("claims", "said"), [
    ({"groups": []}, "in no group"), ({}, "in no group"), ({"groups": ["MEDML-ADMINS"]}, "in no group"),
    ({"groups": ["medml-viewers"], "iat": 1_000_000}, "too old"),
    ({"groups": ["medml-viewers"], "iat": None}, "too old"),
    ({"groups": ["medml-viewers"], "iat": "x"}, "did not say who")])
def test_who_has_no_role_or_an_old_token_does_not_come_in(by_groups, claims, said):
    with pytest.raises(UserError, match=said):
        come(**claims)
    assert accounts.everybody() == [] and audit.entries()[-1].outcome == "failed"


def test_role_and_groups_are_what_the_token_says_every_time(by_groups):
    token, first = come(groups=["medml-clinicians", "cardio"])
    assert first.teams == ("cardiology",)
    fresh, second = come(groups=["medml-viewers"], department="C3")
    assert second.id == first.id and (second.role, second.teams) == ("viewer", ("heart study",))
    assert accounts.of_token(token) is None and accounts.of_token(fresh, place="10.0.0.1") == second


def test_who_lost_every_role_at_the_hospital_is_sent_out_of_every_window(by_groups):
    token = come(groups=["medml-viewers"])[0]
    with pytest.raises(UserError, match="in no group"):
        come(groups=[])
    assert accounts.of_token(token) is None and audit.entries()[-1].name == "Ada Lovelace"


def test_an_account_that_the_hospital_made_is_in_the_log_and_each_change_of_it(by_groups):
    for groups in (["medml-viewers"], ["medml-viewers"], ["medml-admins"]):
        come(groups=groups)
    assert [each.act.partition(" “")[0] for each in audit.entries()] == ["add", "sign in", "sign in", "make", "sign in"]
    assert [each.act.rpartition("” ")[2] for each in audit.entries()[::3]] == ["as viewer", "administrator"]


def test_an_account_and_a_change_of_it_that_the_log_cannot_hold_are_not_made(by_groups, monkeypatch):
    def unwritten(**entry):
        raise UserError(what="The audit log cannot be written.", fix="Make room.", code="no_head")
    with monkeypatch.context() as full:
        full.setattr(audit, "add", unwritten)
        with pytest.raises(UserError, match="cannot be written"):
            come(groups=["medml-admins"])
    assert accounts.everybody() == []
    come(groups=["medml-viewers"])
    monkeypatch.setattr(audit, "add", unwritten)
    with pytest.raises(UserError, match="cannot be written"):
        come(groups=["medml-admins"])
    assert [each.role for each in accounts.everybody()] == ["viewer"]


def test_another_person_of_the_same_name_is_another_account(by_groups):
    first, second = come(groups=["medml-viewers"])[1], come(groups=["medml-viewers"], sub="u2")[1]
    assert first.id != second.id and second.name.startswith("Ada Lovelace ")
    assert come(groups=["medml-viewers"], iss="https://other.example")[1].id not in (first.id, second.id)


def test_an_account_of_the_hospital_has_no_password_to_guess(by_groups):
    come(groups=["medml-viewers"])
    for password in ("", "None", "four unrelated brown words"):
        with pytest.raises(UserError, match="do not fit"):
            accounts.sign_in("Ada Lovelace", password, place="10.0.0.1")


def test_a_name_that_is_no_name_is_made_one(by_groups):
    assert come(groups=["medml-viewers"], name="../../<b>x</b>\n")[1].name == "bxb"


@pytest.mark.parametrize("said", ["groups=viewer", "x:y=", ":y=viewer", "groups:a=physician"])
def test_a_rule_that_cannot_be_read_stops_the_start(monkeypatch, said):
    monkeypatch.setenv(hospital.ROLES_BY, said)
    with pytest.raises(UserError, match="MEDML_OIDC_ROLES"):
        hospital.check()
    assert "physician" not in ROLES


# ---- the whole way ---------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def way(tmp_path_factory):
    """(provider, app) that know each other."""
    place = tmp_path_factory.mktemp("hospital")
    (place / "studies").mkdir()
    port = serving.free_port()
    with pytest.MonkeyPatch.context() as patch, provider() as sso:
        patch.setattr(serving, "free_port", lambda: port)
        secrets = place / "secrets.toml"
        secrets.write_text(f'[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
                           f'cookie_secret = "{"0123456789abcdef" * 4}"\nclient_id = "{CLIENT}"\n'
                           f'client_secret = "{SECRET}"\n'
                           f'server_metadata_url = "{sso.url}/.well-known/openid-configuration"\n')
        with ward_served(place / "home", place / "studies", patch, STREAMLIT_SECRETS_FILES=str(secrets),
                         MEDML_OIDC_ROLES=ROLES_SAID) as app:
            yield sso, app


class Stay(urllib.request.HTTPRedirectHandler):
    """Where somebody is sent is looked at, not gone to."""

    def redirect_request(self, *given):
        return None


def through(way, client: Client, link: str = "/sign-in/hospital"):
    """The way of a browser: to the hospital, back, and in; the last answer."""
    sso, app = way
    began = client.ask(client.ask(link).headers["location"])
    assert began.headers["location"].startswith(f"{sso.url}/authorize?")
    with pytest.raises(HTTPError) as sent:
        urllib.request.build_opener(Stay).open(began.headers["location"], timeout=20)
    back = urlsplit(sent.value.headers["location"])
    sent.value.close()
    client.ask(f"{back.path}?{back.query}")
    first = client.ask("/")
    return client.ask(first.headers["location"]) if first.status == 303 else first


def test_the_hospitals_service_signs_in_and_its_own_cookie_goes(way):
    sso, app = way
    client = Client(app)
    assert b"hospital" in client.ask("/sign-in").body
    answer = through(way, client)
    assert answer.status == 200 and b'http-equiv="refresh"' in answer.body
    line = answer.cookies()["medml"].lower()
    assert "samesite=strict" in line and "httponly" in line
    assert not [name for name in client.cookies if name.startswith("_streamlit_user")]
    window = client.window()
    assert "Ada Lovelace" in window.draw()
    window.close()


@pytest.mark.parametrize("wrong", ["groups", "key", "audience", "nonce", "old"])
def test_a_token_that_is_not_right_signs_nobody_in(way, wrong, monkeypatch):
    from joserfc.jwk import RSAKey

    sso, app = way
    spoilt = {"groups": {"groups": []}, "audience": {"aud": "another"}, "nonce": {"nonce": "x"},
              "old": {"iat": int(time.time()) - 3600, "exp": int(time.time()) + 60}, "key": {}}[wrong]
    monkeypatch.setattr(sso, "spoil", spoilt)
    if wrong == "key":
        monkeypatch.setattr(sso, "signs_with", RSAKey.generate_key(2048, {"kid": "one"}, private=True))
    client = Client(app)
    answer = through(way, client)
    assert "medml" not in client.cookies and b"http-equiv" not in answer.body
    assert client.ask("/gallery").status == 303


@pytest.mark.parametrize(("to", "where"), [
    ("%2Fgallery%3Frun%3Dr1%26a%3Db", "/gallery?run=r1&amp;a=b"), ("%2F%2Fevil.example", "/"), ("%2Fsign-in", "/"),
    ("%2Fx%22%3E%3Cb%3E", "/x&quot;&gt;&lt;b&gt;")])
def test_who_wanted_to_go_somewhere_is_led_there_by_the_hospitals_way_too(way, to, where):
    client = Client(way[1])
    link = re.search(r'href="(/sign-in/hospital[^"]*)"', client.ask(f"/sign-in?to={to}").body.decode())[1]
    answer = through(way, client, html.unescape(link))
    assert f'url={where}"' in answer.body.decode() and f'href="{where}">Go to MedML' in answer.body.decode()
    assert "medml_to" not in client.cookies


def told(client: Client, answer):
    """The page to which an answer leads."""
    assert answer.status == 303 and answer.headers["location"].startswith("/sign-in/hospital/done")
    return client.ask(answer.headers["location"])


def test_a_service_that_cannot_be_asked_is_said_in_words(way, monkeypatch):
    sso, app = way
    monkeypatch.setattr(sso, "discovery", dict)
    client = Client(app)
    answer = told(client, client.ask(client.ask("/sign-in/hospital").headers["location"]))
    assert answer.status == 503 and "service could not be asked" in answer.body.decode()
    assert b'href="/sign-in"' in answer.body


@pytest.mark.parametrize("came", ["error=access_denied", "code=abc", ""])
def test_who_comes_back_without_a_name_is_told_so(way, came):
    """Cancelled there, or gone back to in the browser's history."""
    client = Client(way[1])
    answer = told(client, client.ask(f"/oauth2callback?{came}&state=x"))
    assert answer.status == 403 and "did not say who you are" in answer.body.decode()


def test_who_is_in_goes_on_where_an_old_way_in_is_opened_again(way):
    client = Client(way[1])
    through(way, client)
    assert client.ask(client.ask("/oauth2callback?code=abc&state=x").headers["location"]).headers["location"] == "/"


def test_opening_that_page_again_and_again_writes_nothing_into_the_log(way, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(way[1].home))
    before = len(audit.entries())
    assert Client(way[1]).ask("/sign-in/hospital/done").status == 403
    assert len(audit.entries()) == before


def test_a_password_that_the_hospital_keeps_is_not_asked_for_here(way):
    client = Client(way[1])
    through(way, client)
    page = client.ask("/password").body.decode()
    assert "kept by the hospital’s own service" in page and 'type="password"' not in page
    window = client.window()
    assert "Sign out" in (drawn := window.draw()) and "Change the password" not in drawn
    window.close()


def test_a_cookie_that_nobody_signed_signs_nobody_in(way):
    sso, app = way
    client = Client(app, {"_streamlit_user": "eyJpc3MiOiAieCJ9.forged"})
    assert client.ask("/").headers["location"] == "/sign-in/hospital/done"
    answer = client.ask("/sign-in/hospital/done")
    assert answer.status == 403 and "medml" not in client.cookies and "_streamlit_user" not in client.cookies
    assert client.ask("/").headers["location"] == "/sign-in"
