"""The commands of `python -m medml`: one file a command, found by itself.

    def options(parser): parser.add_argument("run")

    @command("show", "one run, its figures and its checks", options)
    def show(args: argparse.Namespace) -> Printed: ...
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from medml.registry import Registry

Printed = Iterable[str]  # a command that has something to say before long work yields it
Options = Callable[[argparse.ArgumentParser], None]


@dataclass(frozen=True, slots=True)
class Command:
    """What a person types after `python -m medml`: its words for --help, its options, and what it does.

    run  takes the parsed options and gives the lines to print; UserError for what the person can mend
    """

    name: str
    words: str
    options: Options
    run: Callable[[argparse.Namespace], Printed]


registry: Registry[Command] = Registry("medml.commands")


def no_options(parser: argparse.ArgumentParser) -> None:
    """A command that takes nothing."""


def command(name: str, words: str, options: Options = no_options) -> Callable[[Callable[[argparse.Namespace], Printed]],
                                                                              Callable[[argparse.Namespace], Printed]]:
    """Register a function as the command of that name."""
    def register(function: Callable[[argparse.Namespace], Printed]) -> Callable[[argparse.Namespace], Printed]:
        registry.add(name, Command(name, words, options, function))
        return function
    return register


__all__ = ["Command", "Printed", "command", "no_options", "registry"]
