"""What the web app itself stores: staff, their sessions, the audit trail, counts of refusals.
No payment, invoice or event: those belong to the stream and its read models."""

from __future__ import annotations

from datetime import date, datetime

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    func,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

INSTANT = DateTime(timezone=True)
# Database time, also inside a long transaction: sessions and back-off must not stand still.
NOW = func.clock_timestamp()


class Base(DeclarativeBase):
    """The tables of the web app."""


db = SQLAlchemy(model_class=Base)


class Staff(Base):
    """A person who may log in. `id` is what commands and events carry; it is not a name."""

    __tablename__ = "staff"
    __table_args__ = (
        CheckConstraint(
            "role IN ('support', 'operations', 'finance', 'lead', 'auditor', 'admin')",
            name="staff_role_known",
        ),
        CheckConstraint("login = lower(login)", name="staff_login_lower_case"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT, server_default=NOW)
    disabled_at: Mapped[datetime | None] = mapped_column(INSTANT)


class StaffSession(Base):
    """One login on one browser. The cookie holds a random token, the row only its SHA-256."""

    __tablename__ = "staff_session"

    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    # The token before the last rotation: requests already under way still carry it.
    previous_sha256: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    csrf: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT, server_default=NOW)
    rotated_at: Mapped[datetime] = mapped_column(INSTANT, server_default=NOW)
    seen_at: Mapped[datetime] = mapped_column(INSTANT, server_default=NOW)
    # A sentence for the next full page, after a form without JavaScript.
    notice: Mapped[str | None]


class LoginThrottle(Base):
    """Tries per user and per network address; `key` is a keyed hash, never the name itself."""

    __tablename__ = "login_throttle"

    key: Mapped[str] = mapped_column(primary_key=True)
    tries: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(INSTANT, server_default=NOW)
    blocked_until: Mapped[datetime | None] = mapped_column(INSTANT)


class Audit(Base):
    """Every refusal and every look at a full IBAN. Ids only, no personal data."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_by_subject", "subject"), Index("audit_by_time", "at"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(INSTANT, server_default=NOW)
    staff_id: Mapped[str | None]
    act: Mapped[str]
    outcome: Mapped[str]
    subject: Mapped[str | None]
    # The message id of the refusal: the sentence without its values.
    reason: Mapped[str | None]
    reference: Mapped[str | None]


class HookRefusal(Base):
    """How many notifications of a provider were refused for one reason on one day (Berlin)."""

    __tablename__ = "hook_refusal"
    __table_args__ = (CheckConstraint("times > 0"),)

    provider: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    times: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[datetime] = mapped_column(INSTANT, server_default=NOW)
