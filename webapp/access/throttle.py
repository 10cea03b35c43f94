"""Back-off for guessing: tries per key, counted and blocked by database time. A key is a keyed
hash, so that neither names nor addresses are stored."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from flask import current_app
from sqlalchemy import delete, text

from webapp.models import LoginThrottle, db

FIRST_BLOCK: Final = timedelta(seconds=30)
LONGEST_BLOCK: Final = timedelta(minutes=15)
# Tries older than this no longer count.
FORGET_AFTER: Final = timedelta(hours=1)
# One household or office has a whole IPv6 network of this size to itself.
IPV6_NETWORK_BITS: Final = 64

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
_FORGIVE = text("""
    UPDATE login_throttle SET tries = greatest(tries - 1, 0), blocked_until = NULL
    WHERE key = :key
""")
_SWEEP = text("DELETE FROM login_throttle WHERE last_at < clock_timestamp() - 2 * :forget")

Limit = tuple[str, int]
"""A key and how many tries it allows before it blocks."""


def key(kind: str, *parts: str) -> str:
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(secret, ":".join((kind, *parts)).encode(), hashlib.sha256).hexdigest()


def network(address: str) -> str:
    """What one guesser has to himself: an IPv4 address, or a whole IPv6 network."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return address
    return str(ipaddress.ip_network((ip, IPV6_NETWORK_BITS), strict=False))


def count(limits: Sequence[Limit]) -> bool:
    """Whether this try may go on. Every counter moves on every try, without a short cut."""
    may_go_on = [_count(name, allowed) for name, allowed in limits]
    return all(may_go_on)


def forget(own: str, *shared: str) -> None:
    """After a right answer: the person's own counter starts anew, shared ones lose this try."""
    db.session.execute(delete(LoginThrottle).where(LoginThrottle.key == own))
    for name in shared:
        db.session.execute(_FORGIVE, {"key": name})
    db.session.execute(_SWEEP, {"forget": FORGET_AFTER})
    db.session.commit()


def _count(name: str, allowed: int) -> bool:
    """Its own transaction: a later failure does not take it back."""
    row = db.session.execute(
        _TRY,
        {
            "key": name,
            "allowed": allowed,
            "forget": FORGET_AFTER,
            "first": FIRST_BLOCK,
            "longest": LONGEST_BLOCK,
        },
    ).one_or_none()
    db.session.commit()
    return row is not None
