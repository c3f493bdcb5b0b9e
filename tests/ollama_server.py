"""A server on loopback that speaks Ollama's protocol, well and badly, for its real client.

As the real one it keeps no more of a prompt than the context that it was asked for (`num_ctx`; 4096 where none was
sent) and says nothing about it: older messages go first, then the rest is cut. An answer ends where the most that was
asked for is reached (`num_predict`).
"""

from __future__ import annotations

import json
import re
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GB = 1_000_000_000
TOKEN = re.compile(r" ?[^\W\d_]+|\d| ?[^\w\s]+|_+|\s*\n|\s+")  # no fewer pieces than a byte-pair tokenizer makes
GOOD = "- **AUROC** is 0.85 for **disease**.\n- The **threshold** is 0.4.\nNext step: read the checks."
HANG, GARBAGE, FLOOD, CUT, ERROR, DEEP, REDIRECT = "hang", "garbage", "flood", "cut", "error", "deep", "redirect"


def tokens(text: str) -> int:
    return sum(1 for _ in TOKEN.finditer(text))


class Ollama:
    """A server with some models; `says` is what it answers, one after the other, the last one again and again.

    context  the most it keeps whatever is asked for;   pause  seconds between two pieces
    endless  answers do not end where they should
    asked    (path, body) of every request so far;   first  monotonic time at which each answer's first piece was sent
    """

    def __init__(self, *says: str, models: dict[str, int] | None = None, context: int = 100_000, pause: float = 0.0,
                 trained: int = 32_768, capabilities: tuple[str, ...] = ("completion",), gpu: bool = False,
                 endless: bool = False) -> None:
        self.says, self.context, self.pause = list(says or [GOOD]), context, pause
        self.models = {"qwen3:4b-instruct": 2 * GB} if models is None else models
        self.trained, self.capabilities, self.gpu, self.endless = trained, list(capabilities), gpu, endless
        self.asked: list[tuple[str, dict]] = []
        self.first: list[float] = []
        self.loaded: set[str] = set()
        self.room: int | None = None  # context of the model that was loaded last; None: it does not say
        self.slow = threading.Event()  # set: even the list of models does not come
        self.hung_up = threading.Event()

    def __enter__(self) -> Ollama:
        server = self

        class Handler(_Handler):
            ollama = server

        self.http = _Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        return self

    def __exit__(self, *error: object) -> None:
        self.slow.clear()
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def bodies(self, path: str) -> list[dict]:
        return [body for at, body in self.asked if at == path]

    def next_words(self) -> str:
        return self.says.pop(0) if len(self.says) > 1 else self.says[0]

    def read(self, body: dict) -> int:
        """How many tokens of this prompt the model sees."""
        room = self.room = min(self.context, int(body.get("options", {}).get("num_ctx", 4096)))
        counts = [tokens(each["content"]) for each in body["messages"]]
        while len(counts) > 2 and sum(counts) > room:
            counts.pop(1)  # after the system message, the oldest first
        return min(sum(counts), room)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Silent: clients that hang up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    ollama: Ollama
    protocol_version = "HTTP/1.1"

    def log_message(self, *words: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        self.answer({})

    def do_POST(self) -> None:
        self.answer(json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or "{}"))

    def answer(self, body: dict) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.ollama.asked.append((self.path, body | {"_headers": headers}))
        with suppress(BrokenPipeError, ConnectionResetError):
            {"/api/tags": self.tags, "/api/ps": self.running, "/api/show": self.show, "/api/chat": self.chat,
             "/api/embed": self.embed, "/api/generate": self.generate}[self.path](body)

    def whole(self, content: dict | bytes, status: int = 200) -> None:
        sent = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(sent)))
        if status == 302:
            self.send_header("Location", "http://192.0.2.1/api/chat")
        self.end_headers()
        self.wfile.write(sent)

    def missing(self, body: dict) -> bool:
        if body.get("model") in self.ollama.models:
            return False
        self.whole({"error": f"model '{body.get('model')}' not found"}, 404)
        return True

    def tags(self, body: dict) -> None:
        if self.ollama.slow.is_set():
            return self.badly(HANG)
        self.whole({"models": [{"name": name, "model": name, "size": size} for name, size in
                               self.ollama.models.items()]})

    def running(self, body: dict) -> None:
        sizes = {name: self.ollama.models[name] for name in sorted(self.ollama.loaded)}
        self.whole({"models": [{"name": name, "model": name, "size": size, "size_vram": size * self.ollama.gpu,
                                "context_length": self.ollama.room} for name, size in sizes.items()]})

    def show(self, body: dict) -> None:
        if not self.missing(body):
            self.whole({"capabilities": self.ollama.capabilities, "details": {},
                        "model_info": {"qwen3.context_length": self.ollama.trained}})

    def generate(self, body: dict) -> None:
        if body.get("keep_alive") == 0:
            self.ollama.loaded.discard(body["model"])
        self.whole({"model": body["model"], "response": "", "done": True})

    def embed(self, body: dict) -> None:
        vectors = [[float(text.lower().count(word)) for word in ("fever", "lung", "kidney")] + [0.1]
                   for text in body["input"]]
        self.whole({"model": body["model"], "embeddings": vectors})

    def chat(self, body: dict) -> None:
        if self.missing(body):
            return
        self.ollama.loaded.add(body["model"])
        said = self.ollama.next_words()
        if said in (HANG, ERROR, GARBAGE, REDIRECT):
            return self.badly(said)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.ollama.first.append(time.monotonic())
        if said in (FLOOD, DEEP):
            return self.chunk(b'{"message": {"role": "assistant", "content": "' + b"x" * 10_000_000 if said == FLOOD
                              else b"[" * 100_000 + b"\n")
        most, count = body.get("options", {}).get("num_predict", 10**9), 0
        for piece in re.findall(r"\S+\s*|\s+", GOOD if said == CUT else said)[:3 if said == CUT else None]:
            count += tokens(piece)
            if count > most and not self.ollama.endless:
                break
            self.line({"message": {"role": "assistant", "content": piece}, "done": False})
            time.sleep(self.ollama.pause)
        if said != CUT:
            self.line({"message": {"role": "assistant", "content": ""}, "done": True,
                       "done_reason": "length" if count > most else "stop",
                       "prompt_eval_count": self.ollama.read(body), "eval_count": min(count, most)})
        self.wfile.write(b"0\r\n\r\n")

    def badly(self, said: str) -> None:
        if said == HANG:
            self.connection.settimeout(20)
            with suppress(OSError):
                if self.connection.recv(1) == b"":
                    self.ollama.hung_up.set()  # the client has gone
            self.close_connection = True
            return
        self.whole({ERROR: {"error": "out of memory"}, GARBAGE: b"<html>hello</html>\n", REDIRECT: b""}[said],
                   {ERROR: 500, GARBAGE: 200, REDIRECT: 302}[said])

    def line(self, content: dict) -> None:
        self.chunk(json.dumps(content).encode() + b"\n")

    def chunk(self, content: bytes) -> None:
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()
