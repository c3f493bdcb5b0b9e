"""What must be there before the app is served to others, and what stands before it: TLS, a proxy, a fault of ours."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from medml import accounts, audit, rights
from medml.errors import UserError
from tests.e2e.served import ENTRY, ROOT
from tests.ward import HEADERS, PASSWORD, to_its_end


@pytest.fixture
def carl():
    return accounts.add("Carl", "viewer", PASSWORD)


# ---- behind a proxy that speaks TLS ----------------------------------------------------------------------------

def behind(proxy: str, scheme: str = "http", client: str = "10.0.0.5"):
    """The routes as uvicorn serves them to one machine, where FORWARDED_ALLOW_IPS is `proxy`."""
    from starlette.applications import Starlette
    from starlette.testclient import TestClient
    from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

    from pages._ward_routes import ROUTES

    return TestClient(ProxyHeadersMiddleware(Starlette(routes=ROUTES), trusted_hosts=proxy), client=(client, 1),
                      base_url=f"{scheme}://medml.example", follow_redirects=False)


def enter(browser, **headers: str):
    word = browser.get("/sign-in", headers=headers).text.split('name="form" value="')[1].split('"')[0]
    return browser.post("/sign-in", data={"form": word, "name": "Carl", "password": PASSWORD}, headers=headers |
                        {"cookie": f"medml_form={word}"})


def test_a_password_is_not_taken_without_encryption_from_another_machine(carl):
    answer = enter(behind("192.0.2.9"))
    assert answer.status_code == 403 and "without encryption" in answer.text
    assert enter(behind("192.0.2.9"), **{"x-forwarded-proto": "https"}).status_code == 403, "that is no proxy of ours"


@pytest.mark.parametrize("browser", [behind("192.0.2.9", "https"), behind("10.0.0.5")])
def test_behind_tls_the_cookie_travels_by_tls_alone(carl, browser):
    answer = enter(browser, **{"x-forwarded-proto": "https", "x-forwarded-for": "10.7.7.7"})
    assert answer.status_code == 303
    line = next(each for each in answer.headers.get_list("set-cookie") if each.startswith("__Host-medml="))
    assert "Secure" in line and "Path=/" in line
    trusted = browser.base_url.scheme == "http"
    assert audit.entries(1)[0].place == ("10.7.7.7" if trusted else "10.0.0.5")


def guarded(page, *, for_others: bool = True, bound: str = "127.0.0.1", scheme: str = "https"):
    """One request through the guard that stands before everything: what it sent."""
    from pages._door import Guard

    sent = []

    async def keep(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/", "scheme": scheme, "server": (bound, 443),
             "headers": [(b"host", b"localhost")]}
    to_its_end(lambda: Guard(page, for_others=for_others)(scope, None, keep))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[-1].get("body", b"")


async def plain(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"X-Frame-Options", b"ALLOWALL")]})


async def broken(scope, receive, send):
    raise RuntimeError("could not convert 'Jane Doe'")


def test_behind_tls_every_answer_asks_for_tls_from_then_on():
    assert guarded(plain)[1][b"strict-transport-security"] == b"max-age=31536000"
    assert b"strict-transport-security" not in guarded(plain, scheme="http")[1]


@pytest.mark.parametrize(("scheme", "sent"), [("https", b"_streamlit_xsrf=2|a; Path=/; SameSite=Lax; Secure"),
                                              ("http", b"_streamlit_xsrf=2|a; Path=/; SameSite=Lax")])
def test_no_cookie_that_was_set_behind_tls_travels_without_it(scheme, sent):
    """Streamlit's own, which it gives no such flag."""
    async def page(scope, receive, send):
        await send({"type": "http.response.start", "status": 200,
                    "headers": [(b"Set-Cookie", b"_streamlit_xsrf=2|a; Path=/; SameSite=Lax")]})

    assert guarded(page, scheme=scheme)[1][b"Set-Cookie"] == sent


def test_a_cookie_that_asks_for_tls_itself_asks_once():
    async def page(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"set-cookie", b"a=b; Secure; Path=/")]})

    assert guarded(page)[1][b"set-cookie"] == b"a=b; Secure; Path=/"


def test_a_fault_of_ours_is_answered_with_every_header_and_no_value():
    status, headers, body = guarded(broken)
    assert status == 500 and {name.decode() for name in headers} >= HEADERS
    assert b"MedML made a mistake" in body and b"Jane" not in body


def test_an_answer_cannot_loosen_what_every_answer_carries():
    assert guarded(plain)[1][b"x-frame-options"] == b"DENY" and b"X-Frame-Options" not in guarded(plain)[1]


@pytest.mark.parametrize("bound", ["0.0.0.0", "10.0.0.5", "::"])
def test_without_accounts_nobody_on_another_machine_is_answered_however_it_was_started(bound):
    """`uvicorn streamlit_app:app --host 0.0.0.0` never asks Streamlit for its address."""
    assert guarded(plain, for_others=False, bound=bound)[0] == 421
    assert guarded(plain, for_others=False, bound="127.0.0.1")[0] == 200


# ---- how it is started -----------------------------------------------------------------------------------------

def start(home, *arguments: str, **settings: str) -> tuple[int, str]:
    """`streamlit run` until it ends by itself."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MEDML_")}
    ran = subprocess.run([sys.executable, "-m", "streamlit", "run", str(ENTRY), "--server.port", "0", *arguments],
                         cwd=ROOT, env=environment | {"MEDML_HOME": str(home)} | settings, capture_output=True,
                         text=True, timeout=120, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def test_it_refuses_to_start_for_others_without_accounts(tmp_path):
    code, said = start(tmp_path, "--server.address", "0.0.0.0")
    assert code != 0 and "Make the first one: python -m medml accounts add NAME --role administrator" in said


@pytest.fixture
def settings(monkeypatch, tmp_path):
    """What open_ward reads, in this process."""
    from pages import _ward

    chosen = {"server.address": "127.0.0.1"}
    monkeypatch.setattr(_ward.st, "get_option", chosen.get)
    monkeypatch.setenv("MEDML_HOME", str(tmp_path))
    for name in ("MEDML_ROOTS", "MEDML_HOSTS", "MEDML_WARD", "FORWARDED_ALLOW_IPS"):
        monkeypatch.delenv(name, raising=False)
    yield chosen
    rights.served_to(None)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.9", "localhost", "::1"])
def test_on_this_machine_nobody_signs_in(settings, address):
    from pages import _ward

    settings["server.address"] = address
    assert _ward.open_ward() is False and rights.current() == rights.OWNER


@pytest.mark.parametrize(("address", "name", "value"), [
    ("0.0.0.0", None, ""), ("", None, ""), (None, None, ""), ("::", None, ""), ("10.1.2.3", None, ""),
    ("medml.hospital.example", None, ""), ("unix:///run/x", None, ""), ("127.0.0.1", "MEDML_WARD", "1"),
    ("127.0.0.1", "MEDML_HOSTS", "medml.hospital.example")])
def test_for_others_it_needs_accounts_roots_and_a_name(settings, monkeypatch, address, name, value):
    from pages import _ward

    settings["server.address"] = address
    if name:
        monkeypatch.setenv(name, value)
    for said, mend in (("no accounts", lambda: accounts.add("Eve", "viewer", PASSWORD)),
                       ("which folders", lambda: monkeypatch.setenv("MEDML_ROOTS", "/")),
                       ("its own files and keys", lambda: monkeypatch.setenv("MEDML_ROOTS", "/srv/studies")),
                       ("under which name", lambda: monkeypatch.setenv("MEDML_HOSTS", "medml.example"))):
        if said != "under which name" or address != "127.0.0.1":
            with pytest.raises(UserError, match=said):
                _ward.open_ward()
        mend()
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.0.0.1, *")
    with pytest.raises(UserError, match="believe every machine"):
        _ward.open_ward()
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.0.0.1")
    assert _ward.open_ward() is True
    with pytest.raises(UserError, match="signed out"):
        rights.current()


def test_a_flood_of_tries_is_sent_away_and_holds_up_nobody(monkeypatch):
    from pages import _ward_routes as routes

    async def flood() -> tuple[list, int]:
        release = asyncio.Event()
        loop = asyncio.get_running_loop()

        def slow() -> None:
            asyncio.run_coroutine_threadsafe(release.wait(), loop).result()

        tries = [asyncio.create_task(routes.in_turn(slow)) for _ in range(10)]
        await asyncio.sleep(0)
        free = await asyncio.to_thread(lambda: 1)  # an open window's look at its session
        release.set()
        return await asyncio.gather(*tries, return_exceptions=True), free

    monkeypatch.setattr(routes, "_turns", ThreadPoolExecutor(1))
    monkeypatch.setattr(routes, "WAITING", 3)
    said, free = to_its_end(flood)
    assert free == 1 and sum(isinstance(each, UserError) for each in said) >= 6
    routes._turns.shutdown()
