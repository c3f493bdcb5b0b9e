"""`doctor` says what is so and not what a file wishes: each light is green on a real app, and red on a real fault."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import stat
import subprocess
import sys
import time
from unittest import mock

import pytest

from medml import audit, doctor, egress, home, refusals, store
from medml.__main__ import main, parser
from medml.doctor import packages, prove, scene, sealed
from medml.doctor.record import as_text
from medml.doctor.streamlit_settings import OPTIONS, WANTED
from medml.store import condition, database, vitals, whole
from medml.store.vitals import Vital
from tests.at_work import ROOT, until
from tests.e2e.served import served

GOOD = {name: wanted for name, (wanted, *_) in WANTED.items()} | {
    "server.address": "127.0.0.1", "server.port": 1, "server.sslCertFile": None, "guarded": True}
WARD_SETTINGS = [line for line in (ROOT / "deploy" / "medml.env").read_text().splitlines()
                 if line.lstrip("# ").startswith("MEDML_")]


def lights(**about) -> dict[str, str]:
    """setting -> light of a quick look."""
    return {each.setting: each.light for each in doctor.examine(slow=False, **about).findings}


def only(name: str, role: str = "command line") -> dict[str, doctor.Finding]:
    """One look alone, by its setting."""
    return {each.setting: each for each in doctor.registry.get(name).run(doctor.Scene(role))}


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with served(tmp_path_factory.mktemp("doctor") / "home") as running:
        yield running


def test_everything_holds_where_the_app_runs(app, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("MEDML_HOME", str(app.home))
    egress.install(process="command line")
    until(lambda: {each.role for each in vitals.told()} >= {"app", "worker", "job"})
    told = {each.setting: (each.light, each.what) for each in doctor.examine(slow=False).findings}
    told.pop("Room on the disk")
    assert {name: what for name, (light, what) in told.items() if light != "green"} == {}
    assert len(told) >= 27


def test_a_streamlit_that_is_told_otherwise_is_seen(app, monkeypatch, medml_home):
    """The environment outweighs .streamlit/config.toml; a Streamlit is started and asked."""
    monkeypatch.setenv("STREAMLIT_BROWSER_GATHER_USAGE_STATS", "true")
    monkeypatch.setenv("STREAMLIT_SERVER_ADDRESS", "0.0.0.0")
    found = only("streamlit_settings") | only("where_it_answers")
    assert {name: each.light for name, each in found.items() if each.light != "green"} == {
        "Usage statistics": "red", "Where the app answers": "red"}
    assert "sends statistics" in found["Usage statistics"].what and found["Usage statistics"].fix


@pytest.mark.parametrize(("option", "value"), [
    ("client.showErrorDetails", "full"), ("client.showErrorLinks", True), ("server.fileWatcherType", "auto"),
    ("server.enableAgentApi", True), ("browser.serverAddress", "ward.example"), ("server.headless", 0)])
def test_each_setting_is_what_the_running_app_says(medml_home, option, value):
    vitals.tell("app", os.getpid(), GOOD | {option: value})
    wrong = [each for each in only("streamlit_settings").values() if each.light == "red"]
    assert [each.setting for each in wrong] == [WANTED[option][1]] and "the running app" in wrong[0].how


@pytest.mark.parametrize(("hosts", "roles", "light", "said"), [
    ("", "", "green", "On this machine alone"),
    ("medml.hospital.example", "", "red", "by a proxy, medml.hospital.example"),
    ("medml.hospital.example", "groups:x=viewer", "green", "the hospital's own service")])
def test_an_app_behind_a_proxy_is_not_on_this_machine_alone(medml_home, monkeypatch, hosts, roles, light, said):
    monkeypatch.setattr(scene.Scene, "options", lambda self, names: (GOOD, "made up"))
    monkeypatch.setenv("MEDML_HOSTS", hosts)
    monkeypatch.setenv("MEDML_OIDC_ROLES", roles)
    found = only("where_it_answers")["Where the app answers"]
    assert found.light == light and said in found.what


def test_an_app_that_has_ended_is_asked_nothing(medml_home):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    vitals.tell("app", gone.pid, GOOD)
    assert scene.Scene("command line").app is None
    assert only("policy")["What a browser may ask for"].light == "amber"


def test_a_process_without_the_tripwire_is_red_and_a_silent_one_amber(medml_home, monkeypatch):
    vitals.tell("app", os.getpid(), GOOD)
    vitals.tell("worker", os.getpid(), {"guarded": False})
    found = only("guards")
    assert found["Tripwire in the worker"].light == "red" and found["Tripwire in the app"].light == "green"
    assert found["Tripwire in a job's process"].light == "amber"  # none is about
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 400)
    assert only("guards")["Tripwire in the app"].light == "amber" and only("worker")["Worker"].light == "red"


def test_a_process_that_never_installed_the_tripwire_says_so():
    """A fresh Python: the try is let through to the system, and nothing is sent."""
    code = "from medml import egress; print(egress.holds(), egress.count())"
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.split() == ["False", "0"]


def test_a_process_of_each_kind_that_works_on_data_is_started_and_tries(medml_home):
    found = only("fresh_processes")
    assert len(found) == 2 and {each.light for each in found.values()} == {"green"}


def test_allowed_addresses_and_refusals_are_told(medml_home, monkeypatch):
    monkeypatch.setenv("MEDML_ALLOW_HOSTS", "ollama.ward.example, 192.0.2.7")
    monkeypatch.setenv("MEDML_OLLAMA_HOST", "http://192.0.2.9:11434")
    refusals.Record(home.log_folder(), "job").keep("socket.connect", "192.0.2.1")
    found = only("allowed") | only("refused") | only("language_model")
    assert found["Addresses that may be reached"].light == "amber"
    assert "ollama.ward.example, 192.0.2.7" in found["Addresses that may be reached"].what
    assert found["Connections refused so far"].light == "amber" and found[
        "Connections refused so far"].what.startswith("One try to reach another machine was refused")
    assert found["Language model of the co-pilot"].light == "red"


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
@pytest.mark.parametrize("place", ["medml.db", "keys/secret", "runs/r/private/split.npz",
                                   "runs/r/checkpoints/1/private/oof.npz", "runs"])
def test_a_file_that_others_may_read_is_red(medml_home, place):
    file = medml_home / place
    home.ensure(file if place == "runs" else file.parent)
    if place != "runs":
        home.write_bytes(file, b"x")
    assert only("modes")["Rights on files"].light == "green"
    file.chmod(stat.S_IMODE(file.stat().st_mode) | 0o004)
    found = only("modes")["Rights on files"]
    assert found.light == "red" and place in found.what and found.fix.startswith("chmod")


def test_a_damaged_database_and_a_locking_journal_are_seen(medml_home):
    store.jobs()
    assert only("databases")["Database of jobs"].light == "green"
    file = store.path()
    for rest in medml_home.glob("medml.db-*"):
        rest.unlink()
    whole = file.read_bytes()
    file.write_bytes(whole[:4096] + bytes([255]) * (len(whole) - 4096))
    assert only("databases")["Database of jobs"].light == "red"
    header = bytearray(whole)
    header[18:20] = b"\1\1"  # SQLite's file format, 1.3.3: 1 for a rollback journal, 2 for WAL
    file.write_bytes(header)
    assert only("databases")["Database of jobs"].light == "amber"


def test_a_database_that_another_program_holds_is_busy_and_not_damaged(medml_home, monkeypatch):
    store.jobs()
    monkeypatch.setattr(condition, "PATIENCE", 0.0)
    monkeypatch.setattr(database, "LOCKED_AFTER", 0.0)
    with contextlib.closing(sqlite3.connect(store.path(), isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")  # no reader passes it, in WAL mode either
        other.execute("BEGIN EXCLUSIVE")
        found = only("databases")["Database of jobs"]
        assert found.light == "amber" and "no damage" in found.what and found.fix.startswith("Look again in a minute")
        late, = doctor._looked("waiting", scene.Scene("command line"), slow=False)
        assert late.light == "amber" and "in use by another program" in late.what
    assert only("databases")["Database of jobs"].light == "green"
    assert only("waiting")["Jobs that wait"].light == "green"


def test_a_log_that_somebody_changed_is_red(medml_home):
    for each in range(3):
        audit.add(person="p1", name="Ann", act="train", thing=f"run {each}")
    assert only("audit_log")["Audit log"].light == "green"
    with store.connect(write=True) as db:
        for trigger in [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]:
            db.execute(f"DROP TRIGGER {trigger}")
        db.execute("DELETE FROM audit WHERE number = 2")
    found = only("audit_log")["Audit log"]
    assert found.light == "red" and found.fix


def test_a_copy_of_the_database_that_is_old_or_missing_is_amber(medml_home):
    assert only("nightly_copy")["Copy of the database"].light == "amber"
    store.jobs()
    copy = whole.keep_copy()
    assert only("nightly_copy")["Copy of the database"].light == "green"
    os.utime(copy, (time.time() - 5 * 86_400,) * 2)
    assert only("nightly_copy")["Copy of the database"].light == "amber"


def test_a_shared_queue_that_nobody_allowed_is_red_and_this_machine_alone_green(medml_home, monkeypatch):
    assert only("shared_queue")["Queue of several machines"].light == "green"
    monkeypatch.setenv("MEDML_QUEUE", "redis://192.0.2.1:6379/0")
    found = next(each for each in doctor.examine(slow=False).findings if each.setting == "Shared queue")
    assert found.light == "red" and "no administrator allowed" in found.what


def test_a_job_that_is_due_and_not_taken_is_red(medml_home, monkeypatch):
    store.submit("job-number-one", "scan", "quick", {})
    store.submit("job-number-two", "scan", "quick", {}, not_before=time.time() + 86_400)
    assert only("waiting")["Jobs that wait"].light == "green"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 300)
    assert only("waiting")["Jobs that wait"].light == "red" and "1 due" in only("waiting")["Jobs that wait"].what


def test_a_package_that_is_not_as_pinned_is_named(medml_home, monkeypatch, tmp_path):
    (tmp_path / "requirements.txt").write_text("numpy==1.0.0  # old\npytest\nno-such-package==1.0; os_name == 'none'\n")
    monkeypatch.setattr(packages, "pinned", lambda own=packages.pinned: own(tmp_path / "requirements.txt"))
    assert only("versions")["Versions"].what.startswith("Not as pinned: numpy ")


def test_a_look_that_cannot_be_made_stops_no_other(medml_home, monkeypatch):
    def broken(scene):
        raise OSError("Jane Roe")
        yield

    whole = doctor.registry.get("room")
    monkeypatch.setattr(doctor.registry, "_found", {"room": whole, "broken": whole.model_copy(update={"run": broken})})
    found = doctor.examine()
    assert [each.light for each in found.findings][0] == "red" and len(found.findings) == 2
    assert "Jane" not in found.model_dump_json()


# ---- the record and the command ---------------------------------------------------------------------------------

def test_the_command_writes_a_record_and_ends_with_1_where_something_is_red(medml_home, monkeypatch, capsys, tmp_path):
    quick = {name: each for name in ("modes", "allowed") for each in [doctor.registry.get(name)]}
    monkeypatch.setattr(doctor.registry, "_found", quick)
    out = tmp_path / "found.json"
    assert main(["doctor", "--json", str(out)]) == 0
    said, kept = capsys.readouterr().out, json.loads(out.read_text())
    assert "3 hold, none to look at, none wrong" in said and "a tripwire and no proof" in said
    assert {each["setting"] for each in kept["findings"]} == {
        "Rights on files", "Addresses that may be reached", "More names of this app"}
    assert main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == kept["findings"]
    if os.name == "posix":
        home.ensure(medml_home / "runs").chmod(0o755)
        with pytest.raises(SystemExit) as ended:
            main(["doctor"])
        assert ended.value.code == 1 and "[STOP] Rights on files" in capsys.readouterr().out


def test_the_record_names_each_setting_its_check_its_result_version_and_time(medml_home):
    refusals.Record(home.log_folder(), "job").keep("socket.connect", "192.0.2.1")
    examined = doctor.examine(slow=False)
    text = as_text(examined, refusals.kept(home.log_folder()))
    for each in examined.findings:
        assert f"{each.setting}: " in text
    joined = " ".join(text.split())
    assert all(" ".join(each.how.split()) in joined for each in examined.findings)
    assert examined.version in text and "UTC" in text and "192.0.2.1" in text and len(OPTIONS) >= 12


# ---- the proof --------------------------------------------------------------------------------------------------

SEEN = """\
11 connect(3, {sa_family=AF_UNIX, sun_path="/run/systemd/journal/socket"}, 110) = 0
11 connect(3, {sa_family=AF_INET, sin_port=htons(11434), sin_addr=inet_addr("127.0.0.1")}, 16) = -1 ECONNREFUSED
12 connect(4, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "::1", \
&sin6_addr), sin6_scope_id=0}, 28 <unfinished ...>
12 <... connect resumed>) = 0
12 sendto(3, ""..., 40, MSG_NOSIGNAL, NULL, 0) = 40
12 sendmsg(5, {msg_name={sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, msg_namelen=12}, 0) = 20
"""
AWAY = """\
13 connect(3, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.1")}, 16) = -1 ENETUNREACH
13 sendto(3, ""..., 40, 0, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.53")}, 16) = 40
13 connect(3, {sa_family=AF_INET6, sin6_port=htons(80), inet_pton(AF_INET6, "::ffff:192.0.2.1", &sin6_addr)}, 28) = -1
14 sendmmsg(3, [{msg_hdr={msg_name={sa_family=AF_INET6, sin6_port=htons(5353), inet_pton(AF_INET6, "ff02::fb", \
&sin6_addr)}}}], 1, 0 <unfinished ...>
15 connect(3, {sa_family=AF_VSOCK, svm_cid=0x2, svm_port=0x1}, 16) = -1
16 connect(3, {sa_family=AF_UNIX, sun_path="/run/systemd/resolve/io.systemd.Resolve"}, 42) = 0
"""


def test_what_strace_wrote_is_told_apart(tmp_path):
    (tmp_path / "trace").write_text(SEEN + AWAY)
    local, away = prove.tries(tmp_path / "trace")
    assert local == 4
    assert [(each.pid, each.call, each.where) for each in away] == [
        (13, "connect", "192.0.2.1 port 443"), (13, "sendto", "127.0.0.53 port 53"),
        (13, "connect", "192.0.2.1 port 80"), (14, "sendmmsg", "ff02::fb port 5353"), (15, "connect", "AF_VSOCK"),
        (16, "connect", "/run/systemd/resolve/io.systemd.Resolve")]


def act(name: str = "scan", code: int = 0, tries: tuple = ()) -> prove.Act:
    return prove.Act(name=name, code=code, seconds=1, local=2, tries=list(tries))


@pytest.mark.parametrize(("control", "acts", "holds"), [
    (True, [act()], True), (False, [act()], False), (True, [], False), (True, [act(code=1)], False),
    (True, [act(), act(tries=(prove.Try(pid=7, call="connect", where="192.0.2.1 port 80"),))], False)])
def test_the_proof_holds_only_where_all_was_done_and_the_deliberate_try_was_seen(control, acts, holds):
    proof = prove.Proof(time=0, version="1", control=control, acts=acts)
    said = "\n".join(prove.in_words(proof))
    assert proof.holds == holds and ("the proof holds" in said) == holds
    assert ("process 7 tried connect to 192.0.2.1 port 80" in said) == any(each.tries for each in acts)


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Act of the proof -> (its command line, MedML's settings in its environment); none of them is done."""
    found = {}

    def act(folder, name, arguments):
        found[name] = arguments, {each: value for each, value in os.environ.items() if each.startswith("MEDML_")}
        (folder / "train.json").write_text('{"run": "r1"}')
        return name, 0, 0.0
    monkeypatch.setattr(sealed, "_act", act)
    monkeypatch.setattr(sealed, "_app", lambda folder: act(folder, "app", []))

    def go():
        with mock.patch.dict(os.environ):  # the acts set some, and take some away
            assert [name for name, *_ in sealed.acts(tmp_path)] == list(found)
        return found
    return go


def test_each_act_of_the_proof_is_a_command_that_there_is(asked):
    ours = [each[3:] for each, _ in asked().values() if each[1:3] == ["-m", "medml"]]
    assert len(ours) == 8 and all(parser().parse_args(each) for each in ours)


def test_the_proof_is_made_apart_from_what_a_ward_has_set(asked, monkeypatch, tmp_path):
    """By MEDML_HOSTS its app did not start, and by MEDML_AUDIT_HEAD it wrote over the head of the ward's own log, which
    was then called changed."""
    for line in (*WARD_SETTINGS, "MEDML_QUEUE=redis://10.0.0.9:6379", "MEDML_STATE=/var/lib/medml-state"):
        monkeypatch.setenv(*line.lstrip("# ").split("=", 1))
    own = {"MEDML_HOME": str(tmp_path / "home"), "MEDML_IDLE": "1"}
    assert len(WARD_SETTINGS) > 5
    for name, (_, settings) in asked().items():
        assert {each: value for each, value in settings.items() if each not in scene.OF_THE_MACHINE} == own, name


def test_a_machine_without_the_means_says_so_and_ends_with_2(monkeypatch, capsys):
    monkeypatch.setattr(prove.shutil, "which", lambda name: None if name == "strace" else "/usr/bin/unshare")
    monkeypatch.setattr(prove.sys, "platform", "linux")
    assert main(["doctor", "--prove"]) == 2
    assert "nothing is proved. This machine has no strace." in capsys.readouterr().err
    monkeypatch.setattr(prove.sys, "platform", "win32")
    assert main(["doctor", "--prove"]) == 2 and "It needs Linux" in capsys.readouterr().err


class Answer:
    """An answer of an app, as http.client gives it."""

    def __init__(self, status: int = 200, words: bytes = b"", **headers: str) -> None:
        self.words = words
        self.status, self.headers = status, {name.replace("_", "-"): value for name, value in headers.items()}

    def getheader(self, name: str) -> str | None:
        return self.headers.get(name)


STRICT = ("default-src 'none'; script-src 'self' 'sha256-abc='; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
          "img-src 'self' data:; frame-ancestors 'none'; object-src 'none'; form-action 'self'")
BESIDE = {"x_content_type_options": "nosniff", "referrer_policy": "no-referrer", "x_frame_options": "DENY"}


@pytest.mark.parametrize(("old", "new", "wrong"), [
    ("", "", ""), ("'self' data:;", "* data:;", "img-src"), ("connect-src 'self'", "connect-src https:", "connect-src"),
    ("'sha256-abc='", "'unsafe-eval'", "script-src"), ("'sha256-abc='", "'unsafe-inline'", "script-src"),
    ("connect-src 'self'", "connect-src 'self' ws://192.0.2.1", "connect-src"),
    ("form-action 'self'", "", "form-action"), ("default-src 'none'", "default-src 'self'", "default-src")])
def test_a_policy_that_names_another_machine_is_red(medml_home, monkeypatch, old, new, wrong):
    monkeypatch.setattr(scene.Scene, "ask_app", lambda *_: Answer(
        content_security_policy=STRICT.replace(old, new) if old else STRICT, **BESIDE))
    found = only("policy")["What a browser may ask for"]
    assert found.light == ("red" if wrong else "green") and wrong in found.what


ELSEWHERE, SIGN_IN = Answer(403, b"This was asked by another site."), Answer(403, b"Sign in first.")


@pytest.mark.parametrize(("foreign_name", "foreign_page", "own_page", "light"), [
    (Answer(421), ELSEWHERE, Answer(101), "green"), (Answer(421), ELSEWHERE, SIGN_IN, "green"),
    (Answer(200), ELSEWHERE, Answer(101), "red"), (Answer(421), Answer(101), Answer(101), "red"),
    (Answer(421), SIGN_IN, SIGN_IN, "red")])  # refused for want of a session alone: with one it would be let in
def test_an_app_that_answers_a_foreign_name_or_page_is_red(medml_home, monkeypatch, foreign_name, foreign_page,
                                                           own_page, light):
    monkeypatch.setattr(scene.Scene, "app", Vital("app", 1, 0.0, {"server.port": 8501}))
    monkeypatch.setattr(scene.Scene, "ask_app", lambda _, path, headers: foreign_name if path == "/" else
                        foreign_page if "evil" in headers["Origin"] else own_page)
    assert only("names")["Under which name it answers"].light == light
