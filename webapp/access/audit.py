"""The audit trail as seen from the web: one row per refusal and per look at personal data.
It takes ids and message ids only, never a name, an IBAN or a sentence with values in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal

from flask import g
from sqlalchemy import exists, func, insert, literal, select

from webapp.models import Audit, db

Outcome = Literal["allowed", "refused", "denied", "failed"]
LOOK_EVERY: Final = timedelta(hours=1)
"""Who leafs through one customer's pages looks once, not twenty times."""


def audit(
    act: str,
    outcome: Outcome,
    subject: str | None = None,
    *,
    reason: str | None = None,
    reference: str | None = None,
    staff_id: str | None = None,
    detail: Mapping[str, str] | None = None,
) -> None:
    """Writes one row and commits it at once: a refused request must leave its trace. What the
    session has changed before is committed with it, so neither exists without the other.

    `outcome`: allowed (a recorded look), refused (a rule of the domain), denied (the permission
    table, CSRF), failed (a login).
    """
    principal = g.get("staff")
    db.session.execute(
        insert(Audit).values(
            staff_id=staff_id or (principal.id if principal else None),
            act=act,
            outcome=outcome,
            subject=subject,
            reason=reason,
            reference=reference,
            detail=dict(detail) if detail else None,
        )
    )
    db.session.commit()


def look(act: str, subject: str) -> None:
    """A look at personal data: one row per person, thing and hour."""
    staff_id = g.staff.id
    recently = exists().where(
        Audit.staff_id == staff_id,
        Audit.act == act,
        Audit.subject == subject,
        Audit.outcome == "allowed",
        Audit.at > func.now() - LOOK_EVERY,
    )
    values = [literal(staff_id), literal(act), literal("allowed"), literal(subject)]
    columns = [Audit.staff_id, Audit.act, Audit.outcome, Audit.subject]
    db.session.execute(insert(Audit).from_select(columns, select(*values).where(~recently)))
    db.session.commit()
