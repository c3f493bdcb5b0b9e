"""Tier 1: a model served by Ollama on this machine, or where an administrator listed it. The only socket here.

No proxy, no redirect, no key, no cloud model; a limit on bytes and seconds; whatever goes wrong is `Unavailable`, and
the built-in adviser answers instead. `num_ctx` is always sent and always the same: another one would load the model
anew, none would let the server cut the prompt in silence.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import queue
import socket
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from medml import egress
from medml.copilot.tokens import least, most
from medml.value import Value

DEFAULT_HOST = "http://127.0.0.1:11434"
PREFERRED = ("qwen3:4b-instruct", "qwen3:8b", "qwen2.5:7b", "qwen3:4b", "qwen3:1.7b")
KEEP_ALIVE = "10m"
MOST_BYTES = 2_000_000  # of one reply
MOST_CHARACTERS = 8_000  # of one answer
REAL = 20_000_000  # bytes below which a listed model is a pointer to another machine
BESIDE = 1_500_000_000  # bytes: context and buffers beside the weights (Qwen3 4B at 8192: 1.2 GB)
TICK = 0.1  # seconds between two looks at a stream that says nothing


class Unavailable(Exception):
    """No answer from a model; `why` is a sentence for the person at the screen."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Settings(Value):
    """Where and how a model is asked.

    host, model  "": as MEDML_OLLAMA_HOST and MEDML_OLLAMA_MODEL say, else this machine and the best model that fits
    silence      longest wait in seconds for the first or the next piece;   whole  for all of an answer
    """

    host: str = ""
    model: str = ""
    connect: float = 1.0
    silence: float = 150.0  # a laptop's processor reads 2,500 tokens in up to two minutes
    whole: float = 300.0
    context: int = 8192
    answer: int = 400  # tokens


class Model(Value):
    """A model of the server's own list. fits: whether it and its context fit the free memory here."""

    name: str
    bytes: int
    fits: bool = True
    loaded: bool = False
    on_gpu: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A whole answer, as it came."""

    text: str
    model: str
    prompt_tokens: int | None
    first_after: float  # seconds to the first piece
    is_whole: bool = True  # False: it was cut at the most tokens of an answer


def address(settings: Settings) -> str:
    """The server's address; Unavailable where it is neither this machine nor listed by an administrator."""
    chosen = settings.host or os.environ.get("MEDML_OLLAMA_HOST", "").strip() or DEFAULT_HOST
    parts = urlsplit(chosen if "//" in chosen else f"http://{chosen}")
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if parts.scheme not in ("http", "https") or not host:
        raise Unavailable("The address of the Ollama server (MEDML_OLLAMA_HOST) cannot be read.")
    if not egress.may_reach(host):
        raise Unavailable("The Ollama server is another machine, which no administrator has listed.")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{port or 11434}"


def is_here(settings: Settings) -> bool:
    """Whether the server runs on this machine, so that its memory is ours."""
    host = urlsplit(address(settings)).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def models(settings: Settings | None = None) -> list[Model]:
    """What the server has, without cloud models and without those that cannot chat by their name; the loaded first.

    raises  Unavailable
    """
    settings = settings or Settings()
    with _client(settings, settings.connect * 5) as (client, _):
        listed, running = client.list().models, client.ps().models
    awake = {each.model or each.name: each for each in running}
    free = _free_memory() if is_here(settings) else None
    found = [_model(each.model, int(each.size or 0), awake, free) for each in listed if each.model]
    usable = [each for each in found if not is_cloud(each.name, each.bytes) and "embed" not in each.name.lower()]
    return sorted(usable, key=lambda each: (not each.loaded, -each.bytes))


def _model(name: str, size: int, awake: dict[str, Any], free: int | None) -> Model:
    at = awake.get(name)
    on_gpu = at is not None and int(at.size_vram or 0) * 2 >= int(at.size or 1)
    return Model(name=name, bytes=size, loaded=at is not None, on_gpu=on_gpu,
                 fits=at is not None or free is None or size + BESIDE <= free)


def is_cloud(name: str, size: int) -> bool:
    """Whether a model of that name runs on somebody else's machine: its tag says so, or nothing of it is here."""
    return "cloud" in name.lower().rpartition("/")[2] or size < REAL


def _free_memory() -> int:
    import psutil

    return int(psutil.virtual_memory().available)


def choose(settings: Settings | None = None) -> Model:
    """The model that answers: the one that was set, else the first preferred one that fits, else the largest that does.

    raises  Unavailable where there is none, or it cannot chat, or cannot hold the context (read from /api/show)
    """
    settings = settings or Settings()
    there = models(settings)
    wanted = settings.model or os.environ.get("MEDML_OLLAMA_MODEL", "")
    if wanted:
        found = next((each for each in there if each.name in (wanted, f"{wanted}:latest")), None)
    else:
        fitting = [each for each in there if each.fits]
        found = next((each for name in PREFERRED for each in fitting if each.name.startswith(name)), None) or \
            max(fitting, key=lambda each: each.bytes, default=None)
    if found is None:
        raise Unavailable(f"The Ollama server has no model {wanted or 'that fits the memory'}.")
    _can_chat(found, settings)
    return found


def _can_chat(model: Model, settings: Settings) -> None:
    with _client(settings, settings.connect * 5) as (client, _):
        shown = client.show(model.name)
    if shown.capabilities is not None and "completion" not in shown.capabilities:
        raise Unavailable(f"The model {model.name} cannot chat.")
    trained = next((value for key, value in (shown.modelinfo or {}).items() if key.endswith(".context_length")), None)
    if isinstance(trained, int) and trained < settings.context:
        raise Unavailable(f"The model {model.name} reads {trained} tokens only; {settings.context} are needed.")


def stream(messages: Sequence[dict[str, str]], model: str, settings: Settings | None = None,
           schema: dict[str, Any] | None = None) -> Generator[str | None, None, Said]:
    """Ask, and yield pieces of the answer as they come; None at least ten times a second while there is none.

    Closing the generator ends the work at the server. schema: a JSON schema that the answer must follow
    raises  Unavailable, also where the server read less than what was sent
    """
    settings = settings or Settings()
    asked = {"model": model, "messages": list(messages), "stream": True, "think": False, "keep_alive": KEEP_ALIVE,
             "format": schema, "options": {"num_ctx": settings.context, "num_predict": settings.answer,
                                           "temperature": 0.2, "seed": 0}}
    pieces: queue.Queue[Any] = queue.Queue()
    line = _Line()
    reader = threading.Thread(target=_read, args=(asked, settings, line, pieces), daemon=True)
    started, first, text = time.monotonic(), None, ""
    reader.start()
    try:
        while True:
            if time.monotonic() - started > settings.whole:
                raise Unavailable("The model took too long to answer.")
            try:
                came = pieces.get(timeout=TICK)
            except queue.Empty:
                yield None
                continue
            if isinstance(came, Unavailable):
                raise came
            if not isinstance(came, str):
                return _said(text, asked, *came, first or 0.0)
            first = first or time.monotonic() - started
            text += came
            if len(text) > MOST_CHARACTERS:
                raise Unavailable("The model's answer did not end.")
            yield came
    finally:
        line.cut()


def _read(asked: dict[str, Any], settings: Settings, line: _Line, pieces: queue.Queue[Any]) -> None:
    """In a thread of its own: everything that the server says, then its last word or what went wrong."""
    try:
        with _client(settings, settings.silence, line) as (client, _):
            for part in client.chat(**asked):
                if part.message.content:
                    pieces.put(part.message.content)
                if part.done:
                    pieces.put((part, _given(client, asked["model"])))
                    return
    except Unavailable as error:
        pieces.put(error)
    finally:
        pieces.put(Unavailable("The model's answer broke off."))  # heard only where nothing else came to an end


def _given(client: Any, model: str) -> int | None:
    """The context that the server loaded the model with, as it says itself; None where an older one does not."""
    return next((each.context_length for each in client.ps().models if model in (each.model, each.name)), None)


def _said(text: str, asked: dict[str, Any], last: Any, given: int | None, first: float) -> Said:
    """The answer, if the server has read all that was sent (it cuts a prompt in silence): its own count is no less than
    the least that this can be, and the context that it gave holds the most."""
    count, contents = last.prompt_eval_count, [each["content"] for each in asked["messages"]]
    sent, room = sum(map(least, contents)), asked["options"]["num_predict"]
    if count is not None and count < sent:
        raise Unavailable(f"The server has read {count} tokens of at least {sent}: the prompt was cut.")
    if given is not None and given < sum(map(most, contents)) + room:
        raise Unavailable(f"The server gave the model room for {given} tokens only: the prompt may have been cut.")
    return Said(text, asked["model"], count, first, last.done_reason != "length")


def unload(settings: Settings | None = None) -> list[str]:
    """Have the server give back the memory of every model that it has loaded on this machine; their names.

    For before a training: [] where there is no server, or it is another machine.
    """
    settings = settings or Settings()
    try:
        if not is_here(settings):
            return []
        with _client(settings, settings.connect * 10) as (client, _):
            names = [each.model or each.name or "" for each in client.ps().models]
            for name in names:
                client.generate(model=name, prompt="", keep_alive=0)
        return names
    except Unavailable:
        return []


def make_room(needed: int, settings: Settings | None = None, *, on_card: bool = False) -> list[str]:
    """Before a training that needs so many bytes: `unload` where less than that is free; names of what was unloaded.

    on_card  the training is computed on a graphics card, where there is one: a model that lies on it gives way too
    """
    return unload(settings) if _free_memory() < needed or on_card and _fills_a_card(settings) else []


def _fills_a_card(settings: Settings | None) -> bool:
    settings = settings or Settings()
    try:
        return is_here(settings) and any(each.on_gpu for each in models(settings))
    except Unavailable:
        return False


def embed(texts: Sequence[str], settings: Settings | None = None) -> tuple[str, list[list[float]]] | None:
    """(model, a vector a text) by an embedding model that the server has; None where there is none."""
    settings = settings or Settings()
    try:
        with _client(settings, settings.silence) as (client, _):
            names = [each.model for each in client.list().models
                     if each.model and "embed" in each.model.lower() and not is_cloud(each.model, int(each.size or 0))]
            if not names:
                return None
            found = client.embed(model=names[0], input=list(texts), keep_alive=KEEP_ALIVE).embeddings
    except Unavailable:
        return None
    vectors = [[float(value) for value in each] for each in found]
    whole = len(vectors) == len(texts) and len({len(each) for each in vectors}) == 1
    return (names[0], vectors) if whole else None


class _Line:
    """The connection of one request, so that somebody else may cut it while it waits."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.is_cut = False

    def heard(self, event: str, info: dict[str, Any]) -> None:
        """httpcore's trace: remember the socket once it is open."""
        if event == "connection.connect_tcp.complete":
            self.socket = info["return_value"].get_extra_info("socket")
            if self.is_cut:
                self.cut()

    def cut(self) -> None:
        self.is_cut = True
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


class _Transport(httpx.BaseTransport):
    """No proxy, at most MOST_BYTES of a reply, and the socket told to `line`."""

    def __init__(self, line: _Line) -> None:
        self.line, self.inner = line, httpx.HTTPTransport(trust_env=False, retries=0)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["trace"] = self.line.heard
        reply = self.inner.handle_request(request)
        return httpx.Response(reply.status_code, headers=reply.headers, stream=_Counted(reply.stream),
                              extensions=reply.extensions)

    def close(self) -> None:
        self.inner.close()


class _Counted(httpx.SyncByteStream):
    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __iter__(self) -> Iterator[bytes]:
        left = MOST_BYTES
        for part in self.inner:
            left -= len(part)
            if left < 0:
                raise httpx.ReadError("longer than any answer")
            yield part

    def close(self) -> None:
        self.inner.close()


@contextlib.contextmanager
def _client(settings: Settings, silence: float, line: _Line | None = None) -> Iterator[tuple[Any, _Line]]:
    """Ollama's own client, held to this machine; whatever goes wrong inside is Unavailable."""
    line = line or _Line()
    host = address(settings)
    try:
        import ollama
    except ValueError as unreadable:  # OLLAMA_HOST is read at import
        raise Unavailable("The setting OLLAMA_HOST of this machine cannot be read.") from unreadable
    try:
        with ollama.Client(host, transport=_Transport(line), trust_env=False, follow_redirects=False,
                           timeout=httpx.Timeout(silence, connect=settings.connect),
                           headers={"Authorization": "none"}) as client:  # else a key for the cloud would be sent
            yield client, line
    except ollama.ResponseError as error:
        raise Unavailable(_refusal(error.status_code)) from error
    except httpx.TimeoutException as slow:
        raise Unavailable("The Ollama server did not answer in time.") from slow
    except (httpx.ConnectError, ConnectionError) as absent:
        where = "on this machine" if is_here(settings) else "where the administrator listed one"
        raise Unavailable(f"No Ollama server answers {where}.") from absent
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, TypeError, AttributeError, KeyError,
            RecursionError) as broken:
        raise Unavailable("What the Ollama server sent could not be read.") from broken


def _refusal(status: int) -> str:
    return "The Ollama server does not have that model." if status == 404 else "The Ollama server reported an error."
