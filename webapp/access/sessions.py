"""Sessions on the server: a random token in the cookie, its SHA-256 in PostgreSQL, all limits by
database time. It knows nothing about passwords or permissions."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import DateTime, delete, literal_column, select, update

from webapp.access.permissions import SECOND_FACTOR, Role
from webapp.models import NOW, HalfLogin, ResetLink, Staff, StaffSession, db

TOKEN_BYTES: Final = 32
IDLE_LIMIT: Final = timedelta(minutes=60)
ABSOLUTE_LIMIT: Final = timedelta(hours=12)
ROTATE_AFTER: Final = timedelta(minutes=15)
# Requests that were under way at a rotation still carry the token before it.
PREVIOUS_GRACE: Final = timedelta(seconds=30)
# `seen_at` moves at most once a minute: reading a page must not cost a write.
SEEN_STEP: Final = timedelta(minutes=1)
# Nobody works on more browsers at once; the oldest session gives way.
SESSIONS_PER_PERSON: Final = 10
# How long a proof of who sits there holds for approving money and for accounts.
FRESH_FOR: Final = timedelta(minutes=5)
# The Clock stands in the row that stamps the database; empty means the wall clock.
CLOCK: Final = literal_column(
    "(SELECT coalesce(clock, clock_timestamp()) FROM installation)", DateTime(timezone=True)
)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking. `csrf` belongs to the session and outlives its rotations."""

    id: str
    login: str
    name: str
    role: Role
    csrf: str
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A live session; `token` is set when the browser has to be given a new one. `clock` is
    business time, read in the same round trip because every page shows or needs it. `fresh`: the
    person proved to be there a short while ago."""

    principal: Principal
    token: str | None
    clock: datetime
    notice: str | None = None
    fresh: bool = False


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def start(staff: Staff, *, second_factor: bool) -> Opened:
    """A new session: never the continuation of one that was there before the login."""
    _drop_stale(staff.id)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    csrf = secrets.token_urlsafe(TOKEN_BYTES)
    db.session.add(
        StaffSession(
            token_sha256=digest(token), staff_id=staff.id, csrf=csrf, second_factor=second_factor
        )
    )
    db.session.commit()
    return Opened(_principal(staff, csrf), token, read_clock(), fresh=True)


def read_clock() -> datetime:
    """Business time. Raises when the database was never migrated."""
    clock: datetime | None = db.session.execute(select(CLOCK)).scalar_one()
    if clock is None:
        raise RuntimeError("the database is not stamped with its mode: run the migrations")
    return clock


def resume(token: str) -> Opened | None:
    """The live session behind a cookie, or None. Rotates the token when it is old."""
    found = digest(token)
    now = NOW
    row = db.session.execute(
        select(
            StaffSession,
            Staff,
            (StaffSession.seen_at < now - SEEN_STEP).label("stale"),
            (StaffSession.rotated_at < now - ROTATE_AFTER).label("old"),
            (StaffSession.rotated_at < now - PREVIOUS_GRACE).label("settled"),
            (StaffSession.proved_at > now - FRESH_FOR).label("proved"),
            CLOCK.label("clock"),
        )
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(
            (StaffSession.token_sha256 == found) | (StaffSession.previous_sha256 == found),
            StaffSession.seen_at > now - IDLE_LIMIT,
            StaffSession.created_at > now - ABSOLUTE_LIMIT,
            Staff.disabled_at.is_(None),
            # A role that was raised behind our back opens nothing either.
            StaffSession.second_factor | Staff.role.not_in(sorted(SECOND_FACTOR)),
        )
    ).one_or_none()
    if row is None:
        return None
    session, staff, stale, old, settled, proved, clock = row
    current = session.token_sha256 == found
    if not current and settled:
        # A token from before the last rotation, long after it: a copy is in use. Both end here.
        end(session.token_sha256)
        return None
    principal, notice = _principal(staff, session.csrf), session.notice
    renewed = _rotate(found) if current and old else None
    if stale and not renewed:
        db.session.execute(
            update(StaffSession)
            .where(StaffSession.token_sha256 == session.token_sha256)
            .values(seen_at=now)
        )
        db.session.commit()
    # The token before a rotation may be a copy: it reads a little longer, it approves nothing.
    return Opened(principal, renewed, clock, notice, fresh=current and proved)


def prove(token: str) -> str | None:
    """The person behind this session was asked and proved to be there. The token changes."""
    found = digest(token)
    db.session.execute(
        update(StaffSession).where(StaffSession.token_sha256 == found).values(proved_at=NOW)
    )
    return _rotate(found)


def _rotate(found: bytes) -> str | None:
    """A new token for the same session; None when a request beside us was quicker."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    moved = db.session.execute(
        update(StaffSession)
        .where(StaffSession.token_sha256 == found)
        .values(token_sha256=digest(token), previous_sha256=found, rotated_at=NOW, seen_at=NOW)
        .returning(StaffSession.staff_id)
    ).one_or_none()
    db.session.commit()
    return token if moved else None


def end(token_sha256: bytes) -> None:
    """Deletes the row: every copy of the cookie is dead from now on."""
    db.session.execute(
        delete(StaffSession).where(
            (StaffSession.token_sha256 == token_sha256)
            | (StaffSession.previous_sha256 == token_sha256)
        )
    )
    db.session.commit()


def end_all(staff_id: str) -> None:
    """For a disabled account, a new password, second factor or role. Half-open logins and unused
    links go, too. The caller commits, together with the reason for it."""
    for table in (StaffSession, HalfLogin):
        db.session.execute(delete(table).where(table.staff_id == staff_id))
    db.session.execute(
        update(ResetLink)
        .where(ResetLink.staff_id == staff_id, ResetLink.used_at.is_(None))
        .values(used_at=NOW)
    )


def end_others(staff_id: str, token: str) -> int:
    """Ends what this person has open elsewhere, and says how many it was."""
    ended = db.session.execute(
        delete(StaffSession)
        .where(StaffSession.staff_id == staff_id, StaffSession.token_sha256 != digest(token))
        .returning(StaffSession.token_sha256)
    ).all()
    db.session.commit()
    return len(ended)


def leave_notice(token: str, sentence: str | None) -> None:
    """Keeps a sentence for the next full page of this session; None takes it away."""
    found = digest(token)
    db.session.execute(
        update(StaffSession)
        .where((StaffSession.token_sha256 == found) | (StaffSession.previous_sha256 == found))
        .values(notice=sentence)
    )
    db.session.commit()


def _drop_stale(staff_id: str) -> None:
    keep = (
        select(StaffSession.token_sha256)
        .where(StaffSession.staff_id == staff_id)
        .order_by(StaffSession.seen_at.desc())
        .limit(SESSIONS_PER_PERSON - 1)
    )
    db.session.execute(
        delete(StaffSession).where(
            (StaffSession.seen_at < NOW - IDLE_LIMIT)
            | (StaffSession.created_at < NOW - ABSOLUTE_LIMIT)
            | ((StaffSession.staff_id == staff_id) & StaffSession.token_sha256.not_in(keep))
        )
    )


def _principal(staff: Staff, csrf: str) -> Principal:
    return Principal(staff.id, staff.login, staff.name, Role(staff.role), csrf, staff.locale)
