"""Photograph every page, light and dark, 1440 and 900 wide: `python -m tests.e2e.screenshots OUT [PAGE]...`.

`light_1440` or the like among the words takes that kind alone; `pictures` the screens of pictures.

The app is served with the real worker and a home of its own, which is given projects on the example table and, where
../shared is there, on real and hard tables; what is photographed is what a clinician would see. A page file adds its
shots to SHOTS; `prepare_*` in `tests/e2e/scenes.py` make what they show.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e import steps
from tests.e2e.scenes import SHOTS, Shot, prepare
from tests.e2e.scenes_pictures import PICTURES
from tests.e2e.served import FLAGS, Asked, chromium, served

WIDTHS, THEMES = (1440, 900), ("light", "dark")
log = logging.getLogger("screenshots")


def main(arguments: list[str]) -> int:
    """Take them all; 1 where a page asked another machine or had something wider than the window."""
    if not arguments:
        sys.stderr.write("Say where to: python -m tests.e2e.screenshots OUT [PAGE]...\n")
        return 2
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    kinds = [f"{theme}_{width}" for theme in THEMES for width in WIDTHS]
    out, wanted = Path(arguments[0]), [each for each in arguments[1:] if each not in kinds]
    kinds = [each for each in kinds if each in arguments] or kinds
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place, served(Path(place) / "home") as app:
        ids = prepare(app.home, wanted)
        shots = [each for each in (*SHOTS, *PICTURES) if (not wanted or set(each.name.split("_")) & set(wanted))
                 and all(need in ids for need in each.needs)]
        return photograph(app.url, shots, ids, out, kinds)


def photograph(url: str, shots: list[Shot], ids: dict[str, str], out: Path, kinds: list[str]) -> int:
    """One browser, one context a theme and width; returns the exit code."""
    from playwright.sync_api import sync_playwright

    wrong = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=FLAGS)
        for kind in kinds:
            theme, width = kind.split("_")[0], int(kind.split("_")[1])
            asked = Asked(urlsplit(url).port)
            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
            asked.watch(context)
            for shot in shots:
                wrong += one(context, url, shot, ids, out / f"{shot.name}_{kind}.png")
            wrong += [f"{kind}: asked {each}" for each in asked.elsewhere]
            context.close()
        browser.close()
    for each in wrong:
        log.error(each)
    return 1 if wrong else 0


def one(context, url: str, shot: Shot, ids: dict[str, str], target: Path) -> list[str]:
    """Take one picture of a whole page; returns what is wrong with it."""
    page = context.new_page()
    page.goto(f"{url}/{shot.address.format(**ids)}")
    steps.stands_still(page)
    for act in shot.acts:
        act(page)
        steps.stands_still(page)
    steps.photograph(page, target)
    wide = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
    page.close()
    log.info(target.name)
    return [f"{target.name}: {wide} px wider than the window"] if wide > 0 else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
