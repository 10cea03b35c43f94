"""Changes of accounts: one admin proposes, a second one confirms, and only then something happens.
Every step leaves a row in the audit trail: who asked, who confirmed, what was before and after."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.dialects.postgresql import insert

from webapp.access import passwords, resets, second_factor, sessions
from webapp.access.audit import audit
from webapp.access.permissions import Role
from webapp.models import NOW, Staff, StaffChange, db

# Over a long weekend; after that, whoever asked may ask again.
LIFETIME: Final = timedelta(days=4)
SHOWN_MAX: Final = 100
ACTIVE: Final = "active"
DISABLED: Final = "disabled"
NOTHING: Final = ""
NO_END: Final = ("add", "name")
"""Kinds that end no session: there is none, or its rights stay as they are."""


class Impossible(Exception):
    """This change cannot be proposed or confirmed now; `why` is a key of `sentences.staff.WHY`."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Done:
    """A confirmed change; `token` opens the link that the confirming admin passes on."""

    change: StaffChange
    token: str = ""


def possible(staff: Staff) -> tuple[str, ...]:
    """What can be proposed about this account."""
    if staff.disabled_at is not None:
        return ("enable",)
    factor = ("factor",) if staff.totp_sealed is not None else ()
    return ("role", "name", "disable", "password", *factor)


def propose(staff: Staff, kind: str, wanted: str, asked_by: str) -> StaffChange:
    """Asks for a change of an existing account; `wanted` is the new role or name. Raises
    Impossible."""
    if kind not in possible(staff):
        raise Impossible("not possible")
    before, after = _before_after(staff, kind, wanted)
    if kind in ("role", "name") and before == after:
        raise Impossible(f"same {kind}")
    return _ask(
        asked_by,
        kind=kind,
        login=staff.login,
        name=staff.name,
        staff_id=staff.id,
        before=before,
        after=after,
    )


def propose_account(login: str, name: str, role: Role, asked_by: str) -> StaffChange:
    """Asks for a new account. Raises Impossible."""
    if db.session.scalar(select(Staff.id).where(Staff.login == login)):
        raise Impossible("login taken")
    return _ask(
        asked_by,
        kind="add",
        login=login,
        name=name,
        staff_id=None,
        before=NOTHING,
        after=role.value,
    )


def waiting() -> Sequence[StaffChange]:
    """What a second admin can still decide on, oldest first."""
    return db.session.scalars(
        select(StaffChange)
        .where(_open())
        .order_by(StaffChange.asked_at, StaffChange.id)
        .limit(SHOWN_MAX)
    ).all()


def waiting_count() -> int:
    return db.session.scalar(select(func.count()).select_from(StaffChange).where(_open())) or 0


def find(change_id: str) -> StaffChange | None:
    """A change that is still open; decided and expired ones are history."""
    found = db.session.execute(select(StaffChange).where(StaffChange.id == change_id, _open()))
    return found.scalar_one_or_none()


def close(change: StaffChange, by: str) -> str:
    """Withdrawn by who asked, rejected by anybody else. Nothing else changes."""
    outcome = "withdrawn" if change.asked_by == by else "rejected"
    _decide(change.id, outcome, by)
    audit("staff.manage", "allowed", _subject(change), reason=outcome, detail=_detail(change))
    return outcome


def confirm(change: StaffChange, by: str) -> Done:
    """Does it, ends the person's sessions where their rights change, and writes the trail, all in
    one commit."""
    if change.asked_by == by:
        raise Impossible("own proposal")
    if change.staff_id == by:
        raise Impossible("own account")
    _decide(change.id, "confirmed", by)
    staff = _subject_of(change)
    if change.kind != "add" and _stands(staff, change) != change.before:
        db.session.rollback()
        raise Impossible("moved")
    if _last_admin(staff, change):
        db.session.rollback()
        raise Impossible("last admin")
    if change.kind not in NO_END:
        sessions.end_all(staff.id)
    token = _DO[change.kind](staff, change, by)
    detail = _detail(change)
    audit("staff.confirm", "allowed", staff.id, reason=change.kind, detail=detail)
    return Done(change, token)


def _ask(asked_by: str, **values: str | None) -> StaffChange:
    db.session.execute(
        update(StaffChange)
        .where(StaffChange.outcome.is_(None), StaffChange.asked_at <= NOW - LIFETIME)
        .values(outcome="expired")
    )
    made = db.session.execute(
        insert(StaffChange)
        .values(id=f"chg_{secrets.token_hex(8)}", asked_by=asked_by, **values)
        .on_conflict_do_nothing()
        .returning(StaffChange.id)
    ).scalar_one_or_none()
    if made is None:
        db.session.rollback()
        raise Impossible("waiting")
    change = db.session.get_one(StaffChange, made)
    subject, detail = _subject(change), _detail(change)
    audit("staff.propose", "allowed", subject, reason=change.kind, detail=detail)
    return change


def _decide(change_id: str, outcome: str, by: str) -> None:
    """Two admins at once: one of them decides."""
    decided = db.session.execute(
        update(StaffChange)
        .where(StaffChange.id == change_id, _open())
        .values(outcome=outcome, decided_by=by, decided_at=NOW)
        .returning(StaffChange.id)
    ).one_or_none()
    if decided is None:
        db.session.rollback()
        raise Impossible("decided")


def _before_after(staff: Staff, kind: str, wanted: str) -> tuple[str, str]:
    if kind == "role":
        if wanted not in set(Role):
            raise Impossible("no role")
        return staff.role, wanted
    if kind == "name":
        return staff.name, wanted
    state = DISABLED if staff.disabled_at is not None else ACTIVE
    return state, {"disable": DISABLED, "enable": ACTIVE}.get(kind, state)


def _stands(staff: Staff, change: StaffChange) -> str:
    """What `before` would be if it were asked now."""
    if change.kind in ("role", "name"):
        return staff.role if change.kind == "role" else staff.name
    return DISABLED if staff.disabled_at is not None else ACTIVE


def _last_admin(staff: Staff, change: StaffChange) -> bool:
    """Whether nobody could manage accounts in the browser any more."""
    leaves = change.kind == "disable" or (change.kind == "role" and change.after != Role.ADMIN)
    if not leaves or staff.role != Role.ADMIN:
        return False
    others = select(func.count()).where(
        Staff.role == Role.ADMIN.value, Staff.disabled_at.is_(None), Staff.id != staff.id
    )
    return not db.session.scalar(others)


def _subject_of(change: StaffChange) -> Staff:
    """The locked row of the account; a new one is made here."""
    if change.staff_id is not None:
        return db.session.get_one(Staff, change.staff_id, with_for_update=True)
    staff = Staff(
        id=f"stf_{secrets.token_hex(8)}",
        login=change.login,
        name=change.name,
        role=change.after,
        password_hash=passwords.nobody_knows(),
    )
    taken = db.session.scalar(select(Staff.id).where(Staff.login == change.login))
    if taken is not None:
        db.session.rollback()
        raise Impossible("login taken")
    db.session.add(staff)
    db.session.flush()
    change.staff_id = staff.id
    return staff


def _set_role(staff: Staff, change: StaffChange, _by: str) -> str:
    staff.role = change.after
    return ""


def _set_name(staff: Staff, change: StaffChange, _by: str) -> str:
    staff.name = change.after
    return ""


def _disable(staff: Staff, _change: StaffChange, _by: str) -> str:
    db.session.execute(update(Staff).where(Staff.id == staff.id).values(disabled_at=NOW))
    return ""


def _enable(staff: Staff, _change: StaffChange, _by: str) -> str:
    staff.disabled_at = None
    return ""


def _clear_factor(staff: Staff, _change: StaffChange, _by: str) -> str:
    second_factor.clear(staff.id)
    return ""


def _link(staff: Staff, _change: StaffChange, by: str) -> str:
    return resets.make(staff.id, by)


_DO: Final[dict[str, Callable[[Staff, StaffChange, str], str]]] = {
    "add": _link,
    "role": _set_role,
    "name": _set_name,
    "disable": _disable,
    "enable": _enable,
    "password": _link,
    "factor": _clear_factor,
}


def _open() -> ColumnElement[bool]:
    return and_(StaffChange.outcome.is_(None), StaffChange.asked_at > NOW - LIFETIME)


def _subject(change: StaffChange) -> str:
    return change.staff_id or change.id


def _detail(change: StaffChange) -> dict[str, str]:
    """Ids and codes; only a change of a name holds names."""
    return {
        "change": change.id,
        "kind": change.kind,
        "asked_by": change.asked_by,
        "before": change.before,
        "after": change.after,
    }
