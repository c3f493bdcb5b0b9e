#!/usr/bin/env python3
"""Set MedML up and open it: `python3 start.py`. Standard library only; Linux, macOS and Windows.

    python3 start.py            the app, in the browser
    python3 start.py demo       the whole line on the example data, in the terminal
    python3 start.py test       everything the tests need, then all tests (arguments go on to pytest)
    python3 start.py setup      the environment only
    python3 start.py worker     the worker alone

Written so that a Python too old for MedML can still read it and say so.
"""

import hashlib
import os
import platform
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import webbrowser

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, *(["Scripts", "python.exe"] if os.name == "nt" else ["bin", "python"]))
OLDEST, NEWEST = (3, 11), (3, 14)  # Pythons for which every pinned package has a wheel
FIRST_PORT, PORTS = 8501, 100
FOR_NODE = ("onnxruntime-web@1.30.0",  # runs exported models
            "axe-core@4.14.1")  # judges the screens (MPL-2.0, used by tests alone and never passed on)
MOST_AT_ONCE = 4  # processes that share the tests; each browser and worker among them wants memory
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PROGRAMS = {  # what tests run under or against, Debian's package that holds it, and what for
    "strace": ("strace", "proofs that nothing leaves the machine"),
    "unshare": ("util-linux", "proofs that nothing leaves the machine"),
    "redis-server": ("redis-server", "a queue for several machines"),
    "nginx": ("nginx-light", "the proxy before a ward"), "openssl": ("openssl", "the proxy before a ward")}


class CannotStart(Exception):
    """Something the person at the terminal can mend; its text is shown word for word."""


def main(arguments):
    command = arguments[0] if arguments and not arguments[0].startswith("-") else "app"
    rest = arguments[1:] if arguments[:1] == [command] else arguments
    commands = {"app": app, "test": test, "demo": demo, "setup": setup, "worker": worker}
    if command in ("help",) or rest[:1] == ["--help"] and command != "test":
        print(__doc__)
        return 0
    if command not in commands:
        print("start.py has no {!r}; it has {}.".format(command, ", ".join(commands)), file=sys.stderr)
        return 2
    try:
        check_python()
        return commands[command](rest)
    except CannotStart as stopped:
        print(f"\n{stopped}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


# ---- commands --------------------------------------------------------------------------------------------------

def setup(rest):
    prepare()
    print(f"MedML is set up in {VENV}.")
    return 0


def app(rest):
    """Serve the app on this machine alone and open the browser; Ctrl-C closes it and leaves the worker at work."""
    prepare()
    port = asked_port(rest) or free_port()
    address = f"http://127.0.0.1:{port}"
    said = tempfile.TemporaryFile()  # shown only where the app could not go on
    server = subprocess.Popen([PYTHON, "-m", "streamlit", "run", "streamlit_app.py", "--server.address", "127.0.0.1",
                               "--server.port", str(port)] + [each for each in rest if each != "--no-browser"],
                              cwd=ROOT, stdout=subprocess.DEVNULL, stderr=said)
    print(f"MedML opens on {address}  (Ctrl-C closes it; a training goes on)", flush=True)
    if "--no-browser" not in rest and has_browser():
        threading.Thread(target=open_browser, args=(address, server), daemon=True).start()
    try:
        code = server.wait()
    except KeyboardInterrupt:
        server.wait()  # the terminal has told it too
        print("\nMedML is closed. A training that was running goes on; start MedML again to see it.")
        return 0
    said.seek(0)
    sys.stderr.write(said.read().decode("utf-8", "replace")[-2000:])
    return code


def demo(rest):
    prepare()
    return subprocess.call([PYTHON, "-m", "medml", "demo"] + rest, cwd=ROOT)


def worker(rest):
    prepare()
    return subprocess.call([PYTHON, "-m", "worker"] + rest, cwd=ROOT)


def test(rest):
    """All tests; pytest's closing line is the last one printed."""
    prepare()
    install(os.path.join("tests", "requirements.txt"), "the tests")
    settings = dict(os.environ)
    settings.pop("PYTHONDONTWRITEBYTECODE", None)  # else each of a thousand processes compiles what it loads
    found = find_browser() or install_browser()
    if found:
        settings["MEDML_CHROMIUM"] = found
    elif os.environ.get("CI", "").lower() == "true":
        raise CannotStart("There is no Chromium here and none could be installed, so the browser tests cannot run.\n"
                          "Install one (Debian: apt-get install chromium), or set MEDML_CHROMIUM to its path.")
    else:
        print("No Chromium was found: the browser tests are skipped. Install one, or set MEDML_CHROMIUM to its path.")
    install_programs()
    install_for_node()
    several = ["-n", str(min(MOST_AT_ONCE, (os.cpu_count() or 1) + 1)), "--dist", "loadfile",
               "--no-loadscope-reorder"]  # a file's tests stay together; the long ones of the browser begin, and wait
    return subprocess.call([PYTHON, "-m", "pytest"] + (rest or several), cwd=ROOT, env=settings)


# ---- the environment -------------------------------------------------------------------------------------------

def check_python(version=None, implementation=None, bits=None, threaded=None):
    """Refuse a Python for which a package has no wheel: it would be built from source for an hour and then fail."""
    version = version or tuple(sys.version_info[:2])
    implementation = implementation or platform.python_implementation()
    bits = bits or 8 * struct.calcsize("P")
    threaded = hasattr(sys, "_is_gil_enabled") and not sys._is_gil_enabled() if threaded is None else threaded
    wanted = "Python {}.{} to {}.{} (64 bit, from python.org, Homebrew or your system)".format(*OLDEST, *NEWEST)
    found = f"{implementation} {version[0]}.{version[1]}"
    if not OLDEST <= version <= NEWEST:
        wrong = "is too old" if version < OLDEST else "is too new: packages that MedML needs are not made for it yet"
    elif implementation != "CPython":
        wrong = "is another kind of Python"
    elif bits != 64:
        wrong = "is a 32-bit one"
    elif threaded:
        wrong = "is a free-threaded build, for which packages are missing"
    else:
        return
    raise CannotStart(f"This is {found}, which {wrong}.\nInstall {wanted} and start MedML with it, for example: "
                      f"python{NEWEST[0]}.{NEWEST[1]} start.py")


def prepare():
    """Make .venv and install what is missing; nothing, and no network, where that was done before."""
    if not works():
        make_venv()
    install("requirements.txt", "MedML")


def works():
    """Whether .venv has a Python that starts (not when the Python it was made from is gone) and its pip (not when the
    making of it was cut short)."""
    if not os.path.exists(PYTHON):
        return False
    quiet = subprocess.DEVNULL
    return subprocess.call([PYTHON, "-m", "pip", "--version"], stdout=quiet, stderr=quiet) == 0


def make_venv():
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        raise CannotStart("This Python cannot make environments. On Debian and Ubuntu install the package that can:\n"
                          "    sudo apt install python{}.{}-venv   (or python3-venv)\nthen start again."
                          .format(*sys.version_info[:2])) from None
    print(f"Making the environment in {VENV}", flush=True)
    try:
        venv.EnvBuilder(clear=True, with_pip=True, symlinks=os.name != "nt").create(VENV)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotStart(f"The environment could not be made ({type(error).__name__}).\nCheck that there is room on "
                          f"the disk and that you may write to {ROOT}, then start again.") from None


def stamp_of(requirements):
    """What must be equal for an installation to be the same: the list of packages, this Python, this place."""
    with open(os.path.join(ROOT, requirements), "rb") as listed:
        content = listed.read()
    return hashlib.sha256(b"\0".join([content, sys.version.encode(), VENV.encode()])).hexdigest()


def install(requirements, purpose):
    """pip, with a line a package; nothing where the stamp says that it was done."""
    stamp = os.path.join(VENV, "stamp-" + re.sub(r"\W", "-", requirements))
    wanted = stamp_of(requirements)
    if os.path.exists(stamp):
        with open(stamp) as done:
            if done.read() == wanted:
                return
    print(f"Installing what {purpose} needs, once: about 2 GB and some minutes", flush=True)
    pip = subprocess.Popen([PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--no-input",
                            "--progress-bar", "off", "-r", requirements], cwd=ROOT, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, universal_newlines=True)
    said = []
    for line in pip.stdout:
        said.append(line.rstrip())
        shown = progress_line(line)
        if shown:
            print(shown, flush=True)
    if pip.wait():
        raise CannotStart("The packages could not be installed. pip said last:\n    {}\nCheck the network (and the "
                          "proxy settings: HTTPS_PROXY, PIP_INDEX_URL) and the room on the disk, then start again; "
                          "what has been downloaded is kept.".format("\n    ".join(said[-6:])))
    with open(stamp, "w") as done:
        done.write(wanted)


def progress_line(line):
    """What to show of one line of pip's output, or None."""
    found = re.match(r"\s*Collecting ([A-Za-z0-9_.\-]+)[^=]*(?:==([^\s;]+))?", line)
    if found:
        return "  {} {}".format(found.group(1), found.group(2) or "")
    found = re.match(r"\s*Downloading (\S+?)(?:\.metadata)? \((.+)\)", line)
    if found and not line.rstrip().endswith("kB)"):
        return f"    downloading {found.group(2)}"
    found = re.match(r"\s*Installing collected packages: (.+)", line)
    if found:
        return f"  putting {len(found.group(1).split(','))} packages in place (a minute or two)"
    return None


# ---- the browser -----------------------------------------------------------------------------------------------

def asked_port(rest):
    """The port that Streamlit's own option asks for, as text; None where it does not."""
    for at, each in enumerate(rest):
        name, _, value = each.partition("=")
        if name == "--server.port":
            return value or "".join(rest[at + 1:at + 2])
    return None


def free_port():
    """The first free port from 8501 on, on this machine's own address."""
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise CannotStart(f"Ports {FIRST_PORT} to {FIRST_PORT + PORTS - 1} are all in use.\n"
                      "Close some programs, then start again.")


def has_browser():
    """Whether a window can be opened here (over ssh a text browser would take the terminal)."""
    return os.name == "nt" or sys.platform == "darwin" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_browser(address, server):
    """As soon as the app answers; asked directly, since a proxy does not reach this machine's own address."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while server.poll() is None:
        try:
            direct.open(address + "/_stcore/health", timeout=1).close()
            webbrowser.open(address)
            return
        except OSError:
            time.sleep(0.2)


def find_browser():
    """A Chromium for the tests, or None."""
    chosen = os.environ.get("MEDML_CHROMIUM")
    if chosen and os.path.exists(chosen):
        return chosen
    return next((found for found in map(shutil.which, BROWSERS) if found), None)


def install_browser():
    """Chromium by apt where this is root on Debian or Ubuntu; None elsewhere."""
    return find_browser() if by_apt("chromium", "a browser") else None


def by_apt(package, purpose):
    """Install a package that the tests need, where this is root on Debian or Ubuntu; whether that went well."""
    if not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get")):
        return False
    print(f"Installing {package} for the tests: {purpose}", flush=True)
    settings = dict(os.environ, DEBIAN_FRONTEND="noninteractive", RUNLEVEL="1")  # installed, not started
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", package]):
        if subprocess.call(["apt-get", "-q"] + arguments, env=settings, stdout=subprocess.DEVNULL):
            print(f"apt-get {arguments[0]} did not work", file=sys.stderr)
            if arguments[0] == "install":
                return False
    return True


def install_programs():
    """What some tests run under; where it cannot be installed they are skipped by name (and fail where CI=true)."""
    if not sys.platform.startswith("linux"):
        return
    for program, (package, purpose) in PROGRAMS.items():
        if shutil.which(program) is None and not by_apt(package, purpose):
            print(f"{program} is not here: the tests that need it are skipped. Install it (Debian: apt-get install "
                  f"{package}).")


def install_for_node():
    """What run.mjs beside an exported model and the look at the screens need, for the tests, where node is here; those
    tests are skipped elsewhere."""
    npm, place = shutil.which("npm"), os.path.join(VENV, "web")
    missing = [each for each in FOR_NODE if not os.path.isdir(os.path.join(place, "node_modules", each.split("@")[0]))]
    if npm is None or shutil.which("node") is None or not missing:
        return
    print(f"Installing {' and '.join(missing)} for the tests", flush=True)
    if subprocess.call([npm, "install", "--prefix", place, "--no-audit", "--no-fund"] + missing,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        print(f"{' and '.join(missing)} could not be installed: the tests that need it are skipped.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
