"""The served app answers on this machine under its own name alone, with a policy on every answer, and has a worker."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import streamlit

import worker
from pages import _door_kept, _proof
from tests.at_work import end_everything, ended, know_the_kinds, of_home, running
from tests.e2e.served import ENTRY, ROOT, free_port, served, wait_until_up
from tests.ward import HEADERS, Client


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with served(tmp_path_factory.mktemp("door") / "home") as running_app:
        yield running_app


def ask(app, path: str = "/", **headers: str) -> http.client.HTTPResponse:
    """One request with headers as given, Host too."""
    connection = http.client.HTTPConnection(app.url.removeprefix("http://"), timeout=20)
    connection.putrequest("GET", path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    answer.body = answer.read()
    connection.close()
    return answer


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/no-such-page", "/_stcore/host-config"])
def test_every_answer_carries_the_policy(app, path):
    answer = ask(app, path)
    policy = dict(part.split(" ", 1) for part in answer.getheader("content-security-policy").split("; "))
    assert policy["default-src"] == "'none'" and policy["connect-src"] == "'self' blob:"
    assert policy["img-src"] == "'self' data: blob:" and "unsafe" not in policy["script-src"]
    assert answer.getheader("x-content-type-options") == "nosniff"
    assert answer.getheader("referrer-policy") == "no-referrer"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "192.0.2.1:8501", "",
                                  "localhost@evil.example", "[bad", "[::1", "localhost:port", "localhost:99999999"])
def test_another_name_is_answered_421(app, host):
    answer = ask(app, Host=host)
    assert answer.status == 421 and answer.body == b"This is not the address of this app.\n"


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost", "LOCALHOST:1", "[::1]:8501"])
def test_its_own_names_are_answered(app, host):
    assert ask(app, "/_stcore/health", Host=host).status == 200


@pytest.mark.parametrize(("host", "origin", "status"), [
    ("127.0.0.1", "http://evil.example", 403), ("evil.example", "http://evil.example", 403),
    ("127.0.0.1", "null", 403), ("127.0.0.1", "http://127.0.0.1", 101), ("127.0.0.1", "http://[bad", 403),
    ("localhost", "https://localhost", 101), ("localhost:80", "https://localhost", 403),
    ("127.0.0.1:8501", "http://127.0.0.1:8501", 101), ("127.0.0.1:8501", "http://127.0.0.1:8888", 403),
    ("127.0.0.1:8501", "http://127.0.0.1", 403), ("127.0.0.1:8501", "http://localhost:8501", 403)])
def test_a_websocket_from_elsewhere_is_refused(app, host, origin, status):
    answer = ask(app, "/_stcore/stream", Host=host, Origin=origin, Connection="Upgrade", Upgrade="websocket",
                 Sec_WebSocket_Version="13", Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==")
    assert answer.status == status


def test_the_scripts_of_a_page_are_those_of_streamlit_under_the_policy(app):
    static = Path(streamlit.__file__).parent / "static" / "static"
    for place in [*sorted(static.glob("js/Html.*.js")), *sorted(static.glob("media/*.woff2"))[:1]]:
        for _ in range(2):  # from the disk, then from memory
            answer = ask(app, f"/static/{place.relative_to(static).as_posix()}")
            assert answer.status == 200 and answer.body == place.read_bytes()
            assert answer.getheader("content-type") in ("text/javascript", "font/woff2")
            assert "immutable" in answer.getheader("cache-control") and answer.getheader("content-security-policy")
    assert ask(app, f"/static/js/{place.name}", Range="bytes=0-9").status in (206, 404)


@pytest.mark.parametrize("path", ["/static/../index.html", "/static/%2e%2e/%2e%2e/version.py", "/static/js/none.js",
                                  "/static//etc/passwd"])
def test_nothing_else_of_the_disk_is_answered(app, path):
    answer = ask(app, path)
    assert answer.status in (400, 403, 404) or answer.body == ask(app).body  # Streamlit's page for any other address


@pytest.mark.parametrize("words", _door_kept.SAID)
def test_a_server_that_is_away_is_spoken_of_in_words_of_ours(app, words):
    """Streamlit's own ask for the internet, or for `streamlit run yourscript.py`."""
    script, = [each for each in (_door_kept.STATIC / "js").glob("*.js") if words in each.read_bytes()]
    came = ask(app, f"/static/js/{script.name}").body
    assert words not in came and _door_kept.AWAY in came and b"\n" not in _door_kept.AWAY


@pytest.mark.parametrize(("path", "parts"), [
    ("/", ("Html", "Button")), ("/jobs", ("Html", "Button")),
    ("/cleanup", ("Html", "Checkbox", "Multiselect", "useSlot"))])
def test_what_a_page_is_drawn_with_is_named_in_the_head(app, path, parts):
    links = ask(app, path).getheader("link").split(", ")
    assert all(sum(f"/{part}." in each for each in links) == 1 for part in parts) and len(links) == len(set(links))
    assert all(each.endswith("; rel=modulepreload") for each in links)
    assert any("/tables." in each for each in links)  # ours, which a page loads by the same address
    for each in links:
        answer = ask(app, each[1:each.index(">")])
        assert (answer.status, answer.getheader("content-type")) == (200, "text/javascript")


def test_no_table_on_any_screen_is_handed_out_as_a_file_whose_formulas_nobody_took_out(app):
    """The browser draws every st.dataframe and st.data_editor by what a session is told when it begins."""
    window = Client(app).window()
    try:
        assert "disable_data_export: true" in window.draw()
    finally:
        window.close()
    for page in sorted((ROOT / "pages").glob("*.py")):  # what is downloaded is no table made on the spot
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"disableDataExport|to_csv|write_csv|\.to_excel|set_option\(", text), page.name


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
                                  b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
                                  b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"])
def test_what_is_no_http_is_answered_with_every_header_and_nothing_of_itself(app, sent):
    port = int(app.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall(sent)
        came = b"".join(iter(lambda: line.recv(65_536), b""))
    head, _, body = came.partition(b"\r\n\r\n")
    names = {each.partition(b":")[0].decode().lower() for each in head.split(b"\r\n")[1:]}
    assert head.startswith(b"HTTP/1.1 400 ") and names >= HEADERS and body == b"Invalid HTTP request received."


def test_a_recording_that_breaks_off_on_its_way_is_no_fault_of_ours(app):
    """A page that is reloaded meanwhile: the log had a reference for it, as for a mistake of MedML's."""
    client = Client(app)
    window = client.window()
    window.draw()
    client.ask("/_stcore/health")
    word = client.cookies["_streamlit_xsrf"]
    head = (f"PUT /_stcore/upload_file/{window.session}/f HTTP/1.1", f"Host: 127.0.0.1:{app.port}",
            f"X-Xsrftoken: {word}", f"Cookie: _streamlit_xsrf={word}", "Content-Length: 100000",
            "Content-Type: multipart/form-data; boundary=x", "", "--x\r\nContent-Dis")
    with socket.create_connection(("127.0.0.1", app.port), timeout=20) as line:
        line.sendall("\r\n".join(head).encode())
        time.sleep(1)  # it is read as far as it goes
    time.sleep(1)
    assert "ClientDisconnect" not in (app.home / "logs" / "app.log").read_text()
    window.close()


@pytest.mark.parametrize("without", ["Sec_WebSocket_Key", "Sec_WebSocket_Version"])
def test_what_is_no_handshake_is_answered_with_every_header(app, without):
    whole = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13",
             "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ=="}
    del whole[without]
    answer = ask(app, "/_stcore/stream", Origin=app.url, **whole)
    assert answer.status == 400 and {each.lower() for each in answer.headers} >= HEADERS


@pytest.mark.parametrize(("screen", "drawn"), [("", True), ("jobs", True), ("no-such-page", False)])
def test_a_screen_that_the_proof_asks_for_is_told_to_be_drawn_where_it_was(app, screen, drawn):
    assert _proof.is_drawn(app.url, screen) is drawn


def test_below_a_path_it_does_not_start(medml_home):
    ended = subprocess.run([sys.executable, "-m", "streamlit", "run", str(ENTRY), "--server.baseUrlPath", "medml",
                            "--server.port", str(free_port())], cwd=ROOT, capture_output=True, text=True, timeout=120,
                           check=False)
    assert ended.returncode != 0 and "below a path (server.baseUrlPath)" in ended.stdout + ended.stderr


def test_it_listens_on_loopback_alone(app):
    listening = [each.laddr.ip for each in psutil.Process(app.process.pid).net_connections() if each.status == "LISTEN"]
    assert listening and set(listening) == {"127.0.0.1"}


def test_its_start_starts_a_worker(app, monkeypatch):
    monkeypatch.setenv("MEDML_HOME", str(app.home))
    assert worker.ensure_running(wait=60)


def test_nothing_was_refused_while_it_started(app):
    log = (app.home / "logs" / "app.log")
    assert not log.exists() or "refused" not in log.read_text()


@pytest.mark.skipif(os.name != "posix", reason="a terminal's signals to its group are POSIX")
def test_ctrl_c_closes_the_app_and_leaves_a_training_at_work(medml_home, monkeypatch, tmp_path):
    know_the_kinds(monkeypatch)
    port, log = free_port(), tmp_path / "log"
    with log.open("wb") as out:
        app = subprocess.Popen([sys.executable, "-m", "streamlit", "run", str(ENTRY), "--server.port", str(port)],
                               cwd=ROOT, start_new_session=True, stdout=out, stderr=out,
                               env=os.environ | {"MEDML_HOME": str(medml_home)})
    try:
        wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", app, log)
        job = worker.enqueue("steps_train", {"n": 200, "pause": 0.02})
        running(job)
        os.killpg(app.pid, signal.SIGINT)
        app.wait(60)
        assert ended(job).state == "done" and worker.get(job).attempt == 1
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
        assert of_home(str(medml_home)), "the worker is still there"
    finally:
        end_everything(str(medml_home))
