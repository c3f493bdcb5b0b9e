"""The co-pilot's panel: what is shown of an answer, where a change goes, and that no screen waits for an answer."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from ollama_server import GB, Ollama
from streamlit.testing.v1 import AppTest
from tables import clinic, planned, saved

import worker
from medml import copilot, project
from medml.copilot import Answer, Event, Proposal
from medml.copilot.acting import IN_WORDS
from medml.copilot.proposal import propose
from medml.train import train
from pages import _copilot_asked as asked
from pages import _copilot_change as change
from pages import _ui_copilot as panel
from pages._copilot_said import as_html
from tests.at_work import until


@pytest.fixture(autouse=True)
def nothing_asked():
    yield
    asked._under_way.clear()


@pytest.fixture
def standing(tmp_path):
    """A project that is configured for a network of 40 rounds."""
    source = saved(clinic(120), tmp_path)
    made = project.create(source)
    profile, recipe, config = planned(source, family="mlp", params={"epochs": 40})
    for value in (profile, config.choice, recipe, config):
        project.write(made.id, value)
    return made.id


def rounds(before: int = 40, after: int = 60, family: str = "mlp") -> Proposal:
    return Proposal(family=family, parameter="epochs", title="Rounds", before=before, after=after,
                    reason="the curve is still falling")


def shown(project_id: str | None, step: str | None = "scan") -> AppTest:
    def draw(project_id, step):
        from pages._ui_copilot import panel
        panel(project_id, None, "Scan", step, lambda: None)

    app = AppTest.from_function(draw, kwargs={"project_id": project_id, "step": step}, default_timeout=60).run()
    assert not app.exception
    return app


def text_of(app: AppTest) -> str:
    return " ".join(each.proto.body for each in app.get("html"))


def test_beside_the_line_the_panel_reads_of_the_work_that_is_open(standing, tmp_path):
    """A gallery or a list of jobs is no place without a project, where one stands in the bar."""
    def at(title, project_id=None, run=None, step=None):
        stage = panel.stage_at(project_id, run, title, step)
        return stage, panel.seen(project_id, run, stage).rows

    assert at("Jobs") == ("home", None)
    assert at("Jobs", standing) == at("Privacy", standing) == ("configure", 120)
    assert at("Scan", standing, step="scan") == ("scan", 120) and at("Checks", standing)[0] == "evaluate"
    run = train(tmp_path, project.profile(standing), project.recipe(standing), project.config(standing).model_copy(
        update={"family": "logistic", "params": {}}))
    assert at("Gallery", None, run) == ("evaluate", 120)
    project.add_run(standing, run)
    assert at("Jobs", standing) == ("evaluate", 120)


def test_a_bold_term_opens_its_entry_as_any_other():
    assert 'popovertarget="m-term-auroc"' in as_html("- **AUROC** is 0.8.\nNext step: read.")


def test_an_answer_is_bullets_bold_words_and_nothing_else():
    said = as_html("- **age** is <b>old</b> [here](http://192.0.2.1)\nNext step: *go* on.")
    assert said == ("<ul><li><strong>age</strong> is &lt;b&gt;old&lt;/b&gt; [here](http://192.0.2.1)</li></ul>"
                    '<p class="m-next">Next step: *go* on.</p>')


@pytest.mark.parametrize("step", [None, "scan", "configure"])
def test_every_question_that_is_offered_is_answered_by_the_adviser_and_kept(standing, step):
    app = shown(standing, step)
    labels = [each.label for each in app.button if "quick" in (each.key or "")]
    assert labels == list(copilot.quick_questions(step or "configure"))
    next(each for each in app.button if each.label == labels[0]).click()
    app.run()
    until(lambda: copilot.turns(standing))
    assert "Answered by the built-in adviser." in text_of(app.run())
    assert [each.question for each in copilot.turns(standing)] == [labels[0]]


def test_a_screen_does_not_wait_for_an_answer(standing, monkeypatch):
    """While nothing comes the panel is drawn whole, and Stop ends the asking."""
    begun, closed = threading.Event(), threading.Event()

    def silent(*_, **__):
        try:
            while True:
                begun.set()
                closed.wait(0.01)
                yield Event("wait")
        except GeneratorExit:
            closed.set()
            raise

    monkeypatch.setattr(copilot, "ask", silent)
    app = shown(standing)
    app.button(key="m_copilot_quick_scan_0").click().run()
    assert "Reading what there is" in text_of(app) and begun.wait(30)
    app.button(key="m_copilot_stop").click().run()
    assert closed.wait(30) and asked.latest(standing) is None and copilot.turns(standing) == []


def test_one_question_at_a_time(standing, monkeypatch):
    go_on = threading.Event()

    def slow(*_, **__):
        while not go_on.wait(0.01):
            yield Event("wait")
        return Answer(text="- **a**\nNext step: b.", tier="adviser")

    monkeypatch.setattr(copilot, "ask", slow)
    read = lambda: panel.seen(standing, None, "scan")  # noqa: E731 - what the panel hands over
    first = asked.begin(standing, "scan", "One?", read)
    assert asked.begin(standing, "scan", "Two?", read) is first
    go_on.set()
    assert first.ended.wait(30) and [each.question for each in copilot.turns(standing)] == ["One?"]


def test_an_answer_that_was_stopped_or_outlived_its_project_is_kept_nowhere(standing, monkeypatch):
    def ends_late(end):
        def answered(*_, **__):
            yield Event("wait")
            end()
            return Answer(text="- **a**\nNext step: b.", tier="adviser")
        return answered

    for end in (lambda: asked.dismiss(standing), lambda: project.delete(standing)):
        monkeypatch.setattr(copilot, "ask", ends_late(end))
        seen = panel.seen(standing, None, "scan")
        assert asked.begin(standing, "scan", "Why?", lambda seen=seen: seen).ended.wait(30)
        assert copilot.turns(standing) == []


def test_a_run_of_another_project_is_not_spoken_of_here(standing, monkeypatch):
    monkeypatch.setattr(panel.going_on, "project_of", lambda run: "another")
    monkeypatch.setattr(copilot, "snapshot_of_run", lambda run, stage: pytest.fail("not on the screen"))
    assert panel.seen(standing, "a-run-of-theirs", "evaluate").run.family == "mlp"


def test_a_fault_of_ours_is_one_sentence_with_its_reference(standing, monkeypatch, caplog):
    monkeypatch.setattr(copilot, "ask", lambda *_, **__: 1 / 0)
    now = asked.begin(standing, "scan", "Why?", lambda: panel.seen(standing, None, "scan"))
    assert now.ended.wait(30) and now.failed.startswith("MedML made a mistake; your data is unchanged. Reference")
    assert "made a mistake" in text_of(shown(standing))


def test_a_change_is_made_by_a_click_alone_and_stands_in_the_log(standing):
    copilot.remember(standing, "configure", "More rounds?", Answer(text="- **a**\nNext step: b.", tier="adviser",
                                                                    proposal=rounds()))
    app = shown(standing, "configure")
    assert project.config(standing).params["epochs"] == 40 and "40 → <strong>60</strong>" in text_of(app)
    assert "aggressive" not in text_of(app) and app.button("m_copilot_accept").label == "Set it to 60"
    app.session_state[f"m_plan_{standing}_mlp_epochs"] = 40
    assert change.apply(rounds(), standing)
    assert project.config(standing).params["epochs"] == 60
    assert [each.proposal for each in copilot.changes(standing)] == [rounds()]
    app = shown(standing, "configure")
    assert "40 → 60, set by a click" in text_of(app)
    assert "m_copilot_accept" not in [each.key for each in app.button]  # what was made is not offered again


def test_the_log_of_changes_stands_among_the_questions(standing):
    copilot.remember(standing, "scan", "Why?", Answer(text="- **a**\nNext step: b.", tier="adviser"))
    copilot.accepted(standing, rounds())
    copilot.accepted(standing, rounds(60, 80))
    copilot.remember(standing, "scan", "And now?", Answer(text="- **a**\nNext step: b.", tier="adviser"))
    said = text_of(shown(standing))
    made = [f"<strong>Rounds</strong>: {each}, set by a click" for each in ("40 → 60", "60 → 80")]
    told = ["Why?", *made, "And now?"]
    assert [said.count(each) for each in told] == [1] * 4
    assert sorted(told, key=said.index) == told


def test_a_change_into_the_aggressive_zone_says_so_on_its_button(standing):
    bold = propose(copilot.snapshot_of_project(standing, "configure"), "rate", 0.09, IN_WORDS)
    copilot.remember(standing, "configure", "Faster?", Answer(text="- **a**\nNext step: b.", tier="adviser",
                                                              proposal=bold))
    app = shown(standing, "configure")
    assert app.button("m_copilot_accept").label == "Set it to 0.09, aggressive" and "aggressive</span>" in text_of(app)


def test_a_change_is_compared_with_what_holds_now_also_where_that_is_the_usual_value(standing):
    """A setting that stands at its usual value is written nowhere: it is not free for every change."""
    config = project.config(standing)
    project.write(standing, config.model_copy(update={"params": {}}))
    usual = copilot.snapshot_of_project(standing, "configure").run.setting("epochs").value
    assert usual != 40 and not change.apply(rounds(before=40), standing) and project.config(standing).params == {}
    assert change.apply(rounds(before=usual), standing) and project.config(standing).params == {"epochs": 60}


@pytest.mark.parametrize("late", [rounds(before=30), rounds(family="cnn"), rounds(after=10**9)])
def test_a_change_proposed_for_other_settings_is_not_made(standing, late):
    assert not change.apply(late, standing)
    assert project.config(standing).params["epochs"] == 40 and copilot.changes(standing) == []


def test_who_answers_is_chosen_from_the_servers_own_list(standing, monkeypatch):
    with Ollama(models={"qwen3:1.7b": 2 * GB, "qwen3:8b": 900 * GB, "gpt-oss:120b-cloud": 0}) as server:
        monkeypatch.setenv("MEDML_OLLAMA_HOST", server.url)
        monkeypatch.setattr(asked, "listed", asked.Listed())
        asked.listed.look()
        until(lambda: asked.listed.models)
        app = shown(standing)
        assert [each.replace("\\", "") for each in app.radio[0].options] == [
            "the built-in adviser", "the best model that fits", "qwen3:1.7b, 2.0 GB"]
        assert "Too large for the memory that is free: qwen3:8b, 900 GB." in text_of(app)
        app.radio[0].set_value(panel.RULES).run()
        app.button(key="m_copilot_quick_scan_0").click().run()
        until(lambda: copilot.turns(standing))
        assert copilot.turns(standing)[0].answer.by == copilot.ADVISER and not server.bodies("/api/chat")


def test_a_server_that_hangs_holds_up_no_screen(monkeypatch):
    with Ollama() as server:
        server.slow.set()
        monkeypatch.setenv("MEDML_OLLAMA_HOST", server.url)
        found = asked.Listed()
        found.look()  # comes back although nothing was answered
        assert found.models == [] and found.why == "Looking for models on this machine …"


def test_a_folder_of_own_documents_is_read_in_the_queue_told_and_forgotten(standing, tmp_path, monkeypatch):
    (tmp_path / "guides").mkdir()
    (tmp_path / "guides" / "ward.txt").write_text("Lactate above two counts as raised.")
    handed_in = []
    monkeypatch.setattr(worker, "enqueue", lambda kind, payload: handed_in.append((kind, payload)))
    app = shown(standing)
    app.text_input(key="m_documents_folder").set_value(str(tmp_path / "nowhere"))
    app.button(key="m_documents_read").click().run()
    assert not handed_in
    app.text_input(key="m_documents_folder").set_value(str(tmp_path / "guides"))
    app.button(key="m_documents_read").click().run()
    assert handed_in == [("documents", {"folder": str(tmp_path / "guides")})]
    copilot.read_documents(tmp_path / "guides")
    app = shown(standing)
    assert "1 document in" in text_of(app)
    app.button(key="m_documents_forget").click().run()
    assert copilot.documents() is None and "1 document in" not in text_of(app)


@pytest.mark.parametrize(("host", "said"), [("http://127.0.0.1:9", "Nothing leaves this machine"),
                                            ("http://192.0.2.7", "on a server that your administrator listed")])
def test_it_is_said_where_a_model_reads_all_this(standing, monkeypatch, host, said):
    monkeypatch.setenv("MEDML_ALLOW_HOSTS", "192.0.2.7")
    monkeypatch.setenv("MEDML_OLLAMA_HOST", host)
    monkeypatch.setattr(asked, "listed", SimpleNamespace(look=lambda: None, models=[], why=""))
    assert said in text_of(shown(standing))


def test_passages_carry_the_numbers_that_the_answer_gives_them(standing):
    passages = [copilot.Passage(kind="term", title=each, text="What it means.", source="") for each in ("Fold", "Loss")]
    copilot.remember(standing, "scan", "Why?", Answer(text="- **a** [2]\nNext step: b.", tier="model", model="m",
                                                      passages=passages))
    assert [each.label for each in shown(standing).expander] == ["1 · Fold", "2 · Loss"]


def test_deleting_the_questions_leaves_none(standing):
    copilot.remember(standing, "scan", "Why?", Answer(text="- **a**\nNext step: b.", tier="adviser"))
    app = shown(standing)
    assert "Why?" in text_of(app)
    app.button(key="m_copilot_forget_now").click().run()
    assert copilot.turns(standing) == [] and "Why?" not in text_of(app)
