"""`demo`: the whole line on example data."""

from __future__ import annotations

import argparse

from medml.commands import Printed, command
from medml.commands.train import do_train, options


@command("demo", "the whole line on example data")
def do_demo(args: argparse.Namespace) -> Printed:
    """The whole line on the example table, with everything as MedML proposes it."""
    from medml.example import example_source

    asked = argparse.ArgumentParser()
    options(asked)
    return do_train(asked.parse_args([str(example_source()), "--target", "diagnosis", "--name", "Example"]))
