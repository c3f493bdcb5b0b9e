"""Ollama's real client against a server that answers well and badly: every fault is one sentence, none is a crash."""

from __future__ import annotations

import re

import pytest
from ollama_server import CUT, DEEP, ERROR, FLOOD, GARBAGE, GB, GOOD, HANG, REDIRECT, Ollama, tokens

from medml import egress
from medml.copilot import chat
from medml.copilot.chat import Settings, Unavailable, choose, models, stream
from medml.copilot.prompting import SYSTEM
from medml.copilot.tokens import least

MESSAGES = [{"role": "system", "content": "You help a doctor."}, {"role": "user", "content": "What next?"}]
NAME = "qwen3:4b-instruct"


def settings(server: Ollama, **changed) -> Settings:
    return Settings(**({"host": server.url, "silence": 10.0} | changed))


def all_of(asking):
    """(pieces, how often nothing came, what the generator returned)."""
    pieces, ticks = [], 0
    while True:
        try:
            came = next(asking)
        except StopIteration as end:
            return pieces, ticks, end.value
        if came is None:
            ticks += 1
        else:
            pieces.append(came)


def test_an_answer_comes_in_pieces_and_whole():
    with Ollama() as server:
        pieces, _, said = all_of(stream(MESSAGES, NAME, settings(server)))
    assert len(pieces) > 5 and "".join(pieces) == said.text == GOOD
    assert said.model == NAME and said.prompt_tokens == sum(tokens(each["content"]) for each in MESSAGES)


def test_what_is_sent_names_the_context_and_forbids_thinking():
    with Ollama() as server:
        all_of(stream(MESSAGES, NAME, settings(server)))
        body = server.bodies("/api/chat")[0]
    assert body["options"]["num_ctx"] == 8192 and body["options"]["num_predict"] == 400
    assert body["think"] is False and body["keep_alive"] == "10m" and body["messages"] == MESSAGES
    assert body["_headers"]["authorization"] == "none"


@pytest.mark.parametrize(("said", "why"), [
    (ERROR, "reported an error"), (GARBAGE, "could not be read"), (CUT, "broke off"), (FLOOD, "could not be read"),
    (DEEP, "could not be read"), (REDIRECT, "reported an error"), ("word " * 3000, "did not end")])
def test_every_fault_of_a_server_is_a_sentence(said, why):
    with Ollama(said, endless=True) as server, pytest.raises(Unavailable, match=why):
        all_of(stream(MESSAGES, NAME, settings(server)))


def test_a_server_that_hangs_is_left_after_the_time_that_was_set():
    with Ollama(HANG) as server, pytest.raises(Unavailable, match="in time"):
        all_of(stream(MESSAGES, NAME, settings(server, silence=0.3)))


def test_an_answer_that_drips_for_ever_is_left():
    with Ollama("word " * 500, pause=0.05) as server, pytest.raises(Unavailable, match="too long to answer"):
        all_of(stream(MESSAGES, NAME, settings(server, whole=0.4)))


def test_stopping_while_nothing_comes_ends_the_work_at_the_server():
    with Ollama(HANG) as server:
        asking = stream(MESSAGES, NAME, settings(server))
        assert next(asking) is None  # the caller is never kept waiting
        while not server.bodies("/api/chat"):
            next(asking)
        asking.close()
        assert server.hung_up.wait(10)


def test_a_prompt_that_the_server_cut_in_silence_is_an_error():
    long = [*MESSAGES, {"role": "user", "content": "several plain words " * 200}]
    with Ollama(context=400) as server, pytest.raises(Unavailable, match="read 400 tokens of at least"):
        all_of(stream(long, NAME, settings(server)))
    older = [MESSAGES[0], {"role": "user", "content": "an older question " * 100}, MESSAGES[1]]
    with Ollama(context=200) as server, pytest.raises(Unavailable, match="the prompt was cut"):
        all_of(stream(older, NAME, settings(server)))


def test_an_answer_ends_at_400_tokens_and_says_that_it_was_cut():
    with Ollama("word " * 3000) as server:
        pieces, _, said = all_of(stream(MESSAGES, NAME, settings(server)))
    assert len(pieces) <= 400 and not said.is_whole
    with Ollama() as server:
        assert all_of(stream(MESSAGES, NAME, settings(server)))[2].is_whole


def test_a_context_smaller_than_the_one_that_was_asked_for_is_an_error_where_it_may_have_cut():
    """The count alone cannot tell: 520 long words are at least 520 tokens and may be five times as many."""
    long = [*MESSAGES, {"role": "user", "content": "extraordinary " * 520}]
    with Ollama(context=700) as server, pytest.raises(Unavailable, match="room for 700 tokens only"):
        all_of(stream(long, NAME, settings(server)))
    with Ollama(context=4096) as server:
        assert all_of(stream(long, NAME, settings(server)))[2].text == GOOD


@pytest.mark.parametrize("digits", [r"\d", r"\d{1,3}"])
def test_no_tokenizer_makes_fewer_pieces_than_ours_at_least(digits):
    """The expressions by which Qwen 2 and 3, and Llama 3, cut a text before anything is joined; they join a sign with
    the word behind it."""
    letter, sign = r"[^\W\d_]", r"[^\w\s]|_"
    cuts = re.compile(rf"(?i:'s|'t|'re|'ve|'m|'ll|'d)|(?:[^\S\r\n]|{sign})?{letter}+|{digits}|"
                      rf" ?(?:{sign})+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    for text in ("mean_concave_points held-out built-in the patient's (AUROC)", "‹thalach_max›: 12.5 %; n = 12345",
                 "- **AUROC** [1]\n\n_x -y /z", SYSTEM, GOOD):
        assert least(text) <= sum(not each.isspace() for each in cuts.findall(text)), text


def test_the_servers_own_count_is_never_below_ours():
    for text in (GOOD, "‹thalach_max› 12.5 %; n = 303", "Ärztin, Größe 180 cm\n\n- x_y_z", "a" * 50 + " 123456"):
        assert least(text) <= tokens(text)


def test_a_missing_model_is_said_by_its_absence():
    with Ollama() as server, pytest.raises(Unavailable, match="does not have that model"):
        all_of(stream(MESSAGES, "nobody:1b", settings(server)))


def test_no_server_is_said_at_once():
    with Ollama() as server:
        gone = settings(server)
    with pytest.raises(Unavailable, match="No Ollama server answers"):
        choose(gone)


def test_models_of_the_cloud_and_of_embeddings_are_not_offered():
    listed = {NAME: 2 * GB, "gpt-oss:120b-cloud": 400, "kimi-k2:cloud": 60 * GB, "pointer:1b": 300,
              "nomic-embed-text:latest": GB}
    with Ollama(models=listed) as server:
        assert [each.name for each in models(settings(server))] == [NAME]
        with pytest.raises(Unavailable, match="no model kimi-k2:cloud"):
            choose(settings(server, model="kimi-k2:cloud"))


@pytest.mark.parametrize(("free", "name"), [
    (64 * GB, NAME), (5 * GB, NAME), (3 * GB, "qwen3:1.7b"), (1 * GB, None)])
def test_the_model_is_chosen_by_the_free_memory(monkeypatch, free, name):
    monkeypatch.setattr(chat, "_free_memory", lambda: free)
    with Ollama(models={"llama3:70b": 40 * GB, NAME: int(2.5 * GB), "qwen3:1.7b": int(1.4 * GB)}) as server:
        if name is None:
            with pytest.raises(Unavailable, match="no model that fits the memory"):
                choose(settings(server))
        else:
            assert choose(settings(server)).name == name


def test_a_model_that_is_loaded_already_fits(monkeypatch):
    monkeypatch.setattr(chat, "_free_memory", lambda: GB)
    with Ollama() as server:
        server.loaded.add(NAME)
        assert choose(settings(server)).loaded


@pytest.mark.parametrize(("server", "why"), [({"capabilities": ("embedding",)}, "cannot chat"),
                                             ({"trained": 2048}, "reads 2048 tokens only")])
def test_what_a_model_can_do_is_read_from_the_server(server, why):
    with Ollama(**server) as there, pytest.raises(Unavailable, match=why):
        choose(settings(there))


@pytest.mark.parametrize("host", ["http://ollama.example:11434", "192.0.2.7", "https://10.0.0.5", "file:///etc",
                                  "http://127.0.0.1:port", "http://"])
def test_another_machine_is_not_asked_unless_an_administrator_listed_it(monkeypatch, host):
    monkeypatch.setenv("MEDML_OLLAMA_HOST", host)
    before = egress.count()
    with pytest.raises(Unavailable, match="no administrator|cannot be read"):
        choose(Settings())
    assert egress.count() == before  # it was not even tried


def test_a_listed_machine_may_be_asked(monkeypatch):
    monkeypatch.setenv("MEDML_ALLOW_HOSTS", "ollama.ward.example, 192.0.2.7")
    assert chat.address(Settings(host="http://192.0.2.7:8080")) == "http://192.0.2.7:8080"
    assert chat.address(Settings(host="ollama.ward.example")) == "http://ollama.ward.example:11434"
    assert not chat.is_here(Settings(host="192.0.2.7")) and chat.is_here(Settings(host="[::1]:11434"))


def test_proxies_and_keys_of_the_environment_are_not_used(monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://192.0.2.1:3128")
    monkeypatch.setenv("OLLAMA_API_KEY", "sk-secret")
    before = egress.count()
    with Ollama() as server:
        assert all_of(stream(MESSAGES, NAME, settings(server)))[2].text == GOOD
        assert "sk-secret" not in str(server.asked)
    assert egress.count() == before


@pytest.mark.parametrize(("needed", "left"), [(GB, {NAME}), (8 * GB, set())])
def test_a_model_stays_while_a_training_has_room_beside_it(monkeypatch, needed, left):
    monkeypatch.setattr(chat, "_free_memory", lambda: 4 * GB)
    with Ollama() as server:
        server.loaded.add(NAME)
        chat.make_room(needed, settings(server))
        assert server.loaded == left


@pytest.mark.parametrize(("gpu", "on_card", "left"), [(True, True, set()), (True, False, {NAME}),
                                                      (False, True, {NAME})])
def test_a_model_on_the_graphics_card_gives_way_to_a_training_there(monkeypatch, gpu, on_card, left):
    monkeypatch.setattr(chat, "_free_memory", lambda: 64 * GB)
    with Ollama(gpu=gpu) as server:
        server.loaded.add(NAME)
        chat.make_room(GB, settings(server), on_card=on_card)
        assert server.loaded == left


def test_memory_is_given_back_before_a_training():
    with Ollama() as server:
        all_of(stream(MESSAGES, NAME, settings(server)))
        assert server.loaded == {NAME}
        assert chat.unload(settings(server)) == [NAME] and server.loaded == set()
        gone = settings(server)
    assert chat.unload(gone) == []


def test_texts_are_embedded_where_there_is_a_model_for_it():
    with Ollama(models={NAME: 2 * GB, "nomic-embed-text:latest": GB}) as server:
        name, vectors = chat.embed(["fever of the lung", "kidney"], settings(server))
    assert name == "nomic-embed-text:latest" and vectors == [[1, 1, 0, 0.1], [0, 0, 1, 0.1]]
    with Ollama() as server:
        assert chat.embed(["fever"], settings(server)) is None
