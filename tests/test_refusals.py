"""What every process was refused is kept where a screen can show it: bounded, whole, and never in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from medml import egress, home, refusals
from tests.at_work import ROOT

REACH = """
import socket, sys
from medml import egress
egress.install(process=sys.argv[1])
assert egress.holds() and egress.count() == 0 and not egress.refusals()
for _ in range(int(sys.argv[2])):
    for attempt in (lambda: socket.create_connection(("192.0.2.1", 80)),
                    lambda: socket.getaddrinfo("jane-roe-1951.evil.example", 443),
                    lambda: socket.getaddrinfo("jane-roe-1951", 443)):
        try:
            attempt()
        except egress.Refused:
            pass
        else:
            sys.exit(3)
print(egress.count())
"""


def reach(process: str, times: int = 1, **settings: str) -> int:
    """A process of its own that is refused three times `times`; how many refusals it counted."""
    done = subprocess.run([sys.executable, "-c", REACH, process, str(times)], cwd=ROOT, capture_output=True, text=True,
                          env=os.environ | settings, check=True)
    return int(done.stdout)


def test_what_each_process_was_refused_is_kept_without_what_a_name_may_carry(medml_home):
    assert reach("job") == 3 and reach("worker") == 3
    kept = refusals.kept(home.log_folder())
    assert {each.process for each in kept} == {"job", "worker"} and len({each.pid for each in kept}) == 2
    assert {(each.what, each.where) for each in kept} == {
        ("socket.getaddrinfo", "192.0.2.1"), ("socket.getaddrinfo", "evil.example"),
        ("socket.getaddrinfo", "(a name without a dot)")}
    file = home.log_folder() / refusals.NAME
    assert "jane" not in file.read_text()
    if os.name == "posix":
        assert file.stat().st_mode & 0o077 == 0


def test_the_same_refusal_again_is_counted_and_written_ever_more_rarely(medml_home):
    assert reach("app", 20) == 60
    kept = refusals.kept(home.log_folder())
    assert [each.times for each in kept] == [16, 16, 16]
    assert len((home.log_folder() / refusals.NAME).read_text().splitlines()) == 3 * 5  # the 1st, 2nd, 4th, 8th, 16th


def test_the_record_stays_small_and_keeps_the_latest(tmp_path, monkeypatch):
    monkeypatch.setattr(refusals, "LARGEST", 2_000)
    record = refusals.Record(tmp_path, "app")
    for number in range(200):
        record.keep("socket.connect", f"192.0.2.{number}")
    assert sum(each.stat().st_size for each in tmp_path.iterdir()) < 2 * 2_200
    kept = refusals.kept(tmp_path)
    assert "192.0.2.199" in {each.where for each in kept} and 10 < len(kept) < 40


@pytest.mark.parametrize("broken", ["no folder", "a folder in its place"])
def test_a_record_that_cannot_be_kept_changes_nothing_about_the_refusal(tmp_path, broken):
    place = tmp_path / "logs"
    record = refusals.Record(place, "app")
    if broken == "a folder in its place":
        (place / refusals.NAME).mkdir(parents=True)
    record.keep("socket.connect", "192.0.2.1")
    assert refusals.kept(place) == []


def test_a_line_that_is_not_whole_is_passed_over(tmp_path):
    refusals.Record(tmp_path, "app").keep("socket.connect", "192.0.2.1")
    with (tmp_path / refusals.NAME).open("ab") as file:
        file.write(b'{"time": 1\n[]\n"x"\n' + json.dumps({"time": 2.0, "other": 1}).encode() + b"\n\xff\n")
    assert [each.where for each in refusals.kept(tmp_path)] == ["192.0.2.1"]


def test_a_try_of_the_guard_is_no_refusal_to_be_kept():
    before = egress.count()
    assert egress.holds() and egress.count() == before
