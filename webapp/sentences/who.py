"""Who did it: a person's name, the provider, or the part of Kontor that acted by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from flask import g
from sqlalchemy import select

from webapp.models import Staff, db
from webapp.texts import _

STAFF_PREFIX: Final = "staff:"
# An insurer's back office has a few hundred people; the rest would keep their ids.
NAMES_MAX: Final = 5_000
_ACTORS: Final[dict[str, Callable[[], str]]] = {
    "flow": lambda: _("flow"),
    "timer": lambda: _("schedule"),
    "ticker": lambda: _("schedule"),
    "worker": lambda: _("worker"),
    "follower": lambda: _("Kontor"),
    "rule": lambda: _("rule"),
    "stripe": lambda: "Stripe",
    "bank": lambda: _("bank"),
    "demo": lambda: _("demo"),
}


def staff_names() -> dict[str, str]:
    """Staff id -> name, disabled accounts included: their acts stay in the history. Asked once in
    a request."""
    known: dict[str, str] | None = g.get("staff_names")
    if known is None:
        rows = db.session.execute(select(Staff.id, Staff.name).limit(NAMES_MAX))
        known = g.staff_names = {row.id: row.name for row in rows}
    return known


def people() -> list[tuple[str, str]]:
    """(actor, name) by name, to choose from."""
    found = sorted((name, staff_id) for staff_id, name in staff_names().items())
    return [(f"{STAFF_PREFIX}{staff_id}", name) for name, staff_id in found]


def who(actor: str, names: Mapping[str, str]) -> str:
    """`staff:stf_mia` -> `Mia Aydin`; an actor without a name is shown as it is."""
    if actor.startswith(STAFF_PREFIX):
        staff_id = actor.removeprefix(STAFF_PREFIX)
        return names.get(staff_id, staff_id)
    words = _ACTORS.get(actor.partition(":")[0])
    return words() if words else actor
