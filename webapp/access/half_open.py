"""Between the right password and the second factor: a token that opens the code page and nothing
else. A session starts only when the code was right, with a token of its own."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select

from webapp.access.sessions import TOKEN_BYTES, digest
from webapp.models import NOW, HalfLogin, Staff, db

# Long enough to find the telephone and to set it up, too short to come back to.
LIMIT: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class HalfOpen:
    """Whose password was right. `token` is set when the browser has to be given it."""

    staff: Staff
    csrf: str
    token: str


def begin(staff: Staff) -> HalfOpen:
    """The older half-open logins of this person stay: they may sit at two machines."""
    db.session.execute(delete(HalfLogin).where(HalfLogin.created_at < NOW - LIMIT))
    token, csrf = secrets.token_urlsafe(TOKEN_BYTES), secrets.token_urlsafe(TOKEN_BYTES)
    db.session.add(HalfLogin(token_sha256=digest(token), staff_id=staff.id, csrf=csrf))
    db.session.commit()
    return HalfOpen(staff, csrf, token)


def resume(token: str) -> HalfOpen | None:
    row = db.session.execute(
        select(Staff, HalfLogin.csrf)
        .join(HalfLogin, HalfLogin.staff_id == Staff.id)
        .where(
            HalfLogin.token_sha256 == digest(token),
            HalfLogin.created_at > NOW - LIMIT,
            Staff.disabled_at.is_(None),
        )
    ).one_or_none()
    return HalfOpen(row[0], row[1], token) if row else None


def end(token: str) -> None:
    db.session.execute(delete(HalfLogin).where(HalfLogin.token_sha256 == digest(token)))
    db.session.commit()
