"""Roles and belonging are asked where an act happens: another person lists, opens, changes, stops and takes nothing."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

import worker
from medml import audit, copilot, gallery, home, one_file, patience, project, rights, standing, store
from medml.errors import UserError
from medml.rights import Person
from pages import _ui_speech

ADA = Person("a1", "Ada", "clinician", ("cardiology",), "10.0.0.1")
BEA = Person("a2", "Bea", "clinician", ("surgery",), "10.0.0.2")
CARL = Person("a3", "Carl", "viewer", ("cardiology",), "10.0.0.3")
ROOT = Person("a4", "Root", "administrator", (), "10.0.0.4")


class Ward:
    """An app that is served to others; `who` is whoever clicks now."""

    def __init__(self) -> None:
        self.who: Person | None = ADA

    def __call__(self) -> Person | None:
        return self.who


@pytest.fixture
def ward(monkeypatch):
    found = Ward()
    monkeypatch.setattr(rights, "_who", found)
    return found


@pytest.fixture
def table(tmp_path) -> Path:
    place = tmp_path / "data" / "t.csv"
    place.parent.mkdir()
    place.write_text("a,b\n1,2\n")
    return place


@pytest.fixture
def mine(ward, table):
    """A project of Ada's with a run and a waiting job."""
    made = project.create(table)
    home.ensure(home.runs_folder() / "r1")
    project.add_run(made.id, "r1")
    store.submit("job-0001", "train", "train", {"project": made.id}, project=made.id)
    return made


def test_every_act_has_a_role_and_words():
    assert all(act.least in rights.ROLES and act.words for act in rights.ACTS.values())
    from worker.jobs import registry

    ours = {each.name for each in registry if "tests" not in Path(inspect.getfile(each.run)).parts}
    assert ours == set(rights.JOBS), "a kind of job that nobody said who may hand in"
    assert set(rights.JOBS.values()) | set(rights.QUESTIONS.values()) <= set(rights.ACTS)


def test_on_a_laptop_the_owner_may_do_everything_and_the_log_says_so(table):
    made = project.create(table)
    project.delete(made.id)
    assert [(each.name, each.act, each.thing) for each in audit.entries()] == [
        ("owner of this machine", "create", made.id), ("owner of this machine", "delete", made.id)]


def test_nobody_acts_where_nobody_is_signed_in(ward, mine, table):
    ward.who = None
    for act in (lambda: project.create(table), project.all_projects, project.ids, gallery.runs, worker.jobs,
                lambda: project.get(mine.id), lambda: gallery.open_run("r1"), lambda: worker.enqueue("train", {})):
        with pytest.raises(UserError, match="signed out"):
            act()


def test_another_person_neither_lists_nor_opens_what_is_not_theirs(ward, mine):
    ward.who = BEA
    assert project.all_projects() == [] and gallery.runs() == [] and worker.jobs() == [] and project.ids() == set()
    assert project.runs_of(mine.id) == [] and not gallery.is_there("r1")
    for act in (lambda: project.get(mine.id), lambda: project.folder(mine.id), lambda: project.profile(mine.id)):
        with pytest.raises(UserError, match="no longer there"):
            act()
    for act in (gallery.open_run, one_file.pack, gallery.delete, lambda run: gallery.rename(run, name="x")):
        with pytest.raises(UserError, match="There is no run r1"):
            act("r1")
    with pytest.raises(KeyError):
        worker.get("job-0001")
    with pytest.raises(UserError):
        copilot.turns(mine.id)


def test_what_is_not_theirs_reads_as_what_is_not_there(ward, mine):
    ward.who = BEA
    with pytest.raises(UserError) as theirs:
        project.get(mine.id)
    with pytest.raises(UserError) as nowhere:
        project.get("p000000000000")
    assert (theirs.value.what, theirs.value.fix) == (nowhere.value.what, nowhere.value.fix)


@pytest.mark.parametrize("act", ["stop", "pause", "go_on", "move_up"])
def test_another_person_moves_and_stops_no_job(ward, mine, act):
    ward.who = BEA
    before = store.get("job-0001")
    with pytest.raises(UserError, match="no longer there"):
        getattr(worker, act)("job-0001")
    assert store.get("job-0001") == before
    assert audit.entries()[-1].outcome == "refused" and audit.entries()[-1].name == "Bea"


@pytest.mark.parametrize("payload", ["project", "run"])
def test_another_person_hands_in_no_work_on_it(ward, mine, payload):
    ward.who = BEA
    about = {"project": mine.id} if payload == "project" else {"run": "r1"}
    with pytest.raises(UserError, match="no longer there"):
        worker.enqueue("scan", about)
    with pytest.raises(UserError, match="no longer there"):
        worker.answer("patient", run="r1", values={"a": 1})
    with pytest.raises(UserError, match="no longer there"):
        worker.ask("explained", part="paired", left="r1", right="r1", names=[])
    assert len(store.jobs()) == 1


def test_a_job_on_ones_own_project_and_anothers_run_is_refused(ward, mine, table):
    ward.who = BEA
    own = project.create(table)
    with pytest.raises(UserError, match="model is no longer there"):
        worker.enqueue("predict", {"project": own.id, "run": "r1", "file": "x"})
    with pytest.raises(UserError, match="no longer there"):
        worker.enqueue("export", {"run": "r1", "project": own.id}, project=own.id)


def test_a_group_shares_a_project_and_its_runs_and_jobs(ward, table):
    made = project.create(table, team="cardiology")
    home.ensure(home.runs_folder() / "r2")
    project.add_run(made.id, "r2")
    store.submit("job-0002", "train", "train", {"project": made.id}, project=made.id)
    ward.who = CARL
    assert [each.id for each in project.all_projects()] == [made.id] and gallery.is_there("r2")
    assert project.ids() == {made.id}
    assert worker.get("job-0002").id == "job-0002"
    ward.who = BEA
    assert project.all_projects() == []
    with pytest.raises(UserError, match="not in that group"):
        project.create(table, team="cardiology")


def test_a_viewer_changes_nothing(ward, table):
    made = project.create(table, team="cardiology")
    home.ensure(home.runs_folder() / "r2")
    project.add_run(made.id, "r2")
    store.submit("job-0002", "train", "train", {"project": made.id}, project=made.id)
    ward.who = CARL
    for act in (lambda: project.create(table), lambda: project.rename(made.id, "x"), lambda: project.delete(made.id),
                lambda: gallery.delete("r2"), lambda: one_file.pack("r2"), lambda: gallery.revert("r2"),
                lambda: worker.enqueue("train", {"project": made.id}), lambda: worker.stop("job-0002"),
                lambda: worker.ask("bring", file="x", backbone="y", scaling="z"),
                lambda: worker.enqueue("documents", {"folder": "x"}), copilot.forget_documents,
                standing.has_been_read, standing.loss_has_been_seen, lambda: rights.require("audit")):
        with pytest.raises(UserError, match="As a viewer you may not") as refused:
            act()
        assert "administrator" in refused.value.fix
    assert rights.why_not("train") == "As a viewer you may not train a model." and rights.why_not("predict") == ""
    assert project.get(made.id).name != "x" and store.get("job-0002").state == "queued"


def test_a_viewer_keeps_nothing_with_a_model_by_a_question(ward, table, monkeypatch):
    """Groups by another column are kept with the run: the child that answers has no person to ask, so the door does."""
    made = project.create(table, team="cardiology")
    home.ensure(home.runs_folder() / "r2")
    project.add_run(made.id, "r2")
    monkeypatch.setattr("worker.aside.subprocess.Popen", lambda *given, **more: pytest.fail("the child was asked"))
    ward.who = CARL
    with pytest.raises(UserError, match="As a viewer you may not change this"):
        worker.ask("explained", part="groups", run="r2", source=str(table), column="a")


def test_a_viewer_asks_in_a_shared_history_and_deletes_none_of_it(ward, table):
    made = project.create(table, team="cardiology")
    ward.who = CARL
    assert copilot.turns(made.id) == []
    with pytest.raises(UserError, match="As a viewer you may not delete what was asked"):
        copilot.forget(made.id)
    assert copilot.forget(rights.talk_of_own()) == 0  # one's own
    ward.who = ADA
    assert copilot.forget(made.id) == 0
    assert [(each.name, each.act, each.outcome) for each in audit.entries()[-2:]] == [
        ("Carl", "forget", "refused"), ("Ada", "forget", "done")]


def test_a_change_of_a_model_is_in_the_log(ward, mine):
    with gallery.changing("r1"):
        pass
    assert [(each.name, each.act, each.sort, each.thing) for each in audit.entries()[-1:]] == [
        ("Ada", "change", "run", "r1")]


def test_an_administrator_sees_everything(ward, mine):
    ward.who = ROOT
    assert [each.id for each in project.all_projects()] == [mine.id] and gallery.is_there("r1")
    assert worker.get("job-0001").project == mine.id


def test_what_was_made_before_there_were_accounts_is_the_administrators(monkeypatch, table):
    made = project.create(table)
    monkeypatch.setattr(rights, "_who", lambda: ADA)
    assert project.all_projects() == []
    monkeypatch.setattr(rights, "_who", lambda: ROOT)
    assert [each.id for each in project.all_projects()] == [made.id]


def test_who_is_made_anew_under_an_old_name_inherits_nothing(ward, mine):
    ward.who = Person("a9", "Ada", "clinician", (), "10.0.0.1")
    assert project.all_projects() == []


def test_a_thread_of_ours_acts_for_who_started_it(ward, mine):
    found = []
    work = rights.as_now(lambda: found.append(rights.current().name))
    ward.who = None
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == ["Ada"]
    with pytest.raises(UserError):
        rights.current()


def test_who_waits_for_a_drive_is_asked_for_by_name_all_the_same(monkeypatch):
    """The screen's own thread alone says whose it is."""
    here = threading.current_thread()
    monkeypatch.setattr(rights, "_who", lambda: ADA if threading.current_thread() is here else None)
    assert patience.within(patience.LOOK, rights.current) == ADA


def test_what_is_said_is_written_down_by_who_spoke(monkeypatch):
    here = threading.current_thread()
    monkeypatch.setattr(rights, "_who", lambda: ADA if threading.current_thread() is here else None)
    monkeypatch.setattr(_ui_speech.worker, "answer", lambda question, sound: {"text": rights.current().name})
    heard = _ui_speech.Heard(b"x")
    heard.begin()
    assert heard.ended.wait(20) and (heard.text, heard.failed) == ("Ada", None)


def test_questions_of_no_project_are_each_persons_own(ward):
    mine = rights.talk_of_own()
    ward.who = BEA
    assert rights.talk_of_own() != mine
    with pytest.raises(UserError):
        copilot.turns(mine)


def test_what_is_deleted_leaves_nobody_in_the_table_and_the_log_has_no_path(ward, mine, table):
    shutil.rmtree(home.runs_folder() / "r1")
    project.delete(mine.id)
    from medml.store import accounts

    assert mine.id not in accounts.owners("project")
    assert not any("/" in each.thing or str(table) in str(each) for each in audit.entries())


# ---- folders ---------------------------------------------------------------------------------------------------

@pytest.fixture
def studies(tmp_path, monkeypatch, medml_home):
    """Two departments' folders, everybody's, and MedML's own by mistake."""
    places = [home.ensure(tmp_path / "srv" / name) for name in ("cardiology", "surgery", "open")]
    monkeypatch.setenv("MEDML_ROOTS", os.pathsep.join([
        f"cardiology={places[0]}", f"surgery={places[1]}", str(places[2]), str(medml_home)]))
    return places


def test_a_root_of_a_group_is_that_groups_alone(ward, studies):
    cardiology, surgery, everybodys = studies
    assert project.create(cardiology) and project.create(everybodys)
    with pytest.raises(UserError, match="outside the folders") as refused:
        project.create(surgery)
    assert str(surgery) not in refused.value.fix
    ward.who = ROOT
    assert project.create(surgery)
    ward.who = Person("a7", "Fay", "clinician")
    assert project.first_folder() == everybodys


def test_a_scan_is_told_of_no_table_that_whoever_asks_may_not_name(ward, studies):
    """The worker reads for everybody, so the table of labels is looked at where the scan is handed in."""
    for place in studies:
        (place / "list.csv").write_text("picture,finding\na.png,1\n")
    ward.who = BEA
    made = project.create(studies[1])
    for file in ("../cardiology/list.csv", str(studies[0] / "list.csv"), "../../keys"):
        with pytest.raises(UserError):
            worker.enqueue("scan", {"project": made.id, "labels": {"file": file}}, job_id="scan-of-others")
    assert store.jobs() == []
    for number, file in enumerate(("list.csv", "../open/list.csv")):
        worker.enqueue("scan", {"project": made.id, "labels": {"file": file}}, job_id=f"scan-own-{number}")


def test_no_work_and_no_question_names_a_folder_that_whoever_asks_may_not_use(ward, studies, monkeypatch):
    """Job and child read for everybody, so their door asks."""
    for place in studies:
        (place / "t.csv").write_text("a,b\n1,2\n")
    ward.who = BEA
    mine = project.create(studies[1])
    home.ensure(home.runs_folder() / "r1")
    project.add_run(mine.id, "r1")
    theirs, own, level = str(studies[0] / "t.csv"), str(studies[1] / "t.csv"), {"level": 0.9, "explain": False}
    for kind, payload in (("predict", {"file": theirs, "out": str(studies[1] / "out.csv")} | level),
                          ("predict", {"file": own, "out": str(studies[0] / "out.csv")} | level),
                          ("external", {"source": str(studies[0])})):
        with pytest.raises(UserError, match="outside the folders"):
            worker.enqueue(kind, payload | {"run": "r1", "project": mine.id})
    assert store.jobs() == []
    allowed = {"file": own, "out": str(studies[2] / "out.csv"), "run": "r1", "project": mine.id}
    assert worker.get(worker.enqueue("predict", allowed | level)).state == "queued"
    monkeypatch.setattr("worker.aside.subprocess.Popen", lambda *given, **more: pytest.fail("the child was asked"))
    monkeypatch.setattr(gallery, "open_run", lambda run: SimpleNamespace(source=theirs))
    for question, about in (("look_new", {"file": theirs}), ("explained", {"part": "one", "source": theirs}),
                            ("judged", {}), ("look", {})):
        with pytest.raises(UserError, match="outside the folders"):
            worker.ask(question, run="r1", **about)
    noted = [(each.act, each.outcome) for each in audit.entries() if each.thing == "r1"]
    assert noted == [("predict", "refused"), ("predict", "refused"), ("train", "refused"), ("predict", "done"),
                     ("predict", "refused"), ("look at one", "refused"), ("look", "refused")]  # as it was, in order


def test_medmls_own_folder_with_its_keys_is_nobodys_study(ward, studies, medml_home):
    home.secret("audit")
    (everybodys := studies[2] / "link").symlink_to(medml_home / "keys")
    for place in (medml_home, medml_home / "keys", medml_home / "medml.db", everybodys):
        with pytest.raises(UserError, match="outside the folders"):
            project.create(place)
    assert project.create(project.example_source())


def test_a_folder_that_may_not_be_named_is_not_told_to_be_there(ward, studies):
    said = []
    for place in (studies[1], studies[1] / "nothing here", "~", "~root/x"):
        with pytest.raises(UserError) as refused:
            project.create(place)
        said.append(refused.value.what.replace(str(place), ""))
        assert str(Path.home()) not in refused.value.what + refused.value.fix
    assert len(set(said)) == 1


# ---- what screens keep -----------------------------------------------------------------------------------------

def test_no_cache_of_the_server_holds_what_one_person_was_shown():
    """Streamlit's caches and a module's own names are everybody's: what is in them is told here, with whose it is."""
    everybodys = {("_router.py", "found"), ("_ui_frame.py", "warm_up")}  # names of pages; a thread that imports
    cached = re.compile(r"@st\.cache_(?:data|resource)[^\n]*\ndef (\w+)")
    kept = re.compile(r"^(_?[a-z]\w*)(?:: (?:dict|list|set)[^=]*)? = (?:\{\}|\[\]|set\(\)|dict\(|defaultdict)", re.M)
    asked_of = {("_copilot_asked.py", "_under_way"),  # by project or run, behind rights.require_talk
                *(("_ward.py", name) for name in ("_sessions", "_known", "_places", "_left"))}  # by hashed token
    pages = {each.name: each.read_text(encoding="utf-8") for each in (Path(__file__).parents[1] / "pages").glob("*.py")}
    assert {(name, found) for name, text in pages.items() for found in cached.findall(text)} == everybodys
    assert {(name, found) for name, text in pages.items() for found in kept.findall(text)} == asked_of


def test_screens_see_jobs_through_the_workers_door_alone():
    past = re.compile(r"store\.(?:jobs|get|progress_since|ask_stop|submit|put_\w+)\(")
    pages = (Path(__file__).parents[1] / "pages").glob("*.py")
    assert [each.name for each in pages if past.search(each.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(("act", "goes_on"), [("stop", True), ("delete", True), ("train", False), ("download", False)])
def test_a_log_that_cannot_be_written_keeps_nobody_from_stopping_and_making_room(monkeypatch, act, goes_on):
    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(audit.home, "write_model", full)
    if goes_on:
        rights.require(act)
    else:
        with pytest.raises(UserError, match="disk"):
            rights.require(act)
