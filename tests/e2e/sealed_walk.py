"""The walk on screen where there is no way out: `python -m tests.e2e.sealed_walk FOLDER`, in a network namespace.

The app, its worker and their children run under strace; Chromium is the user's own browser, and is asked instead. What
a person, a table or a model can name carries images and links to another machine. Prints what was seen, as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import Page, expect, sync_playwright

from medml.doctor import sealed
from tests.e2e import steps
from tests.e2e.served import ENTRY, FLAGS, ROOT, Asked, chromium, end_all_of, free_port, wait_until_up
from tests.ollama_server import Ollama

AWAY = "192.0.2.1"  # RFC 5737: an address that belongs to nobody
PROJECT = f"![p](https:{AWAY}) <img src=https:{AWAY}>"  # a folder's name has no slash; a browser needs none either
FILE = f"<img src='https:{AWAY}' onerror='alert(1)'> [f](https:{AWAY}).csv"
COLUMNS = (f"![c](http://{AWAY}/c.png)", f"<img src=http://{AWAY}/d.png>", f"<a href=http://{AWAY}/e>ward</a>")
WARDS = (f"![n](http://{AWAY}/n.png)", f"<link rel=stylesheet href=//{AWAY}/s.css>", f"[east](http://{AWAY}/w)")
RUN = f"![r](http://{AWAY}/r.png) <iframe src=http://{AWAY}/i></iframe>"
ANSWER = (f"- The column **age** has gaps ![seen](http://{AWAY}/pixel.png) in the table.\n"
          f"- <img src='http://{AWAY}/x.png' onerror='alert(1)'><a href='http://{AWAY}/'>Look here</a> first.\n"
          f"Next step: read [this](http://{AWAY}/page).")
WITH_IDS = {"home": "", "words": "words", "jobs": "jobs"}  # pages that are opened without a project and a run
POINTS_AWAY = """away => [...document.querySelectorAll("*")].filter(each => [...each.attributes].some(one =>
    ["src", "href", "srcset", "action", "data", "poster", "style"].includes(one.name) && one.value.includes(away)))
    .map(each => each.outerHTML.slice(0, 120))"""


def planted(folder: Path) -> Path:
    """A table of 120 patients whose columns, categories, file and folder carry images and links."""
    rng = np.random.default_rng(0)
    age, marker = rng.normal(60, 12, 120).round(0), rng.normal(130, 18, 120).round(0)
    sick = (rng.random(120) < 1 / (1 + np.exp(-(0.12 * (age - 60) + 0.05 * (marker - 130))))).astype(int)
    table = pd.DataFrame({"patient_id": [f"P{n:04d}" for n in range(120)], "age": age, COLUMNS[0]: marker,
                          COLUMNS[1]: rng.normal(5, 1, 120).round(0), COLUMNS[2]: rng.choice(WARDS, 120),
                          "outcome": sick})
    place = folder / PROJECT
    place.mkdir()
    table.to_csv(place / FILE, index=False)
    return place


class Walk:
    """One browser page, and what it was seen to do."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.seen: dict[str, list[str]] = {}  # page: elements that point away
        self.words: dict[str, int] = {}  # page: how often the other machine's address stands there, as text

    def look(self, name: str) -> None:
        """Unfold everything, wait, and note what points to the other machine."""
        self.page.get_by_role("heading", level=1).wait_for()
        steps.settled(self.page)
        self.page.wait_for_timeout(300)  # a second run of the script may follow the first
        steps.settled(self.page)
        self.page.evaluate("document.querySelectorAll('details:not([open]) > summary').forEach(each => each.click())")
        steps.settled(self.page)
        self.seen[name] = self.page.evaluate(POINTS_AWAY, AWAY)
        self.words[name] = self.page.inner_text("body").count(AWAY)

    def the_line(self, source: Path) -> None:
        """Scan, preview, cleanup, configure, train, evaluate, as a clinician goes."""
        steps.begin(self.page, source)
        for name, button in (("scan", "Continue to preview"), ("preview", "Continue to cleanup"),
                             ("cleanup", "Continue to configure")):
            self.look(name)
            self.page.get_by_role("button", name=button).click()
            self.page.get_by_role("heading", level=1, name=name.capitalize()).wait_for(state="detached")
        steps.choose_family(self.page, "Logistic regression")
        self.look("configure")
        steps.start(self.page)
        steps.result(self.page)
        self.look("evaluate")

    def ask(self) -> None:
        """The co-pilot, answered by a model that means no good."""
        self.page.get_by_role("button", name="Co-pilot", exact=True).click()
        panel = self.page.locator(".st-key-m_copilot")
        box = panel.get_by_role("textbox")
        expect(box).to_be_enabled()
        box.fill("Which of these columns worry you?")
        box.press("Enter")
        expect(panel).to_contain_text("on this machine.")
        self.look("co-pilot")

    def every_other_page(self, project: str, run: str) -> None:
        """Each file of pages/ that is a screen and no part of the line, with that project and run open."""
        for name in sorted(set(screens()) - self.seen.keys()):
            ids = "" if name in WITH_IDS else f"?project={project}&run={run}"
            self.page.goto(f"{self.url}/{WITH_IDS.get(name, name)}{ids}")
            self.look(name)


def screens() -> list[str]:
    return sorted(each.stem for each in (ROOT / "pages").glob("[!_]*.py"))


def walked(folder: Path, source: Path, ollama: str) -> dict:
    """Serve the app under strace, walk, and end it; what was seen."""
    home, port = folder / "home", free_port()
    os.environ |= {"MEDML_HOME": str(home), "MEDML_OLLAMA_HOST": ollama, "OMP_NUM_THREADS": "1"}
    with (folder / "app.said").open("wb") as said:
        app = subprocess.Popen(sealed.traced([sys.executable, "-m", "streamlit", "run", str(ENTRY), "--server.port",
                                              str(port)], folder / "app.trace"), cwd=ROOT, stdout=said, stderr=said)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", app, folder / "app.said")
        return in_the_browser(f"http://127.0.0.1:{port}", port, source)
    finally:
        sealed.end_of(app.pid)
        end_all_of(home)
        app.wait(60)


def in_the_browser(url: str, port: int, source: Path) -> dict:
    from medml import gallery, project

    asked = Asked(port)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=FLAGS)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(60_000)
        asked.watch(context)
        walk = Walk(context.new_page(), url)
        walk.page.goto(url)
        walk.the_line(source)
        walk.ask()
        run, made = gallery.runs()[0].run, project.all_projects()[0].id
        gallery.rename(run, name=RUN, notes=RUN)
        walk.every_other_page(made, run)
        browser.close()
    return {"seen": walk.seen, "asked": asked.elsewhere, "console": asked.console, "words": walk.words}


def main(folder: Path) -> int:
    sealed.loopback_up()
    if sealed.routes():
        return 3
    source = planted(folder)
    subprocess.run(sealed.traced([sys.executable, "-c", sealed.CONTROL], folder / "control.trace"), check=False,
                   stderr=subprocess.DEVNULL)
    with Ollama(ANSWER) as ollama:
        found = walked(folder, source, ollama.url)
    (folder / "found.json").write_text(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
