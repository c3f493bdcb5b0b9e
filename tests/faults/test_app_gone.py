"""The real app is struck down while a training runs that a person started in it: the training ends, the next app shows
it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bench.people import Person
from medml import gallery, store
from tests.at_work import end_everything, until, workers_of
from tests.e2e.served import Served, end, served

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9 and process groups are POSIX")

PATIENCE = 300.0  # seconds: a real training, beside which three browsers may be at work


def done(what: Coroutine[Any, Any, Any]) -> Any:
    """Walk in a thread: where a browser test came before, this one's loop is taken."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, what).result()


def started(app: Served) -> str:
    """A training of the example data, begun on the screen as a person begins it; its job's id."""
    async def walk() -> None:
        person = Person(app.url.removeprefix("http://"))
        await person.open()
        for label in ("Try it on example data", "Continue to preview", "Continue to cleanup", "Continue to configure"):
            await person.until(lambda label=label: person.find("button", label))
            await person.press(label)
        await person.until(lambda: person.find("radio", "Family"))
        families = list(person.find("radio", "Family").element.radio.options)
        await person.set("radio", "Family", string_value=next(each for each in families if "ogistic" in each))
        await person.press("Start now")
        await person.close()
        assert person.errors == []

    done(walk())
    return next(each.id for each in store.jobs() if each.kind == "train")


def shown_on(app: Served, page: str) -> str:
    """What that screen says."""
    async def look() -> str:
        person = Person(app.url.removeprefix("http://"))
        await person.open(page)
        await person.close()
        return person.words()

    return done(look())


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_training_begun_on_a_screen_outlives_the_app(monkeypatch, tmp_path, blow):
    home = tmp_path / "home"
    monkeypatch.setenv("MEDML_HOME", str(home))
    try:
        with served(home) as app, contextlib.ExitStack() as alive:
            alive.callback(end, app.process)
            job = started(app)
            until(lambda: store.get(job).state == "running", PATIENCE)
            before = [each.pid for each in workers_of(str(home))]
            app.process.send_signal(blow)
            app.process.wait(30)
            assert store.get(job).state == "running"
            until(lambda: store.get(job).ended_for_good, PATIENCE)
            assert (store.get(job).state, store.get(job).attempt) == ("done", 1)
            assert [each.pid for each in workers_of(str(home))] == before
        run, = gallery.runs()
        with served(home) as app:
            assert run.name in shown_on(app, "gallery")
    finally:
        end_everything(str(home))
