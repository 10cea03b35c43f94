"""Sessions on the server: a random token in the cookie, its SHA-256 in PostgreSQL, all limits by
database time. It knows nothing about passwords or permissions."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import DateTime, delete, literal_column, select, update

from webapp.models import NOW, Staff, StaffSession, db
from webapp.permissions import Role

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


@dataclass(frozen=True, slots=True)
class Opened:
    """A live session; `token` is set when the browser has to be given a new one. `clock` is
    business time, read in the same round trip because every page shows or needs it."""

    principal: Principal
    token: str | None
    clock: datetime
    notice: str | None = None


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def start(staff: Staff) -> Opened:
    """A new session: never the continuation of one that was there before the login."""
    _drop_stale(staff.id)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    csrf = secrets.token_urlsafe(TOKEN_BYTES)
    db.session.add(StaffSession(token_sha256=digest(token), staff_id=staff.id, csrf=csrf))
    db.session.commit()
    return Opened(_principal(staff, csrf), token, read_clock())


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
            CLOCK.label("clock"),
        )
        .join(Staff, Staff.id == StaffSession.staff_id)
        .where(
            (StaffSession.token_sha256 == found) | (StaffSession.previous_sha256 == found),
            StaffSession.seen_at > now - IDLE_LIMIT,
            StaffSession.created_at > now - ABSOLUTE_LIMIT,
            Staff.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    session, staff, stale, old, settled, clock = row
    current = session.token_sha256 == found
    if not current and settled:
        # A token from before the last rotation, long after it: a copy is in use. Both end here.
        end(session.token_sha256)
        return None
    principal, notice = _principal(staff, session.csrf), session.notice
    fresh = _rotate(found) if current and old else None
    if stale and not fresh:
        db.session.execute(
            update(StaffSession)
            .where(StaffSession.token_sha256 == session.token_sha256)
            .values(seen_at=now)
        )
        db.session.commit()
    return Opened(principal, fresh, clock, notice)


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
    """For a disabled account, a new password or a new role."""
    db.session.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id))
    db.session.commit()


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
    return Principal(staff.id, staff.login, staff.name, Role(staff.role), csrf)
