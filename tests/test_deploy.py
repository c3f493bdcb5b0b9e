"""deploy/ is what it says: units that systemd takes, containers without a way out, commands that exist, one set of
settings everywhere."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from medml import hospital, store
from medml.__main__ import parser
from tests.at_work import until
from tests.e2e.served import end_all_of, free_port, served

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
README = (DEPLOY / "README.md").read_text()
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def read(unit: str) -> dict[str, list[str]]:
    """Key -> every value of a unit."""
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "systemd" / unit).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_takes_the_units(tmp_path):
    for each in UNITS:
        text = each.read_text().replace("/opt/medml/.venv/bin/python", sys.executable)
        (tmp_path / each.name).write_text(text.replace("Documentation=file:///opt/medml/deploy/README.md",
                                                       "Documentation=https://medml.example/"))
    checked = subprocess.run(["systemd-analyze", "verify", *map(str, tmp_path.iterdir())], capture_output=True,
                             text=True, check=False, timeout=60)
    complaints = [line for line in checked.stderr.splitlines() if str(tmp_path) in line or "medml" in line]
    assert checked.returncode == 0 and complaints == []


@pytest.mark.parametrize("unit", ["medml-app.service", "medml-worker.service"])
def test_a_service_is_stopped_by_sigint_and_shut_in(unit):
    found = read(unit)
    assert found["KillSignal"] == ["SIGINT"] and found["UMask"] == ["0077"] and found["User"] == ["medml"]
    assert found["IPAddressDeny"] == ["any"] and found["IPAddressAllow"] == ["localhost"]
    for each in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "ProtectKernelTunables", "RestrictSUIDSGID"):
        assert found[each] == ["yes"], each
    assert found["ProtectSystem"] == ["strict"] and found["CapabilityBoundingSet"] == [""]


@pytest.fixture
def at_work(medml_home):
    """How a service is started: unit -> its process, once it is up."""
    with contextlib.ExitStack() as held:
        def start(unit: str) -> subprocess.Popen:
            if unit == "medml-app.service":
                return held.enter_context(served(medml_home)).process
            own = os.environ | {"MEDML_HOME": str(medml_home), "MEDML_IDLE": "inf"}
            process = subprocess.Popen([sys.executable, "-m", "worker"], cwd=ROOT, env=own)
            held.callback(end_all_of, medml_home)
            until(lambda: any(each.pid == process.pid for each in store.processes("worker")))
            return process
        yield start


@pytest.mark.parametrize("unit", ["medml-app.service", "medml-worker.service"])
def test_stopping_a_service_is_no_failure_of_it(unit, at_work):
    """systemd takes 0 and the death by a few signals for success, and else what SuccessExitStatus= names; by what it
    calls failed a hospital's watch over its machines raises an alarm."""
    process = at_work(unit)
    process.send_signal(getattr(signal, read(unit)["KillSignal"][0]))
    success = {"0", *read(unit).get("SuccessExitStatus", [])}
    assert str(process.wait(int(read(unit)["TimeoutStopSec"][0]))) in success


@pytest.mark.parametrize("unit", ["medml-app.service", "medml-worker.service", "medml-backup.service"])
def test_a_unit_may_write_wherever_its_settings_have_it_write(unit):
    """ProtectSystem=strict closes all else; of one folder named in both, ReadOnlyPaths= wins (systemd.exec(5))."""
    found = read(unit)
    writable = [each.removeprefix("-") for line in found["ReadWritePaths"] for each in line.split()]
    for line in (DEPLOY / "medml.env").read_text().splitlines():
        name, _, value = line.lstrip("# ").partition("=")
        if name in ("MEDML_HOME", "MEDML_AUDIT_HEAD"):
            assert any(value == each or value.startswith(f"{each}/") for each in writable), (name, value)
    assert "ReadOnlyPaths" not in found
    restored = README.partition("## Backup and restore")[2].partition("\n## ")[0]
    assert set(re.findall(r"MEDML_HOME=(\S+)", restored)) <= {"/var/lib/medml"}


def test_what_the_hospital_told_this_machine_alone_is_in_no_image():
    assert ".streamlit/secrets.toml" in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()


def test_every_nginx_that_a_hospital_runs_takes_the_proxy():
    """`http2 on;` is of 1.25.1 (June 2023): Debian 12, Ubuntu 24.04 and RHEL 9 refuse the whole file for it."""
    assert "http2 on" not in re.sub(r"#.*", "", (DEPLOY / "nginx" / "medml.conf").read_text())


def test_the_app_of_the_units_listens_on_this_machine_alone_and_starts_no_worker():
    found = read("medml-app.service")
    assert "--server.address 127.0.0.1" in found["ExecStart"][0]
    assert "MEDML_WORKER=service" in found["Environment"][0]
    assert "MEDML_IDLE=inf" in read("medml-worker.service")["Environment"][0]


def test_app_worker_and_model_have_no_way_out():
    assert COMPOSE["networks"]["inside"]["internal"] is True
    assert {name: sorted(each["networks"]) for name, each in SERVICES.items()} == {
        "app": ["inside"], "worker": ["inside"], "ollama": ["inside"], "proxy": ["inside", "outside"]}
    assert [name for name, each in SERVICES.items() if "ports" in each] == ["proxy"]


@pytest.mark.parametrize("name", ["app", "worker", "ollama", "proxy"])
def test_a_container_has_no_rights_beyond_its_work(name):
    each = SERVICES[name]
    assert each["cap_drop"] == ["ALL"] and "no-new-privileges:true" in each["security_opt"]
    assert not each.get("privileged") and "docker.sock" not in str(each)
    assert name == "ollama" or each["read_only"] is True


def test_app_and_worker_share_home_settings_and_the_sight_of_each_other():
    app, worker = SERVICES["app"], SERVICES["worker"]
    assert app["volumes"] == worker["volumes"] and app["pid"] == "service:worker"
    assert {**app["environment"], "MEDML_IDLE": "inf"} == worker["environment"]
    assert app["environment"]["FORWARDED_ALLOW_IPS"] == SERVICES["proxy"]["networks"]["inside"]["ipv4_address"]
    assert app["stop_signal"] == "SIGINT" and SERVICES["ollama"]["environment"]["OLLAMA_NO_CLOUD"] == "1"


def test_signing_in_by_the_hospital_gives_the_app_alone_a_network_a_package_and_one_name():
    added = yaml.safe_load((DEPLOY / "oidc.yaml").read_text())
    assert set(added["services"]) == {"app"} and added["networks"].keys() == {"sign_in"}
    app = added["services"]["app"]
    assert app["networks"] == ["inside", "sign_in"] and not app.keys() - {"build", "networks", "environment", "volumes"}
    assert app["volumes"][0].endswith(":/opt/medml/.streamlit/secrets.toml:ro") and "WORKDIR /opt/medml" in DOCKERFILE
    assert {"MEDML_ALLOW_HOSTS", hospital.ROLES_BY, hospital.TEAMS_BY} == app["environment"].keys()
    name, = app["build"]["args"]
    built = DOCKERFILE.partition("AS built")[2].partition("FROM ")[0]
    assert f"ARG {name}=\n" in built and f"${{{name}:+-r oidc.txt}}" in built  # without it nothing more is installed
    assert "deploy/oidc.txt" in re.search(r"^COPY (.*) \./$", built, re.MULTILINE)[1].split()


def test_the_image_holds_what_the_app_is_made_of_and_runs_as_nobody_in_particular():
    copied = {part for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
              for part in line.split()}
    assert all((ROOT / each).exists() for each in copied)
    rooms = {"pages", "medml", "worker", ".streamlit", "streamlit_app.py", "requirements.txt"}
    assert rooms <= copied and "models" not in copied and "tests" not in copied
    assert "USER medml" in DOCKERFILE and "STOPSIGNAL SIGINT" in DOCKERFILE
    command = DOCKERFILE.rpartition("CMD ")[2]
    assert '"streamlit", "run", "streamlit_app.py", "--server.address", "0.0.0.0"' in command


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """What the Dockerfile lays into the image, where nothing of this tree can be seen, and its settings."""
    place = tmp_path_factory.mktemp("image")
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE.rpartition("FROM ")[2], re.MULTILINE):
        *parts, to = line.split()
        for each in parts:
            end = place / to if to != "./" else place / each
            end.parent.mkdir(exist_ok=True)
            plain = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / each, end, ignore=plain) if (ROOT / each).is_dir() else shutil.copy(ROOT / each, end)
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MEDML", "PYTHON"))}
    return place, own | {"MEDML_HOME": str(place.parent / "medml-home"), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.mark.parametrize(("command", "code", "said"), [
    (json.loads(DOCKERFILE.rpartition("CMD ")[2]), 1, "there are no accounts"),
    (SERVICES["worker"]["command"], 0, ""), (["python", "-m", "medml", "accounts", "list"], 0, "no accounts"),
    (["python", "-m", "medml", "doctor"], 0, "packages are as pinned")])
def test_what_the_containers_start_runs_from_what_the_image_holds(image, command, code, said):
    place, settings = image
    assert command[0] == "python"
    free = [str(free_port()) if each == "8501" else each for each in command[1:]]  # somebody may work on this machine
    done = subprocess.run([sys.executable, *free], cwd=place, capture_output=True, text=True, check=False,
                          env=settings | {"MEDML_IDLE": "0"}, timeout=120)
    assert done.returncode == code and said in done.stdout + done.stderr, done.stderr[-2000:]


def test_the_proxies_speak_tls_pass_the_websocket_on_and_believe_no_browser():
    for place in (DEPLOY / "nginx" / "medml.conf", DEPLOY / "docker" / "nginx.conf"):
        text = re.sub(r"#.*|\s+", " ", place.read_text())
        text = re.sub(r" +", " ", text)
        for line in ("listen 443 ssl;" if "nginx/medml" in str(place) else "listen 8443 ssl;", "TLSv1.3",
                     "proxy_set_header Host $host;",
                     "proxy_set_header X-Forwarded-For $remote_addr;", "proxy_set_header X-Forwarded-Proto $scheme;",
                     "proxy_set_header Upgrade $http_upgrade;", "proxy_http_version 1.1;"):
            assert line in text, (place.name, line)
        assert "POST $binary_remote_addr; default ''; } limit_req_zone $medml_tries zone=medml_tries:1m" in text
        for path in ("/sign-in", "/password"):
            inside = re.search(rf"location = {path} {{(.*?)}}", text)[1]
            assert "limit_req zone=medml_tries" in inside and "limit_req_status 429;" in inside, (place.name, path)
            assert "proxy_set_header" not in inside  # else those of the server would not hold there


def commands() -> list[str]:
    """Every `python -m medml …` that deploy/ names, its options and names as they stand."""
    unit = (DEPLOY / "systemd" / "medml-backup.service").read_text()
    unit = unit.replace('"/var', "/var").replace("$(date +%%F)", "x")
    return sorted({line.strip() for text in (README, unit) for line in re.findall(r"-m medml ([^#\n`;'\\]+)",
                                                                                 text.replace('zip"', "zip"))})


@pytest.mark.parametrize("command", commands())
def test_a_command_that_is_named_exists(command):
    assert parser().parse_args(shlex.split(command))


def test_a_setting_that_is_named_is_one_that_is_read():
    code = "".join(each.read_text() for room in ("medml", "worker", "pages") for each in (ROOT / room).rglob("*.py"))
    texts = README + (DEPLOY / "medml.env").read_text() + (DEPLOY / "compose.yaml").read_text()
    named = {each for each in re.findall(r"\bMEDML_[A-Z_]+[A-Z]\b", texts)}
    assert named and {each for each in named if f'"{each}"' not in code} == set()


def test_the_optional_packages_are_pinned_and_are_not_asked_of_a_laptop():
    assert re.search(r"^Authlib==[\d.]+$", (DEPLOY / "oidc.txt").read_text(), re.MULTILINE)
    assert "authlib" not in (ROOT / "requirements.txt").read_text().lower()


def test_an_app_beside_a_service_starts_no_worker(medml_home, monkeypatch):
    import worker

    monkeypatch.setenv("MEDML_WORKER", "service")
    assert worker.ensure_running(wait=0.1) is False
