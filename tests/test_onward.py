"""Who goes on to the next page waits for that page alone: the one that is left is not drawn once more."""

from __future__ import annotations

from bench.people import Person
from tests.e2e.served import served
from tests.faults.test_app_gone import done

REPLACED = 5  # places that are filled while a page is drawn
LEFT = {"Preview": "Continue to cleanup", "Cleanup": "Continue to configure"}  # nothing is done there but to go on


def test_a_page_that_is_left_is_not_drawn_once_more(monkeypatch, tmp_path):
    sent: dict[str, tuple[int, int]] = {}

    async def walk(address: str) -> list[str]:
        person = Person(address)
        await person.open()
        pages = []
        for label in ("Try it on example data", "Continue to preview", *LEFT.values()):
            await person.until(lambda label=label: person.find("button", label))
            before = person.received
            await person.press(label)
            sent[label] = person.received - before, len(person.shown)
            pages.append(person.title())
        await person.close()
        assert person.errors == []
        return pages

    home = tmp_path / "home"
    monkeypatch.setenv("MEDML_HOME", str(home))
    with served(home) as app:
        assert done(walk(app.url.removeprefix("http://"))) == ["scan", "preview", "cleanup", "configure"]
    for label in LEFT.values():
        received, shown = sent[label]
        assert received <= shown + REPLACED, label
