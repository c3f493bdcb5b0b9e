"""A question by voice: recorded in the browser, written down by a model on this machine, read over, then asked."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

import worker
from medml import rights
from medml.copilot import speech
from medml.errors import UserError
from pages._ui_plain import html
from pages._ui_words import say

HEARD, TAKE = "m_copilot_heard", "m_copilot_take"
EVERY = 0.3  # seconds between two looks
LONGEST = 500  # characters of a question


@dataclass(slots=True)
class Heard:
    """One recording on its way to being text; it lives in the session and is dropped when the question was asked."""

    sound: bytes
    text: str = ""
    failed: UserError | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        """In a thread of its own, by who spoke."""
        threading.Thread(target=rights.as_now(self.run), name="speech", daemon=True).start()

    def run(self) -> None:
        try:
            sound = base64.b64encode(self.sound).decode()
            self.text = str(worker.answer("written_down", sound=sound)["text"])[:LONGEST]
        except UserError as theirs:
            self.failed = theirs
        finally:
            self.sound = b""
            self.ended.set()


def microphone(put: Callable[[str], None], *, busy: bool) -> None:
    """Nothing where no model understands speech; else the microphone and, once something was said, its text.

    put  asks the question
    """
    if speech.model_folder() is None:
        return
    take = st.session_state.setdefault(TAKE, 0)  # a new one each time, so that the last recording is dropped
    sound = st.audio_input("Ask by voice", key=f"{TAKE}_{take}", sample_rate=speech.RATE, disabled=busy,
                           label_visibility="collapsed")
    heard: Heard | None = st.session_state.get(HEARD)
    if sound is not None and heard is None:
        heard = st.session_state[HEARD] = Heard(sound.getvalue())
        heard.begin()
    if heard is None:
        return
    if not heard.ended.is_set():
        st.fragment(_wait, run_every=EVERY)(heard)
    else:
        _read_over(heard, put)


def _wait(heard: Heard) -> None:
    if heard.ended.is_set():
        st.rerun()
    st.html('<p class="m-quiet" role="status">Writing down what you said, on this machine …</p>')


def _read_over(heard: Heard, put: Callable[[str], None]) -> None:
    """What was understood, to be put right before it is asked."""
    def done(question: str = "") -> None:
        st.session_state.pop(HEARD, None)
        st.session_state[TAKE] += 1
        if question.strip():
            put(question)

    if heard.failed is not None:
        say("caution", heard.failed.what, heard.failed.fix)
        st.button("Close", key="m_copilot_heard_close", on_click=done)
        return
    if not heard.text:
        st.html(f'<p class="m-quiet">{html("Nothing was understood. Try again, nearer to the microphone.")}</p>')
        st.button("Again", key="m_copilot_heard_again", on_click=done)
        return
    said = st.text_area("What was understood", heard.text, key="m_copilot_heard_text", max_chars=LONGEST)
    with st.container(horizontal=True, gap="small"):
        st.button("Ask this", key="m_copilot_heard_ask", on_click=done, args=(said,))
        st.button("Drop it", key="m_copilot_heard_drop", type="tertiary", on_click=done)


def how_to_speak() -> None:
    """A sentence where there is no microphone."""
    if speech.model_folder() is None:
        st.html(f'<p><strong>By voice</strong></p><p class="m-note">{html(speech.how_to_add(), 600)}</p>')
