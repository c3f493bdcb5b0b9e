"""The app as it is served to others: nothing without a session, by HTTP, by websocket, at every message."""

from __future__ import annotations

import os
import time

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import InvalidStatus

from medml import accounts, audit, project, rights
from medml.store import accounts as rows
from medml.store.database import connect
from pages._ward_gate import Gate, answer
from tests.ward import HEADERS, PASSWORD, Client, to_its_end, trained_by_ada, ward_served


@pytest.fixture(scope="module")
def module_patch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def app(tmp_path_factory, module_patch):
    place = tmp_path_factory.mktemp("ward")
    (place / "studies").mkdir()
    (place / "studies" / "heart.csv").write_text("age,died\n61,yes\n")
    with ward_served(place / "home", place / "studies", module_patch) as running:
        yield running


@pytest.fixture(autouse=True)
def same_home(app, medml_home, monkeypatch):
    """These tests look into the home of the served app."""
    monkeypatch.setenv("MEDML_HOME", str(app.home))


@pytest.fixture(scope="module")
def ada(app):
    return Client(app).sign_in("Ada")


@pytest.fixture(scope="module")
def bea(app):
    return Client(app).sign_in("Bea")


@pytest.fixture
def heart(app, ada, monkeypatch):
    """A project of Ada's."""
    person = accounts.of_token(ada.token)
    monkeypatch.setenv("MEDML_ROOTS", str(app.home.parent / "studies"))
    with monkeypatch.context() as as_ada:
        as_ada.setattr(rights, "_who", lambda: person)
        return project.create(app.home.parent / "studies" / "heart.csv", "Ada's very own hearts")


# ---- nothing without a session ---------------------------------------------------------------------------------

@pytest.mark.parametrize("path", ["/", "/gallery?run=r1", "/password", "/audit", "/%2e%2e/sign-in", "//sign-in"])
def test_a_page_leads_to_the_sign_in_page(app, path):
    answer = Client(app).ask(path)
    assert answer.status in (303, 400) and b"MedML" not in answer.body
    if answer.status == 303:
        assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/media/0123.png"), ("GET", "/app/static/evaluate.png"), ("GET", "/static/js/index.js"),
    ("GET", "/_stcore/metrics"), ("PUT", "/_stcore/upload_file/s/f"),
    ("GET", "/component/x/index.html"), ("GET", "/_stcore/bidi-components/x/y"), ("POST", "/sign-out"),
    ("POST", "/password"), ("DELETE", "/"), ("GET", "/_stcore/agent")])
def test_nothing_else_is_answered(app, method, path):
    assert Client(app).ask(path, method).status == 401


@pytest.mark.parametrize("cookie", ["", "medml=", "medml=wrong", "__Host-medml=wrong", "medml=" + "x" * 5000])
def test_no_websocket_is_opened(app, cookie):
    with pytest.raises(InvalidStatus) as refused:
        Client(app).window(Cookie=cookie)
    assert refused.value.response.status_code == 403
    assert set(map(str.lower, refused.value.response.headers)) >= HEADERS


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/look.css", "/sign-in/font.woff2", "/sign-in/favicon.png",
                                  "/_stcore/health", "/_stcore/host-config"])
def test_the_sign_in_page_and_its_look_are_all_that_is_open(app, path):
    assert Client(app).ask(path).status == 200


@pytest.mark.parametrize(("path", "method", "host", "status"), [
    ("/", "GET", "127.0.0.1", 303), ("/sign-in", "GET", "127.0.0.1", 200), ("/sign-in", "POST", "127.0.0.1", 403),
    ("/media/x", "GET", "127.0.0.1", 401), ("/sign-in/none", "GET", "127.0.0.1", 303),
    ("/", "GET", "evil.example", 421), ("/sign-in", "DELETE", "127.0.0.1", 405)])
def test_every_answer_carries_every_header(app, path, method, host, status):
    answer = Client(app).ask(path, method, Host=host)
    assert answer.status == status
    assert {name.lower() for name in answer.headers} >= HEADERS
    assert "strict-transport-security" not in answer.headers


# ---- signing in ------------------------------------------------------------------------------------------------

def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(app):
    answer = Client(app).post("/sign-in", name="Carl", password=PASSWORD)
    line = answer.cookies()["medml"].lower()
    assert "httponly" in line and "samesite=strict" in line and "path=/" in line and "domain" not in line
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("scheme", "name", "status"), [
    ("https", "medml", 303), ("https", "__Host-medml", 200), ("http", "medml", 200)])
def test_behind_tls_a_cookie_that_a_neighbour_may_plant_is_no_session(app, ada, scheme, name, status):
    """evil.hospital.example can set "medml" for the whole domain, and let somebody work in its own session; a name
    that begins with __Host- it cannot set."""
    said = []

    async def screen(scope, receive, send):
        await answer(send, 200, "a screen")

    async def send(message):
        said.append(message.get("status"))
    asked = {"type": "http", "scheme": scheme, "method": "GET", "path": "/jobs", "query_string": b"",
             "client": ("10.0.0.1", 1), "headers": [(b"cookie", f"theme=x; {name}={ada.token}; y".encode())]}
    to_its_end(lambda: Gate(screen)(asked, None, send))
    assert said[0] == status


def test_a_token_that_the_browser_had_before_is_never_taken_over(app):
    client = Client(app, {"medml": "a-token-that-somebody-planted"}).sign_in("Carl")
    first = client.token
    assert first != "a-token-that-somebody-planted"
    fresh = Client(app, {"medml": first, "medml_form": "x"})
    answer = fresh.ask("/sign-in", "POST", f"form=x&name=Carl&password={PASSWORD.replace(' ', '+')}")
    assert answer.status == 303 and fresh.token != first and accounts.of_token(first) is None


@pytest.mark.parametrize("fields", [{"form": "wrong"}, {"form": ""}])
def test_a_form_of_another_site_signs_nobody_in(app, fields):
    answer = Client(app).post("/sign-in", name="Carl", password=PASSWORD, **fields)
    assert answer.status == 403 and "medml" not in answer.cookies() and b"not opened here" in answer.body


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/password"])
def test_what_another_site_sends_is_refused(app, ada, path, origin):
    answer = ada.ask(path, "POST", "x=1", Origin=origin)
    assert answer.status == 403 and answer.body == b"This was asked by another site.\n"
    assert accounts.of_token(ada.token) is not None


@pytest.mark.parametrize(("to", "where"), [
    ("/gallery?run=r1", "/gallery?run=r1"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil", "/"),
    ("/sign-out", "/"), ("javascript:alert(1)", "/"), ("/a\r\nset-cookie: x=1", "/")])
def test_signing_in_leads_on_to_an_address_of_ours_alone(app, to, where):
    assert Client(app).post("/sign-in", name="Carl", password=PASSWORD, to=to).headers["location"] == where


def test_a_failure_says_the_same_for_a_name_that_nobody_has(app):
    said = [Client(app).post("/sign-in", name=name, password="wrong wrong wrong") for name in ("Root", "Nobody")]
    bodies = {each.body.replace(b"Root", b"").replace(b"Nobody", b"").split(b'name="form" value="')[0] for each in said}
    assert len(bodies) == 1 and {each.status for each in said} == {403}


def test_names_and_words_are_text_on_the_page(app):
    body = Client(app).post("/sign-in", name='"><script>alert(1)</script>', password="x").body
    assert b"<script>" not in body and b"&lt;script&gt;" in body


def test_what_a_proxy_would_say_is_not_believed_of_anybody(app):
    answer = Client(app).ask("/sign-in", X_Forwarded_Proto="https", X_Forwarded_For="10.7.7.7")
    assert "strict-transport-security" not in answer.headers and "ecure" not in answer.cookies()["medml_form"]




def test_signing_out_ends_the_session_and_leaves_nothing(app):
    client = Client(app).sign_in("Carl")
    token = client.token
    client.ask("/password")
    answer = client.ask("/sign-out", "POST", f"form={client.cookies['medml_form']}")
    assert answer.status == 303 and "medml" not in client.cookies
    assert '"storage"' in answer.headers["clear-site-data"] and accounts.of_token(token) is None
    assert client.ask("/").status == 303


def test_ones_own_password_is_changed_on_a_page(app):
    accounts.add("Dora", "viewer", PASSWORD)
    client, elsewhere = Client(app).sign_in("Dora"), Client(app).sign_in("Dora")
    new = {"new": PASSWORD + " now", "again": PASSWORD + " now"}
    for fields, said in (({"old": "not this one at all"} | new, "until now is another one"),
                         ({"old": PASSWORD, "new": "short", "again": "short"}, "fewer than 12"),
                         ({"old": PASSWORD} | new | {"again": "x"}, "two different ways")):
        answer = client.post("/password", **fields)
        assert answer.status == 403 and said in answer.body.decode()
    assert client.post("/password", old=PASSWORD, **new).status == 303
    assert client.ask("/").status == 200 and elsewhere.ask("/").status == 303


def test_a_one_time_password_opens_the_page_on_which_it_is_changed_and_nothing_else(app):
    accounts.add("Emil", "clinician", PASSWORD, once=True)
    client = Client(app).sign_in("Emil")
    for path in ("/", "/gallery", "/sign-in"):
        assert client.ask(path).headers["location"] in ("/password", "/")
    assert client.ask("/_stcore/metrics").status == 401 and client.ask("/static/js/x.js").status != 200
    with pytest.raises(InvalidStatus):
        client.window()
    assert b"for one use" in client.ask("/password").body
    assert client.post("/password", old=PASSWORD, new=PASSWORD + " now", again=PASSWORD + " now").status == 303
    assert client.ask("/").status == 200
    client.window().close()


# ---- what a session is shown -----------------------------------------------------------------------------------

def test_nothing_that_one_person_was_shown_stays_in_the_browser(app, ada):
    assert ada.ask("/").headers["cache-control"] == "no-store"
    assert "immutable" in ada.ask(next(iter(link_of(ada)))).headers["cache-control"], "scripts are everybody's"


def link_of(client: Client) -> list[str]:
    return [each[1:each.index(">")] for each in client.ask("/").headers["link"].split(", ")]


def test_another_person_does_not_see_a_project_and_is_not_told_that_it_is_there(app, ada, bea, heart):
    mine, theirs = ada.window(), bea.window()
    assert "very own hearts" in heart.name and "very own hearts" in mine.draw()
    assert "very own hearts" not in theirs.draw()
    opened = bea.window("scan")
    text = opened.draw(f"project={heart.id}")
    assert "no longer there" in text and "hearts" not in text and "heart.csv" not in text
    for each in (mine, theirs, opened):
        each.close()


@pytest.fixture(scope="module")
def shared(app):
    """(project, run) of Ada's that her group sees."""
    return trained_by_ada(app)


@pytest.mark.parametrize("screen", ["configure", "evaluate", "gallery"])
def test_a_viewer_of_the_group_sees_every_screen_and_nobody_else_any(app, bea, shared, screen):
    carl, theirs = Client(app).sign_in("Carl").window(screen), bea.window(screen)
    address = f"project={shared[0]}&run={shared[1]}"
    seen, unseen = carl.draw(address), theirs.draw(address)
    assert "Third floor" in seen or "clinic" in seen
    assert seen.count("You see everything here as it is") == (screen == "configure"), "said once, where all is drawn"
    assert "no longer there" not in seen and "MedML made a mistake" not in seen + unseen
    assert "clinic" not in unseen and "Third floor" not in unseen
    carl.close()
    theirs.close()


def test_nobody_goes_on_in_a_window_that_another_person_opened(app, ada, bea, heart):
    mine = ada.window()
    mine.draw()
    mine.close()
    again = ada.window(session=mine.session)
    again.draw()
    assert again.session == mine.session, "one's own window goes on"
    again.close()
    theirs = bea.window(session=mine.session)
    text = theirs.draw()
    assert theirs.session != mine.session and "hearts" not in text
    theirs.close()


def test_a_file_in_memory_is_for_whom_it_was_drawn(app, ada, bea):
    window = ada.window()
    text = window.draw()
    icon = next(each for each in text.split('"') if each.startswith("/media/"))
    assert ada.ask(icon).status == 200
    assert Client(app).sign_in("Carl").ask(icon).status == 404, "no window of his has drawn it"
    assert bea.ask(f"/_stcore/upload_file/{window.session}/f", "PUT", "x").status == 404
    window.close()


def test_a_session_that_ends_draws_nothing_more_and_its_window_is_sent_away(app):
    client = Client(app).sign_in("Carl")
    window, idle = client.window(), client.window()
    assert "new_session" in window.draw() and "new_session" in idle.draw()
    accounts.set_teams("Carl", ["cardiology"])  # by another process: every session of his ends
    said = window.draw()
    assert "delta {" not in said and window.away == "/sign-in?ended=2"
    idle.until_still()  # nobody touches it
    assert idle.away == "/sign-in?ended=2"
    with pytest.raises(InvalidStatus):
        client.window()


@pytest.mark.parametrize("cookies", [{}, {"medml": "a-session-that-has-ended"}])
def test_a_window_that_was_cut_off_while_its_session_ended_is_sent_away_too(app, cookies):
    """A machine that slept: what its window showed stayed there, under “Connection failed with status 401.”"""
    window = Client(app, dict(cookies)).window(session="one-that-was-open")
    text = window.until_still()
    assert window.away == "/sign-in?ended=2" and window.closed and not window.session and "delta {" not in text


@pytest.mark.parametrize(("ended", "said"), [
    ("1", "You are signed out."), ("2", "half an hour after your last click"), ("3", "")])
def test_the_sign_in_page_says_why_somebody_is_there(app, ended, said):
    note = Client(app).ask(f"/sign-in?ended={ended}").body.decode().partition('role="status">')[2].partition("</p>")[0]
    assert said in note and bool(said) == bool(note)
    assert ("work in the queue goes on" in note) == (ended == "2")


def test_who_signs_out_in_one_window_is_told_so_in_the_others(app):
    client = Client(app).sign_in("Carl")
    window, client.cookies["medml_form"] = client.window(), "x"
    window.draw()
    client.ask("/sign-out", "POST", "form=x")
    window.until_still()
    assert window.away == "/sign-in?ended=1"
    window.close()


def test_a_click_of_a_session_that_ended_starts_nothing(app, heart):
    root = Client(app).sign_in("Root")
    window = root.window()
    text = window.draw()
    assert "m_sign_out" in text
    key = next(each for each in text.split('"') if each.endswith(f"-m_remove_{heart.id}") or
               each.endswith("-m_example"))
    accounts.set_role("Root", "administrator")
    before = len(audit.entries()), sorted(os.listdir(app.home / "projects"))
    message = BackMsg()
    pressed = message.rerun_script.widget_states.widgets.add()
    pressed.id, pressed.trigger_value = key, True
    window.send(message)
    window.until_still()
    assert window.away and (len(audit.entries()), sorted(os.listdir(app.home / "projects"))) == before


def test_a_timer_does_not_keep_a_session_alive_and_a_hand_does(app, monkeypatch):
    client = Client(app).sign_in("Carl")
    window, name = client.window(), accounts._hash(client.token)
    window.draw()
    with connect(write=True) as db:
        db.execute("UPDATE sessions SET seen = seen - 600 WHERE token = ?", [name])
    long_ago = rows.session(name)[2]
    window.draw(timer=True)
    assert rows.session(name)[2] == long_ago
    window.draw()
    assert rows.session(name)[2] > time.time() - 60
    window.close()


@pytest.mark.parametrize("kind", ["clear_cache", "set_run_on_save", "load_git_info"])
def test_an_order_that_no_screen_sends_is_not_passed_on(kind):
    from pages._ward_gate import order

    message = BackMsg()
    setattr(message, kind, True)
    assert order(message.SerializeToString()) == (False, False)


def test_orders_to_the_servers_own_disk_are_not_passed_on():
    from pages._ward_gate import order

    message = BackMsg()
    message.backend_operation_request.install_skills.SetInParent()
    assert order(message.SerializeToString()) == (False, False) and order(b"\xff\xff\xff") == (False, False)
    message = BackMsg()
    message.backend_operation_request.deferred_file.file_id = "x"
    assert order(message.SerializeToString()) == (True, False)


def test_the_audit_log_and_privacy_are_administrators_pages(app, ada):
    root = Client(app).sign_in("Root")
    theirs, hers = root.window("audit"), ada.window("audit")
    assert "all as they were written" in theirs.draw()
    assert "all as they were written" not in hers.draw()
    theirs.close()
    hers.close()


def test_everything_is_in_the_log_and_the_log_is_whole(app, ada, heart):
    entries = audit.entries()
    assert {("sign in", "done"), ("sign in", "failed"), ("sign out", "done"), ("password", "failed"),
            ("create", "done")} <= {(each.act, each.outcome) for each in entries}
    assert any(each.act.startswith("add “Ada") and each.outcome == "done" for each in entries)
    assert "127.0.0.1" in {each.place for each in entries if each.act == "sign in"}
    assert audit.verify().whole
