"""Accounts of an app that is served to others: who there is, signing in, sessions. See rights for what they may do.

A session is a random token in a cookie; here only its SHA-256 is kept. It ends after half an hour without a touch,
after twelve hours in any case, at sign-out, and for everybody of an account whose password, role or groups change.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from medml import passwords, rights
from medml.errors import UserError
from medml.home import keyed_hash
from medml.rights import OWNER, ROLES, Person
from medml.store import accounts as store
from medml.store.accounts import Account

IDLE, ABSOLUTE = 30 * 60.0, 12 * 3600.0  # seconds
TOUCH = 60.0  # seconds between two notes that somebody is there
AHEAD = 300.0  # seconds by which a clock may have been set back without ending sessions
LOCKS = [0.0, 0.0, 0.0, 0.0, 30.0, 60.0, 120.0, 240.0, 480.0, 900.0]  # seconds locked after the nth failure in a row
ONCE = 24 * 3600.0  # seconds for which a one-time password holds
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # of one: none that is taken for another when it is read out
FORGOTTEN = 24 * 3600.0  # seconds after which failures are
PLACE_LOCKS = [0.0] * 19 + [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0]  # the same of an address, whatever the names
QUIET = 900.0  # seconds without a failure after which those of an address are forgotten
KNOWN = 30 * 24 * 3600.0  # seconds for which an address stays one that somebody signs in from
NAME = re.compile(r"[^\W_][\w.@ -]{0,62}[^\W_]|[^\W_]")
REFUSED = UserError(what="Name and password do not fit, or there were too many tries.", code="not_signed_in",
                    fix="Check both. After five tries in vain wait half a minute; every further one doubles that.")


def everybody() -> list[Account]:
    """Every account, by name."""
    return store.accounts()


def get(name: str) -> Account:
    """UserError where there is no such account."""
    found = store.account(name=name)
    if found is None:
        raise UserError(what=f"There is no account “{name}”.", fix="`python -m medml accounts list` shows them.",
                        code="no_account")
    return found


def add(name: str, role: str, password: str | None, *, teams: Sequence[str] = (),
        subject: str | None = None, once: bool = False) -> Account:
    """A new account.

    password  None for one who signs in by the hospital's own service, as `subject`
    once      it holds for a day and must be changed at the first sign-in
    """
    plain = unicodedata.normalize("NFC", name).strip()
    if not NAME.fullmatch(plain) or plain.casefold() == OWNER.name:
        raise UserError(what="This is no name for an account.", code="bad_name",
                        fix="Use up to 64 letters, digits, spaces and . @ - _, beginning and ending with a letter or "
                            "digit.")
    new = Account(id=f"a{secrets.token_hex(6)}", name=plain, role=_role(role), subject=subject, made=time.time(),
                  teams=tuple(map(_team, teams)),
                  once=time.time() + ONCE if once else None,
                  password=None if password is None else passwords.hashed(passwords.check(password, plain)))
    if subject is None:
        rights.require("accounts", "account", new.id, noted_as=f"add “{plain}” as {role}{in_groups(new.teams)}",
                       ready=lambda: _free(plain))
    if not store.add(new):
        raise _taken(plain)
    return new


def _free(name: str) -> None:
    if store.account(name=name) is not None:
        raise _taken(name)


def _taken(name: str) -> UserError:
    return UserError(what=f"There is an account “{name}” already.", fix="Choose another name.", code="taken")


def in_groups(teams: Sequence[str]) -> str:
    """ " in cardiology, heart study", for the log; "" where there are none."""
    return f" in {', '.join(sorted(teams))}" if teams else ""


def remove(name: str) -> None:
    """Remove an account and end its sessions; its projects stay and are the administrators' to see."""
    found = get(name)
    rights.require("accounts", "account", found.id, noted_as=f"remove “{found.name}”",
                   ready=lambda: _not_the_last(found))
    store.remove(found.id)


def set_role(name: str, role: str) -> None:
    """Another role; every session of the account ends."""
    found, lower = get(name), _role(role) != ROLES[-1]
    rights.require("accounts", "account", found.id, noted_as=f"make “{found.name}” {role}",
                   ready=lambda: lower and _not_the_last(found))
    store.change(found.id, role=role)


def set_teams(name: str, teams: Sequence[str]) -> None:
    """Other groups; every session of the account ends."""
    found, chosen = get(name), tuple(map(_team, teams))
    rights.require("accounts", "account", found.id,
                   noted_as=f"put “{found.name}”{in_groups(chosen) or ' in no group'}")
    store.change(found.id, teams=chosen)


def set_password(name: str, password: str) -> None:
    """A new password by an administrator; every session of the account ends, a lock is taken off."""
    found = get(name)
    fresh = passwords.hashed(passwords.check(password, found.name))
    rights.require("accounts", "account", found.id, noted_as=f"set a password for “{found.name}”")
    store.change(found.id, password=fresh)
    store.forgive(_tried(found.name))


def one_time() -> str:
    """A password to be told to somebody: 16 letters and digits in four groups, 79 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


def reset(name: str) -> str:
    """A one-time password in the place of the one that was: returned here and kept nowhere. It holds for a day and must
    be changed at the next sign-in; every session of the account ends, a lock is taken off.

    raises  UserError where the hospital's own service keeps the password
    """
    found = get(name)
    if found.password is None:
        raise UserError(what=f"“{found.name}” signs in by the hospital's own service.", code="no_password",
                        fix="A new password is given there.")
    rights.require("accounts", "account", found.id, noted_as=f"give “{found.name}” a one-time password")
    fresh = one_time()
    store.change(found.id, password=passwords.hashed(fresh), once=time.time() + ONCE)
    store.forgive(_tried(found.name))
    return fresh


def _not_the_last(found: Account) -> None:
    """UserError where nobody with a password of our own could keep the others' accounts any more."""
    others = [each for each in everybody() if each.id != found.id]
    if found.role == ROLES[-1] and found.password is not None and others and not any(
            each.role == ROLES[-1] and each.password is not None and not _too_late(each) for each in others):
        raise UserError(what=f"“{found.name}” is the last administrator with a password.", code="last_administrator",
                        fix="Make another one first: python -m medml accounts add NAME --role administrator")


def _role(role: str) -> str:
    if role not in ROLES:
        raise UserError(what=f"There is no role “{role}”.", fix=f"Choose one of {', '.join(ROLES)}.", code="no_role")
    return role


def _team(team: str) -> str:
    plain = unicodedata.normalize("NFC", team).strip()
    if not NAME.fullmatch(plain):
        raise UserError(what="This is no name for a group.", fix="Use letters, digits, spaces and . @ - _.",
                        code="bad_name")
    return plain


# ---- signing in ------------------------------------------------------------------------------------------------

def sign_in(name: str, password: str, *, place: str, in_place_of: str | None = None) -> tuple[str, Person]:
    """A new token and who it is for. The token before, where the browser had one, ends.

    raises  UserError, always the same and after the same work, where name and password do not fit, there is no such
                    account, or it is locked: five failures in a row lock for half a minute, each further one longer;
            twenty from one address lock that address for new people alone, not for those who have signed in from there
            before, since a whole hospital may come from one
    """
    found, tried, where = store.account(name=_plain(name)), _tried(name), _place(place)
    fits = passwords.fits(password, found.password if found else None) and not _too_late(found)
    locked = store.tries(tried)[1] > time.time()  # asked after the work: of many tries at once all but five come late
    pair = keyed_hash("known", f"{found.id if found else ''} {where}")
    locked |= bool(where) and store.tries(where)[1] > time.time() and not store.has_come_from(pair)
    if locked or not fits or found is None:
        if not locked:  # what is tried meanwhile does not count: nobody is kept out for ever
            store.failed(tried, LOCKS, forgotten=time.time() - FORGOTTEN)
            if where:
                store.failed(where, PLACE_LOCKS, forgotten=time.time() - FORGOTTEN, afresh=time.time() - QUIET)
        rights.note("sign in", "account", found.id if found else "", "failed",
                    by=Person("", found.name if found else "a name that nobody has", "", place=place))
        raise REFUSED
    store.forgive(tried)
    if where:
        store.came_from(pair, forgotten=time.time() - KNOWN)
    if passwords.is_outdated(found.password or ""):
        fresh = passwords.hashed(password)
        store.rehash(found.id, fresh, was=found.password)
        found = replace(found, password=fresh)
    return begin(found, place=place, in_place_of=in_place_of)


def _too_late(found: Account | None) -> bool:
    """Whether a one-time password was not used within its day."""
    return found is not None and found.once is not None and found.once < time.time()


def begin(found: Account, *, place: str, in_place_of: str | None = None) -> tuple[str, Person]:
    """A session of an account that has shown who it is.

    raises  UserError, as `sign_in`, where it was removed or its password changed while that was looked at
    """
    token, person = secrets.token_urlsafe(32), _person(found, place)
    made = store.begin_session(_hash(token), found.id, password=found.password, too_old=time.time() - ABSOLUTE,
                               in_place_of=_hash(in_place_of) if in_place_of else None)
    try:
        rights.note("sign in", "account", found.id, "done" if made else "failed", by=person)
    except UserError:
        store.end_session(_hash(token))
        raise
    if not made:
        raise REFUSED
    return token, person


def change_password(token: str, old: str, new: str, *, place: str) -> str:
    """One's own password; every session of the account ends, and a new one begins, whose token is returned.

    raises  UserError where the old one does not fit (counted as a failure to sign in) or the new one breaks a rule
    """
    person = of_token(token, place=place)
    found = store.account(person=person.id) if person else None
    if found is None or found.password is None:
        raise UserError(what="You are signed out, or your password is kept by the hospital's own service.",
                        fix="Sign in again, or change it there.", code="signed_out")
    fresh = passwords.check(new, found.name)
    if store.tries(_tried(found.name))[1] > time.time() or not passwords.fits(old, found.password):
        store.failed(_tried(found.name), LOCKS, forgotten=time.time() - FORGOTTEN)
        rights.note("password", "account", found.id, "failed", by=person)
        raise UserError(what="Your password until now is another one.", fix="Type it again.", code="not_signed_in")
    rights.note("password", "account", found.id, by=person)
    known = passwords.hashed(fresh)
    store.change(found.id, password=known)
    return begin(replace(found, password=known), place=place)[0]


def sign_out(token: str, *, place: str) -> None:
    """End a session; one that has ended already stays so."""
    person = of_token(token, place=place)
    store.end_session(_hash(token))
    if person is not None:
        with rights.even_unwritten("sign out"):
            rights.note("sign out", "account", person.id, by=person)


def of_token(token: str | None, *, place: str = "this machine") -> Person | None:
    """Whose session it is, as the account is at this moment; None where it has ended."""
    return of_hash(_hash(token), place=place) if token else None


def of_hash(name: str, *, place: str = "this machine") -> Person | None:
    """As `of_token`, by the SHA-256 of the token."""
    found = store.session(name)
    if found is None:
        return None
    account, made, seen = found
    now = time.time()
    over = now - seen > IDLE or now - made > ABSOLUTE or made - now > AHEAD
    return None if over else _person(account, place)


def touch(token: str) -> None:
    """That person is there and does something: the half hour begins anew."""
    found = store.session(_hash(token))
    if found is not None and TOUCH < time.time() - found[2] <= IDLE:
        store.touch(_hash(token))


def _person(found: Account, place: str) -> Person:
    return Person(found.id, found.name, found.role, found.teams, place, found.once is not None, found.password is None)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()[:200]


def _tried(name: str) -> str:
    return keyed_hash("sign in", _plain(name).casefold())


def _place(place: str) -> str:
    """Under which keyed hash failures from an address are counted: that of a network of IPv6 (RFC 6177), for one
    machine has many there; "" for this machine, which is also where everybody comes from behind a proxy that
    FORWARDED_ALLOW_IPS does not list."""
    try:
        address = ipaddress.ip_address(place)
    except ValueError:
        return ""
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return ""
    network = ipaddress.ip_network((address, 32 if address.version == 4 else 64), strict=False)
    return keyed_hash("sign in from", str(network))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
