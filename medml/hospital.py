"""The hospital's own accounts (OpenID Connect): who may come in, in which role, by what their token says of them.

The talk with the hospital's service is Streamlit's (st.login, Authlib); here its result becomes an account and a
session as any other, so that roles, groups, the half hour, the twelve hours and the audit log are the same.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

from medml import accounts, rights
from medml.errors import UserError
from medml.rights import ROLES, Person
from medml.store import accounts as store

FRESH = 300.0  # seconds since a token was issued: an older cookie of a sign-in signs nobody in
ROLES_BY, TEAMS_BY = "MEDML_OIDC_ROLES", "MEDML_OIDC_TEAMS"
NAMES = ("name", "preferred_username", "email", "sub")  # what a person is called by, the first that is there
NOBODY = ("The hospital's service did not say who you are.", "Try again, or ask whoever looks after MedML.")


def is_set_up() -> bool:
    """Whether an administrator said who gets which role; without that nobody comes in this way."""
    return bool(os.environ.get(ROLES_BY))


def rules(name: str) -> list[tuple[str, str, str]]:
    """(claim, value, what it gives) of "CLAIM:VALUE=GIVES,…". UserError where an entry is not written so."""
    found = []
    for entry in filter(None, (each.strip() for each in os.environ.get(name, "").split(","))):
        condition, sign, gives = entry.rpartition("=")
        claim, colon, value = condition.partition(":")
        if not (sign and colon and claim.strip() and value.strip() and gives.strip()):
            raise UserError(what=f"{name} has an entry that cannot be read: “{entry}”.", code="bad_rule",
                            fix="Write CLAIM:VALUE=ROLE, separated by commas.")
        found.append((claim.strip(), value.strip(), gives.strip()))
    return found


def check() -> None:
    """Before the app starts: every rule can be read and gives a role that there is."""
    if is_set_up() and importlib.util.find_spec("authlib") is None:
        raise UserError(what="Signing in by the hospital's service needs a package that is not installed.",
                        fix="Install it: .venv/bin/pip install -r deploy/oidc.txt", code="no_package")
    rules(TEAMS_BY)
    wrong = [gives for _, _, gives in rules(ROLES_BY) if gives not in ROLES]
    if wrong:
        raise UserError(what=f"{ROLES_BY} gives the role “{wrong[0]}”, which is none.",
                        fix=f"Choose one of {', '.join(ROLES)}.", code="no_role")


def given(claims: Mapping[str, Any], by: str) -> Iterator[str]:
    """What the rules give to somebody with these claims; a claim may be one value or a list of them."""
    for claim, value, gives in rules(by):
        said = claims.get(claim)
        if value in ([str(each) for each in said] if isinstance(said, list) else [str(said)]):
            yield gives


def sign_in(claims: Mapping[str, Any], *, place: str, in_place_of: str | None = None) -> tuple[str, Person]:
    """A session for whom the hospital's service has just named; the account is made at the first time, and its role and
    groups are what the token says at every time.

    claims  of the ID token, its signature, issuer, audience and nonce looked at already
    raises  UserError where the token is old, says nothing that gives a role (whoever had one until then is signed out
            everywhere), or names no one
    """
    try:
        role = max(given(claims, ROLES_BY), key=ROLES.index, default=None)
        issued, subject = float(claims.get("iat") or 0), f"{claims['iss']} {claims['sub']}"
    except (KeyError, TypeError, ValueError):
        raise _refused(NOBODY[0], place) from None
    if not -FRESH < time.time() - issued < FRESH:
        raise _refused("This sign-in is too old.", place)
    known = store.account(subject=subject)
    if role is None:
        if known is not None:
            store.change(known.id)  # every window that is open still
        raise _refused("Your account at the hospital is in no group that may use MedML.", place, known)
    teams = sorted(set(given(claims, TEAMS_BY)))
    found = known or _new(claims, subject, role, teams, place)
    if (found.role, found.teams) != (role, tuple(teams)):
        rights.note(f"make “{found.name}” {role}{accounts.in_groups(teams)}", "account", found.id,
                    by=Person(found.id, found.name, role, place=place))
        store.change(found.id, role=role, teams=tuple(teams))
        found = store.account(person=found.id) or found
    return accounts.begin(found, place=place, in_place_of=in_place_of)


def _new(claims: Mapping[str, Any], subject: str, role: str, teams: list[str], place: str) -> store.Account:
    """An account by the person's name; where somebody has that name already, with a mark behind it."""
    name = next((str(claims[each]) for each in NAMES if claims.get(each)), subject)
    plain = "".join(each for each in name if each.isalnum() or each in " .@-_").strip(" .@-_")[:48] or "somebody"
    if store.account(name=plain) is not None:
        plain = f"{plain} {hashlib.sha256(subject.encode()).hexdigest()[:8]}"
    made = accounts.add(plain, role, None, teams=teams, subject=subject)
    try:
        rights.note(f"add “{made.name}” as {role}{accounts.in_groups(teams)}", "account", made.id,
                    by=Person(made.id, made.name, role, place=place))
    except UserError:
        store.remove(made.id)  # no account that the log does not know of
        raise
    return made


def _refused(what: str, place: str, known: store.Account | None = None) -> UserError:
    rights.note("sign in", "account", known.id if known else "", "failed",
                by=Person("", known.name if known else "by the hospital's service", "", place=place))
    return UserError(what=what, fix=NOBODY[1], code="not_signed_in")
