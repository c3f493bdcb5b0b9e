"""`ask`: a question about a project or a run, answered by a local model or by the built-in adviser."""

from __future__ import annotations

import argparse

from medml import gallery, project
from medml.commands import Printed, command
from medml.commands._options import as_json
from medml.commands._places import check_json, save_json
from medml.errors import UserError
from medml.families.family import plainly
from medml.home import home


def options(parser: argparse.ArgumentParser) -> None:
    """PROJECT_OR_RUN, the question, --stage, --show-prompt and --json."""
    parser.add_argument("of", metavar="PROJECT_OR_RUN", help="a project's name or id, or a run as `runs` lists it")
    parser.add_argument("question", help='in quotation marks, such as "Why is sensitivity low?"')
    parser.add_argument("--stage", help="scan, preview, cleanup, configure, train, evaluate, explain or predict; where "
                                        "the work stands unless told")
    parser.add_argument("--show-prompt", action="store_true", help="print what a model reads, word for word")
    as_json(parser)


@command("ask", "ask about a project or a run; a local model answers, or the built-in adviser", options)
def do_ask(args: argparse.Namespace) -> Printed:
    """The answer, who gave it, what it rests on and what it would change; nothing is changed or kept."""
    from medml import copilot

    check_json(args, home())
    seen = _seen(args.of, args.stage)
    passages = copilot.look_up(args.question, seen, settings=copilot.Settings())
    found = copilot.answer(copilot.ask(seen, seen.stage, args.question, passages=passages))
    read = found.read or copilot.prompt(seen, seen.stage, args.question, passages=passages)
    save_json(args.json, {"of": args.of, "stage": seen.stage, "question": args.question, "by": found.by,
                          **found.model_dump(mode="json", exclude={"read"}), "prompt": read.model_dump(mode="json")})
    if args.show_prompt:
        yield found.as_read() if found.tier == "model" else read.as_read()
        yield f"(at most {read.tokens:,} tokens)\n"
    yield found.text
    yield f"\nAnswered by {found.by}." + (f" {found.why}" if found.why else "")
    for each in found.passages:
        yield f"Rests on: {each.title}{', ' * bool(each.place)}{each.place}"
    if found.proposal is not None:
        change = found.proposal
        bold = " (aggressive)" if change.zone == "aggressive" else ""
        yield (f"It would set {change.title} from {plainly(change.before)} to {plainly(change.after)}{bold}: "
               f"{change.reason}. Nothing was changed.")


def _seen(name: str, stage: str | None):
    """The snapshot of a run, or of a project by its id or name."""
    from medml import copilot

    if stage is not None and stage not in copilot.STAGES:
        raise UserError(what=f"There is no stage “{stage}”.", fix=f"Choose one of {', '.join(copilot.STAGES)}.",
                        code="no_stage")
    if gallery.is_there(name):
        return copilot.snapshot_of_run(name, stage or "evaluate")
    known = next((each.id for each in project.all_projects() if name in (each.id, each.name)), None)
    if known is None:
        raise UserError(what=f"There is no project and no run “{name}”.", fix="`runs` lists the runs; a project's name "
                        "stands on the Home screen.", code="gone")
    return copilot.snapshot_of_project(known, stage)
