"""The audit trail as seen from the web: one row per refusal and per look at a full IBAN.
It takes ids and message ids only, never a name, an IBAN or a sentence with values in it."""

from __future__ import annotations

from typing import Literal

from flask import g
from sqlalchemy import insert

from webapp.models import Audit, db

Outcome = Literal["allowed", "refused", "denied", "failed"]


def audit(
    act: str,
    outcome: Outcome,
    subject: str | None = None,
    *,
    reason: str | None = None,
    reference: str | None = None,
    staff_id: str | None = None,
) -> None:
    """Writes one row and commits it at once: a refused request must leave its trace.

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
        )
    )
    db.session.commit()
