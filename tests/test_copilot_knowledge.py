"""What is looked up and what is kept: the glossary, the clinician's own documents, histories that can be deleted."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest
from ollama_server import GB, Ollama
from reportlab.pdfgen.canvas import Canvas
from snapshots import check, curve, made, report, run
from tables import clinic, planned, saved, trained_once

from medml import copilot, device, gallery, home, project, train
from medml.__main__ import main
from medml.config import estimate
from medml.copilot import giving_way
from medml.copilot.chat import Settings
from medml.copilot.knowledge import Passage
from medml.copilot.knowledge.documents import Unreadable, files_in, read
from medml.copilot.knowledge.shelves import HELP, words_of
from medml.errors import Stopped, UserError
from medml.watch import Silent
from worker.jobs import registry


def pdf(place, *pages: str, password: str | None = None):
    drawn = Canvas(str(place), encrypt=password)
    for text in pages:
        drawn.drawString(72, 700, text)
        drawn.showPage()
    drawn.save()
    return place


@pytest.fixture
def shelf(tmp_path):
    """A folder of a clinician's documents, a broken and a protected one among them."""
    folder = tmp_path / "guides"
    folder.mkdir()
    pdf(folder / "sepsis.pdf", "Introduction.", "Lactate above two counts as raised in septic shock.")
    (folder / "renal.md").write_text("# Dialysis\nWhen potassium is high, ask the kidney team.\n\n# Fluids\nGive none.")
    (folder / "ward.txt").write_text("Ringing tone of the ward telephone.")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    pdf(folder / "locked.pdf", "Secret.", password="pw")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    return folder


def test_text_markdown_and_pdf_are_read_with_their_place(shelf):
    assert [each.name for each in files_in(shelf)] == ["broken.pdf", "locked.pdf", "renal.md", "sepsis.pdf", "ward.txt"]
    assert [(each.place, each.text[:7]) for each in read(shelf / "sepsis.pdf")] == [("page 1", "Introdu"),
                                                                                   ("page 2", "Lactate")]
    assert [each.place for each in read(shelf / "renal.md")] == ["Dialysis", "Fluids"]


@pytest.mark.parametrize(("name", "why"), [("broken.pdf", "damaged"), ("locked.pdf", "password")])
def test_a_document_that_cannot_be_read_says_why(shelf, name, why):
    with pytest.raises(Unreadable) as refused:
        read(shelf / name)
    assert why in refused.value.why


def test_a_long_text_is_cut_into_passages_at_its_sentences(tmp_path):
    (tmp_path / "long.txt").write_text("One sentence of six words here. " * 100 + "word " * 300)
    pieces = [each.text for each in read(tmp_path / "long.txt")]
    assert all(len(each.split()) <= 110 for each in pieces) and pieces[0].endswith("here.")
    assert sum(len(each.split()) for each in pieces) == 900


def test_own_documents_are_found_by_their_words_and_forgotten_to_the_last_byte(shelf, medml_home):
    known = copilot.read_documents(shelf)
    assert (known.files, known.passages) == (3, 5) and set(known.left_out) == {"broken.pdf", "locked.pdf"}
    assert copilot.documents() == known
    found = copilot.look_up("when is lactate raised?")[0]
    assert (found.kind, found.title, found.place) == ("document", "sepsis", "page 2")
    assert copilot.look_up("kidneys and potassium")[0].source.endswith("renal.md")
    copilot.forget_documents()
    assert copilot.documents() is None and not any(each.kind == "document" for each in copilot.look_up("lactate"))
    assert all(b"potassium is high" not in each.read_bytes() for each in medml_home.glob("medml.db*"))


class Told(Silent):
    """A Watch that remembers what it is told, and stops at the second document where it should."""

    def __init__(self, stop: bool) -> None:
        self.said, self.stop = [], stop

    def say(self, stage, fraction, message=""):
        self.said.append(message)

    def stopping(self):
        return self.stop and len(self.said) > 1


def test_documents_are_read_in_a_job_that_names_no_file_and_can_be_stopped(shelf, monkeypatch):
    monkeypatch.setenv("MEDML_OLLAMA_HOST", "127.0.0.1:9")
    job, watch = SimpleNamespace(payload={"folder": str(shelf)}), Told(stop=False)
    assert registry.get("documents").run(job, watch) == {"files": 3, "passages": 5, "left_out": 2}
    assert watch.said[:2] == ["document 1 of 5", "document 2 of 5"]
    before = copilot.documents()
    with pytest.raises(Stopped):
        registry.get("documents").run(job, Told(stop=True))
    assert copilot.documents() == before


def test_a_folder_without_documents_is_refused_in_words(tmp_path):
    with pytest.raises(UserError, match="no text, Markdown or PDF"):
        copilot.read_documents(tmp_path)


def test_a_term_a_check_and_a_check_of_this_run_are_found():
    found = copilot.look_up("what is net benefit?")
    assert next(each.title for each in found if each.kind == "term").lower() == "net benefit"
    assert next(each.source for each in found if each.kind == "check") == "E5"
    here = made(report=report(checks=[check("E4")]))
    assert copilot.look_up("what about E4?", here)[0].text == "What was found. Do this."


@pytest.mark.parametrize("question", ["", "???", '"quoted" OR NEAR(a b) *', "what is it", "é'; DROP TABLE jobs;--"])
def test_any_question_can_be_looked_up(question):
    assert isinstance(copilot.look_up(question), list) and len(words_of(question)) <= 24


def test_documents_are_found_by_meaning_where_the_server_can_embed(shelf):
    with Ollama(models={"nomic-embed-text:latest": GB}) as server:
        known = copilot.read_documents(shelf, settings=Settings(host=server.url))
        assert known.embedded_by == "nomic-embed-text:latest" == copilot.documents().embedded_by
        by_meaning = copilot.look_up("kidney fever", settings=Settings(host=server.url))
        gone = Settings(host=server.url)
    assert by_meaning[0].source.endswith("renal.md")
    assert copilot.look_up("potassium", settings=gone)[0].source.endswith("renal.md")  # by words alone again


@pytest.fixture
def asked(tmp_path):
    """A project with one question and its answer, the words of both unlike any other."""
    made_project = project.create(saved(clinic(40), tmp_path)).id
    s = made(run=run(moved={"epochs": (60, "usual")}), curve=curve("still improving"))
    found = copilot.answer(copilot.ask(s, "train", "qzzq is it still falling?", use_model=False))
    copilot.remember(made_project, "train", "qzzq is it still falling?", found)
    return made_project, found


def test_a_history_belongs_to_its_project_and_can_be_deleted_to_the_last_byte(asked, medml_home):
    name, found = asked
    kept = copilot.turns(name)
    assert [(each.number, each.stage, each.answer) for each in kept] == [(1, "train", found)]
    assert [each.role for each in copilot.messages(name)] == ["user", "assistant"] and copilot.turns("other") == []
    assert any(b"qzzq" in each.read_bytes() for each in medml_home.glob("medml.db*"))
    assert copilot.forget(name) == 1 and copilot.turns(name) == []
    assert all(b"qzzq" not in each.read_bytes() for each in medml_home.glob("medml.db*"))


def test_an_accepted_proposal_is_written_into_the_projects_log(asked):
    name, found = asked
    copilot.accepted(name, found.proposal)
    change = copilot.changes(name)[0]
    assert (change.proposal.parameter, change.proposal.before, change.proposal.after) == ("epochs", 60, 90)
    assert change.proposal.reason and change.time > 1.7e9


def test_a_deleted_project_leaves_no_word_of_its_history(asked, medml_home):
    name, found = asked
    copilot.accepted(name, found.proposal)
    project.delete(name)
    assert copilot.turns(name) == [] and copilot.changes(name) == []


def test_a_turn_of_another_version_is_left_out(asked):
    from medml.store import copilot as store

    store.add_turn(asked[0], "train", "new", '{"colour": "blue"}')
    assert [each.number for each in copilot.turns(asked[0])] == [1]


@pytest.mark.parametrize("stage", copilot.STAGES)
def test_quick_questions_suit_the_stage_and_the_adviser_answers_them(stage):
    questions = copilot.quick_questions(stage)
    assert questions[0] == "What should I do next?" and 2 <= len(questions) <= 4
    for each in questions:
        assert copilot.answer(copilot.ask(made(), stage, each, use_model=False)).text.count("\n") <= 9


@pytest.mark.parametrize("kind", ["train", "continue"])
def test_a_language_model_gives_way_before_a_training_begins(kind, tmp_path, monkeypatch):
    """And for as many bytes as this training is estimated to need."""
    source, order = saved(clinic(60), tmp_path), []
    profile, recipe, config = planned(source, family="mlp")
    made_project = project.create(source).id
    for value in (profile, config.choice, recipe, config):
        project.write(made_project, value)
    monkeypatch.setattr(giving_way, "make_room", lambda needed, on_card: order.append((needed, on_card)))
    monkeypatch.setattr(device, "graphics", lambda: True)
    monkeypatch.setattr(train, "train", lambda *values, **more: order.append("training"))
    monkeypatch.setattr(train, "continue_run", lambda *values, **more: order.append("training"))
    monkeypatch.setattr(project, "add_run", lambda *values: None)
    monkeypatch.setattr(gallery, "open_run", lambda run: SimpleNamespace(profile=profile, recipe=recipe, config=config))
    monkeypatch.setattr(sys.modules[registry.get("continue").run.__module__], "source_of_run", lambda payload: source)
    payload = {"project": made_project, "run": "mlp-1", "rounds": 5, "recipe": recipe.model_dump(mode="json"),
               "config": config.model_dump(mode="json")}
    registry.get(kind).run(SimpleNamespace(id="1", payload=payload, halved=False, is_finishing=False), Silent())
    needed = estimate(profile.table(config.choice.table), config, recipe).bytes
    assert order == [(needed, True), "training"] and needed > 0


# ---- the command line ------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    with trained_once(tmp_path_factory.mktemp("ask")) as name:
        yield name, home.home()


def test_ask_prints_the_answer_and_who_gave_it(trained, capsys, tmp_path, monkeypatch):
    name, place = trained
    monkeypatch.setenv("MEDML_HOME", str(place))
    with Ollama("- **AUROC** says how well patients are ranked.\nNext step: read the checks.") as server:
        monkeypatch.setenv("MEDML_OLLAMA_HOST", server.url)
        assert main(["ask", name, "Can I trust it?", "--show-prompt", "--json", str(tmp_path / "a.json")]) == 0
    said = capsys.readouterr().out
    assert "- **AUROC** says how well" in said and "Answered by qwen3:4b-instruct." in said
    written = json.loads((tmp_path / "a.json").read_text())
    assert written["tier"] == "model" and written["stage"] == "evaluate"
    assert all(each["content"] in said for each in written["prompt"]["messages"])
    assert "P00001" not in said and "patient_id" not in said
    assert main(["ask", name, "Can I trust it?"]) == 0
    said = capsys.readouterr().out
    assert "Answered by the built-in adviser. No Ollama server answers" in said and "Next step: " in said


def test_ask_speaks_of_a_project_by_its_name(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MEDML_OLLAMA_HOST", "127.0.0.1:9")
    project.create(saved(clinic(40), tmp_path), "My ward")
    assert main(["ask", "My ward", "What next?", "--stage", "scan"]) == 0
    assert "open a project and scan its folder" in capsys.readouterr().out  # nothing was scanned yet
    assert main(["ask", "nobody", "What next?"]) == 2 and main(["ask", "My ward", "Hm?", "--stage", "moon"]) == 2
    assert "no project and no run “nobody”" in capsys.readouterr().err


@pytest.mark.parametrize("asked_for", [["train", "SOURCE", "--target", "outcome", "--family", "logistic"],
                                       ["continue", "RUN", "--epochs", "5"]])
def test_a_language_model_gives_way_to_the_command_line_too(trained, asked_for, tmp_path, monkeypatch):
    name, place = trained
    source, order = saved(clinic(60), tmp_path), []

    def enough(*values, **more):
        order.append("training")
        raise UserError(what="Enough.", fix="Nothing.")

    monkeypatch.setenv("MEDML_HOME", str(place))
    monkeypatch.setattr(giving_way, "make_room", lambda needed, on_card: order.append("room"))
    monkeypatch.setattr(train, "train", enough)
    monkeypatch.setattr(train, "continue_run", enough)
    assert main([{"SOURCE": str(source), "RUN": name}.get(each, each) for each in asked_for]) == 2
    assert order == ["room", "training"]


def test_a_deleted_run_leaves_no_history(trained, monkeypatch):
    name, place = trained
    monkeypatch.setenv("MEDML_HOME", str(place))
    found = copilot.answer(copilot.ask(copilot.snapshot_of_run(name), "evaluate", "What next?", use_model=False))
    copilot.remember(name, "evaluate", "What next?", found)
    gallery.delete(name)
    assert copilot.turns(name) == []


def test_a_dose_in_a_document_is_pointed_to_and_not_repeated():
    passage = Passage(kind="document", title="sepsis", text="Give 500 mg of it at once.", source="/s",
                      place="page 2")
    found = copilot.answer(copilot.ask(made(), "scan", "sepsis?", passages=[passage], use_model=False))
    assert "mg" not in found.text and "**sepsis** page 2" in found.text and found.passages == [passage]


def test_other_names_of_a_term_are_told_as_such():
    found = next(each for each in copilot.look_up("sensitivity") if each.title == "Sensitivity")
    assert found.text.endswith("Also called: sensitivities, true positive rate.")


def test_every_screen_has_a_help_page_that_is_found():
    pages = {each.stem for each in (HELP.parents[1] / "pages").glob("*.py") if not each.name.startswith("_")}
    told = {each.place.lower().replace("-", ""): each for each in read(HELP / "screens.md")}
    assert set(told) == pages | {"copilot"}
    found = copilot.look_up("where can I leave a training for tonight?")
    assert ("help", "Configure") in [(each.kind, each.place) for each in found]


def test_the_adviser_answers_a_question_on_the_program_from_its_help():
    question = "where can I stop a job or move it up?"
    found = copilot.answer(copilot.ask(made(), "scan", question, passages=copilot.look_up(question), use_model=False))
    assert "Move" in found.text or "move it up" in found.text
    assert [each.kind for each in found.passages] == ["help"] and "Nothing in this work" not in found.text
    found = copilot.look_up("training tonight")
    assert copilot.answer(copilot.ask(made(), "scan", "Is there enough data?", passages=found,
                                      use_model=False)).passages == []
