"""The Jobs screen with a long line of work: all of it is named, the first of it can be changed, the rest on request."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

import worker

ROUTER = Path(__file__).resolve().parents[1] / "pages" / "_router.py"
MANY = 12


def opened(n: int) -> tuple[AppTest, list[str]]:
    """The screen with n trainings that wait."""
    waiting = [worker.enqueue("continue", {"run": f"mlp-{at}", "rounds": 20, "config": {"name": f"Study {at}"}})
               for at in range(n)]
    page = AppTest.from_file(str(ROUTER), default_timeout=60).run().switch_page("jobs.py").run()
    assert not page.exception
    return page, waiting


def to_move(page: AppTest) -> list[str]:
    """The jobs whose place in the line can be changed."""
    return [each.key.removeprefix("m_up_") for each in page.button if (each.key or "").startswith("m_up_")]


def test_a_long_line_is_told_whole_and_its_first_jobs_can_be_changed(medml_home):
    page, waiting = opened(MANY)
    words = " ".join(each.body for each in page.get("html"))
    assert all(f"· Study {at}<" in words for at in range(MANY))
    assert to_move(page) == waiting[:8]


def test_the_rest_of_a_long_line_can_be_changed_once_it_is_asked_for(medml_home):
    page, waiting = opened(MANY)
    page.button(key="m_line_all").click().run()
    assert to_move(page) == waiting
    page.button(key=f"m_up_{waiting[-1]}").click().run()
    assert to_move(page)[0] == waiting[-1]


def test_a_short_line_has_nothing_to_ask_for(medml_home):
    page, waiting = opened(2)
    assert to_move(page) == waiting
    assert not [each for each in page.button if each.key == "m_line_all"]


def test_two_kinds_of_work_are_shown_beside_one_another(medml_home):
    """“Make the score” pressed while “Explain this patient” goes on: each has its bar and its Stop."""
    ids = [worker.enqueue("continue", {"run": f"mlp-{at}", "rounds": 20}) for at in range(2)]

    def drawn(both):
        from pages import _ui as ui

        for each in both:
            ui.job_bar(each)
    shown = AppTest.from_function(drawn, args=(ids,), default_timeout=60).run()
    assert not shown.exception and "MedML made a mistake" not in "".join(each.body for each in shown.html)
    assert {f"m_stop_{each}" for each in ids} <= {each.key for each in shown.button}


def test_a_job_that_was_moved_up_is_said_to_start_next_at_once(medml_home):
    page, waiting = opened(3)
    assert [each.body for each in page.get("html") if "Next in line" in each.body and "Study 0<" in each.body]
    page.button(key=f"m_up_{waiting[-1]}").click().run()
    following = [each.body for each in page.get("html") if "Next in line" in each.body]
    assert len(following) == 1 and "Study 2<" in following[0]


def test_a_waiting_job_is_put_off_from_its_fold(medml_home):
    page, waiting = opened(1)
    page.session_state[f"m_night_{waiting[0]}"] = True
    page.run()
    page.selectbox(key=f"m_hour_{waiting[0]}").select(23)
    page.button(key=f"m_at_{waiting[0]}").click().run()  # both reach the app as one
    assert not page.exception and worker.get(waiting[0]).not_before == worker.tonight(23)
