"""What a screen reader says of a chart: which one it is, not its caption alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from tables import clinic, saved

from medml import profile, project

ROUTER = Path(__file__).resolve().parents[1] / "pages" / "_router.py"


@pytest.fixture
def preview(tmp_path) -> AppTest:
    """The Preview of a table of a clinic."""
    card = project.create(saved(clinic(), tmp_path), "Study")
    found = profile.scan(Path(card.source))
    project.write(card.id, found)
    project.write(card.id, profile.propose_choice(found))
    page = AppTest.from_file(str(ROUTER), default_timeout=60)
    page.query_params["project"] = card.id
    return page.run().switch_page("preview.py").run()


def test_every_chart_of_the_preview_says_what_it_draws(preview):
    said = [each.proto.alt for each in preview.get("vega_lite_chart")]
    assert len(said) > 3 and len(set(said)) == len(said)
    assert sum("How the values of age are spread, for each outcome by itself." in each for each in said) == 1
    assert said[-1].startswith("Where cells are missing")
