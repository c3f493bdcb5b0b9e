"""What axe-core, the accessibility judge of the field, finds on a screen as it stands."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page

from tests.e2e import steps

AXE = Path(sys.prefix) / "web" / "node_modules" / "axe-core" / "axe.min.js"  # where start.py test puts it
ON_THE_WARD = ("accounts", "audit")  # screens that say something where there are accounts: test_ward opens them


def serious(page: Page, rules: list[str] | None = None) -> list[str]:
    """What axe-core calls serious or critical, what is folded away included; nothing where axe-core is not here.

    rules  those alone, where the others were asked before: what is not colour is the same in both themes
    """
    if not AXE.is_file():
        return []
    page.evaluate("document.querySelectorAll('details:not([open]) > summary').forEach(each => each.click())")
    if not is_plain(page):
        steps.settled(page)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("only => axe.run(document, only ? { runOnly: only } : {})", rules)
    return [f"{each['id']}: {node['html'][:160]}" for each in found["violations"]
            if each["impact"] in ("serious", "critical") for node in each["nodes"]]


def is_plain(page: Page) -> bool:
    """Whether a page that is there stands as it came, as the one to sign in does: no script draws it again."""
    return page.locator('[data-testid="stApp"]').count() == 0
