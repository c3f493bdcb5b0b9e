"""`python -m medml`: a thin shell over the library. Exit code 0; 2: a person can mend it; 1: a fault of ours."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from medml.errors import Stopped, UserError, apology, our_fault


def parser() -> argparse.ArgumentParser:
    """Every command with its options; `do` names the function in medml.commands."""
    top = argparse.ArgumentParser(prog="python -m medml", description="Train, judge and use clinical models on this "
                                  "machine. Nothing leaves it.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, words: str, *options: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=words, description=words)
        for option in options:
            made.add_argument(option)
        made.set_defaults(do=f"do_{name}")
        return made

    _source(command("scan", "look at a folder or a file: structure and aggregates only"))
    _training(command("train", "train and judge a model"))
    more = command("continue", "train a finished run for more rounds", "run")
    more.add_argument("--epochs", type=int, required=True, metavar="N", help="rounds to add")
    back = command("revert", "go back to an earlier checkpoint", "run")
    back.add_argument("--to", type=int, metavar="CHECKPOINT", help="its number; without it, the one before")
    for each in (more, command("open", "open the part that was kept closed (every look is counted)", "run")):
        each.add_argument("--source", help="the folder or file, if it has moved")
        _json(each)
    command("runs", "list the gallery")
    _json(command("show", "one run, its figures and its checks", "run"))
    command("compare", "two runs side by side", "left", "right")
    predict = command("predict", "predict a file of patients", "run", "file")
    predict.add_argument("--out", required=True, metavar="FILE.csv")
    predict.add_argument("--sheet", metavar="NAME")
    command("jobs", "what runs and what waits")
    command("delete", "remove a run for good", "run").add_argument("--yes", action="store_true",
                                                                    help="do not ask (for scripts)")
    command("demo", "the whole line on example data")
    brought = command("weights", "list pretrained weights of networks for pictures, or import a file")
    brought.add_argument("file", nargs="?", help="as torchvision's makers publish it (.pth, .pt or .safetensors)")
    brought.add_argument("--backbone", metavar="NAME", help="the network, where the file's name does not say")
    brought.add_argument("--scaling", default="imagenet", metavar="NAME",
                         help="how it was fed: imagenet, 'minus one to one' or 'bytes minus 128'")
    return top


def _source(made: argparse.ArgumentParser) -> None:
    made.add_argument("source", help="a folder or a file")
    made.add_argument("--sheet", metavar="NAME", help="the sheet, where a workbook has several")
    _labels(made)
    _json(made)


def _labels(made: argparse.ArgumentParser) -> None:
    made.add_argument("--labels", metavar="FILE", help="the table that says what each picture shows")
    made.add_argument("--file-column", metavar="COLUMN", help="its column that names the pictures")


def _json(made: argparse.ArgumentParser) -> None:
    made.add_argument("--json", metavar="FILE", help="write what the screens read")


def _training(made: argparse.ArgumentParser) -> None:
    _source(made)
    made.add_argument("--table", metavar="PATH", help="which table of the folder, where it holds several")
    made.add_argument("--target", "--label-column", required=True, metavar="COLUMN", help="what is to be predicted")
    made.add_argument("--positive", metavar="VALUE",
                      help="the value that counts as yes; '>0' for any number above zero")
    made.add_argument("--patient", metavar="COLUMN", help="what identifies a patient")
    made.add_argument("--drop", action="append", default=[], metavar="COLUMN", help="leave a column out (repeatable)")
    made.add_argument("--family", metavar="NAME", help="the safe choice where it is left out")
    made.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the family")
    made.add_argument("--select", action="store_true", help="select predictors inside every fold")
    made.add_argument("--force-in", action="append", default=[], metavar="COLUMN", help="always keep this predictor")
    made.add_argument("--force-out", action="append", default=[], metavar="COLUMN", help="never keep this predictor")
    made.add_argument("--epochs", type=int, metavar="N", help="rounds of training (epochs or trees)")
    made.add_argument("--seed", type=int, default=0, metavar="N")
    made.add_argument("--folds", type=int, metavar="N")
    made.add_argument("--name", metavar="NAME", help="what to call the run")
    made.add_argument("--open", action="store_true", help="open the held-out part at the end, and count the look")
    made.add_argument("--patient-tag", choices=("PatientID",), help="patients by this tag, hashed as it is read")
    made.add_argument("--size", type=int, metavar="PIXELS", help="side to which pictures are brought")
    made.add_argument("--window", metavar="NAME|C,W", help="range of grey: lung, bone, soft tissue, brain, or 40,400")
    made.add_argument("--frames", choices=("first", "middle", "all"), help="of files that hold several")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    args = parser().parse_args(arguments)
    try:
        from medml import commands, egress, logs

        logs.set_up("command")
        egress.install()
        for line in getattr(commands, args.do)(args):
            print(line)
        sys.stdout.flush()
        return 0
    except BrokenPipeError:  # `... | head`: whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except UserError as error:
        print(f"{error.what}\n{error.fix}", file=sys.stderr)
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
