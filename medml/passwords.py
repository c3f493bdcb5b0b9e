"""Passwords: argon2id (RFC 9106), rules a person can keep, and the same work whether or not there is such a name."""

from __future__ import annotations

import threading
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from medml.errors import UserError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 12, 200  # characters
AT_ONCE = 2  # hashes worked on at a time: each takes 64 MiB
_turn = threading.BoundedSemaphore(AT_ONCE)


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()  # argon2id, 64 MiB, 3 passes, 4 lanes: RFC 9106's second recommended option


@lru_cache(maxsize=1)
def _of_nobody() -> str:
    """What a password is compared with where there is no such account."""
    return _hasher().hash("a name that nobody has")


def make_ready() -> None:
    """Before anybody signs in: the first name that nobody has must cost no more than the next."""
    _of_nobody()


def check(password: str, name: str) -> str:
    """The password, normalised; UserError where it breaks a rule: 12 characters or more, not the name, not one
    character over and over."""
    plain = unicodedata.normalize("NFC", password)
    if len(plain) < SHORTEST:
        raise UserError(what=f"This password has fewer than {SHORTEST} characters.", code="short_password",
                        fix="Choose a longer one; four unrelated words are easy to keep in mind.")
    if len(plain) > LONGEST:
        raise UserError(what=f"This password has more than {LONGEST} characters.", fix="Choose a shorter one.",
                        code="long_password")
    if name.casefold() in plain.casefold() or len(set(plain)) < 5:
        raise UserError(what="This password holds the name, or hardly any different characters.",
                        fix="Choose another one; four unrelated words are easy to keep in mind.", code="weak_password")
    return plain


def hashed(password: str) -> str:
    with _turn:
        return _hasher().hash(unicodedata.normalize("NFC", password))


def fits(password: str, known: str | None) -> bool:
    """Whether a password is that of a hash. Where there is none (no such account), as long and then False."""
    from argon2.exceptions import InvalidHashError, VerificationError

    with _turn:
        try:
            _hasher().verify(known or _of_nobody(), unicodedata.normalize("NFC", password[:LONGEST + 1]))
        except (VerificationError, InvalidHashError):
            return False
    return known is not None


def is_outdated(known: str) -> bool:
    """Whether a hash was made with weaker settings than today's."""
    return _hasher().check_needs_rehash(known)
