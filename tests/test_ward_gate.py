"""What stands before a window of somebody who is signed in, by itself."""

from __future__ import annotations

import asyncio

from medml.errors import UserError
from pages import _ward as ward
from pages import _ward_gate
from pages._ward_gate import Window
from tests.ward import to_its_end


async def looked_after() -> tuple[Window, list[dict]]:
    """A window in which nobody does anything, until its looking has come to an end, and what it was sent."""
    sent: list[dict] = []

    async def send(message: dict) -> None:
        sent.append(message)
    window = Window(None, "a token")
    window._send = send
    await asyncio.wait_for(window._look_again_and_again(), 20)
    return window, sent


def test_an_idle_window_is_sent_away_though_the_database_could_not_be_asked_once(monkeypatch):
    answers = iter([UserError(what="The database is busy.", fix="Try again."), None])

    def look(token: str) -> None:
        answer = next(answers)
        if answer is not None:
            raise answer
    monkeypatch.setattr(_ward_gate, "LOOK", 0.01)
    monkeypatch.setattr(ward, "look", look)
    window, sent = to_its_end(looked_after)
    assert window.closed and [each["type"] for each in sent] == ["websocket.send", "websocket.close"]
