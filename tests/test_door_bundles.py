"""What a page draws reaches the server's loop: all of it, in its order, with few wakes, whatever one part does."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from streamlit.runtime.app_session import AppSession

from pages._door_bundles import EVERY, Bundle, hand_over_in_bundles
from tests.at_work import until

WHO = contextvars.ContextVar("who", default="nobody")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop at work in a thread of its own, that counts how often it is woken."""
    made = asyncio.new_event_loop()
    made.woken = 0
    plain = made.call_soon_threadsafe

    def counted(*given, **more):
        made.woken += 1
        return plain(*given, **more)
    made.call_soon_threadsafe = counted
    made.set_exception_handler(lambda *_: None)
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    yield made
    if not made.is_closed():
        plain(made.stop)
        thread.join()
        made.close()


def test_all_of_it_arrives_in_its_order_from_many_threads_at_once(loop):
    bundle, seen = Bundle(loop), []

    def draw(who: int) -> None:
        for number in range(2000):
            bundle.add(lambda number=number: seen.append((who, number)))
            if number % 100 == 0:
                time.sleep(EVERY * (who + 1) / 4)  # the loop falls asleep now and then
    threads = [threading.Thread(target=draw, args=(who,)) for who in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    until(lambda: len(seen) == 16_000, 20)
    for who in range(8):
        assert [number for of, number in seen if of == who] == list(range(2000))
    assert loop.woken < 1600  # each of them woke it before


def test_the_first_one_wakes_the_loop_and_so_does_the_one_after_a_rest(loop):
    bundle, seen = Bundle(loop), []
    for number in range(3):
        bundle.add(lambda number=number: seen.append(number))
        until(lambda number=number: seen[-1:] == [number], 5)
        until(lambda: not bundle.awake, 5)
        assert loop.woken == number + 1


def test_one_that_fails_keeps_none_back_and_each_keeps_its_context(loop):
    bundle, seen = Bundle(loop), []

    def draw(who: str) -> None:
        WHO.set(who)
        bundle.add(lambda: 1 / 0)
        bundle.add(lambda: seen.append((who, WHO.get())))
    for who in ("Ada", "Ben", "Cleo"):
        contextvars.copy_context().run(draw, who)
    until(lambda: len(seen) == 3, 5)
    assert seen == [("Ada", "Ada"), ("Ben", "Ben"), ("Cleo", "Cleo")]


def test_after_the_server_s_end_it_is_dropped_without_a_word():
    closed = asyncio.new_event_loop()
    closed.close()
    Bundle(closed).add(lambda: pytest.fail("the server is gone"))


def test_streamlit_s_sessions_hand_over_so(loop, monkeypatch):
    monkeypatch.setattr(AppSession, "_call_soon_on_event_loop", AppSession._call_soon_on_event_loop)
    hand_over_in_bundles()
    session, seen = SimpleNamespace(_event_loop=loop), []
    loop.call_soon_threadsafe(time.sleep, 0.2)  # busy, as with another session's page
    for number in range(50):
        AppSession._call_soon_on_event_loop(session, lambda number=number: seen.append(number))
    until(lambda: len(seen) == 50, 5)
    assert seen == list(range(50)) and loop.woken == 2
