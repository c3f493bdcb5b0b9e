"""The proof that nothing leaves: the whole line in a network namespace without routes, under strace.

By any process, C libraries too: each connect and each datagram with an address is counted. An address of this machine
counts for nothing, but a question to the system's own resolver does (port 53, or its socket, which is reached from
inside the namespace too): it would be passed on.
"""

from __future__ import annotations

import ipaddress
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from medml.doctor.sealed import ROOT, traced
from medml.errors import UserError
from medml.value import Value

LOCAL = frozenset({"AF_UNIX", "AF_NETLINK", "AF_UNSPEC", "AF_ALG"})
CALL = re.compile(r"^(?P<pid>\d+)\s+(?:\S+ )?(?P<call>connect|sendto|sendmsg|sendmmsg)\(")
FAMILY = re.compile(r"sa_family=(AF_\w+)")
HOST = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')
PORT = re.compile(r"sin6?_port=htons\((\d+)\)")
NAMES = 53  # a name server's port
RESOLVER = re.compile(r'sun_path="([^"]*/(?:systemd/resolve|avahi-daemon)/[^"]*)"')  # asked by glibc's nss modules
WHOLE = 1800.0  # seconds for all acts


class Try(Value):
    """One try to reach another machine: by which process, by which call, where to."""

    pid: int
    call: str
    where: str


class Act(Value):
    """One part of the line: how it ended, how many calls stayed on this machine, and those that would have left it."""

    name: str
    code: int
    seconds: float
    local: int
    tries: list[Try]


class Proof(Value):
    """control: one deliberate try, outside of MedML, was seen: what sees nothing proves nothing."""

    time: float  # seconds since 1970, UTC
    version: str
    control: bool
    acts: list[Act]

    @property
    def holds(self) -> bool:
        return self.control and bool(self.acts) and all(each.code == 0 and not each.tries for each in self.acts)


def refusal() -> UserError | None:
    """Why the proof cannot be run on this machine; None where it can."""
    if not sys.platform.startswith("linux"):
        return _refused("It needs Linux: network namespaces and strace are of that system.",
                        "Run it on a Linux machine with the same MedML, or watch this one's network from outside.")
    missing = [each for each in ("unshare", "strace") if shutil.which(each) is None]
    if missing:
        return _refused(f"This machine has no {' and no '.join(missing)}.",
                        "Install it (Debian and Ubuntu: apt-get install util-linux strace), then run it again.")
    if subprocess.run([*namespace(), "true"], capture_output=True, check=False).returncode:
        return _refused("This machine lets no network namespace be made.", "Run it as root, or where people may make "
                        "namespaces (sysctl unprivileged_userns_clone).")
    with tempfile.TemporaryDirectory() as folder:
        seen = subprocess.run(traced(["true"], Path(folder) / "trace"), capture_output=True, check=False).returncode
    if seen:
        return _refused("This machine lets no process be traced.", "Run it as root, or allow it (a container: "
                        "--cap-add=SYS_PTRACE).")
    return None


def namespace() -> list[str]:
    """The command before a command that shuts it off from every network."""
    return ["unshare", "--map-root-user", "--net", "--"]


def _refused(what: str, fix: str) -> UserError:
    return UserError(what=f"The proof was not run, so nothing is proved. {what}", fix=fix, code="no_proof")


def tries(trace: Path) -> tuple[int, list[Try]]:
    """(calls that stayed on this machine, those that would have left it) of what strace wrote down."""
    found = list(_calls(trace))
    return sum(each is None for each in found), [each for each in found if each is not None]


def _calls(trace: Path) -> Iterator[Try | None]:
    """Each call that names an address: None where it stays on this machine."""
    with trace.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            call, family = CALL.match(line), FAMILY.search(line)
            if call is None or family is None:
                continue  # the second half of a call, or a datagram to where its socket is connected
            where = _away(family[1], line)
            yield None if where is None else Try(pid=int(call["pid"]), call=call["call"], where=where)


def _away(family: str, line: str) -> str | None:
    """The address of a call that leaves this machine, else None; one that cannot be read leaves it."""
    if family in LOCAL:
        resolver = RESOLVER.search(line)
        return None if resolver is None else resolver[1]
    host, port = HOST.search(line), PORT.search(line)
    if host is None:
        return family
    address = ipaddress.ip_address(host[1] or host[2])
    address = getattr(address, "ipv4_mapped", None) or address
    if (address.is_loopback or address.is_unspecified) and not (port and int(port[1]) == NAMES):
        return None
    return f"{address} port {port[1]}" if port else str(address)


def prove() -> Proof:
    """Run the proof. UserError where this machine cannot, or where an act could not be begun."""
    from medml.provenance import code_version

    stopped = refusal()
    if stopped is not None:
        raise stopped
    with tempfile.TemporaryDirectory(prefix="medml-proof-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        done = subprocess.run([*namespace(), sys.executable, "-m", "medml.doctor.sealed", place], cwd=ROOT,
                              capture_output=True, text=True, timeout=WHOLE, check=False)
        acts = [_act(folder, json.loads(line)) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode:
        raise _refused(f"It broke off after {len(acts):,} acts (code {done.returncode}).", "Run it again; if it stays "
                       "so, tell whoever looks after MedML.")
    control = next(each for each in acts if each.name == "control")
    return Proof(time=time.time(), version=code_version(), control=len(control.tries) == 1,
                 acts=[each for each in acts if each is not control])


def _act(folder: Path, told: dict) -> Act:
    local, away = tries(folder / f"{told['name']}.trace")
    return Act(**told, local=local, tries=away)


def in_words(proof: Proof) -> list[str]:
    """For the terminal."""
    from medml.terminal import table

    rows = [(each.name, "done" if each.code == 0 else f"ended with {each.code}", f"{each.seconds:.0f} s", each.local,
             len(each.tries)) for each in proof.acts]
    lines = [table(rows, ["act", "", "took", "calls on this machine", "tries to leave it"])]
    lines += [f"{each.name}: process {one.pid} tried {one.call} to {one.where}" for each in proof.acts
              for one in each.tries]
    total = sum(len(each.tries) for each in proof.acts)
    lines.append(f"The deliberate try beside it was {'seen' if proof.control else 'not seen, so nothing is proved'}.")
    return [*lines, f"{total} tries to reach another machine by any process, in {len(proof.acts)} acts: "
            f"{'the proof holds' if proof.holds else 'the proof does not hold'}. MedML {proof.version}."]
