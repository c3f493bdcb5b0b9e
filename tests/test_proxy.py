"""The proxies of deploy/, run for real: what nginx answers by itself, before MedML is asked or while it is away."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.e2e.served import free_port

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
NAME = "medml.hospital.example"
pytestmark = pytest.mark.skipif(shutil.which("nginx") is None or shutil.which("openssl") is None,
                                reason="nginx or openssl is not here")
FRAME = """{user}worker_processes 1;
daemon off;
pid {place}/nginx.pid;
error_log {place}/error.log warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
    include {place}/medml.conf;
}}
"""


class Behind:
    """nginx with a configuration of ours, its ports and its certificate put in their places."""

    def __init__(self, configuration: Path, place: Path, app: int) -> None:
        self.plain, self.tls, self.place = free_port(), free_port(), place
        text = configuration.read_text()
        for old, new in (("listen 80;", f"listen 127.0.0.1:{self.plain};"), ("http2 on;", ""),
                         ("listen 8080;", f"listen 127.0.0.1:{self.plain};"),
                         ("listen 443 ssl;", f"listen 127.0.0.1:{self.tls} ssl;"),
                         ("listen 8443 ssl;", f"listen 127.0.0.1:{self.tls} ssl;"),
                         ("http://127.0.0.1:8501", f"http://127.0.0.1:{app}"),
                         ("http://app:8501", f"http://127.0.0.1:{app}"),
                         ("/etc/ssl/medml/fullchain.pem", f"{place}/c.pem"),
                         ("/run/secrets/tls_certificate", f"{place}/c.pem"),
                         ("/etc/ssl/medml/key.pem", f"{place}/k.pem"), ("/run/secrets/tls_key", f"{place}/k.pem")):
            text = text.replace(old, new)
        (place / "medml.conf").write_text(text)
        (place / "nginx.conf").write_text(FRAME.format(
            place=place, user="user root;\n" if os.geteuid() == 0 else ""))  # else as nobody, who may not write here

    def ask(self, path: str, method: str = "GET", *, tls: bool = True, host: str = NAME, body: bytes | None = None):
        """(status, headers, body) of one request."""
        line = http.client.HTTPConnection("127.0.0.1", self.plain, timeout=20)
        if tls:
            line = http.client.HTTPSConnection("127.0.0.1", self.tls, timeout=20,
                                               context=ssl._create_unverified_context())
        line.request(method, path, body, {"Host": host})
        answer = line.getresponse()
        came = answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read().decode()
        line.close()
        return came


@contextlib.contextmanager
def app() -> Iterator[int]:
    """The port of something that answers in MedML's place."""
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            came = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"the app was sent {len(came)}".encode())

        do_POST = do_GET

        def log_message(self, *given) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def running(proxy: Behind) -> Iterator[Behind]:
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={NAME}", "-keyout",
                    f"{proxy.place}/k.pem", "-out", f"{proxy.place}/c.pem"], check=True, capture_output=True)
    process = subprocess.Popen(["nginx", "-p", str(proxy.place), "-e", f"{proxy.place}/error.log", "-c",
                                f"{proxy.place}/nginx.conf"], stderr=subprocess.PIPE)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                proxy.ask("/", tls=False)
                break
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        yield proxy
    finally:
        process.terminate()
        process.wait(10)
        process.stderr.close()


@pytest.fixture(scope="module", params=["nginx/medml.conf", "docker/nginx.conf"])
def proxy(request, tmp_path_factory):
    with app() as port, running(Behind(DEPLOY / request.param, tmp_path_factory.mktemp("nginx"), port)) as made:
        yield made


@pytest.fixture(scope="module", params=["nginx/medml.conf", "docker/nginx.conf"])
def alone(request, tmp_path_factory):
    """With no app behind it."""
    with running(Behind(DEPLOY / request.param, tmp_path_factory.mktemp("nginx"), free_port())) as made:
        yield made


def test_plain_http_leads_to_tls_and_says_nothing_of_the_server(proxy):
    status, headers, body = proxy.ask("/gallery?run=r1", tls=False)
    assert status == 308 and headers["location"] == f"https://{NAME}/gallery?run=r1"
    assert headers["server"] == "nginx" and "nginx/" not in body


def test_nobody_is_led_to_a_name_that_the_request_made_up(tmp_path):
    """In a container the proxy is not told its name: there the app's 421 is the answer, after the redirect."""
    with app() as port, running(Behind(DEPLOY / "nginx" / "medml.conf", tmp_path, port)) as made:
        assert made.ask("/", tls=False, host="evil.example")[1]["location"] == f"https://{NAME}/"


def test_a_hospital_behind_one_address_opens_the_sign_in_page_while_tries_are_held_back(proxy):
    """The form is for everybody; what is counted is what was typed into it."""
    tries = [proxy.ask("/sign-in", "POST") for _ in range(30)]
    assert [each[0] for each in tries[:20]] == [200] * 20 and tries[-1][0] == 429
    assert {proxy.ask(path)[0] for path in ("/sign-in", "/password") for _ in range(40)} == {200}


def test_who_is_held_back_is_told_what_to_do(proxy):
    status, headers, body = next(each for each in iter(lambda: proxy.ask("/password", "POST"), None) if each[0] == 429)
    assert "Wait a minute" in body and headers["content-type"].startswith("text/plain")
    assert headers["strict-transport-security"] and headers["x-content-type-options"] == "nosniff"


def test_a_question_by_voice_is_passed_on_and_never_lies_on_the_proxys_disk(proxy):
    """30 s of 16,000 samples of 2 bytes; what is far larger is no recording."""
    log = proxy.place / "error.log"
    assert proxy.ask("/upload", "POST", body=bytes(1_000_000))[2] == "the app was sent 1000000"
    assert "temporary file" not in log.read_text()
    assert proxy.ask("/upload", "POST", body=bytes(5_000_000))[2] == "the app was sent 5000000"
    assert "temporary file" in log.read_text()  # so nginx says where it keeps one


def test_what_is_too_large_is_refused_in_words(proxy):
    status, headers, body = proxy.ask("/upload", "PUT", body=bytes(21_000_000))
    assert status == 413 and "nothing of it was kept" in body and "record it again, or type it" in body
    assert headers["content-type"].startswith("text/plain") and headers["cache-control"] == "no-store"
    assert headers["strict-transport-security"] and headers["x-content-type-options"] == "nosniff"


def test_while_the_app_is_away_its_windows_are_told_what_is_safe(alone):
    for path in ("/", "/_stcore/health", "/sign-in"):
        status, headers, body = alone.ask(path)
        if path.startswith("/_stcore/"):  # Streamlit's script shows JSON and drops everything else
            body = json.loads(body)
        assert status == 503 and headers["retry-after"] and headers["cache-control"] == "no-store"
        assert body.startswith("MedML is not running at this moment.") and "go on" in body, path
        assert headers["content-type"].startswith("text/plain")
        assert headers["strict-transport-security"] and headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
