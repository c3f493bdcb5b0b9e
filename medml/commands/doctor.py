"""`doctor`: every setting that the promises of privacy and the queue rest on, looked at now."""

from __future__ import annotations

import argparse
from datetime import datetime

from medml.commands import Printed, command
from medml.commands._places import words_or_json


def options(parser: argparse.ArgumentParser) -> None:
    """Where to write it, and whether to prove that nothing leaves."""
    parser.add_argument("--json", metavar="FILE", nargs="?", const="-", help="write what was found to a file; "
                        "without FILE it is printed")
    parser.add_argument("--prove", action="store_true", help="do the whole line in a network namespace without routes, "
                        "under strace, and count every try to reach another machine (Linux; takes minutes)")


@command("doctor", "look at every setting that privacy and the queue rest on", options)
def do_doctor(args: argparse.Namespace) -> Printed:
    """Prints what was found; the exit code is 1 where something is red, or where the proof does not hold."""
    from medml import home, refusals
    from medml.doctor import examine, prove
    from medml.doctor.record import as_text

    if args.prove:
        proof = prove.prove()
        yield from words_or_json(args.json, proof.model_dump(mode="json"), prove.in_words(proof))
        if not proof.holds:
            raise SystemExit(1)
        return
    examined = examine()
    content = examined.model_dump(mode="json") | {"made": f"{datetime.fromtimestamp(examined.time):%c}"}
    yield from words_or_json(args.json, content, [as_text(examined, refusals.kept(home.log_folder()))])
    if examined.count("red"):
        raise SystemExit(1)
