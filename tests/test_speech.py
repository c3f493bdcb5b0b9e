"""A question by voice: written down by a model on this machine, read over, then asked; nothing of it is kept."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from whisper_small import teach, tone, wav

from medml.copilot import speech
from medml.errors import UserError
from pages import _ui_speech


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    return teach(tmp_path_factory.mktemp("whisper"))


@pytest.fixture
def with_model(taught, medml_home):
    """A home into which a person put the folder."""
    shutil.copytree(taught, medml_home / "pretrained" / "whisper-small")


@pytest.mark.parametrize(("hertz", "word"), [(450, "low"), (1700, "high")])
def test_what_was_said_is_written_down(with_model, hertz, word):
    assert speech.written_down(wav(tone(hertz))) == word
    assert speech.written_down(wav(tone(hertz, loudness=0.2), channels=2)) == word


def test_a_child_writes_down_what_a_page_recorded_and_keeps_nothing(with_model, medml_home):
    before = {each for each in medml_home.rglob("*") if "logs" not in each.parts}
    heard = _ui_speech.Heard(wav(tone(1750)))
    heard.run()
    assert heard.ended.is_set() and heard.failed is None and heard.text == "high" and heard.sound == b""
    unreadable = _ui_speech.Heard(b"RIFF")
    unreadable.run()
    assert unreadable.ended.is_set() and unreadable.failed.what == "This recording cannot be read."
    assert {each for each in medml_home.rglob("*") if "logs" not in each.parts} == before
    assert not any("high" in each.read_text() for each in medml_home.glob("logs/*"))


@pytest.mark.parametrize(("sound", "what"), [
    (b"RIFF", "This recording cannot be read."),
    (wav(tone(440), rate=48_000), "This recording cannot be read."),
    (wav(np.zeros(31 * speech.RATE, np.float32)), "This is longer than 30 seconds.")])
def test_a_recording_that_cannot_be_used_is_refused_in_words(with_model, sound, what):
    with pytest.raises(UserError) as refused:
        speech.written_down(sound)
    assert refused.value.what == what and refused.value.fix


def test_without_a_model_there_is_a_sentence_how_to_add_one(medml_home):
    (medml_home / "pretrained" / "other").mkdir(parents=True)
    (medml_home / "pretrained" / "other" / "config.json").write_text('["whisper"]')
    assert speech.model_folder() is None
    with pytest.raises(UserError) as refused:
        speech.written_down(wav(tone(440)))
    assert refused.value.fix == speech.how_to_add() and str(medml_home / "pretrained") in refused.value.fix


def test_a_damaged_model_is_refused_in_words_and_nothing_is_downloaded(with_model, medml_home):
    weights = medml_home / "pretrained" / "whisper-small" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(UserError) as refused:
        speech.written_down(wav(tone(440)))
    assert refused.value.code == "bad_speech_model"


def test_weights_as_a_pickle_are_no_model(with_model, medml_home):
    folder = medml_home / "pretrained" / "whisper-small"
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert speech.model_folder() is None


def shown(**state) -> AppTest:
    def draw():
        import streamlit as st

        from pages._ui_speech import how_to_speak, microphone
        microphone(lambda question: st.session_state.update(put=question), busy=False)
        how_to_speak()

    app = AppTest.from_function(draw, default_timeout=60)
    for name, value in state.items():
        app.session_state[name] = value
    return app.run()


def test_the_microphone_appears_with_a_model_alone(with_model, medml_home):
    assert len(shown().get("audio_input")) == 1 and not shown().get("html")
    shutil.rmtree(medml_home / "pretrained")
    bare = shown()
    assert not bare.get("audio_input") and "To speak instead of typing" in bare.get("html")[0].proto.body


def heard_as(text: str = "", failed: UserError | None = None) -> _ui_speech.Heard:
    made = _ui_speech.Heard(b"", text, failed)
    made.ended.set()
    return made


def test_what_was_understood_is_read_over_before_it_is_asked(with_model):
    app = shown(**{_ui_speech.HEARD: heard_as("low")})
    assert app.text_area[0].value == "low"
    app.text_area[0].set_value("Why is sensitivity low?").run()
    app.button(key="m_copilot_heard_ask").click().run()
    assert app.session_state["put"] == "Why is sensitivity low?" and _ui_speech.HEARD not in app.session_state
    assert not app.text_area


def test_what_cannot_be_understood_is_said_and_asks_nothing(with_model):
    app = shown(**{_ui_speech.HEARD: heard_as(failed=UserError(what="It cannot be read.", fix="Try again."))})
    assert any("cannot be read" in each.proto.body for each in app.get("html"))
    app.button(key="m_copilot_heard_close").click().run()
    assert "put" not in app.session_state and _ui_speech.HEARD not in app.session_state
    silent = shown(**{_ui_speech.HEARD: heard_as()})
    assert any("Nothing was understood" in each.proto.body for each in silent.get("html"))
