"""How long a person waits at the screen: `python -m bench.screens [--runs N] [--rows N]`.

The real app, worker and Chromium on this machine. Prints medians with the fastest and the slowest of the repetitions:

    scan            click on "Create project" (a folder with one table) until its columns stand on the Scan page
    first drawing   a page's address entered in a browser that was never here, until heading and content stand still;
                    Streamlit's own scripts are read and compiled in it
    by its link     a page of the walk that this session has not drawn yet, from the click on its link in the steps
                    until heading and content stand still
    re-run          a click on "Browse folders" on the Projects page until the folders stand there
    slider          a key on a slider of the Configure page until its card says another sentence

No threshold is tested here. To beat: 3 s for the scan, 1.5 s for a first drawing, 0.3 s for a re-run, on an idle
machine with 2 cores.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import psutil
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from bench.scan import make_table
from tests.e2e.scenes import scanned
from tests.e2e.served import FLAGS, Served, chromium, served

OF_A_PROJECT = ("scan", "preview", "cleanup", "configure")
PAGES = {"projects": ""} | {each: f"{each}?project={{project}}" for each in OF_A_PROJECT} | \
    {each: each for each in ("gallery", "jobs", "words", "privacy")}  # those that need no model
DRAWN = [["h1", ""], ["[data-test-script-state=notRunning]", ""]]
PATIENCE = 60_000  # milliseconds until a screen counts as broken
SHOWN = """wanted => wanted.every(([which, words]) => [...document.querySelectorAll(which)].some(
           each => each.checkVisibility() && each.textContent.includes(words)))"""  # [selector, words] each


def main(arguments: list[str]) -> int:
    """Measure and print; 2 where there is no Chromium."""
    asked = argparse.ArgumentParser(prog="bench.screens")
    asked.add_argument("--runs", type=int, default=7)
    asked.add_argument("--rows", type=int, default=1_000)
    options = asked.parse_args(arguments)
    if chromium() is None:
        sys.stderr.write("There is no Chromium here; set MEDML_CHROMIUM to its path.\n")
        return 2
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place, at_work(Path(place)) as (app, browser):
        table = Path(place) / "cohort.csv"
        make_table(table, options.rows)
        figures = measure(app, browser, table, options.runs)
    print(f"{options.runs} repetitions, a table of {options.rows:,} rows, {os.cpu_count()} cores, load "
          f"{psutil.getloadavg()[0]:.1f}")
    rows = [{"what": name, "median s": round(statistics.median(each), 2), "fastest": round(min(each), 2),
             "slowest": round(max(each), 2)} for name, each in figures.items()]
    with pl.Config(tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, tbl_rows=30, fmt_str_lengths=60):
        print(pl.DataFrame(rows))
    return 0


@contextlib.contextmanager
def at_work(place: Path) -> Iterator[tuple[Served, Browser]]:
    """The app with a home of its own, and a browser."""
    with served(place / "home") as app, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield app, browser
        browser.close()


def measure(app: Served, browser: Browser, table: Path, runs: int) -> dict[str, list[float]]:
    """Seconds of every repetition by what was measured; the first repetition, with cold caches, is left out."""
    os.environ["MEDML_HOME"] = str(app.home)
    figures: dict[str, list[float]] = {}
    for turn in range(runs + 1):
        folder = table.parent / f"study {turn}"
        folder.mkdir()
        (folder / table.name).write_bytes(table.read_bytes())
        found = {"scan: click to result": timed(browser, app.url, lambda page, at=folder: scan(page, at))}
        project = scanned(folder, f"Study {turn}", target="died")
        for name, address in PAGES.items():
            there = f"{app.url}/{address.format(project=project)}"
            found[f"first drawing: {name}"] = timed(browser, "about:blank", lambda page, at=there: first(page, at))
        for before, name in itertools.pairwise(OF_A_PROJECT):
            there = f"{app.url}/{before}?project={project}"
            found[f"by its link: {name}"] = timed(browser, there, lambda page, to=name: linked(page, to.capitalize()))
        found["re-run: Projects, folders opened"] = timed(browser, app.url, again)
        found["slider: Configure, a card"] = timed(browser, f"{app.url}/configure?project={project}", slid)
        for name, seconds in found.items():
            figures.setdefault(name, []).extend([seconds] if turn else [])
    return figures


def timed(browser: Browser, address: str, act: Callable[[Page], float]) -> float:
    """What `act` measures on a page of a session of its own."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address)
    if address != "about:blank":
        still(page)
    try:
        return act(page)
    finally:
        context.close()


def scan(page: Page, folder: Path) -> float:
    """From the click to the result of the scan."""
    page.get_by_label("Folder or file").fill(str(folder))
    button = page.get_by_role("button", name="Create project")
    return waited(page, button, ["h2, h3", "What should the model learn?"])


def first(page: Page, address: str) -> float:
    """From the address to a page that stands still."""
    begun = time.perf_counter()
    page.goto(address, wait_until="commit")
    still(page)
    return time.perf_counter() - begun


def again(page: Page) -> float:
    """From a click on "Browse folders" until the folders stand there."""
    button = page.get_by_role("button", name="Browse folders")
    return waited(page, button, ["button", "Close folders"], ["button", "Use this folder"])


def linked(page: Page, title: str) -> float:
    """From a click on a page's link in the steps to the page that stands still."""
    link = page.locator(".st-key-m_steps").get_by_role("link", name=title)
    return waited(page, link, ["h1", title], *DRAWN[1:])


def waited(page: Page, pressed: Locator, *wanted: list[str]) -> float:
    """Seconds from the click that the page receives to the first frame that shows all of `wanted`.

    Asked in the page itself, frame by frame: Playwright's own waiting looks after 0.1, 0.35 and 0.85 s.
    """
    page.evaluate(f"""wanted => {{ window.waited = new Promise(done => addEventListener("click", () => {{
        const begun = performance.now(), shown = {SHOWN};
        const look = () => shown(wanted) ? done(performance.now() - begun) : requestAnimationFrame(look);
        look(); }}, {{capture: true, once: true}})); }}""", list(wanted))
    pressed.click()
    return page.evaluate("() => window.waited") / 1000


def slid(page: Page) -> float:
    """From a key on the first card's slider until its sentence is another one, frame by frame."""
    still(page)
    slider = page.locator('[class*="st-key-m_card_param_"]').get_by_role("slider").first
    slider.focus()
    page.evaluate("""() => { window.waited = new Promise(done => addEventListener("keydown", () => {
        const begun = performance.now(), says = () => document.querySelector(".m-card-says").textContent;
        const before = says();
        const look = () => says() !== before ? done(performance.now() - begun) : requestAnimationFrame(look);
        look(); }, {capture: true, once: true})); }""")
    slider.press("ArrowRight")
    return page.evaluate("() => window.waited") / 1000


def still(page: Page) -> None:
    """A heading is there and no script runs."""
    page.wait_for_function(SHOWN, arg=DRAWN, timeout=PATIENCE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
