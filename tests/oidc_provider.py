"""A small OpenID Connect provider on this machine: discovery, keys, a code for whoever asks, tokens signed by RSA."""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "medml", "a secret between the two of them"


class Provider:
    """Signs in whoever `claims` says; what a token says may be spoilt through `spoil`."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"}, private=True)
        self.claims: dict[str, Any] = {"sub": "u1", "name": "Ada Lovelace", "groups": ["medml-clinicians"]}
        self.spoil: dict[str, Any] = {}
        self.signs_with = self.key
        self.codes: dict[str, dict[str, str]] = {}
        self.url = ""

    def discovery(self) -> dict[str, Any]:
        return {"issuer": self.url, "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token", "jwks_uri": f"{self.url}/keys",
                "response_types_supported": ["code"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"], "code_challenge_methods_supported": ["S256"]}

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser is sent back to."""
        assert asked["client_id"] == CLIENT and asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, asked: dict[str, str]) -> dict[str, Any]:
        began, now = self.codes.pop(asked["code"]), int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": began["nonce"]}
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims | self.claims | self.spoil, self.signs_with)
        return {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "id_token": signed,
                "expires_in": 300}


@contextlib.contextmanager
def provider() -> Iterator[Provider]:
    """One that answers on a free port of 127.0.0.1."""
    made = Provider()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.send_response(302)
                self.send_header("Location", made.authorize(asked))
                self.end_headers()
            else:
                self.say(made.discovery() if "well-known" in parts.path else
                         {"keys": [made.key.as_dict(private=False)]})

        def do_POST(self) -> None:
            given = base64.b64decode(self.headers["Authorization"].split()[1]).decode()
            assert given.split(":")[0] == CLIENT
            content = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.say(made.token({name: values[0] for name, values in parse_qs(content).items()}))

        def say(self, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *given: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
