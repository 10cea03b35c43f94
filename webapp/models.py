"""What the web app itself stores: staff, their logins and changes, the audit trail, refusals.
No payment, invoice or event: those belong to the stream and its read models."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
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
        CheckConstraint("locale IN ('de', 'en')", name="staff_locale_known"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    role: Mapped[str]
    password_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT, server_default=NOW)
    disabled_at: Mapped[datetime | None] = mapped_column(INSTANT)
    # The language this person chose (webapp/languages.py).
    locale: Mapped[str | None]
    # The secret of the second factor, sealed; empty until it was proved once.
    totp_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    # The time step of the last code that was taken: none works twice.
    totp_step: Mapped[int | None] = mapped_column(BigInteger)


class HalfLogin(Base):
    """A right password that still waits for its second factor. It opens nothing else."""

    __tablename__ = "half_login"

    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    csrf: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(INSTANT, server_default=NOW)


class RecoveryCode(Base):
    """A code for the day the telephone is lost. Using it deletes its row."""

    __tablename__ = "recovery_code"

    staff_id: Mapped[str] = mapped_column(
        ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True
    )
    code_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)


class ResetLink(Base):
    """Sets a password once. `made_by` is the admin who was shown it, empty for the server."""

    __tablename__ = "reset_link"

    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    made_by: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(INSTANT, server_default=NOW)
    used_at: Mapped[datetime | None] = mapped_column(INSTANT)


class StaffChange(Base):
    """A change of an account that one admin asked for and a second one decides on."""

    __tablename__ = "staff_change"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('add', 'role', 'name', 'disable', 'enable', 'password', 'factor')",
            name="staff_change_kind_known",
        ),
        CheckConstraint(
            "outcome IN ('confirmed', 'withdrawn', 'rejected', 'expired')",
            name="staff_change_outcome_known",
        ),
        CheckConstraint(
            "outcome <> 'confirmed' OR (decided_by IS NOT NULL AND decided_by <> asked_by)",
            name="staff_change_by_a_second_admin",
        ),
        Index(
            "staff_change_one_open", "login", unique=True, postgresql_where=text("outcome IS NULL")
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    login: Mapped[str]
    name: Mapped[str]
    # Empty while an account that is to be added does not exist.
    staff_id: Mapped[str | None] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"))
    before: Mapped[str]
    after: Mapped[str]
    asked_by: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    asked_at: Mapped[datetime] = mapped_column(INSTANT, server_default=NOW)
    outcome: Mapped[str | None]
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None] = mapped_column(INSTANT)


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
    second_factor: Mapped[bool]
    # The last time this browser showed that its person sits in front of it.
    proved_at: Mapped[datetime] = mapped_column(INSTANT, server_default=NOW)
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
    """Who did what: refusals, recorded looks, logins, accounts. Ids, nothing about customers."""

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
    # Ids and codes: who asked, what was before, what is now; of a name, both names.
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class HookRefusal(Base):
    """How many notifications of a provider were refused for one reason on one day (Berlin)."""

    __tablename__ = "hook_refusal"
    __table_args__ = (CheckConstraint("times > 0"),)

    provider: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    times: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[datetime] = mapped_column(INSTANT, server_default=NOW)


class SavedView(Base):
    """Filters and order of one list under a name. `query` is the list's own address, normalised;
    it is read like any other address when somebody opens the view."""

    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("owner_id", "list", "name"),
        Index("saved_view_shared", "list", postgresql_where=text("shared")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    list: Mapped[str]
    owner_id: Mapped[str] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"))
    name: Mapped[str]
    query: Mapped[str]
    shared: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(INSTANT, server_default=NOW)


class DefaultView(Base):
    """The view that a list opens with for one person."""

    __tablename__ = "default_view"
    __table_args__ = (Index("default_view_view_id", "view_id"),)

    staff_id: Mapped[str] = mapped_column(
        ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True
    )
    list: Mapped[str] = mapped_column(primary_key=True)
    view_id: Mapped[str] = mapped_column(ForeignKey("saved_view.id", ondelete="CASCADE"))
