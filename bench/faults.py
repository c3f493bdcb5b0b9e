"""Every fault that tests/faults names, three times in a row: `python -m bench.faults [--times 3] [FILES]`.

Runs tests/faults, or those files of it, with every Nth call, one after another, and prints how many of how many passed,
file by file; a test that is skipped counts as not passed, and is named.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: list[str] | None = None) -> int:
    """0 where every test passed every time."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("files", nargs="*", default=["tests/faults"])
    asked = parser.parse_args(arguments)
    well = True
    for number in range(1, asked.times + 1):
        began = time.monotonic()
        passed, every, missing = once(asked.files)
        print(f"{number} of {asked.times}: {sum(passed.values())} of {sum(every.values())} in "
              f"{(time.monotonic() - began) / 60:.1f} min", flush=True)
        for file in sorted(every):
            print(f"    {file:<16} {passed[file]} of {every[file]}")
        for name in missing:
            print(f"    not passed: {name}")
        well = well and passed == every != Counter()
    return 0 if well else 1


def once(files: list[str]) -> tuple[Counter[str], Counter[str], list[str]]:
    """(passed, all) by file, and the names of those that did not pass."""
    with tempfile.TemporaryDirectory() as place:
        told = Path(place) / "told.xml"
        done = subprocess.run([sys.executable, "-m", "pytest", *files, "-p", "no:cacheprovider", f"--junitxml={told}"],
                              cwd=ROOT, env=os.environ | {"MEDML_EVERY_CALL": "1"}, capture_output=True, text=True,
                              check=False)
        if not told.exists():
            raise SystemExit(f"The tests did not run: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        passed, every, missing = Counter(), Counter(), []
        for test in xml.parse(told).getroot().iter("testcase"):
            file = test.get("classname", "").split(".")[-1]
            every[file] += 1
            if any(test.find(each) is not None for each in ("failure", "error", "skipped")):
                missing.append(f"{file}::{test.get('name')}")
            else:
                passed[file] += 1
    return passed, every, missing


if __name__ == "__main__":
    sys.exit(main())
