"""What a screen reader says of a chart: which one it is, not its caption alone."""

from __future__ import annotations

from pathlib import Path

import pyarrow as arrow
import pytest
import test_plots_curves
import test_plots_distributions
import test_plots_explain
from streamlit.testing.v1 import AppTest
from tables import clinic, saved

from medml import profile, project
from medml.plots import SCREEN, dressed

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


def test_pictures_follow_another_outcome_of_the_same_words(tmp_path):
    table = clinic()
    table["relapse"] = 1 - table["outcome"]
    card = project.create(saved(table, tmp_path), "Study")
    found = profile.scan(Path(card.source))
    project.write(card.id, found)
    page = AppTest.from_file(str(ROUTER), default_timeout=60)
    page.query_params["project"] = card.id
    drawn = []
    for target in ("outcome", "relapse"):
        project.write(card.id, profile.propose_choice(found, target=target))
        page = page.run() if drawn else page.run().switch_page("preview.py").run()
        drawn.append(shown_of_groups(page, "age"))
    assert drawn[0] == dict(zip(drawn[1], reversed(drawn[1].values()), strict=True)) != drawn[1]


def shown_of_groups(page: AppTest, column: str) -> dict[str, list[int]]:
    """The counts of one picture of Preview, by group."""
    chart = next(each.proto for each in page.get("vega_lite_chart") if f"values of {column} are" in each.proto.alt)
    rows = arrow.ipc.open_stream(chart.datasets[0].data.data).read_all().to_pylist()
    return {name: [row["n"] for row in rows if row["group"] == name] for name in sorted({row["group"] for row in rows})}


CHARTS = test_plots_curves.CHARTS | test_plots_explain.CHARTS | test_plots_distributions.PICTURES


@pytest.mark.parametrize("name", CHARTS)
def test_the_rows_of_a_chart_arrive_as_they_are(name):
    page = AppTest.from_function(shown, kwargs={"name": name}).run()
    assert not page.exception
    sent = {each.name: arrow.ipc.open_stream(each.data.data).read_all().to_pylist()
            for each in page.get("vega_lite_chart")[0].proto.datasets}
    for key, rows in dressed(CHARTS[name](SCREEN), SCREEN)["datasets"].items():
        names = dict.fromkeys(each for row in rows for each in row)
        assert sent[key] == [{each: row.get(each) for each in names} for row in rows]


def shown(name: str) -> None:
    """A page of one chart."""
    from test_ui_charts import CHARTS

    from medml.plots import SCREEN, dressed
    from pages import _ui as ui

    ui.chart(dressed(CHARTS[name](SCREEN), SCREEN), "Words.")


def test_a_chart_of_a_report_is_made_once_a_session_and_anew_for_another_report():
    made = []
    page = AppTest.from_function(shown_of, kwargs={"curve": [1], "made": made}).run().run()
    assert not page.exception and page.get("vega_lite_chart") and made == [[1]]
    for curve in ([1], [2]):  # what one session has drawn is nobody else's
        AppTest.from_function(shown_of, kwargs={"curve": curve, "made": made}).run()
    assert made == [[1], [1], [2]]


def shown_of(curve: list[int], made: list) -> None:
    """A page of one chart that is kept by what it is made from."""
    from test_ui_charts import CHARTS

    from medml.plots import SCREEN
    from pages import _ui as ui

    ui.chart(lambda: made.append(curve) or CHARTS["roc"](SCREEN), "Words.", key="m_once", of=(curve,))
