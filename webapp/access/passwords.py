"""Passwords: argon2id, one answer for every wrong login, and back-off per person, network address
and both together. It opens no session."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select

from webapp.access import throttle
from webapp.models import Staff, db
from webapp.texts import _

# RFC 9106, second recommended set: 64 MiB, 3 passes; about 50 ms on one core.
HASHER: Final = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)
# Longer input costs hashing time and helps nobody.
PASSWORD_CHARS_MAX: Final = 256
PASSWORD_CHARS_MIN: Final = 12
LOGIN_CHARS_MAX: Final = 80
# One person from one network: who types wrong, or who guesses from one machine.
PAIR_TRIES: Final = 5
# One person from anywhere: wide, so that a stranger cannot lock a colleague out in five tries.
PERSON_TRIES: Final = 50
# A whole office shares one address.
ADDRESS_TRIES: Final = 30


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a login came to: the person, or None; `blocked` when it was not even looked at."""

    staff: Staff | None
    blocked: bool = False


def attempt(login: str, password: str, address: str) -> Attempt:
    """Checks a login. Unknown, disabled and wrong take the same way and the same time."""
    login = login.strip().lower()[:LOGIN_CHARS_MAX]
    net = throttle.network(address)
    pair, person, network = (
        throttle.key("pair", net, login),
        throttle.key("user", login),
        throttle.key("address", net),
    )
    limits = [(network, ADDRESS_TRIES), (pair, PAIR_TRIES), (person, PERSON_TRIES)]
    if not throttle.count(limits):
        return Attempt(None, blocked=True)
    staff = db.session.execute(select(Staff).where(Staff.login == login)).scalar_one_or_none()
    stored = staff.password_hash if staff and staff.disabled_at is None else _nobody()
    if not _matches(stored, password) or staff is None or staff.disabled_at is not None:
        return Attempt(None)
    if HASHER.check_needs_rehash(staff.password_hash):
        staff.password_hash = HASHER.hash(password)
    throttle.forget(pair, person, network)
    return Attempt(staff)


def warm_up() -> None:
    """Makes the hash that unknown people are compared with, before the first of them comes."""
    _nobody()


def hash_password(password: str) -> str:
    return HASHER.hash(password)


def nobody_knows() -> str:
    """The hash of a password that nobody was ever told: for an account that has none yet."""
    return HASHER.hash(secrets.token_urlsafe(32))


def weakness(password: str, login: str) -> str:
    """Why a new password will not do, or an empty string."""
    if len(password) < PASSWORD_CHARS_MIN:
        return _("A password has at least %(count)s characters.", count=PASSWORD_CHARS_MIN)
    if len(password) > PASSWORD_CHARS_MAX:
        return _("A password has at most %(count)s characters.", count=PASSWORD_CHARS_MAX)
    if len(set(password)) < 5 or login.lower() in password.lower():
        return _("This password is too easy to guess.")
    return ""


def _matches(stored: str, password: str) -> bool:
    if len(password) > PASSWORD_CHARS_MAX:
        stored, password = _nobody(), password[:PASSWORD_CHARS_MAX]
    try:
        return HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    """A hash that no password opens: unknown people cost as much time as known ones."""
    return nobody_knows()
