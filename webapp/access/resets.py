"""Links that set a password: a random token in the address, its SHA-256 in the database, one hour,
one use. Whoever uses it still needs the second factor to log in."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, select, update

from webapp.access import passwords, sessions
from webapp.access.audit import audit
from webapp.models import NOW, ResetLink, Staff, db

LIFETIME: Final = timedelta(hours=1)


def make(staff_id: str, made_by: str | None) -> str:
    """The token of a new link; older ones of this person are dead. The caller commits."""
    db.session.execute(
        update(ResetLink)
        .where(ResetLink.staff_id == staff_id, ResetLink.used_at.is_(None))
        .values(used_at=NOW)
    )
    token = secrets.token_urlsafe(sessions.TOKEN_BYTES)
    hashed = sessions.digest(token)
    db.session.add(ResetLink(token_sha256=hashed, staff_id=staff_id, made_by=made_by))
    return token


def person(token: str) -> Staff | None:
    """Whose password a link may set now. Looking at it does not use it."""
    return db.session.execute(
        select(Staff)
        .join(ResetLink, ResetLink.staff_id == Staff.id)
        .where(_open(token), Staff.disabled_at.is_(None))
    ).scalar_one_or_none()


def use(token: str, password: str) -> bool:
    """Sets the password and ends every session; False when somebody else was quicker."""
    staff_id = db.session.execute(
        update(ResetLink).where(_open(token)).values(used_at=NOW).returning(ResetLink.staff_id)
    ).scalar_one_or_none()
    if staff_id is None:
        return False
    set_password(staff_id, password)
    audit("account.secure", "allowed", staff_id, reason="password set by link", staff_id=staff_id)
    return True


def set_password(staff_id: str, password: str) -> None:
    """A new password ends whatever was opened with the old one. The caller commits."""
    hashed = passwords.hash_password(password)
    db.session.execute(update(Staff).where(Staff.id == staff_id).values(password_hash=hashed))
    sessions.end_all(staff_id)


def _open(token: str) -> ColumnElement[bool]:
    return and_(
        ResetLink.token_sha256 == sessions.digest(token),
        ResetLink.used_at.is_(None),
        ResetLink.created_at > NOW - LIFETIME,
    )
