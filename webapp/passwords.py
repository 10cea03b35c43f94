"""Passwords: argon2id, one answer for every wrong login, and back-off per user and per network
address by database time. It opens no session."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import current_app
from sqlalchemy import delete, select, text

from webapp.models import LoginThrottle, Staff, db

# RFC 9106, second recommended set: 64 MiB, 3 passes; about 50 ms on one core.
HASHER: Final = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)
# Longer input costs hashing time and helps nobody.
PASSWORD_CHARS_MAX: Final = 256
PASSWORD_CHARS_MIN: Final = 12
LOGIN_CHARS_MAX: Final = 80
USER_TRIES: Final = 5
# A whole office shares one address.
ADDRESS_TRIES: Final = 30
FIRST_BLOCK: Final = timedelta(seconds=30)
LONGEST_BLOCK: Final = timedelta(minutes=15)
# Tries older than this no longer count.
FORGET_AFTER: Final = timedelta(hours=1)

# One statement counts the try and sets the block, before any hash is computed: a thousand
# parallel guesses are counted one by one. No row comes back while a block holds.
_TRY = text("""
    INSERT INTO login_throttle AS t (key, tries, last_at)
    VALUES (:key, 1, clock_timestamp())
    ON CONFLICT (key) DO UPDATE SET
      tries = CASE WHEN t.last_at < clock_timestamp() - :forget THEN 1 ELSE t.tries + 1 END,
      last_at = clock_timestamp(),
      blocked_until = CASE
        WHEN t.last_at < clock_timestamp() - :forget OR t.tries + 1 < :allowed THEN NULL
        ELSE clock_timestamp()
             + LEAST(:longest, :first * power(2, LEAST(t.tries + 1 - :allowed, 10))) END
      WHERE t.blocked_until IS NULL OR t.blocked_until <= clock_timestamp()
    RETURNING tries
""")
_FORGIVE_ADDRESS = text("""
    UPDATE login_throttle SET tries = greatest(tries - 1, 0), blocked_until = NULL
    WHERE key = :key
""")
_SWEEP = text("DELETE FROM login_throttle WHERE last_at < clock_timestamp() - 2 * :forget")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a login came to: the person, or None; `blocked` when it was not even looked at."""

    staff: Staff | None
    blocked: bool = False


def attempt(login: str, password: str, address: str) -> Attempt:
    """Checks a login. Unknown, disabled and wrong take the same way and the same time."""
    login = login.strip().lower()[:LOGIN_CHARS_MAX]
    user_key, address_key = _key("user", login), _key("address", address)
    # No short cut: both counters move on every try.
    counted = [_count(address_key, ADDRESS_TRIES), _count(user_key, USER_TRIES)]
    if not all(counted):
        return Attempt(None, blocked=True)
    staff = db.session.execute(select(Staff).where(Staff.login == login)).scalar_one_or_none()
    stored = staff.password_hash if staff and staff.disabled_at is None else _nobody()
    if not _matches(stored, password) or staff is None or staff.disabled_at is not None:
        return Attempt(None)
    db.session.execute(delete(LoginThrottle).where(LoginThrottle.key == user_key))
    db.session.execute(_FORGIVE_ADDRESS, {"key": address_key})
    db.session.execute(_SWEEP, {"forget": FORGET_AFTER})
    if HASHER.check_needs_rehash(staff.password_hash):
        staff.password_hash = HASHER.hash(password)
    db.session.commit()
    return Attempt(staff)


def warm_up() -> None:
    """Makes the hash that unknown people are compared with, before the first of them comes."""
    _nobody()


def hash_password(password: str) -> str:
    return HASHER.hash(password)


def weakness(password: str, login: str) -> str:
    """Why a new password will not do, or an empty string."""
    if len(password) < PASSWORD_CHARS_MIN:
        return f"A password has at least {PASSWORD_CHARS_MIN} characters."
    if len(password) > PASSWORD_CHARS_MAX:
        return f"A password has at most {PASSWORD_CHARS_MAX} characters."
    if len(set(password)) < 5 or login.lower() in password.lower():
        return "This password is too easy to guess."
    return ""


def _count(key: str, allowed: int) -> bool:
    """Whether this try may go on. Its own transaction: a later failure does not take it back."""
    row = db.session.execute(
        _TRY,
        {
            "key": key,
            "allowed": allowed,
            "forget": FORGET_AFTER,
            "first": FIRST_BLOCK,
            "longest": LONGEST_BLOCK,
        },
    ).one_or_none()
    db.session.commit()
    return row is not None


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
    return HASHER.hash(secrets.token_urlsafe(32))


def _key(kind: str, value: str) -> str:
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(secret, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()
