"""`accounts`: who may sign in where the app is served to others, and whom projects and runs belong to."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import time

from medml import accounts, rights
from medml.commands import Printed, command
from medml.commands._places import agreed
from medml.errors import UserError
from medml.store import accounts as store
from medml.terminal import table


def options(parser: argparse.ArgumentParser) -> None:
    """add, remove, role, groups, password, list, give."""
    each = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    add = each.add_parser("add", help="a new account; the password is asked for, or read from standard input")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--role", choices=rights.ROLES, required=True)
    add.add_argument("--group", action="append", default=[], metavar="GROUP", help="what projects may belong to "
                     "besides a person: a department, a study (repeatable)")
    remove = each.add_parser("remove", help="end an account and its sessions; its projects stay")
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--yes", action="store_true", help="do not ask (for scripts)")
    role = each.add_parser("role", help="another role")
    role.add_argument("name", metavar="NAME")
    role.add_argument("role", choices=rights.ROLES)
    groups = each.add_parser("groups", help="the groups of an account, in the place of those it had")
    groups.add_argument("name", metavar="NAME")
    groups.add_argument("group", nargs="*", metavar="GROUP")
    password = each.add_parser("password", help="a new password; it is asked for, or read from standard input")
    password.add_argument("name", metavar="NAME")
    listed = each.add_parser("list", help="who there is")
    listed.add_argument("--json", action="store_true", help="as JSON")
    give = each.add_parser("give", help="let a project or run belong to somebody")
    give.add_argument("id", metavar="PROJECT_OR_RUN")
    give.add_argument("--to", required=True, metavar="NAME", help="the account it belongs to")
    give.add_argument("--group", default="", metavar="GROUP", help="and everybody of that group sees it")


@command("accounts", "who may sign in where the app is served to others", options)
def do_accounts(args: argparse.Namespace) -> Printed:
    """One of the words below."""
    return WORDS[args.what](args)


def _add(args: argparse.Namespace) -> Printed:
    new = accounts.add(args.name, args.role, _asked_for(args.name), teams=args.group)
    return [f"“{new.name}” may sign in as {new.role}{_of(new.teams)}."]


def _remove(args: argparse.Namespace) -> Printed:
    found = accounts.get(args.name)
    if not args.yes and not agreed(f"End the account “{found.name}”?"):
        return [f"“{found.name}” was not removed."]
    accounts.remove(found.name)
    return [f"“{found.name}” is gone and signed out. Administrators see what belonged to it; `accounts give` passes "
            "it on."]


def _role(args: argparse.Namespace) -> Printed:
    accounts.set_role(args.name, args.role)
    return [f"“{args.name}” is {args.role} from the next sign-in on, and signed out."]


def _groups(args: argparse.Namespace) -> Printed:
    accounts.set_teams(args.name, args.group)
    return [f"“{args.name}” is in {', '.join(args.group) or 'no group'} from the next sign-in on, and signed out."]


def _password(args: argparse.Namespace) -> Printed:
    found = accounts.get(args.name)
    accounts.set_password(found.name, _asked_for(found.name))
    return [f"“{found.name}” has a new password and is signed out everywhere."]


def _list(args: argparse.Namespace) -> Printed:
    found = accounts.everybody()
    if args.json:
        return [json.dumps([{"name": each.name, "role": each.role, "groups": list(each.teams), "id": each.id,
                             "by": "password" if each.subject is None else "the hospital's service"}
                            for each in found], indent=2)]
    if not found:
        return ["There are no accounts. `python -m medml accounts add NAME --role administrator` makes the first one."]
    return [table([(each.name, each.role, ", ".join(each.teams),
                    "password" if each.subject is None else "the hospital's service",
                    time.strftime("%Y-%m-%d", time.localtime(each.made))) for each in found],
                  ["Name", "Role", "Groups", "Signs in by", "Since"])]


def _give(args: argparse.Namespace) -> Printed:
    from medml import gallery, project

    sort = "run" if gallery.is_there(args.id) else "project"
    named = [args.id] if sort == "run" else [project.get(args.id).id]
    found = accounts.get(args.to)
    for one in [*named, *(project.runs_of(args.id) if sort == "project" else [])]:
        what = "run" if one != args.id else sort
        rights.require("give", what, one)
        store.give(what, one, store.Owner(found.id, args.group))
    return [f"{args.id} belongs to “{found.name}”{_of([args.group]) if args.group else ''}."]


def _of(teams: tuple[str, ...] | list[str]) -> str:
    return f" and the group{'s' * (len(teams) > 1)} {', '.join(teams)}" if teams else ""


def _asked_for(name: str) -> str:
    """A password: typed twice without echo, or the first line of standard input in a script; never an argument."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    first = getpass.getpass(f"Password for {name} (12 characters or more): ")
    if first != getpass.getpass("Once more: "):
        raise UserError(what="These were two different passwords.", fix="Try again. Nothing was changed.",
                        code="not_equal")
    return first


WORDS = {"add": _add, "remove": _remove, "role": _role, "groups": _groups, "password": _password, "list": _list,
         "give": _give}
