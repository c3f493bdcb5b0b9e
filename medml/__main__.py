"""`python -m medml`: a thin shell over the library. Exit code 0; 2: a person can mend it; 1: a fault of ours."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from medml import commands, memory
from medml.errors import Stopped, UserError, apology, our_fault


def parser() -> argparse.ArgumentParser:
    """Every command with its options, from the files in medml/commands/."""
    top = argparse.ArgumentParser(prog="python -m medml", description="Train, judge and use clinical models on this "
                                  "machine. Nothing leaves it.")
    each = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in sorted(commands.registry, key=lambda found: found.name):
        made = each.add_parser(command.name, help=command.words, description=command.words)
        command.options(made)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    memory.keep_freed()  # first of all: Polars reads it as it is imported
    try:
        args = parser().parse_args(arguments)
        from medml import egress, environment, logs, standing

        environment.check()
        logs.set_up("command")
        egress.install(process="command line")
        mended = standing.mended()
        if mended is not None:
            print(f"{mended.what}\n{mended.fix}\n", file=sys.stderr)
        for line in commands.registry.get(args.command).run(args):
            print(line, flush=True)
        return 0
    except BrokenPipeError:  # `... | head`: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except UserError as error:
        typed = f"\nOn the command line: {error.typed}" if error.typed else ""
        print(f"{error.what}\n{error.fix}{typed}", file=sys.stderr)
        return 2
    except Stopped:
        kept = f"{args.run} stays at the checkpoint where it was" if args.command == "continue" else \
            "Nothing was kept of this training"
        print(f"Stopped. {kept}; your data is unchanged.\nStart it again when you like.", file=sys.stderr)
        return 2
    except Exception as error:  # noqa: BLE001 - the command line's only guard: no traceback may quote a cell
        print(apology(our_fault(error)), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
